package idc

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/testtools"
)

// oidcStub answers what a sign-in needs and keeps the bodies by path.
type oidcStub struct {
	mu     sync.Mutex
	bodies map[string]map[string]any
}

func (s *oidcStub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := map[string]any{}
	if err := json.NewDecoder(io.LimitReader(r.Body, maxBody)).Decode(&body); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.bodies[r.URL.Path] = body
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, map[string]string{ // a client that does not read it fails the test
		"/client/register": `{"clientId":"id/+= x","clientSecret":"secret-S3CR3T","clientIdIssuedAt":1772467920,"clientSecretExpiresAt":4102444800}`,
		"/device_authorization": `{"deviceCode":"device-S3CR3T","expiresIn":600,"interval":1,"userCode":"WDJB-MJHT",` +
			`"verificationUri":"https://d-1234567890.awsapps.com/start/#/device","verificationUriComplete":"https://d-1234567890.awsapps.com/start/#/device?user_code=WDJB-MJHT"}`,
		"/token": `{"accessToken":"aoa-S3CR3T","expiresIn":3600,"refreshToken":"aor-S3CR3T","tokenType":"Bearer"}`,
	}[r.URL.Path])
}

// TestAsTheAWSCLI signs in with the AWS CLI and with this package, and compares what both sent and the authorize URL.
func TestAsTheAWSCLI(t *testing.T) {
	aws := testtools.AWSCLI(t)
	for _, tt := range []struct {
		name  string
		flags []string
		ours  func(t *testing.T, c *Client, theirs *url.URL)
	}{
		{"authorization code", nil, func(t *testing.T, c *Client, theirs *url.URL) {
			reg, err := c.Register(t.Context(), RegisterRequest{ClientName: "botocore-client-s",
				Scopes: []string{"sso:account:access", "b"}, PKCE: true, IssuerURL: startURL})
			if err != nil {
				t.Fatal(err)
			}
			if theirs == nil {
				t.Fatal("the AWS CLI printed no authorize URL")
			}
			q := theirs.Query()
			got := c.AuthorizeURL(AuthorizeRequest{
				ClientID: reg.ClientID, RedirectURI: q.Get("redirect_uri"), State: q.Get("state"), Challenge: q.Get("code_challenge"), Scopes: reg.Scopes,
			})
			if got != theirs.String() {
				t.Errorf("authorize URL:\nours   %s\ntheirs %s", got, theirs)
			}
			if _, err := c.TokenByCode(t.Context(), reg, session.NewSecret("code-S3CR3T"), session.NewSecret("any"),
				q.Get("redirect_uri")); err != nil {
				t.Fatal(err)
			}
		}},
		{"device code", []string{"--use-device-code"}, func(t *testing.T, c *Client, _ *url.URL) {
			reg, err := c.Register(t.Context(), RegisterRequest{ClientName: "botocore-client-s", Scopes: []string{"sso:account:access", "b"}})
			if err != nil {
				t.Fatal(err)
			}
			d, err := c.StartDevice(t.Context(), reg, startURL)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.TokenByDevice(t.Context(), reg, d.DeviceCode); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			theirs := &oidcStub{bodies: map[string]map[string]any{}}
			server := httptest.NewServer(theirs)
			t.Cleanup(server.Close)
			page := signInByCLI(t, aws, server.URL, tt.flags)

			ours := &oidcStub{bodies: map[string]map[string]any{}}
			rt := toHandler{ours}
			tt.ours(t,
				New(Options{Region: "us-east-1", Endpoints: Endpoints{OIDC: server.URL}, HTTPClient: clientOf(rt)}),
				page)
			for _, stub := range []*oidcStub{theirs, ours} {
				if v, ok := stub.bodies["/token"]["codeVerifier"]; ok && v != "" {
					stub.bodies["/token"]["codeVerifier"] = "any" // chance
				}
			}
			if len(theirs.bodies) < 2 {
				t.Errorf("the AWS CLI called %d operations", len(theirs.bodies))
			}
			if d := cmp.Diff(theirs.bodies, ours.bodies); d != "" {
				t.Errorf("-theirs +ours\n%s", d)
			}
		})
	}
}

// signInByCLI runs aws sso login and returns the URL it prints, nil when it gets a token before it would have printed
// one, as it does by a device code that is approved at once. A redirect it waits for is sent.
func signInByCLI(t *testing.T, aws, endpoint string, flags []string) *url.URL {
	t.Helper()
	home := t.TempDir()
	config := filepath.Join(home, ".aws", "config")
	if err := os.Mkdir(filepath.Dir(config), 0o700); err != nil {
		t.Fatal(err)
	}
	text := "[sso-session s]\nsso_start_url = " + startURL + "\nsso_region = us-east-1\nsso_registration_scopes = sso:account:access, b\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // it takes about two seconds
	defer cancel()
	cmd := exec.CommandContext(
		ctx,
		aws,
		append([]string{"sso", "login", "--sso-session", "s", "--no-browser"}, flags...)...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + home,
		"AWS_ENDPOINT_URL_SSO_OIDC=" + endpoint,
		"AWS_EC2_METADATA_DISABLED=true",
	}
	if dir := os.Getenv("HOMING_TOOLS"); dir != "" {
		cmd.Env = append(cmd.Env, "HOMING_TOOLS="+dir)
	}
	cmd.WaitDelay = 5 * time.Second
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var page *url.URL
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if page != nil || !strings.HasPrefix(lines.Text(), "http") {
			continue
		}
		if page, err = url.Parse(lines.Text()); err != nil {
			t.Errorf("the AWS CLI prints %q: %v", lines.Text(), err)
			break
		}
		if redirect := page.Query().Get("redirect_uri"); redirect != "" {
			back := redirect + "?code=code-S3CR3T&state=" + url.QueryEscape(page.Query().Get("state"))
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, back, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Errorf("the redirect did not arrive: %v", err)
				break
			}
			_ = resp.Body.Close() // its page does not matter
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("aws sso login: %v\n%s", err, stderr.String())
	}
	return page
}

// toHandler is a way to a handler without sockets.
type toHandler struct{ http.Handler }

func (h toHandler) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), nil
}
