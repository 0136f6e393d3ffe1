//go:build unix

package editor

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/testtools"
)

// TestTmux: a shell in a real tmux that was born in a terminal whose window has closed, in a session that has learned
// of another since.
func TestTmux(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("tmux"); err != nil {
		testtools.Missing(t, "tmux", "install the package tmux")
	}
	dir := folder(t)
	tmux := func(args ...string) string {
		cmd := exec.CommandContext(
			t.Context(),
			"tmux",
			append([]string{"-S", filepath.Join(dir, "tmux"), "-f", "/dev/null"}, args...)...)
		cmd.Env = append(cmd.Environ(), "SHELL=/bin/sh", "TMUX=", "TMUX_PANE=", "SSH_CONNECTION=", "XAUTHORITY=",
			hook+"=/born/in")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("tmux %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	tmux("new-session", "-d", "-s", "work", "exec sleep 1000")
	t.Cleanup(func() {
		cmd := exec.Command("tmux", "-S", filepath.Join(dir, "tmux"), "kill-server")
		_ = cmd.Run()
	})
	inside := env("TMUX", tmux("display-message", "-p", "#{socket_path},#{pid},0"), "TMUX_PANE",
		tmux("list-panes", "-F", "#{pane_id}"), hook, "/born/in")

	asks := func(getenv func(string) string, name, want string, known bool) {
		t.Helper()
		if got, ok := (&Tmux{Getenv: getenv}).Variable(t.Context(), name); got != want || ok != known {
			t.Errorf("%s is %q, known %v, want %q, %v", name, got, ok, want, known)
		}
	}
	asks(inside, hook, "/born/in", false)
	asks(inside, "HOMING_NOT_THERE", "", false)
	asks(inside, "SSH_CONNECTION", "", true) // whoever made the session had none
	tmux("set-environment", "-t", "work", "SSH_CONNECTION", "198.51.100.7 1 203.0.113.5 22")
	asks(inside, "SSH_CONNECTION", "198.51.100.7 1 203.0.113.5 22", true)
	path := (&stand{}).start(t, dir, "newer")
	tmux("set-environment", "-t", "work", hook, path)
	w, tries, _ := Find(t.Context(), Places{Getenv: inside, Dirs: []string{}, UID: -1})
	if want := "newer from tmux: answers (web)\n"; said(tries) != want || w.From != "tmux" || w.Named {
		t.Errorf("found %+v after\n%s", w, said(tries))
	}
	tmux("set-environment", "-t", "work", "-r", hook)
	asks(inside, hook, "", true)
	tmux("set-environment", "-t", "work", "DISPLAY", ":7")
	shell := env("TMUX", inside("TMUX"), "TMUX_PANE", inside("TMUX_PANE"), "DISPLAY", "localhost:10.0",
		"WAYLAND_DISPLAY", "wayland-0", "SSH_CONNECTION", "a", "XAUTHORITY", "b")
	display := (&Tmux{Getenv: shell}).Display(t.Context())
	for name, want := range map[string]string{"DISPLAY": ":7", "WAYLAND_DISPLAY": "wayland-0", "SSH_CONNECTION": "a", "XAUTHORITY": ""} {
		if got := display(name); got != want {
			t.Errorf("%s of the display is %q, want %q", name, got, want)
		}
	}
	asks(env("TMUX_PANE", "%0"), hook, "", false)
	asks(nil, hook, "", false)
	asks(env("TMUX", filepath.Join(dir, "elsewhere")+",1,0"), hook, "", false) // sent along by ssh
}

// TestTmuxThatHangs costs a second, one that talks too much says nothing.
func TestTmuxThatHangs(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for script, want := range map[string]string{
		"exec sleep 1000":                             "",
		"yes " + hook + "=/a":                         "",
		"echo " + hook + "=/a":                        "/a",
		"echo one: >> $0.calls; exec sleep 1000":      "",
		"echo two: >> $0.calls; echo " + hook + "=/a": "/a",
	} {
		if err := os.WriteFile(filepath.Join(dir, "tmux"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		tmux := &Tmux{Getenv: env("TMUX", "x")}
		got, _ := tmux.Variable(t.Context(), hook)
		for range 5 {
			tmux.Variable(t.Context(), "DISPLAY")
		}
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("%s: it took %v", script, took)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", script, got, want)
		}
	}
	calls, err := os.ReadFile(filepath.Join(dir, "tmux.calls"))
	if got := string(calls); err != nil || strings.Count(got, "one:") != 1 || strings.Count(got, "two:") != 1 {
		t.Errorf("tmux was called %q, want once for all variables (%v)", got, err)
	}
	// One caller that gave up must not keep the others from asking.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tmux := &Tmux{Getenv: env("TMUX", "x")}
	if err := os.WriteFile(filepath.Join(dir, "tmux"), []byte("#!/bin/sh\necho "+hook+"=/b\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	tmux.Variable(ctx, hook)
	if got, known := tmux.Variable(t.Context(), hook); got != "/b" || !known {
		t.Errorf("after a question that was cancelled: %q", got)
	}
}
