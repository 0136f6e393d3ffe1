package emulator_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/homing-cli/homing/emulator"
)

// relyingParty is a client of the emulator for tests of what happens in the browser: plain JSON over HTTP, with a
// loopback listener as a terminal program has one.
type relyingParty struct {
	t         *testing.T
	http      *http.Client
	base      string
	clientID  string
	secret    string
	verifier  string
	userCode  string
	device    string
	verifyURI string
	complete  string
	callbacks chan url.Values
	listener  string // the redirect URI
}

// serve starts s and returns its origin.
func serve(t *testing.T, s *emulator.Server) string {
	t.Helper()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return srv.URL
}

// registerCode registers a client for code sign-ins and starts its listener.
func registerCode(t *testing.T, hc *http.Client, base, name string) *relyingParty {
	t.Helper()
	p := &relyingParty{t: t, http: hc, base: base, callbacks: make(chan url.Values, 10)}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	p.listener = srv.URL + "/oauth/callback"
	p.register(map[string]any{"clientName": name, "clientType": "public", "scopes": []string{"sso:account:access"},
		"grantTypes": []string{"authorization_code", "refresh_token"}, "redirectUris": []string{"http://127.0.0.1/oauth/callback"},
		"issuerUrl": emulator.DefaultStartURL})
	return p
}

// registerDevice registers a client for device sign-ins.
func registerDevice(t *testing.T, hc *http.Client, base, name string, scopes ...string) *relyingParty {
	t.Helper()
	p := &relyingParty{t: t, http: hc, base: base}
	in := map[string]any{"clientName": name, "clientType": "public"}
	if scopes != nil {
		in["scopes"] = scopes
	}
	p.register(in)
	return p
}

func (p *relyingParty) register(in map[string]any) {
	p.t.Helper()
	out := p.call("/client/register", in, http.StatusOK)
	p.clientID, p.secret = out["clientId"].(string), out["clientSecret"].(string)
}

// ServeHTTP is the listener.
func (p *relyingParty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/oauth/callback" {
		http.NotFound(w, r)
		return
	}
	p.callbacks <- r.URL.Query()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, `<!doctype html><html lang="en"><title>Listener</title><h1>Back at the client</h1></html>`)
}

// authorizeURL starts a code sign-in.
func (p *relyingParty) authorizeURL(state string) string {
	p.verifier = rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(p.verifier))
	return p.base + "/authorize?" + url.Values{"response_type": {"code"}, "client_id": {p.clientID},
		"redirect_uri": {p.listener},
		"state":        {state}, "code_challenge_method": {"S256"}, "scopes": {"sso:account:access"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}}.Encode()
}

// redeem takes what came to the listener and exchanges the code.
func (p *relyingParty) redeem(state string) {
	p.t.Helper()
	q := <-p.callbacks
	if q.Get("state") != state || q.Get("code") == "" {
		p.t.Fatalf("the listener got state %q, want %q, and error %q %q", q.Get("state"), state, q.Get("error"),
			q.Get("error_description"))
	}
	out := p.call("/token", map[string]any{"grantType": "authorization_code", "clientId": p.clientID,
		"clientSecret": p.secret,
		"code":         q.Get("code"), "codeVerifier": p.verifier, "redirectUri": p.listener}, http.StatusOK)
	if s, _ := out["accessToken"].(string); s == "" {
		p.t.Errorf("no access token")
	}
}

// startDevice starts a device sign-in.
func (p *relyingParty) startDevice() {
	p.t.Helper()
	out := p.call("/device_authorization", map[string]any{"clientId": p.clientID, "clientSecret": p.secret,
		"startUrl": emulator.DefaultStartURL}, http.StatusOK)
	p.device, p.userCode = out["deviceCode"].(string), out["userCode"].(string)
	p.verifyURI, p.complete = out["verificationUri"].(string), out["verificationUriComplete"].(string)
}

// poll asks once for the tokens of the device sign-in and returns the error code, "" for tokens.
func (p *relyingParty) poll() string {
	p.t.Helper()
	out := p.call("/token", map[string]any{"grantType": "urn:ietf:params:oauth:grant-type:device_code",
		"clientId":     p.clientID,
		"clientSecret": p.secret, "deviceCode": p.device}, 0)
	code, _ := out["error"].(string)
	if token, _ := out["accessToken"].(string); (token == "") == (code == "") {
		p.t.Errorf("the answer has both a token and an error, or none")
	}
	return code
}

// call posts in to path; a status other than want fails the test, 0 takes any.
func (p *relyingParty) call(path string, in map[string]any, want int) map[string]any {
	p.t.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		p.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.base+path, bytes.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.http.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		p.t.Fatalf("%s: %v", path, err)
	}
	if want != 0 && resp.StatusCode != want {
		p.t.Fatalf("%s: status %d, %v", path, resp.StatusCode, out)
	}
	return out
}

// loopbackOf serves the listener of p without sockets, for a Person in a testing/synctest bubble.
func loopbackOf(h http.Handler) http.RoundTripper { return handlerTransport{h} }

type handlerTransport struct{ h http.Handler }

func (t handlerTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.Host, "127.0.0.1:") {
		return nil, fmt.Errorf("connection refused: %s", r.URL.Host)
	}
	w := httptest.NewRecorder()
	t.h.ServeHTTP(w, r)
	return w.Result(), nil
}
