package cli

import (
	"fmt"
	"net/url"
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
	height    int // rows
	now       func() time.Time
	place     signin.Environment
	remote    bool // the browser is known to run on another machine
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

// sayPlace is the line that says which flow is used, and why.
func (t *loginTalk) sayPlace(flow string) {
	if t.asked == "" {
		t.ui.say("Signing in to %s with %s. %s.\n", named(t.session), flow, upperFirst(t.place.Reason))
		return
	}
	t.ui.say("Signing in to %s with %s, as %s asks.\n", named(t.session), flow, t.asked)
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
	t.wayBack(e.RedirectURI)
	t.ui.say("Waiting up to %s; Ctrl-C gives up.\n", span(e.ExpiresIn))
}

// wayBack says how the browser gets back to us, or what that takes where it runs on another machine.
func (t *loginTalk) wayBack(redirectURI string) {
	u, err := url.Parse(redirectURI)
	if err != nil || !t.remote {
		t.ui.say("\nA browser on this machine comes back to %s by itself.\n", redirectURI)
		return
	}
	port, forward := u.Port(), ""
	switch t.place.Name {
	case "codespaces":
		forward = "gh codespace ports forward " + port + ":" + port
	case "ssh":
		forward = "ssh -L " + port + ":127.0.0.1:" + port + " HOST"
	default:
		t.ui.say("\nThe browser must reach port %s of this machine: forward it, or run this command again with --use-device-code.\n", port)
		return
	}
	t.ui.say("\nThe browser must reach port %s of this machine. Forward it from the machine of the browser:\n\n"+
		"  %s\n\nor run this command again with --use-device-code.\n", port, forward)
}

func (t *loginTalk) deviceCode(e signin.DeviceCode) {
	t.sayPlace("a device code")
	t.ui.say("The page asks you to let %q use %s in %s.\n"+
		"Allow it only if you started this yourself, and only if the page shows the code below.\n", e.ClientName, e.StartURL, e.Region)
	t.qr(e.VerificationURIComplete)
	t.address(e.VerificationURI)
	t.ui.say("\nThen enter the code:\n\n%s\n", e.UserCode)
	if t.noBrowser && e.VerificationURIComplete != "" {
		t.ui.say("\nAlternatively, you may visit the following URL which will autofill the code upon loading:\n%s\n", e.VerificationURIComplete)
	}
	t.ui.say("\nThe code is valid for %s. Waiting for you to allow the request; Ctrl-C gives up.\n", span(e.ExpiresIn))
}

// besideQR is how many rows what is said after a QR code takes at most, at 80 columns.
const besideQR = 17

// qr shows text as a QR code, before the address and the code so that these are what stays on the screen. It is left
// out where it would scroll away.
func (t *loginTalk) qr(text string) {
	qr := strings.TrimRight(term.QR(text, t.width), "\n")
	if text == "" || qr == "" || strings.Count(qr, "\n")+besideQR > t.height {
		return
	}
	_, _ = fmt.Fprintf(t.ui.err, "\nScan this with a phone, or use the address below it:\n\n%s\n\n", qr)
}

// address prints the URL to visit on a line of its own.
func (t *loginTalk) address(page string) {
	if t.noBrowser {
		t.ui.say("Browser will not be automatically opened.\nPlease visit the following URL:\n\n%s\n", page)
		return
	}
	t.ui.say("Attempting to open your default browser.\n"+
		"If the browser does not open or you wish to use a different device to authorize this request, open the following URL:\n\n%s\n", page)
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
