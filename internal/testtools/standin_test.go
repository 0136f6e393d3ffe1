package testtools

import (
	"strings"
	"testing"
)

func TestMissingPortalStandin(t *testing.T) {
	t.Setenv("HOMING_TOOLS", t.TempDir())
	for ci, want := range map[string]string{"": "skip: ", "true": "fail: "} {
		t.Setenv("CI", ci)
		said := ended(func(t testing.TB) { PortalStandin(t) })
		if !strings.HasPrefix(said, want) || !strings.Contains(said, "winterbaume-sso") || !strings.Contains(said,
			"make setup") {
			t.Errorf("CI=%q: got %q, want %q naming winterbaume-sso and make setup", ci, said, want)
		}
	}
}
