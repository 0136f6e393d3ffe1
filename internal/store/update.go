package store

import (
	"context"
	"errors"
	"io/fs"

	"github.com/homing-cli/homing/internal/session"
)

// reserve is the room made for a token before it is spent for a new one. Real ones take four to eight kilobytes, most
// of it the client's secret.
const reserve = 16 << 10

// TokenUpdate is the right to replace one token file: its lock, and the temporary file for what comes. It belongs to
// one goroutine and must end with Commit, Renewed or Abort; `defer u.Abort()` is right after all three.
type TokenUpdate struct {
	store  *Store
	key    string
	path   string
	unlock func()
	draft  *draft
}

// BeginToken takes the lock of key's token file and makes room for a new token. Call it before a device code, an
// authorization code or a refresh token is spent: where it succeeds, the answer can be kept. It waits for the lock as
// long as ctx allows. Do not hold it while a person acts: it keeps every renewal of the session waiting.
//
// Errors are *fault.Error: Config for a folder that cannot be written (naming it), Unavailable when the lock was held
// beyond ctx's deadline, Interrupted when ctx was cancelled.
func (s *Store) BeginToken(ctx context.Context, key string) (*TokenUpdate, error) {
	u, err := s.LockToken(ctx, key)
	if err != nil {
		return nil, err
	}
	if err := u.Prepare(); err != nil {
		u.Abort()
		return nil, err
	}
	return u, nil
}

// LockToken is the first half of BeginToken: the lock alone, for who wants to read again before anything is written.
func (s *Store) LockToken(ctx context.Context, key string) (*TokenUpdate, error) {
	path := s.TokenPath(key)
	unlock, err := s.lock(ctx, path)
	if err != nil {
		return nil, ended(ctx, err, quote(path))
	}
	return &TokenUpdate{store: s, key: key, path: path, unlock: unlock}, nil
}

// Prepare is the second half of BeginToken: it makes the temporary file, with room for a token, beside the one to
// replace. Again is no error. Errors are *fault.Error of kind Config.
func (u *TokenUpdate) Prepare() error {
	if u.draft != nil {
		return nil
	}
	target, err := follow(u.path)
	if err != nil {
		return err
	}
	u.store.sweep(target, true)
	u.draft, err = newDraft(target, reserve)
	return err
}

// Current reads the token again, under the lock: another process may have replaced it while this one waited. The errors
// are those of Store.Token.
func (u *TokenUpdate) Current() (session.Token, error) { return u.store.Token(u.key) }

// Commit stores the token of a new sign-in and releases the lock. Members of the old file that are not the token's own
// are dropped: they may be about another person.
func (u *TokenUpdate) Commit(t session.Token) error { return u.write(t, nil) }

// Renewed stores a token that a refresh of the current one gave and releases the lock. Members of the file that are not
// the token's own, which other programs put there, are kept.
func (u *TokenUpdate) Renewed(t session.Token) error {
	_, o, err := readToken(u.path, u.key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		o = nil // what cannot be read holds nothing to keep
	}
	return u.write(t, o)
}

func (u *TokenUpdate) write(t session.Token, keep object) error {
	defer u.Abort()
	if err := u.Prepare(); err != nil {
		return err
	}
	d := u.draft
	u.draft = nil
	return d.commit(encodeToken(t, keep))
}

// Abort gives the update up: the temporary file goes, the lock is released, the token stays as it was. After Commit,
// Renewed or another Abort it does nothing.
func (u *TokenUpdate) Abort() {
	u.draft.discard()
	u.draft = nil
	if u.unlock != nil {
		u.unlock()
		u.unlock = nil
	}
}
