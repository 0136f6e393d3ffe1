package idc

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	const good = `{"authorizationEndpoint":null,"clientId":"id","clientIdIssuedAt":1772467920,"clientSecret":"jwt-S3CR3T","clientSecretExpiresAt":1780243920,"tokenEndpoint":null,"somethingNew":[1]}`
	for _, tt := range []struct {
		name string
		req  RegisterRequest
		body string // as JSON
		reg  session.Registration
	}{
		{
			"device code with scopes", RegisterRequest{ClientName: "homing", Scopes: []string{"sso:account:access"}, IssuerURL: "not sent"},
			`{"clientName":"homing","clientType":"public","scopes":["sso:account:access"]}`,
			session.Registration{Scopes: []string{"sso:account:access"}},
		},
		{
			"legacy, no scopes", RegisterRequest{ClientName: "homing"},
			`{"clientName":"homing","clientType":"public"}`, session.Registration{},
		},
		{
			"authorization code", RegisterRequest{ClientName: "homing", Scopes: []string{"a", "b"}, PKCE: true, IssuerURL: startURL},
			`{"clientName":"homing","clientType":"public","scopes":["a","b"],"grantTypes":["authorization_code","refresh_token"],` +
				`"redirectUris":["http://127.0.0.1/oauth/callback"],"issuerUrl":"https://d-1234567890.awsapps.com/start"}`,
			session.Registration{Scopes: []string{"a", "b"}, GrantTypes: []string{"authorization_code", "refresh_token"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, r, log := newTestClient(answer{body: good})
			reg, err := c.Register(t.Context(), tt.req)
			if err != nil {
				t.Fatal(err)
			}
			if reg.ClientID != "id" || reg.ClientSecret.Reveal() != "jwt-S3CR3T" || !reg.ExpiresAt.Equal(time.Unix(1780243920, 0)) ||
				!slices.Equal(reg.Scopes, tt.reg.Scopes) ||
				!slices.Equal(reg.GrantTypes, tt.reg.GrantTypes) {
				t.Errorf("registration = %+v", reg)
			}
			q := r.requests[0]
			if q.method != "POST" || q.host != "oidc.us-east-1.amazonaws.com" || q.path != "/client/register" {
				t.Errorf("request = %s %s%s", q.method, q.host, q.path)
			}
			sameJSON(t, q.body, tt.body)
			if ua := q.header.Get("User-Agent"); !strings.HasPrefix(ua, "homing/test (") ||
				!strings.Contains(ua, ") go1.") {
				t.Errorf("User-Agent = %q", ua)
			}
			if q.header.Get("Authorization") != "" {
				t.Error("the request is signed")
			}
			noSecret(t, log.String())
		})
	}
}

func TestStartDevice(t *testing.T) {
	t.Parallel()
	c, r, log := newTestClient(
		answer{body: `{"deviceCode":"dev-S3CR3T","expiresIn":600,"interval":1,"userCode":"WDJB-MJHT",` +
			`"verificationUri":"https://ssoins-1.us-east-1.portal.amazonaws.com/#/device","verificationUriComplete":"https://us-east-1.signin.aws/platform/authorize?request_uri=urn%3Ax"}`},
	)
	d, err := c.StartDevice(t.Context(), registration, startURL)
	if err != nil {
		t.Fatal(err)
	}
	if d.DeviceCode.Reveal() != "dev-S3CR3T" || d.UserCode != "WDJB-MJHT" || d.ExpiresIn != 10*time.Minute ||
		d.Interval != time.Second ||
		d.VerificationURI != "https://ssoins-1.us-east-1.portal.amazonaws.com/#/device" ||
		d.VerificationURIComplete != "https://us-east-1.signin.aws/platform/authorize?request_uri=urn%3Ax" {
		t.Errorf("authorization = %+v", d)
	}
	q := r.requests[0]
	if q.path != "/device_authorization" {
		t.Errorf("path = %q", q.path)
	}
	sameJSON(t, q.body, `{"clientId":"client-id","clientSecret":"eyJraWQi-S3CR3T","startUrl":"`+startURL+`"}`)
	noSecret(t, log.String())
}

func TestStartDeviceAnswers(t *testing.T) {
	t.Parallel()
	const rest = `"deviceCode":"d","userCode":"AAAA-BBBB","verificationUri":"https://x/"`
	for _, tt := range []struct {
		name, body, problem string
		interval            time.Duration
	}{
		{"no interval is five seconds", `{` + rest + `,"expiresIn":600}`, "", 5 * time.Second},
		{"null interval", `{` + rest + `,"expiresIn":600,"interval":null,"verificationUriComplete":null}`, "", 5 * time.Second},
		{"no end", `{` + rest + `}`, "expiresIn is missing or not positive", 0},
		{"no user code", `{"deviceCode":"d","userCode":null,"verificationUri":"https://x/","expiresIn":600}`, "userCode is missing", 0},
		{"not a page", `{"deviceCode":"d","userCode":"A","verificationUri":"javascript:alert(1)","expiresIn":600}`, "the page for the code is not a web address", 0},
		{"not a page to open", `{` + rest + `,"verificationUriComplete":"file:///etc/passwd","expiresIn":600}`, "the page for the code is not a web address", 0},
		{"escape sequence", `{"deviceCode":"d","userCode":"A\u001b[2J","verificationUri":"https://x/","expiresIn":600}`, "userCode holds control characters", 0},
		{"wrong type", `{` + rest + `,"expiresIn":"S3CR3T"}`, "a member of the answer has the wrong type", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, _, log := newTestClient(answer{body: tt.body})
			d, err := c.StartDevice(t.Context(), registration, startURL)
			if tt.problem == "" {
				if err != nil || d.Interval != tt.interval {
					t.Errorf("interval %v, error %v; want %v", d.Interval, err, tt.interval)
				}
				return
			}
			wantFault(t, err, fault.Unavailable, CodeNonsense, "")
			if !strings.HasSuffix(err.Error(), tt.problem) {
				t.Errorf("error = %v, want %q", err, tt.problem)
			}
			noSecret(t, log.String())
		})
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	const withNulls = `{"accessToken":"aoa-S3CR3T","aws_sso_app_session_id":null,"expiresIn":3600,"idToken":null,"issuedTokenType":null,"originSessionId":null,"refreshToken":null,"tokenType":"Bearer"}`
	const renewable = `{"accessToken":"aoa-S3CR3T","expiresIn":3600,"refreshToken":"aor-S3CR3T","tokenType":"Bearer"}`
	for _, tt := range []struct {
		name, answer, request string
		get                   func(*Client) (Grant, error)
	}{
		{
			"device code", renewable,
			`{"clientId":"client-id","clientSecret":"eyJraWQi-S3CR3T","deviceCode":"device-S3CR3T","grantType":"urn:ietf:params:oauth:grant-type:device_code"}`,
			func(c *Client) (Grant, error) { return c.TokenByDevice(t.Context(), registration, deviceCode) },
		},
		{
			"authorization code", renewable,
			`{"clientId":"client-id","clientSecret":"eyJraWQi-S3CR3T","code":"code-S3CR3T","codeVerifier":"ver-S3CR3T","grantType":"authorization_code","redirectUri":"http://127.0.0.1:4711/oauth/callback"}`,
			func(c *Client) (Grant, error) {
				return c.TokenByCode(t.Context(), registration, session.NewSecret("code-S3CR3T"), session.NewSecret("ver-S3CR3T"), "http://127.0.0.1:4711/oauth/callback")
			},
		},
		{
			"refresh, and no new refresh token", withNulls,
			`{"clientId":"client-id","clientSecret":"eyJraWQi-S3CR3T","grantType":"refresh_token","refreshToken":"aorAAAAA-S3CR3T:MGQC+/"}`,
			func(c *Client) (Grant, error) {
				return c.TokenByRefresh(t.Context(), registration.ClientID, registration.ClientSecret, refreshToken)
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, r, log := newTestClient(answer{body: tt.answer})
			g, err := tt.get(c)
			if err != nil {
				t.Fatal(err)
			}
			if g.AccessToken.Reveal() != "aoa-S3CR3T" || g.ExpiresIn != time.Hour ||
				!g.Date.Equal(time.Date(2026, 3, 2, 16, 12, 0, 0, time.UTC)) {
				t.Errorf("grant = %+v", g)
			}
			if got, want := g.RefreshToken.Reveal() == "aor-S3CR3T", tt.answer == renewable; got != want {
				t.Errorf("refresh token there: %t, want %t", got, want)
			}
			if q := r.requests[0]; q.path != "/token" {
				t.Errorf("path = %q", q.path)
			} else {
				sameJSON(t, q.body, tt.request)
			}
			noSecret(t, log.String())
		})
	}
}

func TestTokenAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no access token":   `{"expiresIn":3600,"refreshToken":"S3CR3T"}`,
		"null access token": `{"accessToken":null,"expiresIn":3600}`,
		"no lifetime":       `{"accessToken":"S3CR3T"}`,
		"line break":        `{"accessToken":"S3CR3T\n","expiresIn":3600}`,
		"refresh line":      `{"accessToken":"S3CR3T","refreshToken":"S3CR3T\u0000","expiresIn":3600}`,
		"number for token":  `{"accessToken":12,"expiresIn":3600,"refreshToken":"S3CR3T"}`,
		"array":             `["S3CR3T"]`,
		"text":              `"S3CR3T"`,
		"empty":             ` `,
		"cut off":           `{"accessToken":"S3CR3T","expi`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, r, log := newTestClient(answer{status: 200, body: body})
			_, err := c.TokenByDevice(t.Context(), registration, deviceCode)
			wantFault(t, err, fault.Unavailable, CodeNonsense, "")
			if len(r.requests) != 1 {
				t.Errorf("%d requests, want 1", len(r.requests))
			}
			noSecret(t, log.String())
		})
	}
}

func TestAuthorizeURL(t *testing.T) {
	t.Parallel()
	req := AuthorizeRequest{
		ClientID: "id/+=", RedirectURI: "http://127.0.0.1:4711/oauth/callback", State: "5b0e-11 x",
		Challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", Scopes: []string{"sso:account:access", "codewhisperer:completions"},
	}
	const query = "/authorize?response_type=code&client_id=id%2F%2B%3D&redirect_uri=http%3A%2F%2F127.0.0.1%3A4711%2Foauth%2Fcallback" +
		"&state=5b0e-11%20x&code_challenge_method=S256&scopes=sso%3Aaccount%3Aaccess%20codewhisperer%3Acompletions" +
		"&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	for _, tt := range []struct {
		endpoints Endpoints
		base      string
	}{
		{Endpoints{}, "https://oidc.us-east-1.amazonaws.com"},
		{Endpoints{DualStack: true}, "https://oidc.us-east-1.api.aws"},
		{Endpoints{OIDC: "http://127.0.0.1:8080/idc/us-east-1"}, "http://127.0.0.1:8080/idc/us-east-1"},
	} {
		got := New(Options{Region: "us-east-1", Endpoints: tt.endpoints}).AuthorizeURL(req)
		if got != tt.base+query {
			t.Errorf("AuthorizeURL:\n got %s\nwant %s", got, tt.base+query)
		}
		u, err := url.Parse(got)
		if err != nil || u.Query().Get("scopes") != "sso:account:access codewhisperer:completions" {
			t.Errorf("does not read back: %v %v", u, err)
		}
	}
	if got := New(Options{}).AuthorizeURL(req); got != "" {
		t.Errorf("without a region: %q", got)
	}
}

func sameJSON(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%v in %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%v in %s", err, want)
	}
	if d := cmp.Diff(w, g); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
}
