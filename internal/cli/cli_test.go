package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
)

// inProcess runs homing in an environment without anything, and returns its exit code and what it printed.
func inProcess(t *testing.T, change func(*Env), args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	env := Env{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Home: t.TempDir()}
	if change != nil {
		change(&env)
	}
	code = Main(t.Context(), env)
	return code, out.String(), err.String()
}

// A bug ends with 1, one sentence and what to report; no stack trace, unless --debug asks for it.
func TestPanic(t *testing.T) {
	broken := func(env *Env) {
		env.LookupEnv = func(name string) (string, bool) {
			if name == "AWS_CONFIG_FILE" {
				panic("the \x1b[31msky\nfell down")
			}
			return "", false
		}
	}
	code, stdout, stderr := inProcess(t, broken, "status")
	want := "homing: internal error: the sky fell down\nhint: this should not happen: run it again with --debug and report what it prints at " + issuesURL + "\n"
	if code != 1 || stdout != "" || stderr != want {
		t.Errorf("exit %d, stdout %q, stderr:\n%s", code, stdout, stderr)
	}
	if _, _, stderr := inProcess(t, broken, "status", "--debug"); !strings.Contains(stderr, "debug: goroutine") {
		t.Errorf("--debug shows no stack:\n%s", stderr)
	}
}

// An answer that nobody gets is no success, whoever wrote it.
func TestUnwritten(t *testing.T) {
	for _, args := range [][]string{{"version"}, {"version", "--json"}, {"--help"}, {"help", "login"}, {"completion", "bash"}} {
		full := func(env *Env) { env.Stdout = fullDisk{} }
		code, _, stderr := inProcess(t, full, args...)
		if want := "homing: the answer cannot be written: no space left on device\nhint: write it to another place\n"; code != 3 || stderr != want {
			t.Errorf("%v: exit %d, stderr:\n%s", args, code, stderr)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: errors.New("no space left on device")}
}

// Every error is one sentence and one hint, whatever hides in it.
func TestFail(t *testing.T) {
	for _, tt := range []struct {
		err  error
		code int
		want string
	}{
		{fault.New(fault.SignInNeeded, "run: homing login", "session %q expired", "dev"), 4, "homing: session \"dev\" expired\nhint: run: homing login\n"},
		{fault.New(fault.Unavailable, "wait\x07", "proxy says:\r\n\x1b]0;title\x07no\u202e"), 6, "homing: proxy says: no\nhint: wait\n"},
		{fmt.Errorf("read: %w", fault.New(fault.Config, "look", "x")), 3, "homing: read: x\nhint: look\n"},
		{&fs.PathError{Op: "write", Path: "/dev/stdout", Err: errors.New("no space left on device")}, 3,
			"homing: the answer cannot be written: no space left on device\nhint: write it to another place\n"},
		{errors.New("odd"), 1, "homing: odd\nhint: this should not happen: run it again with --debug and report what it prints at " + issuesURL + "\n"},
	} {
		var out bytes.Buffer
		u := &ui{out: io.Discard, err: &out}
		if code := u.fail(tt.err); code != tt.code || out.String() != tt.want {
			t.Errorf("exit %d, printed:\n%s\nwant %d:\n%s", code, out.String(), tt.code, tt.want)
		}
	}
}

func TestSecretsStayHidden(t *testing.T) {
	var out bytes.Buffer
	u := &ui{out: &out, err: &out, debugging: true}
	secret := session.NewSecret("s3cr3t")
	u.say("%s %v\n", secret, session.Token{AccessToken: secret})
	u.debug("%v", secret)
	u.logger().Debug("x", "token", secret)
	if strings.Contains(out.String(), "s3cr3t") || out.Len() == 0 {
		t.Errorf("printed:\n%s", out.String())
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 s", 59 * time.Second: "59 s", 59*time.Minute + 29*time.Second: "59 min", time.Hour - time.Second: "1 h",
		7*time.Hour + 59*time.Minute: "7 h 59 min", 47*time.Hour + 59*time.Minute: "47 h 59 min", 48 * time.Hour: "2 days",
		90*24*time.Hour - time.Minute: "90 days",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if code := run(ctx, Env{Args: []string{"demo"}, Stdout: io.Discard, Stderr: &out}); code != 130 || out.Len() > 0 {
		t.Errorf("exit %d, stderr %q", code, out.String())
	}
}

// homing emulator prints where it is and serves until it is stopped, which is no failure.
func TestEmulatorCommand(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- Main(ctx, Env{
			Args:   []string{"emulator", "--json", "--accounts", "3", "--switch", "punish_impatience", "--sso-region", "eu-west-1"},
			Stdout: w, Stderr: io.Discard,
		})
	}()
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var said struct{ URL, Region string }
	if err := json.Unmarshal([]byte(line), &said); err != nil || said.Region != "eu-west-1" {
		t.Fatalf("%s: %v", line, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, said.URL+"/start", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("the portal answers %s (%v)", resp.Status, err)
	}
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("exit %d", code)
	}
}

func TestEmulatorBadFlags(t *testing.T) {
	for _, tt := range []struct {
		args string
		code int
		want string
	}{
		{"--switch no_such", 2, "no such switch"},
		{"--switch any_scope=yes", 2, "takes no text"},
		{"--switch throttle_text", 2, "--switch throttle_text=TEXT"},
		{"--directory d.json --accounts 3", 2, "--directory and --accounts contradict each other"},
		{"--verification x", 2, "none of device, fragment, opaque"},
		{"--accounts 100000000000", 2, "more than"},
		{"--accounts 2000 --roles 2000", 2, "more than"},
		{"--accounts -1", 2, "negative"},
		{"--accounts 3 --roles 0", 2, "at least 1"},
		{"--token-life -1h", 2, "negative"},
		{"--start-url http://example.com", 2, "https"},
		{"--sso-region Mars", 2, "region"},
		{"--listen 256.0.0.1:0", 3, "256.0.0.1:0"},
		{"--directory /no/such/file", 3, "/no/such/file"},
	} {
		code, stdout, stderr := inProcess(t, nil, append([]string{"emulator"}, strings.Fields(tt.args)...)...)
		if code != tt.code || stdout != "" || !strings.Contains(stderr, tt.want) || !strings.Contains(stderr, "\nhint: ") {
			t.Errorf("%s: exit %d, stdout %q, stderr:\n%s", tt.args, code, stdout, stderr)
		}
	}
}

func TestEmulatorSwitches(t *testing.T) {
	var got emulator.Switches
	err := setSwitches(&got, []string{"any_scope", "start_url_text=Invalid request.", "throttle_text=a=b", "refresh_same"})
	want := emulator.Switches{AnyScope: true, StartURLText: "Invalid request.", ThrottleText: "a=b", RefreshSame: true}
	if err != nil || got != want {
		t.Errorf("got %+v (%v), want %+v", got, err, want)
	}
	for _, name := range switchNames() { // what the hint offers
		var sw emulator.Switches
		if err := setSwitches(&sw, []string{name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An address that listens on all interfaces is reached at loopback.
func TestReachable(t *testing.T) {
	for addr, want := range map[string]string{
		"0.0.0.0:4000": "127.0.0.1:4000", "[::]:4000": "127.0.0.1:4000", "[::1]:4000": "[::1]:4000", "192.0.2.1:4000": "192.0.2.1:4000",
	} {
		tcp, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := reachable(tcp); got != want {
			t.Errorf("reachable(%s) = %s, want %s", addr, got, want)
		}
	}
}

func TestNoHome(t *testing.T) {
	code, _, stderr := inProcess(t, func(env *Env) { env.Home = "" }, "login")
	if code != 3 || !strings.Contains(stderr, "HOME is not set") {
		t.Errorf("exit %d, stderr:\n%s", code, stderr)
	}
}

// What a use case says to type is what the page in the browser shows: the terminal keeps it. A bare "homing login"
// becomes the command for this very session.
func TestWithCommand(t *testing.T) {
	t.Parallel()
	dev := session.Session{Name: "dev", StartURL: "https://x.awsapps.com/start", Region: "us-east-1"}
	for given, want := range map[string]string{
		"run: homing login":                           "run: homing login --sso-session dev",
		"run: homing login --sso-session dev --force": "run: homing login --sso-session dev --force",
	} {
		err := error(&fault.Error{Kind: fault.SignInNeeded, Msg: "no", Hint: given, Err: &idc.Error{Code: idc.CodeInvalidGrant}})
		if got := fault.HintOf((&app{}).withCommand(err, dev, signin.FlowPKCE)); got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
	}
}

// The forms are those of the partitions: aws, aws-cn, aws-us-gov, aws-eusc and the four isolated ones.
func TestCheckRegion(t *testing.T) {
	t.Parallel()
	for _, region := range []string{
		"us-east-1", "ap-southeast-7", "mx-central-1", "il-central-1", "cn-northwest-1", "us-gov-west-1", "eusc-de-east-1",
		"us-iso-east-1", "us-isob-west-1", "eu-isoe-west-1", "us-isof-south-1", "eu-central-12",
	} {
		if problem := checkRegion(region); problem != "" {
			t.Errorf("%s: %s", region, problem)
		}
	}
	for _, region := range []string{
		"", "eu-west-1a", "eu-west", "west-1", "Eu-west-1", "eu-west-1-", "eu--1", "uswest-1", "eu-west-1-2", "eu_west_1", "eu-west-1 ", "-west-1",
	} {
		if checkRegion(region) == "" {
			t.Errorf("%q is accepted", region)
		}
	}
}

func TestWarnOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	warn := newApp(Env{Stdout: io.Discard, Stderr: &out}).warnOnce()
	for _, text := range []string{"a", "a", "b"} {
		warn(errors.New(text))
	}
	if got := out.String(); got != "warning: a\nwarning: b\n" {
		t.Errorf("%q", got)
	}
}
