package cli

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/app"
)

// serveEmulator runs homing emulator until its second export line, and returns the address in it and what it said on
// stderr by its end.
func serveEmulator(t *testing.T, listen string) (address, stderr string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, w := io.Pipe()
	var errs bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- Main(ctx, app.Env{Args: []string{"emulator", "--listen", listen}, Stdout: w, Stderr: &errs})
		_ = w.Close()
	}()
	out := bufio.NewReader(r)
	line, err := out.ReadString('\n')
	if err != nil {
		t.Fatalf("%v, stderr:\n%s", err, errs.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	_, address, _ = strings.Cut(strings.TrimSpace(line), "=http://")
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		t.Errorf("%s: nothing answers at what was printed: %v", listen, err)
	} else if err := conn.Close(); err != nil {
		t.Error(err)
	}
	cancel()
	if code := <-done; code != 0 {
		t.Errorf("%s: exit %d", listen, code)
	}
	return address, errs.String()
}

// An emulator on every address prints the loopback one, which other programs can use, and warns of who else can.
func TestEmulatorListen(t *testing.T) {
	for listen, warns := range map[string]bool{"127.0.0.1:0": false, "localhost:0": false, "0.0.0.0:0": true, ":0": true} {
		address, stderr := serveEmulator(t, listen)
		if host, _, err := net.SplitHostPort(address); err != nil || !net.ParseIP(host).IsLoopback() {
			t.Errorf("%s: the exports say %q (%v)", listen, address, err)
		}
		if got := strings.Contains(stderr, "warning: ") && strings.Contains(stderr, "anybody who can reach this machine can use"); got != warns {
			t.Errorf("%s: warned %t, want %t:\n%s", listen, got, warns, stderr)
		}
	}
}

// A switch that is misspelt is answered with those that there are.
func TestEmulatorSwitchHint(t *testing.T) {
	t.Parallel()
	for arg, want := range map[string]string{
		"nope":          "hint: use one of: wrong_region, .*start_url_text=, .*punish_impatience, .*throttle_text=\n",
		"any_scope=yes": "hint: use the flag: --switch any_scope\n",
		"throttle_text": "hint: use the flag: --switch throttle_text=TEXT\n",
	} {
		code, stdout, stderr := inProcess(t, nil, "emulator", "--switch", arg)
		if code != 2 || stdout != "" || !regexp.MustCompile(want).MatchString(stderr) {
			t.Errorf("%s: exit %d, stdout %q, stderr:\n%s", arg, code, stdout, stderr)
		}
	}
}

// The version line says once what built it.
func TestVersionLine(t *testing.T) {
	t.Parallel()
	_, stdout, _ := inProcess(t, nil, "version")
	if !strings.HasPrefix(stdout, "homing ") || !strings.Contains(stdout, "(go") || strings.Contains(stdout, "(go ") {
		t.Errorf("version prints %q", stdout)
	}
}
