package ui

import (
	"time"

	"github.com/homing-cli/homing/internal/quote"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
)

// The lines of a sign-in under --json. Fields are added, never renamed; seconds are whole numbers.
type (
	environmentLine struct {
		Event    string            `json:"event"`
		Name     string            `json:"name"`
		Flow     session.Flow      `json:"flow"`
		Channels []session.Channel `json:"channels"`
		Reason   string            `json:"reason"`
	}
	authorizeLine struct {
		Event       string `json:"event"`
		URL         string `json:"url"`
		RedirectURI string `json:"redirect_uri"`
		ExpiresIn   int64  `json:"expires_in"`
		Stranger    string `json:"unknown_host,omitempty"`
	}
	deviceCodeLine struct {
		Event                   string `json:"event"`
		VerificationURI         string `json:"verification_uri"`
		VerificationURIComplete string `json:"verification_uri_complete"`
		UserCode                string `json:"user_code"`
		ExpiresIn               int64  `json:"expires_in"`
		ClientName              string `json:"client_name"`
		StartURL                string `json:"start_url"`
		Region                  string `json:"region"`
		Stranger                string `json:"unknown_host,omitempty"`
	}
	hintLine struct {
		Event string `json:"event"`
		Text  string `json:"text"`
	}
	signedInLine struct {
		Event       string          `json:"event"`
		Session     string          `json:"session"`
		ExpiresAt   string          `json:"expires_at"`
		Refreshable bool            `json:"refreshable"`
		Channel     session.Channel `json:"channel"`
		Short       int64           `json:"short_seconds,omitempty"`
	}
	errorLine struct {
		Event   string `json:"event"`
		Kind    string `json:"kind"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	}
)

// HintEvent writes advice as an event.
func (u *UI) HintEvent(text string) error { return u.Event(hintLine{"hint", text}) }

// ErrorEvent writes what ended a command as an event.
func (u *UI) ErrorEvent(f Failure) error {
	return u.Event(errorLine{"error", f.Kind.String(), Clean(f.Msg), Clean(f.Hint)})
}

// line returns the JSON form of e.
func line(e signin.Event, sh quote.Shell) any {
	switch e := e.(type) {
	case signin.Environment:
		channels := e.Channels
		if channels == nil {
			channels = []session.Channel{} // not null
		}
		return environmentLine{"environment", e.Name, e.Flow, channels, e.Reason}
	case signin.Authorize:
		return authorizeLine{"authorize", e.URL, e.RedirectURI, seconds(e.ExpiresIn), e.Stranger}
	case signin.DeviceCode:
		return deviceCodeLine{
			"device_code", e.VerificationURI, e.VerificationURIComplete, e.UserCode, seconds(e.ExpiresIn),
			e.ClientName, e.StartURL, e.Region, e.Stranger,
		}
	case signin.SignedIn:
		until := e.ExpiresAt.UTC().Format(time.RFC3339)
		return signedInLine{"signed_in", e.Session, until, e.Refreshable, e.Channel, seconds(e.Short)}
	}
	return hintLine{"hint", Notice(e, sh)}
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
