package joint

import (
	"errors"
	"io/fs"
	"os"

	"github.com/homing-cli/homing/internal/files"
)

// hold takes the lock at path, or returns errBusy.
func hold(path string) (*files.Lock, error) {
	if info, err := os.Lstat(path); err == nil && !files.Ours(info) {
		return nil, &fs.PathError{Op: "lock", Path: path, Err: errors.New("owned by another user")}
	}
	l, err := files.TryAcquire(path)
	if errors.Is(err, files.ErrHeld) {
		return nil, errBusy
	}
	return l, err
}
