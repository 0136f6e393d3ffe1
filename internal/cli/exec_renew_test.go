//go:build !windows

package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
)

// withProfiles is a person with a session, the profiles dev and a/b of it, and keys of their own in [default].
func withProfiles(t *testing.T) (*person, map[string]string) {
	t.Helper()
	p, vars := newPerson(t, nil, t.TempDir())
	dir := filepath.Join(p.home, ".aws")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	const profile = "\n[profile %s]\nsso_session = dev\nsso_account_id = %s\nsso_role_name = %s\nregion = eu-west-1\n"
	config := "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = x\n\n[sso-session dev]\nsso_start_url = " + emulator.DefaultStartURL +
		"\nsso_region = us-east-1\nsso_registration_scopes = sso:account:access\n" +
		fmt.Sprintf(profile, "dev", "111122223333", "ReadOnly") +
		fmt.Sprintf(profile, "a/b", "444455556666", "Developer")
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	p.signIn(t, vars)
	return p, vars
}

func (p *person) signIn(t *testing.T, vars map[string]string) {
	t.Helper()
	x := startHoming(t, vars, "login", "--sso-session", "dev", "--flow", "device", "--no-browser")
	ctx, cancel := context.WithTimeout(t.Context(), scriptDeadline)
	defer cancel()
	if err := p.emu.Approve(ctx); err != nil {
		t.Fatal(err)
	}
	x.ends(0)
}

// advance moves the clocks of the service and of every homing.
func (p *person) advance(t *testing.T, d time.Duration) {
	t.Helper()
	p.ahead += d
	p.emu.Advance(d)
	if err := os.WriteFile(filepath.Join(p.dir, "ahead"), []byte(p.ahead.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// running is a homing without a terminal.
type running struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	out    *bufio.Scanner
	stderr *buffer
}

type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func startHoming(t *testing.T, vars map[string]string, args ...string) *running {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	x := &running{t: t, cmd: exec.CommandContext(t.Context(), self, args...), stderr: &buffer{}}
	x.cmd.Env = []string{envMain + "=1", envRaw + "=1", "PATH=" + os.Getenv("PATH")}
	for name, value := range vars {
		x.cmd.Env = append(x.cmd.Env, name+"="+value)
	}
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	x.cmd.Stderr = x.stderr
	x.cmd.WaitDelay = scriptDeadline
	stdout, err := x.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	x.out = bufio.NewScanner(stdout)
	if x.stdin, err = x.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.cmd.Process.Kill() })
	return x
}

// line returns the next line of stdout.
func (x *running) line() string {
	x.t.Helper()
	if !x.out.Scan() {
		x.t.Fatalf("%v ended; stderr:\n%s", x.cmd.Args[1:], x.stderr)
	}
	return x.out.Text()
}

// ask makes the program behind x ask the endpoint.
func (x *running) ask() string {
	x.t.Helper()
	if _, err := io.WriteString(x.stdin, "\n"); err != nil {
		x.t.Fatal(err)
	}
	return x.line()
}

// ends waits for the end and compares the exit code, 128 and the number for a signal.
func (x *running) ends(code int) {
	x.t.Helper()
	_ = x.stdin.Close()
	for x.out.Scan() { // what is left
	}
	_ = x.cmd.Wait()
	status := x.cmd.ProcessState.Sys().(syscall.WaitStatus)
	got := status.ExitStatus()
	if status.Signaled() {
		got = 128 + int(status.Signal())
	}
	if got != code {
		x.t.Errorf("%v ended with %d, want %d; stderr:\n%s", x.cmd.Args[1:], got, code, x.stderr)
	}
}

// renewing runs a program that asks, under exec --renew.
func renewing(t *testing.T, vars map[string]string) *running {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startHoming(t, vars, "exec", "--renew", "--profile", "dev", "--", "env", envAsk+"=1", self)
}

// copies are the private folders that are there.
func (p *person) copies(t *testing.T) []string {
	t.Helper()
	dirs, err := filepath.Glob(filepath.Join(p.home, ".local", "state", "homing", "exec", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return dirs
}

// A job outlives the credentials it began with, five times; not those of a session that has ended, until somebody
// signs in.
func TestRenewOutlives(t *testing.T) {
	t.Parallel()
	p, vars := withProfiles(t)
	x := renewing(t, vars)
	seen := map[string]bool{}
	for range 5 {
		status, id, until := three(t, x.ask())
		expires, err := time.Parse("2006-01-02T15:04:05Z", until)
		if left := time.Until(expires) - p.ahead; status != "200" || err != nil || left <= 15*time.Minute {
			t.Errorf("%s %v, %s left", status, err, left)
		}
		if seen[id] {
			t.Errorf("%s was there before", id)
		}
		seen[id] = true
		if _, again, _ := three(t, x.ask()); again != id {
			t.Errorf("%s was replaced at once", id)
		}
		p.advance(t, 61*time.Minute)
	}
	p.emu.EndSession("")
	p.advance(t, 2*time.Hour)
	if got, want := strings.Join(strings.Fields(x.ask()), " "), `403 session "dev" has ended; run: homing login --sso-session dev`; got != want {
		t.Errorf("after the session: %q, want %q", got, want)
	}
	p.signIn(t, vars)
	if status, _, _ := three(t, x.ask()); status != "200" {
		t.Errorf("after another sign-in: %s", status)
	}
	dirs := p.copies(t)
	if len(dirs) != 1 {
		t.Errorf("folders: %q", dirs)
	}
	x.ends(0)
	if dirs := p.copies(t); len(dirs) != 0 {
		t.Errorf("left: %q", dirs)
	}
	searchSecrets(t, p.dir, p.home)
}

func three(t *testing.T, line string) (a, b, c string) {
	t.Helper()
	words := strings.Fields(line)
	if len(words) < 3 {
		t.Fatalf("answer %q", line)
	}
	return words[0], words[1], words[2]
}

// Credentials are replaced before anybody asks, and what stands in the way is said once, in time.
func TestRenewAhead(t *testing.T) {
	t.Parallel()
	p, vars := withProfiles(t)
	x := renewing(t, vars)
	x.ask()
	p.emu.ForgetRequests()
	p.advance(t, 41*time.Minute)
	await(t, "a renewal ahead of time", func() bool { return strings.Contains(ops(p), emulator.OpGetRoleCredentials) })
	x.ask()
	p.emu.EndSession("")
	p.advance(t, 41*time.Minute)
	await(t, "a word about it",
		func() bool { return strings.Contains(x.stderr.String(), "hint: run: homing login --sso-session dev") })
	if status, _, _ := three(t, x.ask()); status != "200" {
		t.Errorf("while the last ones are good: %s", status)
	}
	p.advance(t, 5*time.Minute)
	if status, _, _ := three(t, x.ask()); status != "200" {
		t.Errorf("while the last ones are good: %s", status)
	}
	if n := strings.Count(x.stderr.String(), "cannot be renewed"); n > 1 {
		t.Errorf("said %d times:\n%s", n, x.stderr)
	}
	x.ends(0)
}

func ops(p *person) string {
	var all []string
	for _, r := range p.emu.Requests() {
		all = append(all, r.Op)
	}
	return strings.Join(all, " ")
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(scriptDeadline); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("there was no %s", what)
		}
	}
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// A signal to homing is one to the command, whose end is homing's; nothing is left behind.
func TestRenewSignals(t *testing.T) {
	t.Parallel()
	p, vars := withProfiles(t)
	rows := []struct {
		name, script string
		signal       syscall.Signal
		code         int
	}{
		{
			"asked to end, with an answer",
			`trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.05; done`,
			syscall.SIGTERM,
			3,
		},
		{"asked to end", `echo ready; exec sleep 600`, syscall.SIGTERM, 128 + 15},
		{"interrupted", `echo ready; exec sleep 600`, syscall.SIGINT, 128 + 2},
		{"hung up", `echo ready; exec sleep 600`, syscall.SIGHUP, 128 + 1},
		{
			"by a signal of its own",
			`trap 'echo bye; exit 4' USR1; echo ready; while :; do sleep 0.05; done`,
			syscall.SIGUSR1,
			4,
		},
		{"killed by itself", `echo ready; read x; kill -9 $$`, 0, 128 + 9},
		{"broken", `echo ready; read x; kill -USR2 $$`, 0, 128 + int(syscall.SIGUSR2)},
		{"with a code", `echo ready; read x; exit 77`, 0, 77},
	}
	for _, row := range rows {
		x := startHoming(t, vars, "exec", "--renew", "--profile", "dev", "--", "sh", "-c", row.script)
		if got := x.line(); got != "ready" {
			t.Fatalf("%s: %q", row.name, got)
		}
		if len(p.copies(t)) != 1 {
			t.Errorf("%s: folders %q", row.name, p.copies(t))
		}
		if row.signal != 0 {
			if err := x.cmd.Process.Signal(row.signal); err != nil {
				t.Fatal(err)
			}
		}
		t.Log(row.name)
		x.ends(row.code)
		if len(p.copies(t)) != 0 {
			t.Errorf("%s: left %q", row.name, p.copies(t))
		}
	}
	// a signal before the command runs is homing's own
	asked := make(chan struct{}, 8)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	vars["AWS_ENDPOINT_URL_SSO"] = silent.URL
	if err := os.RemoveAll(filepath.Join(p.home, ".aws", "cli")); err != nil {
		t.Fatal(err)
	}
	x := startHoming(t, vars, "exec", "--renew", "--profile", "dev", "--", "echo", "ran")
	<-asked
	if err := x.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	x.ends(130)
}

// What serve prints leads to credentials, by profile; a sign-in while it runs is enough.
func TestServe(t *testing.T) {
	t.Parallel()
	p, vars := withProfiles(t)
	x := startHoming(t, vars, "serve", "--json", "dev", "a/b", "dev")
	var text string
	for !strings.HasSuffix(text, "\n}") {
		text += "\n" + x.line()
	}
	var got struct {
		Port     int
		Token    string
		Profiles []struct{ Profile, URL string }
	}
	if err := json.Unmarshal([]byte(text), &got); err != nil || len(got.Profiles) != 2 || len(got.Token) < 40 {
		t.Fatalf("%v in %s", err, text)
	}
	ids := map[string]bool{}
	var all sync.WaitGroup
	var mu sync.Mutex
	for i := range 32 {
		all.Go(func() {
			status, id, _ := three(t, askEndpoint(t.Context(), got.Profiles[i%2].URL, got.Token))
			mu.Lock()
			defer mu.Unlock()
			ids[id] = true
			if status != "200" {
				t.Error(status)
			}
		})
	}
	all.Wait()
	if len(ids) != 2 {
		t.Errorf("keys: %v", ids)
	}
	if n := strings.Count(ops(p), emulator.OpGetRoleCredentials); n != 2 {
		t.Errorf("%d calls of GetRoleCredentials", n)
	}
	if a := askEndpoint(t.Context(), got.Profiles[0].URL, got.Token+"x"); !strings.HasPrefix(a, "401 ") {
		t.Errorf("with another token: %s", a)
	}
	if err := os.RemoveAll(filepath.Join(p.home, ".aws", "cli")); err != nil {
		t.Fatal(err)
	}
	if out := startHoming(t, vars, "logout", "--sso-session", "dev"); out != nil {
		out.ends(0)
	}
	if a := askEndpoint(t.Context(), got.Profiles[1].URL, got.Token); !strings.HasPrefix(a, "403 ") ||
		!strings.Contains(a, "homing login --sso-session dev") {
		t.Errorf("signed out: %s", a)
	}
	p.signIn(t, vars)
	if a := askEndpoint(t.Context(), got.Profiles[1].URL, got.Token); !strings.HasPrefix(a, "200 ") {
		t.Errorf("signed in again: %s", a)
	}
	if err := x.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	x.ends(0)
	if !strings.Contains(x.stderr.String(), "credentials of [default]") ||
		strings.Contains(x.stderr.String(), got.Token) {
		t.Errorf("stderr:\n%s", x.stderr)
	}
}
