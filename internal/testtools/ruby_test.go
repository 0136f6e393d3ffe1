package testtools

import (
	"strings"
	"testing"
)

func TestMissingRuby(t *testing.T) {
	t.Setenv("HOMING_TOOLS", t.TempDir())
	for ci, want := range map[string]string{"": "skip: ", "true": "fail: "} {
		t.Setenv("CI", ci)
		said := ended(func(t testing.TB) { Ruby(t) })
		if !strings.HasPrefix(said, want) || !strings.Contains(said, "Ruby") || !strings.Contains(said, "make setup") {
			t.Errorf("CI=%q: got %q, want %q naming Ruby and make setup", ci, said, want)
		}
	}
}
