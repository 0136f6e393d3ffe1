package cli

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/store"
)

// A token is ended where it was issued, and an ended one is renewed there first: the config may say another region by
// now, or nothing at all.
func TestLogoutInTheTokensRegion(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"of the config": {"logout", "--sso-session", "dev"},
		"of all":        {"logout", "--all"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			const startURL = "https://d-1234567890.awsapps.com/start"
			write := func(path, text string) {
				t.Helper()
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			st := &store.Store{AWSDir: filepath.Join(home, ".aws")}
			write(filepath.Join(home, ".aws", "config"),
				"[sso-session dev]\nsso_start_url = "+startURL+"\nsso_region = us-east-1\n")
			token := func(key, region, expires string) {
				write(
					st.TokenPath(key),
					`{"startUrl": "`+startURL+`", "region": "`+region+`", "accessToken": "old", "expiresAt": "`+expires+
						`", "clientId": "c", "clientSecret": "s", "registrationExpiresAt": "2096-01-01T00:00:00Z", "refreshToken": "r"}`,
				)
			}
			token("dev", "eu-west-1", "2096-01-01T00:00:00Z")
			want := "POST portal.sso.eu-west-1.amazonaws.com/logout old"
			if args[1] == "--all" {
				token("gone", "ap-southeast-2", "2001-01-01T00:00:00Z")
				want += ", POST oidc.ap-southeast-2.amazonaws.com/token , POST portal.sso.ap-southeast-2.amazonaws.com/logout new"
			}
			var calls []string
			code, stdout, stderr := inProcess(t, func(env *app.Env) {
				env.Home = home
				env.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
					calls = append(calls, r.Method+" "+r.URL.Host+r.URL.Path+" "+r.Header.Get("X-Amz-Sso_bearer_token"))
					return &http.Response{
						StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, Request: r, Header: http.Header{"Content-Type": {"application/json"}},
						Body: io.NopCloser(
							strings.NewReader(`{"accessToken": "new", "expiresIn": 3600, "tokenType": "Bearer"}`),
						),
					}, nil
				})
			}, args...)
			if got := strings.Join(calls, ", "); got != want || code != 0 || stderr != "" {
				t.Errorf("exit %d, %s%s\n got %s\nwant %s", code, stdout, stderr, got, want)
			}
			for _, key := range []string{"dev", "gone"} {
				if _, err := os.Stat(st.TokenPath(key)); !os.IsNotExist(err) {
					t.Errorf("the token of %s: %v", key, err)
				}
			}
		})
	}
}
