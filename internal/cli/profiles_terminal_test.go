//go:build !windows

package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/creack/pty"
	"github.com/homing-cli/homing/emulator"
)

const devSession = "[sso-session dev]\nsso_start_url = " + emulator.DefaultStartURL + "\nsso_region = us-east-1\n"

// signedIn is atTerminal with a session that somebody has signed in to.
func signedIn(t *testing.T, dir *emulator.Directory) (*person, map[string]string) {
	t.Helper()
	p, vars := atTerminal(t)
	p.emu.Change(func(s *emulator.Server) { s.Directory = dir })
	p.write(t, devSession)
	open(t, vars, "login").end(0)
	return p, vars
}

// write puts text into the config file.
func (p *person) write(t *testing.T, text string) {
	t.Helper()
	file := filepath.Join(p.home, ".aws", "config")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var progressLines = regexp.MustCompile(`(␍Listing [^␍\n]*)+␍ *␍`)

// withoutProgress takes the line of progress out of a transcript: what it says depends on the machine.
func withoutProgress(screen string) string { return progressLines.ReplaceAllString(screen, "") }

func twoAccounts() *emulator.Directory {
	return &emulator.Directory{Users: []emulator.User{{Name: "ada"}}, Accounts: []emulator.Account{
		{
			ID:    "111111111111",
			Name:  "production",
			Email: "aws@example.com",
			Roles: []emulator.Role{{Name: "Admin"}, {Name: "ReadOnly"}},
		},
		{ID: "222222222222", Name: "staging", Roles: []emulator.Role{{Name: "Admin"}}},
	}}
}

// At a terminal the change is shown and asked about; everything but yes leaves the file alone.
func TestSyncAsks(t *testing.T) {
	p, vars := signedIn(t, twoAccounts())
	const ask = "like this? (yes or no) [no]: "
	for _, answer := range []string{"\n", "no\n", "N\n"} {
		x := open(t, vars, "profiles", "sync")
		x.expect("+[profile production-Admin]")
		x.answer(ask, answer)
		if out := x.end(0); !strings.Contains(out, "Nothing was changed.") || p.config(t) != devSession {
			t.Errorf("answer %q:\n%s\n%s", answer, out, p.config(t))
		}
	}
	x := open(t, vars, "profiles", "sync")
	x.answer(ask, "\x03")
	if x.end(130); p.config(t) != devSession {
		t.Errorf("after Ctrl-C:\n%s", p.config(t))
	}
	x = open(t, vars, "profiles", "sync")
	x.answer(ask, "\x04")
	if out := x.end(2); !strings.Contains(out, "add the flag: --yes") || p.config(t) != devSession {
		t.Errorf("after the end of input:\n%s\n%s", out, p.config(t))
	}
	x = open(t, vars, "profiles", "sync")
	x.answer(ask, "more\n") // there is no more
	x.answer(ask, "yes\n")
	golden(t, "terminal/sync.txt", withoutProgress(x.end(0))+"\n~/.aws/config:\n"+p.config(t))
	left, err := filepath.Glob(filepath.Join(p.home, ".local", "state", "homing", "*.jsonl"))
	if err != nil || len(left) > 0 {
		t.Errorf("what was fetched is kept: %v %v", left, err)
	}
}

// What another program does to the file while the question stands is not lost. Where what is to be done is another
// thing then, nothing is done.
func TestSyncAskedMeanwhile(t *testing.T) {
	p, vars := signedIn(t, twoAccounts())
	const ask = "like this? (yes or no) [no]: "
	x := open(t, vars, "profiles", "sync")
	x.expect(ask)
	taken := devSession + "\n[profile production-Admin]\nregion = eu-west-1\n"
	p.write(t, taken)
	x.send("yes\n")
	if out := x.end(3); !strings.Contains(out, "another program changed") || p.config(t) != taken {
		t.Errorf("the name is taken:\n%s\n%s", out, p.config(t))
	}
	x = open(t, vars, "profiles", "sync")
	x.expect(ask)
	other := taken + "\n[profile other]\nregion = eu-west-1\n"
	p.write(t, other)
	x.send("yes\n")
	x.end(0)
	if got := p.config(t); !strings.HasPrefix(got, other) || !strings.Contains(got, "[profile staging-Admin]") {
		t.Errorf("another profile came:\n%s", got)
	}
}

// Another program writes right after the change has been made: the change stays made, and sync says so.
func TestSyncBesideWriter(t *testing.T) {
	p, vars := signedIn(t, twoAccounts())
	path := filepath.Join(p.home, ".aws", "config")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	x := open(t, vars, "profiles", "sync")
	x.answer("like this? (yes or no) [no]: ", "yes\n")
	for now := before; os.SameFile(before, now); {
		if now, err = os.Stat(path); err != nil {
			t.Fatal(err)
		}
	}
	theirs, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := theirs.WriteString("\n[profile theirs]\nregion = eu-west-1\n"); err != nil {
		t.Fatal(err)
	}
	if err := theirs.Close(); err != nil {
		t.Fatal(err)
	}
	out := x.end(0)
	got := p.config(t)
	if !strings.Contains(got, "[profile theirs]") || !strings.Contains(got, "[profile staging-Admin]") ||
		strings.Contains(out, "nothing was changed") {
		t.Errorf("printed:\n%s\nconfig:\n%s", out, got)
	}
}

// A diff that is longer than the screen comes a screenful at a time, the numbers and the question always below it.
func TestSyncAsksInPages(t *testing.T) {
	p, vars := signedIn(t, emulator.GenerateDirectory(6, 2))
	const more = "(yes, no, or more) [no]: "
	start := func() *terminal { return openSized(t, &pty.Winsize{Rows: 24, Cols: 250}, vars, "profiles", "sync") }
	x := start()
	x.answer(more, "m\n")
	x.answer(more, "perhaps\n")
	for range 3 {
		x.answer(more, "more\n")
	}
	x.answer("(yes or no) [no]: ", "no\n")
	screen := withoutProgress(x.end(0))
	golden(t, "terminal/sync-pages.txt", screen)
	if p.config(t) != devSession {
		t.Errorf("config:\n%s", p.config(t))
	}
	x = start()
	x.answer(more, "y\n") // one need not read to the end
	if screen := x.end(0); !strings.Contains(screen, "12 profiles added") {
		t.Error(screen)
	}
}

// The list narrows as one types, and Enter leaves what is left of it.
func TestProfilesListNarrows(t *testing.T) {
	p, vars := signedIn(t, twoAccounts())
	p.write(t,
		devSession+"[profile mine]\nsso_session = dev\nsso_account_id = 111111111111\nsso_role_name = ReadOnly\n")
	x := open(t, vars, "profiles", "list")
	x.answer("(3 of 3): \r\n", "admin")
	x.answer("(2 of 3): admin\r\n", " stag\x1b[B\x1b[A")
	x.answer("(1 of 3): admin stag\r\n", "\r")
	golden(t, "terminal/list.txt", withoutProgress(x.end(0)))

	x = open(t, vars, "profiles", "list")
	x.answer("(3 of 3): \r\n", "mine\r")
	if screen := x.end(0); !strings.HasSuffix(screen, "ACCOUNT     ID            ROLE      PROFILE  EMAIL\n"+
		"production  111111111111  ReadOnly  mine     aws@example.com\n") {
		t.Error(screen)
	}
	x = open(t, vars, "profiles", "list")
	x.answer("(3 of 3): \r\n", "\x03")
	if screen := x.end(130); strings.Contains(screen, "ACCOUNT") {
		t.Errorf("Ctrl-C prints:\n%s", screen)
	}
	x = open(t, vars, "profiles", "list")
	x.answer("(3 of 3): \r\n", "stag\x04") // nobody types any more: what is left is printed
	if screen := x.end(0); !strings.HasSuffix(screen, "\nstaging  222222222222  Admin  -        -\n") {
		t.Error(screen)
	}
	// A narrow terminal shows the role and the profile; the address is searched all the same.
	x = openSized(t, &pty.Winsize{Rows: 24, Cols: 50}, vars, "profiles", "list")
	x.answer("  staging     222222222222  Admin     -     -\r\n", "aws@ex\r")
	if screen := x.end(0); !strings.HasSuffix(screen, "ACCOUNT     ID            ROLE      PROFILE\n"+
		"production  111111111111  Admin     -\nproduction  111111111111  ReadOnly  mine\n") {
		t.Error(screen)
	}
	vars["TERM"] = "dumb"
	if screen := open(t, vars, "profiles", "list").end(0); strings.Count(screen, "\n") < 4 ||
		strings.Contains(screen, "Type to filter") {
		t.Errorf("on a terminal that cannot draw:\n%s", screen)
	}
	vars["TERM"] = "xterm"
	if screen := open(t, vars, "profiles", "list", "--json").end(0); strings.Contains(screen, "Type to filter") {
		t.Errorf("--json:\n%s", screen)
	}
}

// While the service is slow a line tells how far it is, how fast, and how long still; in the end it is gone.
func TestProfilesProgress(t *testing.T) {
	p, vars := signedIn(t, emulator.GenerateDirectory(80, 1))
	p.emu.Change(func(s *emulator.Server) { s.PortalRate = 40 })
	x := open(t, vars, "profiles", "sync", "--yes")
	x.expect("Listing roles: ")
	screen := x.end(0)
	for _, want := range []string{`␍Listing roles: \d+ of 80 accounts`, `\d+ of 80 accounts, \d+ calls/s, \d+ s left`, `; (the service asks for a pause|at the pace the service allows)`} {
		if !regexp.MustCompile(want).MatchString(screen) {
			t.Errorf("%q is not in:\n%s", want, screen)
		}
	}
	if got := withoutProgress(screen); got != "80 profiles added in \"$WORK/home/.aws/config\".\n"+
		"Next: aws sts get-caller-identity --profile "+strings.TrimSpace(got[strings.LastIndex(got, " "):])+"\n" {
		t.Errorf("left on the screen:\n%s", got)
	}
}
