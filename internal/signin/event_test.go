package signin

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// TestEventLines holds the lines of --json. A change here breaks programs: fields are added, never renamed.
func TestEventLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		event Event
		want  string
	}{
		{
			Environment{Name: "codespaces", Flow: session.Device, Channels: []session.Channel{"device"}, Reason: "why"},
			`{"event":"environment","name":"codespaces","flow":"device","channels":["device"],"reason":"why"}`,
		},
		{Environment{}, `{"event":"environment","name":"","flow":"","channels":[],"reason":""}`},
		{
			Authorize{URL: "https://x/authorize?a=1&b=<2>", RedirectURI: "http://127.0.0.1:1/oauth/callback", ExpiresIn: 10 * time.Minute},
			`{"event":"authorize","url":"https://x/authorize?a=1&b=<2>","redirect_uri":"http://127.0.0.1:1/oauth/callback","expires_in":600}`,
		},
		{
			DeviceCode{VerificationURI: "https://x/", VerificationURIComplete: "https://x/?user_code=A&b", UserCode: "A", ExpiresIn: 90 * time.Second, ClientName: "homing-dev", StartURL: "https://s", Region: "r"},
			`{"event":"device_code","verification_uri":"https://x/","verification_uri_complete":"https://x/?user_code=A&b","user_code":"A","expires_in":90,"client_name":"homing-dev","start_url":"https://s","region":"r"}`,
		},
		{
			Authorize{URL: "https://x/", Stranger: "x"},
			`{"event":"authorize","url":"https://x/","redirect_uri":"","expires_in":0,"unknown_host":"x"}`,
		},
		{
			DeviceCode{VerificationURI: "https://x/", Stranger: "x"},
			`{"event":"device_code","verification_uri":"https://x/","verification_uri_complete":"","user_code":"","expires_in":0,"client_name":"","start_url":"","region":"","unknown_host":"x"}`,
		},
		{Hint{"do this"}, `{"event":"hint","text":"do this"}`},
		{
			SignedIn{Session: "dev", ExpiresAt: time.Date(2026, 3, 2, 16, 0, 0, 999, time.FixedZone("", 3600)), Refreshable: true, Channel: session.Loopback},
			`{"event":"signed_in","session":"dev","expires_at":"2026-03-02T15:00:00Z","refreshable":true,"channel":"loopback"}`,
		},
		{
			Failed{Kind: fault.Denied, Message: `no "y"`, Hint: "run: x"},
			`{"event":"error","kind":"denied","message":"no \"y\"","hint":"run: x"}`,
		},
		{Failed{Message: "plain"}, `{"event":"error","kind":"bug","message":"plain","hint":""}`},
	} {
		var got bytes.Buffer
		enc := json.NewEncoder(&got)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(tt.event); err != nil || got.String() != tt.want+"\n" {
			t.Errorf("got %swant %s (%v)", got.String(), tt.want, err)
		}
	}
}
