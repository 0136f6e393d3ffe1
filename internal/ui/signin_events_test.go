package ui

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
)

// TestEventLines holds the lines of --json. A change here breaks programs: fields are added, never renamed.
func TestEventLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		event any
		want  string
	}{
		{
			signin.Environment{Name: "codespaces", Flow: session.Device, Channels: []session.Channel{"device"}, Reason: "why"},
			`{"event":"environment","name":"codespaces","flow":"device","channels":["device"],"reason":"why"}`,
		},
		{signin.Environment{}, `{"event":"environment","name":"","flow":"","channels":[],"reason":""}`},
		{
			signin.Authorize{URL: "https://x/authorize?a=1&b=<2>", RedirectURI: "http://127.0.0.1:1/oauth/callback", ExpiresIn: 10 * time.Minute},
			`{"event":"authorize","url":"https://x/authorize?a=1&b=<2>","redirect_uri":"http://127.0.0.1:1/oauth/callback","expires_in":600}`,
		},
		{
			signin.DeviceCode{VerificationURI: "https://x/", VerificationURIComplete: "https://x/?user_code=A&b", UserCode: "A", ExpiresIn: 90 * time.Second, ClientName: "homing-dev", StartURL: "https://s", Region: "r"},
			`{"event":"device_code","verification_uri":"https://x/","verification_uri_complete":"https://x/?user_code=A&b","user_code":"A","expires_in":90,"client_name":"homing-dev","start_url":"https://s","region":"r"}`,
		},
		{
			signin.Authorize{URL: "https://x/", Stranger: "x"},
			`{"event":"authorize","url":"https://x/","redirect_uri":"","expires_in":0,"unknown_host":"x"}`,
		},
		{
			signin.DeviceCode{VerificationURI: "https://x/", Stranger: "x"},
			`{"event":"device_code","verification_uri":"https://x/","verification_uri_complete":"","user_code":"","expires_in":0,"client_name":"","start_url":"","region":"","unknown_host":"x"}`,
		},
		{signin.StillTrying{Err: errors.New("busy")}, `{"event":"hint","text":"Still trying: busy"}`},
		{"do this", `{"event":"hint","text":"do this"}`},
		{
			signin.SignedIn{Session: "dev", ExpiresAt: time.Date(2026, 3, 2, 16, 0, 0, 999, time.FixedZone("", 3600)),
				Refreshable: true, Channel: session.Loopback},
			`{"event":"signed_in","session":"dev","expires_at":"2026-03-02T15:00:00Z","refreshable":true,"channel":"loopback"}`,
		},
		{
			Failure{Kind: fault.Denied, Msg: `no "y"`, Hint: "run: x"},
			`{"event":"error","kind":"denied","message":"no \"y\"","hint":"run: x"}`,
		},
		{Failure{Msg: "plain"}, `{"event":"error","kind":"bug","message":"plain","hint":""}`},
	} {
		var got bytes.Buffer
		u := &UI{Out: &got}
		var err error
		switch e := tt.event.(type) {
		case signin.Event:
			(&SignIn{UI: &UI{Out: &got, JSON: true}, Now: time.Now}).Notify(e)
		case string:
			err = u.HintEvent(e)
		case Failure:
			err = u.ErrorEvent(e)
		}
		if err != nil || got.String() != tt.want+"\n" {
			t.Errorf("got %swant %s (%v)", got.String(), tt.want, err)
		}
	}
}
