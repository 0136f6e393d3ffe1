package cli

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/store"
)

// Without --verify nothing is asked, not even where an organisation's own address leads, to know whose refusal is on
// record.
func TestStatusAsksNobody(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	st := &store.Store{AWSDir: filepath.Join(home, ".aws")}
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const startURL = "https://signin.example.com/start"
	write(filepath.Join(home, ".aws", "config"),
		"[sso-session dev]\nsso_start_url = "+startURL+"\nsso_region = us-east-1\n")
	write(
		st.TokenPath("dev"),
		`{"startUrl": "`+startURL+`", "region": "us-east-1", "accessToken": "a", "expiresAt": "2001-01-01T00:00:00Z", `+
			`"clientId": "c", "clientSecret": "s", "registrationExpiresAt": "2096-01-01T00:00:00Z", "refreshToken": "r"}`,
	)
	err := st.Refused(t.Context(), "dev", func(store.Refusal) (store.Refusal, bool) {
		return store.Refusal{
			By:      "somebody",
			Refresh: store.Fingerprint("refresh", "c", "s", "r"),
			Code:    "invalid_grant",
			Settled: true,
		}, true
	})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	offline := func(env *app.Env) {
		env.Home = home
		env.Transport = roundTrip(func(*http.Request) (*http.Response, error) {
			calls++
			return nil, errors.New("no network")
		})
	}
	for _, args := range [][]string{{"status"}, {"status", "--json"}, {"status", "--sso-session", "dev", "--check"}} {
		code, stdout, stderr := inProcess(t, offline, args...)
		if code != 0 || calls != 0 {
			t.Errorf("%v: exit %d, %d calls\n%s%s", args, code, calls, stdout, stderr)
		}
	}
	// The record is of another service, so the token counts as renewable.
	if _, stdout, _ := inProcess(t, offline, "status"); !strings.Contains(stdout, "renewed without a browser") {
		t.Errorf("%s", stdout)
	}
	if code, _, _ := inProcess(t, offline, "status", "--verify"); code != 6 || calls == 0 {
		t.Errorf("--verify: exit %d, %d calls", code, calls)
	}
}
