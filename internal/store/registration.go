package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/session"
)

// registrationMargin is what a registration must have left to be used: a sign-in may take ten minutes. The AWS CLI's
// figure.
const registrationMargin = 15 * time.Minute

// fOther is the member of a registration file that holds the registration of the other kind. The AWS CLI has one file
// for both and lets each push the other out; here a person who changes the flow with a key would register, and be
// asked for consent, again and again.
const fOther = "otherKind"

// Registration returns the client registered for k, or fs.ErrNotExist when there is none that can be used: missing,
// unreadable, of the other kind, or with 15 minutes or less left. No other error is returned.
func (s *Store) Registration(k RegistrationKey) (session.Registration, error) {
	path := s.RegistrationPath(k)
	o, err := readOwn(path)
	if old := filepath.Join(s.ssoDir(), filepath.Base(path)); errors.Is(err, fs.ErrNotExist) && exists(old) {
		// An earlier version kept it there. Moving it spares the person a consent page.
		if s.makeOwn() != nil || files.Rename(old, path) != nil {
			_ = os.Remove(old)
		}
		o, err = readOwn(path)
	}
	if err != nil {
		return session.Registration{}, fs.ErrNotExist
	}
	for _, candidate := range kinds(o) {
		r := registrationOf(candidate)
		if r.ClientID != "" && !r.ClientSecret.IsZero() && isPKCE(r) == k.PKCE &&
			r.ExpiresAt.Sub(s.now()) > registrationMargin {
			return r, nil
		}
	}
	return session.Registration{}, fs.ErrNotExist
}

// SaveRegistration stores r as the registration for k, beside one of the other kind that is still good. Errors are
// *fault.Error of kind Config. Of two processes that save at once one wins; the other registers again next time.
func (s *Store) SaveRegistration(ctx context.Context, k RegistrationKey, r session.Registration) error {
	if err := ctx.Err(); err != nil {
		return &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: err}
	}
	other, err := s.Registration(RegistrationKey{k.Session, !k.PKCE})
	pairs := registrationPairs(r)
	if err == nil {
		pairs = append(pairs, fOther, pyObject(", ", ": ", registrationPairs(other)...))
	}
	return s.writeRegistration(k, pairs)
}

// DropRegistration forgets the registration for k, which the service no longer accepts. That of the other flow stays.
// A missing registration is fine.
func (s *Store) DropRegistration(ctx context.Context, k RegistrationKey) error {
	if err := ctx.Err(); err != nil {
		return &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: err}
	}
	if other, err := s.Registration(RegistrationKey{k.Session, !k.PKCE}); err == nil {
		return s.writeRegistration(k, registrationPairs(other))
	}
	return s.removeOwn(filepath.Base(s.RegistrationPath(k)))
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (s *Store) writeRegistration(k RegistrationKey, pairs []string) error {
	return s.writeOwn(filepath.Base(s.RegistrationPath(k)), pairs...)
}

// kinds returns the registrations in a file: its own members, and those of the other kind.
func kinds(o object) []object {
	list := []object{o}
	if raw := o.get(fOther); len(raw) > 0 && raw[0] == '{' {
		other, _ := parseObject(raw)
		list = append(list, other)
	}
	return list
}

// isPKCE: a client for the authorization code has its grant among its grant types; one for the device code has none.
func isPKCE(r session.Registration) bool { return slices.Contains(r.GrantTypes, "authorization_code") }

func registrationOf(o object) session.Registration {
	return session.Registration{
		ClientID:     o.text(fClientID),
		ClientSecret: session.NewSecret(o.text(fClientSecret)),
		ExpiresAt:    o.when(fExpiresAt),
		Scopes:       o.texts("scopes"),
		GrantTypes:   o.texts("grantTypes"),
	}
}

// registrationPairs are the AWS CLI's members. There is never an accessToken among them: a file with one is taken for
// a token by everybody who reads the folder.
func registrationPairs(r session.Registration) []string {
	pairs := []string{
		fClientID, pyString(r.ClientID),
		fClientSecret, pyString(r.ClientSecret.Reveal()),
		fExpiresAt, pyString(stamp(r.ExpiresAt)),
	}
	if len(r.Scopes) > 0 {
		pairs = append(pairs, "scopes", pyStrings(r.Scopes))
	}
	if len(r.GrantTypes) > 0 {
		pairs = append(pairs, "grantTypes", pyStrings(r.GrantTypes))
	}
	return pairs
}
