// Package e2e runs the built homing binary as a person does, against the emulator, with a real browser.
package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
)

// binary is the homing under test, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "homing-e2e-")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "homing")
	if runtime.GOOS == "windows" {
		binary += ".exe"
	}
	out, err := exec.Command("go", "build", "-o", binary, "github.com/homing-cli/homing/cmd/homing").CombinedOutput()
	if err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// home is a person's home folder, an emulator, and a config file: a session dev, and the profile dev
// on it; a legacy profile old.
type home struct {
	t    *testing.T
	dir  string
	emu  *emulator.Server
	base string // the emulator's origin
	env  map[string]string

	enter func(cmd *exec.Cmd) // has a program run on another machine; nil: here
}

const configFile = `[sso-session dev]
sso_start_url = ` + emulator.DefaultStartURL + `
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile dev]
sso_session = dev
sso_account_id = 111122223333
sso_role_name = ReadOnly
region = eu-west-1

[profile old]
sso_start_url = ` + emulator.DefaultStartURL + `
sso_region = us-east-1
sso_account_id = 111122223333
sso_role_name = ReadOnly
region = eu-west-1
`

func newHome(t *testing.T) *home {
	t.Helper()
	return newHomeAt(t, nil)
}

// newHomeAt is newHome with an emulator that listens at l; nil: here.
func newHomeAt(t *testing.T, l net.Listener) *home {
	t.Helper()
	h := &home{t: t, dir: t.TempDir(), emu: &emulator.Server{}}
	srv := httptest.NewUnstartedServer(h.emu)
	if l != nil {
		_ = srv.Listener.Close()
		srv.Listener = l
	}
	srv.Start()
	t.Cleanup(srv.Close)
	h.base = srv.URL
	if err := os.Mkdir(filepath.Join(h.dir, ".aws"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.dir, ".aws", "config"), []byte(configFile), 0o600); err != nil {
		t.Fatal(err)
	}
	h.env = map[string]string{"HOME": h.dir, "USERPROFILE": h.dir, "PATH": os.Getenv("PATH"), "NO_COLOR": "1",
		"TERM":                      "dumb",
		"AWS_ENDPOINT_URL_SSO_OIDC": h.base, "AWS_ENDPOINT_URL_SSO": h.base, "AWS_ENDPOINT_URL_STS": h.base}
	return h
}

// run is one homing process.
type run struct {
	t      *testing.T
	line   []string            // the program and its arguments
	events chan map[string]any // of --json, closed when stdout ends
	done   chan struct{}
	code   int

	mu             sync.Mutex
	stdout, stderr bytes.Buffer
}

func newRun(t *testing.T, path string, args []string) *run {
	return &run{t: t, line: append([]string{filepath.Base(path)}, args...), events: make(chan map[string]any, 100),
		done: make(chan struct{})}
}

// start runs homing with args in h. It is killed when the test ends.
func (h *home) start(args ...string) *run {
	h.t.Helper()
	return h.startProgram(binary, args...)
}

// startProgram runs any program in h.
func (h *home) startProgram(path string, args ...string) *run {
	h.t.Helper()
	return h.startFrom(nil, path, args...)
}

// startFrom is startProgram with something on standard input.
func (h *home) startFrom(stdin io.Reader, path string, args ...string) *run {
	h.t.Helper()
	cmd, cancel := h.command(path, args...)
	cmd.Stdin = stdin
	r := newRun(h.t, path, args)
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	cmd.Stderr = &lockedWriter{&r.mu, &r.stderr}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	r.watch(cmd, cancel, func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			r.mu.Lock()
			r.stdout.Write(append(lines.Bytes(), '\n'))
			r.mu.Unlock()
			var event map[string]any
			if json.Unmarshal(lines.Bytes(), &event) == nil {
				r.events <- event
			}
		}
	})
	return r
}

// command is a program in h, not yet started, that is killed when the test ends or cancel is called.
func (h *home) command(path string, args ...string) (cmd *exec.Cmd, cancel func()) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	h.t.Cleanup(cancel)
	cmd = exec.CommandContext(ctx, path, args...)
	cmd.Dir = h.dir
	for k, v := range maps.All(h.env) {
		cmd.Env = append(cmd.Env, k+"="+v)
	}
	if h.enter != nil {
		h.enter(cmd)
	}
	return cmd, cancel
}

// watch has read take what the started cmd writes until it ends. The test's end waits for that, and fails when a
// secret was written.
func (r *run) watch(cmd *exec.Cmd, cancel, read func()) {
	r.t.Helper()
	go func() {
		defer close(r.done)
		read()
		close(r.events)
		var exit *exec.ExitError
		if err := cmd.Wait(); errors.As(err, &exit) {
			r.code = exit.ExitCode()
		} else if err != nil {
			r.code = -1
		}
	}()
	r.t.Cleanup(func() {
		cancel()
		<-r.done
		if r.t.Failed() {
			r.t.Logf("%q ended with %d\nstdout:\n%s\nstderr:\n%s", r.line, r.code, withoutSecrets(r.stdout.String()),
				withoutSecrets(r.stderr.String()))
		}
		for name, stream := range map[string]string{"stdout": r.stdout.String(), "stderr": r.stderr.String()} {
			if !slices.Contains(r.line, "credentials") && strings.Contains(stream, emulator.SecretMarker) {
				r.t.Errorf("%q: a secret is on %s", r.line, name)
			}
		}
	})
}

type lockedWriter struct {
	mu *sync.Mutex
	w  *bytes.Buffer
}

func (w *lockedWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.w.Write(b)
}

// event waits for the next event of this kind and returns it; others before it are skipped.
func (r *run) event(kind string) map[string]any {
	r.t.Helper()
	for e := range r.events {
		if e["event"] == kind {
			return e
		}
	}
	r.t.Fatalf("no event %q came before the end of stdout", kind)
	return nil
}

// text returns a field of an event.
func text(t *testing.T, event map[string]any, field string) string {
	t.Helper()
	s, _ := event[field].(string)
	if s == "" {
		t.Fatalf("event %v has no %q", event["event"], field)
	}
	return s
}

// exit waits for the end of the process and checks its exit code.
func (r *run) exit(want int) {
	r.t.Helper()
	select {
	case <-r.done:
	case <-time.After(patience):
		r.t.Fatalf("still running after %v", patience)
	}
	if r.code != want {
		r.t.Errorf("exit code %d, want %d", r.code, want)
	}
}

// said returns what was written to stderr until now.
func (r *run) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stderr.String()
}

// patience is how long a homing is waited for: three times the 20 s after which it breaks its own silence.
const patience = time.Minute

// find waits until what was written to either stream matches the pattern, and returns its first group.
func (r *run) find(pattern string) string {
	r.t.Helper()
	re := regexp.MustCompile(pattern)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for ended := false; ; {
		r.mu.Lock()
		m := re.FindStringSubmatch(r.stdout.String() + "\n" + r.stderr.String())
		r.mu.Unlock()
		if m != nil {
			return m[1]
		}
		if ended {
			r.t.Fatalf("ended with %d and printed nothing that matches %q", r.code, pattern)
		}
		select {
		case <-tick.C:
		case <-r.done:
			ended = true
		case <-late:
			r.t.Fatalf("nothing was printed in %v that matches %q", patience, pattern)
		}
	}
}

// tokens returns how many files in the SSO cache hold an access token; each must be private.
func (h *home) tokens() int {
	h.t.Helper()
	n := 0
	files, err := filepath.Glob(filepath.Join(h.dir, ".aws", "sso", "cache", "*.json"))
	if err != nil {
		h.t.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			h.t.Fatal(err)
		}
		if bytes.Contains(b, []byte(`"accessToken"`)) {
			n++
		}
		fi, err := os.Stat(name)
		if err != nil {
			h.t.Fatal(err)
		}
		if runtime.GOOS != "windows" && fi.Mode() != fs.FileMode(0o600) {
			h.t.Errorf("%s has mode %v, want 0600", name, fi.Mode())
		}
	}
	return n
}

// wantCredentials checks that the profile's role credentials are available now.
func (h *home) wantCredentials(profile string) {
	h.t.Helper()
	r := h.start("credentials", "--profile", profile)
	r.exit(0)
	var out struct{ AccessKeyId, SessionToken string } //nolint:revive // AWS's name
	if err := json.Unmarshal(r.stdout.Bytes(), &out); err != nil || !strings.HasPrefix(out.AccessKeyId, "ASIA") ||
		out.SessionToken == "" {
		h.t.Errorf("credentials are not what credential_process prints: %v", err)
	}
}

// withoutSecrets returns the text of a stream for the log of a test.
func withoutSecrets(text string) string {
	if strings.Contains(text, emulator.SecretMarker) {
		return "(holds a secret)"
	}
	return text
}
