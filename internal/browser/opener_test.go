//go:build !windows

package browser

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/testtools"
)

// window is the socket of an editor that answers openExternal with a status, and others with 404. It sends what it is
// asked to open.
func window(t *testing.T, status int) (path string, opened <-chan string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "homing") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "vscode-ipc-1.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	urls := make(chan string, 8)
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var m struct {
				Type string
				URIs []string
			}
			if json.NewDecoder(r.Body).Decode(&m) != nil || m.Type != "openExternal" {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			for _, url := range m.URIs {
				urls <- url
			}
			w.WriteHeader(status)
		}),
	}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _, _ = server.Close(), os.RemoveAll(dir) })
	return path, urls
}

// desk is a PATH with programs that note how they were called, and fail where told to.
type desk struct{ bin, log string }

func newDesk(t *testing.T, programs map[string]string) desk {
	t.Helper()
	d := desk{bin: t.TempDir(), log: filepath.Join(t.TempDir(), "log")}
	for name, end := range programs {
		path := filepath.Join(d.bin, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		text := "#!/bin/sh\nfor a in " + name + ` "$@"; do printf '%s\n' "$a"; done >> ` + d.log + "\n" + end + "\n"
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", d.bin+":/usr/bin:/bin")
	return d
}

// calls returns the arguments of all calls, one a line.
func (d desk) calls(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(d.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

func vars(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

// TestOpenerTakesTheWindowFirst: and nobody else, since each would open the page once more.
func TestOpenerTakesTheWindowFirst(t *testing.T) {
	d := newDesk(t, map[string]string{"helpers/browser.sh": "", "firefox": ""})
	path, opened := window(t, 200)
	helper := filepath.Join(d.bin, "helpers/browser.sh")
	o := Opener{
		Getenv: vars(map[string]string{"BROWSER": helper + ":firefox", "VSCODE_IPC_HOOK_CLI": path}),
		Window: &editor.Window{Path: path},
	}
	if err := o.Open(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	if got := <-opened; got != page {
		t.Errorf("the window was given %q", got)
	}
	if got := d.calls(t); got != "" || len(opened) != 0 {
		t.Errorf("these were started too:\n%s", got)
	}
	if err := o.Open(t.Context(), "file:///etc/passwd"); err == nil || len(opened) != 0 {
		t.Errorf("the window was given what is no web address (%v)", err)
	}
}

// TestOpenerGoesOn: a window that is gone or refuses is followed by the next opener, but not by the script that would
// ask the same window again.
func TestOpenerGoesOn(t *testing.T) {
	d := newDesk(t, map[string]string{"helpers/browser.sh": "", "firefox": "", "broken": "exit 3"})
	refusing, _ := window(t, 500)
	for name, path := range map[string]string{"refuses": refusing, "gone": filepath.Join(t.TempDir(), "gone")} {
		getenv := vars(
			map[string]string{
				"BROWSER":             filepath.Join(d.bin, "helpers/browser.sh") + ":broken:firefox",
				"VSCODE_IPC_HOOK_CLI": path,
			},
		)
		o := Opener{Getenv: getenv, Window: &editor.Window{Path: path}}
		if err := o.Open(t.Context(), page); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got, want := d.calls(t), "broken\n"+page+"\nfirefox\n"+page+"\n"; got != want {
			t.Errorf("%s: started\n%swant\n%s", name, got, want)
		}
		_ = os.Remove(d.log)
	}
	o := Opener{Getenv: vars(map[string]string{"BROWSER": "broken"}), Window: &editor.Window{Path: refusing}}
	err := o.Open(t.Context(), page)
	if !errors.Is(err, ErrNone) || !strings.Contains(err.Error(), "the editor's window: ") ||
		!strings.Contains(err.Error(), "broken: exit status 3") ||
		strings.Contains(err.Error(), page) {
		t.Errorf("got %v, want every reason and no address", err)
	}
	if err := (Opener{Window: o.Window}).Open(t.Context(), page); !errors.Is(err, ErrNone) {
		t.Errorf("without variables: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.Open(ctx, page); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestOpenerAndTheEditorsScript: without a window the script is worth a try, where its socket is there and ours.
func TestOpenerAndTheEditorsScript(t *testing.T) {
	d := newDesk(t, map[string]string{"helpers/browser.sh": "", "firefox": ""})
	path, _ := window(t, 200)
	for _, tt := range []struct{ name, hook, want string }{
		{"ours", path, "helpers/browser.sh"},
		{"none", "", "helpers/browser.sh"},
		{"gone", path + "x", "firefox"},
	} {
		getenv := vars(
			map[string]string{
				"BROWSER":             filepath.Join(d.bin, "helpers/browser.sh") + ":firefox",
				"VSCODE_IPC_HOOK_CLI": tt.hook,
			},
		)
		if err := (Opener{Getenv: getenv}).Open(t.Context(), page); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got, want := d.calls(t), tt.want+"\n"+page+"\n"; got != want {
			t.Errorf("%s: started\n%swant\n%s", tt.name, got, want)
		}
		_ = os.Remove(d.log)
	}
}

// TestOpenerKeepsTheAddressFromOthers: the script would hand it to whoever made a socket of the name that our
// terminal had.
func TestOpenerKeepsTheAddressFromOthers(t *testing.T) {
	if os.Geteuid() != 0 {
		testtools.Missing(t, "the right to be another user", "run the test as root")
	}
	d := newDesk(t, map[string]string{"helpers/browser.sh": ""})
	path, opened := window(t, 200)
	if err := os.Chown(path, 54321, 54321); err != nil {
		t.Fatal(err)
	}
	getenv := vars(
		map[string]string{"BROWSER": filepath.Join(d.bin, "helpers/browser.sh"), "VSCODE_IPC_HOOK_CLI": path},
	)
	for _, w := range []*editor.Window{nil, {Path: path, Client: editor.Desktop}} {
		if err := (Opener{Getenv: getenv, Window: w}).Open(t.Context(), page); !errors.Is(err, ErrNone) {
			t.Errorf("got %v, want ErrNone", err)
		}
		if got := d.calls(t); got != "" || len(opened) != 0 {
			t.Errorf("the address went out %d times, or by\n%s", len(opened), got)
		}
	}
}

// TestOpenerFromWSL: PowerShell is handed one statement, in which nothing of the address means anything.
func TestOpenerFromWSL(t *testing.T) {
	d := newDesk(t, map[string]string{"wslview": "exit 1", "powershell.exe": "", "rundll32.exe": ""})
	const nasty = "https://x.example/?a=1&b='x'$(calc)`id`%20;%PATH%&c=\u2019;calc;\u2018&d=\"\"#f"
	o := Opener{Getenv: vars(map[string]string{"WSL_INTEROP": "/run/WSL/1_interop"})}
	if err := o.Open(t.Context(), nasty); err != nil {
		t.Fatal(err)
	}
	const statement = "Start-Process 'https://x.example/?a=1&b=''x''$(calc)`id`%20;%PATH%&c=\u2019\u2019;calc;\u2018\u2018&d=%22%22#f'"
	want := "wslview\n-s\n" + nasty + "\npowershell.exe\n-NoProfile\n-NonInteractive\n-Command\n" + statement + "\n"
	if got := d.calls(t); got != want {
		t.Errorf("started\n%swant\n%s", got, want)
	}
}

// TestOpenerThatNeverReturns: it delays the next by a second at most, and is not ended.
func TestOpenerThatNeverReturns(t *testing.T) {
	d := newDesk(t, map[string]string{"stays": "echo noise >&2; sleep 3; echo stayed >> $0.end"})
	begin := time.Now()
	if err := (Opener{Getenv: vars(map[string]string{"BROWSER": "stays"})}).Open(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 2500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(filepath.Join(d.bin, "stays.end")); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the opener was ended")
		}
	}
}

// TestAny: as many as Open would try, and none is started.
func TestAny(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the system has an opener of its own here")
	}
	d := newDesk(t,
		map[string]string{"helpers/browser.sh": "", "firefox": "", "lynx": "", "xdg-open": "", "powershell.exe": ""})
	t.Setenv("PATH", d.bin)
	path, opened := window(t, 200)
	helper := filepath.Join(d.bin, "helpers/browser.sh")
	for _, tt := range []struct {
		name   string
		env    map[string]string
		window bool
		want   bool
	}{
		{"nothing", nil, false, false},
		{"a window", nil, true, true},
		{"$BROWSER", map[string]string{"BROWSER": "firefox"}, false, true},
		{"$BROWSER with arguments", map[string]string{"BROWSER": "firefox --new-tab %s"}, false, true},
		{"the second of $BROWSER", map[string]string{"BROWSER": "chromium:firefox"}, false, true},
		{"$BROWSER that is not installed", map[string]string{"BROWSER": "chromium"}, false, false},
		{"$BROWSER that draws on the terminal", map[string]string{"BROWSER": "lynx"}, false, false},
		{"a display", map[string]string{"DISPLAY": ":0"}, false, true},
		{"Wayland", map[string]string{"WAYLAND_DISPLAY": "wayland-0"}, false, true},
		{"WSL", map[string]string{"WSL_INTEROP": "/run/WSL/1_interop"}, false, true},
		{"the editor's script, its socket ours", map[string]string{"BROWSER": helper, "VSCODE_IPC_HOOK_CLI": path}, false, true},
		{"the editor's script, its socket gone", map[string]string{"BROWSER": helper, "VSCODE_IPC_HOOK_CLI": path + "x"}, false, false},
		{"the editor's script without a socket", map[string]string{"BROWSER": helper}, false, true},
	} {
		o := Opener{Getenv: vars(tt.env)}
		if tt.window {
			o.Window = &editor.Window{Path: path}
		}
		if got := o.Any(); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
		if got := d.calls(t); got != "" || len(opened) != 0 {
			t.Errorf("%s: started\n%s", tt.name, got)
		}
		if !tt.want {
			if err := o.Open(t.Context(), page); !errors.Is(err, ErrNone) {
				t.Errorf("%s: Open returned %v", tt.name, err)
			}
		}
	}
	if (Opener{}).Any() {
		t.Error("the zero value has something to try without a display")
	}
	// A display alone is nothing to try.
	t.Setenv("PATH", t.TempDir())
	if (Opener{Getenv: vars(map[string]string{"DISPLAY": ":0", "BROWSER": "firefox"})}).Any() {
		t.Error("what is not installed counts")
	}
}

// TestOpenerHandsTheDisplayOn: that of its caller's variables, which may be newer than the process's.
func TestOpenerHandsTheDisplayOn(t *testing.T) {
	t.Setenv("DISPLAY", "localhost:10.0")
	out := filepath.Join(t.TempDir(), "out")
	newDesk(t, map[string]string{"xdg-open": `echo "$DISPLAY $XAUTHORITY" > ` + out})
	o := Opener{Getenv: vars(map[string]string{"DISPLAY": ":7", "XAUTHORITY": "/run/x", "BROWSER": "xdg-open"})}
	if err := o.Open(t.Context(), page); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out); err != nil || string(got) != ":7 /run/x\n" {
		t.Errorf("the opener saw %q (%v)", got, err)
	}
}
