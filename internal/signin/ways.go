package signin

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/session"
)

// every is how long a redirect is waited for before the next way for it is named. A person who has to sign in and to
// consent first takes about as long.
const every = 20 * time.Second

// completed adds to the ways of a place those that are everywhere. What is said of them is said here: it depends on the
// keys that can be pressed.
func (s state) completed(ways []Way, found bool) []Way {
	ways = slices.Clone(ways)
	for _, everywhere := range []Way{s.pasteWay(found), s.deviceWay()} {
		i := slices.IndexFunc(ways, func(w Way) bool { return w.Channel == everywhere.Channel })
		if i < 0 {
			ways = append(ways, everywhere)
		} else {
			ways[i] = everywhere
		}
	}
	return slices.DeleteFunc(ways, func(w Way) bool {
		return w.Text == "" && w.Command == "" || w.Channel == session.Callback // which the paste names too
	})
}

// open returns those of ways that help now.
func (s state) open(ways []Way) []Way {
	return slices.DeleteFunc(slices.Clone(ways), func(w Way) bool {
		return w.Channel == session.DeviceCode && (s.device.active || s.barrier(session.Device) != "")
	})
}

// resume adds the wait for the next hint to effects, where one is due and none is waited for.
func (s state) resume(effects []effect) (state, []effect) {
	if s.facing != session.PKCE || s.code.timing || s.code.shown.URL == "" || !s.code.code.IsZero() || len(s.open(s.code.ways[s.code.said:])) == 0 {
		return s, effects
	}
	s.code.timing = true
	return s, append(effects, wait{timerHint, s.code.turn, every})
}

// atOnce adds the best way to effects.
func (s state) atOnce(effects []effect) (state, []effect) {
	ways := s.open(s.code.ways)
	if len(ways) == 0 {
		return s, effects
	}
	s.code.said = max(s.code.said, 1+slices.Index(s.code.ways, ways[0]))
	best := ways[0].Text + onItsOwnLine(ways[0].Command, "  ")
	s.code.way = cmp.Or(s.code.way, best)
	return s, append(effects, hint(best))
}

// waited names the next way for a redirect that does not come, and without a terminal all of them: nobody can ask there.
// A person who looks at a device code is left alone.
func (s state) waited() (state, []effect) {
	s.code.timing = false
	if s.facing != session.PKCE || !s.code.code.IsZero() {
		return s, nil
	}
	first := !s.code.urged
	s.code.urged = true
	ways := s.open(s.code.ways[s.code.said:])
	if len(ways) == 0 {
		return s, nil
	}
	if !s.keys {
		s.code.said = len(s.code.ways)
		s.code.way = strings.TrimPrefix(s.code.way+"\n"+waitingFor(ways), "\n")
		return s, []effect{hint(waitingFor(ways))}
	}
	s.code.way = strings.TrimPrefix(s.code.way+"\n"+ways[0].Text+onItsOwnLine(ways[0].Command, "  "), "\n")
	s.code.said += 1 + slices.Index(s.code.ways[s.code.said:], ways[0])
	return s.resume([]effect{hint(stillWaiting(ways[0], first))})
}

// stranger returns the host of the first of addresses that is neither AWS's nor a configured one, "" when there is none.
func (s state) stranger(addresses ...string) string {
	if s.known == nil {
		return ""
	}
	for _, a := range addresses {
		if a == "" {
			continue
		}
		u, err := url.Parse(a)
		switch {
		case err != nil || u.Hostname() == "":
			return unreadable
		case !s.known(strings.ToLower(u.Hostname())):
			return plain.Line(u.Host, 253)
		}
	}
	return ""
}
