package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/term"
)

// renewal says after a sign-in what becomes of the token.
func (t *SignIn) renewal(e signin.SignedIn) string {
	legacy := t.Session.Legacy()
	switch {
	case e.Refreshable && !legacy:
		return "The AWS CLI, the SDKs and homing renew it by themselves while your portal session lasts."
	case e.Refreshable && t.Watched:
		return "keep renews it while your portal session lasts."
	case e.Refreshable && e.Short > 0:
		return "The commands credentials and env renew it when they run. To renew it all the time, run: " +
			t.UI.Command(fault.KeepDetached{})
	case e.Refreshable:
		return "It lives for " + Span(e.ExpiresAt.Sub(t.Now())) + ", not 8 h, because it can be renewed: " +
			"the commands credentials and env do so when they run.\nTo renew it all the time, run: " +
			t.UI.Command(fault.KeepDetached{})
	case legacy && !t.Session.KeepFresh:
		return "It cannot be renewed: a legacy profile has no refresh token."
	}
	return "It cannot be renewed: the service gave no refresh token."
}

// ShortLife is less than any token is issued for that the end of its portal session does not cut short: an hour with
// a refresh token, eight without.
const ShortLife = 50 * time.Minute

// issuedShort returns what a token was issued for a moment ago, if that is less than shortLife; else 0.
func issuedShort(e signin.SignedIn, now time.Time) time.Duration {
	if life := e.ExpiresAt.Sub(now); e.Channel != session.Cached && life > 0 && life < ShortLife {
		return life
	}
	return 0
}

// ShortName returns what a table calls a session: its name, or its start URL without what all have in common.
func ShortName(name string, legacy bool, startURL string) string {
	if !legacy {
		return name
	}
	name = strings.TrimPrefix(startURL, "https://")
	return strings.TrimSuffix(strings.TrimRight(name, "/#"), "/start")
}

// ShortAdvice says what a token that was issued for little tells of its portal session; signIn is the command.
func ShortAdvice(name string, life time.Duration, startURL, signIn string) string {
	return "The token of " + name + " was issued for " + Span(
		life,
	) + " only: its portal session seems to end then, and a sign-in before that " +
		"inherits what is left. For a whole one sign out at " + startURL + " first, then run: " + signIn + " --force"
}

// SignIn tells a person what a sign-in is doing. The sentences around an address and a code are the AWS CLI's, so
// that what people know and what runbooks quote stays true. Everything about the sign-in itself comes with its
// events.
type SignIn struct {
	UI      *UI
	Session session.Session
	Again   string // the command that signs in to Session
	Watched bool   // keep renews the token
	Joined  bool   // another login leads: how and why it signs in is its to say
	Now     func() time.Time

	place signin.Environment
	said  bool // how we sign in, and why
}

// Notify tells the person about e, or prints it under --json.
func (t *SignIn) Notify(e signin.Event) {
	if end, ok := e.(signin.SignedIn); ok {
		end.Short = issuedShort(end, t.Now())
		e = end
	}
	if t.UI.JSON {
		if err := t.UI.Event(line(e, t.UI.Shell)); err != nil {
			t.UI.Debug("event: %v", err)
		}
		return
	}
	switch e := e.(type) {
	case signin.Environment:
		t.place = e // said once a person is needed
	case signin.Authorize:
		t.authorize(e)
	case signin.DeviceCode:
		t.deviceCode(e)
	case signin.SignedIn:
		t.signedIn(e)
	default:
		t.hint(Notice(e, t.UI.Shell))
	}
}

// Hint gives advice that does not come from internal/signin.
func (t *SignIn) Hint(text string) {
	if !t.UI.JSON {
		t.hint(text)
	} else if err := t.UI.HintEvent(text); err != nil {
		t.UI.Debug("event: %v", err)
	}
}

// FlowInWords returns what a sentence calls a flow.
func FlowInWords(f session.Flow) string {
	if f == session.PKCE {
		return "a browser redirect (PKCE)"
	}
	return "a device code"
}

// sayPlace is the line that says which flow is used, and why. A flow that was switched to needs no reason.
func (t *SignIn) sayPlace(f session.Flow) {
	words := FlowInWords(f)
	switch {
	case f != t.place.Flow || t.said || t.Joined:
		t.UI.Say("Signing in to %s with %s.\n", t.Session.InWords(), words)
	case t.place.Asked == "":
		t.UI.Say("Signing in to %s with %s. %s.\n", t.Session.InWords(), words, UpperFirst(t.place.Reason))
	case t.place.Title == "":
		t.UI.Say("Signing in to %s with %s, as %s asks.\n", t.Session.InWords(), words, t.place.Asked)
	default:
		t.UI.Say("Signing in to %s with %s, as %s asks. This is %s.\n", t.Session.InWords(), words, t.place.Asked,
			t.place.Title)
	}
	t.said = true
}

func (t *SignIn) authorize(e signin.Authorize) {
	t.sayPlace(session.PKCE)
	t.stranger(e.Stranger)
	if !e.Opening {
		t.UI.Say("Browser will not be automatically opened.\nPlease visit the following URL:\n\n")
	} else {
		t.UI.Say("Attempting to open your default browser. If the browser does not open, open the following URL.\n")
		// With keys there is a shorter way; and where the device code was begun with, the service did not give one.
		if t.place.MayDevice && !e.Keys && t.place.Flow == session.PKCE {
			t.UI.Say("If you are unable to open the URL on this device, run this command again with the " +
				"'--use-device-code' option.\n")
		}
		t.UI.Say("\n")
	}
	t.url(e.URL)
	// The address alone makes an editor forward its port: VS Code looks for such in what a terminal shows.
	origin, _, _ := strings.Cut(e.RedirectURI, "/oauth")
	_, port, _ := strings.Cut(origin, "127.0.0.1:")
	switch {
	case port == strconv.Itoa(t.place.FixedPort):
		t.UI.Say("\nAfter you approve, your browser comes back to %s through the port you forwarded.\n", origin)
	case !t.place.Manual:
		t.UI.Say("\nAfter you approve, your browser comes back to %s.\n", origin)
	case port == strconv.Itoa(t.place.LastPort):
		t.UI.Say("\nAfter you approve, your browser opens %s, which it reached last time.\n", origin)
	default:
		t.UI.Say("\nAfter you approve, your browser opens %s. It may not reach this machine.\n", origin)
	}
	t.waiting("Waiting up to "+Span(e.ExpiresIn), "d takes a device code", t.place.MayDevice, e.Keys)
	if e.Keys && t.place.Manual {
		t.UI.Say("If the page fails to load, paste its address here, and never into a web page or a chat.\n")
	}
}

// waiting is the last line before the wait: for how long, and what can be done meanwhile.
func (t *SignIn) waiting(how, other string, may, keys bool) {
	switch {
	case !keys:
		t.UI.Say("%s; Ctrl-C gives up.\n", how)
	case may && !t.Session.Legacy():
		t.UI.Say("%s; Ctrl-C gives up, %s, ? lists what can be done here.\n", how, other)
	default:
		t.UI.Say("%s; Ctrl-C gives up, ? lists what can be done here.\n", how)
	}
}

// stranger names a host that a sign-in should not lead to.
func (t *SignIn) stranger(host string) {
	if host != "" {
		t.UI.Say(
			"warning: the address below is on %q, which is neither AWS's nor in your configuration. Go there only "+
				"if you know why.\n",
			host,
		)
	}
}

// url prints an address on a line of its own, never broken, to be clicked where the terminal knows how.
func (t *SignIn) url(address string) {
	address = Clean(address)
	if t.UI.Links {
		address = term.Link(address)
	}
	_, _ = fmt.Fprintf(t.UI.Err, "%s\n", address)
}

// hint says a hint of possibly several lines; indented ones are commands and stay whole.
func (t *SignIn) hint(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		rest := strings.TrimLeft(line, " ")
		t.UI.Say(line[:len(line)-len(rest)]+"%s\n", rest)
	}
}

func (t *SignIn) deviceCode(e signin.DeviceCode) {
	t.sayPlace(session.Device)
	t.UI.Say("The page asks you to let %q use %s in %s.\n"+
		"Allow it only if you started this yourself, and only if the page shows the code below.\n", e.ClientName,
		e.StartURL, e.Region)
	t.stranger(e.Stranger)
	t.qr(e.VerificationURIComplete)
	t.address(e.VerificationURI, e.Opening)
	t.UI.Say("\nThen enter the code:\n\n%s\n", e.UserCode)
	if !e.Opening && e.VerificationURIComplete != "" {
		t.UI.Say("\nAlternatively, you may visit the following URL which will autofill the code upon loading:\n")
		t.url(e.VerificationURIComplete)
	}
	t.UI.Say("\n")
	t.waiting(fmt.Sprintf("The code is valid for %s. Waiting for you to allow the request", Span(e.ExpiresIn)),
		"p takes a browser redirect", t.place.MayPKCE, e.Keys)
}

// besideQR is how many rows what is said after a QR code takes at most, at 80 columns.
const besideQR = 17

// qr shows text as a QR code, before the address and the code so that these are what stays on the screen. It is left
// out where it would scroll away.
func (t *SignIn) qr(text string) {
	qr := strings.TrimRight(term.QR(text, t.UI.Width), "\n")
	if text == "" || qr == "" || strings.Count(qr, "\n")+besideQR > t.UI.Height {
		return
	}
	_, _ = fmt.Fprintf(t.UI.Err, "\nScan this with a phone, or use the address below it:\n\n%s\n\n", qr)
}

// address prints the URL to visit on a line of its own.
func (t *SignIn) address(page string, opening bool) {
	if !opening {
		t.UI.Say("Browser will not be automatically opened.\nPlease visit the following URL:\n\n")
	} else {
		t.UI.Say("Attempting to open your default browser.\n" +
			"If the browser does not open or you wish to use a different device to authorize this request, open " +
			"the following URL:\n\n")
	}
	t.url(page)
}

// signedIn is the answer of login: one sentence on stdout.
func (t *SignIn) signedIn(e signin.SignedIn) {
	who := t.Session.InWords()
	until := Moment(e.ExpiresAt, t.Now())
	switch e.Channel {
	case session.Cached:
		t.UI.Answer("Already signed in to %s until %s. To sign in again, run: %s --force\n", who, until, t.Again)
		return
	case session.Renewed:
		t.UI.Answer("Renewed the sign-in to %s without a browser, until %s.\n", who, until)
	default:
		t.UI.Answer("Successfully signed in to %s until %s.\n", who, until)
		t.hint(t.renewal(e))
	}
	if e.Short > 0 {
		t.hint(
			ShortAdvice(ShortName(t.Session.Label(), t.Session.Legacy(), t.Session.StartURL), e.Short,
				t.Session.StartURL, t.Again),
		)
	}
}
