package emulator_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
)

func TestCreateTokenRefuses(t *testing.T) {
	t.Parallel()
	invalid := refusal{400, "InvalidRequestException", "Invalid request"}
	client := refusal{401, "InvalidClientException", "Invalid client provided"}
	for _, tc := range []struct {
		name, body string // ID and SECRET stand for a client's, VERIFIER and URI for a good pair
		sw         emulator.Switches
		want       refusal
	}{
		{"nothing", ``, emulator.Switches{}, invalid},
		{"a list", `[]`, emulator.Switches{}, invalid},
		{"null", `null`, emulator.Switches{}, invalid},
		{"an open brace", `{`, emulator.Switches{}, invalid},
		{"no grant type", `{"clientId":"ID","clientSecret":"SECRET","deviceCode":"x"}`, emulator.Switches{}, invalid},
		{"no client", `{"grantType":"refresh_token","refreshToken":"x"}`, emulator.Switches{}, invalid},
		{"no secret", `{"clientId":"ID","grantType":"refresh_token","refreshToken":"x"}`, emulator.Switches{}, invalid},
		{"numbers", `{"clientId":1,"clientSecret":2,"grantType":"refresh_token","refreshToken":"x"}`,
			emulator.Switches{}, invalid},
		{"device grant without code", `{"clientId":"ID","clientSecret":"SECRET","grantType":"` + deviceGrant + `"}`,
			emulator.Switches{}, invalid},
		{"code grant without code",
			`{"clientId":"ID","clientSecret":"SECRET","grantType":"authorization_code","redirectUri":"URI",` +
				`"codeVerifier":"VERIFIER"}`, emulator.Switches{}, invalid},
		{"code grant without redirect",
			`{"clientId":"ID","clientSecret":"SECRET","grantType":"authorization_code","code":"x",` +
				`"codeVerifier":"VERIFIER"}`, emulator.Switches{}, invalid},
		{"refresh grant without token", `{"clientId":"ID","clientSecret":"SECRET","grantType":"refresh_token"}`,
			emulator.Switches{}, invalid},
		{"password grant", `{"clientId":"ID","clientSecret":"SECRET","grantType":"password"}`, emulator.Switches{},
			refusal{400, "UnsupportedGrantTypeException", "Unsupported grant type provided"}},
		{"unknown code",
			`{"clientId":"ID","clientSecret":"SECRET","grantType":"authorization_code","code":"x",` +
				`"redirectUri":"URI","codeVerifier":"VERIFIER"}`,
			emulator.Switches{}, refusal{400, "InvalidGrantException", "Invalid grant provided"}},
		{"unknown code, other reading",
			`{"clientId":"ID","clientSecret":"SECRET","grantType":"authorization_code","code":"x",` +
				`"redirectUri":"URI","codeVerifier":"VERIFIER"}`,
			emulator.Switches{BadCodeAsInvalidRequest: true}, invalid},
		{"unknown device code", `{"clientId":"ID","clientSecret":"SECRET","grantType":"` + deviceGrant +
			`","deviceCode":"x"}`, emulator.Switches{},
			refusal{400, "InvalidGrantException", "Invalid device code provided"}},
		{"good refresh token, junk client",
			`{"clientId":"x","clientSecret":"x","grantType":"refresh_token","refreshToken":"REFRESH"}`,
			emulator.Switches{}, client},
		{"good refresh token, wrong secret",
			`{"clientId":"ID","clientSecret":"x","grantType":"refresh_token","refreshToken":"REFRESH"}`,
			emulator.Switches{}, client},
		{"good refresh token, another region",
			`{"clientId":"ID","clientSecret":"SECRET","grantType":"refresh_token","refreshToken":"REFRESH"}`,
			emulator.Switches{WrongRegion: true}, refusal{400, "InvalidRequestException", "Invalid token provided"}},
		{"good refresh token, another region, January",
			`{"clientId":"ID","clientSecret":"SECRET","grantType":"refresh_token","refreshToken":"REFRESH"}`,
			emulator.Switches{WrongRegion: true, ForeignRefreshInvalidGrant: true}, refusal{400,
				"InvalidGrantException", "Invalid refresh token provided"}},
		{"good refresh token",
			`{"clientId":"ID","clientSecret":"SECRET","grantType":"refresh_token","refreshToken":"REFRESH"}`,
			emulator.Switches{}, refusal{status: 200}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := inProcess(&emulator.Server{})
			reg := c.register(t, "sso:account:access")
			dev := c.start(t, reg)
			if err := c.emu.Approve(t.Context()); err != nil {
				t.Fatal(err)
			}
			tok, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
			if err != nil {
				t.Fatal(err)
			}
			c.emu.Change(func(s *emulator.Server) { s.Switches = tc.sw })
			body := strings.NewReplacer("ID", *reg.ClientId, "SECRET", *reg.ClientSecret, "REFRESH", *tok.RefreshToken,
				"VERIFIER", verifier, "URI", redirectURI).Replace(tc.body)
			if got := c.visit(t, "POST", c.base+"/token", body).refusal(); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

// TestOriginsForTheBrowser: where the pages send a browser that came by this or that name.
func TestOriginsForTheBrowser(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		base, baseURL, idpOrigin string
		wantIDP, wantDevice      string
	}{
		{"http://127.0.0.1:4000", "", "", "http://localhost:4000", "http://127.0.0.1:4000"},
		{"http://localhost:4000", "", "", "http://127.0.0.1:4000", "http://localhost:4000"},
		{"http://[::1]:4000", "", "", "http://localhost:4000", "http://[::1]:4000"},
		{"http://127.0.0.1", "", "", "http://localhost", "http://127.0.0.1"},
		{"http://emulator.test:4000", "", "", "http://emulator.test:4000", "http://emulator.test:4000"},
		{"http://127.0.0.1:4000", "https://idc.test/", "", "https://idc.test", "https://idc.test"},
		{"http://127.0.0.1:4000", "", "https://idp.test/", "https://idp.test", "http://127.0.0.1:4000"},
	} {
		c := inProcess(&emulator.Server{BaseURL: tc.baseURL, IDPOrigin: tc.idpOrigin})
		c.base = tc.base
		v := c.visit(t, "GET", authorizeURL(c.base, c.registerPKCE(t).ClientId, nil), "")
		if !strings.HasPrefix(v.location, tc.wantIDP+"/idp/sign-in?request=") {
			t.Errorf("%+v: %s", tc, v.location)
		}
		reg := c.register(t)
		v = c.visit(t, "POST", c.base+"/device_authorization",
			fmt.Sprintf(`{"clientId":%q,"clientSecret":%q,"startUrl":%q}`, *reg.ClientId, *reg.ClientSecret,
				emulator.DefaultStartURL))
		if !strings.Contains(v.body, `"verificationUri":"`+tc.wantDevice+`/device"`) {
			t.Errorf("%+v: %s", tc, v.body)
		}
	}
	srv := httptest.NewTLSServer(&emulator.Server{})
	t.Cleanup(srv.Close)
	c := sdkAt(nil, srv.URL, srv.Client())
	dev := c.start(t, c.register(t))
	if *dev.VerificationUri != srv.URL+"/device" || !strings.HasPrefix(srv.URL, "https://") {
		t.Errorf("behind TLS: %s", *dev.VerificationUri)
	}
}

// TestOtherStartURLs: instances whose start URL is no d-….awsapps.com/start.
func TestOtherStartURLs(t *testing.T) {
	t.Parallel()
	for startURL, forms := range map[string][]string{
		"https://ssoins-0123456789abcdef.portal.eu-west-1.app.aws":        {"", "/", "/#/", "#"},
		"https://ssoins-0123456789abcdef.us-east-1.portal.amazonaws.com/": {"", "#"},
		"https://start.us-gov-home.awsapps.com/directory/d-1234567890":    {"", "/", "#/"},
		"https://start.home.awsapps.cn/directory/d-1234567890":            {"", "/"},
		"https://acme.awsapps.com/start":                                  {"", "/#"},
	} {
		c := inProcess(&emulator.Server{StartURL: startURL})
		reg := c.register(t)
		for _, form := range forms {
			body := fmt.Sprintf(`{"clientId":%q,"clientSecret":%q,"startUrl":%q}`, *reg.ClientId, *reg.ClientSecret,
				startURL+form)
			if got := c.visit(t, "POST", c.base+"/device_authorization", body).refusal(); got.status != 200 {
				t.Errorf("%s: %+v", startURL+form, got)
			}
		}
		body := fmt.Sprintf(`{"clientId":%q,"clientSecret":%q,"startUrl":%q}`, *reg.ClientId, *reg.ClientSecret,
			emulator.DefaultStartURL)
		if got := c.visit(t, "POST", c.base+"/device_authorization", body).refusal(); got.status != 400 {
			t.Errorf("the default start URL at %s: %+v", startURL, got)
		}
	}
}

func TestHostsOfOtherRegions(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	token := *c.signIn(t).AccessToken
	for host, want := range map[string]int{
		"portal.sso.us-east-1.amazonaws.com":      200,
		"portal.sso-fips.us-east-1.amazonaws.com": 200,
		"portal.sso.us-east-1.api.aws":            200,
		"portal.sso.eu-west-1.amazonaws.com":      401,
		"portal.sso.cn-north-1.amazonaws.com.cn":  401,
		"portal.sso.example.com":                  200,
		"portal.sso.eu-west-1.localhost:4000":     200,
	} {
		c.base = "https://" + host
		if v := c.withToken(t, "GET", "/assignment/accounts", token); v.status != want {
			t.Errorf("%s: %d, want %d", host, v.status, want)
		}
	}
}

func TestWrongMethods(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{Latency: time.Nanosecond})
	for target, want := range map[string]int{
		"GET /token": 404, "GET /client/register": 404, "POST /authorize": 404, "GET /logout": 405,
		"POST /assignment/accounts": 405,
		"PUT /device":               405, "POST /start/": 405, "POST /authentication_result": 405, "GET /": 404,
		"POST /":        404,
		"GET /nonsense": 404,
		"HEAD /start":   200, "GET /favicon.ico": 404,
	} {
		method, path, _ := strings.Cut(target, " ")
		if v := c.visit(t, method, c.base+path, ""); v.status != want {
			t.Errorf("%s: %d, want %d", target, v.status, want)
		}
	}
	unexpected := len(c.emu.Unexpected())
	if unexpected != 11 {
		t.Errorf("%d unexpected requests, want all but HEAD /start and the favicon: %+v", unexpected,
			c.emu.Unexpected())
	}
	rec := httptest.NewRecorder()
	c.emu.ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(strings.Repeat("x",
		1<<20+1))))
	if rec.Code != http.StatusBadRequest {
		t.Errorf("a body of more than a megabyte: %d", rec.Code)
	}
}

func TestOtherPartitionsAndSTSFaults(t *testing.T) {
	t.Parallel()
	for region, arn := range map[string]string{"us-gov-west-1": "arn:aws-us-gov:sts::",
		"cn-north-1": "arn:aws-cn:sts::", "eusc-de-east-1": "arn:aws-eusc:sts::", "me-central-1": "arn:aws:sts::"} {
		c := inProcess(&emulator.Server{Region: region})
		req := c.identity(t, c.signIn(t).AccessToken)
		if got := c.sts(t, req); !strings.HasPrefix(got.arn, arn) {
			t.Errorf("%s: %+v", region, got)
		}
	}
	c := inProcess(&emulator.Server{})
	token := c.signIn(t).AccessToken
	for code, want := range map[string]int{"ExpiredToken": 403, "Throttling": 400, "ServiceUnavailable": 503,
		"SomethingNew": 400} {
		c.emu.Fail(emulator.OpGetCallerIdentity, 1, emulator.Fault{Error: code, Text: "a < b"})
		if got := c.sts(t, c.identity(t, token)); got != (stsAnswer{want, code, "a < b", ""}) {
			t.Errorf("%s: %+v", code, got)
		}
	}
}
