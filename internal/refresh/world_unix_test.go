//go:build unix

package refresh_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// patience is far above what anything here takes: it only ends tests that hang.
const patience = 2 * time.Minute

const (
	accountID = "123456789012"
	roles     = 8
)

var dev = session.Session{Name: "dev", StartURL: emulator.DefaultStartURL, Region: emulator.DefaultRegion}

// homing builds the program, once for all tests.
var homing = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "homing-refresh-")
	if err != nil {
		return "", err
	}
	refresh.AfterTests = func() { _ = os.RemoveAll(dir) }
	args := []string{"build", "-o", filepath.Join(dir, "homing")}
	if raceEnabled {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, "github.com/homing-cli/homing/cmd/homing")...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return filepath.Join(dir, "homing"), nil
})

// world is a home folder whose owner has signed in, and an Identity Center on loopback with single-use refresh
// tokens.
type world struct {
	testing.TB
	emu    *emulator.Server
	url    string
	home   string
	binary string
	store  *store.Store
	client *idc.Client

	mu   sync.Mutex
	gate gate
}

// gate is what happens to renewals, or to sign-outs, on their way. Both functions get the request's context, which
// ends when its sender dies; nil lets pass.
type gate struct {
	leaving bool                      // it is sign-outs
	before  func(ctx context.Context) // it has arrived
	after   func(ctx context.Context) // it has been processed, and is not answered
}

func newWorld(t testing.TB) *world {
	t.Helper()
	binary, err := homing()
	if err != nil {
		t.Fatal(err)
	}
	account := emulator.Account{ID: accountID, Name: "Engine"}
	for i := range roles {
		account.Roles = append(account.Roles, emulator.Role{Name: roleName(i)})
	}
	emu := &emulator.Server{Directory: &emulator.Directory{
		Users: []emulator.User{{Name: "ada"}}, Accounts: []emulator.Account{account},
	}}
	w := &world{TB: t, emu: emu, home: t.TempDir(), binary: binary}
	server := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(func() {
		server.CloseClientConnections() // of who was killed
		server.Close()
		for _, r := range emu.Unexpected() {
			t.Errorf("a request that the service has no operation for: %s %s", r.Method, r.Path)
		}
	})
	w.url = server.URL
	w.store = &store.Store{AWSDir: filepath.Join(w.home, ".aws")}
	w.client = idc.New(
		idc.Options{Region: dev.Region, Endpoints: idc.Endpoints{OIDC: w.url, Portal: w.url}, UserAgent: "person"},
	)
	config := fmt.Sprintf(
		"[sso-session dev]\nsso_start_url = %s\nsso_region = %s\nsso_registration_scopes = sso:account:access\n",
		dev.StartURL, dev.Region)
	for i := range roles {
		config += fmt.Sprintf(
			"\n[profile p%d]\nsso_session = dev\nsso_account_id = %s\nsso_role_name = %s\nregion = eu-west-1\n",
			i, accountID, roleName(i))
	}
	config += fmt.Sprintf(
		"\n[profile old]\nsso_start_url = %s\nsso_region = %s\nsso_account_id = %s\nsso_role_name = %s\nregion = eu-west-1\n",
		dev.StartURL, dev.Region, accountID, roleName(0))
	if err := os.MkdirAll(w.store.AWSDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.store.AWSDir, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return w
}

func roleName(i int) string { return fmt.Sprintf("Role%d", i) }

// serve is the emulator behind the gate.
func (w *world) serve(out http.ResponseWriter, in *http.Request) {
	w.mu.Lock()
	g := w.gate
	w.mu.Unlock()
	var body bytes.Buffer
	if of := map[bool]string{false: "/token", true: "/logout"}; in.URL.Path != of[g.leaving] ||
		(g.before == nil && g.after == nil) {
		w.emu.ServeHTTP(out, in)
		return
	}
	if _, err := body.ReadFrom(in.Body); err != nil {
		return // its sender died
	}
	in.Body = http.NoBody
	if !g.leaving && !strings.Contains(body.String(), `"refresh_token"`) {
		w.emu.ServeHTTP(out, withBody(in, body.Bytes()))
		return
	}
	if g.before != nil {
		g.before(in.Context())
	}
	if in.Context().Err() != nil {
		return // never processed
	}
	answer := httptest.NewRecorder()
	w.emu.ServeHTTP(answer, withBody(in.Clone(context.WithoutCancel(in.Context())), body.Bytes()))
	if g.after != nil {
		g.after(in.Context())
	}
	for name, values := range answer.Header() {
		out.Header()[name] = values
	}
	out.WriteHeader(answer.Code)
	_, _ = out.Write(answer.Body.Bytes()) // its reader may be dead
}

func withBody(r *http.Request, body []byte) *http.Request {
	c := r.Clone(r.Context())
	c.Body, c.ContentLength = readCloser{bytes.NewReader(body)}, int64(len(body))
	return c
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }

func (w *world) setGate(g gate) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gate = g
}

// signIn stores a fresh token, as a sign-in by device code does.
func (w *world) signIn() {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.trySignIn(ctx); err != nil {
		w.Fatal(err)
	}
}

func (w *world) trySignIn(ctx context.Context) error { return w.signInTo(ctx, dev) }

func (w *world) signInTo(ctx context.Context, s session.Session) error {
	reg, err := w.client.Register(ctx, idc.RegisterRequest{ClientName: "person", Scopes: s.RegistrationScopes()})
	if err != nil {
		return err
	}
	device, err := w.client.StartDevice(ctx, reg, s.StartURL)
	if err != nil {
		return err
	}
	if _, err := w.emu.Decide(ctx, emulator.Decision{UserCode: device.UserCode}); err != nil &&
		!errors.Is(err, emulator.ErrNoSignIn) {
		return err // approving may have been faster
	}
	u, err := w.store.BeginToken(ctx, s.CacheKey())
	if err != nil {
		return err
	}
	defer u.Abort()
	grant, err := w.client.TokenByDevice(ctx, reg, device.DeviceCode)
	if err != nil {
		return err
	}
	return u.Commit(session.Token{
		StartURL: s.StartURL, Region: s.Region, AccessToken: grant.AccessToken,
		ExpiresAt:    time.Now().Add(grant.ExpiresIn),
		RefreshToken: grant.RefreshToken, ClientID: reg.ClientID, ClientSecret: reg.ClientSecret,
		RegistrationExpiresAt: reg.ExpiresAt,
	})
}

// expire has the token look expired, and drops the role credentials: whoever comes next must renew. It fails when
// there is no token.
func (w *world) expire() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	u, err := w.store.LockToken(ctx, dev.CacheKey())
	if err != nil {
		return err
	}
	defer u.Abort()
	t, err := u.Current()
	if err != nil {
		return err
	}
	t.ExpiresAt = time.Now().Add(-time.Minute)
	if err := u.Renewed(t); err != nil {
		return err
	}
	return w.store.RemoveAllSSORoleCredentials()
}

func (w *world) mustExpire() {
	w.Helper()
	if err := w.expire(); err != nil {
		w.Fatal(err)
	}
}

// token is the token file as it is.
func (w *world) token() string {
	w.Helper()
	data, err := os.ReadFile(w.store.TokenPath(dev.CacheKey()))
	if err != nil {
		w.Fatal(err)
	}
	return string(data)
}

// count returns how many requests of an operation there were.
func (w *world) count(op string) (n int) {
	for _, r := range w.emu.Requests() {
		if r.Op == op {
			n++
		}
	}
	return n
}

// process is a running program.
type process struct {
	*exec.Cmd
	out, err bytes.Buffer
	began    time.Time
}

func (w *world) env() []string {
	return []string{
		"HOME=" + w.home, "PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8",
		"AWS_ENDPOINT_URL_SSO_OIDC=" + w.url, "AWS_ENDPOINT_URL_SSO=" + w.url, "AWS_ENDPOINT_URL_STS=" + w.url,
		"GORACE=atexit_sleep_ms=0", // a program with the race detector takes a second to end otherwise
		"AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1", "AWS_PAGER=", "NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost",
	}
}

// start runs a program in the person's home.
func (w *world) start(name string, args ...string) *process {
	w.Helper()
	p := &process{Cmd: exec.Command(name, args...), began: time.Now()}
	p.Env, p.Stdout, p.Stderr = w.env(), &p.out, &p.err
	if err := p.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = p.Process.Kill() }) // ended already, unless the test failed
	return p
}

// credentials asks for the credentials of a role, as an SDK does.
func (w *world) credentials(role int) *process {
	w.Helper()
	return w.start(w.binary, "credentials", "--profile", fmt.Sprintf("p%d", role))
}

// wait ends when p does, and returns its exit code: -1 when it was killed.
func (w *world) wait(p *process) int {
	w.Helper()
	timer := time.AfterFunc(patience, func() { _ = p.Process.Kill() })
	err := p.Wait()
	if !timer.Stop() {
		w.Errorf("%v hung", p.Args)
	}
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		w.Errorf("%v: %v", p.Args, err)
	}
	return p.ProcessState.ExitCode()
}

// wantKeys waits for p and returns the access key it printed.
func (w *world) wantKeys(p *process) string {
	w.Helper()
	code := w.wait(p)
	var answer struct{ AccessKeyId string } //nolint:revive // AWS's name
	if err := json.Unmarshal(p.out.Bytes(), &answer); code != 0 || err != nil || answer.AccessKeyId == "" {
		w.Errorf("exit %d after %v: %s%s", code, time.Since(p.began), p.out.String(), p.err.String())
	}
	return answer.AccessKeyId
}

// wantEnd waits for p and checks that it says that the session is over.
func (w *world) wantEnd(p *process) {
	w.Helper()
	const want = "homing: session \"dev\" has ended\nhint: run: homing login --sso-session dev\n"
	if code := w.wait(p); code != 4 || p.out.Len() > 0 || p.err.String() != want {
		w.Errorf("exit %d, want 4: %s%s", code, p.out.String(), p.err.String())
	}
}
