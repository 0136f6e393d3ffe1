package signin

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// bars say why a flow cannot be started.
type bars struct{ code, device Bar }

func barsOf(r *Login) bars {
	var b bars
	switch {
	case r.Session.Legacy():
		b.code = ByLegacy
	case !r.Environment.MayPKCE:
		b.code = ByPolicy
	}
	if !r.Environment.MayDevice {
		b.device = ByPolicy
	}
	return b
}

// barrier returns why flow cannot be started, or "".
func (s state) barrier(flow session.Flow) Bar {
	if flow == session.PKCE {
		return s.barred.code
	}
	return s.barred.device
}

// pressed acts on a key. A switch starts the other grant beside the one that is alive; approving either signs in.
func (s state) pressed(in pressed) (state, []effect) {
	switch unicode.ToLower(in.key) {
	case 'd':
		return s.ask(session.Device, in.at)
	case 'p':
		return s.ask(session.PKCE, in.at)
	case '?':
		return s, []effect{tell{s.help()}}
	}
	return s, nil
}

// ask starts a grant, or shows the one that is alive again.
func (s state) ask(flow session.Flow, at time.Time) (state, []effect) {
	switch bar := s.barrier(flow); {
	case s.alive(flow):
		s.facing = flow
		return s.showAgain(flow, at)
	case bar != "":
		return s, []effect{tell{Barred{flow, bar}}}
	case !s.roomy:
		return s, nil // the first one has hardly begun
	}
	return s, []effect{begin{flow}}
}

func (s state) showAgain(flow session.Flow, at time.Time) (state, []effect) {
	if flow == session.Device {
		if s.device.shown.UserCode == "" {
			return s, nil // it is on its way
		}
		e := s.device.shown
		e.Opening, e.ExpiresIn = false, left(e.ExpiresIn, s.device.since, at)
		return s, []effect{tell{e}}
	}
	switch {
	case !s.code.code.IsZero():
		return s, []effect{tell{Arrived{}}}
	case s.code.shown.URL == "":
		return s, nil
	}
	e := s.code.shown
	e.Opening, e.ExpiresIn = false, left(e.ExpiresIn, s.code.since, at)
	effects := []effect{tell{e}}
	if s.manual {
		s, effects = s.atOnce(effects)
	}
	return s.resume(effects)
}

// standing returns what a person can act on.
func (s state) standing() []Standing {
	var all []Standing
	if s.code.awaited() {
		all = append(all, Standing{s.code.shown, s.code.since, s.code.told})
	}
	if s.device.awaited() {
		all = append(all, Standing{s.device.shown, s.device.since, nil})
	}
	if s.facing == session.PKCE {
		slices.Reverse(all) // tell last what the person looks at
	}
	return all
}

// left returns what remains at a time of a duration d that began at since.
func left(d time.Duration, since, at time.Time) time.Duration {
	return max(0, d-max(0, at.Sub(since))).Truncate(time.Second)
}

// noDeviceCodes goes on if the service issues no device codes: with the other grant if it is alive, with PKCE if that
// is the fallback. Otherwise it ends the sign-in.
func (s state) noDeviceCodes(cause error) (state, []effect) {
	s.barred.device = ByService
	if s.code.active || !s.fallback || s.barred.code != "" {
		return s.unwelcomeClient(session.Device, s.noDevices(cause))
	}
	told := tell{FellBack{session.PKCE, s.session.Label(), cause}}
	return s.without(session.Device), []effect{forget{session.Device}, told, begin{session.PKCE}}
}

// unbound goes on without a listener: with a device code, unless PKCE or the port was asked for.
func (s state) unbound(cause error) (state, []effect) {
	s.barred.code = ByListener
	login, ok := fault.Action(fault.RemedyOf(cause)).(fault.Login)
	if ok && login.Flow == session.Device && s.barred.device != "" {
		remedy := fault.Preface{Words: "find out why no program may listen on 127.0.0.1, then", Then: s.login()}
		cause = fault.WithRemedy(cause, remedy)
	}
	if s.device.active || s.insist || s.barred.device != "" {
		return s.lose(session.PKCE, cause)
	}
	told := tell{FellBack{session.Device, s.session.Label(), cause}}
	return s.without(session.PKCE), []effect{told, begin{session.Device}}
}

// pasted takes a redirect from the terminal. A wrong one does not end the sign-in.
func (s state) pasted(in pasted) (state, []effect) {
	if !s.code.active {
		return s, []effect{tell{Mispasted{Why: Unawaited, MayPKCE: s.barrier(session.PKCE) == ""}}}
	}
	if !s.code.code.IsZero() {
		return s, []effect{tell{Arrived{}}}
	}
	state, redirect, err := callback.Parse(in.text.Reveal())
	switch {
	case err == nil:
	case strings.Contains(in.text.Reveal(), "redirect_uri="):
		return s, []effect{tell{Mispasted{Why: ToOpen}}}
	default:
		return s, []effect{tell{Mispasted{Why: Unreadable, Err: err}}}
	}
	if !session.NewSecret(state).Equal(session.NewSecret(s.code.state)) { // in constant time
		return s, []effect{tell{Mispasted{Why: OfAnother}}}
	}
	return s.redirected(redirected{s.code.turn, redirect, session.Paste})
}
