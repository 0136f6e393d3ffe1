package signin

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// Event is something a person, or the program that called us, is told while a sign-in goes on. It is one of
// Environment, Authorize, DeviceCode, Hint, SignedIn and Failed; encoding/json writes the line of --json for it.
//
// MarshalJSON leaves "&" in addresses as it is; an encoder with SetEscapeHTML(false) keeps it so.
type Event interface {
	json.Marshaler
	event() string
}

// Environment comes first, also when the flow was forced. Run reads MayPKCE, MayDevice and Manual from it; the rest
// is for whoever tells the person.
type Environment struct {
	Name     string            // the place
	Flow     session.Flow      // what will be used if a person is needed
	Channels []session.Channel // the return channels that exist here, best first
	Reason   string            // why this flow, in one sentence

	// MayPKCE and MayDevice say what policy allows. A person may switch to an allowed flow, and a flow that fails may
	// be followed by the other.
	MayPKCE, MayDevice bool
	Manual             bool   // the redirect needs a person's help to come back: tell how at once
	Title              string // what a person calls the place; "" if that goes without saying
	Asked              string // who asked for the flow: a flag, a variable, a file; "" if the place decided
	FixedPort          int    // the port somebody fixed on a remote machine; 0 is none
	LastPort           int    // the port at which the redirect came back last time; 0 is none
}

// Authorize says which address a person opens. The listener is bound already.
type Authorize struct {
	URL         string
	RedirectURI string
	ExpiresIn   time.Duration // how long we wait
	Opening     bool          // we are opening it ourselves; no proof that a page opened
	Keys        bool          // keys and pastes are read while we wait
	Stranger    string        // the address's host, when it is neither AWS's nor a configured one; else ""
}

// DeviceCode says where to type which code. All texts are as received, visible text on one line each; do not parse
// them.
type DeviceCode struct {
	VerificationURI         string
	VerificationURIComplete string // "" when the service sent none
	UserCode                string
	ExpiresIn               time.Duration
	ClientName              string // what the page will name
	StartURL, Region        string // whom the person signs in to
	Opening                 bool   // we are opening VerificationURIComplete ourselves
	Keys                    bool   // as in Authorize
	Stranger                string // as in Authorize, of either address
}

// Hint is advice or a circumstance, mostly one sentence; the sign-in goes on. A line of Text that begins with blanks
// is a command to type, to be shown as it is.
type Hint struct{ Text string }

// SignedIn ends a sign-in that succeeded. The token is stored.
type SignedIn struct {
	Session     string // the session's label
	ExpiresAt   time.Time
	Refreshable bool
	Channel     session.Channel
	Short       time.Duration // what the token was issued for, where the end of the portal session seems to cut it short; 0 else. Run leaves it 0
}

// Failed ends a sign-in that did not succeed. Run does not send it: its caller makes it from whatever error ends the
// command.
type Failed struct {
	Kind    fault.Kind
	Message string
	Hint    string
}

func (Environment) event() string { return "environment" }
func (Authorize) event() string   { return "authorize" }
func (DeviceCode) event() string  { return "device_code" }
func (Hint) event() string        { return "hint" }
func (SignedIn) event() string    { return "signed_in" }
func (Failed) event() string      { return "error" }

// The JSON forms. Fields are added, never renamed; seconds are whole numbers.

func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// MarshalJSON implements json.Marshaler.
func (e Environment) MarshalJSON() ([]byte, error) {
	channels := e.Channels
	if channels == nil {
		channels = []session.Channel{}
	}
	return encode(struct {
		Event    string            `json:"event"`
		Name     string            `json:"name"`
		Flow     session.Flow      `json:"flow"`
		Channels []session.Channel `json:"channels"`
		Reason   string            `json:"reason"`
	}{e.event(), e.Name, e.Flow, channels, e.Reason})
}

// MarshalJSON implements json.Marshaler.
func (e Authorize) MarshalJSON() ([]byte, error) {
	return encode(struct {
		Event       string `json:"event"`
		URL         string `json:"url"`
		RedirectURI string `json:"redirect_uri"`
		ExpiresIn   int64  `json:"expires_in"`
		Stranger    string `json:"unknown_host,omitempty"`
	}{e.event(), e.URL, e.RedirectURI, int64(e.ExpiresIn / time.Second), e.Stranger})
}

// MarshalJSON implements json.Marshaler.
func (e DeviceCode) MarshalJSON() ([]byte, error) {
	return encode(struct {
		Event                   string `json:"event"`
		VerificationURI         string `json:"verification_uri"`
		VerificationURIComplete string `json:"verification_uri_complete"`
		UserCode                string `json:"user_code"`
		ExpiresIn               int64  `json:"expires_in"`
		ClientName              string `json:"client_name"`
		StartURL                string `json:"start_url"`
		Region                  string `json:"region"`
		Stranger                string `json:"unknown_host,omitempty"`
	}{
		e.event(), e.VerificationURI, e.VerificationURIComplete, e.UserCode, int64(e.ExpiresIn / time.Second),
		e.ClientName, e.StartURL, e.Region, e.Stranger,
	})
}

// MarshalJSON implements json.Marshaler.
func (e Hint) MarshalJSON() ([]byte, error) {
	return encode(struct {
		Event string `json:"event"`
		Text  string `json:"text"`
	}{e.event(), e.Text})
}

// MarshalJSON implements json.Marshaler.
func (e SignedIn) MarshalJSON() ([]byte, error) {
	return encode(struct {
		Event       string          `json:"event"`
		Session     string          `json:"session"`
		ExpiresAt   string          `json:"expires_at"`
		Refreshable bool            `json:"refreshable"`
		Channel     session.Channel `json:"channel"`
		Short       int64           `json:"short_seconds,omitempty"`
	}{e.event(), e.Session, e.ExpiresAt.UTC().Format(time.RFC3339), e.Refreshable, e.Channel, int64(e.Short / time.Second)})
}

// MarshalJSON implements json.Marshaler.
func (e Failed) MarshalJSON() ([]byte, error) {
	return encode(struct {
		Event   string `json:"event"`
		Kind    string `json:"kind"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	}{e.event(), e.Kind.String(), e.Message, e.Hint})
}
