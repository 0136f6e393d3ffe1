package signin

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/session"
)

// every is how long to wait for the redirect before the next way is named. A person who has to sign in and to consent
// first takes about as long.
const every = 20 * time.Second

// completed adds the ways that exist everywhere to those of a place: a paste, and a device code. A place may rank
// them, but not word them: the words depend on the keys that can be pressed.
func (s state) completed(ways []Way) []Way {
	everywhere := map[session.Channel]bool{session.Paste: s.keys || s.code.announced, session.DeviceCode: true}
	var all []Way
	for _, w := range append(slices.Clip(ways), Way{Channel: session.Paste}, Way{Channel: session.DeviceCode}) {
		switch may, known := everywhere[w.Channel]; {
		case known && may:
			everywhere[w.Channel] = false // list it once
			all = append(all, Way{Channel: w.Channel})
		case known, w.Channel == session.Callback, w.Text == "" && w.Command == "": // the paste names callback too
		default:
			all = append(all, w)
		}
	}
	return all
}

// open returns those of ways that help now.
func (s state) open(ways []Way) []Way {
	return slices.DeleteFunc(slices.Clone(ways), func(w Way) bool {
		return w.Channel == session.DeviceCode && (s.device.active || s.barrier(session.Device) != "")
	})
}

// resume adds the wait for the next notice, if one is due and none is under way.
func (s state) resume(effects []effect) (state, []effect) {
	if s.facing != session.PKCE || !s.code.awaited() || s.code.timing || len(s.open(s.code.ways[s.code.said:])) == 0 {
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
	best := s.ways(ways[:1], AtOnce)
	if len(s.code.told) == 0 {
		s.code.told = []Ways{best}
	}
	return s, append(effects, tell{best})
}

// waited names the next way to bring the redirect here; without a terminal, where nobody can ask, it names all. It
// leaves a person alone who looks at a device code.
func (s state) waited() (state, []effect) {
	s.code.timing = false
	if s.facing != session.PKCE || !s.code.code.IsZero() {
		return s, nil
	}
	when := First
	if s.code.urged {
		when = Later
	}
	s.code.urged = true
	ways := s.open(s.code.ways[s.code.said:])
	if len(ways) == 0 {
		return s, nil
	}
	told := slices.Clip(s.code.told)
	if !s.keys {
		all := s.ways(ways, All)
		s.code.said, s.code.told = len(s.code.ways), append(told, all)
		return s, []effect{tell{all}}
	}
	s.code.told = append(told, s.ways(ways[:1], AtOnce))
	s.code.said += 1 + slices.Index(s.code.ways[s.code.said:], ways[0])
	return s.resume([]effect{tell{s.ways(ways[:1], when)}})
}

// unreadable stands for a host that cannot be read.
const unreadable = "an address that cannot be read"

// stranger returns the host of the first address that is neither AWS's nor a configured one, or "".
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
