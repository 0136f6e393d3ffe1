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
			got = append(got, standing.Event.event())
			if standing.Event.event() == "device_code" && !standing.Since.Equal(noon) {
				t.Errorf("%s: %s since %v", tt.name, standing.Event.event(), standing.Since)
			}
		}
		if got := strings.Join(got, " "); got != tt.want {
			t.Errorf("%s: %q stands, want %q", tt.name, got, tt.want)
		}
	}
}

// TestStandingWay: what was said of the ways goes with the address, for who comes later.
func TestStandingWay(t *testing.T) {
	t.Parallel()
	said := rang{timer: timerHint}
	for name, tt := range map[string]struct {
		from   state
		inputs []input
		want   string
	}{
		"nothing was said": {seated(), toAuthorize, ""},
		"the first":        {seated(), after(toAuthorize, said), seated().pasteWay(true).Text},
		"the next":         {seated(), after(toAuthorize, said, said), seated().pasteWay(true).Text + "\n" + seated().deviceWay().Text},
		"all at once":      {fresh(), after(toAuthorize, said), "The browser has not come back yet. What can be done:"},
	} {
		s, _ := play(tt.from, tt.inputs...)
		all := s.standing()
		if len(all) != 1 || !strings.HasPrefix(all[0].Way, tt.want) || tt.want == "" && all[0].Way != "" {
			t.Errorf("%s: %+v, want %q", name, all, tt.want)
		}
	}
}
