package emulator

import (
	"errors"
	"net/http"
	"time"
)

// settings are the fields of a Server that the control endpoint reads and changes, as JSON. What each does is said at
// the field of the same name.
type settings struct {
	Region             string           `json:"region"`
	StartURL           string           `json:"start_url"`
	BaseURL            string           `json:"base_url"`
	IDPOrigin          string           `json:"idp_origin"`
	Verification       VerificationForm `json:"verification"`
	AutoApprove        bool             `json:"auto_approve"`
	AccessTokenLife    Duration         `json:"access_token_life"`
	UnscopedTokenLife  Duration         `json:"unscoped_token_life"`
	SessionLife        Duration         `json:"session_life"`
	CodeLife           Duration         `json:"code_life"`
	RegistrationLife   Duration         `json:"registration_life"`
	Interval           Duration         `json:"interval"`
	Switches           Switches         `json:"switches"`
	SlowDowns          int              `json:"slow_downs"`
	Latency            Duration         `json:"latency"`
	PortalRate         int              `json:"portal_rate"`
	RetryAfter         Duration         `json:"retry_after"`
	ClockSkew          Duration         `json:"clock_skew"`
	DeviceGrantRefused bool             `json:"device_grant_refused"`
}

// settings returns the fields as they are, defaults filled in. s.mu is held.
func (s *Server) settings() settings {
	return settings{Region: s.region(), StartURL: s.startURL(), BaseURL: s.BaseURL, IDPOrigin: s.IDPOrigin,
		Verification: or(s.Verification, VerificationDevice), AutoApprove: s.AutoApprove,
		AccessTokenLife: Duration(s.accessTokenLife()), UnscopedTokenLife: Duration(s.unscopedTokenLife()),
		SessionLife: Duration(s.sessionLife()), CodeLife: Duration(s.codeLife()),
		RegistrationLife: Duration(s.registrationLife()), Interval: Duration(s.interval()), Switches: s.Switches,
		SlowDowns: s.SlowDowns, Latency: Duration(s.Latency), PortalRate: s.PortalRate,
		RetryAfter: Duration(s.RetryAfter), ClockSkew: Duration(s.ClockSkew), DeviceGrantRefused: s.DeviceGrantRefused}
}

func (v settings) check() error {
	switch v.Verification {
	case VerificationDevice, VerificationFragment, VerificationOpaque:
	default:
		return errors.New("verification: want device, fragment or opaque")
	}
	for name, d := range map[string]Duration{"access_token_life": v.AccessTokenLife,
		"unscoped_token_life": v.UnscopedTokenLife,
		"session_life":        v.SessionLife, "code_life": v.CodeLife, "registration_life": v.RegistrationLife,
		"interval": v.Interval, "latency": v.Latency, "retry_after": v.RetryAfter} {
		if d < 0 {
			return errors.New(name + ": negative")
		}
	}
	return nil
}

// apply sets the fields. s.mu is held.
func (s *Server) apply(v settings) {
	s.Region, s.StartURL, s.BaseURL, s.IDPOrigin = v.Region, v.StartURL, v.BaseURL, v.IDPOrigin
	s.Verification, s.AutoApprove = v.Verification, v.AutoApprove
	s.AccessTokenLife, s.UnscopedTokenLife = time.Duration(v.AccessTokenLife), time.Duration(v.UnscopedTokenLife)
	s.SessionLife, s.CodeLife = time.Duration(v.SessionLife), time.Duration(v.CodeLife)
	s.RegistrationLife, s.Interval = time.Duration(v.RegistrationLife), time.Duration(v.Interval)
	s.Switches, s.SlowDowns, s.PortalRate = v.Switches, v.SlowDowns, v.PortalRate
	s.Latency, s.RetryAfter = time.Duration(v.Latency), time.Duration(v.RetryAfter)
	s.ClockSkew, s.DeviceGrantRefused = time.Duration(v.ClockSkew), v.DeviceGrantRefused
}

func (s *Server) controlSettings(*http.Request, []byte) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.settings(), nil
}

// controlChange sets the members that are there and leaves the others.
func (s *Server) controlChange(_ *http.Request, body []byte) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := s.settings()
	if err := read(body, &v); err != nil {
		return nil, err
	}
	if err := v.check(); err != nil {
		return nil, err
	}
	s.apply(v)
	return v, nil
}
