// Package store keeps the cache files that homing shares with the AWS CLI and the SDKs: tokens, client registrations
// and role credentials. It knows their names, their shapes, how to lock and how to replace them; when a token is to
// be renewed and what a refusal means is left to internal/refresh, internal/rolecreds and internal/signin.
//
// The one rule: a token that works once is spent only after BeginToken (or LockToken and Prepare) has succeeded,
// because by then the place to keep what comes back exists.
package store

import (
	"path/filepath"
	"time"

	"github.com/homing-cli/homing/internal/session"
)

// Store is the cache folders below one ~/.aws. It holds no state: any number of them, in any number of processes, may
// work on the same folder at once.
type Store struct {
	AWSDir string           // ~/.aws; sso/cache and cli/cache stand below it
	Now    func() time.Time // nil = time.Now
	// StateDir is the user's state folder. What cannot be written below AWSDir goes there; "" = then it is an error.
	StateDir string
}

func (s *Store) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

// ssoDir is the folder of tokens and registrations, cliDir the folder of role credentials.
func (s *Store) ssoDir() string { return filepath.Join(s.AWSDir, "sso", "cache") }
func (s *Store) cliDir() string { return filepath.Join(s.AWSDir, "cli", "cache") }

// TokenPath returns the path of the token file for a cache key (session.Session.CacheKey), whether it exists or not:
// SHA-1 of the session's name, or of the start URL exactly as configured, as the AWS CLI and every SDK compute it.
func (s *Store) TokenPath(key string) string {
	return filepath.Join(s.ssoDir(), sha1Hex(key)+".json")
}

// RegistrationPath returns the path of the registration file for k. Both kinds of registration share it.
func (s *Store) RegistrationPath(k RegistrationKey) string {
	return s.ownPath(registrationName(k.Session, tool) + ".json")
}

// RolePath returns the path of the AWS CLI's cache file for the credentials of a role.
func (s *Store) RolePath(k RoleKey) string {
	return filepath.Join(s.cliDir(), roleName(k)+".json")
}

// RegistrationKey says which registration: for which session, and for which of the two flows.
type RegistrationKey struct {
	Session session.Session
	PKCE    bool // for the authorization code; false is for the device code
}

// RoleKey says which role credentials.
type RoleKey struct {
	Session             session.Session
	AccountID, RoleName string
}
