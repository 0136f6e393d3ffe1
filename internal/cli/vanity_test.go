package cli

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/editor"
)

// A vanity start URL is followed once a run, its region is used without a question, and the config file keeps the
// address as it was given.
func TestVanityStartURL(t *testing.T) {
	const vanity, portal = "https://sso.example.com/", "https://ssoins-1234567890abcdef.portal.us-east-1.app.aws"
	emu := &emulator.Server{StartURL: portal}
	asked := 0
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		if r.URL.Host != "sso.example.com" {
			return emu.Transport().RoundTrip(r)
		}
		asked++
		return &http.Response{
			StatusCode: http.StatusFound, Status: "302 Found", Request: r, Body: http.NoBody,
			Header: http.Header{"Location": {portal}}, ProtoMajor: 1, ProtoMinor: 1,
		}, nil
	})
	var home string
	code, stdout, stderr := inProcess(t, func(env *app.Env) {
		home = env.Home
		env.Transport = transport
		person := emu.Person()
		env.OpenBrowser = func(_ context.Context, url string, _ *editor.Window) error {
			go func() { _ = person.Open(context.WithoutCancel(t.Context()), url) }()
			return nil
		}
	}, "configure", "sso", "--profile", "dev", "--sso-session", "dev", "--sso-start-url", vanity, "--use-device-code",
		"--sso-account-id", "111122223333", "--sso-role-name", "ReadOnly")
	if code != 0 {
		t.Fatalf("exit %d\n%s\n%s", code, stdout, stderr)
	}
	config, err := os.ReadFile(filepath.Join(home, ".aws", "config"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"sso_start_url = " + vanity, "sso_region = us-east-1"} {
		if !strings.Contains(string(config), line+"\n") {
			t.Errorf("%q is not in the config file:\n%s", line, config)
		}
	}
	if asked != 1 {
		t.Errorf("the vanity address was asked %d times", asked)
	}
	if odd := emu.Unexpected(); len(odd) > 0 {
		t.Errorf("unexpected requests: %v", odd)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
