package emulator_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/awsmodel"
)

// TestAnswersFollowThePublishedModels makes every operation succeed and every named error happen, and holds each
// answer against the models that botocore ships.
func TestAnswersFollowThePublishedModels(t *testing.T) {
	t.Parallel()
	emu := &emulator.Server{}
	srv := httptest.NewServer(awsmodel.Handler(t, emu, awsmodel.Requests|awsmodel.Answers))
	t.Cleanup(srv.Close)
	c := sdkAt(emu, srv.URL, srv.Client())

	reg := c.register(t, "sso:account:access")
	dev := c.start(t, reg)
	if _, err := c.byDevice(t.Context(), reg, dev.DeviceCode); errorCode(err) != "AuthorizationPendingException" {
		t.Fatal(err)
	}
	if err := emu.Approve(t.Context()); err != nil {
		t.Fatal(err)
	}
	tok, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
	if err != nil {
		t.Fatal(err)
	}
	c.useToken(t, tok.AccessToken)
	pkce := c.registerPKCE(t)
	byCode, err := c.byCode(t.Context(), pkce, c.code(t, pkce).Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	c.useToken(t, byCode.AccessToken)

	// Every error each operation has, in the emulator's own rendering.
	for op, names := range modelled {
		for _, name := range names {
			emu.Fail(op, 1, emulator.Fault{Error: name, Text: "as asked"})
			if err := c.call(t, op, reg, tok.AccessToken); errorCode(err) != name {
				t.Errorf("%s: an SDK reads %s as %q", op, name, errorCode(err))
			}
		}
	}
	if _, err := c.portal.Logout(t.Context(), &sso.LogoutInput{AccessToken: tok.AccessToken}); err != nil {
		t.Fatal(err)
	}
	if got := emu.Unexpected(); len(got) > 0 {
		t.Errorf("unexpected requests: %+v", got)
	}
}

// modelled are the operations' errors, ForbiddenException added.
var modelled = map[string][]string{
	emulator.OpRegisterClient: {"InternalServerException", "InvalidClientMetadataException",
		"InvalidRedirectUriException",
		"InvalidRequestException", "InvalidScopeException", "SlowDownException", "UnsupportedGrantTypeException"},
	emulator.OpStartDeviceAuthorization: {"InternalServerException", "InvalidClientException",
		"InvalidRequestException",
		"SlowDownException", "UnauthorizedClientException"},
	emulator.OpCreateToken: {"AccessDeniedException", "AuthorizationPendingException", "ExpiredTokenException",
		"InternalServerException", "InvalidClientException", "InvalidGrantException", "InvalidRequestException",
		"InvalidScopeException", "SlowDownException", "UnauthorizedClientException", "UnsupportedGrantTypeException"},
	emulator.OpListAccounts: {"InvalidRequestException", "ResourceNotFoundException", "TooManyRequestsException",
		"UnauthorizedException"},
	emulator.OpListAccountRoles: {"InvalidRequestException", "ResourceNotFoundException", "TooManyRequestsException",
		"UnauthorizedException"},
	emulator.OpGetRoleCredentials: {"ForbiddenException", "InvalidRequestException", "ResourceNotFoundException",
		"TooManyRequestsException", "UnauthorizedException"},
	emulator.OpLogout: {"InvalidRequestException", "TooManyRequestsException", "UnauthorizedException"},
}

// TestAWrongFieldNameIsFound changes each member name of each answer, one at a time, and wants the check to see it.
func TestAWrongFieldNameIsFound(t *testing.T) {
	t.Parallel()
	models := map[string]*awsmodel.Model{"sso-oidc": awsmodel.Load(t, "sso-oidc"), "sso": awsmodel.Load(t, "sso"),
		"sts": awsmodel.Load(t, "sts")}
	emu := &emulator.Server{}
	var mu sync.Mutex
	checked := 0
	spy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := httptest.NewRecorder()
		emu.ServeHTTP(rec, r)
		mu.Lock()
		defer mu.Unlock()
		for _, m := range models {
			op := m.Operation(r)
			if op == "" {
				continue
			}
			answer := rec.Body.String()
			if err := m.CheckResponse(op, rec.Code, rec.Header(), []byte(answer)); err != nil {
				t.Errorf("%s: %v", op, err)
			}
			for _, name := range members(answer) {
				spoilt := strings.Replace(answer, `"`+name+`":`, `"`+name+`x":`, 1)
				if strings.HasPrefix(answer, "<") {
					spoilt = strings.NewReplacer("<"+name, "<"+name+"x", "</"+name, "</"+name+"x").Replace(answer)
				}
				if err := m.CheckResponse(op, rec.Code, rec.Header(), []byte(spoilt)); err == nil {
					t.Errorf("%s: member %q renamed and nobody noticed", op, name)
				}
				checked++
			}
		}
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.WriteHeader(rec.Code)
		_, _ = w.Write(rec.Body.Bytes())
	})
	srv := httptest.NewServer(spy)
	t.Cleanup(srv.Close)
	c := sdkAt(emu, srv.URL, srv.Client())
	reg := c.register(t, "sso:account:access")
	dev := c.start(t, reg)
	_, _ = c.byDevice(t.Context(), reg, dev.DeviceCode) // pending
	if err := emu.Approve(t.Context()); err != nil {
		t.Fatal(err)
	}
	tok, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
	if err != nil {
		t.Fatal(err)
	}
	c.useToken(t, tok.AccessToken)
	_ = c.call(t, emulator.OpListAccounts, reg, aws.String("dead")) // 401
	if checked < 30 {
		t.Errorf("only %d members were looked at", checked)
	}
}

// members returns each name before a colon in a JSON text, or each element's in an XML text.
func members(body string) []string {
	var list []string
	if strings.HasPrefix(body, "<") {
		for _, m := range regexp.MustCompile(`<([A-Za-z]+)`).FindAllStringSubmatch(body, -1) {
			list = append(list, m[1])
		}
		return list
	}
	for rest := body; ; {
		end := strings.Index(rest, `":`)
		if end < 0 {
			return list
		}
		start := strings.LastIndex(rest[:end], `"`)
		list = append(list, rest[start+1:end])
		rest = rest[end+2:]
	}
}
