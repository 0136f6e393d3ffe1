package emulator_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
)

// refusal is what a wrong request gets: status, exception, text.
type refusal struct {
	status    int
	exception string
	text      string
}

func (v visited) refusal() refusal {
	var body struct {
		ErrorDescription string `json:"error_description"`
		Message          string `json:"message"`
		Type             string `json:"__type"`
	}
	_ = json.Unmarshal([]byte(v.body), &body) // a success has other members, and then the refusal is empty
	name, _, _ := strings.Cut(v.header.Get("X-Amzn-Errortype"), ":")
	if _, after, ok := strings.Cut(body.Type, "#"); ok {
		name = after
	}
	return refusal{v.status, name, body.ErrorDescription + body.Message}
}

// inProcess is an emulator without sockets.
func inProcess(emu *emulator.Server) sdk {
	return sdkAt(emu, "http://127.0.0.1:4000", &http.Client{Transport: emu.Transport()})
}

func TestRegisterClientRefuses(t *testing.T) {
	t.Parallel()
	const good = `"clientName":"a","clientType":"public"`
	pkce := good +
		`,"scopes":["sso:account:access"],"grantTypes":["authorization_code","refresh_token"],"issuerUrl":"` +
		emulator.DefaultStartURL + `"`
	redirect := func(u string) string { return pkce + `,"redirectUris":["` + u + `"]` }
	ok := refusal{status: 200}
	badURI := refusal{400, "InvalidRedirectUriException", "Invalid redirect uri provided"}
	for _, tc := range []struct {
		name, body string
		switches   emulator.Switches
		want       refusal
	}{
		{"plain", good, emulator.Switches{}, ok},
		{"no name", `"clientType":"public"`, emulator.Switches{}, refusal{400, "InvalidRequestException",
			"Invalid request"}},
		{"no type", `"clientName":"a"`, emulator.Switches{}, refusal{400, "InvalidRequestException",
			"Invalid request"}},
		{"wrong JSON type", `"clientName":1,"clientType":"public"`, emulator.Switches{}, refusal{400,
			"InvalidRequestException", "Invalid request"}},
		{"confidential", `"clientName":"a","clientType":"confidential"`, emulator.Switches{}, refusal{400,
			"InvalidClientMetadataException", ""}},
		{"name with blanks", `"clientName":"Acme Dev","clientType":"public"`, emulator.Switches{}, ok},
		{"name with blanks, 2023", `"clientName":"Acme Dev","clientType":"public"`,
			emulator.Switches{RefuseBlankNames: true}, refusal{400, "InvalidClientMetadataException", ""}},
		{"unknown grant", good + `,"grantTypes":["password"]`, emulator.Switches{}, refusal{400,
			"UnsupportedGrantTypeException", "Unsupported grant type provided"}},
		{"refresh_token alone", good + `,"grantTypes":["refresh_token"]`, emulator.Switches{}, ok},
		{"mixed grants", good + `,"grantTypes":["authorization_code","` + deviceGrant + `"]`, emulator.Switches{},
			refusal{400, "InvalidScopeException", ""}},
		{"mixed grants, 2025", good + `,"grantTypes":["authorization_code","` + deviceGrant + `"]`,
			emulator.Switches{MixedGrantsFail: true}, refusal{500, "InternalServerException", ""}},
		{"unknown scopes without grants", good + `,"scopes":["scope1","scope2"]`, emulator.Switches{}, ok},
		{"unknown scopes with grants", good + `,"scopes":["scope1"],"grantTypes":["refresh_token"]`,
			emulator.Switches{}, refusal{400, "InvalidScopeException", "Invalid scope provided"}},
		{"unknown scopes, any", good + `,"scopes":["scope1"],"grantTypes":["refresh_token"]`,
			emulator.Switches{AnyScope: true}, ok},
		{"26 scopes", good + `,"scopes":["a"` + strings.Repeat(`,"a"`, 25) + `]`, emulator.Switches{}, refusal{400,
			"InvalidScopeException", "Invalid scope provided"}},
		{"25 scopes", good + `,"scopes":["a"` + strings.Repeat(`,"a"`, 24) + `]`, emulator.Switches{}, ok},
		{"wrong issuer", good + `,"issuerUrl":"https://d-0000000000.awsapps.com/start"`, emulator.Switches{}, refusal{400, "InvalidRequestException", "Invalid start url provided"}},
		{"wrong issuer, other text", good + `,"issuerUrl":"https://d-0000000000.awsapps.com/start"`, emulator.Switches{StartURLText: "Invalid request."}, refusal{400, "InvalidRequestException", "Invalid request."}},
		{"issuer with fragment", good + `,"issuerUrl":"` + emulator.DefaultStartURL + `/#/"`, emulator.Switches{}, ok},
		{"issuer refused as such", good + `,"issuerUrl":"` + emulator.DefaultStartURL + `"`,
			emulator.Switches{RefuseIssuerURL: true}, refusal{400, "InvalidRequestException",
				"Invalid start url provided"}},
		{"issuer in another region", good + `,"issuerUrl":"` + emulator.DefaultStartURL + `"`,
			emulator.Switches{WrongRegion: true}, refusal{400, "InvalidRequestException",
				"Invalid start url provided"}},
		{"no redirect", pkce, emulator.Switches{}, badURI},
		{"redirect", redirect("http://127.0.0.1/oauth/callback"), emulator.Switches{}, ok},
		{"redirect with port", redirect("http://127.0.0.1:54321/oauth/callback"), emulator.Switches{}, ok},
		{"redirect without path", redirect("http://127.0.0.1"), emulator.Switches{}, ok},
		{"redirect without path, 2024", redirect("http://127.0.0.1"), emulator.Switches{OnlyOAuthCallback: true}, badURI},
		{"redirect to /", redirect("http://127.0.0.1/"), emulator.Switches{}, badURI},
		{"redirect to another path", redirect("http://127.0.0.1/callback"), emulator.Switches{}, badURI},
		{"redirect by https", redirect("https://127.0.0.1/oauth/callback"), emulator.Switches{}, badURI},
		{"redirect to localhost", redirect("http://localhost/oauth/callback"), emulator.Switches{}, badURI},
		{"redirect to [::1]", redirect("http://[::1]/oauth/callback"), emulator.Switches{}, badURI},
		{"redirect elsewhere", redirect("http://127.0.0.1.example.com/oauth/callback"), emulator.Switches{}, badURI},
		{"redirect with user", redirect("http://127.0.0.1@example.com/oauth/callback"), emulator.Switches{}, badURI},
		{"redirect with a user", redirect("http://a@127.0.0.1/oauth/callback"), emulator.Switches{}, badURI},
		{"redirect with query", redirect("http://127.0.0.1/oauth/callback?x=y"), emulator.Switches{}, badURI},
		{"redirect with fragment", redirect("http://127.0.0.1/oauth/callback#x"), emulator.Switches{}, badURI},
		{"redirect to a scheme of its own", redirect("vscode://callback"), emulator.Switches{}, badURI},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := inProcess(&emulator.Server{Switches: tc.switches})
			if got := c.visit(t, "POST", c.base+"/client/register", "{"+tc.body+"}").refusal(); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestStartDeviceAuthorizationRefuses(t *testing.T) {
	t.Parallel()
	wrong := refusal{400, "InvalidRequestException", "Invalid start url provided"}
	ok := refusal{status: 200}
	for _, tc := range []struct {
		name, startURL string
		server         func(*emulator.Server)
		secret, host   string
		want           refusal
	}{
		{"plain", emulator.DefaultStartURL, nil, "", "", ok},
		{"slash", emulator.DefaultStartURL + "/", nil, "", "", ok},
		{"hash", emulator.DefaultStartURL + "#", nil, "", "", ok},
		{"slash hash", emulator.DefaultStartURL + "/#", nil, "", "", ok},
		{"slash hash slash", emulator.DefaultStartURL + "/#/", nil, "", "", ok},
		{"upper-case host", "https://D-9067F00D42.awsapps.com/start", nil, "", "", ok},
		{"without /start", "https://d-9067f00d42.awsapps.com", nil, "", "", wrong},
		{"other path", "https://d-9067f00d42.awsapps.com/begin", nil, "", "", wrong},
		{"http", "http://d-9067f00d42.awsapps.com/start", nil, "", "", wrong},
		{"other instance", "https://d-0000000000.awsapps.com/start", nil, "", "", wrong},
		{"other instance, before 2023", "https://d-0000000000.awsapps.com/start",
			func(s *emulator.Server) { s.Switches.LateStartURLCheck = true }, "", "", ok},
		{"nonsense", "::", nil, "", "", wrong},
		{"empty", "", nil, "", "", refusal{400, "InvalidRequestException", "Invalid request"}},
		{"another region's host", emulator.DefaultStartURL, nil, "", "oidc.eu-west-1.amazonaws.com", wrong},
		{"this region's host", emulator.DefaultStartURL, nil, "", "oidc.us-east-1.api.aws", ok},
		{"wrong secret", emulator.DefaultStartURL, nil, "x", "", refusal{401, "InvalidClientException",
			"Invalid client provided"}},
		{"wrong secret and wrong URL", "https://x.awsapps.com/start", nil, "x", "", wrong},
		{"device grant refused", emulator.DefaultStartURL, func(s *emulator.Server) { s.DeviceGrantRefused = true }, "",
			"",
			refusal{400, "UnauthorizedClientException", "Client is unauthorized"}},
		{"registration lapsed", emulator.DefaultStartURL,
			func(s *emulator.Server) { s.RegistrationLife = time.Nanosecond }, "", "",
			refusal{401, "InvalidClientException", "Invalid client provided"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			emu := &emulator.Server{}
			if tc.server != nil {
				tc.server(emu)
			}
			c := inProcess(emu)
			reg := c.register(t)
			emu.Advance(time.Microsecond)
			secret := *reg.ClientSecret
			if tc.secret != "" {
				secret = tc.secret
			}
			base := c.base
			if tc.host != "" {
				base = "https://" + tc.host
			}
			body := fmt.Sprintf(`{"clientId":%q,"clientSecret":%q,"startUrl":%q}`, *reg.ClientId, secret, tc.startURL)
			if got := c.visit(t, "POST", base+"/device_authorization", body).refusal(); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	t.Parallel()
	type answer struct {
		refusal
		redirectError string // error parameter of a redirect to the client
	}
	raw := func(exception, text string) answer { return answer{refusal{400, exception, text}, ""} }
	for _, tc := range []struct {
		name   string
		change map[string]string
		sw     emulator.Switches
		want   answer
	}{
		{"unknown client", map[string]string{"client_id": "x"}, emulator.Switches{}, raw("InvalidRequestException",
			"Invalid client provided")},
		{"no client", map[string]string{"client_id": ""}, emulator.Switches{}, raw("InvalidRequestException",
			"Invalid client provided")},
		{"wrong region", nil, emulator.Switches{WrongRegion: true}, raw("InvalidRequestException",
			"Invalid client provided")},
		{"another redirect path", map[string]string{"redirect_uri": "http://127.0.0.1:1/"}, emulator.Switches{}, raw("InvalidRequestException", "Invalid redirect uri provided")},
		{"another redirect host", map[string]string{"redirect_uri": "http://localhost:1/oauth/callback"}, emulator.Switches{}, raw("InvalidRequestException", "Invalid redirect uri provided")},
		{"no redirect", map[string]string{"redirect_uri": ""}, emulator.Switches{}, raw("InvalidRequestException",
			"Invalid redirect uri provided")},
		{"another port", map[string]string{"redirect_uri": "http://127.0.0.1:1/oauth/callback"}, emulator.Switches{}, answer{refusal{302, "", ""}, ""}},
		{"token response", map[string]string{"response_type": "token"}, emulator.Switches{}, answer{refusal{302, "",
			""}, "unsupported_response_type"}},
		{"plain challenge", map[string]string{"code_challenge_method": "plain"}, emulator.Switches{},
			answer{refusal{302, "", ""}, "invalid_request"}},
		{"no challenge", map[string]string{"code_challenge": ""}, emulator.Switches{}, answer{refusal{302, "", ""},
			"invalid_request"}},
		{"short challenge", map[string]string{"code_challenge": "abc"}, emulator.Switches{}, answer{refusal{302, "",
			""}, "invalid_request"}},
		{"no state", map[string]string{"state": ""}, emulator.Switches{}, answer{refusal{302, "", ""},
			"invalid_request"}},
		{"no state, optional", map[string]string{"state": ""}, emulator.Switches{StateOptional: true},
			answer{refusal{302, "", ""}, ""}},
		{"scope for scopes", map[string]string{"scopes": "", "scope": "sso:account:access"}, emulator.Switches{},
			answer{refusal{302, "", ""}, ""}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			emu := &emulator.Server{}
			c := inProcess(emu)
			reg := c.registerPKCE(t)
			emu.Change(func(s *emulator.Server) { s.Switches = tc.sw })
			v := c.visit(t, "GET", authorizeURL(c.base, reg.ClientId, tc.change), "")
			got := answer{refusal: v.refusal()}
			if u, err := url.Parse(v.location); err == nil && strings.HasPrefix(v.location, redirectURI) {
				got.redirectError = u.Query().Get("error")
				if tc.change["state"] == "" && tc.name != "no state" && u.Query().Get("state") == "" {
					t.Error("the redirect carries no state")
				}
			} else if v.status == 302 && !strings.HasPrefix(v.location, "http://localhost:4000/idp/sign-in?request=") {
				t.Errorf("redirected to %q", v.location)
			}
			if got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
	t.Run("client of the device flow", func(t *testing.T) {
		c := inProcess(&emulator.Server{})
		v := c.visit(t, "GET", authorizeURL(c.base, c.register(t).ClientId, nil), "")
		if got, want := v.refusal(), (refusal{400, "UnauthorizedClientException",
			"Client is unauthorized"}); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestPortalRefuses(t *testing.T) {
	t.Parallel()
	emu := &emulator.Server{Directory: emulator.GenerateDirectory(45, 2)}
	c := inProcess(emu)
	token := *c.signIn(t).AccessToken
	limits := refusal{400, "InvalidRequestException", "ResultSize parameter must be within the valid limits of: 1-100"}
	some := emu.Directory.Accounts[7].ID
	for _, tc := range []struct {
		target string
		want   refusal
	}{
		{"/assignment/accounts?max_result=100", refusal{status: 200}},
		{"/assignment/accounts?max_result=101", limits},
		{"/assignment/accounts?max_result=0", limits},
		{"/assignment/accounts?max_result=x", limits},
		{"/assignment/accounts?next_token=x", refusal{400, "InvalidRequestException", "Invalid next token"}},
		{"/assignment/roles", refusal{400, "InvalidRequestException", "Invalid request"}},
		{"/assignment/roles?account_id=999999999999", refusal{404, "ResourceNotFoundException", "Account not found"}},
		{"/assignment/roles?max_result=101&account_id=" + some, limits},
		{"/federation/credentials?account_id=" + some, refusal{400, "InvalidRequestException", "Invalid request"}},
		{"/federation/credentials?role_name=x&account_id=" + some, refusal{403, "ForbiddenException", "No access"}},
		{"/federation/credentials?role_name=Developer&account_id=999999999999", refusal{403, "ForbiddenException",
			"No access"}},
	} {
		if got := c.withToken(t, "GET", tc.target, token).refusal(); got != tc.want {
			t.Errorf("%s: got %+v, want %+v", tc.target, got, tc.want)
		}
	}
	dead := refusal{401, "UnauthorizedException", "Session token not found or invalid"}
	for _, target := range []string{"/assignment/accounts", "/assignment/roles?account_id=" + some,
		"/federation/credentials", "/logout"} {
		method := "GET"
		if target == "/logout" {
			method = "POST"
		}
		for _, bad := range []string{"", "x", token + "x"} {
			if got := c.withToken(t, method, target, bad).refusal(); got != dead {
				t.Errorf("%s: got %+v, want %+v", target, got, dead)
			}
		}
	}
	emu.Change(func(s *emulator.Server) { s.Switches.UnknownAccountForbidden = true })
	if got, want := c.withToken(t, "GET", "/assignment/roles?account_id=999999999999", token).refusal(), (refusal{403,
		"ForbiddenException", "No access"}); got != want {
		t.Errorf("unknown account, other reading: got %+v, want %+v", got, want)
	}
	emu.Change(func(s *emulator.Server) { s.Switches.WrongRegion = true })
	if got := c.withToken(t, "GET", "/assignment/accounts", token).refusal(); got != dead {
		t.Errorf("another region: got %+v, want %+v", got, dead)
	}
}

// withToken makes a portal request.
func (c sdk) withToken(t testing.TB, method, target, token string) visited {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, c.base+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("x-amz-sso_bearer_token", token)
	return c.roundTrip(t, req)
}
