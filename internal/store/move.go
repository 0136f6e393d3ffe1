package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/homing-cli/homing/internal/fault"
)

// MoveToken gives the token file of key from the name of key to, byte for byte and in one step: at no moment are there
// two files with one refresh token, of which the first to be used would end the other. It moves nothing, and says so,
// unless the token under from can be renewed and that under to is of no use any more (missing, unreadable, or expired and
// not to be renewed). over tells of more that is of no use, such as what the service has refused: it is called while both
// locks are held, for a token that looks good; nil = none is.
//
// Both locks are held, from's first, as long as ctx allows to wait. Errors are *fault.Error; nothing was moved then.
func (s *Store) MoveToken(ctx context.Context, from, to string, over func() bool) (moved bool, err error) {
	if from == to {
		return false, nil
	}
	if _, err := s.Token(from); errors.Is(err, fs.ErrNotExist) {
		return false, nil // and no folder or lock is made
	}
	source, err := s.LockToken(ctx, from)
	if err != nil {
		return false, err
	}
	defer source.Abort()
	target, err := s.LockToken(ctx, to)
	if err != nil {
		return false, err
	}
	defer target.Abort()
	t, err := source.Current()
	switch {
	case errors.Is(err, fs.ErrNotExist), fault.KindOf(err) == fault.SignInNeeded && err != nil:
		return false, nil
	case err != nil:
		return false, err
	case !t.Renewable(s.now()):
		return false, nil
	}
	if has, err := target.Current(); err == nil && (!has.Expired(s.now()) || has.Renewable(s.now())) {
		// What continues the session and is not in its place is newer than anything known of the file.
		if target.left.path != "" || over == nil || !over() {
			return false, nil
		}
	}
	if source.left.path != "" { // the token that continues the session is not in its place
		return false, ioFault("write", source.path, fs.ErrPermission)
	}
	old, err := follow(source.path)
	if err != nil {
		return false, err
	}
	fresh, err := follow(target.path)
	if err != nil {
		return false, err
	}
	if err := replace(old, fresh); err != nil {
		return false, ioFault("rename", old, err)
	}
	for _, path := range []string{old, fresh} {
		forgetNotes(path)
		syncDir(filepath.Dir(path))
	}
	if old != source.path {
		_ = os.Remove(source.path) // a link to nothing
	}
	return true, nil
}
