package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/session"
)

// The members of a token file in the order in which the AWS CLI writes them. A refreshable token needs all eight:
// registrationExpiresAt for botocore, Rust and .NET, startUrl for Java and PHP, region for C++ and the AWS CLI's
// logout.
const (
	fStartURL     = "startUrl"
	fRegion       = "region"
	fAccessToken  = "accessToken"
	fExpiresAt    = "expiresAt"
	fClientID     = "clientId"
	fClientSecret = "clientSecret"
	fRegistration = "registrationExpiresAt"
	fRefreshToken = "refreshToken"
)

// settle is how long a file that does not end is read again: another program may be writing it in place.
const settle = 200 * time.Millisecond

// Token returns the cached token for key, or fs.ErrNotExist. The token may have expired; ask Token.Expired. A file
// that holds no usable token is a *fault.Error of kind SignInNeeded, one that cannot be read one of kind Config.
//
// It is safe to call while another process writes: a half-written file is read again for up to 200 ms. A file that
// stays cut short gives the members that are whole, if they are enough.
func (s *Store) Token(key string) (session.Token, error) {
	t, _, err := readToken(s.TokenPath(key), key)
	return t, err
}

// readToken reads a token file with all its members. key is only for the hint.
func readToken(path, key string) (session.Token, object, error) {
	var o object
	for waited, step := time.Duration(0), 5*time.Millisecond; ; step *= 2 {
		data, err := readFile(path)
		if err != nil {
			return session.Token{}, nil, err
		}
		var whole bool
		o, whole = parseObject(data)
		if whole || waited >= settle {
			break
		}
		step = min(step, settle-waited)
		time.Sleep(step)
		waited += step
	}
	t := tokenOf(o)
	if !usable(t) {
		return session.Token{}, nil, &fault.Error{
			Kind: fault.SignInNeeded, Msg: "the token file " + strconv.Quote(path) + " holds no usable token",
			Remedy: loginTo(key),
		}
	}
	return t, o, nil
}

func tokenOf(o object) session.Token {
	t := session.Token{
		StartURL:              o.text(fStartURL),
		Region:                o.text(fRegion),
		AccessToken:           session.NewSecret(o.text(fAccessToken)),
		ExpiresAt:             o.when(fExpiresAt),
		RefreshToken:          session.NewSecret(o.text(fRefreshToken)),
		ClientID:              o.text(fClientID),
		ClientSecret:          session.NewSecret(o.text(fClientSecret)),
		RegistrationExpiresAt: o.when(fRegistration),
	}
	if t.AccessToken.IsZero() {
		t.ExpiresAt = time.Time{} // nothing to use until it is renewed
	}
	return t
}

// usable reports whether a token can be used now, or could be after a refresh.
func usable(t session.Token) bool {
	return !t.AccessToken.IsZero() && !t.ExpiresAt.IsZero() ||
		!t.RefreshToken.IsZero() && t.ClientID != "" && !t.ClientSecret.IsZero()
}

// loginTo returns the sign-in that replaces the token of key. The key of a legacy session is its start URL, which
// names no profile.
func loginTo(key string) fault.Login {
	if strings.Contains(key, "://") {
		return fault.Login{}
	}
	return fault.Login{Session: key}
}

// encodeToken writes a token file: the eight members as json.dumps writes them, without those that have no value (the
// Go SDK refuses null), then the members of others in keep that ours do not replace.
func encodeToken(t session.Token, keep object) []byte {
	var pairs []string
	add := func(name, value string) {
		if value != "" {
			pairs = append(pairs, name, pyString(value))
		}
	}
	add(fStartURL, t.StartURL)
	add(fRegion, t.Region)
	add(fAccessToken, t.AccessToken.Reveal())
	if !t.ExpiresAt.IsZero() {
		add(fExpiresAt, stamp(t.ExpiresAt))
	}
	add(fClientID, t.ClientID)
	add(fClientSecret, t.ClientSecret.Reveal())
	if !t.RegistrationExpiresAt.IsZero() {
		add(fRegistration, stamp(t.RegistrationExpiresAt))
	}
	add(fRefreshToken, t.RefreshToken.Reveal())
	for _, m := range keep {
		switch m.name {
		case fStartURL, fRegion, fAccessToken, fExpiresAt, fClientID, fClientSecret, fRegistration, fRefreshToken:
			continue
		}
		if raw := ascii(m.raw); raw != "null" {
			pairs = append(pairs, m.name, raw)
		}
	}
	return []byte(pyObject(", ", ": ", pairs...))
}

// TokenEntry is a token file found in the cache folder, written by whatever program.
type TokenEntry struct {
	Path  string        // compare with Store.TokenPath to know whose it is
	Token session.Token // the zero Token when Err is set
	Err   error         // why the file could not be read: a *fault.Error. It may not be a token at all
}

// Tokens returns every token file in the cache folder, ours or not, in the order of their names, and the *.json files
// that hold no JSON object as entries with Err. Registrations and other objects without a member accessToken are left
// out. A folder that is missing holds none.
func (s *Store) Tokens() ([]TokenEntry, error) {
	dir, err := os.ReadDir(s.ssoDir())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, ioFault("read the folder", s.ssoDir(), err)
	}
	var entries []TokenEntry
	for _, file := range dir {
		if !strings.HasSuffix(file.Name(), ".json") {
			continue
		}
		e := TokenEntry{Path: filepath.Join(s.ssoDir(), file.Name())}
		data, err := readFile(e.Path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone meanwhile
		}
		o, whole := parseObject(data)
		if err == nil && whole && o.get(fAccessToken) == nil {
			continue
		}
		if err == nil {
			e.Token, _, err = readToken(e.Path, "")
		}
		e.Err = err
		entries = append(entries, e)
	}
	return entries, nil
}

// RemoveToken removes the token file for key, under its lock. A missing file is fine. A symbolic link stays, its
// target is removed. The lock file stays too: a lock that can vanish locks nothing.
func (s *Store) RemoveToken(ctx context.Context, key string) error {
	return s.RemoveEntry(ctx, TokenEntry{Path: s.TokenPath(key)})
}

// RemoveEntry removes a file that Tokens returned, as RemoveToken does.
func (s *Store) RemoveEntry(ctx context.Context, e TokenEntry) error {
	if _, err := s.Take(ctx, e.Path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// Take removes the token file at path as RemoveToken does, and returns its token, for a caller that ends the session:
// no other process can renew it then. The zero Token means that the file held none. fs.ErrNotExist means that there
// was no file; after any other error, a *fault.Error, the file is still there.
func (s *Store) Take(ctx context.Context, path string) (session.Token, error) {
	target, err := follow(path)
	if err != nil {
		return session.Token{}, err
	}
	if _, err := os.Lstat(target); errors.Is(err, fs.ErrNotExist) {
		return session.Token{}, err // and no folder or lock is made on the way
	}
	unlock, err := s.lock(ctx, path)
	if err != nil {
		return session.Token{}, err
	}
	defer unlock()
	left := s.takeUp(path, target) // else it would be the spent one
	t, _, err := readToken(target, "")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return session.Token{}, err
	case left.path != "":
		t = left.token
	case err != nil:
		t = session.Token{}
	}
	if err := files.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return session.Token{}, ioFault("remove", target, err)
	}
	s.sweep(target, true, "")
	s.forgetNotes(path)
	return t, nil
}

// Snatch is Take without the lock, for a caller that has waited for it long enough. A renewal in another process may
// still store its token.
func (s *Store) Snatch(path string) (session.Token, error) {
	target, err := follow(path)
	if err != nil {
		return session.Token{}, err
	}
	t, _, err := readToken(target, "")
	if errors.Is(err, fs.ErrNotExist) {
		return session.Token{}, err
	}
	if err := files.Remove(target); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return session.Token{}, err
		}
		return session.Token{}, ioFault("remove", target, err)
	}
	s.forgetNotes(path)
	return t, nil
}
