//go:build unix

package editor

import (
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
		cmd := exec.CommandContext(t.Context(), "tmux", append([]string{"-S", filepath.Join(dir, "tmux"), "-f", "/dev/null"}, args...)...)
		cmd.Env = append(cmd.Environ(), "TMUX=", "TMUX_PANE=", hook+"=/born/in")
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
	inside := env("TMUX", tmux("display-message", "-p", "#{socket_path},#{pid},0"), "TMUX_PANE", tmux("list-panes", "-F", "#{pane_id}"), hook, "/born/in")

	if got := Tmux(t.Context(), inside, hook); got != "/born/in" {
		t.Errorf("the server's variable is %q", got)
	}
	if got := Tmux(t.Context(), inside, "HOMING_NOT_THERE"); got != "" {
		t.Errorf("a variable nobody set is %q", got)
	}
	path := (&stand{}).start(t, dir, "newer")
	tmux("set-environment", "-t", "work", hook, path)
	w, tries, _ := Find(t.Context(), Places{Getenv: inside, Dirs: []string{}, UID: -1})
	if want := "in from VSCODE_IPC_HOOK_CLI: gone\nnewer from tmux: answers (web)\n"; said(tries) != want || w.From != "tmux" || w.Named {
		t.Errorf("found %+v after\n%s", w, said(tries))
	}
	tmux("set-environment", "-t", "work", "-r", hook)
	if got := Tmux(t.Context(), inside, hook); got != "" {
		t.Errorf("a variable that was taken out is %q", got)
	}
	if got := Tmux(t.Context(), env("TMUX_PANE", "%0"), hook); got != "" {
		t.Errorf("outside of tmux the variable is %q", got)
	}
}

// TestTmuxThatHangs costs a second, one that talks too much says nothing.
func TestTmuxThatHangs(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for script, want := range map[string]string{
		"exec sleep 1000":      "",
		"yes " + hook + "=/a":  "",
		"echo " + hook + "=/a": "/a",
	} {
		if err := os.WriteFile(filepath.Join(dir, "tmux"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		got := Tmux(t.Context(), env("TMUX", "x"), hook)
		if took := time.Since(begin); took > 4*time.Second {
			t.Errorf("%s: it took %v", script, took)
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", script, got, want)
		}
	}
}
