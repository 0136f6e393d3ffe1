package joint

import (
	"errors"

	"github.com/homing-cli/homing/internal/files"
)

// hold takes the lock at path, or returns errBusy.
func hold(path string) (*files.Lock, error) {
	if err := files.ForeignLock(path); err != nil {
		return nil, err
	}
	l, err := files.TryAcquire(path)
	if errors.Is(err, files.ErrHeld) {
		return nil, errBusy
	}
	return l, err
}
