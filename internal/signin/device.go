package signin

import (
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/retry"
	"github.com/homing-cli/homing/internal/session"
)

// deviceGrant is a sign-in by device code.
type deviceGrant struct {
	active   bool
	turn     int // counts the lost ones
	reg      session.Registration
	cached   bool // reg is from an earlier sign-in
	auth     idc.DeviceAuthorization
	interval time.Duration // between polls; grows with every slow_down
	missed   int           // polls without an answer since the last one that had one
	polling  bool          // a poll is under way
	dead     bool          // the code has lapsed while a poll was under way
	lost     error         // why the last poll had no answer; nil if it had one

	shown DeviceCode // to the person, at since; no code before that
	since time.Time
}

// awaited reports whether a person can act on the code.
func (g deviceGrant) awaited() bool { return g.active && g.shown.UserCode != "" }

const (
	// slower is what slow_down adds to this and all later waits (RFC 8628 3.5).
	slower = 5 * time.Second
	// usualInterval is the wait if the service names none (RFC 8628 3.2).
	usualInterval = 5 * time.Second
	// slowest bounds the back-off, so that an approval is still noticed soon after the network is back.
	slowest = time.Minute
)

// pause returns the wait before the next poll: the interval, doubled for every poll in a row without an answer (RFC
// 8628 3.5), plus a fifth. The clock of a virtual machine may run fast (WSL), and a wait that is too short is
// answered with slow_down.
func (g deviceGrant) pause() time.Duration {
	d := g.interval
	for range g.missed {
		if d *= 2; d >= slowest {
			d = max(slowest, g.interval)
			break
		}
	}
	return d + d/5
}

func (s state) deviceRegistered(in registered) (state, []effect) {
	s.device.reg, s.device.cached = in.reg, in.cached
	return s, []effect{startDevice{s.device.turn, in.reg, s.startURL}}
}

func (s state) deviceStarted(in deviceStarted) (state, []effect) {
	switch code := idc.CodeOf(in.err); {
	case code == idc.CodeInvalidClient && s.device.cached:
		return s, []effect{forget{session.Device}, s.register(session.Device, true)}
	case code == idc.CodeUnauthorizedClient, code == idc.CodeAccessDenied:
		return s.noDeviceCodes(in.err)
	case in.err != nil:
		return s.lose(session.Device, in.err)
	}
	a := in.auth
	if !plain.IsLine(a.VerificationURI) || !plain.IsLine(a.VerificationURIComplete) || !plain.IsLine(a.UserCode) {
		return s.lose(session.Device, fault.New(fault.Unavailable, "check the network and the proxy settings",
			"the device code that was received holds control characters"))
	}
	s.device.auth = a
	s.device.interval = a.Interval
	if s.device.interval <= 0 {
		s.device.interval = usualInterval
	}
	s.device.since = in.at
	s.device.shown = DeviceCode{
		VerificationURI: a.VerificationURI, VerificationURIComplete: a.VerificationURIComplete, UserCode: a.UserCode,
		ExpiresIn: a.ExpiresIn, ClientName: clientName(s.session), StartURL: s.startURL, Region: s.region,
		Keys: s.keys, Stranger: s.stranger(a.VerificationURI, a.VerificationURIComplete),
	}
	s.device.shown.Opening = s.opens && a.VerificationURIComplete != "" && s.device.shown.Stranger == ""
	effects := []effect{
		wait{timerLapse, s.device.turn, a.ExpiresIn},
		wait{timerPoll, s.device.turn, s.device.pause()},
		tell{s.device.shown},
	}
	if s.device.shown.Opening {
		effects = append(effects, open{session.Device, a.VerificationURIComplete})
	}
	return s, effects
}

// noDevices returns the error for an instance that issues no device codes. The remedy is the other flow, which a
// legacy profile does not have and a policy may forbid.
func (s state) noDevices(cause error) error {
	var remedy fault.Remedy
	switch {
	case s.session.Legacy():
		remedy = fault.Preface{
			Words: "to give the session a name, so that a browser redirect works,", Then: fault.ConfigureSSO{},
		}
	case s.barred.code == ByPolicy:
		remedy = fault.Advice("ask the administrator of IAM Identity Center, or who forbids a browser redirect on " +
			"this machine")
	default:
		return cause
	}
	return because(cause, fault.Denied, remedy, "%s", cause.Error())
}

func (s state) poll() (state, []effect) {
	s.device.polling, s.asking.device = true, true
	return s, []effect{exchange{
		flow: session.Device, turn: s.device.turn, reg: s.device.reg, deviceCode: s.device.auth.DeviceCode,
	}}
}

func (s state) deviceAnswered(in answered) (state, []effect) {
	s.device.polling = false
	if in.err == nil {
		return s.granted(in, s.device.reg, session.DeviceCode, 0)
	}
	var effects []effect
	switch code := idc.CodeOf(in.err); {
	case code == idc.CodeAuthorizationPending:
		s.device.missed, s.device.lost = 0, nil
	case code == idc.CodeSlowDown:
		s.device.missed, s.device.lost = 0, nil
		s.device.interval += slower
	case retry.Passing(in.err):
		if s.device.lost == nil {
			effects = append(effects, tell{StillTrying{in.err}})
		}
		s.device.missed++
		s.device.lost = in.err
	case code == idc.CodeAccessDenied:
		return s.denied(in.err)
	case code == idc.CodeInvalidGrant, code == idc.CodeExpiredToken:
		// Not only expired_token: so far the service has called every lapsed code an invalid grant.
		return s.tooLate(in.err)
	case code == idc.CodeInvalidClient:
		return s.unknownClient(session.Device, in.err)
	case code == idc.CodeUnauthorizedClient:
		return s.unwelcomeClient(session.Device, in.err)
	default:
		return s.lose(session.Device, in.err)
	}
	if s.device.dead {
		return s.tooLate(s.device.lost)
	}
	return s, append(effects, wait{timerPoll, s.device.turn, max(s.device.pause(), retry.After(in.err))})
}

// lapsed ends the wait by our own clock. A poll that is under way may still bring the token.
func (s state) lapsed() (state, []effect) {
	if s.device.polling {
		s.device.dead = true
		return s, nil
	}
	return s.tooLate(s.device.lost)
}

func (s state) tooLate(cause error) (state, []effect) {
	remedy := fault.Preface{Words: "for a new code,", Then: s.login()}
	return s.lose(session.Device, because(cause, fault.TimedOut, remedy,
		"the device code for %q is no longer valid: it was not approved in time", s.session.Label()))
}
