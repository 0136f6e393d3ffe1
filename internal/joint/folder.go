package joint

import (
	"errors"
	"io/fs"
	"os"

	"github.com/gofrs/flock"

	"github.com/homing-cli/homing/internal/private"
)

// hold takes the lock at path, or returns errBusy.
func hold(path string) (*flock.Flock, error) {
	for range 100 {
		if info, err := os.Lstat(path); err == nil && (!info.Mode().IsRegular() || !private.Ours(info)) {
			return nil, &fs.PathError{Op: "lock", Path: path, Err: errors.New("not a file of ours")}
		}
		l := flock.New(path, flock.SetPermissions(0o600))
		ok, err := l.TryLock()
		switch {
		case err != nil:
			return nil, err
		case !ok:
			return nil, errBusy
		}
		// Who led before may have removed the file between our opening it and our lock.
		held, err := l.Stat()
		if now, gone := os.Lstat(path); err == nil && gone == nil && os.SameFile(held, now) {
			return l, nil
		}
		_ = l.Unlock()
	}
	return nil, errBusy
}

// release gives the lock back. Its file goes before, so that whoever takes it next makes its own; Windows removes no
// open file, and there it stays.
func release(l *flock.Flock) {
	_ = os.Remove(l.Path())
	_ = l.Unlock()
}
