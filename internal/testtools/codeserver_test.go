package testtools

import (
	"strings"
	"testing"
)

func TestMissingCodeServer(t *testing.T) {
	t.Setenv("HOMING_TOOLS", t.TempDir())
	for ci, want := range map[string]string{"": "skip: ", "true": "fail: "} {
		t.Setenv("CI", ci)
		said := ended(func(t testing.TB) { CodeServer(t) })
		if !strings.HasPrefix(said, want) || !strings.Contains(said, "code-server") || !strings.Contains(said,
			"make setup") {
			t.Errorf("CI=%q: got %q, want %q naming code-server and make setup", ci, said, want)
		}
	}
}
