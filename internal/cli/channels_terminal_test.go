//go:build !windows

package cli

import (
	"context"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/editortest"
)

const (
	pasteBegin, pasteEnd = "\x1b[200~", "\x1b[201~"
	pasteOn, pasteOff    = "\x1b[?2004h", "\x1b[?2004l"
)

// overSSH is atTerminal in an SSH session: no redirect comes back, and no browser is opened.
func overSSH(t *testing.T) (*person, map[string]string) {
	t.Helper()
	p, vars := atTerminal(t)
	delete(vars, "DISPLAY")
	vars["SSH_CONNECTION"], vars["USER"] = "10.1.2.3 50000 10.4.5.6 22", "ann"
	dir := filepath.Join(p.home, ".aws")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	const config = "[sso-session dev]\nsso_start_url = " + emulator.DefaultStartURL + "\nsso_region = us-east-1\nsso_registration_scopes = sso:account:access\n"
	if err := os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return p, vars
}

// ended returns the address that the browser ends at, of the login that has printed what to open.
func (p *person) ended(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), scriptDeadline)
	defer cancel()
	failed, err := p.walk(ctx, false)
	if err != nil {
		t.Fatal(err)
	}
	return failed
}

// hides checks that nothing of a redirect is on the screen.
func (x *terminal) hides(address string) {
	x.t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		x.t.Fatal(err)
	}
	x.mu.Lock()
	screen := x.out.String()
	x.mu.Unlock()
	for name, values := range u.Query() {
		for _, secret := range []string{values[0][:min(len(values[0]), 20)], values[0][max(0, len(values[0])-20):]} {
			if name != "state" && strings.Contains(screen, secret) {
				x.t.Errorf("%s of what was pasted is on the screen:\n%s", name, screen)
			}
		}
	}
	if strings.Contains(screen, "oauth/callback?") || strings.Contains(screen, "200~") {
		x.t.Errorf("what was pasted is on the screen:\n%s", screen)
	}
}

// A terminal takes no line of more than 4,096 bytes, and what is copied from a narrow one has line breaks in it.
func TestLongPaste(t *testing.T) {
	for _, tt := range []struct {
		name, begin, lineBreak, end string
	}{
		{"bracketed", pasteBegin, "\r", pasteEnd},
		{"bracketed, line feeds", pasteBegin, "\n", pasteEnd},
		{"as typed", "", "\r", "\r"},
		{"as typed, line feeds", "", "\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, vars := overSSH(t)
			x := open(t, vars, "login", "--flow", "pkce", "--no-browser")
			x.expect("Waiting up to")
			failed := p.ended(t)
			failed += "&padding=" + strings.Repeat("0123456789abcdef", 400)[:6000-len(failed)-len("&padding=")]
			x.send(
				tt.begin + strings.ReplaceAll(strings.TrimSuffix(wrapped(failed, 80), "\n"), "\n",
					tt.lineBreak) + tt.end,
			)
			x.expect("Successfully signed in to session \"dev\"")
			x.end(0)
			x.hides(failed)
		})
	}
}

// Whatever else is pasted is named, and the wait goes on. So too on a terminal without bracketed paste.
func TestWrongPaste(t *testing.T) {
	for _, terminalType := range []string{"xterm-256color", "dumb"} {
		t.Run(terminalType, func(t *testing.T) {
			p, vars := overSSH(t)
			vars["TERM"] = terminalType
			begin, end := pasteBegin, pasteEnd
			if terminalType == "dumb" {
				begin, end = "", "\r"
			}
			x := open(t, vars, "login", "--flow", "pkce", "--no-browser")
			x.expect("Waiting up to")
			failed := p.ended(t)
			u, err := url.Parse(failed)
			if err != nil {
				t.Fatal(err)
			}
			x.send(begin + emulator.DefaultStartURL + "?a=b" + end)
			x.expect("What was pasted is not used")
			x.expect("waiting.\r\n")
			x.send(begin + "http://127.0.0.1:1/authorize?response_type=code&redirect_uri=x" + end)
			x.expect("What was pasted is the address to open.")
			x.expect("waiting.\r\n")
			x.send(begin + strings.Replace(failed, u.Query().Get("state"), "of-another-login", 1) + end)
			x.expect("the address of another sign-in")
			x.expect("waiting.\r\n")
			x.send(begin + "'" + failed + "'" + end)
			x.expect("Successfully signed in")
			screen := x.end(0)
			x.hides(failed)
			if terminalType == "dumb" && strings.Contains(screen, "␛") {
				t.Errorf("there are escapes on the screen:\n%s", screen)
			}
			golden(t, "terminal/paste-"+terminalType+".txt", screen)
		})
	}
}

// Both ways are alive after a switch, and the first to finish signs in.
func TestSwitchWhileWaiting(t *testing.T) {
	for _, tt := range []struct {
		name   string
		finish func(*testing.T, *person, *terminal)
	}{
		{"device", func(t *testing.T, p *person, _ *terminal) {
			if err := p.emu.Approve(t.Context()); err != nil {
				t.Fatal(err)
			}
		}},
		{"redirect", func(t *testing.T, p *person, x *terminal) {
			failed := p.ended(t)
			x.send(pasteBegin + failed + pasteEnd)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, vars := overSSH(t)
			x := open(t, vars, "login", "--flow", "pkce", "--no-browser")
			x.answer("can be done here.\r\n", "?")
			x.answer("Keys: ", "d")
			x.expect("Then enter the code:")
			x.answer("can be done here.\r\n", "?")
			x.answer("Keys: ", "p")
			x.expect("/authorize?response_type=code")
			x.answer("The browser ", "D") // shown again
			x.expect("Then enter the code:")
			x.expect("can be done here.\r\n")
			tt.finish(t, p, x)
			x.expect("Successfully signed in")
			golden(t, "terminal/switch-"+tt.name+".txt",
				strings.ReplaceAll(x.end(0), "The code is valid for 9 min", "The code is valid for 10 min"))
		})
	}
}

// From a device code to a redirect, as in a place where nothing comes back.
func TestSwitchToRedirect(t *testing.T) {
	p, vars := overSSH(t)
	x := open(t, vars, "login", "--no-browser")
	x.expect("Then enter the code:")
	x.answer("can be done here.\r\n", "p")
	x.expect("Waiting up to")
	x.send(pasteBegin + p.ended(t) + pasteEnd)
	x.expect("Successfully signed in")
	golden(t, "terminal/switch-to-redirect.txt", x.end(0))
}

// What policy does not allow, no key begins.
func TestKeysUnderPolicy(t *testing.T) {
	p, vars := overSSH(t)
	vars[envPolicy] = filepath.Join(p.home, "policy.toml")
	if err := os.WriteFile(vars[envPolicy], []byte("allow_device_code = false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	x := open(t, vars, "login", "--no-browser")
	x.answer("can be done here.\r\n", "d")
	x.expect("Signing in with a device code is not allowed on this machine.")
	x.send("?")
	x.expect("Keys: ")
	x.send("\x03")
	golden(t, "terminal/policy.txt", x.end(130))
	for _, r := range p.emu.Requests() {
		if r.Op == emulator.OpStartDeviceAuthorization {
			t.Error("a device code was asked for")
		}
	}
}

// inShell runs a line of the shell at a terminal; in it "$homing" is homing.
func inShell(t *testing.T, vars map[string]string, line string) *terminal {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	vars["homing"] = self
	return openProgram(t, vars, "/bin/sh", "-c", line)
}

// Ctrl-C ends the wait with 130 and leaves the terminal as it was.
func TestInterruptLeavesTheTerminalSane(t *testing.T) {
	for _, args := range []string{"login --flow pkce --no-browser", "login --no-browser", "callback"} {
		t.Run(args, func(t *testing.T) {
			_, vars := overSSH(t)
			x := inShell(t, vars, `trap : INT; stty -g; "$homing" `+args+`; echo "code $?"; stty -g`)
			x.expect(pasteOn)
			x.answer("Ctrl-C", "\x03")
			x.expect("code 130\r\n")
			screen := x.end(0)
			lines := strings.Split(strings.TrimSpace(screen), "\n")
			if first, last := lines[0], lines[len(lines)-1]; first != last || !strings.Contains(first, ":") {
				t.Errorf("the terminal was %q and is %q", first, last)
			}
			if raw := x.out.String(); strings.LastIndex(raw, pasteOff) < strings.LastIndex(raw, pasteOn) {
				t.Errorf("bracketed paste is still on:\n%q", raw)
			}
		})
	}
}

// homing callback asks at a terminal, so that the address is in no history, and does not show what is pasted.
func TestCallbackAsks(t *testing.T) {
	p, vars := overSSH(t)
	login := open(t, vars, "login", "--flow", "pkce", "--no-browser")
	login.expect("Waiting up to")
	failed := p.ended(t)
	x := open(t, vars, "callback")
	x.expect("Paste the address of the page that failed to load")
	x.expect("\r\n")
	x.send(pasteBegin + failed + pasteEnd)
	x.expect("has been completed.")
	golden(t, "terminal/callback.txt", x.end(0))
	x.hides(failed)
	login.end(0)
	login.hides(failed)
}

// In the background nobody types: the terminal is left to the shell, and the job is not stopped by it.
func TestBackgroundJob(t *testing.T) {
	p, vars := overSSH(t)
	x := inShell(t, vars, `set -m; stty -g; "$homing" login --no-browser & stty -g; wait $!; echo "code $?"; stty -g`)
	x.expect("Then enter the code:")
	x.expect("Ctrl-C gives up")
	if err := p.emu.Approve(t.Context()); err != nil {
		t.Fatal(err)
	}
	x.expect("Successfully signed in")
	x.expect("code 0\r\n")
	screen := x.end(0)
	if raw := x.out.String(); strings.Contains(raw, pasteOn) {
		t.Errorf("the terminal was set up from the background:\n%q", raw)
	}
	lines := strings.Split(strings.TrimSpace(screen), "\n")
	if first, last := lines[0], lines[len(lines)-1]; first != last {
		t.Errorf("the terminal was %q and is %q", first, last)
	}
}

// The address is a link where the terminal is known to show such, and on a line of its own everywhere.
func TestAddressIsALink(t *testing.T) {
	for _, tt := range []struct {
		name string
		vars map[string]string
		link bool
	}{
		{"VS Code", map[string]string{"TERM_PROGRAM": "vscode", "TERM_PROGRAM_VERSION": "1.139.1"}, true},
		{"unknown", nil, false},
		{"dumb", map[string]string{"TERM_PROGRAM": "vscode", "TERM_PROGRAM_VERSION": "1.139.1", "TERM": "dumb"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, vars := overSSH(t)
			maps.Copy(vars, tt.vars)
			x := open(t, vars, "login", "--flow", "pkce", "--no-browser")
			x.answer("Ctrl-C", "\x03")
			screen := x.end(130)
			at := strings.Index(screen, "http://127.0.0.1:PORT/authorize?")
			if at < 0 {
				t.Fatalf("no address:\n%s", screen)
			}
			begin := strings.LastIndex(screen[:at], "\n") + 1
			line, _, _ := strings.Cut(screen[begin:], "\n")
			address := line
			if tt.link {
				address, _, _ = strings.Cut(strings.TrimPrefix(line, "␛]8;;"), "␛")
			}
			want := address
			if tt.link {
				want = "␛]8;;" + address + "␛\\" + address + "␛]8;;␛\\"
			}
			if line != want || strings.ContainsAny(address, " ␛") {
				t.Errorf("the line of the address is\n%s\nwant\n%s", line, want)
			}
			if strings.Contains(screen, "␛") != tt.link {
				t.Errorf("escapes:\n%s", screen)
			}
		})
	}
}

// In an editor in the browser the address is pasted into the editor's terminal. What the editor opens comes to
// nothing.
func TestPasteInAWebEditor(t *testing.T) {
	p, vars := overSSH(t)
	delete(vars, "SSH_CONNECTION")
	window := editortest.Start(t, "", editortest.Options{Client: editortest.Web})
	maps.Copy(vars, window.Environment())
	maps.Copy(
		vars,
		map[string]string{
			"CODESPACES":     "true",
			"CODESPACE_NAME": "fluffy-goggles",
			"GITHUB_CODESPACES_PORT_FORWARDING_DOMAIN": "app.github.dev",
		},
	)
	x := open(t, vars, "login", "--flow", "pkce")
	x.expect("/authorize?response_type=code")
	x.expect("https://fluffy-goggles-")
	failed := p.ended(t)
	x.send(pasteBegin + failed + pasteEnd)
	x.expect("Successfully signed in")
	x.end(0)
	x.hides(failed)
	if asked := window.Asked(); !slices.Contains(asked, "openExternal") {
		t.Errorf("the window was asked for %v", asked)
	}
}
