package browser

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"
)

const page = "https://oidc.us-east-1.amazonaws.com/authorize?a=1&b=%20x"

func noVariables(string) string { return "" }

func TestCommands(t *testing.T) {
	t.Parallel()
	spaced := filepath.Join(t.TempDir(), "my browser")
	if err := os.WriteFile(spaced, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		goos string
		env  map[string]string
		want [][]string
	}{
		{"nothing on Linux", "linux", nil, nil},
		{"Linux desktop", "linux", map[string]string{"DISPLAY": ":0"}, [][]string{{"xdg-open", page}, {"x-www-browser", page}}},
		{"Mac", "darwin", nil, [][]string{{"open", page}}},
		{"Windows", "windows", nil, [][]string{{"rundll32.exe", "url.dll,FileProtocolHandler", page}}},
		{"WSL", "linux", map[string]string{"WSL_DISTRO_NAME": "Ubuntu"}, [][]string{
			{"wslview", "-s", page},
			{"powershell.exe", "-NoProfile", "-NonInteractive", "-Command", "Start-Process '" + page + "'"},
			{"/mnt/c/Windows/System32/WindowsPowerShell/v1.0/powershell.exe", "-NoProfile", "-NonInteractive", "-Command", "Start-Process '" + page + "'"},
			{"rundll32.exe", "url.dll,FileProtocolHandler", page},
		}},
		{"a list, first first", "linux", map[string]string{"BROWSER": "/x/helpers/browser.sh:firefox"}, [][]string{{"/x/helpers/browser.sh", page}, {"firefox", page}}},
		{"the place of the URL", "linux", map[string]string{"BROWSER": "chrome --app=%s --x"}, [][]string{{"chrome", "--app=" + page, "--x"}}},
		{"a percent sign", "linux", map[string]string{"BROWSER": "b 100%% %%s"}, [][]string{{"b", "100%", "%s", page}}},
		{"a path with a blank", "linux", map[string]string{"BROWSER": spaced}, [][]string{{spaced, page}}},
		{"before the system's own", "darwin", map[string]string{"BROWSER": "firefox"}, [][]string{{"firefox", page}, {"open", page}}},
		{"text browsers", "linux", map[string]string{"BROWSER": "lynx:/usr/bin/w3m:www-browser:elinks %s:firefox"}, [][]string{{"firefox", page}}},
		{"empty entries", "linux", map[string]string{"BROWSER": "::  :"}, nil},
	} {
		if got := commands(tt.goos, func(k string) string { return tt.env[k] }, page); !reflect.DeepEqual(got,
			tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestOpenRefusesWhatIsNoWebAddress(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "-x", "file:///etc/passwd", "javascript:alert(1)", "https://", "https://x/\x1b[31m", "https://x/ y", "vscode://x/y"} {
		if err := open(t.Context(), noVariables, [][]string{{"true"}}, bad); err == nil {
			t.Errorf("%q was handed to a program", bad)
		}
	}
}

// script writes a shell script and returns its path.
func script(t *testing.T, text string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the openers of this test are shell scripts")
	}
	path := filepath.Join(t.TempDir(), "opener")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenTriesTheNext(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "out")
	good := script(t, `printf '%s' "$*" > `+out)
	err := open(
		t.Context(),
		noVariables,
		[][]string{
			{"no-such-opener", page},
			{script(t, "exit 3"), page},
			{good, "-s", page},
			{script(t, "rm "+out), page},
		},
		page,
	)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if want := "-s " + page; err != nil || string(got) != want {
		t.Errorf("the opener got %q (%v), want %q", got, err, want)
	}
}

func TestOpenWithoutOpener(t *testing.T) {
	t.Parallel()
	if err := Open(t.Context(), func(string) string { return "" }, page); runtime.GOOS == "linux" &&
		!errors.Is(err, ErrNone) {
		t.Errorf("got %v, want ErrNone", err)
	}
	err := open(t.Context(), noVariables, [][]string{{script(t, "exit 3"), page}}, page)
	if !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v, want ErrNone and why", err)
	}
}

func TestOpenDoesNotWaitForAnOpenerThatStays(t *testing.T) {
	t.Parallel()
	// Its output, had it any, would go to the terminal of the test.
	opener := script(t, "echo noise; echo noise >&2; sleep 20")
	begin := time.Now()
	if err := open(t.Context(), noVariables, [][]string{{opener, page}}, page); err != nil {
		t.Errorf("an opener that stays is one that works: %v", err)
	}
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("waited %v for the opener", d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := open(ctx, noVariables, [][]string{{opener, page}}, page); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestOpenerHasNoTerminalAndNoShell(t *testing.T) {
	t.Setenv("BROWSER", "lynx")
	out := filepath.Join(t.TempDir(), "out")
	opener := script(
		t,
		`{ [ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo none; (: > /dev/tty) 2>/dev/null || echo no tty; echo "${BROWSER-no BROWSER}"; printf '%s\n' "$1"; } > `+out,
	)
	const nasty = "https://x.example/?a=$(touch${IFS}pwned)&b=;id|`id`&c='\""
	if err := open(t.Context(), noVariables, [][]string{{opener, nasty}}, nasty); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if want := "none\nno tty\nno BROWSER\n" + nasty + "\n"; err != nil || string(got) != want {
		t.Errorf("the opener saw %q (%v), want %q", got, err, want)
	}
}
