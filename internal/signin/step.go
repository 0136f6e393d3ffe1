package signin

import (
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

// state is all that a sign-in knows. A zero grant is not in use.
type state struct {
	session      session.Session
	profile      string // of a session without a name, for remedies
	startURL     string // as the service knows it
	region       string
	opens        bool // we may open a browser
	keys         bool // somebody is at a terminal
	manual       bool // tell the first way with the address
	insist       bool // without a listener there is no sign-in
	fallback     bool // start PKCE if the service issues no device codes
	authorizeURL func(idc.AuthorizeRequest) string
	known        func(host string) bool // nil knows every host
	barred       bars

	roomy  bool // there is room for the token
	code   codeGrant
	device deviceGrant
	facing session.Flow // the grant started or asked for last: notices about the other one wait

	asking  asking          // the grants that are being exchanged
	leaving error           // why the caller gives up: it leaves once no exchange is under way; nil while it stays
	storing session.Channel // the channel whose token is being stored; "" before
	over    bool            // the sign-in has ended; nothing follows
}

// step returns the next state after in, and what to do. It has no side effects.
func step(s state, in input) (state, []effect) {
	if s.over {
		return s, nil
	}
	if s.leaving != nil {
		switch in.(type) {
		case answered, stored:
		default:
			return s, nil // start nothing more
		}
	}
	switch in := in.(type) {
	case stored:
		return s.stored(in)
	case stopped:
		return s.stopped(in)
	}
	if s.storing != "" {
		return s, nil // another grant was first
	}
	switch in := in.(type) {
	case begun:
		if !s.alive(in.flow) {
			return s.begin(in)
		}
	case tried:
		if s.alive(in.flow) {
			return s.tried(in)
		}
	case registered:
		if s.current(in.flow, in.turn) {
			return s.registered(in)
		}
	case opened:
		if s.alive(in.flow) {
			return s.opened(in)
		}
	case answered:
		s = s.heard(in)
		switch {
		case s.leaving != nil && (in.err != nil || !s.current(in.flow, in.turn)):
			return s.leave()
		case s.current(in.flow, in.turn):
			return s.answered(in)
		}
	case bound:
		if s.current(session.PKCE, in.turn) {
			return s.bound(in)
		}
	case redirected:
		if s.current(session.PKCE, in.turn) {
			return s.redirected(in)
		}
	case deviceStarted:
		if s.current(session.Device, in.turn) {
			return s.deviceStarted(in)
		}
	case rang:
		if s.current(in.timer.flow(), in.turn) {
			return s.rang(in)
		}
	case pressed:
		return s.pressed(in)
	case pasted:
		return s.pasted(in)
	}
	return s, nil
}

func (s state) alive(flow session.Flow) bool {
	if flow == session.PKCE {
		return s.code.active
	}
	return s.device.active
}

// current reports whether the grant of that turn is alive.
func (s state) current(flow session.Flow, turn int) bool {
	if flow == session.PKCE {
		return s.code.active && s.code.turn == turn
	}
	return s.device.active && s.device.turn == turn
}

func (s state) registered(in registered) (state, []effect) {
	switch {
	case in.err != nil:
		return s.lose(in.flow, in.err)
	case in.flow == session.PKCE:
		return s.codeRegistered(in)
	}
	return s.deviceRegistered(in)
}

func (s state) answered(in answered) (state, []effect) {
	if in.flow == session.PKCE {
		return s.codeAnswered(in)
	}
	return s.deviceAnswered(in)
}

func (s state) rang(in rang) (state, []effect) {
	switch in.timer {
	case timerLimit:
		return s.limitReached()
	case timerHint:
		return s.waited()
	case timerRetry:
		s.asking.code = true
		return s, []effect{s.code.exchange()}
	case timerPoll:
		return s.poll()
	case timerLapse:
		return s.lapsed()
	}
	return s, nil
}

func (s state) begin(in begun) (state, []effect) {
	if in.err != nil {
		return s.lose(in.flow, in.err)
	}
	s.facing = in.flow
	if in.flow == session.PKCE {
		s.code = codeGrant{active: true, turn: s.code.turn, state: in.state, verifier: in.verifier}
	} else {
		s.device = deviceGrant{active: true, turn: s.device.turn}
	}
	if s.roomy {
		return s.tried(tried{flow: in.flow}) // trying takes the lock, which an exchange may hold
	}
	return s, []effect{try{in.flow}}
}

func (s state) tried(in tried) (state, []effect) {
	if in.err != nil {
		return s.fail(in.err) // no token could be stored
	}
	s.roomy = true
	if in.flow == session.PKCE {
		return s, []effect{listen{s.code.turn, s.code.state}}
	}
	return s, []effect{s.register(session.Device, false)}
}

// register asks for a client. With PKCE it carries the start URL, so the service refuses a wrong one at once.
func (s state) register(flow session.Flow, fresh bool) effect {
	turn := s.device.turn
	if flow == session.PKCE {
		turn = s.code.turn
	}
	return register{flow, turn, idc.RegisterRequest{
		ClientName: clientName(s.session),
		Scopes:     s.session.RegistrationScopes(),
		PKCE:       flow == session.PKCE,
		IssuerURL:  s.startURL,
	}, fresh}
}

// granted stores a token that was issued.
func (s state) granted(in answered, reg session.Registration, channel session.Channel, port int) (state, []effect) {
	tok := session.Token{
		StartURL:              s.session.StartURL,
		Region:                s.region,
		AccessToken:           in.grant.AccessToken,
		ExpiresAt:             in.at.Add(in.grant.ExpiresIn).UTC().Truncate(time.Second),
		RefreshToken:          in.grant.RefreshToken,
		ClientID:              reg.ClientID,
		ClientSecret:          reg.ClientSecret,
		RegistrationExpiresAt: reg.ExpiresAt,
	}
	s.storing = channel
	effects := []effect{keep{in.flow, Result{Token: tok, Channel: channel, Port: port}}}
	if ahead := skew(in.at, in.grant.Date); ahead.Abs() > skewed {
		effects = append(effects, tell{ClockOff{ahead}})
	}
	return s, effects
}

// skew returns how far our clock is ahead of the service's, or 0 if unknown. The expiry of a token is computed from
// our clock, as every client does, so a wrong clock makes a good token seem dead, or a dead one good.
func skew(now, date time.Time) time.Duration {
	if date.IsZero() {
		return 0
	}
	return now.Sub(date).Round(time.Second)
}

func (s state) stored(in stored) (state, []effect) {
	if in.err != nil {
		return s.fail(in.err)
	}
	s.over = true
	return s, []effect{
		dropRoles{}, tell{signedIn(s.session, in.result, in.at)}, answerBrowser{}, end{result: in.result},
	}
}

// lose ends one grant, and with the last one the sign-in. Inputs that still arrive for the lost grant are ignored.
func (s state) lose(flow session.Flow, err error) (state, []effect) {
	s = s.without(flow)
	if !s.code.active && !s.device.active {
		return s.fail(err)
	}
	effects := []effect{tell{StillOpen{err}}}
	if flow == session.PKCE {
		return s, append(effects, answerBrowser{err})
	}
	return s.resume(effects)
}

// without returns the state after a grant was lost. From now on the person looks at the other one.
func (s state) without(flow session.Flow) state {
	if flow == session.PKCE {
		s.code, s.facing = codeGrant{turn: s.code.turn + 1}, session.Device
	} else {
		s.device, s.facing = deviceGrant{turn: s.device.turn + 1}, session.PKCE
	}
	return s
}

// denied ends the sign-in even if the other grant is alive: a person has said no.
func (s state) denied(cause error) (state, []effect) {
	return s.fail(because(cause, fault.Denied, fault.Preface{Words: "to try again,", Then: s.login()},
		"the sign-in to %q was denied in the browser", s.session.Label()))
}

// fail ends the sign-in. Browser and terminal show the same error.
func (s state) fail(err error) (state, []effect) {
	s.over = true
	err = s.naming(err)
	return s, []effect{answerBrowser{err}, end{err: err}}
}

func (s state) stopped(in stopped) (state, []effect) {
	if s.storing != "" {
		return s, nil // the grant is spent: keep its token
	}
	s.leaving = in.err
	return s.leave()
}

// asking says for which flows an exchange is under way, even one of a lost grant.
type asking struct{ code, device bool }

// heard notes that an exchange is over.
func (s state) heard(in answered) state {
	if in.flow == session.PKCE {
		s.asking.code = false
	} else {
		s.asking.device = false
	}
	return s
}

// leave ends the sign-in for a caller who gives up. If an exchange is under way it waits for the answer: the grant
// may be spent, so a token must be kept.
func (s state) leave() (state, []effect) {
	if s.asking.code || s.asking.device || s.storing != "" {
		return s, nil
	}
	next, effects := s.fail(s.leaving)
	return next, append(s.doubted(), effects...)
}

// unknownClient ends a grant because the service does not know the registration. It is forgotten.
func (s state) unknownClient(flow session.Flow, cause error) (state, []effect) {
	next, effects := s.lose(flow, because(cause, fault.SignInNeeded, s.login(),
		"the service does not accept the client registration of %s any more", s.session.InWords()))
	return next, append([]effect{forget{flow}}, effects...)
}

// unwelcomeClient ends a grant because the service does not allow it to clients like ours. That is policy, so a new
// registration now would not help; forget this one all the same, in case only this one is refused.
func (s state) unwelcomeClient(flow session.Flow, cause error) (state, []effect) {
	next, effects := s.lose(flow, cause)
	return next, append([]effect{forget{flow}}, effects...)
}

// because words err anew, and keeps it as the cause.
func because(err error, kind fault.Kind, remedy fault.Remedy, format string, args ...any) error {
	f := fault.Suggest(kind, remedy, format, args...)
	f.Err = err
	return f
}
