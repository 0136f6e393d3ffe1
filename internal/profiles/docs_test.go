package profiles

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/naming"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/settings"
)

// What docs/profiles.md shows is so: names, settings, and the team's file.
func TestDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "profiles.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := strings.ReplaceAll(string(text), "\r\n", "\n")
	g := Grant{
		Account: session.Account{ID: "111122223333", Name: "Acme Prod (EU)", Email: "aws+prod@acme.example"},
		Role:    "AdministratorAccess",
	}
	rows := regexp.MustCompile("(?m)^\\| `(\\{\\{.*\\}\\}.*)` \\| `(.*)` \\|$").FindAllStringSubmatch(page, -1)
	if len(rows) < 5 {
		t.Fatalf("%d templates found", len(rows))
	}
	for _, row := range rows {
		template := strings.ReplaceAll(row[1], `\|`, "|")
		n, err := newNamer(Options{Template: template})
		if err != nil {
			t.Error(err)
			continue
		}
		if got := n.names(g, "")[0]; got != row[2] {
			t.Errorf("%s makes %s, not %s", template, got, row[2])
		}
	}
	if rows[0][1] != strings.ReplaceAll(naming.Default, "|", `\|`) {
		t.Errorf("the usual template is %s", naming.Default)
	}
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d files found", len(blocks))
	}
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, []byte(blocks[0][1]), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := settings.Load(settings.Options{ConfigFile: config})
	if err != nil || len(s.For("dev").Profiles.Accounts.Value) != 2 || len(s.Profiles.Defaults) != 2 {
		t.Errorf("config.toml: %+v, %v", s.Profiles, err)
	}
	if team, err := settings.Team("team.toml", strings.NewReader(blocks[1][1])); err != nil || len(team.Defaults) != 2 {
		t.Errorf("team.toml: %+v, %v", team, err)
	}
}
