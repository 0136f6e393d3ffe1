package emulator_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/emulator"
)

func TestNextCallsFail(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	reg := c.register(t, "sso:account:access")
	c.emu.Fail(emulator.OpStartDeviceAuthorization, 2, emulator.Fault{Error: "SlowDownException"})
	c.emu.Fail(emulator.OpStartDeviceAuthorization, 1, emulator.Fault{Error: "InternalServerException"})
	for _, want := range []string{"SlowDownException", "SlowDownException", "InternalServerException", ""} {
		wantError(t, "start", c.call(t, emulator.OpStartDeviceAuthorization, reg, nil), want)
	}
	wantError(t, "another operation", c.call(t, emulator.OpRegisterClient, reg, nil), "")

	c.emu.Fail(emulator.OpCreateToken+"/refresh_token", -1, emulator.Fault{Error: "InvalidRequestException",
		Reason: "KMS_DisabledException"})
	dev := c.start(t, reg)
	_, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
	wantError(t, "another grant", err, "AuthorizationPendingException")
	for range 3 {
		wantError(t, "refresh", c.call(t, emulator.OpCreateToken, reg, nil), "InvalidRequestException")
	}
	c.emu.ClearFaults()
	wantError(t, "cleared", c.call(t, emulator.OpCreateToken, reg, nil), "InvalidGrantException")
}

func TestFaultBodies(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{RetryAfter: 1500 * time.Millisecond,
		Switches: emulator.Switches{PortalErrorHeader: true, ThrottleText: "Rate exceeded"}, PortalRate: 1})
	const token = `{"clientId":"x","clientSecret":"x","grantType":"refresh_token","refreshToken":"x"}`
	for _, tc := range []struct {
		fault emulator.Fault
		want  string
	}{
		{emulator.Fault{Error: "InvalidRequestException", Text: "t", Reason: "KMS_DisabledException"},
			`400 {"error":"invalid_request","error_description":"t","reason":"KMS_DisabledException"}`},
		{emulator.Fault{Error: "AccessDeniedException", Reason: "KMS_AccessDeniedException"},
			`400 {"error":"access_denied","error_description":"","reason":"KMS_AccessDeniedException"}`},
		{emulator.Fault{Error: "InternalServerException"}, `500 {"error":"server_error","error_description":""}`},
		{emulator.Fault{Error: "FooBarException", Status: 418}, `418 {"error":"foo_bar","error_description":""}`},
		{emulator.Fault{Body: "<html>Log in to the hotel</html>"}, `200 <html>Log in to the hotel</html>`},
		{emulator.Fault{Body: "{", Status: 502}, `502 {`},
		{emulator.Fault{Status: 503}, `503 `},
	} {
		c.emu.Fail(emulator.OpCreateToken, 1, tc.fault)
		v := c.visit(t, "POST", c.base+"/token", token)
		if got := strconv.Itoa(v.status) + " " + v.body; got != tc.want {
			t.Errorf("%+v:\n got %s\nwant %s", tc.fault, got, tc.want)
		}
	}
	first := c.visit(t, "GET", c.base+"/assignment/accounts", "")
	second := c.visit(t, "GET", c.base+"/assignment/accounts", "")
	if first.status != 401 || first.header.Get("X-Amzn-Errortype") != "UnauthorizedException" {
		t.Errorf("first call in a second: %d %v", first.status, first.header)
	}
	if got, want := second.refusal(), (refusal{429, "TooManyRequestsException", "Rate exceeded"}); got != want ||
		second.header.Get("Retry-After") != "2" {
		t.Errorf("second call in a second: %+v, Retry-After %q", got, second.header.Get("Retry-After"))
	}
	c.emu.Advance(time.Second)
	if third := c.visit(t, "GET", c.base+"/assignment/accounts", ""); third.status != 401 {
		t.Errorf("a second later: %d", third.status)
	}
}

// TestDropBeforeAndAfter shows the difference: whether the single-use token was spent.
func TestDropBeforeAndAfter(t *testing.T) {
	t.Parallel()
	for _, sockets := range []bool{false, true} {
		for drop, want := range map[emulator.Drop]string{emulator.DropBefore: "",
			emulator.DropAfter: "InvalidGrantException"} {
			c := inProcess(&emulator.Server{})
			if sockets {
				c = newSDK(t, c.emu)
			}
			reg := c.register(t, "sso:account:access")
			dev := c.start(t, reg)
			if err := c.emu.Approve(t.Context()); err != nil {
				t.Fatal(err)
			}
			tok, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
			if err != nil {
				t.Fatal(err)
			}
			c.emu.Fail(emulator.OpCreateToken, 1, emulator.Fault{Drop: drop})
			if _, err := c.byRefresh(t.Context(), reg, tok.RefreshToken); err == nil || !sockets && !errors.Is(err,
				emulator.ErrDropped) {
				t.Errorf("drop %s: %v", drop, err)
			}
			_, err = c.byRefresh(t.Context(), reg, tok.RefreshToken)
			wantError(t, "after a drop "+string(drop), err, want)
		}
	}
}

func TestLatencyTakesTimeAndEndsWithTheClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inProcess(&emulator.Server{Latency: time.Second})
		c.emu.Fail(emulator.OpRegisterClient, 1, emulator.Fault{Latency: 2 * time.Second})
		begin := time.Now()
		c.register(t)
		c.register(t)
		if got := time.Since(begin); got != 4*time.Second {
			t.Errorf("took %v, want 3 s and 1 s", got)
		}
	})
}

func TestClockSkewIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := inProcess(&emulator.Server{ClockSkew: -2 * time.Hour})
		v := c.visit(t, "POST", c.base+"/client/register", `{"clientName":"a","clientType":"public"}`)
		date, err := http.ParseTime(v.header.Get("Date"))
		if err != nil || !date.Equal(time.Now().Add(-2*time.Hour).Truncate(time.Second)) {
			t.Errorf("Date %q at %v", v.header.Get("Date"), time.Now())
		}
		var reg struct{ ClientIDIssuedAt int64 }
		if err := json.Unmarshal([]byte(v.body), &reg); err != nil || reg.ClientIDIssuedAt != date.Unix() {
			t.Errorf("issued at %d, want %d", reg.ClientIDIssuedAt, date.Unix())
		}
	})
}

func TestRequestLog(t *testing.T) {
	t.Parallel()
	var lines bytes.Buffer
	c := inProcess(&emulator.Server{Logger: slog.New(slog.NewJSONHandler(&lines, nil))})
	tok := c.signIn(t)
	c.visit(t, "POST", c.base+"/device_authorization/associate_token", "{}")
	c.emu.Fail(emulator.OpLogout, 1, emulator.Fault{Error: "TooManyRequestsException"})
	wantError(t, "logout", c.call(t, emulator.OpLogout, nil, tok.AccessToken), "TooManyRequestsException")
	var got []string
	for _, l := range c.emu.Requests() {
		got = append(got, strings.TrimRight(strings.Join([]string{l.Op, l.Grant, l.Client, l.Error, l.Fault}, " "),
			" "))
	}
	want := []string{"RegisterClient  test", "StartDeviceAuthorization  test", "CreateToken device_code test",
		"Unknown   UnknownOperationException", "Logout   TooManyRequestsException fault"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("log:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if un := c.emu.Unexpected(); len(un) != 1 || un[0].Path != "/device_authorization/associate_token" {
		t.Errorf("unexpected: %+v", un)
	}
	text := lines.String()
	for _, l := range c.emu.Requests() {
		b, _ := json.Marshal(l) // plain strings and times
		text += string(b)
	}
	if strings.Contains(text, emulator.SecretMarker) {
		t.Error("the log holds a secret")
	}
	if !strings.Contains(text, `"level":"WARN","msg":"Unknown"`) {
		t.Error("an unknown request is no warning")
	}
	c.emu.ForgetRequests()
	if n := len(c.emu.Requests()); n != 0 {
		t.Errorf("%d requests remembered", n)
	}
}

func TestFailWantsSense(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(*emulator.Server){
		"unknown operation": func(s *emulator.Server) { s.Fail("CreateTokens", 1, emulator.Fault{Error: "X"}) },
		"unknown grant":     func(s *emulator.Server) { s.Fail("CreateToken/password", 1, emulator.Fault{Error: "X"}) },
		"nothing":           func(s *emulator.Server) { s.Fail(emulator.OpCreateToken, 1, emulator.Fault{}) },
		"unknown drop": func(s *emulator.Server) {
			s.Fail(emulator.OpCreateToken, 1,
				emulator.Fault{Drop: "later"})
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f(&emulator.Server{})
		}()
	}
}

// control sends a control request and decodes its answer.
func (c sdk) control(t *testing.T, method, path, body string) (int, map[string]any) {
	t.Helper()
	v := c.visit(t, method, c.base+"/_emulator"+path, body)
	var m map[string]any
	if err := json.NewDecoder(io.LimitReader(strings.NewReader(v.body), 1<<20)).Decode(&m); err != nil {
		t.Fatalf("%s %s: %v in %q", method, path, err, v.body)
	}
	return v.status, m
}

func TestControlEndpoint(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	reg := c.register(t, "sso:account:access")
	wantStatus := func(want int, method, path, body string) map[string]any {
		t.Helper()
		status, m := c.control(t, method, path, body)
		if status != want {
			t.Errorf("%s %s %s: %d %v, want %d", method, path, body, status, m, want)
		}
		return m
	}
	m := wantStatus(200, "GET", "", "")
	if m["start_url"] != emulator.DefaultStartURL ||
		m["environment"].(map[string]any)["AWS_ENDPOINT_URL_STS"] != c.base {
		t.Errorf("index: %v", m)
	}
	if m := wantStatus(200, "GET", "/pending", ""); len(m["pending"].([]any)) != 0 {
		t.Errorf("pending: %v", m)
	}
	wantStatus(404, "POST", "/approve", "")

	dev := c.start(t, reg)
	m = wantStatus(200, "GET", "/pending?wait=1s", "")
	p := m["pending"].([]any)[0].(map[string]any)
	if p["user_code"] != *dev.UserCode || p["kind"] != "device_code" || p["client_name"] != "test" {
		t.Errorf("pending: %v", p)
	}
	wantStatus(400, "POST", "/approve", `{"user":"nobody"}`)
	wantStatus(200, "POST", "/approve", `{"id":"`+p["id"].(string)+`","user":"ada"}`)
	tok, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
	if err != nil {
		t.Fatal(err)
	}

	pkce := c.registerPKCE(t)
	c.visit(t, "GET", authorizeURL(c.base, pkce.ClientId, nil), "")
	m = wantStatus(200, "POST", "/deny", `{"wait":"1s"}`)
	if r, _ := m["redirect"].(string); !strings.HasPrefix(r, redirectURI+"?error=access_denied") {
		t.Errorf("deny: %v", m)
	}

	wantStatus(200, "POST", "/fail", `{"op":"ListAccounts","times":2,"error":"TooManyRequestsException"}`)
	for _, want := range []string{"TooManyRequestsException", "TooManyRequestsException", ""} {
		wantError(t, "accounts", c.call(t, emulator.OpListAccounts, reg, tok.AccessToken), want)
	}
	wantStatus(200, "POST", "/fail", `{"op":"ListAccounts","drop":"before","latency":"1ms"}`)
	wantStatus(200, "DELETE", "/fail", "")
	wantError(t, "cleared", c.call(t, emulator.OpListAccounts, reg, tok.AccessToken), "")
	wantStatus(400, "POST", "/fail", `{"op":"ListAccounts"}`)
	wantStatus(400, "POST", "/fail", `{"op":"Nonsense","error":"x"}`)
	wantStatus(400, "POST", "/fail", `{"op":"ListAccounts","error":"x","color":"red"}`)

	m = wantStatus(200, "PATCH", "/settings",
		`{"access_token_life":"5m","clock_skew":"-1h","switches":{"refresh_same":true}}`)
	if m["access_token_life"] != "5m0s" || m["switches"].(map[string]any)["refresh_same"] != true ||
		m["session_life"] != "8h0m0s" {
		t.Errorf("settings: %v", m)
	}
	m = wantStatus(200, "PATCH", "/settings", `{"switches":{"any_scope":true}}`)
	if m["switches"].(map[string]any)["refresh_same"] != true {
		t.Error("a switch that was not named was changed")
	}
	out, err := c.byRefresh(t.Context(), reg, tok.RefreshToken)
	if err != nil || out.ExpiresIn != 300 || *out.RefreshToken != *tok.RefreshToken {
		t.Errorf("after the change: %v, expiresIn %d", err, out.ExpiresIn)
	}
	wantStatus(400, "PATCH", "/settings", `{"latency":"-1s"}`)
	wantStatus(400, "PATCH", "/settings", `{"verification":"smoke"}`)
	wantStatus(400, "PATCH", "/settings", `{"unknown":1}`)

	if m := wantStatus(200, "GET", "/settings", ""); m["access_token_life"] != "5m0s" {
		t.Errorf("settings read back: %v", m)
	}
	wantStatus(200, "POST", "/advance", `{"by":"6m"}`)
	wantError(t, "six minutes later", c.call(t, emulator.OpListAccounts, reg, out.AccessToken), "UnauthorizedException")
	wantStatus(400, "POST", "/advance", `{"by":"-6m"}`)

	d := wantStatus(200, "GET", "/directory", "")
	if len(d["accounts"].([]any)) != 3 {
		t.Errorf("directory: %v", d)
	}
	wantStatus(200, "PUT", "/directory",
		`{"users":[{"name":"bob"}],"accounts":[{"id":"123456789012","name":"a","roles":[{"name":"R",`+
			`"duration":"15m"}]}]}`)
	wantStatus(400, "PUT", "/directory", `{"users":[{"name":"bob"}],"accounts":[{"id":"1","name":"a","roles":[]}]}`)
	wantStatus(200, "POST", "/end", `{"user":"ada"}`)
	_, err = c.byRefresh(t.Context(), reg, tok.RefreshToken)
	wantError(t, "session ended", err, "InvalidGrantException")

	m = wantStatus(200, "GET", "/requests?op=ListAccounts", "")
	if n := len(m["requests"].([]any)); n != 5 {
		t.Errorf("%d calls of ListAccounts in the log, want 5", n)
	}
	wantStatus(200, "DELETE", "/requests", "")
	if m = wantStatus(200, "GET", "/requests", ""); len(m["requests"].([]any)) != 0 {
		t.Errorf("log: %v", m)
	}
	wantStatus(404, "GET", "/approve", "")
	wantStatus(404, "GET", "/nonsense", "")

	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.base+"/_emulator/end", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if v := c.roundTrip(t, req); v.status != 403 {
		t.Errorf("from another site's page: %d", v.status)
	}
}

// TestEverySettingIsSet changes every setting over the control endpoint and reads them back.
func TestEverySettingIsSet(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	var before, change, after map[string]any
	read := func(method, body string, into *map[string]any) {
		t.Helper()
		if err := json.Unmarshal([]byte(c.visit(t, method, c.base+"/_emulator/settings", body).body),
			into); err != nil {
			t.Fatal(err)
		}
	}
	const all = `{"region":"eu-west-1","start_url":"https://x.awsapps.com/start","base_url":"http://a.example","idp_origin":"http://b.example",
		"verification":"opaque","auto_approve":true,"access_token_life":"1m0s","unscoped_token_life":"2m0s","session_life":"3m0s",
		"code_life":"4m0s","registration_life":"5m0s","interval":"6s","slow_downs":7,"latency":"8ms","portal_rate":9,
		"retry_after":"10s","clock_skew":"-11s","device_grant_refused":true,"switches":{"any_scope":true}}`
	if err := json.Unmarshal([]byte(all), &change); err != nil {
		t.Fatal(err)
	}
	read("GET", "", &before)
	read("PATCH", all, &after)
	after = nil
	read("GET", "", &after)
	for name := range before {
		switch {
		case name == "switches":
			if after[name].(map[string]any)["any_scope"] != true {
				t.Error("switches: not set")
			}
		case change[name] == nil:
			t.Errorf("%s: not tried here", name)
		case after[name] != change[name] || after[name] == before[name]:
			t.Errorf("%s: %v, was %v, want %v", name, after[name], before[name], change[name])
		}
	}
}
