package callback

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
)

// announcement is the rendezvous file: callback-HASH.json, HASH being the hash of the state. Whoever knows the state
// finds it; whoever reads it learns nothing that helps. The lock of callback-HASH.lock beside it is held as long as
// the login waits, so that one that died is not believed.
type announcement struct {
	Version     int    `json:"version"`
	Port        int    `json:"port"`
	StateSHA256 string `json:"state_sha256"` // hex
}

const (
	format          = 1 // of the file
	maxAnnouncement = 1 << 10
)

// maxSwept bounds what one login cleans up after others.
const maxSwept = 100

// paths returns the rendezvous file of a state, and its lock.
func paths(dir, state string) (file, lock, hash string) {
	sum := sha256.Sum256([]byte(state))
	hash = hex.EncodeToString(sum[:])
	file = filepath.Join(dir, "callback-"+hash+".json")
	return file, lockOf(file), hash
}

func lockOf(file string) string { return strings.TrimSuffix(file, ".json") + ".lock" }

// Announce lets Deliver find this listener by its state, through a file in dir, until Finish or Close. The folder is
// made, or made private, where it is not: 0700. What logins that died have left there is removed. It is called at
// most once; errors are *fault.Error of kind Config, and the listener goes on without.
func (l *Listener) Announce(dir string) error {
	retract, err := announce(dir, l.state, l.port)
	if err != nil {
		return &fault.Error{
			Kind: fault.Config, Msg: fmt.Sprintf("cannot use the folder %q", dir),
			Remedy: fault.Preface{Words: "see whose it is:", Then: fault.Run{"ls", "-ld", dir}}, Err: err,
		}
	}
	l.mu.Lock()
	old := l.retract
	l.retract = retract
	closed := l.closed
	l.mu.Unlock()
	if old != nil {
		old()
	}
	if closed {
		l.unannounce()
	}
	return nil
}

func (l *Listener) unannounce() {
	l.mu.Lock()
	retract := l.retract
	l.retract, l.closed = nil, true
	l.mu.Unlock()
	if retract != nil {
		retract()
	}
}

func announce(dir, state string, port int) (retract func(), err error) {
	if err := files.PrivateDir(dir); err != nil {
		return nil, err
	}
	sweep(dir)
	file, lock, hash := paths(dir, state)
	held, err := hold(lock)
	if err != nil {
		return nil, err
	}
	retract = func() {
		_ = os.Remove(file)
		held.Remove()
	}
	text, err := json.Marshal(announcement{format, port, hash})
	if err == nil {
		err = files.Write(file, text)
	}
	if err != nil {
		retract()
		return nil, err
	}
	return retract, nil
}

// hold takes the lock at path. A sweep of another login may have it for a moment.
func hold(path string) (*files.Lock, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	l, err := files.Acquire(ctx, path)
	if ctx.Err() != nil {
		err = &fs.PathError{Op: "lock", Path: path, Err: files.ErrHeld}
	}
	return l, err
}

// sweep removes the files of logins that died.
func sweep(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	defer func() { _ = d.Close() }()
	names, _ := d.Readdirnames(10 * maxSwept) // an error leaves the rest for the next login
	ofOurs := regexp.MustCompile(`^callback-[0-9a-f]{64}\.(json|lock|json\.homing-[0-9A-Z]+\.tmp)$`)
	swept := 0
	for _, name := range names {
		if !ofOurs.MatchString(name) || swept == maxSwept {
			continue
		}
		stem, _, _ := strings.Cut(name, ".")
		file := filepath.Join(dir, stem+".json")
		if isHeld, err := locked(lockOf(file)); isHeld || err != nil && !errors.Is(err, fs.ErrNotExist) {
			continue
		}
		swept++
		files.RemoveTemps(file)
		_ = os.Remove(file)
		_ = os.Remove(lockOf(file))
	}
}

// locked reports whether somebody holds the lock file at path. It makes none.
func locked(path string) (bool, error) {
	if err := files.ForeignLock(path); err != nil {
		return false, err
	}
	return files.Held(path)
}

// announced returns the port of the login that waits with state. The error is fs.ErrNotExist, or says what is wrong
// with the file.
func announced(dir, state string) (port int, err error) {
	file, lock, hash := paths(dir, state)
	if held, err := locked(lock); err != nil {
		return 0, err
	} else if !held {
		return 0, fs.ErrNotExist
	}
	text, err := files.ReadPrivate(file, maxAnnouncement)
	if err != nil {
		return 0, err
	}
	var a announcement
	if json.Unmarshal(text, &a) == nil && a.Version > format {
		return 0, &fs.PathError{Op: "read", Path: file, Err: errors.New("a newer homing wrote it")}
	}
	if err := json.Unmarshal(text, &a); err != nil || a.StateSHA256 != hash || a.Port < 1 || a.Port > 65535 {
		return 0, &fs.PathError{Op: "read", Path: file, Err: errors.New("not an announcement")}
	}
	return a.Port, nil
}
