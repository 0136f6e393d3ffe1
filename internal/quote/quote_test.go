package quote

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// awkward are arguments that some shell takes apart, expands or hides.
var awkward = []string{
	"", "dev", "my dev", " ", "  two  ", "a&b", "a;b", "a|b", "a<b>c", "(a)", "{a,b}", "[ab]", "*", "?", "~", "~root", "a~b",
	"#a", "a#b", "!", "a!b", "!!", "^a", "$HOME", "${HOME}", "$(id)", "`id`", "%PATH%", "100%", "%%", "a=b", "=ls", "a,b",
	"'", "''", "it's", "'quoted'", `"`, `say "hi"`, `"quoted"`, `'"`, `\`, `\\`, `a\`, `a b\`, `a\"b`, `C:\Program Files\x`,
	`C:\dir\`, `\\server\share`, `\n`, `\'`, "-", "-a", "--flag", "--flag=a b", "-a.b:c", "@args", "a@b", "a+b:c", "1kb", "0x10",
	"ümläut", "日本語", "‘typographic’", "“double” „low“", "a\tb", "a\nb", "\n", "a\n", "a\n\n", "\x1b[31mred", "\x01\x7f",
	"\u202eright to left", "\u00a0", "\u2028", "\U000e0041", "\xff", "a\xffb\n", "\x1b'%\\\"$x\x1b", "%s\x1b", "\\033\x1b",
}

// TestShRoundTrip sends every awkward argument, as a person would type it, through the shells there are.
func TestShRoundTrip(t *testing.T) {
	echo := filepath.Join(t.TempDir(), "echo")
	if err := os.WriteFile(echo, []byte("#!/bin/sh\nprintf '%s\\0' \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, shell := range []string{"sh", "dash", "bash", "zsh", "ksh"} {
		if _, err := exec.LookPath(shell); err != nil {
			continue
		}
		ran++
		t.Run(shell, func(t *testing.T) { roundTrip(t, echo, Sh, shell, "-c") })
	}
	if ran == 0 {
		t.Fatal("no shell found, not even sh")
	}
}

// TestPowerShellRoundTrip needs PowerShell, which most machines outside Windows lack; the rows of TestArg stand in.
func TestPowerShellRoundTrip(t *testing.T) {
	if _, err := exec.LookPath("pwsh"); err != nil {
		t.Skip("pwsh (PowerShell 7) is not installed")
	}
	echo := filepath.Join(t.TempDir(), "echo")
	if err := os.WriteFile(echo, []byte("#!/bin/sh\nprintf '%s\\0' \"$@\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	roundTrip(t, echo, PowerShell, "pwsh", "-NoProfile", "-NonInteractive", "-Command")
}

func roundTrip(t *testing.T, echo string, sh Shell, shell ...string) {
	t.Helper()
	for _, arg := range awkward {
		if sh != Sh && strings.ContainsRune(strings.ToValidUTF8(arg, "\x00"), 0) {
			continue // PowerShell's strings are UTF-16
		}
		line := sh.Line(echo, arg, "end")
		cmd := exec.CommandContext(t.Context(), shell[0], append(shell[1:], line)...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if want := arg + "\x00end\x00"; err != nil || string(out) != want {
			t.Errorf("%q written as %s came back as %q (%v) %s", arg, line, out, err, stderr.Bytes())
		}
		if rest := strings.TrimRight(arg, "\n"); rest == arg && !visible(line) {
			t.Errorf("%q is not one visible line: %q", arg, line)
		}
	}
}

func TestArg(t *testing.T) {
	for _, tt := range []struct{ arg, sh, powerShell, cmd string }{
		{"dev", "dev", "dev", "dev"},
		{"", "''", "''", `""`},
		{"my dev", "'my dev'", "'my dev'", `"my dev"`},
		{"a&b", "'a&b'", "'a&b'", `"a&b"`},
		{"it's", `'it'\''s'`, "'it''s'", `"it's"`},
		{"‘x’", "'‘x’'", "'‘‘x’’'", `"‘x’"`},
		{"~/x", "'~/x'", "'~/x'", `"~/x"`},
		{"user@host:/a.b-c_d+e", "user@host:/a.b-c_d+e", "'user@host:/a.b-c_d+e'", `"user@host:/a.b-c_d+e"`},
		{"=ls", "'=ls'", "'=ls'", `"=ls"`},
		{"-a.b", "-a.b", "'-a.b'", "-a.b"},
		{"--profile", "--profile", "--profile", "--profile"},
		{`C:\aws\config`, `'C:\aws\config'`, `C:\aws\config`, `C:\aws\config`},
		{`C:\my aws\`, `'C:\my aws\'`, `'C:\my aws\'`, `"C:\my aws\\"`},
		{`a\"b`, `'a\"b'`, `'a\"b'`, `^"a\\\^"b^"`},
		{"%PATH%", "%PATH%", "'%PATH%'", `^"^%PATH^%^"`},
		{"a!b", "'a!b'", "'a!b'", `^"a^!b^"`},
		{"$HOME", "'$HOME'", "'$HOME'", `"$HOME"`},
		{"a\x1b$b", `"$(printf 'a\033$b')"`, "\"a$([char]0x1b)`$b\"", "\"a\x1b$b\""},
		{"a\U000e0041", `"$(printf 'a\363\240\201\201')"`, `"a$([char]::ConvertFromUtf32(0xe0041))"`, "\"a\U000e0041\""},
		{"a\x00b", "ab", "ab", "ab"},
	} {
		for sh, want := range []string{tt.sh, tt.powerShell, tt.cmd} {
			if got := Shell(sh).Arg(tt.arg); got != want {
				t.Errorf("shell %d: %q is written as %s, want %s", sh, tt.arg, got, want)
			}
		}
	}
}

func TestLine(t *testing.T) {
	for sh, want := range []string{
		`'/my bin/homing' login --sso-session 'my dev'`,
		`& '/my bin/homing' login --sso-session 'my dev'`,
		`"/my bin/homing" login --sso-session "my dev"`,
	} {
		if got := Shell(sh).Line("/my bin/homing", "login", "--sso-session", "my dev"); got != want {
			t.Errorf("shell %d: got %s, want %s", sh, got, want)
		}
	}
}

func TestInUse(t *testing.T) {
	for _, tt := range []struct {
		goos string
		env  map[string]string
		want Shell
	}{
		{"linux", map[string]string{"PROMPT": "%"}, Sh}, // zsh
		{"darwin", nil, Sh},
		{"windows", nil, PowerShell},
		{"windows", map[string]string{"PROMPT": "$P$G"}, Cmd},
		{"windows", map[string]string{"PROMPT": "$P$G", "MSYSTEM": "MINGW64"}, Sh},
	} {
		t.Run(fmt.Sprint(tt.goos, tt.env), func(t *testing.T) {
			if got := InUse(tt.goos, func(name string) string { return tt.env[name] }); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func FuzzSh(f *testing.F) {
	for _, arg := range awkward {
		f.Add(arg)
	}
	f.Fuzz(func(t *testing.T, arg string) {
		arg = strings.ReplaceAll(arg, "\x00", "")
		out, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+Sh.Arg(arg)).Output()
		if err != nil || string(out) != arg {
			t.Errorf("%q written as %s came back as %q (%v)", arg, Sh.Arg(arg), out, err)
		}
	})
}
