package awsmodel

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The samples have the shapes that the service was seen to send and clients were seen to ask. Values are made up.

type sampleRequest struct {
	service, op, method, target string
	header                      http.Header
	body                        string
}

func bearer() http.Header { return http.Header{"X-Amz-Sso_bearer_token": {"aoaAAAAA:x"}} }

func jsonType() http.Header { return http.Header{"Content-Type": {"application/json"}} }

var sampleRequests = []sampleRequest{
	{"sso-oidc", "RegisterClient", "POST", "/client/register", jsonType(), `{"clientName":"n","clientType":"public","scopes":["sso:account:access"],"grantTypes":["authorization_code","refresh_token"],"redirectUris":["http://127.0.0.1/oauth/callback"],"issuerUrl":"https://d-1234567890.awsapps.com/start"}`},
	{"sso-oidc", "StartDeviceAuthorization", "POST", "/device_authorization", jsonType(), `{"clientId":"c","clientSecret":"s","startUrl":"https://d-1234567890.awsapps.com/start"}`},
	{"sso-oidc", "CreateToken", "POST", "/token", jsonType(),
		`{"clientId":"c","clientSecret":"s","grantType":"refresh_token","refreshToken":"r"}`},
	{"sso", "ListAccounts", "GET", "/assignment/accounts?max_result=100&next_token=n", bearer(), ``},
	{"sso", "ListAccountRoles", "GET", "/assignment/roles?account_id=123456789012", bearer(), ``},
	{"sso", "GetRoleCredentials", "GET", "/federation/credentials?role_name=Admin&account_id=123456789012", bearer(),
		``},
	{"sso", "Logout", "POST", "/logout", bearer(), ``},
	{"sts", "GetCallerIdentity", "POST", "/", http.Header{"Content-Type": {"application/x-www-form-urlencoded; " +
		"charset=utf-8"}, "Authorization": {"AWS4-HMAC-SHA256 Credential=x"}},
		`Action=GetCallerIdentity&Version=2011-06-15`},
}

func (s sampleRequest) http() *http.Request {
	r := httptest.NewRequest(s.method, s.target, strings.NewReader(s.body))
	r.Header = s.header.Clone()
	return r
}

func TestGoodRequests(t *testing.T) {
	for _, s := range sampleRequests {
		m, r := Load(t, s.service), s.http()
		if got := m.Operation(r); got != s.op {
			t.Errorf("Operation(%s %s) = %q, want %q", s.method, s.target, got, s.op)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != s.body {
			t.Errorf("%s: Operation did not put the body back", s.op)
		}
		if err := m.CheckRequest(s.op, r, body); err != nil {
			t.Errorf("%s: %v", s.op, err)
		}
	}
}

func TestBadRequests(t *testing.T) {
	const (
		register, device, token, accounts, roles, credentials, logout, identity = 0, 1, 2, 3, 4, 5, 6, 7
	)
	cases := []struct {
		name   string
		sample int
		change func(*sampleRequest)
		want   string
	}{
		{"unknown member", register, func(s *sampleRequest) {
			s.body = strings.Replace(s.body, "clientName",
				"client_name", 1)
		}, "no such member"},
		{"required member absent", register, func(s *sampleRequest) { s.body = `{"clientName":"n"}` },
			".clientType: is required"},
		{"null is no value", token, func(s *sampleRequest) { s.body = strings.Replace(s.body, `"r"`, "null", 1) },
			"is null, want a string"},
		{"list as text", register, func(s *sampleRequest) {
			s.body = strings.Replace(s.body, `["sso:account:access"]`,
				`"x"`, 1)
		}, "want a list"},
		{"element of a list", register, func(s *sampleRequest) {
			s.body = strings.Replace(s.body,
				`["sso:account:access"]`, `[1]`, 1)
		}, "scopes[0]"},
		{"form body", token, func(s *sampleRequest) { s.body = "grantType=refresh_token" }, "not JSON"},
		{"key twice", token, func(s *sampleRequest) { s.body = strings.Replace(s.body, "{", `{"clientId":"d",`, 1) },
			"stands twice"},
		{"something after the body", token, func(s *sampleRequest) { s.body += "}" }, "more after"},
		{"content type", token, func(s *sampleRequest) { s.header = nil }, "Content-Type"},
		{"method", device, func(s *sampleRequest) { s.method = "PUT" }, "PUT /device_authorization"},
		{"path", logout, func(s *sampleRequest) { s.target = "/Logout" }, "/Logout, want"},
		{"signature where none belongs", token, func(s *sampleRequest) {
			s.header.Set("Authorization",
				"AWS4-HMAC-SHA256 x")
		}, "without a signature"},
		{"unknown query parameter", accounts,
			func(s *sampleRequest) { s.target = "/assignment/accounts?max_results=10" }, `"max_results"`},
		{"page too large", accounts, func(s *sampleRequest) { s.target = "/assignment/accounts?max_result=101" },
			"outside the model's limits"},
		{"page not a number", accounts, func(s *sampleRequest) { s.target = "/assignment/accounts?max_result=ten" },
			"not a whole number"},
		{"parameter twice", roles, func(s *sampleRequest) { s.target += "&account_id=2" }, "stands 2 times"},
		{"required parameter absent", credentials,
			func(s *sampleRequest) { s.target = "/federation/credentials?role_name=Admin" }, "accountId: is required"},
		{"token absent", logout, func(s *sampleRequest) { s.header = nil }, "x-amz-sso_bearer_token"},
		{"token in another header", accounts,
			func(s *sampleRequest) { s.header = http.Header{"X-Amz-Sso-Bearer-Token": {"t"}} },
			"accessToken: is required"},
		{"body on a GET", accounts, func(s *sampleRequest) { s.body = "{}" }, "want none"},
		{"unsigned", identity, func(s *sampleRequest) { s.header.Del("Authorization") }, "not signed"},
		{"old version", identity, func(s *sampleRequest) { s.body = "Action=GetCallerIdentity&Version=2010-01-01" },
			"Version"},
		{"unknown form member", identity, func(s *sampleRequest) { s.body += "&RoleArn=x" }, "RoleArn"},
	}
	for _, c := range cases {
		s := sampleRequests[c.sample]
		s.header = s.header.Clone()
		c.change(&s)
		err := Load(t, s.service).CheckRequest(s.op, s.http(), []byte(s.body))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want a problem with %q", c.name, err, c.want)
		}
	}
}

type sampleAnswer struct {
	service, op string
	status      int
	errorType   string // header
	body        string
}

const sourceURL = ":http://internal.amazon.com/coral/com.amazonaws.sso.oidc/"

var sampleAnswers = []sampleAnswer{
	{"sso-oidc", "RegisterClient", 200, "",
		`{"authorizationEndpoint":null,"clientId":"c","clientIdIssuedAt":1700000000,"clientSecret":"s",` +
			`"clientSecretExpiresAt":1707776000,"tokenEndpoint":null}`},
	{"sso-oidc", "StartDeviceAuthorization", 200, "", `{"deviceCode":"d","expiresIn":600,"interval":1,"userCode":"BCDF-GHJK","verificationUri":"https://x","verificationUriComplete":"https://x?user_code=BCDF-GHJK"}`},
	{"sso-oidc", "CreateToken", 200, "",
		`{"accessToken":"a","aws_sso_app_session_id":null,"expiresIn":3600,"idToken":null,"issuedTokenType":null,` +
			`"originSessionId":null,"refreshToken":"r","tokenType":"Bearer"}`},
	{"sso-oidc", "CreateToken", 400, "InvalidGrantException" + sourceURL,
		`{"error":"invalid_grant","error_description":"Invalid device code provided"}`},
	{"sso-oidc", "CreateToken", 400, "InvalidRequestException" + sourceURL,
		`{"error":"invalid_request","error_description":"Invalid request","reason":null}`},
	{"sso-oidc", "CreateToken", 401, "InvalidClientException" + sourceURL,
		`{"error":"invalid_client","error_description":"Invalid client provided"}`},
	{"sso", "ListAccounts", 200, "",
		`{"nextToken":null,"accountList":[{"accountId":"123456789012","accountName":"a","emailAddress":null}]}`},
	{"sso", "ListAccountRoles", 200, "",
		`{"nextToken":"n","roleList":[{"roleName":"Admin","accountId":"123456789012"}]}`},
	{"sso", "GetRoleCredentials", 200, "",
		`{"roleCredentials":{"accessKeyId":"ASIA","secretAccessKey":"s","sessionToken":"t",` +
			`"expiration":1700000000000}}`},
	{"sso", "GetRoleCredentials", 401, "",
		`{"message":"Session token not found or invalid",` +
			`"__type":"com.amazonaws.switchboard.portal#UnauthorizedException"}`},
	{"sso", "GetRoleCredentials", 403, "",
		`{"message":"No access","__type":"com.amazonaws.switchboard.portal#ForbiddenException"}`},
}

func (s sampleAnswer) header() http.Header {
	h := jsonType()
	if s.errorType != "" {
		h["x-amzn-ErrorType"] = []string{s.errorType} // as the service spells it
	}
	return h
}

func (s sampleAnswer) check(t *testing.T, body string) error {
	t.Helper()
	return Load(t, s.service).CheckResponse(s.op, s.status, s.header(), []byte(body))
}

func TestGoodAnswers(t *testing.T) {
	for _, s := range sampleAnswers {
		if err := s.check(t, s.body); err != nil {
			t.Errorf("%s %d: %v", s.op, s.status, err)
		}
	}
	if err := Load(t, "sso").CheckResponse("Logout", 200, http.Header{}, nil); err != nil {
		t.Errorf("Logout: %v", err)
	}
}

// TestEveryKeyCounts renames each key of each good answer and gives each member a value of another type: all must
// turn red. It is what the package is for.
func TestEveryKeyCounts(t *testing.T) {
	for _, s := range sampleAnswers {
		changed := 0
		for _, key := range keysOf(t, s.body) {
			renamed := strings.Replace(s.body, fmt.Sprintf("%q:", key), fmt.Sprintf("%q:", key+"x"), 1)
			if s.check(t, renamed) == nil {
				t.Errorf("%s %d: key %q renamed, and nothing was found", s.op, s.status, key)
			}
			retyped := strings.Replace(s.body, fmt.Sprintf("%q:", key), fmt.Sprintf("%q:true,%q:", key, "was-"+key), 1)
			if err := s.check(t, retyped); err == nil || !strings.Contains(err.Error(), "."+key+": is ") &&
				key != "__type" {
				t.Errorf("%s %d: key %q of another type: %v", s.op, s.status, key, err)
			}
			changed++
		}
		if changed == 0 {
			t.Errorf("%s %d: no key to change", s.op, s.status)
		}
	}
}

func keysOf(t *testing.T, body string) (keys []string) {
	t.Helper()
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				keys = append(keys, k)
				walk(e)
			}
		case []any:
			for _, e := range v {
				walk(e)
			}
		}
	}
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatal(err)
	}
	walk(v)
	return keys
}

func TestBadAnswers(t *testing.T) {
	cases := []struct {
		name, want string
		answer     sampleAnswer
	}{
		{"member absent", "accessToken: is required", sampleAnswer{"sso-oidc", "CreateToken", 200, "",
			`{"expiresIn":1,"tokenType":"Bearer"}`}},
		{"null where a value must be", "accessToken: is required", sampleAnswer{"sso-oidc", "CreateToken", 200, "",
			`{"accessToken":null,"expiresIn":1,"tokenType":"Bearer"}`}},
		{"number as text", "want a number", sampleAnswer{"sso-oidc", "CreateToken", 200, "",
			`{"accessToken":"a","expiresIn":"1","tokenType":"Bearer"}`}},
		{"fraction", "not a whole number", sampleAnswer{"sso-oidc", "CreateToken", 200, "",
			`{"accessToken":"a","expiresIn":1.5,"tokenType":"Bearer"}`}},
		{"status of an error", "status 400, want 401", sampleAnswer{"sso-oidc", "CreateToken", 400,
			"InvalidClientException", `{"error":"invalid_client"}`}},
		{"error of another operation", "no such error", sampleAnswer{"sso-oidc", "RegisterClient", 400,
			"InvalidGrantException", `{"error":"invalid_grant"}`}},
		{"code of another error", `want "invalid_grant"`, sampleAnswer{"sso-oidc", "CreateToken", 400,
			"InvalidGrantException", `{"error":"expired_token"}`}},
		{"reason on an error without one", "reason: the model has no such member", sampleAnswer{"sso-oidc",
			"CreateToken", 400, "InvalidGrantException", `{"error":"invalid_grant","reason":null}`}},
		{"unknown reason", "is none of KMS_", sampleAnswer{"sso-oidc", "CreateToken", 400, "InvalidRequestException",
			`{"error":"invalid_request","reason":"tired"}`}},
		{"no type", "without an error type", sampleAnswer{"sso", "ListAccounts", 401, "", `{"message":"no"}`}},
		{"HTML", "not JSON", sampleAnswer{"sso", "ListAccounts", 200, "", `<html>`}},
		{"forbidden with another status", "status 404, want 403", sampleAnswer{"sso", "GetRoleCredentials", 404, "",
			`{"message":"No access","__type":"x#ForbiddenException"}`}},
		{"role without a name", "roleList[0].roleName: is required", sampleAnswer{"sso", "ListAccountRoles", 200, "",
			`{"roleList":[{"accountId":"1"}]}`}},
	}
	for _, c := range cases {
		if err := c.answer.check(t, c.answer.body); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want a problem with %q", c.name, err, c.want)
		}
	}
}

func TestQueryAnswers(t *testing.T) {
	const good = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:sts::123456789012:assumed-role/Admin/alice</Arn><UserId>u</UserId><Account>123456789012</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetCallerIdentityResponse>`
	const refused = `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>SignatureDoesNotMatch</Code><Message>m</Message></Error><RequestId>r</RequestId></ErrorResponse>`
	m := Load(t, "sts")
	check := func(status int, body string) error {
		return m.CheckResponse("GetCallerIdentity", status, http.Header{"Content-Type": {"text/xml"}}, []byte(body))
	}
	if err := check(200, good+"\n"); err != nil {
		t.Errorf("good answer: %v", err)
	}
	if check(200, good+"<x/>") == nil {
		t.Error("a second element not found")
	}
	if err := check(403, refused); err != nil {
		t.Errorf("good refusal: %v", err)
	}
	if check(400, refused) == nil {
		t.Error("wrong status of a refusal not found")
	}
	for _, body := range []string{good, refused} {
		status := 200
		if body == refused {
			status = 403
		}
		for _, name := range []string{"GetCallerIdentityResponse", "GetCallerIdentityResult", "Arn", "UserId",
			"Account", "ResponseMetadata", "RequestId", "ErrorResponse", "Error", "Type", "Code", "Message"} {
			changed := strings.NewReplacer("<"+name+">", "<"+name+"x>", "</"+name+">", "</"+name+"x>", "<"+name+" ",
				"<"+name+"x ").Replace(body)
			if changed != body && check(status, changed) == nil {
				t.Errorf("element %s renamed, and nothing was found", name)
			}
		}
	}
	if check(200, strings.Replace(good, "2011-06-15", "2010-05-08", 1)) == nil {
		t.Error("wrong namespace not found")
	}
}

// failures counts what Handler reports instead of failing this test.
type failures struct {
	testing.TB
	said     []string
	cleanups []func()
}

func (f *failures) Errorf(format string, a ...any) {
	f.said = append(f.said, fmt.Sprintf(format, a...))
}
func (f *failures) Error(a ...any)   { f.said = append(f.said, fmt.Sprint(a...)) }
func (f *failures) Cleanup(c func()) { f.cleanups = append(f.cleanups, c) }
func (f *failures) Failed() bool     { return len(f.said) > 0 }

func TestHandler(t *testing.T) {
	answer := sampleAnswers[2].body
	next := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	})
	call := func(h http.Handler, target string, body string) string {
		r := httptest.NewRequest("POST", target, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		return w.Body.String()
	}
	f := &failures{TB: t}
	h := Handler(f, next, Requests|Answers)
	if got := call(h, "/token", sampleRequests[2].body); got != answer || len(f.said) != 0 {
		t.Errorf("good call: body %q, problems %q", got, f.said)
	}
	call(h, "/token", `{}`)
	if len(f.said) != 1 || !strings.Contains(f.said[0], "request of CreateToken") {
		t.Errorf("bad request: %q", f.said)
	}
	answer = strings.Replace(answer, "accessToken", "access_token", 1)
	call(h, "/token", sampleRequests[2].body)
	if len(f.said) != 2 || !strings.Contains(f.said[1], "answer to CreateToken") {
		t.Errorf("bad answer: %q", f.said)
	}

	idle := &failures{TB: t}
	h = Handler(idle, next, Requests)
	call(h, "/authorize", "")
	for _, c := range idle.cleanups {
		c()
	}
	if len(idle.said) != 1 {
		t.Errorf("a handler that saw no modelled call must fail its test, said %q", idle.said)
	}
	if bytes.Contains([]byte(strings.Join(f.said, "")), []byte(`"r"`)) {
		t.Error("a value was printed")
	}
}
