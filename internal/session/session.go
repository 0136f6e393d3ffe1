// Package session holds the plain types of a sign-in: the session a person signs in to, the tokens that come of it
// and the role credentials fetched with them. It touches neither files nor the network; internal/store and
// internal/idc do.
package session

import (
	"strconv"
	"time"
)

// DefaultScope is registered for a session that names no scopes. With it the service returns a refresh token for
// either grant, device code included; without any scope it returns an eight-hour token that cannot be renewed.
const DefaultScope = "sso:account:access"

// Session is what a person signs in to: an [sso-session] of the config file, or a legacy start URL.
type Session struct {
	Name          string   // name of the [sso-session]; empty for a legacy profile
	StartURL      string   // sso_start_url exactly as configured: the legacy cache key is computed from these bytes
	Region        string   // sso_region
	Scopes        []string // sso_registration_scopes in the order of the file; nil when the key is absent
	UseDeviceCode bool     // sso_use_device_code (aws-cli#9098)
	KeepFresh     bool     // ask for a renewable token; without effect on a session with a name, which gets one anyway
}

// Legacy reports whether the session is a bare start URL of a profile rather than an [sso-session].
func (s Session) Legacy() bool { return s.Name == "" }

// CacheKey returns the string whose SHA-1 names the token file: the session's name, or the start URL as written.
func (s Session) CacheKey() string {
	if s.Legacy() {
		return s.StartURL
	}
	return s.Name
}

// Label returns what a message calls the session: its name, or the start URL of a legacy one.
func (s Session) Label() string { return s.CacheKey() }

// InWords returns how a sentence calls the session: session "dev", or the start URL of a legacy one.
func (s Session) InWords() string {
	if s.Legacy() {
		return s.StartURL
	}
	return "session " + strconv.Quote(s.Name)
}

// RegistrationScopes returns the scopes to register a client with: the configured ones, DefaultScope for an
// [sso-session] that names none, and nil for a legacy session (as the AWS CLI does) that is not to be kept fresh.
func (s Session) RegistrationScopes() []string {
	switch {
	case s.Legacy() && !s.KeepFresh:
		return nil
	case s.Legacy() || len(s.Scopes) == 0:
		return []string{DefaultScope}
	}
	return s.Scopes
}

// Token is the access token of a session with all that is needed to renew it. The zero value is no token.
type Token struct {
	StartURL              string // as configured
	Region                string // the region the token was issued in
	AccessToken           Secret
	ExpiresAt             time.Time // of AccessToken
	RefreshToken          Secret    // zero when the token cannot be renewed
	ClientID              string    // the registration the token was issued to, needed to renew it
	ClientSecret          Secret
	RegistrationExpiresAt time.Time // zero when unknown
}

// Expired reports whether the access token can no longer be used at now.
func (t Token) Expired(now time.Time) bool { return !now.Before(t.ExpiresAt) }

// Renewable reports whether everything needed for a refresh is there and the registration is valid at now.
// The portal session may have ended all the same; only the service knows.
func (t Token) Renewable(now time.Time) bool {
	return !t.RefreshToken.IsZero() && t.ClientID != "" && !t.ClientSecret.IsZero() &&
		now.Before(t.RegistrationExpiresAt)
}

// Registration is a public client registered with the service (RegisterClient).
type Registration struct {
	ClientID     string
	ClientSecret Secret
	ExpiresAt    time.Time
	Scopes       []string
	GrantTypes   []string // nil for a device-code client, as the AWS CLI's files have it
}

// RoleCredentials are the AWS credentials of a role in an account (GetRoleCredentials).
type RoleCredentials struct {
	AccountID       string
	AccessKeyID     string
	SecretAccessKey Secret
	SessionToken    Secret
	Expiration      time.Time
}

// Account is an AWS account the signed-in person may use. Name and Email may be empty.
type Account struct{ ID, Name, Email string }

// Role is a role (permission set) the signed-in person may use in an account.
type Role struct{ AccountID, Name string }
