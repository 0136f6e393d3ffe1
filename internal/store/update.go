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
	store   *Store
	key     string
	path    string
	unlock  func()
	release func() // of Hold; nil when nothing is held
	draft   *draft
	left    leftover // a token that could not be put in its place
	follows string   // the generation of the token that Prepare was called for
	seized  bool     // without the lock
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
	if err := u.prepare(""); err != nil {
		u.Abort()
		return nil, err
	}
	return u, nil
}

// SeizeToken is BeginToken without the lock, for a person who signs in while another process holds it for too long:
// that one may be stopped, or wait for a network that is mute. Should it go on after all, it finds another token in
// the file than it has renewed, and leaves that alone.
func (s *Store) SeizeToken(key string) (*TokenUpdate, error) {
	u := &TokenUpdate{store: s, key: key, path: s.TokenPath(key), seized: true}
	if err := u.prepare(""); err != nil {
		return nil, err
	}
	return u, nil
}

// LockToken is the first half of BeginToken: the lock alone, to read the token again before anything is written.
// A renewal that got its token and could not put it in its place, because its process was killed at that moment or
// the rename failed, is brought to its end first.
func (s *Store) LockToken(ctx context.Context, key string) (*TokenUpdate, error) {
	path := s.TokenPath(key)
	unlock, err := s.lock(ctx, path)
	if err != nil {
		return nil, err
	}
	u := &TokenUpdate{store: s, key: key, path: path, unlock: unlock}
	if target, err := follow(path); err == nil {
		u.left = s.takeUp(path, target)
	}
	return u, nil
}

// Prepare is the second half of BeginToken, to renew the token in the file: it makes the draft, with room for a
// token, beside the file to replace. Calling it twice is fine. Errors are *fault.Error of kind Config.
func (u *TokenUpdate) Prepare() error {
	target, err := follow(u.path)
	if err != nil {
		return err
	}
	u.follows = generation(target)
	return u.prepare(u.follows)
}

// prepare makes the temporary file, marked with the generation of the token that it is to follow, "" for none.
func (u *TokenUpdate) prepare(generation string) error {
	if u.draft != nil {
		return nil
	}
	target, err := follow(u.path)
	if err != nil {
		return err
	}
	u.store.sweep(target, !u.seized, u.left.path)
	u.draft, err = newDraft(target, generation, reserve)
	return err
}

// Hold keeps SIGINT, SIGTERM and SIGHUP from ending the process until the update ends: call it right before something
// that works once is spent, since from the answer to the rename the only copy of the token is in memory. A program
// that handles signals hears of them as ever and cancels ctx; that ctx shows that the signal needs no repeating when
// the update ends. It must be the program's own, or derived of it, without a deadline that is nearer than the call's.
//
// What is held back must be short: the caller sees to it that a cancelled ctx ends the call soon.
func (u *TokenUpdate) Hold(ctx context.Context) {
	if u.release == nil {
		u.release = hold(ctx)
	}
}

// Current reads the token again, under the lock: another process may have replaced it while this one waited. The
// errors are those of Store.Token.
func (u *TokenUpdate) Current() (session.Token, error) {
	if u.left.path != "" {
		return u.left.token, nil
	}
	return u.store.Token(u.key)
}

// Commit stores the token of a new sign-in and releases the lock. Members of the old file that are not the token's
// own are dropped: they may be about another person.
//
// Where the file cannot be put in its place, that is tried for a second, and then in a folder made anew.
func (u *TokenUpdate) Commit(t session.Token) error { return u.write(t, nil) }

// Renewed stores a token that a refresh of the current one gave and releases the lock. Members of the file that are
// not the token's own, which other programs put there, are kept. It tries as Commit does. After an error t, whose
// predecessor is spent, stays in the temporary file where possible: the next LockToken takes it up.
//
// Where the file holds another token than at Prepare, of a program that does not lock or of SeizeToken, that one
// stays.
func (u *TokenUpdate) Renewed(t session.Token) error {
	if target, err := follow(u.path); err == nil && u.follows != "" {
		if now := generation(target); now != "" && now != u.follows {
			u.Abort()
			return nil
		}
	}
	_, o, err := readToken(u.path, u.key)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		o = nil // what cannot be read holds nothing to keep
	}
	return u.write(t, o)
}

func (u *TokenUpdate) write(t session.Token, keep object) error {
	defer u.Abort()
	if u.draft == nil {
		if err := u.prepare(""); err != nil {
			return err
		}
	}
	target, data := u.draft.target, encodeToken(t, keep)
	err := u.draft.commit(data)
	if err != nil {
		// Perhaps the folder is another by now: "rm -r ~/.aws/sso/cache" is common advice.
		if d, again := newDraft(u.path, "", 0); again == nil && d.commit(data) == nil {
			err = nil
		}
	}
	u.draft = nil
	if err == nil {
		u.store.sweep(target, !u.seized, "")
		u.store.forgetNotes(u.path)
	}
	return err
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
	if release := u.release; release != nil {
		u.release = nil
		release() // may end the process
	}
}
