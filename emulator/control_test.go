package emulator_test

import (
	"strings"
	"testing"

	"github.com/homing-cli/homing/emulator"
)

// A test that misspells a name must not pass on nothing: end and requests refuse what cannot be there.
func TestControlRefusesTypos(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	reg := c.register(t, "sso:account:access")
	dev := c.start(t, reg)
	if status, m := c.control(t, "POST", "/approve", ""); status != 200 {
		t.Fatalf("approve: %d %v", status, m)
	}
	tok, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.byRefresh(t.Context(), reg, tok.RefreshToken); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		method, path, body string
		status             int
		says               string
		requests           int
	}{
		{"POST", "/end", `{"user":"aad"}`, 400, `"aad"`, 0},
		{"POST", "/end", `{"user":"ada"}`, 200, "", 0},
		{"POST", "/end", "", 200, "", 0},
		{"GET", "/requests?op=Typo", "", 400, "Typo", 0},
		{"GET", "/requests?op=CreateToken/typo", "", 400, "CreateToken/typo", 0},
		{"GET", "/requests?opp=CreateToken", "", 400, "opp", 0},
		{"GET", "/requests?op=Unknown", "", 200, "", 0},
		{"GET", "/requests?op=CreateToken", "", 200, "", 2},
		{"GET", "/requests?op=CreateToken/refresh_token", "", 200, "", 1},
	} {
		status, m := c.control(t, tt.method, tt.path, tt.body)
		text, _ := m["error"].(string)
		if status != tt.status || !strings.Contains(text, tt.says) {
			t.Errorf("%s %s %s: %d %v, want %d", tt.method, tt.path, tt.body, status, m, tt.status)
		}
		if list, _ := m["requests"].([]any); len(list) != tt.requests {
			t.Errorf("%s: %d requests, want %d", tt.path, len(list), tt.requests)
		}
	}
}

// The answer to approve and deny says whose sign-in it was, so that a test need not guess what "the oldest" meant; a
// user code picks one, typed as on the device page.
func TestControlDecidesByUserCode(t *testing.T) {
	t.Parallel()
	c := inProcess(&emulator.Server{})
	reg := c.register(t, "sso:account:access")
	older, newer := c.start(t, reg), c.start(t, reg)
	_, m := c.control(t, "GET", "/pending", "")
	second := m["pending"].([]any)[1].(map[string]any)
	if second["user_code"] != *newer.UserCode {
		t.Fatalf("pending: %v", m)
	}
	typed := strings.ToLower(strings.ReplaceAll(*newer.UserCode, "-", ""))
	status, m := c.control(t, "POST", "/approve", `{"user_code":"`+typed+`"}`)
	if status != 200 || m["id"] != second["id"] || m["kind"] != "device_code" || m["client_name"] != "test" ||
		m["redirect"] != nil {
		t.Errorf("approve by user code: %d %v, want the sign-in %v", status, m, second)
	}
	if _, err := c.byDevice(t.Context(), reg, newer.DeviceCode); err != nil {
		t.Errorf("the one that was approved: %v", err)
	}
	_, err := c.byDevice(t.Context(), reg, older.DeviceCode)
	wantError(t, "the other one", err, "AuthorizationPendingException")
	for body, want := range map[string]int{
		`{"user_code":"` + typed + `"}`:                                                404, // decided
		`{"user_code":"BCDF-BCDF","wait":"1ms"}`:                                       404,
		`{"user_code":"` + *older.UserCode + `","id":"` + second["id"].(string) + `"}`: 400,
		`{"user_code":"` + *older.UserCode + `","user":"nobody"}`:                      400,
	} {
		if status, m := c.control(t, "POST", "/approve", body); status != want {
			t.Errorf("%s: %d %v, want %d", body, status, m, want)
		}
	}
	pkce := c.registerPKCE(t)
	c.visit(t, "GET", authorizeURL(c.base, pkce.ClientId, nil), "")
	if _, m := c.control(t, "POST", "/deny", ""); m["kind"] != "device_code" || m["client_name"] != "test" {
		t.Errorf("deny of the oldest: %v", m)
	}
	_, m = c.control(t, "POST", "/approve", "")
	if redirect, _ := m["redirect"].(string); m["kind"] != "authorization_code" || !strings.HasPrefix(redirect,
		redirectURI+"?code=") {
		t.Errorf("approve of the authorization code: %v", m)
	}
}
