package files

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	// lockPoll is how often a held lock is tried again. A context cannot end the system's own waiting.
	lockPoll = 20 * time.Millisecond
	// lockTries is how often a lock file may disappear while it is being locked. A folder that is removed faster than
	// it is made is an attack.
	lockTries = 100
	// lockText is what a lock file holds, since programs exist that parse every file in a folder of tokens.
	lockText = "{}"
)

// Lock is a lock file that this process holds. It ends with the process, however that ends.
type Lock struct {
	path string
	file lockedFile
}

// lockedFile is an open file; closing it releases its lock.
type lockedFile interface {
	Stat() (fs.FileInfo, error)
	Close() error
}

// Acquire takes the lock at path. It waits while another process holds it and ctx allows; then the error is ctx's.
// Missing folders are made with mode 0700. The lock file is never a link, holds {} from its first moment, and can be
// read while it is locked. It stays after Unlock: a lock that can disappear locks nothing.
//
// Other errors are *fs.PathError.
func Acquire(ctx context.Context, path string) (*Lock, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		l, err := TryAcquire(path)
		if !errors.Is(err, ErrHeld) {
			return l, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(lockPoll):
		}
	}
}

// TryAcquire is Acquire without waiting: ErrHeld while another process, or another Lock of this one, holds the lock.
func TryAcquire(path string) (*Lock, error) {
	for range lockTries {
		l, err := take(path, false)
		if errors.Is(err, fs.ErrNotExist) {
			if err := makeLock(path); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		// "rm -r ~/.aws/sso/cache" is common advice: a lock on a file that is no longer at its path locks nothing.
		if l.InPlace() {
			l.mend()
			return l, nil
		}
		l.Unlock()
	}
	return nil, fault("lock", path, fs.ErrNotExist)
}

// Held reports whether a process, this one included, holds the lock at path. It makes no file: fs.ErrNotExist.
func Held(path string) (bool, error) {
	l, err := take(path, true) // shared, so that those who only look do not keep each other out
	if errors.Is(err, ErrHeld) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	l.Unlock()
	return false, nil
}

// take opens and locks the file at path, which must be there.
func take(path string, shared bool) (*Lock, error) {
	if _, err := lstatRegular("lock", path); err != nil {
		return nil, err
	}
	file, ok, err := tryLock(path, shared)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault("lock", path, ErrHeld)
	}
	info, err := file.Stat()
	if err == nil {
		err = regular("lock", path, info)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return &Lock{path, file}, nil
}

// makeLock makes a lock file, unless another process is faster.
func makeLock(path string) error {
	err := Create(path, []byte(lockText))
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		err = Create(path, []byte(lockText))
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return nil // removed again at once; the caller counts how often
	}
	return err
}

// mend gives an empty lock file of an earlier version its text. Failing does no harm.
func (l *Lock) mend() {
	if info, err := l.file.Stat(); err != nil || info.Size() > 0 {
		return
	}
	if f, err := open(l.path, os.O_WRONLY|nofollow); err == nil {
		_, _ = f.WriteString(lockText)
		_ = f.Close()
	}
}

// InPlace reports whether the locked file is still the one at its path. A file system that cannot tell has lost
// nothing.
func (l *Lock) InPlace() bool {
	held, err := l.file.Stat()
	if err != nil {
		return false
	}
	now, err := os.Lstat(l.path)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	return os.SameFile(held, now)
}

// Unlock releases the lock. Calling it twice is fine.
func (l *Lock) Unlock() { _ = l.file.Close() }

// Remove removes the lock file and releases the lock. Whoever waits for it makes a new file.
func (l *Lock) Remove() {
	removed := os.Remove(l.path) == nil // while it is held, so that the file of another process stays
	l.Unlock()
	if !removed {
		_ = os.Remove(l.path) // Windows removes no open file
	}
}
