package store

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
)

// Moving is the right to move tokens between the files whose locks it holds. It belongs to one goroutine and must end
// with Release.
type Moving map[string]*TokenUpdate

// LockTokens takes the locks of all keys, in the order of their names whoever asks, as long as ctx allows to wait.
// Errors are those of LockToken; no lock is held then.
func (s *Store) LockTokens(ctx context.Context, keys ...string) (Moving, error) {
	m := Moving{}
	for _, key := range slices.Sorted(maps.Keys(set(keys))) {
		u, err := s.LockToken(ctx, key)
		if err != nil {
			m.Release()
			return nil, err
		}
		m[key] = u
	}
	return m, nil
}

func set(keys []string) map[string]bool {
	m := map[string]bool{}
	for _, key := range keys {
		m[key] = true
	}
	return m
}

// Release gives up the locks. Again does nothing.
func (m Moving) Release() {
	for _, u := range m {
		u.Abort()
	}
}

// MoveToken is Move for a caller that holds neither lock. It waits for both as long as ctx allows.
func (s *Store) MoveToken(ctx context.Context, from, to string, over func() bool) (moved bool, err error) {
	if _, err := s.Token(from); from == to || errors.Is(err, fs.ErrNotExist) {
		return false, nil // and no folder or lock is made
	}
	m, err := s.LockTokens(ctx, from, to)
	if err != nil {
		return false, err
	}
	defer m.Release()
	return m.Move(from, to, over)
}

// Move gives the token file of key from the name of key to, byte for byte and in one step: at no moment are there two
// files with one refresh token, of which the first to be used would end the other. It moves nothing, and says so,
// unless the token under from can be renewed and that under to cannot be used (missing, unreadable, or expired and
// not renewable). over reports further tokens that cannot be used, such as those the service has refused; it is
// called for a token that looks good, and may be nil.
//
// m must hold both keys. Errors are *fault.Error; nothing was moved then.
func (m Moving) Move(from, to string, over func() bool) (moved bool, err error) {
	source, target := m[from], m[to]
	if from == to || source == nil || target == nil {
		return false, nil
	}
	now := source.store.now()
	t, err := source.Current()
	switch {
	case errors.Is(err, fs.ErrNotExist), fault.KindOf(err) == fault.SignInNeeded && err != nil:
		return false, nil //nolint:nilerr // nothing to move
	case err != nil:
		return false, err
	case !t.Renewable(now):
		return false, nil
	}
	if has, err := target.Current(); err == nil && (!has.Expired(now) || has.Renewable(now)) {
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
	if err := files.Rename(old, fresh); err != nil {
		return false, ioFault("rename", old, err)
	}
	for _, u := range []*TokenUpdate{source, target} {
		u.store.forgetNotes(u.path)
	}
	for _, path := range []string{old, fresh} {
		files.SyncDir(filepath.Dir(path))
	}
	if old != source.path {
		_ = os.Remove(source.path) // a link to nothing
	}
	return true, nil
}
