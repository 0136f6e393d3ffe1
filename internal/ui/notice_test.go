package ui

import (
	"errors"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/quote"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
)

// TestNotices: every notice has words of its own, and other events have none.
func TestNotices(t *testing.T) {
	t.Parallel()
	cause := errors.New("because")
	paste, device := []signin.Way{{Channel: session.Paste}}, []signin.Way{{Channel: session.DeviceCode}}
	seen := map[string]signin.Event{}
	for _, e := range []signin.Event{
		signin.NoBrowser{}, signin.Arrived{},
		signin.Barred{Flow: session.PKCE, Why: signin.ByLegacy}, signin.Barred{Flow: session.PKCE,
			Why: signin.ByPolicy},
		signin.Barred{Flow: session.PKCE, Why: signin.ByListener}, signin.Barred{Flow: session.Device,
			Why: signin.ByPolicy},
		signin.Barred{Flow: session.Device, Why: signin.ByService},
		signin.Mispasted{Why: signin.Unawaited}, signin.Mispasted{Why: signin.Unawaited, MayPKCE: true},
		signin.Mispasted{Why: signin.ToOpen}, signin.Mispasted{Why: signin.OfAnother},
		signin.Mispasted{Why: signin.Unreadable, Err: cause},
		signin.Waiting{}, signin.Waiting{Renews: true}, signin.Waiting{Lock: "/l"}, signin.Waiting{Lock: "/l", Renews: true},
		signin.StillOpen{Err: cause}, signin.StillTrying{Err: cause}, signin.RolesKept{Err: cause},
		signin.FellBack{To: session.PKCE, Session: "dev", Err: cause}, signin.FellBack{To: session.Device, Err: cause},
		signin.Unannounced{Err: cause}, signin.PortsBusy{Busy: []callback.Busy{{Port: 1}}, Port: 2},
		signin.ClockOff{Ahead: time.Hour}, signin.ClockOff{Ahead: -time.Hour},
		signin.Ways{Ways: paste, When: signin.AtOnce}, signin.Ways{Ways: paste, When: signin.First, Keys: true},
		signin.Ways{Ways: paste, When: signin.Later, Keys: true, Callback: true},
		signin.Ways{Ways: device, When: signin.AtOnce}, signin.Ways{Ways: device, When: signin.Later, Keys: true},
		signin.Ways{Ways: append(paste, device...), When: signin.All},
		signin.Help{}, signin.Help{PKCE: signin.Grant{Bar: signin.ByPolicy}},
		signin.Help{Device: signin.Grant{Bar: signin.ByPolicy}},
	} {
		text := Notice(e, quote.Sh)
		if other, ok := seen[text]; ok || text == "" {
			t.Errorf("%#v: %q, as %#v", e, text, other)
		}
		seen[text] = e
	}
	for _, e := range []signin.Event{signin.Environment{}, signin.Authorize{}, signin.DeviceCode{}, signin.SignedIn{}} {
		if text := Notice(e, quote.Sh); text != "" {
			t.Errorf("%T: %q", e, text)
		}
	}
}
