package signin

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

// state is all that a sign-in knows. Its zero grants are not in use.
type state struct {
	session      session.Session
	profile      string // of a session without a name, for hints
	startURL     string // as the service knows it
	region       string
	opens        bool // we may open a browser
	authorizeURL func(idc.AuthorizeRequest) string

	code   codeGrant
	device deviceGrant

	storing Channel // the channel whose token is being stored; "" before
	over    bool    // the end has been said; nothing follows
}

// input is something that happened.
type input any

type (
	// begun starts a grant. Chance comes with it.
	begun struct {
		flow     Flow
		state    string         // of the authorize URL
		verifier session.Secret // RFC 7636 4.1
	}
	// tried says whether the token file can be written.
	tried struct {
		flow Flow
		err  error
	}
	// bound says where the listener is.
	bound struct {
		redirectURI string
		err         error
	}
	// registered brings a client.
	registered struct {
		flow   Flow
		reg    session.Registration
		cached bool // it was registered in an earlier sign-in
		err    error
	}
	// opened says that a browser was opened, or why not. It is no proof of anything.
	opened struct {
		flow Flow
		err  error
	}
	// redirected brings a redirect; its state was found right.
	redirected struct {
		redirect callback.Redirect
		channel  Channel
	}
	// deviceStarted brings a device code.
	deviceStarted struct {
		auth idc.DeviceAuthorization
		at   time.Time
		err  error
	}
	// rang says that a wait is over.
	rang struct {
		timer timer
		at    time.Time
	}
	// answered brings what CreateToken said.
	answered struct {
		flow  Flow
		grant idc.Grant
		at    time.Time
		err   error
	}
	// stored says that the token is kept, or why not.
	stored struct {
		result Result
		at     time.Time
		err    error
	}
	// stopped says that the caller wants no more.
	stopped struct{ err error }
)

// effect is something to be done.
type effect any

type (
	tell     struct{ event Event }
	try      struct{ flow Flow }    // answered by tried
	listen   struct{ state string } // answered by bound, later by redirected
	register struct {               // answered by registered
		flow   Flow
		client idc.RegisterRequest
		fresh  bool // do not use a cached one
	}
	open struct { // answered by opened
		flow Flow
		url  string
	}
	startDevice struct { // answered by deviceStarted
		reg      session.Registration
		startURL string
	}
	wait struct { // answered by rang
		timer timer
		d     time.Duration
	}
	exchange struct { // answered by answered
		flow        Flow
		reg         session.Registration
		code        session.Secret
		verifier    session.Secret
		redirectURI string
		deviceCode  session.Secret
	}
	keep struct { // answered by stored
		flow   Flow
		result Result
	}
	forget        struct{ flow Flow } // the cached registration
	dropRoles     struct{}            // the role credentials of the session
	answerBrowser struct{ err error } // nil is success
	end           struct {
		result Result
		err    error
	}
)

// timer names a wait. At most one of each is under way.
type timer string

const (
	timerLimit timer = "limit" // for the redirect
	timerRetry timer = "retry" // to send the code again
	timerPoll  timer = "poll"
	timerLapse timer = "lapse" // of the device code
)

// step is the sign-in. It changes nothing but what it returns.
func step(s state, in input) (state, []effect) {
	if s.over {
		return s, nil
	}
	switch in := in.(type) {
	case begun:
		return s.begin(in)
	case stored:
		return s.stored(in)
	case stopped:
		return s.stopped(in)
	case tried:
		if s.alive(in.flow) {
			return s.tried(in)
		}
	case registered:
		if s.alive(in.flow) {
			return s.registered(in)
		}
	case opened:
		if s.alive(in.flow) {
			return s.opened(in)
		}
	case answered:
		if s.alive(in.flow) && s.storing == "" { // else another grant was first
			return s.answered(in)
		}
	case bound:
		if s.code.active {
			return s.bound(in)
		}
	case redirected:
		if s.code.active {
			return s.redirected(in)
		}
	case deviceStarted:
		if s.device.active {
			return s.deviceStarted(in)
		}
	case rang:
		return s.rang(in)
	}
	return s, nil
}

func (s state) alive(flow Flow) bool {
	if flow == FlowPKCE {
		return s.code.active
	}
	return s.device.active
}

func (s state) registered(in registered) (state, []effect) {
	switch {
	case in.err != nil:
		return s.lose(in.flow, in.err)
	case in.flow == FlowPKCE:
		return s.codeRegistered(in)
	}
	return s.deviceRegistered(in)
}

func (s state) answered(in answered) (state, []effect) {
	if in.flow == FlowPKCE {
		return s.codeAnswered(in)
	}
	return s.deviceAnswered(in)
}

func (s state) rang(in rang) (state, []effect) {
	switch {
	case in.timer == timerLimit && s.code.active:
		return s.limitReached()
	case in.timer == timerRetry && s.code.active:
		return s, []effect{s.code.exchange()}
	case in.timer == timerPoll && s.device.active:
		return s.poll()
	case in.timer == timerLapse && s.device.active:
		return s.lapsed()
	}
	return s, nil
}

func (s state) begin(in begun) (state, []effect) {
	if in.flow == FlowPKCE {
		s.code = codeGrant{active: true, state: in.state, verifier: in.verifier}
	} else {
		s.device = deviceGrant{active: true}
	}
	return s, []effect{try{in.flow}}
}

func (s state) tried(in tried) (state, []effect) {
	if in.err != nil {
		return s.fail(in.err) // no grant could be kept
	}
	if in.flow == FlowPKCE {
		return s, []effect{listen{s.code.state}}
	}
	return s, []effect{s.register(FlowDevice, false)}
}

// register asks for a client. One for the authorization code carries the start URL, so that a wrong one is told at once.
func (s state) register(flow Flow, fresh bool) effect {
	return register{flow, idc.RegisterRequest{
		ClientName: clientName(s.session),
		Scopes:     s.session.RegistrationScopes(),
		PKCE:       flow == FlowPKCE,
		IssuerURL:  s.startURL,
	}, fresh}
}

// granted goes from a token that was issued to one that is stored.
func (s state) granted(in answered, reg session.Registration, channel Channel) (state, []effect) {
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
	effects := []effect{keep{in.flow, Result{Token: tok, Channel: channel}}}
	if text := skew(in.at, in.grant.Date); text != "" {
		effects = append(effects, tell{Hint{text}})
	}
	return s, effects
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

// lose ends one grant, and with the last one the sign-in.
func (s state) lose(flow Flow, err error) (state, []effect) {
	if flow == FlowPKCE {
		s.code.active = false
	} else {
		s.device.active = false
	}
	if !s.code.active && !s.device.active {
		return s.fail(err)
	}
	effects := []effect{tell{Hint{"The other way to sign in is still open: " + err.Error()}}}
	if flow == FlowPKCE {
		effects = append(effects, answerBrowser{err})
	}
	return s, effects
}

// denied ends the sign-in whatever else is alive: a person has said no.
func (s state) denied(cause error) (state, []effect) {
	return s.fail(because(cause, fault.Denied, "to try again, "+s.again(""),
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
	next, effects := s.fail(in.err)
	return next, append(s.doubted(), effects...)
}

// bare is how a hint begins that was made where nobody knew what is signed in to.
const bare = "run: homing login"

// again is the command that signs in to the session.
func (s state) again(flags string) string {
	switch {
	case !s.session.Legacy():
		return bare + " --sso-session " + word(s.session.Name) + flags
	case s.profile != "":
		return bare + " --profile " + word(s.profile) + flags
	}
	return bare + flags
}

// naming returns err with a hint that names the session or the profile.
func (s state) naming(err error) error {
	before, flags, found := strings.Cut(fault.HintOf(err), bare)
	if !found || strings.Contains(flags, "--sso-session") || strings.Contains(flags, "--profile") {
		return err
	}
	return because(err, fault.KindOf(err), before+s.again(flags), "%s", err.Error())
}

// word quotes s for a shell where it must.
func word(s string) string {
	if safe(s) == s && s != "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// safe replaces what means something to a shell, or to the service, by hyphens.
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, s)
}

// clientName is what the consent page shows. The service once refused names with blanks and quotes
// (aws-cli#7643), so only what is safe everywhere is taken over from the session's name.
func clientName(s session.Session) string {
	if s.Legacy() {
		return "homing"
	}
	name := safe(s.Name)
	return "homing-" + name[:min(len(name), 64)]
}

// skew says how far our clock is off, "" when it is near enough or unknown. The expiry of a token is computed from our
// clock, as every client does, so a wrong clock makes a good token seem dead, or a dead one good.
func skew(now, date time.Time) string {
	if date.IsZero() {
		return ""
	}
	off := now.Sub(date).Round(time.Second)
	switch {
	case off > skewed:
		return fmt.Sprintf("This machine's clock is %v ahead of the service's: expiry times will be wrong until it is set.", off)
	case off < -skewed:
		return fmt.Sprintf("This machine's clock is %v behind the service's: expiry times will be wrong until it is set.", -off)
	}
	return ""
}

// passing reports whether err may go away by itself while we wait: no answer, or one that asks for patience.
func passing(err error) bool {
	switch idc.CodeOf(err) {
	case idc.CodeNetwork, idc.CodeServer, idc.CodeThrottled:
		return true
	}
	e, ok := errors.AsType[*idc.Error](err)
	return ok && e.Transient() // a gateway's 502, whatever its page says
}

// patience returns how long the service asked to be left alone, 0 when it did not say.
func patience(err error) time.Duration {
	if e, ok := errors.AsType[*idc.Error](err); ok {
		return e.RetryAfter()
	}
	return 0
}

// unknownClient ends a grant because the service does not know the registration, or no longer. It is forgotten.
func (s state) unknownClient(flow Flow, cause error) (state, []effect) {
	next, effects := s.lose(flow, because(cause, fault.SignInNeeded, s.again(""),
		"the service does not accept the client registration of session %q any more", s.session.Label()))
	return next, append([]effect{forget{flow}}, effects...)
}

// unwelcomeClient ends a grant because the service does not allow it to clients like ours. That is policy, and a new
// registration would meet it too; but should it be about this one, the next sign-in has another.
func (s state) unwelcomeClient(flow Flow, cause error) (state, []effect) {
	next, effects := s.lose(flow, cause)
	return next, append([]effect{forget{flow}}, effects...)
}

// because returns err's fault in other words, with err as the cause.
func because(err error, kind fault.Kind, hint, format string, args ...any) error {
	f := fault.New(kind, hint, format, args...)
	f.Err = err
	return f
}
