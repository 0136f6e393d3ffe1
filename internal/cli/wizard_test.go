//go:build !windows

package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/google/go-cmp/cmp"
	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/testtools"
)

var update = flag.Bool("update", false, "write goldens instead of comparing with them")

// terminal is homing at a pseudo-terminal, with somebody who waits for words and types.
type terminal struct {
	t   *testing.T
	tty *os.File
	cmd *exec.Cmd

	mu   sync.Mutex
	more chan struct{} // closed and replaced when something was printed
	out  bytes.Buffer
	seen int // how far expect has read
	done chan struct{}
}

// open starts homing with args at a terminal of 120 columns.
func open(t *testing.T, vars map[string]string, args ...string) *terminal {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return openProgram(t, vars, self, args...)
}

// openSized starts homing at a terminal of another size.
func openSized(t *testing.T, size *pty.Winsize, vars map[string]string, args ...string) *terminal {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return startAt(t, size, vars, self, args...)
}

func openProgram(t *testing.T, vars map[string]string, program string, args ...string) *terminal {
	t.Helper()
	return startAt(t, &pty.Winsize{Rows: 40, Cols: 120}, vars, program, args...)
}

func startAt(t *testing.T, size *pty.Winsize, vars map[string]string, program string, args ...string) *terminal {
	t.Helper()
	x := &terminal{
		t:    t,
		cmd:  exec.CommandContext(t.Context(), program, args...),
		more: make(chan struct{}),
		done: make(chan struct{}),
	}
	x.cmd.Env = []string{envMain + "=1", "TERM=xterm-256color", "PATH=" + os.Getenv("PATH")}
	for name, value := range vars {
		x.cmd.Env = append(x.cmd.Env, name+"="+value)
	}
	var err error
	x.tty, err = pty.StartWithSize(x.cmd, size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = x.tty.Close() })
	go func() {
		defer close(x.done)
		buf := make([]byte, 4096)
		for {
			n, err := x.tty.Read(buf)
			x.mu.Lock()
			x.out.Write(buf[:n])
			close(x.more)
			x.more = make(chan struct{})
			x.mu.Unlock()
			if err != nil { // EIO on Linux, EOF elsewhere: homing has ended
				return
			}
		}
	}()
	return x
}

// expect waits until text appears after what was expected before.
func (x *terminal) expect(text string) {
	x.t.Helper()
	deadline := time.After(scriptDeadline)
	for {
		x.mu.Lock()
		i := strings.Index(x.out.String()[x.seen:], text)
		if i >= 0 {
			x.seen += i + len(text)
		}
		more, all := x.more, x.out.String()
		x.mu.Unlock()
		if i >= 0 {
			return
		}
		select {
		case <-more:
		case <-deadline:
			x.t.Fatalf("%q did not appear in:\n%s", text, all)
		}
	}
}

func (x *terminal) send(keys string) {
	x.t.Helper()
	if _, err := io.WriteString(x.tty, keys); err != nil {
		x.t.Fatal(err)
	}
}

// answer waits for a question and answers it.
func (x *terminal) answer(question, keys string) {
	x.t.Helper()
	x.expect(question)
	x.send(keys)
}

// end waits for homing to end with the given exit code and returns all that stood on the screen.
func (x *terminal) end(code int) string {
	x.t.Helper()
	<-x.done
	err := x.cmd.Wait()
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else if err != nil {
		x.t.Fatal(err)
	}
	if got != code {
		x.t.Errorf("exit code %d, want %d; on the screen:\n%s", got, code, x.out.String())
	}
	return transcript(x.out.String())
}

var qrLines = regexp.MustCompile(`(?m)(^\x1b\[38;5;16;48;5;231m.*\n)+`)

// transcript makes what stood on the screen fit for a golden: no carriage returns, escapes shown, QR codes named.
func transcript(screen string) string {
	text := strings.ReplaceAll(screen, "\r\n", "\n")
	text = qrLines.ReplaceAllString(text, "(QR code)\n")
	return strings.NewReplacer("\x1b[?2004h", "", "\x1b[?2004l", "", "\x1b", "␛", "\r", "␍").Replace(text)
}

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("differs from %s (-want +got):\n%s\nif it should: go test ./internal/cli -update", path, diff)
	}
}

// atTerminal starts an emulator whose person allows everything that homing opens.
func atTerminal(t *testing.T) (*person, map[string]string) {
	t.Parallel()
	work := t.TempDir()
	p, vars := newPerson(t, nil, work)
	vars["DISPLAY"] = ":0"
	t.Cleanup(func() { searchSecrets(t, p.dir, p.home) })
	ctx, cancel := context.WithCancel(t.Context())
	var people sync.WaitGroup
	people.Go(func() {
		for {
			select {
			case url := <-p.opened:
				if err := p.browser.Open(ctx, url); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	t.Cleanup(func() { cancel(); people.Wait() })
	return p, vars
}

// oneRole is the directory of the article: one account, one role.
func oneRole() *emulator.Directory {
	return &emulator.Directory{
		Users: []emulator.User{{Name: "ada"}},
		Accounts: []emulator.Account{
			{ID: "111122223333", Name: "Sandbox", Roles: []emulator.Role{{Name: "AdministratorAccess"}}},
		},
	}
}

func (p *person) config(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.home, ".aws", "config"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestWizardLegacy(t *testing.T) {
	p, vars := atTerminal(t)
	p.emu.Change(func(s *emulator.Server) { s.Directory = oneRole() })
	x := open(t, vars, "configure", "sso")
	x.answer("SSO session name (Recommended): ", "\n")
	x.answer("SSO start URL [None]: ", emulator.DefaultStartURL+"\n")
	x.answer("SSO region [None]: ", "us-east-1\n")
	x.answer("Default client Region [us-east-1]: ", "eu-central-1\n")
	x.answer("CLI default output format (json if not specified) [None]: ", "json\n")
	x.answer("Profile name [AdministratorAccess-111122223333]: ", "default\n")
	golden(t, "wizard/legacy.txt", x.end(0)+"\n~/.aws/config:\n"+p.config(t))
}

func TestWizardSession(t *testing.T) {
	p, vars := atTerminal(t)
	p.emu.Change(func(s *emulator.Server) { s.Directory = emulator.GenerateDirectory(14, 3) })
	x := open(t, vars, "configure", "sso", "--flow", "pkce")
	x.answer("SSO session name (Recommended): ", "my session\n") // refused, asked again
	x.answer("SSO session name (Recommended): ", "dev\n")
	x.answer("SSO start URL [None]: ", "nonsense\n")
	x.answer("SSO start URL [None]: ", emulator.DefaultStartURL+"\n")
	x.answer("SSO region [None]: ", "us-east-1a\n") // a zone: asked again
	x.answer("SSO region [None]: ", "us-east-1\n")
	x.answer("SSO registration scopes [sso:account:access]: ", "\n")
	x.expect("There are 14 AWS accounts available to you.")
	x.answer("(14 of 14)", "1")
	x.expect(": 1\r\n")
	x.send("3\x7f") // a digit too many
	x.expect(": 13\r\n")
	x.expect(": 1\r\n")
	x.send("\x1b[B\x1b[A\x1b[B\r")
	x.answer("(3 of 3)", "read\r")
	x.answer("Default client Region [us-east-1]: ", "\n")
	x.answer("CLI default output format (json if not specified) [None]: ", "xml\n")
	x.answer("CLI default output format (json if not specified) [None]: ", "\n")
	x.answer("Profile name [", "dev\n")
	golden(t, "wizard/session.txt", x.end(0)+"\n~/.aws/config:\n"+p.config(t))

	// the second time present values stand in brackets, and nobody signs in again
	x = open(t, vars, "configure", "sso", "--profile", "dev", "--sso-role-name", "ReadOnly")
	x.answer("SSO session name [dev]: ", "\n")
	x.answer("(14 of 14)", "\r")
	x.answer("Default client Region [us-east-1]: ", "eu-west-1\n")
	x.answer("CLI default output format (json if not specified) [None]: ", "table\n")
	golden(t, "wizard/again.txt", x.end(0)+"\n~/.aws/config:\n"+p.config(t))
}

// TestWizardIsTheAWSCLIs sends the AWS CLI itself and homing through the same questions: each must ask them in these
// words and this order, and both must leave the same settings.
func TestWizardIsTheAWSCLIs(t *testing.T) {
	aws := testtools.AWSCLI(t)
	for _, tt := range []struct {
		name, region string // region is what stands in brackets: homing never leaves it out
		open         func(*testing.T, *person, map[string]string) *terminal
	}{
		{"aws", "None", func(t *testing.T, p *person, vars map[string]string) *terminal {
			vars["BROWSER"], vars["PROMPT_TOOLKIT_NO_CPR"] = "true", "1"
			if err := os.WriteFile(filepath.Join(p.dir, "not-homing"), nil, 0o600); err != nil { // nothing to search for secrets
				t.Error(err)
			}
			return openProgram(t, vars, aws, "configure", "sso", "--use-device-code")
		}},
		{"homing", "us-east-1", func(t *testing.T, _ *person, vars map[string]string) *terminal {
			return open(t, vars, "configure", "sso", "--use-device-code")
		}},
	} {
		for _, session := range []string{"", "dev"} {
			t.Run(tt.name+"/"+session, func(t *testing.T) {
				p, vars := atTerminal(t)
				p.emu.Change(func(s *emulator.Server) { s.Directory = oneRole() })
				x := tt.open(t, p, vars)
				x.answer("SSO session name (Recommended):", session+"\r")
				if session == "" {
					x.expect("WARNING: Configuring using legacy format (e.g. without an SSO session).")
					x.expect("Consider re-running \"configure sso\" command and providing a session name.")
				}
				x.answer("SSO start URL [None]:", emulator.DefaultStartURL+"\r")
				x.answer("SSO region [None]:", "us-east-1\r")
				if session != "" {
					x.answer("SSO registration scopes [sso:account:access]:", "\r")
				}
				x.expect("Attempting to open your default browser.")
				x.expect(
					"If the browser does not open or you wish to use a different device to authorize this request, open the following URL:",
				)
				x.expect("Then enter the code:")
				if tt.name == "aws" { // whose browser does nothing
					if err := p.emu.Approve(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				x.expect("The only AWS account available to you is: 111122223333")
				x.expect("Using the account ID 111122223333")
				x.expect("The only role available to you is: AdministratorAccess")
				x.expect("Using the role name \"AdministratorAccess\"")
				x.answer("Default client Region ["+tt.region+"]:", "eu-west-1\r")
				x.answer("CLI default output format (json if not specified) [None]:", "yaml\r")
				x.answer("Profile name [AdministratorAccess-111122223333]:", "work\r")
				x.expect("To use this profile, specify the profile name using --profile, as shown:")
				x.expect("aws sts get-caller-identity --profile work")
				x.end(0)
				golden(t, "wizard/same-config"+session+".txt", strings.ReplaceAll(p.config(t), "\n\n", "\n"))
			})
		}
	}
}

func TestWizardSessionOnly(t *testing.T) {
	p, vars := atTerminal(t)
	x := open(t, vars, "configure", "sso-session")
	x.answer("SSO session name: ", "\n") // required
	x.answer("SSO session name: ", "dev\n")
	x.answer("SSO start URL [None]: ", "https://ssoins-1234567890abcdef.portal.eu-west-1.app.aws\n")
	x.answer("SSO region [eu-west-1]: ", "\n") // carried by the host
	x.answer("SSO registration scopes [sso:account:access]: ", "sso:account:access, codewhisperer:completions\n")
	golden(t, "wizard/sso-session.txt", x.end(0)+"\n~/.aws/config:\n"+p.config(t))
}

// Answers typed before they are asked for, some of them while the sign-in is under way, are not lost.
func TestWizardTypeAhead(t *testing.T) {
	p, vars := atTerminal(t)
	p.emu.Change(func(s *emulator.Server) { s.Directory = oneRole() })
	x := open(t, vars, "configure", "sso", "--use-device-code")
	x.send("dev\n" + emulator.DefaultStartURL + "\nus-east-1\n\n" + "eu-west-1\n\nahead\n")
	x.end(0)
	if got := p.config(t); !strings.Contains(got, "[profile ahead]\n") ||
		!strings.Contains(got, "\nregion = eu-west-1\n") {
		t.Errorf("config:\n%s", got)
	}
}

// On a small terminal the address and the code stay on the screen: a QR code that has no room is left out.
func TestSmallTerminal(t *testing.T) {
	_, vars := atTerminal(t)
	for _, tt := range []struct {
		rows uint16
		qr   bool
	}{{24, false}, {50, true}} {
		x := openSized(t, &pty.Winsize{Rows: tt.rows, Cols: 80}, vars, "configure", "sso", "--sso-session", "dev",
			"--sso-start-url", emulator.DefaultStartURL, "--sso-region", "us-east-1", "--sso-registration-scopes",
			"sso:account:access", "--use-device-code", "--no-browser")
		x.answer("Waiting for you to allow the request;", "\x03")
		screen := x.end(130)
		if code, qr := strings.Index(screen, "Then enter the code:"), strings.Index(screen, "(QR code)"); (qr >= 0) != tt.qr ||
			qr > code ||
			code < 0 {
			t.Errorf("%d rows: QR code at %d, code at %d:\n%s", tt.rows, qr, code, screen)
		}
		lines := strings.Split(strings.TrimSpace(screen), "\n")
		for _, line := range lines {
			if len(line) > 80 && strings.Contains(line, " ") {
				t.Errorf("longer than the terminal is wide: %s", line)
			}
		}
		if !tt.qr && len(lines) > int(tt.rows) {
			t.Errorf("%d lines on %d rows", len(lines), tt.rows)
		}
	}
}

// Keys pressed while the sign-in waits, an impatient Enter perhaps, do not choose from a list that nobody has seen.
func TestListIsNotChosenUnseen(t *testing.T) {
	for _, terminalType := range []string{"xterm", "dumb"} {
		t.Run(terminalType, func(t *testing.T) {
			p, vars := atTerminal(t)
			p.emu.Change(func(s *emulator.Server) { s.Directory = emulator.GenerateDirectory(3, 1) })
			vars["TERM"] = terminalType
			x := open(t, vars, "configure", "sso", "--sso-session", "dev", "--sso-start-url",
				emulator.DefaultStartURL, "--sso-region", "us-east-1", "--sso-registration-scopes",
				"sso:account:access", "--use-device-code", "--no-browser")
			x.answer("Ctrl-C gives up", "1\n1\n\n1")
			if err := p.emu.Approve(t.Context()); err != nil {
				t.Fatal(err)
			}
			if terminalType == "dumb" {
				x.answer("Number, 1 to 3: ", "2\n")
			} else {
				x.answer("(3 of 3): \r\n", "\x1b[B\r")
			}
			x.expect("Using the role name")
			x.answer("Default client Region", "\n")
			x.answer("CLI default output format", "\n")
			x.answer("Profile name [", "dev\n")
			screen := x.end(0)
			if !strings.Contains(p.config(t),
				"\nsso_account_id = "+emulator.GenerateDirectory(3, 1).Accounts[0].ID+"\n") {
				t.Errorf("not the account that was chosen:\n%s\n%s", screen, p.config(t))
			}
		})
	}
}

// Ctrl-C at any question: exit code 130, and no config file. The end of input is exit code 2 and names the flag.
func TestWizardGivesUp(t *testing.T) {
	for _, tt := range []struct {
		name string
		code int
		last string
		do   func(*terminal)
	}{
		{"Ctrl-C at the first question", 130, "", func(x *terminal) { x.answer("SSO session name (Recommended): ", "\x03") }},
		{"Ctrl-C in the list", 130, "", func(x *terminal) {
			x.answer("SSO session name (Recommended): ", "dev\n"+emulator.DefaultStartURL+"\nus-east-1\n\n")
			x.answer("(3 of 3)", "\x03")
		}},
		{"Ctrl-C at the last question", 130, "", func(x *terminal) {
			x.answer("SSO session name (Recommended): ", "dev\n"+emulator.DefaultStartURL+"\nus-east-1\n\n")
			x.answer("(3 of 3)", "sandbox\r")
			x.expect("roles available to you.")
			x.answer("(2 of 2)", "\r")
			x.answer("Default client Region", "\n\n")
			x.answer("Profile name [", "dev\x03")
		}},
		{"end of input", 2, "the input ended, and --sso-start-url is not given", func(x *terminal) {
			x.answer("SSO session name (Recommended): ", "dev\n")
			x.answer("SSO start URL [None]: ", "\x04")
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, vars := atTerminal(t)
			x := open(t, vars, "configure", "sso")
			tt.do(x)
			if screen := x.end(tt.code); !strings.Contains(screen, tt.last) {
				t.Errorf("%q is not on the screen:\n%s", tt.last, screen)
			}
			if text, err := os.ReadFile(filepath.Join(p.home, ".aws", "config")); err == nil {
				t.Errorf("a config file was written:\n%s", text)
			}
		})
	}
}

// Two sessions and nothing that says which: the person picks. On a terminal that cannot draw, the list is numbered.
func TestLoginPicksASession(t *testing.T) {
	const config = "[sso-session one]\nsso_start_url = https://one.awsapps.com/start\nsso_region = us-east-1\n" +
		"[sso-session two]\nsso_start_url = " + emulator.DefaultStartURL + "\nsso_region = us-east-1\n"
	for _, tt := range []struct {
		term, shown, keys string
	}{
		{"xterm", "(2 of 2): ", "tw\r"},
		{"dumb", "  2  two\r\nNumber, 1 to 2: ", "3\r2\r"},
	} {
		t.Run(tt.term, func(t *testing.T) {
			p, vars := atTerminal(t)
			if err := os.MkdirAll(filepath.Join(p.home, ".aws"), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(p.home, ".aws", "config"), []byte(config), 0o600); err != nil {
				t.Fatal(err)
			}
			vars["TERM"] = tt.term
			x := open(t, vars, "login", "--use-device-code")
			x.answer(tt.shown, tt.keys)
			x.expect("Successfully signed in to session \"two\"")
			x.end(0)
		})
	}
}

// Colour is never the only thing that carries a meaning, and can be turned off.
func TestNoColor(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		vars map[string]string
	}{
		{"--no-color", []string{"--no-color"}, nil},
		{"NO_COLOR", nil, map[string]string{"NO_COLOR": "1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, vars := atTerminal(t)
			maps.Copy(vars, tt.vars)
			x := open(t, vars, append([]string{"configure", "sso"}, tt.args...)...)
			x.answer("SSO session name (Recommended): ", "\r")
			x.answer("WARNING: Configuring using legacy format", "\x03")
			if screen := x.end(130); strings.Contains(screen, "␛") {
				t.Errorf("there are escapes on the screen:\n%s", screen)
			}
		})
	}
}
