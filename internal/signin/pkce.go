package signin

import (
	"crypto/sha256"
	"encoding/base64"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/retry"
	"github.com/homing-cli/homing/internal/session"
)

// codeGrant is a sign-in by authorization code.
type codeGrant struct {
	active      bool
	turn        int // counts the lost ones
	state       string
	verifier    session.Secret
	redirectURI string // once the listener is bound
	port        int
	announced   bool  // another process finds the listener
	ways        []Way // to bring the redirect to the listener
	reg         session.Registration
	cached      bool            // reg is from an earlier sign-in
	code        session.Secret  // once the redirect is here
	channel     session.Channel // by which it came
	sent        int             // how often the code was sent
	lost        error           // why the last answer did not come

	shown  Authorize // to the person, at since; no URL before that
	since  time.Time
	said   int    // how many of ways were considered for a notice
	timing bool   // a notice is due
	urged  bool   // a notice was given
	told   []Ways // the notices so far, for a login that joins later
}

// awaited reports whether a person can act on the address.
func (g codeGrant) awaited() bool { return g.active && g.code.IsZero() && g.shown.URL != "" }

// challenge is S256 of RFC 7636 4.2.
func challenge(verifier session.Secret) string {
	sum := sha256.Sum256([]byte(verifier.Reveal()))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// bound precedes the first request: a browser that is signed in already is redirected at once.
func (s state) bound(in bound) (state, []effect) {
	if in.err != nil {
		return s.unbound(in.err)
	}
	s.code.redirectURI, s.code.port, s.code.announced = in.redirectURI, in.port, in.unannounced == nil
	s.code.ways = s.completed(in.ways)
	var effects []effect
	if len(in.busy) > 0 {
		effects = append(effects, tell{PortsBusy{in.busy, in.port}})
	}
	if in.unannounced != nil {
		effects = append(effects, tell{Unannounced{in.unannounced}})
	}
	return s, append(effects, s.register(session.PKCE, false))
}

func (s state) codeRegistered(in registered) (state, []effect) {
	s.code.reg, s.code.cached = in.reg, in.cached
	url := s.authorizeURL(idc.AuthorizeRequest{
		ClientID:    in.reg.ClientID,
		RedirectURI: s.code.redirectURI,
		State:       s.code.state,
		Challenge:   challenge(s.code.verifier),
		Scopes:      s.session.RegistrationScopes(),
	})
	s.code.since = in.at
	s.code.shown = Authorize{
		URL: url, RedirectURI: s.code.redirectURI, ExpiresIn: limit, Keys: s.keys, Stranger: s.stranger(url),
	}
	s.code.shown.Opening = s.opens && s.code.shown.Stranger == ""
	effects := []effect{wait{timerLimit, s.code.turn, limit}, tell{s.code.shown}}
	if s.manual {
		s, effects = s.atOnce(effects)
	}
	if s.code.shown.Opening {
		effects = append(effects, open{session.PKCE, url})
	}
	return s.resume(effects)
}

func (s state) opened(in opened) (state, []effect) {
	if in.err == nil || in.flow != session.PKCE || !s.code.code.IsZero() {
		return s, nil // a device code always shows its address
	}
	return s, []effect{tell{NoBrowser{}}}
}

func (s state) redirected(in redirected) (state, []effect) {
	if !s.code.code.IsZero() {
		return s, nil
	}
	if in.redirect.Error != "" {
		return s.refused(in.redirect.Error, in.redirect.Description)
	}
	s.code.code, s.code.channel, s.code.sent = in.redirect.Code, in.channel, 1
	s.asking.code = true
	return s, []effect{s.code.exchange()}
}

// refused ends the grant with the error that came instead of a code (RFC 6749 4.1.2.1).
func (s state) refused(code, description string) (state, []effect) {
	said := plain.Line(code, 60)
	if d := plain.Line(description, 300); d != "" {
		said += ": " + d
	}
	switch code {
	case "access_denied":
		return s.denied(nil)
	case "temporarily_unavailable", "server_error":
		remedy := fault.Preface{Words: "wait a minute, then", Then: s.login()}
		return s.lose(session.PKCE, fault.Suggest(fault.Unavailable, remedy,
			"the service could not complete the sign-in to %q (it says %q)", s.session.Label(), said))
	}
	check := fault.Preface{Words: "check sso_start_url, sso_region and sso_registration_scopes, then", Then: s.login()}
	next, effects := s.lose(session.PKCE, fault.Suggest(fault.Config, check,
		"the service refused the sign-in to %q (it says %q)", s.session.Label(), said))
	return next, append(s.doubted(), effects...)
}

func (g codeGrant) exchange() effect {
	return exchange{
		flow: session.PKCE, turn: g.turn, reg: g.reg, code: g.code, verifier: g.verifier, redirectURI: g.redirectURI,
	}
}

// attempts is how often to send a code if no answer comes, with waits of 1, 2 and 4 seconds. If the service did use
// the code, it refuses the second one. That does no harm: without the lost answer nobody has the token.
const attempts = 4

func (s state) codeAnswered(in answered) (state, []effect) {
	switch {
	case in.err == nil:
		return s.granted(in, s.code.reg, s.code.channel, s.code.port)
	case retry.Passing(in.err) && s.code.sent < attempts:
		s.code.lost = in.err
		s.code.sent++
		return s, []effect{wait{timerRetry, s.code.turn, max(time.Second<<(s.code.sent-2), retry.After(in.err))}}
	case s.code.lost != nil && idc.CodeOf(in.err) == idc.CodeInvalidGrant:
		return s.lose(session.PKCE, s.code.lost) // the code was used after all; the answer got lost
	}
	switch idc.CodeOf(in.err) {
	case idc.CodeInvalidClient:
		return s.unknownClient(session.PKCE, in.err)
	case idc.CodeUnauthorizedClient:
		return s.unwelcomeClient(session.PKCE, in.err)
	case idc.CodeInvalidGrant, idc.CodeInvalidRequest:
		return s.lose(session.PKCE, because(in.err, fault.SignInNeeded, s.named(fault.Login{Force: true}),
			"the service does not accept the authorization code of %s", s.session.InWords()))
	}
	return s.lose(session.PKCE, in.err)
}

func (s state) limitReached() (state, []effect) {
	if !s.code.code.IsZero() {
		return s, nil
	}
	remedy := fault.Preface{Words: "to try again,", Then: s.login()}
	if s.barrier(session.Device) == "" {
		remedy = fault.Preface{Words: "try a device code,", Then: s.named(fault.Login{Flow: session.Device})}
	}
	next, effects := s.lose(session.PKCE, fault.Suggest(fault.TimedOut, remedy,
		"no redirect from the browser came within %d minutes", limit/time.Minute))
	return next, append(s.doubted(), effects...)
}

// doubted forgets a cached registration that brought no redirect. A service that no longer accepts the client says so
// only in the browser, and the next sign-in would fail in the same way.
func (s state) doubted() []effect {
	if s.code.cached && s.code.code.IsZero() {
		return []effect{forget{session.PKCE}}
	}
	return nil
}
