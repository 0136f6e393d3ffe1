package emulator_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"

	"github.com/homing-cli/homing/emulator"
)

// rawAnswer is an answer as it is on the wire: names keep their spelling.
type rawAnswer struct {
	status string
	header map[string]string
	body   string
}

// raw sends a request over a socket of its own and returns the bytes of the answer, taken apart.
func raw(t *testing.T, addr, method, target, body string, header ...string) rawAnswer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	head := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", method, target, addr, len(body))
	for _, h := range header {
		head += h + "\r\n"
	}
	if _, err := io.WriteString(conn, head+"\r\n"+body); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(conn)
	line := func() string {
		s, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimRight(s, "\r\n")
	}
	a := rawAnswer{status: line(), header: map[string]string{}}
	for {
		l := line()
		if l == "" {
			break
		}
		k, v, _ := strings.Cut(l, ": ")
		a.header[k] = v
	}
	var n int
	if _, err := fmt.Sscan(a.header["Content-Length"], &n); err != nil {
		t.Fatalf("Content-Length %q: %v", a.header["Content-Length"], err)
	}
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		t.Fatal(err)
	}
	a.body = string(b)
	return a
}

func (a rawAnswer) names() []string {
	var names []string
	for k := range a.header {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// keys returns the members of a JSON object in the order of the wire.
func keys(t *testing.T, body string) []string {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(body))
	var list []string
	depth := 0
	isKey := false
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return list
		}
		if err != nil {
			t.Fatalf("%v in %q", err, body)
		}
		switch v := tok.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			isKey = depth == 1
		default:
			if depth != 1 {
				continue
			}
			if isKey {
				list = append(list, v.(string))
			}
			isKey = !isKey
		}
	}
}

func address(t *testing.T, emu *emulator.Server) string {
	t.Helper()
	srv := httptest.NewServer(emu)
	t.Cleanup(srv.Close)
	return strings.TrimPrefix(srv.URL, "http://")
}

var uuidForm = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

func TestHeadersOnTheWire(t *testing.T) {
	t.Parallel()
	addr := address(t, &emulator.Server{})
	oidc := []string{"Connection", "Content-Length", "Content-Type", "Date", "x-amzn-RequestId"}
	portal := []string{"Access-Control-Expose-Headers", "Cache-Control", "Connection", "Content-Length", "Content-Type",
		"Date", "RequestId", "Server", "x-amzn-RequestId"}
	for _, tc := range []struct {
		name, method, target, body string
		status                     string
		names                      []string
		want                       map[string]string
		wantBody                   string
	}{
		{"register", "POST", "/client/register", `{"clientName":"a","clientType":"public"}`, "HTTP/1.1 200 OK", oidc,
			map[string]string{"Content-Type": "application/json", "Connection": "keep-alive"}, ""},
		{"device code unknown, client junk", "POST", "/token",
			`{"clientId":"test","clientSecret":"test","grantType":"urn:ietf:params:oauth:grant-type:device_code",` +
				`"deviceCode":"x"}`,
			"HTTP/1.1 400 Bad Request", append([]string{"x-amzn-ErrorType"}, oidc...),
			map[string]string{"x-amzn-ErrorType": "InvalidGrantException:http://internal.amazon.com/coral/com.amazonaws.sso.oidc/"},
			`{"error":"invalid_grant","error_description":"Invalid device code provided"}`},
		{"refresh token unknown", "POST", "/token",
			`{"clientId":"test","clientSecret":"test","grantType":"refresh_token","refreshToken":"x"}`,
			"HTTP/1.1 400 Bad Request", append([]string{"x-amzn-ErrorType"}, oidc...),
			map[string]string{"Content-Length": "78"},
			`{"error":"invalid_grant","error_description":"Invalid refresh token provided"}`},
		{"form instead of JSON", "POST", "/token", "grant_type=refresh_token", "HTTP/1.1 400 Bad Request",
			append([]string{"x-amzn-ErrorType"}, oidc...), nil,
			`{"error":"invalid_request","error_description":"Invalid request","reason":null}`},
		{"client unknown", "POST", "/device_authorization",
			`{"clientId":"test","clientSecret":"test","startUrl":"` + emulator.DefaultStartURL + `"}`,
			"HTTP/1.1 401 Unauthorized", append([]string{"x-amzn-ErrorType"}, oidc...), nil,
			`{"error":"invalid_client","error_description":"Invalid client provided"}`},
		{"start URL wrong", "POST", "/device_authorization",
			`{"clientId":"test","clientSecret":"test","startUrl":"https://d-0000000000.awsapps.com/start"}`,
			"HTTP/1.1 400 Bad Request", append([]string{"x-amzn-ErrorType"}, oidc...), nil,
			`{"error":"invalid_request","error_description":"Invalid start url provided","reason":null}`},
		{"authorize, client unknown", "GET", "/authorize?client_id=x", "", "HTTP/1.1 400 Bad Request",
			append([]string{"x-amzn-ErrorType"}, oidc...), nil,
			`{"error":"invalid_request","error_description":"Invalid client provided","reason":null}`},
		{"portal without token", "GET", "/assignment/accounts", "", "HTTP/1.1 401 Unauthorized", portal,
			map[string]string{"Server": "AWS SSO", "Cache-Control": "no-cache",
				"Access-Control-Expose-Headers": "RequestId"},
			`{"message":"Session token not found or invalid",` +
				`"__type":"com.amazonaws.switchboard.portal#UnauthorizedException"}`},
		{"portal, wrong method", "DELETE", "/logout", "", "HTTP/1.1 405 Method Not Allowed", portal, nil,
			`{"message":"HTTP 405 Method Not Allowed",` +
				`"__type":"com.amazonaws.switchboard.portal#MethodNotAllowedException"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := raw(t, addr, tc.method, tc.target, tc.body)
			if a.status != tc.status {
				t.Errorf("status %q, want %q", a.status, tc.status)
			}
			slices.Sort(tc.names)
			if got := a.names(); !slices.Equal(got, tc.names) {
				t.Errorf("headers %q\n   want %q", got, tc.names)
			}
			if !uuidForm.MatchString(a.header["x-amzn-RequestId"]) {
				t.Errorf("request id %q", a.header["x-amzn-RequestId"])
			}
			if id, ok := a.header["RequestId"]; ok && id != a.header["x-amzn-RequestId"] {
				t.Errorf("RequestId %q is not x-amzn-RequestId %q", id, a.header["x-amzn-RequestId"])
			}
			for k, v := range tc.want {
				if a.header[k] != v {
					t.Errorf("%s: %q, want %q", k, a.header[k], v)
				}
			}
			if tc.wantBody != "" && a.body != tc.wantBody {
				t.Errorf("body %s\nwant %s", a.body, tc.wantBody)
			}
		})
	}
}

func TestPortalContainerStumblesOverEmptyContentType(t *testing.T) {
	t.Parallel()
	a := raw(t, address(t, &emulator.Server{}), "GET", "/assignment/accounts", "", "Content-Type:")
	if a.status != "HTTP/1.1 400 Bad Request" || a.header["Server"] != "Apache-Coyote/1.1" ||
		a.header["Content-Language"] != "en" {
		t.Errorf("%s %v", a.status, a.header)
	}
}

func TestBodiesOnTheWire(t *testing.T) {
	t.Parallel()
	emu := &emulator.Server{}
	addr := address(t, emu)
	member := func(body, name string) string {
		var m map[string]any
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatalf("%v in %q", err, body)
		}
		s, _ := m[name].(string)
		return s
	}
	wantKeys := func(what, body string, want ...string) {
		t.Helper()
		if got := keys(t, body); !slices.Equal(got, want) {
			t.Errorf("%s: members %q, want %q", what, got, want)
		}
	}

	a := raw(t, addr, "POST", "/client/register",
		`{"clientName":"botocore-client-my-sso","clientType":"public","scopes":["sso:account:access"]}`)
	wantKeys("register", a.body, "authorizationEndpoint", "clientId", "clientIdIssuedAt", "clientSecret",
		"clientSecretExpiresAt", "tokenEndpoint")
	if !strings.HasPrefix(a.body, `{"authorizationEndpoint":null,`) || !strings.HasSuffix(a.body,
		`,"tokenEndpoint":null}`) {
		t.Errorf("endpoints are not null in %.40s…", a.body)
	}
	id, secret := member(a.body, "clientId"), member(a.body, "clientSecret")
	var times struct{ ClientIDIssuedAt, ClientSecretExpiresAt int64 }
	if err := json.Unmarshal([]byte(a.body), &times); err != nil ||
		times.ClientSecretExpiresAt-times.ClientIDIssuedAt != 7776000 {
		t.Errorf("registration lives %d s, want 7776000 (%v)", times.ClientSecretExpiresAt-times.ClientIDIssuedAt, err)
	}

	a = raw(t, addr, "POST", "/device_authorization", fmt.Sprintf(`{"clientId":%q,"clientSecret":%q,"startUrl":%q}`, id,
		secret, emulator.DefaultStartURL+"/#/"))
	wantKeys("device", a.body, "deviceCode", "expiresIn", "interval", "userCode", "verificationUri",
		"verificationUriComplete")
	if !strings.Contains(a.body, `"expiresIn":600,"interval":1,`) {
		t.Errorf("device answer %s", a.body)
	}
	code := member(a.body, "deviceCode")
	poll := fmt.Sprintf(`{"clientId":%q,"clientSecret":%q,"grantType":"urn:ietf:params:oauth:grant-type:device_code",`+
		`"deviceCode":%q}`, id, secret, code)
	a = raw(t, addr, "POST", "/token", poll)
	if a.body != `{"error":"authorization_pending","error_description":"Authorization is still pending"}` ||
		a.header["Content-Length"] != "86" {
		t.Errorf("pending: %s (%s)", a.body, a.header["Content-Length"])
	}
	if err := emu.Approve(t.Context()); err != nil {
		t.Fatal(err)
	}
	a = raw(t, addr, "POST", "/token", poll)
	wantKeys("token", a.body, "accessToken", "aws_sso_app_session_id", "expiresIn", "idToken", "issuedTokenType",
		"originSessionId", "refreshToken", "tokenType")
	if !strings.Contains(a.body,
		`","aws_sso_app_session_id":null,"expiresIn":3600,"idToken":null,"issuedTokenType":null,`+
			`"originSessionId":null,"refreshToken":"aor`) {
		t.Error("token answer has not the nulls and numbers that were seen")
	}
	bearer := "x-amz-sso_bearer_token: " + member(a.body, "accessToken")

	a = raw(t, addr, "GET", "/assignment/accounts/?max_result=100", "", bearer)
	wantKeys("accounts", a.body, "nextToken", "accountList")
	if !strings.HasPrefix(a.body, `{"nextToken":null,"accountList":[{"accountId":"`) || !strings.Contains(a.body,
		`{"accountId":"012345678901","accountName":"sandbox","emailAddress":null}`) {
		t.Errorf("accounts: %s", a.body)
	}
	a = raw(t, addr, "GET", "/assignment/roles?account_id=111122223333", "", bearer)
	if a.body != `{"nextToken":null,"roleList":[{"roleName":"ReadOnly","accountId":"111122223333"}]}` {
		t.Errorf("roles: %s", a.body)
	}
	a = raw(t, addr, "GET", "/federation/credentials?role_name=ReadOnly&account_id=111122223333&x=y", "", bearer)
	if !regexp.MustCompile(`^\{"roleCredentials":\{"accessKeyId":"ASIA[A-Z2-7]{16}",` +
		`"secretAccessKey":"[A-Za-z0-9+/]{40}","sessionToken":"IQoJb3JpZ2lu[A-Za-z0-9+/]+=*",` +
		`"expiration":\d{10}000\}\}$`).MatchString(a.body) {
		t.Error("role credentials have not the shape that was seen")
	}
	a = raw(t, addr, "GET", "/federation/credentials?role_name=Admin&account_id=111122223333", "", bearer)
	if a.status != "HTTP/1.1 403 Forbidden" ||
		a.body != `{"message":"No access","__type":"com.amazonaws.switchboard.portal#ForbiddenException"}` {
		t.Errorf("role not assigned: %s %s", a.status, a.body)
	}
	a = raw(t, addr, "POST", "/logout", "", bearer)
	if a.status != "HTTP/1.1 200 OK" || a.body != "" {
		t.Errorf("logout: %s %q", a.status, a.body)
	}
	a = raw(t, addr, "POST", "/logout", "", bearer)
	if a.status != "HTTP/1.1 401 Unauthorized" {
		t.Errorf("second logout: %s", a.status)
	}
}

func TestValuesHaveTheirSeenShapes(t *testing.T) {
	t.Parallel()
	for region, idLength := range map[string]int{"us-east-1": 34, "ap-southeast-2": 40} {
		c := newSDK(t, &emulator.Server{Region: region})
		reg := c.register(t)
		b, err := base64.RawURLEncoding.DecodeString(*reg.ClientId)
		if err != nil || len(*reg.ClientId) != idLength || string(b[16:]) != region {
			t.Errorf("%s: client id %q", region, *reg.ClientId)
		}
		c.secretShape(t, *reg.ClientSecret, 1700, 1800)
		five := c.register(t, "sso:account:access", "codewhisperer:completions", "codewhisperer:analysis",
			"codewhisperer:conversations", "codewhisperer:transformations")
		c.secretShape(t, *five.ClientSecret, 3600, 4000)
	}
	c := newSDK(t, &emulator.Server{})
	reg := c.registerPKCE(t)
	back := c.code(t, reg)
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{51}\.[A-Za-z0-9_-]{126}\.[A-Za-z0-9_-]{64}$`).MatchString(back.Get("code")) {
		t.Errorf("code of %d characters has another shape", len(back.Get("code")))
	}
	marked := map[string]string{"code": back.Get("code"), "client secret": *reg.ClientSecret}
	tok, err := c.byCode(t.Context(), reg, back.Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	refresh := *tok.RefreshToken
	for range 40 {
		tok, err = c.byRefresh(t.Context(), reg, &refresh)
		if err != nil {
			t.Fatal(err)
		}
		refresh = *tok.RefreshToken
		for prefix, token := range map[string]string{"aoa": *tok.AccessToken, "aor": refresh} {
			shape := regexp.MustCompile(`^` + prefix + `AAAAA[A-Za-z0-9_-]{84}:MG[QUY]C[A-Za-z0-9+/]{132,135}$`)
			if !shape.MatchString(token) ||
				!strings.ContainsAny(token, "+") || !strings.Contains(token, "/") || len(token) < 229 ||
				len(token) > 232 {
				t.Fatalf("%s token of %d characters has another shape", prefix, len(token))
			}
			marked[prefix] = token
		}
	}
	dev := c.start(t, reg)
	if !regexp.MustCompile(`^[A-Za-z0-9_-]{85}[AQgw]$`).MatchString(*dev.DeviceCode) {
		t.Error("device code has another shape")
	}
	if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(*dev.UserCode) {
		t.Errorf("user code %q", *dev.UserCode)
	}
	marked["device code"] = *dev.DeviceCode
	creds, err := c.portal.GetRoleCredentials(t.Context(), &sso.GetRoleCredentialsInput{AccessToken: tok.AccessToken,
		AccountId: aws.String("111122223333"), RoleName: aws.String("ReadOnly")})
	if err != nil {
		t.Fatal(err)
	}
	marked["secret access key"] = *creds.RoleCredentials.SecretAccessKey
	marked["session token"] = *creds.RoleCredentials.SessionToken
	for what, secret := range marked {
		if !strings.Contains(secret, emulator.SecretMarker) {
			t.Errorf("%s carries no marker", what)
		}
	}
}

// secretShape checks a client secret: a JWT of HS384 whose payload holds JSON text.
func (c sdk) secretShape(t *testing.T, secret string, shortest, longest int) {
	t.Helper()
	parts := strings.Split(secret, ".")
	if len(parts) != 3 || len(parts[2]) != 64 || len(secret) < shortest || len(secret) > longest {
		t.Errorf("client secret of %d characters, want %d to %d in three parts", len(secret), shortest, longest)
		return
	}
	head, _ := base64.RawURLEncoding.DecodeString(parts[0])
	if string(head) != `{"kid":"key-1564028099","alg":"HS384"}` {
		t.Errorf("client secret's head is %s", head)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	var outer struct {
		Serialized string `json:"serialized"`
	}
	if err != nil || json.Unmarshal(payload, &outer) != nil || !json.Valid([]byte(outer.Serialized)) {
		t.Errorf("client secret's payload is not JSON in JSON: %v", err)
	}
}

func TestVerificationForms(t *testing.T) {
	t.Parallel()
	for form, want := range map[emulator.VerificationForm][2]string{
		"":                            {"/device", "/device?user_code=CODE"},
		emulator.VerificationDevice:   {"/device", "/device?user_code=CODE"},
		emulator.VerificationFragment: {"/start/#/device", "/start/#/device?user_code=CODE"},
		emulator.VerificationOpaque:   {"/platform/authorize?request_uri=ID", "/platform/authorize?request_uri=ID"},
	} {
		c := newSDK(t, &emulator.Server{Verification: form, BaseURL: "https://idc.example.test"})
		dev := c.start(t, c.register(t))
		for i, uri := range []*string{dev.VerificationUri, dev.VerificationUriComplete} {
			got := strings.ReplaceAll(aws.ToString(uri), *dev.UserCode, "CODE")
			got = regexp.MustCompile(`request_uri=.*`).ReplaceAllString(got, "request_uri=ID")
			if got != "https://idc.example.test"+want[i] {
				t.Errorf("%q: %s, want %s", form, got, want[i])
			}
		}
	}
}
