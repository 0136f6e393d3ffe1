package keep

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/session"
)

const (
	// glance is how long a lock is tried for: who only looks whether it is held has it for a moment.
	glance = time.Second
	// poll is how often Stop looks whether the keep has ended.
	poll = 20 * time.Millisecond
	// maxFile bounds what is read of a file. A holder names its sessions in some kilobytes.
	maxFile = 1 << 20
	// leave is how long a keep that was told to end may take: a renewal under way has five seconds for its answer.
	leave = 15 * time.Second
)

// ErrStopped is what Check returns once Stop has asked for the end.
var ErrStopped = errors.New("asked to stop")

// Busy is the error of Take while another keep runs.
type Busy struct{ Holder Holder }

// Error names the other one.
func (b *Busy) Error() string { return "another keep runs: " + b.Holder.String() }

// String names the holder for a message.
func (h Holder) String() string {
	if h.PID == 0 {
		return "it has just begun"
	}
	return fmt.Sprintf("process %d on %q since %s", h.PID, h.Host, h.Since.UTC().Format("2006-01-02 15:04 MST"))
}

// Hold is the right to keep, which one process of a user has at a time. It ends with the process, however that ends.
type Hold struct {
	dir  string
	lock *files.Lock
	info Holder
}

// Take takes the right to keep. host is what messages call this machine. Errors are *Busy, or *fault.Error of kind
// Config.
func Take(ctx context.Context, stateDir, host string, now time.Time) (*Hold, error) {
	if err := os.MkdirAll(stateDir, 0o700); err != nil {
		return nil, cannot("create the folder", stateDir, err)
	}
	h := &Hold{dir: stateDir, info: Holder{
		Version: format, ID: rand.Text(), PID: os.Getpid(), Start: processStart(os.Getpid()), Host: host,
		Since: now.UTC().Truncate(time.Second),
	}}
	if err := h.take(ctx); err != nil {
		return nil, err
	}
	_ = os.Remove(stopPath(stateDir)) // it was for the last holder
	if err := h.describe(); err != nil {
		h.Release()
		return nil, err
	}
	return h, nil
}

func (h *Hold) take(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, glance)
	defer cancel()
	l, err := files.Acquire(ctx, lockPath(h.dir))
	switch {
	case err == nil:
		h.lock = l
		return nil
	case ctx.Err() != nil:
		other, _, _ := Running(h.dir)
		return &Busy{other}
	}
	return cannot("lock", lockPath(h.dir), err)
}

// describe writes what others read of us.
func (h *Hold) describe() error {
	data, err := json.Marshal(h.info)
	if err != nil {
		return err
	}
	return write(infoPath(h.dir), data)
}

// ID is the random name of this run.
func (h *Hold) ID() string { return h.info.ID }

// Paths are the files that a change to is a reason for another Check.
func (h *Hold) Paths() []string { return []string{lockPath(h.dir), stopPath(h.dir)} }

// Check notes what is kept, and returns ErrStopped if the end was asked for. A lock whose file was removed is taken
// again, which another keep may have done first: *Busy. again says that the note could not be written.
func (h *Hold) Check(kept []session.Session) (again bool, err error) {
	if id, err := files.ReadOwn(stopPath(h.dir), maxFile); err == nil && strings.TrimSpace(string(id)) == h.info.ID {
		return false, ErrStopped
	}
	lost := !h.lock.InPlace()
	if lost {
		h.lock.Unlock()
		if err := h.take(context.Background()); err != nil {
			return false, err
		}
	}
	var keys []string
	for _, s := range kept {
		keys = append(keys, s.CacheKey())
	}
	if !lost && fmt.Sprint(keys) == fmt.Sprint(h.info.Watched) {
		return false, nil
	}
	before := h.info.Watched
	h.info.Watched = keys
	again = h.describe() != nil
	if again {
		h.info.Watched = before // on a full disk sessions are kept all the same
	}
	return again, nil
}

// Release gives the right back.
func (h *Hold) Release() {
	if h.lock.InPlace() {
		_ = os.Remove(infoPath(h.dir)) // left behind it would do no harm: the lock is free
		_ = os.Remove(stopPath(h.dir))
	}
	h.lock.Unlock()
}

// Stop asks the keep that runs to end, and waits until it has. running is false where none was.
//
// It is asked by a file that it reads at its next look, a minute at the latest, and that names this run of it: nobody
// else takes it for theirs. To make it look at once it is sent SIGTERM, but only if the process of that number was
// started at the same moment as the one that holds the lock. It may run in another container or on another machine,
// where the number means nothing. Errors are *fault.Error.
func Stop(ctx context.Context, stateDir string) (h Holder, running bool, err error) {
	h, running, err = Running(stateDir)
	for end := time.Now().Add(glance); err == nil && running && h.ID == "" && time.Now().Before(end) &&
		ctx.Err() == nil; {
		time.Sleep(poll) // it has just begun
		h, running, err = Running(stateDir)
	}
	if err != nil || !running {
		return h, running, err
	}
	if err := write(stopPath(stateDir), []byte(h.ID+"\n")); err != nil {
		return h, true, err
	}
	wait := Look + leave
	if h.hurry() {
		wait = leave
	}
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		now, running, err := Running(stateDir)
		if err != nil || !running || now.ID != "" && now.ID != h.ID {
			return h, true, err
		}
		select {
		case <-ctx.Done():
			return h, true, &fault.Error{
				Kind: fault.TimedOut, Msg: "keep was asked to end and has not: " + h.String(),
				Remedy: fault.Advice("look what it does: ps -ef | grep homing"), Err: ctx.Err(),
			}
		case <-time.After(poll):
		}
	}
}

// hurry signals the holder, if its process is here. The process is pinned before it is recognised (pidfd, on Linux),
// so its number cannot pass to another in between.
func (h Holder) hurry() bool {
	p, err := os.FindProcess(h.PID)
	if err != nil {
		return false
	}
	defer func() { _ = p.Release() }()
	return h.Start != "" && processStart(h.PID) == h.Start && p.Signal(syscall.SIGTERM) == nil
}

// write replaces a small file in one piece.
func write(path string, data []byte) error {
	if err := files.Write(path, data); err != nil {
		return cannot("write", path, err)
	}
	return nil
}

func cannot(what, path string, err error) error {
	var p *fs.PathError
	cause := err
	if errors.As(err, &p) {
		cause = p.Err
	}
	return &fault.Error{
		Kind: fault.Config, Msg: fmt.Sprintf("cannot %s %q: %s", what, path, cause),
		Remedy: fault.Preface{
			Words: "see who may use the folder:",
			Then:  fault.Run{"ls", "-ld", filepath.Dir(path)},
		}, Err: err,
	}
}

func stopPath(stateDir string) string { return filepath.Join(stateDir, "keep.stop") }
