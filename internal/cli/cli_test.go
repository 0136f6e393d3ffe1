package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/ui"
)

// inProcess runs homing in an environment without anything, and returns its exit code and what it printed.
func inProcess(t *testing.T, change func(*app.Env), args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	env := app.Env{Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Home: t.TempDir()}
	if change != nil {
		change(&env)
	}
	code = Main(t.Context(), env)
	return code, out.String(), err.String()
}

// A bug ends with 1, one sentence and what to report; no stack trace, unless --debug asks for it.
func TestPanic(t *testing.T) {
	broken := func(env *app.Env) {
		env.LookupEnv = func(name string) (string, bool) {
			if name == "AWS_CONFIG_FILE" {
				panic("the \x1b[31msky\nfell down")
			}
			return "", false
		}
	}
	code, stdout, stderr := inProcess(t, broken, "status")
	want := "homing: internal error: the sky fell down\nhint: this should not happen: run it again with --debug and report what it prints at " + ui.IssuesURL + "\n"
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
		full := func(env *app.Env) { env.Stdout = fullDisk{} }
		code, _, stderr := inProcess(t, full, args...)
		if want := "homing: the answer cannot be written: no space left on device\nhint: write it to another place\n"; code != 3 ||
			stderr != want {
			t.Errorf("%v: exit %d, stderr:\n%s", args, code, stderr)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) {
	return 0, &fs.PathError{Op: "write", Path: "/dev/stdout", Err: errors.New("no space left on device")}
}

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out bytes.Buffer
	if code := run(ctx, app.Env{Args: []string{"demo"}, Stdout: io.Discard, Stderr: &out}); code != 130 ||
		out.Len() > 0 {
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
		done <- Main(ctx, app.Env{
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
		if code != tt.code || stdout != "" || !strings.Contains(stderr, tt.want) ||
			!strings.Contains(stderr, "\nhint: ") {
			t.Errorf("%s: exit %d, stdout %q, stderr:\n%s", tt.args, code, stdout, stderr)
		}
	}
}

func TestNoHome(t *testing.T) {
	code, _, stderr := inProcess(t, func(env *app.Env) { env.Home = "" }, "login")
	if code != 3 || !strings.Contains(stderr, "HOME is not set") {
		t.Errorf("exit %d, stderr:\n%s", code, stderr)
	}
}
