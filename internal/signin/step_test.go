package signin

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

var (
	noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	dev  = session.Session{Name: "dev", StartURL: "https://x.awsapps.com/start", Region: "eu-west-1"}
	// Appendix B of RFC 7636 has this verifier and its challenge.
	begunCode = begun{
		flow:     session.PKCE,
		state:    "the-state",
		verifier: session.NewSecret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
	}
	begunDev = begun{flow: session.Device}
	client   = session.Registration{
		ClientID:     "client",
		ClientSecret: session.NewSecret("secret"),
		ExpiresAt:    noon.Add(90 * 24 * time.Hour),
	}
	shown = idc.DeviceAuthorization{
		DeviceCode: session.NewSecret("device"), UserCode: "BCDF-GHJK", VerificationURI: "https://x/#/device",
		VerificationURIComplete: "https://x/#/device?user_code=BCDF-GHJK", ExpiresIn: 10 * time.Minute, Interval: time.Second,
	}
	grant = idc.Grant{
		AccessToken:  session.NewSecret("access"),
		RefreshToken: session.NewSecret("refresh"),
		ExpiresIn:    time.Hour,
	}
)

// said is an error as idc makes them.
func said(code idc.Code) error {
	return &fault.Error{Kind: fault.Unavailable, Msg: "it says " + string(code), Err: &idc.Error{Code: code}}
}

func fresh() state {
	return state{
		session: dev, startURL: dev.StartURL, region: dev.Region, opens: true,
		authorizeURL: func(r idc.AuthorizeRequest) string {
			v := url.Values{
				"client_id": {r.ClientID}, "redirect_uri": {r.RedirectURI}, "state": {r.State},
				"code_challenge": {r.Challenge}, "scopes": {strings.Join(r.Scopes, " ")},
			}
			return "https://oidc/authorize?" + v.Encode()
		},
	}
}

// play feeds inputs and returns the effects of the last.
func play(s state, inputs ...input) (state, []effect) {
	var effects []effect
	for _, in := range inputs {
		s, effects = step(s, in)
	}
	return s, effects
}

// label names an event as --json does.
func label(e Event) string {
	switch e.(type) {
	case Authorize:
		return "authorize"
	case DeviceCode:
		return "device_code"
	case SignedIn:
		return "signed_in"
	}
	return "hint"
}

// names lists effects in short: their types, with what tells two of a type apart.
func names(effects []effect) []string {
	var list []string
	for _, e := range effects {
		name := strings.TrimPrefix(fmt.Sprintf("%T", e), "signin.")
		switch e := e.(type) {
		case tell:
			name += ":" + label(e.event)
		case begin:
			name += ":" + string(e.flow)
		case wait:
			name += fmt.Sprintf(":%s:%v", e.timer, e.d)
		case answerBrowser:
			if e.err != nil {
				name += ":" + fault.KindOf(e.err).String()
			}
		case end:
			if e.err != nil {
				name += ":" + fault.KindOf(e.err).String()
			} else {
				name += ":" + string(e.result.Channel)
			}
		}
		list = append(list, name)
	}
	return list
}

func find[E effect](t *testing.T, effects []effect) E {
	t.Helper()
	for _, e := range effects {
		if e, ok := e.(E); ok {
			return e
		}
	}
	t.Fatalf("no %T in %q", *new(E), names(effects))
	panic("unreachable")
}

var (
	toAuthorize = []input{
		begunCode,
		tried{flow: session.PKCE},
		bound{redirectURI: "http://127.0.0.1:4444/oauth/callback", port: 4444},
		registered{flow: session.PKCE, reg: client},
	}
	toCode = append(slices.Clone(toAuthorize),
		redirected{redirect: callback.Redirect{Code: session.NewSecret("code")}, channel: session.Loopback})
	toPolling = []input{
		begunDev,
		tried{flow: session.Device},
		registered{flow: session.Device, reg: client},
		deviceStarted{auth: shown, at: noon},
	}
	toPoll  = append(slices.Clone(toPolling), rang{timer: timerPoll})
	ofCache = registered{flow: session.PKCE, reg: client, cached: true}
)

func after(before []input, more ...input) []input { return append(slices.Clone(before), more...) }

// TestStep shows what each thing that happens leads to.
func TestStep(t *testing.T) {
	t.Parallel()
	redirect := func(code string) input {
		return redirected{redirect: callback.Redirect{Error: code}, channel: session.Loopback}
	}
	token := func(flow session.Flow, err error) input { return answered{flow: flow, err: err, at: noon} }
	granted := func(flow session.Flow) input { return answered{flow: flow, grant: grant, at: noon} }
	kept := stored{result: Result{Channel: session.Loopback}, at: noon}
	const ends = "end:"
	for _, tt := range []struct {
		name   string
		inputs []input
		want   string // the effects of the last input
	}{
		// By authorization code.
		{"nothing is asked before the place for the token is tried", []input{begunCode}, "try"},
		{"the listener is bound before anything is asked", []input{begunCode, tried{flow: session.PKCE}}, "listen"},
		{"then a client is registered", toAuthorize[:3], "register"},
		{"then the person is sent to the browser", toAuthorize, "wait:limit:10m0s tell:authorize open wait:hint:20s"},
		{"the code is exchanged", toCode, "exchange"},
		{"the token is kept", after(toCode, granted(session.PKCE)), "keep"},
		{"and all is said", after(toCode, granted(session.PKCE), kept), "dropRoles tell:signed_in answerBrowser end:loopback"},
		{"nothing follows", after(toCode, granted(session.PKCE), kept, rang{timer: timerLimit}), ""},
		{"unwritable", []input{begunCode, tried{flow: session.PKCE, err: fault.New(fault.Config, "", "read-only")}}, "answerBrowser:configuration " + ends + "configuration"},
		{"port in use", []input{begunCode, tried{flow: session.PKCE}, bound{err: fault.New(fault.Config, "", "in use")}}, "tell:hint begin:device"},
		{"no client", after(toAuthorize[:3], registered{flow: session.PKCE, err: said(idc.CodeNetwork)}), "answerBrowser:unavailable " + ends + "unavailable"},
		{"no browser", after(toAuthorize, opened{session.PKCE, errors.New("none")}), "tell:hint"},
		{"a browser, perhaps", after(toAuthorize, opened{session.PKCE, nil}), ""},
		{"an opener that fails after the redirect came", after(toCode, opened{session.PKCE, errors.New("none")}), ""},
		{"a second redirect", after(toCode, redirected{redirect: callback.Redirect{Code: session.NewSecret("other")}, channel: session.Paste}), ""},
		{"denied", after(toAuthorize, redirect("access_denied")), "answerBrowser:denied " + ends + "denied"},
		{"trouble over there", after(toAuthorize, redirect("server_error")), "answerBrowser:unavailable " + ends + "unavailable"},
		{"another refusal", after(toAuthorize, redirect("invalid_scope")), "answerBrowser:configuration " + ends + "configuration"},
		{"no redirect", after(toAuthorize, rang{timer: timerLimit}), "answerBrowser:timed_out " + ends + "timed_out"},
		{"no redirect with a client of old", after(toAuthorize[:3], ofCache, rang{timer: timerLimit}), "forget answerBrowser:timed_out " + ends + "timed_out"},
		{"interrupted with a client of old", after(toAuthorize[:3], ofCache, stopped{fault.New(fault.Interrupted, "", "x")}), "forget answerBrowser:interrupted " + ends + "interrupted"},
		{"interrupted after the redirect came", after(toAuthorize[:3], ofCache, toCode[4], stopped{fault.New(fault.Interrupted, "", "x")}), ""},
		{"interrupted, and the answer is none", after(toCode, stopped{fault.New(fault.Interrupted, "", "x")},
			token(session.PKCE, said(idc.CodeNetwork))), "answerBrowser:interrupted " + ends + "interrupted"},
		{"interrupted, and nothing is begun", after(toCode, stopped{fault.New(fault.Interrupted, "", "x")}, rang{timer: timerLimit}), ""},
		{"interrupted before the code is sent again", after(toCode, token(session.PKCE, said(idc.CodeNetwork)),
			stopped{fault.New(fault.Interrupted, "", "x")}), "answerBrowser:interrupted " + ends + "interrupted"},
		{"the limit is for the redirect only", after(toCode, rang{timer: timerLimit}), ""},
		{"no answer to the code", after(toCode, token(session.PKCE, said(idc.CodeNetwork))), "wait:retry:1s"},
		{"sent again", after(toCode, token(session.PKCE, said(idc.CodeNetwork)), rang{timer: timerRetry}), "exchange"},
		{"no answer again", after(toCode, token(session.PKCE, said(idc.CodeNetwork)), token(session.PKCE, said(idc.CodeServer))), "wait:retry:2s"},
		{"no answer at all", after(toCode, token(session.PKCE, said(idc.CodeNetwork)), token(session.PKCE,
			said(idc.CodeServer)), token(session.PKCE, said(idc.CodeThrottled)), token(session.PKCE,
			said(idc.CodeNetwork))), "answerBrowser:unavailable " + ends + "unavailable"},
		{"used by the one whose answer was lost", after(toCode, token(session.PKCE, said(idc.CodeNetwork)),
			token(session.PKCE, said(idc.CodeInvalidGrant))), "answerBrowser:unavailable " + ends + "unavailable"},
		{"refused", after(toCode, token(session.PKCE, said(idc.CodeInvalidGrant))), "answerBrowser:sign_in_needed " + ends + "sign_in_needed"},
		{"a client that is not known", after(toCode, token(session.PKCE, said(idc.CodeInvalidClient))), "forget answerBrowser:sign_in_needed " + ends + "sign_in_needed"},
		{"a client that may not", after(toCode, token(session.PKCE, said(idc.CodeUnauthorizedClient))), "forget answerBrowser:unavailable " + ends + "unavailable"},
		{"refused in other words", after(toCode, token(session.PKCE, said(idc.CodeInvalidRequest))), "answerBrowser:sign_in_needed " + ends + "sign_in_needed"},
		{"nonsense", after(toCode, token(session.PKCE, said(idc.CodeNonsense))), "answerBrowser:unavailable " + ends + "unavailable"},
		{"interrupted while the token is stored", after(toCode, granted(session.PKCE), stopped{fault.New(fault.Interrupted, "", "x")}), ""},
		{"disk full", after(toCode, granted(session.PKCE), stored{err: fault.New(fault.Config, "", "full")}), "answerBrowser:configuration " + ends + "configuration"},

		// By device code.
		{"the place first, here too", []input{begunDev}, "try"},
		{"no listener", []input{begunDev, tried{flow: session.Device}}, "register"},
		{"a code is asked for", toPolling[:3], "startDevice"},
		{"it is shown; the first poll comes after the first interval", toPolling, "wait:lapse:10m0s wait:poll:1.2s tell:device_code open"},
		{"polled", toPoll, "exchange"},
		{"pending", after(toPoll, token(session.Device, said(idc.CodeAuthorizationPending))), "wait:poll:1.2s"},
		{"slow down", after(toPoll, token(session.Device, said(idc.CodeSlowDown))), "wait:poll:7.2s"},
		{"slow for good", after(toPoll, token(session.Device, said(idc.CodeSlowDown)), toPoll[4],
			token(session.Device, said(idc.CodeAuthorizationPending))), "wait:poll:7.2s"},
		{"slower still", after(toPoll, token(session.Device, said(idc.CodeSlowDown)), toPoll[4], token(session.Device,
			said(idc.CodeSlowDown))), "wait:poll:13.2s"},
		{"no answer", after(toPoll, token(session.Device, said(idc.CodeNetwork))), "tell:hint wait:poll:2.4s"},
		{"no answer twice", after(toPoll, token(session.Device, said(idc.CodeNetwork)), token(session.Device, said(idc.CodeNetwork))), "wait:poll:4.8s"},
		{"an answer again", after(toPoll, token(session.Device, said(idc.CodeNetwork)), token(session.Device,
			said(idc.CodeAuthorizationPending))), "wait:poll:1.2s"},
		{"approved", after(toPoll, granted(session.Device)), "keep"},
		{"denied by device code", after(toPoll, token(session.Device, said(idc.CodeAccessDenied))), "answerBrowser:denied " + ends + "denied"},
		{"lapsed, as the service says it", after(toPoll, token(session.Device, said(idc.CodeInvalidGrant))), "answerBrowser:timed_out " + ends + "timed_out"},
		{"lapsed, as the RFC says it", after(toPoll, token(session.Device, said(idc.CodeExpiredToken))), "answerBrowser:timed_out " + ends + "timed_out"},
		{"lapsed by our clock", after(toPolling, rang{timer: timerLapse}), "answerBrowser:timed_out " + ends + "timed_out"},
		{"lapsed while a poll is under way", after(toPoll, rang{timer: timerLapse}), ""},
		{"approved at the last moment", after(toPoll, rang{timer: timerLapse}, granted(session.Device)), "keep"},
		{"not approved at the last moment", after(toPoll, rang{timer: timerLapse}, token(session.Device,
			said(idc.CodeAuthorizationPending))), "answerBrowser:timed_out " + ends + "timed_out"},
		{"a proxy's page", after(toPoll, token(session.Device, said(idc.CodeNonsense))), "answerBrowser:unavailable " + ends + "unavailable"},
		{"a client of old is replaced once", []input{begunDev, tried{flow: session.Device},
			registered{flow: session.Device, reg: client, cached: true},
			deviceStarted{err: said(idc.CodeInvalidClient)}}, "forget register"},
		{"a client that is not known any more", after(toPoll, token(session.Device, said(idc.CodeInvalidClient))), "forget answerBrowser:sign_in_needed " + ends + "sign_in_needed"},
		{"policy is not met by a new client", []input{begunDev, tried{flow: session.Device},
			registered{flow: session.Device, reg: client, cached: true},
			deviceStarted{err: said(idc.CodeUnauthorizedClient)}},
			"forget answerBrowser:unavailable " + ends + "unavailable"},
		{"a new one is not", after(toPolling[:3], deviceStarted{err: said(idc.CodeInvalidClient)}), "answerBrowser:unavailable " + ends + "unavailable"},
		{"a code that would play with the terminal", after(toPolling[:3], deviceStarted{auth: idc.DeviceAuthorization{UserCode: "A\x1b[31m", VerificationURI: "https://x", ExpiresIn: time.Minute}}), "answerBrowser:unavailable " + ends + "unavailable"},
		{"no browser for a device code: it is shown anyway", after(toPolling, opened{session.Device, errors.New("none")}), ""},

		// Both alive.
		{"both: no redirect, the device code lives", after(toAuthorize, after(toPolling, rang{timer: timerLimit})...), "tell:hint answerBrowser:timed_out"},
		{"both: the device code goes on", after(toAuthorize, after(toPolling, rang{timer: timerLimit}, rang{timer: timerPoll})...), "exchange"},
		{"both: the device code lapses, the redirect may come", after(toAuthorize, after(toPolling, rang{timer: timerLapse})...), "tell:hint"},
		{"both: no polls for a code that lapsed", after(toAuthorize, after(toPolling, rang{timer: timerLapse}, rang{timer: timerPoll})...), ""},
		{"both: the last one ends it", after(toAuthorize, after(toPolling, rang{timer: timerLapse}, rang{timer: timerLimit})...), "answerBrowser:timed_out " + ends + "timed_out"},
		{"both: a person's no ends it", after(toAuthorize, after(toPoll, token(session.Device, said(idc.CodeAccessDenied)))...), "answerBrowser:denied " + ends + "denied"},
		{"both: the device grant is not allowed, the redirect may come", after(toAuthorize, after(toPolling[:3], deviceStarted{err: said(idc.CodeUnauthorizedClient)})...), "forget tell:hint"},
		{"both: the first token wins", after(toCode, after(toPoll, granted(session.Device), granted(session.PKCE))...), ""},
	} {
		_, effects := play(fresh(), tt.inputs...)
		if got := strings.Join(names(effects), " "); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
}

func TestAuthorize(t *testing.T) {
	t.Parallel()
	_, effects := play(fresh(), toAuthorize...)
	e := find[tell](t, effects).event.(Authorize)
	u, err := url.Parse(e.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"client_id": "client", "redirect_uri": "http://127.0.0.1:4444/oauth/callback", "state": "the-state",
		"scopes": "sso:account:access", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
	} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}
	if find[open](t, effects).url != e.URL || !e.Opening || e.RedirectURI != u.Query().Get("redirect_uri") {
		t.Errorf("%+v", e)
	}
	_, effects = play(fresh(), toCode...)
	x := find[exchange](t, effects)
	if x.code.Reveal() != "code" || x.verifier.Reveal() != begunCode.verifier.Reveal() ||
		x.redirectURI != e.RedirectURI ||
		x.reg.ClientID != "client" {
		t.Errorf("%+v", x)
	}
	s := fresh()
	s.opens = false
	_, effects = play(s, toAuthorize...)
	if got := strings.Join(names(effects), " "); got != "wait:limit:10m0s tell:authorize wait:hint:20s" ||
		find[tell](t, effects).event.(Authorize).Opening {
		t.Errorf("without a browser: %s", got)
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	scoped, legacy := dev, dev
	scoped.Scopes = []string{"sso:account:access", "codewhisperer:completions"}
	legacy.Name = ""
	odd := dev
	odd.Name = "Acme's Dev /" + strings.Repeat("x", 99)
	for _, tt := range []struct {
		session session.Session
		begun   []input
		want    idc.RegisterRequest
	}{
		{dev, toAuthorize[:3], idc.RegisterRequest{ClientName: "homing-dev", Scopes: []string{"sso:account:access"}, PKCE: true, IssuerURL: "https://resolved/start"}},
		{dev, toPolling[:2], idc.RegisterRequest{ClientName: "homing-dev", Scopes: []string{"sso:account:access"}, IssuerURL: "https://resolved/start"}},
		{scoped, toPolling[:2], idc.RegisterRequest{ClientName: "homing-dev", Scopes: scoped.Scopes, IssuerURL: "https://resolved/start"}},
		{legacy, toPolling[:2], idc.RegisterRequest{ClientName: "homing", IssuerURL: "https://resolved/start"}},
		{odd, toPolling[:2], idc.RegisterRequest{ClientName: "homing-Acme-s-Dev--" + strings.Repeat("x", 52), Scopes: []string{"sso:account:access"}, IssuerURL: "https://resolved/start"}},
	} {
		s := fresh()
		s.session, s.startURL = tt.session, "https://resolved/start"
		_, effects := play(s, tt.begun...)
		got := find[register](t, effects).client
		if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", tt.want) {
			t.Errorf("%q: got %+v, want %+v", tt.session.Label(), got, tt.want)
		}
	}
}

func TestTokenOfAGrant(t *testing.T) {
	t.Parallel()
	s := fresh()
	s.startURL, s.region = "https://resolved/start", "eu-central-1"
	at := noon.Add(123456789).In(time.FixedZone("", 3600))
	_, effects := play(s, after(toPoll, answered{flow: session.Device, grant: grant, at: at})...)
	got := find[keep](t, effects).result.Token
	if got.StartURL != dev.StartURL || got.Region != "eu-central-1" || got.ClientID != "client" ||
		!got.ClientSecret.Equal(client.ClientSecret) ||
		!got.AccessToken.Equal(grant.AccessToken) ||
		!got.RefreshToken.Equal(grant.RefreshToken) ||
		!got.ExpiresAt.Equal(noon.Add(time.Hour)) ||
		got.ExpiresAt.Location() != time.UTC ||
		!got.RegistrationExpiresAt.Equal(client.ExpiresAt) {
		t.Errorf("%+v", got)
	}
}

func TestSkew(t *testing.T) {
	t.Parallel()
	for _, off := range []time.Duration{0, 4 * time.Minute, -4 * time.Minute, time.Hour, -6 * time.Minute} {
		g := grant
		g.Date = noon.Add(-off)
		_, effects := play(fresh(), after(toPoll, answered{flow: session.Device, grant: g, at: noon})...)
		if off.Abs() < 5*time.Minute {
			if len(effects) != 1 {
				t.Errorf("%v: %q", off, names(effects))
			}
		} else if got := find[tell](t, effects).event; got != (ClockOff{off}) {
			t.Errorf("%v: %+v", off, got)
		}
	}
}

// TestPause: the interval, doubled while no answer comes, up to a minute, and a fifth more.
func TestPause(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		interval time.Duration
		missed   int
		want     time.Duration
	}{
		{time.Second, 0, 1200 * time.Millisecond},
		{5 * time.Second, 0, 6 * time.Second},
		{5 * time.Second, 3, 48 * time.Second},
		{5 * time.Second, 4, 72 * time.Second},
		{5 * time.Second, 1000, 72 * time.Second},
		{2 * time.Minute, 2, 144 * time.Second},
	} {
		if got := (deviceGrant{interval: tt.interval, missed: tt.missed}).pause(); got != tt.want {
			t.Errorf("pause(%v, %d missed) = %v, want %v", tt.interval, tt.missed, got, tt.want)
		}
	}
	_, effects := play(
		fresh(),
		after(
			toPolling[:3],
			deviceStarted{
				auth: idc.DeviceAuthorization{UserCode: "A", VerificationURI: "https://x", ExpiresIn: time.Minute},
			},
		)...)
	if got := strings.Join(names(effects), " "); !strings.Contains(got, "wait:poll:6s") {
		t.Errorf("without an interval: %s", got)
	}
}

// What idc says names no session, as it knows none; nor does a profile without one have a name of its own.
func TestRemediesNameWhatWasUsed(t *testing.T) {
	t.Parallel()
	again := func(l fault.Login) fault.Preface { return fault.Preface{Words: "to try again,", Then: l} }
	for _, tt := range []struct {
		session, profile string
		given, want      fault.Remedy
	}{
		{"dev", "dev", fault.Login{Flow: "pkce"}, fault.Login{Session: "dev", Flow: "pkce"}},
		{"", "old", again(fault.Login{}), again(fault.Login{Profile: "old"})},
		{"", "", fault.Login{}, fault.Login{}},
		{"", "old", fault.Login{Profile: "older"}, fault.Login{Profile: "older"}},
		{"", "old", fault.Advice("check the network"), fault.Advice("check the network")},
	} {
		s := fresh()
		s.session.Name, s.profile = tt.session, tt.profile
		cause := said(idc.CodeOther)
		_, effects := s.fail(&fault.Error{Kind: fault.Unavailable, Msg: "no", Remedy: tt.given, Err: cause})
		for _, e := range effects {
			err := error(nil)
			switch e := e.(type) {
			case end:
				err = e.err
			case answerBrowser:
				err = e.err
			}
			if fault.RemedyOf(err) != tt.want || fault.KindOf(err) != fault.Unavailable || err.Error() != "no" ||
				!errors.Is(err, cause) {
				t.Errorf("%+v: got %v, remedy %#v", tt, err, fault.RemedyOf(err))
			}
		}
	}
}

// TestStepKeepsNoControlCharacters: what a redirect says is a stranger's text.
func TestStepKeepsNoControlCharacters(t *testing.T) {
	t.Parallel()
	_, effects := play(
		fresh(),
		after(
			toAuthorize,
			redirected{
				redirect: callback.Redirect{Error: "x\x1b[2J", Description: "y\x1b]0;t\x07\nz"},
				channel:  session.Loopback,
			},
		)...)
	if msg := find[end](t, effects).err.Error(); strings.ContainsAny(msg, "\x1b\x07\n") ||
		!strings.Contains(msg, `"x: y z"`) {
		t.Errorf("%q", msg)
	}
}

// TestStepIsPure: the same state and input give the same, and the state that was given stays as it was.
func TestStepIsPure(t *testing.T) {
	t.Parallel()
	before, _ := play(fresh(), toPoll...)
	before.authorizeURL = nil // functions do not compare
	was := fmt.Sprintf("%+v", before)
	in := answered{flow: session.Device, err: said(idc.CodeSlowDown), at: noon}
	a, effectsA := step(before, in)
	b, effectsB := step(before, in)
	if fmt.Sprintf("%+v", before) != was || fmt.Sprintf("%+v", a) != fmt.Sprintf("%+v", b) ||
		fmt.Sprint(effectsA) != fmt.Sprint(effectsB) {
		t.Error("step changed what it was given")
	}
}
