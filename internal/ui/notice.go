package ui

import (
	"fmt"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/quote"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
)

// Notice returns the words of a notice, or "" for any other event. A line that begins with blanks is a command to
// type.
func Notice(e signin.Event, sh quote.Shell) string {
	switch e := e.(type) {
	case signin.NoBrowser:
		return "No browser could be opened from here: open the address yourself."
	case signin.Arrived:
		return arrived
	case signin.Barred:
		return barred(e.Flow, e.Why)
	case signin.Mispasted:
		return mispasted(e)
	case signin.Waiting:
		return waitingFor(e)
	case signin.StillOpen:
		return "The other way to sign in is still open: " + e.Err.Error() + "."
	case signin.StillTrying:
		return "Still trying: " + e.Err.Error()
	case signin.RolesKept:
		return "Role credentials of an earlier sign-in are still cached: " + e.Err.Error()
	case signin.FellBack:
		if e.To == session.Device {
			return "A browser redirect has nowhere to come back to (" + e.Err.Error() + "). Going on with a device " +
				"code."
		}
		return fmt.Sprintf("No device code for %q: %s. Going on with a browser redirect (PKCE).", e.Session,
			e.Err.Error())
	case signin.Unannounced:
		return "The command " + Command(fault.HandOver{}, sh) + " will not find this sign-in: " +
			plain.Line(e.Err.Error(), 300)
	case signin.PortsBusy:
		return portsBusy(e)
	case signin.ClockOff:
		way := "ahead of"
		if e.Ahead < 0 {
			way = "behind"
		}
		return fmt.Sprintf("This machine's clock is %v %s the service's: expiry times will be wrong until it is set.",
			e.Ahead.Abs(), way)
	case signin.Ways:
		return ways(e, sh)
	case signin.Help:
		return help(e, sh)
	}
	return ""
}

// Notices returns the words of several notices, for somebody who has missed them.
func Notices(said []signin.Ways, sh quote.Shell) string {
	words := make([]string, len(said))
	for i, e := range said {
		words[i] = Notice(e, sh)
	}
	return strings.Join(words, "\n")
}

const arrived = "The browser has come back already: the sign-in is being completed."

func barred(flow session.Flow, why signin.Bar) string {
	switch why {
	case signin.ByLegacy:
		return "A legacy profile (without sso_session) can only sign in with a device code."
	case signin.ByListener:
		return "A browser redirect has nowhere to come back to: no port could be opened here."
	case signin.ByService:
		return "The service gives out no device codes to this program."
	}
	if flow == session.Device {
		return "Signing in with a device code is not allowed on this machine."
	}
	return "Signing in by a browser redirect (PKCE) is not allowed on this machine."
}

// mispasted says what was wrong with a paste, and quotes nothing of it.
func mispasted(e signin.Mispasted) string {
	switch e.Why {
	case signin.Unawaited:
		text := "What was pasted is not used: no browser redirect is waited for."
		if e.MayPKCE {
			text += " Press p to sign in by one."
		}
		return text
	case signin.ToOpen:
		return "What was pasted is the address to open. Open it, allow the request, and paste the address the " +
			"browser ends at, here only; still waiting."
	case signin.OfAnother:
		return "What was pasted is the address of another sign-in. Paste the one the browser shows after you allowed " +
			"this one, here only; still waiting."
	}
	return "What was pasted is not used: " + e.Err.Error() + ". Paste the one the browser shows after you allowed " +
		"the request, here only; still waiting."
}

func waitingFor(e signin.Waiting) string {
	switch {
	case e.Lock != "" && e.Renews: // this process may hold the lock as well
		return "Waiting for the token to be renewed: for IAM Identity Center, or for another process that holds " +
			e.Lock
	case e.Lock != "":
		return "Waiting for another process that is at work on the token: it holds " + e.Lock
	case e.Renews:
		return "Waiting for IAM Identity Center to renew the token …"
	}
	return "Waiting for an answer from IAM Identity Center …"
}

func portsBusy(e signin.PortsBusy) string {
	said := make([]string, len(e.Busy))
	for i, b := range e.Busy {
		said[i] = fmt.Sprintf("port %d is in use", b.Port)
		if by := plain.Line(b.Holder, 80); by != "" {
			said[i] += " by " + by
		}
	}
	return fmt.Sprintf("%s; listening on %d.", UpperFirst(strings.Join(said, ", ")), e.Port)
}

// ways names one way with its words, or all of them as a list.
func ways(e signin.Ways, sh quote.Shell) string {
	if e.When == signin.All {
		return "The browser has not come back yet. What can be done:" + listed(e, sh)
	}
	text, command := way(e, 0, sh)
	switch e.When {
	case signin.First:
		text = "The browser has not come back yet. " + text
	case signin.Later:
		text = "Still nothing. " + text
	}
	return strings.TrimSuffix(text, " ") + onItsOwnLine(command, "  ")
}

func listed(e signin.Ways, sh quote.Shell) string {
	var b strings.Builder
	for i := range e.Ways {
		text, command := way(e, i, sh)
		if text == "" {
			text = "Run this where the browser is:"
		}
		b.WriteString("\n- " + text + onItsOwnLine(command, "    "))
	}
	return b.String()
}

func onItsOwnLine(command, indent string) string {
	if command == "" {
		return ""
	}
	return "\n" + indent + command
}

// way returns the words of the way at i. The table of places has those of most ways; a paste and a device code depend
// on the keys that can be pressed.
func way(e signin.Ways, i int, sh quote.Shell) (text, command string) {
	w := e.Ways[i]
	const errorPage = "If the browser shows an error page after you allowed the request, copy that page's address and "
	handOver := Command(fault.HandOver{}, sh)
	switch {
	case w.Channel == session.DeviceCode && e.Keys:
		return "Press d to sign in with a device code instead: it works in any browser, and nothing has to come " +
			"back.", ""
	case w.Channel == session.DeviceCode:
		return "Or sign in with a device code, which works in any browser:", Command(e.Device, sh)
	case w.Channel != session.Paste:
		return w.Text, w.Command
	case !e.Keys:
		return errorPage + "give it to this command, in another shell on this machine; " +
			"never to a web page or a chat.", handOver
	case e.Callback:
		return errorPage + "paste it here, or into " + handOver +
			" in another shell on this machine; never into a web page or a chat.", ""
	}
	return errorPage + "paste it here; never into a web page or a chat.", ""
}

// help lists what can be done, and which keys mean something.
func help(e signin.Help, sh quote.Shell) string {
	var lines []string
	switch {
	case e.PKCE.Arrived:
		lines = append(lines, arrived)
	case e.PKCE.Waiting:
		lines = append(lines, "Waiting for the browser to come back. What can be done here:"+listed(e.Ways, sh))
	}
	if e.Device.Waiting {
		lines = append(lines, "Waiting for the device code to be approved, on the page that was named, in any browser.")
	}
	var keys []string
	switch {
	case e.Device.Alive:
		keys = append(keys, "d shows the device code again")
	case e.Device.Bar == "":
		keys = append(keys, "d signs in with a device code")
	}
	switch {
	case e.PKCE.Alive:
		keys = append(keys, "p shows the address for the browser again")
	case e.PKCE.Bar == "":
		keys = append(keys, "p signs in by a browser redirect (PKCE)")
	}
	keys = append(keys, "? shows this", "Ctrl-C gives up")
	if e.Device.Bar != "" {
		lines = append(lines, barred(session.Device, e.Device.Bar))
	}
	if e.PKCE.Bar != "" {
		lines = append(lines, barred(session.PKCE, e.PKCE.Bar))
	}
	if e.PKCE.Alive && e.Device.Alive {
		lines = append(lines, "Both are waited for: whichever is first signs you in.")
	}
	return strings.Join(append(lines, "Keys: "+strings.Join(keys, ", ")+"."), "\n")
}
