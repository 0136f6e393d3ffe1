package emulator_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
)

// tab is a browser that stops at each answer.
type tab struct {
	c   sdk
	jar http.CookieJar
}

func newTab(t *testing.T, c sdk) *tab {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &tab{c, jar}
}

func (b *tab) send(t *testing.T, method, rawURL string, form url.Values) visited {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, rawURL, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, ck := range b.jar.Cookies(req.URL) {
		req.AddCookie(ck)
	}
	v := b.c.roundTrip(t, req)
	b.jar.SetCookies(req.URL, (&http.Response{Header: v.header}).Cookies())
	return v
}

// post sends the form of page v, which came from rawURL, with more fields.
func (b *tab) post(t *testing.T, v visited, origin, path string, more url.Values) visited {
	t.Helper()
	form := url.Values{}
	for _, m := range regexp.MustCompile(`type="hidden" name="([^"]*)" value="([^"]*)"`).FindAllStringSubmatch(v.body,
		-1) {
		form.Set(m[1], m[2])
	}
	for k, list := range more {
		form[k] = list
	}
	return b.send(t, http.MethodPost, origin+path, form)
}

const idp = "http://localhost:4000"

// signIn goes from the location of the identity provider's form to the portal's cookie, and returns where it leads.
func (b *tab) signIn(t *testing.T, location string) visited {
	t.Helper()
	if !strings.HasPrefix(location, idp+"/idp/sign-in?request=") {
		t.Fatalf("not at the identity provider: %q", location)
	}
	v := b.post(t, b.send(t, "GET", location, nil), idp, "/idp/sign-in", url.Values{"username": {"ada"}})
	if v.status != 303 || !strings.HasPrefix(v.location, b.c.base+"/authentication_result?ticket=") {
		t.Fatalf("signed in: %d %q", v.status, v.location)
	}
	back := b.send(t, "GET", v.location, nil)
	if again := newTab(t, b.c).send(t, "GET", v.location, nil); again.status != 400 {
		t.Errorf("a ticket used twice: %d", again.status)
	}
	return back
}

func TestBrowserSessionIsWarm(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	reg := c.registerPKCE(t)
	b := newTab(t, c)
	u := authorizeURL(c.base, reg.ClientId, nil)

	v := b.send(t, "GET", u, nil)
	v = b.signIn(t, v.location)
	ck := v.header.Get("Set-Cookie")
	if !strings.HasPrefix(ck, "x-amz-sso_authn=") || !strings.Contains(ck, "; HttpOnly; SameSite=Lax") ||
		!strings.Contains(ck, emulator.SecretMarker) {
		t.Errorf("portal cookie %q", ck)
	}
	consent := b.send(t, "GET", v.location, nil)
	v = b.post(t, consent, c.base, "/consent", url.Values{"decision": {"allow"}})
	if v.status != 303 || !strings.HasPrefix(v.location, redirectURI+"?code=") {
		t.Fatalf("allowed: %d %q", v.status, v.location)
	}
	if v = b.send(t, "GET", u, nil); v.status != 302 || !strings.HasPrefix(v.location, redirectURI+"?code=") {
		t.Errorf("warm session, registration allowed before: %d %q", v.status, v.location)
	}
	other := c.registerPKCE(t)
	if v = b.send(t, "GET", authorizeURL(c.base, other.ClientId, nil), nil); v.status != 302 ||
		!strings.HasPrefix(v.location, c.base+"/consent?request=") {
		t.Errorf("warm session, new registration: %d %q", v.status, v.location)
	}
	consent = b.send(t, "GET", v.location, nil)
	stranger := newTab(t, c)
	if v := stranger.post(t, consent, c.base, "/consent", url.Values{"decision": {"allow"}}); v.status == 200 ||
		strings.HasPrefix(v.location, redirectURI) {
		t.Errorf("another browser answered the consent page: %d %q", v.status, v.location)
	}
	if v := b.post(t, consent, c.base, "/consent", url.Values{"decision": {"allow"},
		"csrf_token": {"x"}}); v.status != 403 {
		t.Errorf("wrong CSRF token: %d", v.status)
	}
	if v := b.post(t, consent, c.base, "/consent", url.Values{"decision": {"perhaps"}}); v.status != 403 {
		t.Errorf("neither allowed nor denied: %d", v.status)
	}
	c.emu.Change(func(s *emulator.Server) { s.Switches.DenyWithoutRedirect = true })
	if v := b.post(t, consent, c.base, "/consent", url.Values{"decision": {"deny"}}); v.status != 200 ||
		!strings.Contains(v.body, "denied") {
		t.Errorf("denied without redirect: %d %q", v.status, v.location)
	}
	c.emu.EndSession("ada")
	if v = b.send(t, "GET", u, nil); !strings.HasPrefix(v.location, idp) {
		t.Errorf("session ended: %d %q", v.status, v.location)
	}
}

func TestDeviceIsTwoSteps(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{Verification: emulator.VerificationOpaque})
	reg := c.register(t, "sso:account:access")
	dev := c.start(t, reg)
	b := newTab(t, c)
	v := b.send(t, "GET", *dev.VerificationUriComplete, nil)
	if v.location != c.base+"/device?user_code="+*dev.UserCode {
		t.Fatalf("opaque verification URI: %d %q", v.status, v.location)
	}
	page := b.send(t, "GET", v.location, nil)
	if v := b.post(t, page, c.base, "/device", url.Values{"user_code": {"BBBB-BBBB"}}); v.status != 400 {
		t.Errorf("wrong code: %d", v.status)
	}
	if v := b.post(t, page, c.base, "/device", url.Values{"user_code": {*dev.UserCode},
		"csrf_token": {"x"}}); v.status != 403 {
		t.Errorf("wrong CSRF token: %d", v.status)
	}
	v = b.post(t, page, c.base, "/device", url.Values{"user_code": {strings.ToLower(strings.ReplaceAll(*dev.UserCode,
		"-", " "))}})
	v = b.signIn(t, v.location)
	consent := b.send(t, "GET", v.location, nil)
	if _, err := c.byDevice(t.Context(), reg, dev.DeviceCode); errorCode(err) != "AuthorizationPendingException" {
		t.Errorf("before the second click: %v", err)
	}
	if v = b.post(t, consent, c.base, "/consent", url.Values{"decision": {"allow"}}); v.status != 200 ||
		!strings.Contains(v.body, "Request approved") {
		t.Errorf("allowed: %d", v.status)
	}
	if _, err := c.byDevice(t.Context(), reg, dev.DeviceCode); err != nil {
		t.Error(err)
	}

	second := c.start(t, reg) // allowed before: one click
	page = b.send(t, "GET", c.base+"/device?user_code="+*second.UserCode, nil)
	if v = b.post(t, page, c.base, "/device", url.Values{"user_code": {*second.UserCode}}); v.status != 200 ||
		!strings.Contains(v.body, "Request approved") {
		t.Errorf("warm session, registration allowed before: %d %q", v.status, v.location)
	}

	third := c.start(t, c.register(t))
	c.emu.Advance(10 * time.Minute)
	page = b.send(t, "GET", c.base+"/device", nil)
	if v = b.post(t, page, c.base, "/device", url.Values{"user_code": {*third.UserCode}}); v.status != 400 {
		t.Errorf("lapsed code: %d", v.status)
	}
}

// TestUnconfirmedDeviceCannotBeAllowed: the consent page of a device sign-in is reached through the code only.
func TestUnconfirmedDeviceCannotBeAllowed(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	b := newTab(t, c)
	pkce := c.registerPKCE(t)
	b.signIn(t, b.send(t, "GET", authorizeURL(c.base, pkce.ClientId, nil), nil).location)
	dev := c.start(t, c.register(t))
	pending, err := c.emu.Pending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for pending.Kind != emulator.DeviceCode {
		if _, err := c.emu.Decide(t.Context(), emulator.Decision{ID: pending.ID, Deny: true}); err != nil {
			t.Fatal(err)
		}
		if pending, err = c.emu.Pending(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if v := b.send(t, "GET", c.base+"/consent?request="+pending.ID, nil); v.status != 302 ||
		v.location != c.base+"/device?user_code="+*dev.UserCode {
		t.Errorf("consent without code: %d %q", v.status, v.location)
	}
}

func TestWrongStartURLFailsLate(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{Switches: emulator.Switches{LateStartURLCheck: true, WrongRegion: true}})
	c.emu.Change(func(s *emulator.Server) { s.Switches.WrongRegion = false })
	reg := c.register(t)
	v := c.visit(t, "POST", c.base+"/device_authorization",
		`{"clientId":"`+*reg.ClientId+`","clientSecret":"`+*reg.ClientSecret+`","startUrl":"https://d-0000000000.awsapps.com/start"}`)
	code := regexp.MustCompile(`"userCode":"([^"]*)"`).FindStringSubmatch(v.body)
	if v.status != 200 || code == nil {
		t.Fatalf("%d %s", v.status, v.body)
	}
	b := newTab(t, c)
	v = b.post(t, b.send(t, "GET", c.base+"/device", nil), c.base, "/device", url.Values{"user_code": {code[1]}})
	if v.status != 400 || v.body != `{"error":"invalid_grant","error_description":"Invalid grant provided"}` {
		t.Errorf("%d %s", v.status, v.body)
	}
}

func TestAutoApproveNeedsNoClick(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{AutoApprove: true})
	reg := c.registerPKCE(t)
	if v := c.visit(t, "GET", authorizeURL(c.base, reg.ClientId, nil), ""); v.status != 302 ||
		!strings.HasPrefix(v.location, redirectURI+"?code=") {
		t.Errorf("authorize: %d %q", v.status, v.location)
	}
	device := c.register(t)
	dev := c.start(t, device)
	if v := c.visit(t, "GET", *dev.VerificationUriComplete, ""); v.status != 200 || !strings.Contains(v.body,
		"Request approved") {
		t.Errorf("verification: %d", v.status)
	}
	if _, err := c.byDevice(t.Context(), device, dev.DeviceCode); err != nil {
		t.Error(err)
	}
}

func TestPasswordOfADirectory(t *testing.T) {
	t.Parallel()
	d := &emulator.Directory{Users: []emulator.User{{Name: "ada", Password: "lovelace"}}}
	c := inProcess(&emulator.Server{Directory: d})
	b := newTab(t, c)
	reg := c.registerPKCE(t)
	page := b.send(t, "GET", b.send(t, "GET", authorizeURL(c.base, reg.ClientId, nil), nil).location, nil)
	for _, tc := range []struct {
		user, password string
		want           int
	}{{"ada", "", 403}, {"ada", "x", 403}, {"bob", "lovelace", 403}, {"ada", "lovelace", 303}} {
		v := b.post(t, page, idp, "/idp/sign-in", url.Values{"username": {tc.user}, "password": {tc.password}})
		if v.status != tc.want {
			t.Errorf("%s/%s: %d, want %d", tc.user, tc.password, v.status, tc.want)
		}
	}
}
