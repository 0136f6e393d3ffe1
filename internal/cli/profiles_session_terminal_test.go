//go:build !windows

package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/emulator"
)

// corp are the flags of a session that is in no file.
var corp = []string{
	"profiles",
	"sync",
	"--sso-session",
	"corp",
	"--sso-start-url",
	emulator.DefaultStartURL,
	"--sso-region",
	"us-east-1",
}

// newcomer is somebody who has signed in to corp, and has no config file.
func newcomer(t *testing.T) (*person, map[string]string) {
	t.Helper()
	p, vars := atTerminal(t)
	p.emu.Change(func(s *emulator.Server) { s.Directory = twoAccounts() })
	p.write(t, strings.ReplaceAll(devSession, "dev", "corp"))
	open(t, vars, "login").end(0)
	if err := os.Remove(filepath.Join(p.home, ".aws", "config")); err != nil {
		t.Fatal(err)
	}
	return p, vars
}

// A session that the flags describe is a part of the diff, and of what is asked about: both are written, or neither.
func TestSyncAsksAboutSession(t *testing.T) {
	p, vars := newcomer(t)
	const ask = "like this? (yes or no) [no]: "
	absent := func(after string) {
		t.Helper()
		if _, err := os.Stat(filepath.Join(p.home, ".aws", "config")); !os.IsNotExist(err) {
			t.Errorf("after %s the config file is there (%v):\n%s", after, err, p.config(t))
		}
	}
	x := open(t, vars, corp...)
	x.answer(ask, "no\n")
	if out := x.end(0); !strings.Contains(out, "Nothing was changed.") {
		t.Errorf("no:\n%s", out)
	}
	absent("no")
	x = open(t, vars, corp...)
	x.answer(ask, "\x03")
	x.end(130)
	absent("Ctrl-C")
	x = open(t, vars, corp...)
	x.answer(ask, "yes\n")
	golden(t, "terminal/sync-session.txt", withoutProgress(x.end(0))+"\n~/.aws/config:\n"+p.config(t))
}

// A start URL that carries its region leaves nothing to ask.
func TestSyncRegionOfHost(t *testing.T) {
	_, vars := newcomer(t)
	x := open(
		t,
		vars,
		"profiles",
		"sync",
		"--sso-start-url",
		"https://ssoins-1234567890abcdef.portal.eu-west-1.app.aws",
	)
	if out := x.end(4); !strings.Contains(out, `not signed in to session "ssoins-1234567890abcdef"`) {
		t.Error(out)
	}
}

// Another program that writes a session of that name while the question stands is not overruled.
func TestSyncSessionMeanwhile(t *testing.T) {
	p, vars := newcomer(t)
	for _, other := range []string{
		strings.ReplaceAll(devSession, "dev", "corp"),
		strings.NewReplacer("dev", "corp", "us-east-1", "eu-west-1").Replace(devSession),
	} {
		x := open(t, vars, corp...)
		x.expect("like this? (yes or no) [no]: ")
		p.write(t, other)
		x.send("yes\n")
		if out := x.end(3); p.config(t) != other {
			t.Errorf("%s\n%s", out, p.config(t))
		}
		if err := os.Remove(filepath.Join(p.home, ".aws", "config")); err != nil {
			t.Fatal(err)
		}
	}
}

// What was fetched is dropped by an answer, and kept by Ctrl-C.
func TestSyncKeepsList(t *testing.T) {
	p, vars := signedIn(t, twoAccounts())
	for _, tt := range []struct {
		answer string
		code   int
		kept   bool
	}{{"\x03", 130, true}, {"no\n", 0, false}, {"yes\n", 0, false}} {
		x := open(t, vars, "profiles", "sync")
		x.answer("like this? (yes or no) [no]: ", tt.answer)
		out := x.end(tt.code)
		left, err := fs.Glob(os.DirFS(p.home), ".local/state/homing/*.jsonl")
		if err != nil || len(left) > 0 != tt.kept {
			t.Errorf("after %q: %v is kept (%v)\n%s", tt.answer, left, err, out)
		}
	}
}
