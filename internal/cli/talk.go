package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/term"
)

// loginTalk tells a person what a sign-in is doing. The sentences around an address and a code are the AWS CLI's, so
// that what people know and what runbooks quote stays true.
type loginTalk struct {
	ui        *ui
	session   session.Session
	asked     string // what asked for the flow, "" when the place decided
	noBrowser bool
	width     int // columns of the terminal; 0 where there is none, and then no QR code
	now       func() time.Time
	place     signin.Environment
}

func (t *loginTalk) notify(e signin.Event) {
	if t.ui.json {
		if err := t.ui.event(e); err != nil {
			t.ui.debug("event: %v", err)
		}
		return
	}
	switch e := e.(type) {
	case signin.Environment:
		t.place = e // said when a person is really needed
	case signin.Authorize:
		t.authorize(e)
	case signin.DeviceCode:
		t.deviceCode(e)
	case signin.Hint:
		t.ui.say("%s\n", e.Text)
	case signin.SignedIn:
		t.signedIn(e)
	}
}

// sayPlace is the line that says where we are, which flow is used, and why.
func (t *loginTalk) sayPlace(flow string) {
	switch {
	case t.asked == "":
		t.ui.say("Signing in to %s with %s. %s.\n", named(t.session), flow, upperFirst(t.place.Reason))
	case t.place.Name == "" || t.place.Name == "unknown":
		t.ui.say("Signing in to %s with %s, as %s asks.\n", named(t.session), flow, t.asked)
	default:
		t.ui.say("Signing in to %s with %s, as %s asks (place: %s).\n", named(t.session), flow, t.asked, t.place.Name)
	}
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func (t *loginTalk) authorize(e signin.Authorize) {
	t.sayPlace("a browser redirect (PKCE)")
	if t.noBrowser {
		t.address(e.URL)
	} else {
		t.ui.say("Attempting to open your default browser. If the browser does not open, open the following URL.\n"+
			"If you are unable to open the URL on this device, run this command again with the '--use-device-code' option.\n\n%s\n", e.URL)
	}
	t.ui.say("\nThe browser comes back to %s by itself. Waiting up to %s; Ctrl-C gives up.\n", e.RedirectURI, span(e.ExpiresIn))
}

func (t *loginTalk) deviceCode(e signin.DeviceCode) {
	t.sayPlace("a device code")
	t.ui.say("The page asks you to let %q use %s in %s.\n"+
		"Allow it only if you started this yourself, and only if the page shows the code below.\n", e.ClientName, e.StartURL, e.Region)
	t.address(e.VerificationURI)
	t.ui.say("\nThen enter the code:\n\n%s\n", e.UserCode)
	if t.noBrowser && e.VerificationURIComplete != "" {
		t.ui.say("\nAlternatively, you may visit the following URL which will autofill the code upon loading:\n%s\n", e.VerificationURIComplete)
	}
	if t.width > 0 {
		if qr := term.QR(e.VerificationURIComplete, t.width); qr != "" {
			_, _ = fmt.Fprintf(t.ui.err, "\nOr scan this with a phone:\n\n%s\n", strings.TrimRight(qr, "\n"))
		}
	}
	t.ui.say("\nThe code is valid for %s. Waiting for you to allow the request; Ctrl-C gives up.\n", span(e.ExpiresIn))
}

// address prints the URL to visit on a line of its own.
func (t *loginTalk) address(url string) {
	if t.noBrowser {
		t.ui.say("Browser will not be automatically opened.\nPlease visit the following URL:\n\n%s\n", url)
		return
	}
	t.ui.say("Attempting to open your default browser.\n"+
		"If the browser does not open or you wish to use a different device to authorize this request, open the following URL:\n\n%s\n", url)
}

// signedIn is the answer of login: one sentence on stdout.
func (t *loginTalk) signedIn(e signin.SignedIn) {
	who := named(t.session)
	until := moment(e.ExpiresAt, t.now())
	switch e.Channel {
	case signin.Cached:
		t.ui.answer("Already signed in to %s until %s. To sign in again, add --force.\n", who, until)
		return
	case signin.Refresh:
		t.ui.answer("Renewed the sign-in to %s without a browser, until %s.\n", who, until)
		return
	}
	renewal := "It cannot be renewed: a legacy profile has no refresh token"
	if e.Refreshable {
		renewal = "The AWS CLI, the SDKs and homing renew it by themselves while your portal session lasts"
	} else if !t.session.Legacy() {
		renewal = "It cannot be renewed: the service gave no refresh token"
	}
	t.ui.answer("Successfully signed in to %s until %s.\n", who, until)
	t.ui.say("%s.\n", renewal)
}
