//go:build !windows

package files

import (
	"os"

	"github.com/gofrs/flock"
)

// tryLock locks the whole file, whatever it holds.
func tryLock(path string, shared bool) (file lockedFile, ok bool, err error) {
	l := flock.New(path, flock.SetFlag(os.O_RDONLY|nonblock|nofollow))
	if shared {
		ok, err = l.TryRLock()
	} else {
		ok, err = l.TryLock()
	}
	if err != nil || !ok {
		_ = l.Close()
		return nil, false, err
	}
	return l, true, nil
}
