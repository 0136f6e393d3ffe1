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

const back = "http://127.0.0.1:4444/oauth/callback?"

func paste(text string) pasted { return pasted{session.NewSecret(text)} }

func press(key rune) pressed { return pressed{key, noon} }

// seated is a sign-in with somebody at a terminal.
func seated() state {
	s := fresh()
	s.keys = true
	return s
}

// notices are the notices among effects.
func notices(effects []effect) []Event {
	var all []Event
	for _, e := range effects {
		if e, ok := e.(tell); ok && label(e.event) == "hint" {
			all = append(all, e.event)
		}
	}
	return all
}

var (
	toSecond = toPolling[2:] // a device code beside PKCE: the place was tried already
	goodBack = back + "code=pasted&state=the-state"
)

// TestSwitch shows every order in which two grants, keys and pastes meet.
func TestSwitch(t *testing.T) {
	t.Parallel()
	const ends = "end:"
	token := func(flow session.Flow, err error) input { return answered{flow: flow, err: err, at: noon} }
	granted := func(flow session.Flow) input { return answered{flow: flow, grant: grant, at: noon} }
	pending := token(session.Device, said(idc.CodeAuthorizationPending))
	both := after(after(toAuthorize, press('d'), begunDev), toSecond...) // a redirect and a device code are waited for
	bothPoll := after(both, rang{timer: timerPoll})
	code := redirected{redirect: callback.Redirect{Code: session.NewSecret("code")}, channel: session.Loopback}
	for _, tt := range []struct {
		name   string
		inputs []input
		want   string // the effects of the last input
	}{
		// Keys.
		{"d begins a device code", after(toAuthorize, press('d')), "begin:device"},
		{"in capitals too", after(toAuthorize, press('D')), "begin:device"},
		{"the place is not tried again", after(toAuthorize, press('d'), begunDev), "register"},
		{"a code beside a redirect", both, "wait:lapse:10m0s wait:poll:1.2s tell:device_code open"},
		{"d again shows it again", after(both, press('d')), "tell:device_code"},
		{"d while the code is on its way", after(toAuthorize, press('d'), begunDev, press('d')), ""},
		{"p shows the address again", after(both, press('p')), "tell:authorize"},
		{"p while the address is on its way", after(toAuthorize[:3], press('p')), ""},
		{"p begins a redirect", after(toPolling, press('p')), "begin:pkce"},
		{"the place is not tried again for it", after(toPolling, press('p'), begunCode), "listen"},
		{"an address beside a code", after(toPolling, after([]input{press('p'), begunCode}, toAuthorize[2:]...)...), "wait:limit:10m0s tell:authorize open wait:hint:20s"},
		{"begun twice", after(both, begunCode), ""},
		{"another key", after(toAuthorize, press('x')), ""},
		{"before anything is known", []input{begunCode, press('d')}, ""},
		{"no chance for the second", after(toAuthorize, press('d'), begun{flow: session.Device, err: errors.New("none")}), "tell:hint"},
		{"no chance for the first", []input{begun{flow: session.Device, err: errors.New("none")}}, "answerBrowser:bug " + ends + "bug"},
		{"d while the code is exchanged", after(toCode, press('d')), "begin:device"},
		{"p while the code is exchanged", after(toCode, press('p')), "tell:hint"},

		// Pastes.
		{"the address the browser ended at", after(toAuthorize, paste(goodBack)), "exchange"},
		{"a denial is a denial", after(toAuthorize, paste(back+"error=access_denied&state=the-state")), "answerBrowser:denied " + ends + "denied"},
		{"nonsense", after(toAuthorize, paste("ls -la")), "tell:hint"},
		{"of another sign-in", after(toAuthorize, paste(back+"code=pasted&state=another")), "tell:hint"},
		{"the denial of another sign-in", after(toAuthorize, paste(back+"error=access_denied&state=another")), "tell:hint"},
		{"twice", after(toAuthorize, paste(goodBack), paste(goodBack)), "tell:hint"},
		{"when the redirect is here", after(toCode, paste(goodBack)), "tell:hint"},
		{"the redirect, when a paste is here", after(toAuthorize, paste(goodBack), code), ""},
		{"for a device code", after(toPolling, paste(goodBack)), "tell:hint"},
		{"while a poll is under way", after(bothPoll, paste(goodBack)), "exchange"},
		{"after a switch", after(both, paste(goodBack)), "exchange"},
		{"after the limit", after(both, rang{timer: timerLimit}, paste(goodBack)), "tell:hint"},

		// Which one comes first.
		{"the redirect, while a poll is under way", after(bothPoll, code), "exchange"},
		{"then the poll says pending", after(bothPoll, code, pending), "wait:poll:1.2s"},
		{"then the code's token", after(bothPoll, code, pending, granted(session.PKCE)), "keep"},
		{"then the poll's token is late", after(bothPoll, code, granted(session.PKCE), granted(session.Device)), ""},
		{"approved while the code is exchanged", after(bothPoll, code, granted(session.Device)), "keep"},
		{"then the code's token is late", after(bothPoll, code, granted(session.Device), granted(session.PKCE)), ""},
		{"then the code's failure is late", after(bothPoll, code, granted(session.Device), token(session.PKCE, said(idc.CodeInvalidGrant))), ""},
		{"then a redirect is late", after(bothPoll, granted(session.Device), code), ""},
		{"then a paste is late", after(bothPoll, granted(session.Device), paste(goodBack)), ""},
		{"then keys are late", after(bothPoll, granted(session.Device), press('p')), ""},
		{"then a poll is late", after(both, code, granted(session.PKCE), rang{timer: timerPoll}), ""},
		{"the code is refused while a poll is under way", after(bothPoll, code, token(session.PKCE, said(idc.CodeInvalidGrant))), "tell:hint answerBrowser:sign_in_needed"},
		{"then the poll may still bring the token", after(bothPoll, code, token(session.PKCE, said(idc.CodeInvalidGrant)), granted(session.Device)), "keep"},
		{"the last token is kept although the other grant was lost", after(both, rang{timer: timerLapse}, code, granted(session.PKCE)), "keep"},
		{"denied on the device page", after(bothPoll, token(session.Device, said(idc.CodeAccessDenied))), "answerBrowser:denied " + ends + "denied"},

		// One of two is lost, and begun again.
		{"the limit leaves the device code", after(both, rang{timer: timerLimit}), "tell:hint answerBrowser:timed_out"},
		{"the device code's end leaves the redirect", after(both, rang{timer: timerLapse}), "tell:hint"},
		{"p after the limit begins anew", after(both, rang{timer: timerLimit}, press('p')), "begin:pkce"},
		{"d after the code lapsed begins anew", after(both, rang{timer: timerLapse}, press('d')), "begin:device"},
		{"a new listener", after(both, rang{timer: timerLimit}, press('p'), begunCode), "listen"},
		{"what comes for the old one is late", after(both, rang{timer: timerLimit}, press('p'), begunCode, bound{turn: 1}, code), ""},
		{"its limit too", after(both, rang{timer: timerLimit}, press('p'), begunCode, rang{timer: timerLimit}), ""},
		{"its client too", after(both, rang{timer: timerLimit}, press('p'), begunCode, registered{flow: session.PKCE, reg: client}), ""},
		{"a poll for the lapsed code is late", after(both, rang{timer: timerLapse}, press('d'), begunDev, rang{timer: timerPoll}), ""},
		{"a second code", after(both, rang{timer: timerLapse}, press('d'), begunDev, registered{flow: session.Device,
			turn: 1, reg: client}, deviceStarted{turn: 1, auth: shown, at: noon}),
			"wait:lapse:10m0s wait:poll:1.2s tell:device_code open"},
	} {
		_, effects := play(seated(), tt.inputs...)
		if got := strings.Join(names(effects), " "); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
	}
	s, effects := play(seated(), after(toAuthorize, paste(goodBack))...)
	if x := find[exchange](t, effects); x.code.Reveal() != "pasted" ||
		x.verifier.Reveal() != begunCode.verifier.Reveal() {
		t.Errorf("%+v", x)
	}
	_, effects = play(s, granted(session.PKCE))
	if r := find[keep](t, effects).result; r.Channel != session.Paste || r.Port != 4444 {
		t.Errorf("channel %q, port %d", r.Channel, r.Port)
	}
}

// A second grant has a state and a verifier of its own.
func TestBegunAgain(t *testing.T) {
	t.Parallel()
	other := begun{flow: session.PKCE, state: "other-state", verifier: session.NewSecret("other-verifier")}
	both := after(after(toAuthorize, press('d'), begunDev), toSecond...)
	s, effects := play(seated(), after(
		both,
		rang{timer: timerLimit},
		press('p'),
		other,
		bound{
			turn:        1,
			redirectURI: "http://127.0.0.1:5555/oauth/callback",
			port:        5555,
		},
		registered{flow: session.PKCE, turn: 1, reg: client},
	)...)
	u, err := url.Parse(find[tell](t, effects).event.(Authorize).URL)
	if err != nil || u.Query().Get("state") != "other-state" ||
		!strings.Contains(u.Query().Get("redirect_uri"), ":5555/") {
		t.Errorf("%v (%v)", u, err)
	}
	if _, effects = play(s, paste(goodBack)); !slices.Equal(notices(effects), []Event{Mispasted{Why: OfAnother}}) {
		t.Errorf("the old state: %q", names(effects))
	}
	_, effects = play(s, paste(back+"code=c&state=other-state"))
	if find[exchange](t, effects).verifier.Reveal() != "other-verifier" {
		t.Error("the verifier of another state")
	}
}

// What is shown again has the time that is left, and is not opened again.
func TestShownAgain(t *testing.T) {
	t.Parallel()
	both := after(after(toAuthorize, press('d'), begunDev), toSecond...)
	both[3] = registered{flow: session.PKCE, reg: client, at: noon}
	later := noon.Add(4*time.Minute + 300*time.Millisecond)
	_, effects := play(seated(), after(both, pressed{'d', later})...)
	if e := find[tell](t, effects).event.(DeviceCode); e.ExpiresIn != 5*time.Minute+59*time.Second || e.Opening ||
		e.UserCode != shown.UserCode {
		t.Errorf("%+v", e)
	}
	_, effects = play(seated(), after(both, pressed{'p', later})...)
	if e := find[tell](t, effects).event.(Authorize); e.ExpiresIn != 5*time.Minute+59*time.Second || e.Opening ||
		e.URL == "" {
		t.Errorf("%+v", e)
	}
	_, effects = play(seated(), after(both, pressed{'d', noon.Add(time.Hour)})...)
	if e := find[tell](t, effects).event.(DeviceCode); e.ExpiresIn != 0 {
		t.Errorf("%+v", e)
	}
}

func TestSwitchThatIsNotPossible(t *testing.T) {
	t.Parallel()
	named, legacy := dev, dev
	legacy.Name = ""
	refused := after(after(toAuthorize, press('d'), begunDev), toSecond[0],
		deviceStarted{err: said(idc.CodeAccessDenied)}, press('d'))
	for _, tt := range []struct {
		name   string
		login  *Login
		inputs []input
		want   Event
	}{
		{"a device code by policy", &Login{Session: named, Environment: Environment{MayPKCE: true}},
			after(toAuthorize, press('d')), Barred{session.Device, ByPolicy}},
		{"PKCE by policy", &Login{Session: named, Environment: Environment{MayDevice: true}}, after(toPolling,
			press('p')), Barred{session.PKCE, ByPolicy}},
		{"PKCE without a session", &Login{Session: legacy, Environment: Environment{MayPKCE: true, MayDevice: true}},
			after(toPolling, press('p')), Barred{session.PKCE, ByLegacy}},
		{"a device code by the service", &Login{Session: named, Environment: Environment{MayPKCE: true,
			MayDevice: true}}, refused, Barred{session.Device, ByService}},
		{"PKCE without a listener", &Login{Session: named, Environment: Environment{MayPKCE: true, MayDevice: true}},
			after(toPolling, press('p'), begunCode, bound{err: errors.New("none")}, press('p')), Barred{session.PKCE,
				ByListener}},
		{"a paste then has no use", &Login{Session: legacy, Environment: Environment{MayPKCE: true, MayDevice: true}},
			after(toPolling, paste(goodBack)), Mispasted{Why: Unawaited}},
	} {
		s := seated()
		s.session, s.barred = tt.login.Session, barsOf(tt.login)
		s, effects := play(s, tt.inputs...)
		if got := notices(effects); len(effects) != 1 || !slices.Equal(got, []Event{tt.want}) {
			t.Errorf("%s: %+v, %q", tt.name, got, names(effects))
		}
		_, effects = step(s, press('?'))
		help := find[tell](t, effects).event.(Help)
		if bar, ok := tt.want.(Barred); ok && help.PKCE.Bar != bar.Why && help.Device.Bar != bar.Why {
			t.Errorf("%s: the help says nothing of it: %+v", tt.name, help)
		}
	}
}

// A grant that cannot be had is replaced by the other one where that was allowed, and only there.
func TestGoesOnWithTheOther(t *testing.T) {
	t.Parallel()
	denied := deviceStarted{err: said(idc.CodeAccessDenied)}
	unauthorized := deviceStarted{err: said(idc.CodeUnauthorizedClient)}
	unbound := bound{
		err: &fault.Error{Kind: fault.Config, Msg: "cannot listen on 127.0.0.1", Remedy: fault.Login{Flow: "device"}},
	}
	toListen := toAuthorize[:2]
	for _, tt := range []struct {
		name   string
		set    func(*state)
		inputs []input
		want   string
	}{
		{"access_denied", func(s *state) { s.fallback = true }, after(toPolling[:3], denied), "forget tell:hint begin:pkce"},
		{"unauthorized_client", func(s *state) { s.fallback = true }, after(toPolling[:3], unauthorized), "forget tell:hint begin:pkce"},
		{"another refusal", func(s *state) { s.fallback = true }, after(toPolling[:3],
			deviceStarted{err: said(idc.CodeInvalidRequest)}), "answerBrowser:unavailable end:unavailable"},
		{"not wished for", func(*state) {}, after(toPolling[:3], denied), "forget answerBrowser:unavailable end:unavailable"},
		{"forbidden", func(s *state) { s.fallback, s.barred.code = true, "no" }, after(toPolling[:3], denied), "forget answerBrowser:unavailable end:unavailable"},
		{"the person's no", func(s *state) { s.fallback = true }, after(toPoll, answered{flow: session.Device,
			err: said(idc.CodeAccessDenied)}), "answerBrowser:denied end:denied"},
		{"PKCE is alive", func(s *state) { s.fallback = true }, after(after(toAuthorize, press('d'), begunDev),
			toSecond[0], denied), "forget tell:hint"},
		{"no listener", func(*state) {}, after(toListen, unbound), "tell:hint begin:device"},
		{"no listener, but insisted", func(s *state) { s.insist = true }, after(toListen, unbound), "answerBrowser:configuration end:configuration"},
		{"no listener, no device code", func(s *state) { s.barred.device = "no" }, after(toListen, unbound), "answerBrowser:configuration end:configuration"},
		{"no listener after a switch", func(*state) {}, after(toPolling, press('p'), begunCode, unbound), "tell:hint answerBrowser:configuration"},
		{"neither", func(s *state) { s.fallback = true }, after(toPolling[:3], denied, begunCode, unbound), "answerBrowser:configuration end:configuration"},
	} {
		s := seated()
		tt.set(&s)
		_, effects := play(s, tt.inputs...)
		if got := strings.Join(names(effects), " "); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.name, got, tt.want)
		}
		if i := slices.IndexFunc(effects, func(e effect) bool { _, ok := e.(end); return ok }); i >= 0 &&
			s.barred.device != "" {
			if r := fmt.Sprint(fault.RemedyOf(effects[i].(end).err)); strings.Contains(r, "device") {
				t.Errorf("%s: the remedy names what is forbidden: %s", tt.name, r)
			}
		}
	}
	s := seated()
	s.barred.device = "no"
	_, effects := play(s, after(toAuthorize, rang{timer: timerLimit})...)
	if r := fmt.Sprint(fault.RemedyOf(find[end](t, effects).err)); strings.Contains(r, "device") {
		t.Errorf("the remedy names what is forbidden: %s", r)
	}
}

func TestStrangersAreNamed(t *testing.T) {
	t.Parallel()
	s := seated()
	s.known = func(host string) bool { return host == "x" || host == "oidc" }
	_, effects := play(s, toAuthorize...)
	if e := find[tell](t, effects).event.(Authorize); e.Stranger != "" {
		t.Errorf("%q", e.Stranger)
	}
	for uris, want := range map[[2]string]string{
		{"https://x/#/device", "https://X/#/device?user_code=A"}: "",
		{"https://x/", ""}:                           "",
		{"https://x:8443/", ""}:                      "",
		{"https://evil.example/", ""}:                "evil.example",
		{"https://x/", "https://evil.example:8443/"}: "evil.example:8443",
		{"https://x@evil.example/", ""}:              "evil.example",
		{"javascript:alert(1)", ""}:                  unreadable,
		{"https://%zz/", ""}:                         unreadable,
	} {
		_, effects := play(s, after(toPolling[:3], deviceStarted{auth: idc.DeviceAuthorization{
			UserCode: "A", VerificationURI: uris[0], VerificationURIComplete: uris[1], ExpiresIn: time.Minute,
		}})...)
		if e := find[tell](t, effects).event.(DeviceCode); e.Stranger != want {
			t.Errorf("%q: %q, want %q", uris, e.Stranger, want)
		}
	}
	s.known = func(string) bool { return false }
	_, effects = play(s, toAuthorize...)
	if e := find[tell](t, effects).event.(Authorize); e.Stranger != "oidc" {
		t.Errorf("%q", e.Stranger)
	}
}

// What is everywhere is left to our words, in the place's order, and once.
func TestWaysOfAPlace(t *testing.T) {
	t.Parallel()
	channels := func(ways []Way) string {
		var list []string
		for _, w := range ways {
			list = append(list, string(w.Channel))
		}
		return strings.Join(list, " ")
	}
	given := []Way{
		{Channel: "device", Text: "theirs"},
		{Channel: "forward", Text: "x"},
		{Channel: "swap"},
		{Channel: "callback", Text: "x"},
	}
	for _, keys := range []bool{true, false} {
		s := fresh()
		s.keys, s.code.announced = keys, true
		ways := s.completed(given)
		if channels(ways) != "device forward paste" || ways[0].Text == "theirs" || given[0].Text != "theirs" {
			t.Errorf("%+v", ways)
		}
		s.code.announced = false
		if got := channels(s.completed(given)); strings.Contains(got, "paste") != keys {
			t.Errorf("no callback, keys %v: %s", keys, got)
		}
		s.barred.device = ByPolicy
		if got := channels(s.open(ways)); got != "forward paste" {
			t.Errorf("forbidden: %s", got)
		}
	}
}
