package signin

import (
	"time"

	"github.com/homing-cli/homing/internal/session"
)

// Event is something a person, or the program that called us, learns while a sign-in goes on: Environment, Authorize,
// DeviceCode, SignedIn, or one of the notices. It is data; internal/ui has the words, and the lines of --json.
type Event interface{ event() }

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
	VerificationURIComplete string // "" if the service sent none
	UserCode                string
	ExpiresIn               time.Duration
	ClientName              string // what the page calls us
	StartURL, Region        string // what the person signs in to
	Opening                 bool   // we are opening VerificationURIComplete ourselves
	Keys                    bool   // as in Authorize
	Stranger                string // as in Authorize, of either address
}

// SignedIn ends a sign-in that succeeded. The token is stored.
type SignedIn struct {
	Session     string // the session's label
	ExpiresAt   time.Time
	Refreshable bool
	Channel     session.Channel
	// Short is the life of a token that the end of its portal session seems to cut short; else 0. Run leaves it 0.
	Short time.Duration
}

func (Environment) event() {}
func (Authorize) event()   {}
func (DeviceCode) event()  {}
func (SignedIn) event()    {}
