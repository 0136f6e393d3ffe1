package emulator_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/emulator"
)

// reference is the state machine as the words have it, written a second time and as plainly as possible. The
// test below does random things to it and to the emulator and wants the same answers.
type reference struct {
	clients  []*refClient
	devices  []*refSignIn
	codes    []*refSignIn
	access   []*refAccess
	refresh  []*refRefresh
	sessions []*refSession
}

type refClient struct {
	id, secret string
	scoped     bool
	expires    time.Time
}

type refSession struct {
	expires time.Time
	ended   bool
}

func (s *refSession) live() bool { return !s.ended && time.Now().Before(s.expires) }

type refSignIn struct {
	value   string
	client  *refClient
	status  emulator.Status
	expires time.Time
	session *refSession
}

type refAccess struct {
	value   string
	session *refSession
	expires time.Time
}

type refRefresh struct {
	value   string
	client  *refClient
	session *refSession
	spent   bool
}

// tokenError says what redeeming a device code or authorization code should answer.
func (si *refSignIn) tokenError(by *refClient, device bool) string {
	const bad = "InvalidGrantException"
	now := time.Now()
	switch {
	case device && (si.status == emulator.Redeemed || !now.Before(si.expires)):
		return bad // before the client is looked at
	case !now.Before(by.expires):
		return "InvalidClientException"
	case si.client != by:
		return bad
	case device && si.status == emulator.Pending:
		return "AuthorizationPendingException"
	case device && si.status == emulator.Denied:
		return "AccessDeniedException"
	case si.status != emulator.Approved, !now.Before(si.expires), !si.session.live():
		return bad
	}
	return ""
}

func (r *refRefresh) tokenError(by *refClient) string {
	switch {
	case !time.Now().Before(by.expires):
		return "InvalidClientException"
	case r.client != by:
		return "InvalidRequestException"
	case r.spent, !r.session.live():
		return "InvalidGrantException"
	}
	return ""
}

func (a *refAccess) portalError() string {
	if !a.session.live() || !time.Now().Before(a.expires) {
		return "UnauthorizedException"
	}
	return ""
}

// walker applies one random step after the other to both.
type walker struct {
	t     *testing.T
	emu   *emulator.Server
	ref   reference
	rng   *rand.Rand
	steps []string
	seen  map[string]int
}

func (w *walker) did(format string, args ...any) {
	w.steps = append(w.steps, fmt.Sprintf(format, args...))
}

// same compares the outcome of a step.
func (w *walker) same(what, got, want string) {
	w.seen[what+": "+want]++
	w.did("%s -> %s", what, got)
	if got != want {
		from := max(0, len(w.steps)-25)
		w.t.Fatalf("%s: %q, want %q\nafter\n%s", what, got, want, strings.Join(w.steps[from:], "\n"))
	}
}

func (w *walker) do(method, target, token string, body any) (exception string, answer map[string]any, location string) {
	b, err := json.Marshal(body)
	if err != nil {
		w.t.Fatal(err)
	}
	req := httptest.NewRequest(method, target, strings.NewReader(string(b)))
	req.Header.Set("x-amz-sso_bearer_token", token)
	rec := httptest.NewRecorder()
	w.emu.ServeHTTP(rec, req)
	_ = json.Unmarshal(rec.Body.Bytes(), &answer) // pages and empty answers have no members
	exception = visited{rec.Code, "", rec.Header(), rec.Body.String()}.refusal().exception
	return exception, answer, rec.Header().Get("Location")
}

func pickOne[T any](rng *rand.Rand, list []T) (T, bool) {
	if len(list) == 0 {
		var none T
		return none, false
	}
	if rng.IntN(3) > 0 { // mostly what is new
		return list[max(0, len(list)-1-rng.IntN(3))], true
	}
	return list[rng.IntN(len(list))], true
}

func (w *walker) register() {
	c := &refClient{scoped: w.rng.IntN(3) > 0, expires: time.Now().Add(90 * 24 * time.Hour)}
	in := map[string]any{"clientName": "c", "clientType": "public", "grantTypes": []string{codeGrant, refreshGrant},
		"redirectUris": []string{"http://127.0.0.1/oauth/callback"}, "issuerUrl": emulator.DefaultStartURL}
	if c.scoped {
		in["scopes"] = []string{"sso:account:access"}
	}
	e, a, _ := w.do("POST", "/client/register", "", in)
	w.same("register", e, "")
	c.id, c.secret = a["clientId"].(string), a["clientSecret"].(string)
	w.ref.clients = append(w.ref.clients, c)
}

func (w *walker) startDevice(c *refClient) {
	e, a, _ := w.do("POST", "/device_authorization", "", map[string]any{"clientId": c.id, "clientSecret": c.secret,
		"startUrl": emulator.DefaultStartURL})
	want := ""
	if !time.Now().Before(c.expires) {
		want = "InvalidClientException"
	}
	w.same("start device", e, want)
	if e != "" {
		return
	}
	si := &refSignIn{client: c, status: emulator.Pending, value: a["deviceCode"].(string),
		expires: time.Now().Add(600 * time.Second)}
	w.ref.devices = append(w.ref.devices, si)
	switch w.rng.IntN(4) {
	case 0: // stays pending
	case 1:
		w.decide(si, a["userCode"].(string), false)
	default:
		w.decide(si, a["userCode"].(string), true)
	}
}

// decide answers a device sign-in, possibly some minutes later.
func (w *walker) decide(si *refSignIn, userCode string, allow bool) {
	later := time.Duration(w.rng.IntN(12)) * time.Minute
	time.Sleep(later)
	w.did("%v pass", later)
	id := w.pending(userCode)
	if live := time.Now().Before(si.expires); live != (id != "") {
		w.t.Fatalf("sign-in is pending: %v, want %v", id != "", live)
	}
	if id == "" {
		return
	}
	if _, err := w.emu.Decide(w.t.Context(), emulator.Decision{ID: id, Deny: !allow}); err != nil {
		w.t.Fatal(err)
	}
	si.status = emulator.Denied
	if allow {
		si.status, si.session = emulator.Approved, w.session()
	}
	w.did("decided, allow=%v", allow)
}

// pending finds the sign-in with the user code among the pending ones; "" for none.
func (w *walker) pending(userCode string) (id string) {
	_, a, _ := w.do("GET", "/_emulator/pending", "", nil)
	for _, p := range a["pending"].([]any) {
		m := p.(map[string]any)
		if m["user_code"] == userCode {
			return m["id"].(string)
		}
	}
	return ""
}

func (w *walker) session() *refSession {
	s := &refSession{expires: time.Now().Add(8 * time.Hour)}
	w.ref.sessions = append(w.ref.sessions, s)
	return s
}

func (w *walker) authorize(c *refClient) {
	e, _, location := w.do("GET", authorizeURL("", &c.id, nil), "", nil)
	want := ""
	if !time.Now().Before(c.expires) {
		want = "InvalidRequestException"
	}
	w.same("authorize", e, want)
	if e != "" {
		return
	}
	_, id, _ := strings.Cut(location, "request=")
	deny := w.rng.IntN(5) == 0
	back, err := w.emu.Decide(w.t.Context(), emulator.Decision{ID: id, Deny: deny})
	if err != nil {
		w.t.Fatal(err)
	}
	if deny {
		return
	}
	_, code, _ := strings.Cut(back, "code=")
	code, _, _ = strings.Cut(code, "&")
	w.ref.codes = append(w.ref.codes, &refSignIn{client: c, value: code, status: emulator.Approved,
		expires: time.Now().Add(600 * time.Second), session: w.session()})
}

// tokens takes what a successful CreateToken answered.
func (w *walker) tokens(a map[string]any, c *refClient, s *refSession) {
	life := 8 * time.Hour
	if c.scoped {
		life = time.Hour
	}
	expires := time.Now().Add(life)
	if s.expires.Before(expires) {
		expires = s.expires
	}
	w.same("expiresIn", fmt.Sprint(a["expiresIn"]), fmt.Sprint(time.Until(expires).Seconds()))
	w.ref.access = append(w.ref.access, &refAccess{a["accessToken"].(string), s, expires})
	value, has := a["refreshToken"].(string)
	w.same("refresh token", fmt.Sprint(has), fmt.Sprint(c.scoped))
	if has {
		w.ref.refresh = append(w.ref.refresh, &refRefresh{value: value, client: c, session: s})
	}
}

func (w *walker) redeem(kind string) {
	by := w.ref.clients[w.rng.IntN(len(w.ref.clients))]
	body := map[string]any{}
	mine := w.rng.IntN(5) > 0
	var want string
	var done func(a map[string]any)
	switch kind {
	case "device", "code":
		list, key, grant := w.ref.devices, "deviceCode", deviceGrant
		if kind == "code" {
			list, key, grant = w.ref.codes, "code", codeGrant
			body["redirectUri"], body["codeVerifier"] = redirectURI, verifier
		}
		si, ok := pickOne(w.rng, list)
		if !ok {
			return
		}
		if mine {
			by = si.client
		}
		body[key], body["grantType"] = si.value, grant
		want = si.tokenError(by, kind == "device")
		done = func(a map[string]any) { si.status = emulator.Redeemed; w.tokens(a, by, si.session) }
	case "refresh":
		r, ok := pickOne(w.rng, w.ref.refresh)
		if !ok {
			return
		}
		if mine {
			by = r.client
		}
		body["refreshToken"], body["grantType"] = r.value, refreshGrant
		want = r.tokenError(by)
		done = func(a map[string]any) { r.spent = true; w.tokens(a, by, r.session) }
	}
	body["clientId"], body["clientSecret"] = by.id, by.secret
	e, a, _ := w.do(http.MethodPost, "/token", "", body)
	w.same(kind, e, want)
	if e == "" {
		done(a)
	}
}

func (w *walker) step() {
	c := w.ref.clients[w.rng.IntN(len(w.ref.clients))]
	switch n := w.rng.IntN(100); {
	case n < 2:
		w.register()
	case n < 14:
		w.startDevice(c)
	case n < 24:
		w.authorize(c)
	case n < 40:
		w.redeem("device")
	case n < 56:
		w.redeem("code")
	case n < 74:
		w.redeem("refresh")
	case n < 88:
		if a, ok := pickOne(w.rng, w.ref.access); ok {
			e, _, _ := w.do("GET", "/assignment/accounts", a.value, nil)
			w.same("accounts", e, a.portalError())
		}
	case n < 90:
		if a, ok := pickOne(w.rng, w.ref.access); ok {
			want := a.portalError()
			e, _, _ := w.do("POST", "/logout", a.value, nil)
			w.same("logout", e, want)
			if want == "" {
				a.session.ended = true
			}
		}
	case n < 91:
		w.emu.EndSession("ada")
		for _, s := range w.ref.sessions {
			s.ended = true
		}
		w.did("all sessions ended")
	case n < 98:
		d := time.Duration(w.rng.IntN(40)) * time.Minute
		time.Sleep(d)
		w.did("%v pass", d)
	case n == 98 && time.Now().Before(c.expires):
		time.Sleep(time.Until(c.expires) - 4*time.Minute)
		w.did("a registration is about to lapse")
		w.startDevice(c)
		w.authorize(c)
		if left := time.Until(c.expires); left > 0 {
			time.Sleep(left)
		}
		w.redeem("device")
		w.redeem("code")
	}
}

// TestEmulatorFollowsTheReference walks both through some weeks.
func TestEmulatorFollowsTheReference(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	seen := map[string]int{}
	for walk := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			w := &walker{t: t, emu: &emulator.Server{}, rng: rand.New(rand.NewPCG(seed, walk)), seen: seen}
			w.register()
			w.register()
			for range 400 {
				w.step()
			}
		})
	}
	for _, what := range []string{"device: ", "device: AuthorizationPendingException", "device: AccessDeniedException",
		"device: InvalidGrantException", "device: InvalidClientException", "code: ", "code: InvalidGrantException",
		"refresh: ", "refresh: InvalidGrantException",
		"refresh: InvalidRequestException", "accounts: ", "accounts: UnauthorizedException", "logout: ",
		"logout: UnauthorizedException",
		"start device: InvalidClientException", "authorize: InvalidRequestException"} {
		if seen[what] == 0 {
			t.Errorf("never seen: %q in %v", what, seen)
		}
	}
}
