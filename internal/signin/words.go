package signin

import (
	"fmt"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/session"
)

// What is said while a sign-in goes on. Sentences, with commands on lines of their own.

func hint(text string) effect { return tell{Hint{text}} }

const (
	noBrowser      = "No browser could be opened from here: open the address yourself."
	redirectIsHere = "The browser has come back already: the sign-in is being completed."
	unreadable     = "an address that cannot be read" // in place of a host

	noCodeForLegacy       = "A legacy profile (without sso_session) can only sign in with a device code."
	noCodeByPolicy        = "Signing in by a browser redirect (PKCE) is not allowed on this machine."
	noCodeWithoutListener = "A browser redirect has nowhere to come back to: no port could be opened here."
	noDeviceByPolicy      = "Signing in with a device code is not allowed on this machine."
	noDeviceByService     = "The service gives out no device codes to this program."

	pastedOfAnother = "What was pasted is the address of another sign-in. Paste the one the browser shows after you allowed this one, here only; still waiting."
)

const (
	waitingForRenewal = "Waiting for IAM Identity Center to renew the token …"
	waitingForService = "Waiting for an answer from IAM Identity Center …"
)

func waitingForLock(lock string) string {
	return "Waiting for another process that is at work on the token: it holds " + lock
}

// waitingForEither is said where the lock may be held by this process as well.
func waitingForEither(lock string) string {
	return "Waiting for the token to be renewed: for IAM Identity Center, or for another process that holds " + lock
}

func stillOpen(err error) string {
	return "The other way to sign in is still open: " + err.Error() + "."
}
func stillTrying(err error) string { return "Still trying: " + err.Error() }

func rolesStillCached(err error) string {
	return "Role credentials of an earlier sign-in are still cached: " + err.Error()
}

func insteadOfDevice(of session.Session, cause error) string {
	return fmt.Sprintf("No device code for %q: %s. Going on with a browser redirect (PKCE).", of.Label(), cause.Error())
}

func insteadOfCode(cause error) string {
	return "A browser redirect has nowhere to come back to (" + cause.Error() + "). Going on with a device code."
}

func pastedForNothing(mayCode bool) string {
	if mayCode {
		return "What was pasted is not used: no browser redirect is waited for. Press p to sign in by one."
	}
	return "What was pasted is not used: no browser redirect is waited for."
}

// pastedWrong says what was wrong with text, and quotes nothing of it.
func pastedWrong(text string, err error) string {
	if strings.Contains(text, "redirect_uri=") {
		return "What was pasted is the address to open. Open it, allow the request, and paste the address the browser ends at, here only; still waiting."
	}
	return "What was pasted is not used: " + err.Error() + ". Paste the one the browser shows after you allowed the request, here only; still waiting."
}

func (s state) unannounced(err error) string {
	return "The command " + s.command(fault.HandOver{}) + " will not find this sign-in: " + plain.Line(err.Error(), 300)
}

// busyPorts says which ports were wished for and not to be had, "" when none was.
func busyPorts(busy []callback.Busy, port int) string {
	var said []string
	for _, b := range busy {
		text := fmt.Sprintf("port %d is in use", b.Port)
		if by := plain.Line(b.Holder, 80); by != "" {
			text += " by " + by
		}
		said = append(said, text)
	}
	if len(said) == 0 {
		return ""
	}
	said[0] = "P" + said[0][1:]
	return fmt.Sprintf("%s; listening on %d.", strings.Join(said, ", "), port)
}

// pasteWay is for somebody at the terminal, or for another shell that finds the listener; without either there is none.
func (s state) pasteWay(found bool) Way {
	command := s.command(fault.HandOver{})
	switch {
	case s.keys && !found:
		return Way{Channel: session.Paste, Text: "If the browser shows an error page after you allowed the request, copy that page's address and paste it here; never into a web page or a chat."}
	case !s.keys && !found:
		return Way{Channel: session.Paste} // says nothing
	case s.keys:
		return Way{Channel: session.Paste, Text: "If the browser shows an error page after you allowed the request, copy that page's address and paste it here, or into " + command + " in another shell on this machine; never into a web page or a chat."}
	}
	return Way{Channel: session.Paste, Text: "If the browser shows an error page after you allowed the request, copy that page's address and give it to this command, in another shell on this machine; never to a web page or a chat.", Command: command}
}

func (s state) deviceWay() Way {
	if s.keys {
		return Way{Channel: session.DeviceCode, Text: "Press d to sign in with a device code instead: it works in any browser, and nothing has to come back."}
	}
	return Way{Channel: session.DeviceCode, Text: "Or sign in with a device code, which works in any browser:", Command: s.command(s.named(fault.Login{Flow: session.Device}))}
}

// stillWaiting names one way.
func stillWaiting(w Way, first bool) string {
	begin := "Still nothing. "
	if first {
		begin = "The browser has not come back yet. "
	}
	return strings.TrimSuffix(begin+w.Text, " ") + onItsOwnLine(w.Command, "  ")
}

// waitingFor names all ways, to somebody who cannot ask.
func waitingFor(ways []Way) string {
	return "The browser has not come back yet. What can be done:" + listed(ways)
}

func listed(ways []Way) string {
	var b strings.Builder
	for _, w := range ways {
		if w.Text == "" {
			w.Text = "Run this where the browser is:"
		}
		b.WriteString("\n- " + w.Text + onItsOwnLine(w.Command, "    "))
	}
	return b.String()
}

func onItsOwnLine(command, indent string) string {
	if command == "" {
		return ""
	}
	return "\n" + indent + command
}

// help lists what can be done and which keys mean something.
func (s state) help() string {
	var b strings.Builder
	switch ways := s.open(s.code.ways); {
	case s.code.active && !s.code.code.IsZero():
		b.WriteString(redirectIsHere)
	case s.code.active && s.code.shown.URL != "":
		b.WriteString("Waiting for the browser to come back. What can be done here:" + listed(ways))
	}
	if s.device.active && s.device.shown.UserCode != "" {
		b.WriteString("\nWaiting for the device code to be approved, on the page that was named, in any browser.")
	}
	var keys []string
	switch {
	case s.device.active:
		keys = append(keys, "d shows the device code again")
	case s.barred.device == "":
		keys = append(keys, "d signs in with a device code")
	}
	switch {
	case s.code.active:
		keys = append(keys, "p shows the address for the browser again")
	case s.barred.code == "":
		keys = append(keys, "p signs in by a browser redirect (PKCE)")
	}
	keys = append(keys, "? shows this", "Ctrl-C gives up")
	for _, bar := range []string{s.barred.device, s.barred.code} {
		if bar != "" {
			b.WriteString("\n" + bar)
		}
	}
	if s.code.active && s.device.active {
		b.WriteString("\nBoth are waited for: whichever is first signs you in.")
	}
	b.WriteString("\nKeys: " + strings.Join(keys, ", ") + ".")
	return strings.TrimPrefix(b.String(), "\n")
}

// login signs in to the session again.
func (s state) login() fault.Login { return s.named(fault.Login{}) }

// named returns l for the session.
func (s state) named(l fault.Login) fault.Login {
	l.Session, l.Profile = s.session.Name, ""
	if s.session.Legacy() {
		l.Profile = s.profile
	}
	return l
}

// naming returns err with a remedy that names the session or the profile, if it is to sign in.
func (s state) naming(err error) error {
	remedy := fault.RemedyOf(err)
	login, ok := fault.Action(remedy).(fault.Login)
	if !ok || login.Session != "" || login.Profile != "" {
		return err
	}
	return because(err, fault.KindOf(err), fault.WithAction(remedy, s.named(login)), "%s", err.Error())
}

// command returns the command line of r.
func (s state) command(r fault.Remedy) string {
	if s.inWords == nil {
		return ""
	}
	_, command := s.inWords(r)
	return command
}

// safe replaces what means something to a shell, or to the service, by hyphens.
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, s)
}

// clientName is what the consent page shows. The service once refused names with blanks and quotes
// (aws-cli#7643), so only what is safe everywhere is taken over from the session's name.
func clientName(s session.Session) string {
	if s.Legacy() {
		return "homing"
	}
	name := safe(s.Name)
	return "homing-" + name[:min(len(name), 64)]
}

// skew says how far our clock is off, "" when it is near enough or unknown. The expiry of a token is computed from our
// clock, as every client does, so a wrong clock makes a good token seem dead, or a dead one good.
func skew(now, date time.Time) string {
	if date.IsZero() {
		return ""
	}
	off := now.Sub(date).Round(time.Second)
	switch {
	case off > skewed:
		return fmt.Sprintf("This machine's clock is %v ahead of the service's: expiry times will be wrong until it is set.", off)
	case off < -skewed:
		return fmt.Sprintf("This machine's clock is %v behind the service's: expiry times will be wrong until it is set.", -off)
	}
	return ""
}
