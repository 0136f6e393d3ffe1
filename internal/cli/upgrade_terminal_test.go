//go:build !windows

package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/emulator"
)

// At a terminal the change is shown and asked about, and everything but yes leaves the file alone.
func TestUpgradeAsks(t *testing.T) {
	p, vars := atTerminal(t)
	text := "[profile old]\nsso_start_url = " + emulator.DefaultStartURL + "\nsso_region = us-east-1\n"
	file := filepath.Join(p.home, ".aws", "config")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const ask = "like this? (yes or no) [no]: "
	for _, answer := range []string{"\n", "no\n", "N\n"} {
		x := open(t, vars, "configure", "sso", "--upgrade", "old")
		x.expect("+sso_session = d-9067f00d42")
		x.answer(ask, answer)
		if out := x.end(0); !strings.Contains(out, "Nothing was changed.") || p.config(t) != text {
			t.Errorf("answer %q:\n%s\n%s", answer, out, p.config(t))
		}
	}
	x := open(t, vars, "configure", "sso", "--upgrade", "old")
	x.expect(ask)
	other := text + "[profile new]\nregion = us-east-1\n"
	if err := os.WriteFile(file, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	x.send("yes\n")
	if out := x.end(3); !strings.Contains(out, "so nothing was upgraded") || p.config(t) != other {
		t.Errorf("the file was changed by another program:\n%s\n%s", out, p.config(t))
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	x = open(t, vars, "configure", "sso", "--upgrade", "old")
	x.answer(ask, "perhaps\n")
	x.answer(ask, "yes\n")
	golden(t, "wizard/upgrade.txt", x.end(0)+"\n~/.aws/config:\n"+p.config(t))
}
