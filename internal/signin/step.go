package signin

import (
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

// state is all that a sign-in knows. Its zero grants are not in use.
type state struct {
	session      session.Session
	profile      string // of a session without a name, for remedies
	startURL     string // as the service knows it
	region       string
	opens        bool // we may open a browser
	keys         bool // somebody is at a terminal
	manual       bool // the first way is told with the address
	insist       bool // without a listener there is no sign-in
	fallback     bool // PKCE is begun when the service gives out no device codes
	authorizeURL func(idc.AuthorizeRequest) string
	known        func(host string) bool // nil knows all
	barred       bars

	roomy  bool // there is room for the token
	code   codeGrant
	device deviceGrant
	facing session.Flow // the grant that was begun or asked for last: its news are not to be interrupted by the other's

	asking  asking          // the grants that the service is being asked to spend
	leaving error           // the caller wants no more, and goes when nothing is asked; nil when it stays
	storing session.Channel // the channel whose token is being stored; "" before
	over    bool            // the end has been said; nothing follows
}

// step is the sign-in. It changes nothing but what it returns.
func step(s state, in input) (state, []effect) {
	if s.over {
		return s, nil
	}
	if s.leaving != nil {
		switch in.(type) {
		case answered, stored:
		default:
			return s, nil // nothing is begun any more
		}
	}
	switch in := in.(type) {
	case stored:
		return s.stored(in)
	case stopped:
		return s.stopped(in)
	}
	if s.storing != "" {
		return s, nil // a grant was first
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

// current reports whether a grant is alive, and the one of that turn.
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
		return s.tried(tried{flow: in.flow}) // trying takes the lock, and a grant that is being spent may have it
	}
	return s, []effect{try{in.flow}}
}

func (s state) tried(in tried) (state, []effect) {
	if in.err != nil {
		return s.fail(in.err) // no grant could be kept
	}
	s.roomy = true
	if in.flow == session.PKCE {
		return s, []effect{listen{s.code.turn, s.code.state}}
	}
	return s, []effect{s.register(session.Device, false)}
}

// register asks for a client. One for the authorization code carries the start URL, so that a wrong one is told at once.
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

// granted goes from a token that was issued to one that is stored.
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

// skew returns how far our clock is ahead of the service's, or 0 if unknown. The expiry of a token is computed from our
// clock, as every client does, so a wrong clock makes a good token seem dead, or a dead one good.
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

// lose ends one grant, and with the last one the sign-in. What it knew is gone, and what still comes for it is late.
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

// without returns the state after a grant was lost. The other one is what the person looks at from now on.
func (s state) without(flow session.Flow) state {
	if flow == session.PKCE {
		s.code, s.facing = codeGrant{turn: s.code.turn + 1}, session.Device
	} else {
		s.device, s.facing = deviceGrant{turn: s.device.turn + 1}, session.PKCE
	}
	return s
}

// denied ends the sign-in whatever else is alive: a person has said no.
func (s state) denied(cause error) (state, []effect) {
	return s.fail(because(cause, fault.Denied, fault.Preface{Words: "to try again,", Then: s.login()},
		"the sign-in to %q was denied in the browser", s.session.Label()))
}

// fail ends the sign-in. The browser is told what the terminal is told.
func (s state) fail(err error) (state, []effect) {
	s.over = true
	err = s.naming(err)
	return s, []effect{answerBrowser{err}, end{err: err}}
}

func (s state) stopped(in stopped) (state, []effect) {
	if s.storing != "" {
		return s, nil // the grant is spent: what it gave is kept
	}
	s.leaving = in.err
	return s.leave()
}

// asking says for which flows an exchange is under way. A lost grant's may be.
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

// leave ends the sign-in for a caller who wants no more, unless the service is just being asked for a token: should it
// give one, that is kept, since the grant is spent.
func (s state) leave() (state, []effect) {
	if s.asking.code || s.asking.device || s.storing != "" {
		return s, nil
	}
	next, effects := s.fail(s.leaving)
	return next, append(s.doubted(), effects...)
}

// unknownClient ends a grant because the service does not know the registration, or no longer. It is forgotten.
func (s state) unknownClient(flow session.Flow, cause error) (state, []effect) {
	next, effects := s.lose(flow, because(cause, fault.SignInNeeded, s.login(),
		"the service does not accept the client registration of %s any more", s.session.InWords()))
	return next, append([]effect{forget{flow}}, effects...)
}

// unwelcomeClient ends a grant because the service does not allow it to clients like ours. That is policy, and a new
// registration would meet it too; but should it be about this one, the next sign-in has another.
func (s state) unwelcomeClient(flow session.Flow, cause error) (state, []effect) {
	next, effects := s.lose(flow, cause)
	return next, append([]effect{forget{flow}}, effects...)
}

// because returns err's fault in other words, with err as the cause.
func because(err error, kind fault.Kind, remedy fault.Remedy, format string, args ...any) error {
	f := fault.Suggest(kind, remedy, format, args...)
	f.Err = err
	return f
}
