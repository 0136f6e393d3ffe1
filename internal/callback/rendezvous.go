package callback

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/private"
)

// announcement is the rendezvous file: callback-HASH.json, HASH being the hash of the state. Whoever knows the state
// finds it; whoever reads it learns nothing that helps. The lock of callback-HASH.lock beside it is held as long as the
// login waits, so that one that died is not believed.
type announcement struct {
	Port        int    `json:"port"`
	StateSHA256 string `json:"state_sha256"` // hex
}

const maxAnnouncement = 1 << 10

// maxSwept bounds what one login cleans up after others.
const maxSwept = 100

// files returns the rendezvous file of a state, and its lock.
func files(dir, state string) (file, lock, hash string) {
	sum := sha256.Sum256([]byte(state))
	hash = hex.EncodeToString(sum[:])
	file = filepath.Join(dir, "callback-"+hash+".json")
	return file, lockOf(file), hash
}

func lockOf(file string) string { return strings.TrimSuffix(file, ".json") + ".lock" }

// Announce lets Deliver find this listener by its state, through a file in dir, until Finish or Close. The folder is
// made, or made private, where it is not: 0700. What logins that died have left there is removed. It is called at most
// once; errors are *fault.Error of kind Config, and the listener goes on without.
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
	if err := private.Dir(dir); err != nil {
		return nil, err
	}
	sweep(dir)
	file, lock, hash := files(dir, state)
	held, err := hold(lock)
	if err != nil {
		return nil, err
	}
	retract = func() {
		_ = os.Remove(file)
		_ = held.Unlock()
		_ = os.Remove(lock) // after it: Windows removes no open file, and nobody else has use for this name
	}
	text, err := json.Marshal(announcement{port, hash})
	if err == nil {
		err = private.Write(file, text)
	}
	if err != nil {
		retract()
		return nil, err
	}
	return retract, nil
}

// hold makes a lock file and locks it.
func hold(path string) (*flock.Flock, error) {
	for range 100 {
		if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
			return nil, &fs.PathError{Op: "lock", Path: path, Err: errors.New("not a file")}
		}
		l := flock.New(path, flock.SetPermissions(0o600))
		ok, err := l.TryLock()
		if err != nil {
			return nil, err
		}
		if ok {
			// A sweep may have been at it between its making and its lock.
			held, err := l.Stat()
			if now, gone := os.Lstat(path); err == nil && gone == nil && os.SameFile(held, now) {
				return l, nil
			}
			_ = l.Unlock()
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil, &fs.PathError{Op: "lock", Path: path, Err: errors.New("held by another process")}
}

// sweep removes the files of logins that died.
func sweep(dir string) {
	d, err := os.Open(dir)
	if err != nil {
		return
	}
	defer func() { _ = d.Close() }()
	names, _ := d.Readdirnames(10 * maxSwept) // an error leaves the rest for the next login
	ofOurs := regexp.MustCompile(`^callback-[0-9a-f]{64}\.(json|lock|json\.tmp)$`)
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
		for _, path := range []string{file, file + ".tmp", lockOf(file)} {
			_ = os.Remove(path)
		}
	}
}

// locked reports whether somebody holds the lock file at path. It makes none.
func locked(path string) (bool, error) {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return false, err
	case !info.Mode().IsRegular() || !private.Ours(info):
		return false, &fs.PathError{Op: "lock", Path: path, Err: errors.New("not a file of ours")}
	}
	l := flock.New(path, flock.SetFlag(os.O_RDWR))
	free, err := l.TryLock()
	if err != nil {
		return false, err
	}
	if free {
		_ = l.Unlock()
	}
	return !free, nil
}

// announced returns the port of the login that waits with state. The error is fs.ErrNotExist, or says what is wrong with
// the file.
func announced(dir, state string) (port int, err error) {
	file, lock, hash := files(dir, state)
	if held, err := locked(lock); err != nil {
		return 0, err
	} else if !held {
		return 0, fs.ErrNotExist
	}
	info, err := os.Lstat(file)
	switch {
	case err != nil:
		return 0, err
	case !info.Mode().IsRegular() || !private.Ours(info) || !private.Only(info):
		return 0, &fs.PathError{Op: "open", Path: file, Err: errors.New("not a file of ours alone")}
	}
	f, err := os.Open(file)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxAnnouncement))
	if err != nil {
		return 0, err
	}
	var a announcement
	if err := json.Unmarshal(text, &a); err != nil || a.StateSHA256 != hash || a.Port < 1 || a.Port > 65535 {
		return 0, &fs.PathError{Op: "read", Path: file, Err: errors.New("not an announcement")}
	}
	return a.Port, nil
}
