package cli

import (
	"fmt"
	"strconv"
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
	again     string // the command that signs in to the session
	here      string // what a person calls the place; "" where it goes without saying
	width     int    // columns of the terminal; 0 where there is none, and then no QR code
	height    int    // rows
	now       func() time.Time
	place     signin.Environment
	comesBack bool // the redirect reaches this machine by itself
	keys      bool // keys and pastes are read while we wait
	mayDevice bool // policy allows a device code
	mayCode   bool // policy allows a browser redirect
	links     bool // the terminal shows hyperlinks (OSC 8)
	fixed     int  // the port that somebody fixed on a remote machine; 0 none
	watched   bool // homing keep renews the token
	lastTime  int  // the port at which the redirect came back last time; 0 none

	said bool // how we sign in, and why
}

func (t *loginTalk) notify(e signin.Event) {
	if end, ok := e.(signin.SignedIn); ok {
		end.Short = issuedShort(end, t.now())
		e = end
	}
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
		t.hint(e.Text)
	case signin.SignedIn:
		t.signedIn(e)
	}
}

// sayPlace is the line that says which flow is used, and why. A flow that was switched to needs no reason.
func (t *loginTalk) sayPlace(f signin.Flow) {
	words := map[signin.Flow]string{signin.FlowPKCE: "a browser redirect (PKCE)", signin.FlowDevice: "a device code"}[f]
	switch {
	case f != t.place.Flow || t.said:
		t.ui.say("Signing in to %s with %s.\n", t.session.InWords(), words)
	case t.asked == "":
		t.ui.say("Signing in to %s with %s. %s.\n", t.session.InWords(), words, upperFirst(t.place.Reason))
	case t.here == "":
		t.ui.say("Signing in to %s with %s, as %s asks.\n", t.session.InWords(), words, t.asked)
	default:
		t.ui.say("Signing in to %s with %s, as %s asks. This is %s.\n", t.session.InWords(), words, t.asked, t.here)
	}
	t.said = true
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func (t *loginTalk) authorize(e signin.Authorize) {
	t.sayPlace(signin.FlowPKCE)
	t.stranger(e.Stranger)
	if !e.Opening {
		t.ui.say("Browser will not be automatically opened.\nPlease visit the following URL:\n\n")
	} else {
		t.ui.say("Attempting to open your default browser. If the browser does not open, open the following URL.\n")
		// With keys there is a shorter way; and where the device code was begun with, the service did not give one.
		if t.mayDevice && !t.keys && t.place.Flow == signin.FlowPKCE {
			t.ui.say("If you are unable to open the URL on this device, run this command again with the '--use-device-code' option.\n")
		}
		t.ui.say("\n")
	}
	t.url(e.URL)
	// The address alone makes an editor forward its port: VS Code looks for such in what a terminal shows.
	origin, _, _ := strings.Cut(e.RedirectURI, "/oauth")
	_, port, _ := strings.Cut(origin, "127.0.0.1:")
	switch {
	case port == strconv.Itoa(t.fixed):
		t.ui.say("\nThe browser comes back to %s through the forward that this port was fixed for.\n", origin)
	case t.comesBack:
		t.ui.say("\nThe browser comes back to %s by itself.\n", origin)
	case port == strconv.Itoa(t.lastTime):
		t.ui.say("\nThe browser is sent to %s afterwards, which it reached last time.\n", origin)
	default:
		t.ui.say("\nThe browser is sent to %s afterwards: this machine, which it may not reach from where it runs.\n", origin)
	}
	t.waiting("Waiting up to "+span(e.ExpiresIn), "d takes a device code", t.mayDevice)
	if t.keys && !t.comesBack {
		t.ui.say("The address of a page that fails to load belongs here, and never into a web page or a chat.\n")
	}
}

// waiting is the last line before the wait: for how long, and what can be done meanwhile.
func (t *loginTalk) waiting(how, other string, may bool) {
	switch {
	case !t.keys:
		t.ui.say("%s; Ctrl-C gives up.\n", how)
	case may && !t.session.Legacy():
		t.ui.say("%s; Ctrl-C gives up, %s, ? lists what can be done here.\n", how, other)
	default:
		t.ui.say("%s; Ctrl-C gives up, ? lists what can be done here.\n", how)
	}
}

// stranger names a host that a sign-in should not lead to.
func (t *loginTalk) stranger(host string) {
	if host != "" {
		t.ui.say("warning: the address below is on %q, which is neither AWS's nor in your configuration. Go there only if you know why.\n", host)
	}
}

// url prints an address on a line of its own, never broken, to be clicked where the terminal knows how.
func (t *loginTalk) url(address string) {
	address = clean(address)
	if t.links {
		address = term.Link(address)
	}
	_, _ = fmt.Fprintf(t.ui.err, "%s\n", address)
}

// hint says a hint of possibly several lines; indented ones are commands and stay whole.
func (t *loginTalk) hint(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		rest := strings.TrimLeft(line, " ")
		t.ui.say(line[:len(line)-len(rest)]+"%s\n", rest)
	}
}

func (t *loginTalk) deviceCode(e signin.DeviceCode) {
	t.sayPlace(signin.FlowDevice)
	t.ui.say("The page asks you to let %q use %s in %s.\n"+
		"Allow it only if you started this yourself, and only if the page shows the code below.\n", e.ClientName, e.StartURL, e.Region)
	t.stranger(e.Stranger)
	t.qr(e.VerificationURIComplete)
	t.address(e.VerificationURI, e.Opening)
	t.ui.say("\nThen enter the code:\n\n%s\n", e.UserCode)
	if !e.Opening && e.VerificationURIComplete != "" {
		t.ui.say("\nAlternatively, you may visit the following URL which will autofill the code upon loading:\n")
		t.url(e.VerificationURIComplete)
	}
	t.ui.say("\n")
	t.waiting(fmt.Sprintf("The code is valid for %s. Waiting for you to allow the request", span(e.ExpiresIn)), "p takes a browser redirect", t.mayCode)
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
func (t *loginTalk) address(page string, opening bool) {
	if !opening {
		t.ui.say("Browser will not be automatically opened.\nPlease visit the following URL:\n\n")
	} else {
		t.ui.say("Attempting to open your default browser.\n" +
			"If the browser does not open or you wish to use a different device to authorize this request, open the following URL:\n\n")
	}
	t.url(page)
}

// signedIn is the answer of login: one sentence on stdout.
func (t *loginTalk) signedIn(e signin.SignedIn) {
	who := t.session.InWords()
	until := moment(e.ExpiresAt, t.now())
	switch e.Channel {
	case signin.Cached:
		t.ui.answer("Already signed in to %s until %s. To sign in again, add --force.\n", who, until)
		return
	case signin.Refresh:
		t.ui.answer("Renewed the sign-in to %s without a browser, until %s.\n", who, until)
	default:
		t.ui.answer("Successfully signed in to %s until %s.\n", who, until)
		t.hint(t.renewal(e))
	}
	if e.Short > 0 {
		t.hint(shortAdvice(shortName(t.session.Label(), t.session.Legacy(), t.session.StartURL), e.Short, t.session.StartURL, t.again))
	}
}
