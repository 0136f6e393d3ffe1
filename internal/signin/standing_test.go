package signin

import (
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/session"
)

// TestStanding: what is shown stands until it is used, lost or over; what was begun last is told last.
func TestStanding(t *testing.T) {
	t.Parallel()
	code := redirected{redirect: callback.Redirect{Code: session.NewSecret("code")}, channel: session.Loopback}
	both := after(after(toAuthorize, press('d'), begunDev), toSecond...)
	for _, tt := range []struct {
		name   string
		inputs []input
		want   string
	}{
		{"nothing yet", toAuthorize[:3], ""},
		{"an address", toAuthorize, "authorize"},
		{"a code", toPolling, "device_code"},
		{"a code is on its way", after(toAuthorize, press('d'), begunDev), "authorize"},
		{"both", both, "authorize device_code"},
		{"both, and p", after(both, press('p')), "device_code authorize"},
		{"the address was used", after(both, code), "device_code"},
		{"the address is over", after(both, rang{timer: timerLimit}), "device_code"},
		{"the code has lapsed", after(both, rang{timer: timerLapse}), "authorize"},
	} {
		s, _ := play(seated(), tt.inputs...)
		var got []string
		for _, standing := range s.standing() {
			got = append(got, label(standing.Event))
			if label(standing.Event) == "device_code" && !standing.Since.Equal(noon) {
				t.Errorf("%s: %s since %v", tt.name, label(standing.Event), standing.Since)
			}
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s: %q stands, want %q", tt.name, got, tt.want)
		}
	}
}

// TestStandingWay: a login that comes later gets what was said about the return channels with the address.
func TestStandingWay(t *testing.T) {
	t.Parallel()
	said := rang{timer: timerHint}
	for name, tt := range map[string]struct {
		from   state
		inputs []input
		want   string
	}{
		"nothing was said": {seated(), toAuthorize, ""},
		"the first":        {seated(), after(toAuthorize, said), "at once: paste"},
		"the next":         {seated(), after(toAuthorize, said, said), "at once: paste, at once: device"},
		"all at once":      {fresh(), after(toAuthorize, said), "all: paste device"},
	} {
		s, _ := play(tt.from, tt.inputs...)
		all := s.standing()
		if len(all) != 1 {
			t.Fatalf("%s: %+v", name, all)
		}
		var got []string
		for _, ways := range all[0].Ways {
			text := string(ways.When) + ":"
			for _, w := range ways.Ways {
				text += " " + string(w.Channel)
			}
			got = append(got, text)
		}
		if got := strings.Join(got, ", "); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
