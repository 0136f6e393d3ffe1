package signin_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/quote"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/ui"
)

const minute = time.Minute

// TestWaitingIsNotSilent shows to the second when which way is named.
func TestWaitingIsNotSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, &emulator.Server{})
		_, err := f.run(session.PKCE)
		if fault.KindOf(err) != fault.TimedOut || time.Since(f.begin) != 10*minute {
			t.Errorf("got %v after %v", err, time.Since(f.begin))
		}
		f.checkLog(
			"0s authorize",
			"0s opened",
			"20s hint: The browser has not come back yet. Forward the port.\n  ssh -N -L 18425:127.0.0.1:18425 me@there",
			"40s hint: Still nothing. Type https://name-18425.app.github.dev",
			"1m0s hint: Still nothing. If the browser shows an error page",
			"1m20s hint: Still nothing. Press d",
		)
		f.checkQuiet(err)
	})
}

// TestWaitingWithoutATerminal: nobody can ask, so all is said at once, and once.
func TestWaitingWithoutATerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, &emulator.Server{})
		f.login.Inputs = nil
		f.at(25*time.Second, func() { f.deliver(true) })
		got, err := f.run(session.PKCE)
		if err != nil || got.Channel != session.Callback || got.Port != 18425 {
			t.Errorf("channel %q, port %d, %v", got.Channel, got.Port, err)
		}
		f.checkLog("0s authorize", "0s opened",
			"20s hint: The browser has not come back yet. What can be done:\n- Forward the port.\n    ssh")
		for _, want := range []string{"\n    homing callback\n", "\n    homing login --sso-session dev --use-device-code"} {
			if !strings.Contains(f.log[2], want) {
				t.Errorf("%s\ndoes not say %q", f.log[2], want)
			}
		}
		f.checkQuiet(err)
	})
}

// TestWaysThatAreNotOpen: what policy forbids is not advised.
func TestWaysThatAreNotOpen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, &emulator.Server{})
		f.login.Ways, f.login.Environment.MayDevice = nil, false
		_, err := f.run(session.PKCE)
		if fault.KindOf(err) != fault.TimedOut || strings.Contains(fmt.Sprint(fault.RemedyOf(err)), "device") {
			t.Errorf("got %v, remedy %#v", err, fault.RemedyOf(err))
		}
		f.checkLog("0s authorize", "0s opened",
			"20s hint: The browser has not come back yet. If the browser shows an error page")
	})
}

// TestHintsRestWhileACodeIsLookedAt, and go on when the person turns back.
func TestHintsRestWhileACodeIsLookedAt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, &emulator.Server{CodeLife: 30 * minute})
		f.press(30*time.Second, 'd')
		f.press(5*minute, 'p')
		f.at(6*minute, func() { f.deliver(false) })
		got, err := f.run(session.PKCE)
		if err != nil || got.Channel != session.Loopback {
			t.Errorf("channel %q, %v", got.Channel, err)
		}
		f.checkLog("0s authorize", "0s opened", "20s hint: The browser has not come back yet. Forward",
			"30s device_code", "5m0s authorize", "5m20s hint: Still nothing. Type",
			"5m40s hint: Still nothing. If the browser")
	})
	synctest.Test(t, func(t *testing.T) { // or when the code is over
		f := newFar(t, &emulator.Server{CodeLife: minute})
		f.press(5*time.Second, 'd')
		if _, err := f.run(session.PKCE); fault.KindOf(err) != fault.TimedOut {
			t.Error(err)
		}
		f.checkLog("0s authorize", "0s opened", "5s device_code", "1m5s hint: The other way",
			"1m25s hint: The browser has not come back yet. Forward", "1m45s hint", "2m5s hint",
			"2m25s hint: Still nothing. Press d")
	})
}

// TestPasteOfALostRedirect: what does not fit is said and changes nothing; what fits signs in.
func TestPasteOfALostRedirect(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, &emulator.Server{})
		f.at(3*time.Second, func() {
			good := f.lastAddress()
			wrapped := `"` + good[:40] + "\r\n  " + good[40:] + `"` + "\n"
			other := strings.Replace(good, "state=", "state=0", 1)
			f.inputs <- signin.Input{Text: "git push --force"}
			f.inputs <- signin.Input{Text: other}
			f.inputs <- signin.Input{Text: eventOf[signin.Authorize](f.world).URL}
			f.inputs <- signin.Input{}
			f.inputs <- signin.Input{Text: wrapped}
		})
		got, err := f.run(session.PKCE)
		if err != nil || got.Channel != session.Paste || got.Port != 18425 {
			t.Errorf("channel %q, port %d, %v", got.Channel, got.Port, err)
		}
		f.checkLog("0s authorize", "0s opened", "3s hint: What was pasted is not used: that is not the address",
			"3s hint: What was pasted is the address of another sign-in",
			"3s hint: What was pasted is the address to open")
		f.checkStored(got)
		f.checkClean()
		f.checkQuiet(err)
		if l := f.listeners[0]; l.finished != 1 || l.outcome != nil {
			t.Errorf("the browser that may wait was told %v, %d times", l.outcome, l.finished)
		}
	})
}

// TestTheLimitEndsNothingElse: the ten minutes of the redirect, and the life of a device code, are each their own.
func TestTheLimitEndsNothingElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, &emulator.Server{})
		f.press(10*time.Second, 'd')
		f.press(9*minute, 'd')
		f.approve(10*minute + 5*time.Second)
		got, err := f.run(session.PKCE)
		if err != nil || got.Channel != session.DeviceCode || got.Port != 0 || time.Since(f.begin) < 10*minute {
			t.Errorf("channel %q, port %d, after %v: %v", got.Channel, got.Port, time.Since(f.begin), err)
		}
		f.checkLog("0s authorize", "0s opened", "10s device_code", "9m0s device_code",
			"10m0s hint: The other way to sign in is still open: no redirect")
		if e := f.events[3].(signin.DeviceCode); e.ExpiresIn != 10*minute-(9*minute-10*time.Second) || e.Opening {
			t.Errorf("%+v", e)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, &emulator.Server{})
		f.press(9*minute+5*time.Second, 'p')
		f.at(12*minute, func() { f.inputs <- signin.Input{Text: f.lastAddress()} })
		got, err := f.run(session.Device)
		if err != nil || got.Channel != session.Paste {
			t.Errorf("channel %q, %v", got.Channel, err)
		}
		f.checkLog("0s device_code", "9m5s authorize", "9m5s opened", "9m25s hint", "9m45s hint",
			"10m0s hint: The other way to sign in is still open: the device code", "10m5s hint: Still nothing",
			"10m25s hint: Still nothing. Press d")
	})
}

// TestBegunAgainAfterTheLimit: the second redirect is for the second listener.
func TestBegunAgainAfterTheLimit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, &emulator.Server{CodeLife: 30 * minute})
		f.press(minute, 'p')
		f.press(12*minute, 'p')
		var first string
		f.at(11*minute, func() { first = f.lastAddress() })
		f.at(12*minute+time.Second, func() { f.inputs <- signin.Input{Text: first} })
		f.at(12*minute+2*time.Second, func() { f.deliver(false) })
		got, err := f.run(session.Device)
		if err != nil || got.Channel != session.Loopback {
			t.Errorf("channel %q, %v", got.Channel, err)
		}
		if n := len(f.listeners); n != 2 || f.listeners[0].state == f.listeners[1].state ||
			fault.KindOf(f.listeners[0].outcome) != fault.TimedOut {
			t.Errorf("%d listeners, the first was told %v", n, f.listeners[0].outcome)
		}
		if last := f.log[len(f.log)-1]; !strings.HasPrefix(last,
			"12m1s hint: What was pasted is the address of another") {
			t.Error(last)
		}
		f.checkStored(got)
		f.checkQuiet(err)
	})
}

// TestAllAtOnce: a redirect, a paste and an approval in the same moment give one token.
func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	for range 20 {
		synctest.Test(t, func(t *testing.T) {
			f := newFar(t, &emulator.Server{})
			f.press(2*time.Second, 'd')
			const poll = 2*time.Second + 1200*time.Millisecond
			f.approve(poll - time.Millisecond)
			f.at(poll, func() { f.deliver(false) })
			f.at(poll, func() { f.inputs <- signin.Input{Text: f.lastAddress()} })
			got, err := f.run(session.PKCE)
			if err != nil {
				t.Fatal(err)
			}
			f.checkStored(got)
			f.checkClean()
			if n := len(slices.DeleteFunc(f.kinds(), func(k string) bool { return k != "signedin" })); n != 1 {
				t.Errorf("signed in %d times", n)
			}
		})
	}
}

// TestGoesOnWithPKCE when the service gives out no device codes.
func TestGoesOnWithPKCE(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, &emulator.Server{DeviceGrantRefused: true})
		f.reaches, f.login.Fallback = true, true
		got, err := f.run(session.Device)
		if err != nil || got.Channel != session.Loopback {
			t.Errorf("channel %q, %v", got.Channel, err)
		}
		f.checkLog(`0s hint: No device code for "dev": IAM Identity Center`, "0s authorize", "0s opened")
		if !strings.HasSuffix(f.log[0], "Going on with a browser redirect (PKCE).") {
			t.Error(f.log[0])
		}
		f.checkStored(got)
	})
}

// TestGoesOnWithADeviceCode when nothing can be listened on.
func TestGoesOnWithADeviceCode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, &emulator.Server{})
		f.failure = fault.Suggest(fault.Config, fault.Login{Flow: "device"}, "cannot listen on 127.0.0.1")
		f.approve(3 * time.Second)
		got, err := f.run(session.PKCE)
		if err != nil || got.Channel != session.DeviceCode {
			t.Errorf("channel %q, %v", got.Channel, err)
		}
		f.checkLog(
			"0s hint: A browser redirect has nowhere to come back to (cannot listen on 127.0.0.1). Going on with a device code.",
			"0s device_code",
		)
		f.login.Insist, f.login.Force = true, true
		if _, err = f.run(session.PKCE); !errors.Is(err, f.failure) {
			t.Errorf("insisted: %v", err)
		}
	})
}

// TestListenerIsSpokenOf before the browser opens: who has its port, and where it is found.
func TestListenerIsSpokenOf(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, &emulator.Server{})
		f.reaches, f.login.RendezvousDir = true, "/run/homing"
		f.busy = []callback.Busy{{Port: 18423, Holder: "sshd (pid 12)"}, {Port: 18424}}
		f.nameless = errors.New("read-only")
		got, err := f.run(session.PKCE)
		if err != nil || got.Channel != session.Loopback {
			t.Errorf("channel %q, %v", got.Channel, err)
		}
		f.checkLog("0s announced in /run/homing",
			"0s hint: Port 18423 is in use by sshd (pid 12), port 18424 is in use; listening on 18425.",
			"0s hint: The command homing callback will not find this sign-in: read-only", "0s authorize", "0s opened")
	})
}

func TestHelp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFar(t, &emulator.Server{})
		f.press(time.Second, '?')
		f.press(2*time.Second, 'd')
		f.press(3*time.Second, '?')
		f.hangUp(4 * time.Second)
		f.approve(minute)
		if _, err := f.run(session.PKCE); err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, e := range f.events {
			if h, ok := e.(signin.Help); ok {
				texts = append(texts, ui.Notice(h, quote.Sh))
			}
		}
		want := []string{`Waiting for the browser to come back. What can be done here:
- Forward the port.
    ssh -N -L 18425:127.0.0.1:18425 me@there
- Type https://name-18425.app.github.dev for the address.
- If the browser shows an error page after you allowed the request, copy that page's address and paste it here, or into homing callback in another shell on this machine; never into a web page or a chat.
- Press d to sign in with a device code instead: it works in any browser, and nothing has to come back.
Keys: d signs in with a device code, p shows the address for the browser again, ? shows this, Ctrl-C gives up.`, `Waiting for the browser to come back. What can be done here:
- Forward the port.
    ssh -N -L 18425:127.0.0.1:18425 me@there
- Type https://name-18425.app.github.dev for the address.
- If the browser shows an error page after you allowed the request, copy that page's address and paste it here, or into homing callback in another shell on this machine; never into a web page or a chat.
Waiting for the device code to be approved, on the page that was named, in any browser.
Both are waited for: whichever is first signs you in.
Keys: d shows the device code again, p shows the address for the browser again, ? shows this, Ctrl-C gives up.`}
		if !reflect.DeepEqual(texts, want) {
			t.Errorf("got\n%s", strings.Join(texts, "\n\n"))
		}
	})
}

// TestTheFirstWayAtOnce: where nothing comes back by itself, waiting for it is not waited for.
func TestTheFirstWayAtOnce(t *testing.T) {
	t.Parallel()
	for _, keys := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			f := newFar(t, &emulator.Server{})
			f.login.Environment.Manual = true
			want := []string{"0s authorize", "0s hint: Forward the port.\n  ssh -N -L", "0s opened",
				"20s hint: The browser has not come back yet. Type", "40s hint: Still nothing. If the browser", "1m0s hint: Still nothing. Press d"}
			if !keys {
				f.login.Inputs, want = nil, append(want[:3],
					"20s hint: The browser has not come back yet. What can be done:\n- Type")
			}
			if _, err := f.run(session.PKCE); fault.KindOf(err) != fault.TimedOut {
				t.Error(err)
			}
			f.checkLog(want...)
		})
	}
}
