package testtools

import (
	"strings"
	"testing"
)

func TestMissingRustClient(t *testing.T) {
	t.Setenv("HOMING_TOOLS", t.TempDir())
	for ci, want := range map[string]string{"": "skip: ", "true": "fail: "} {
		t.Setenv("CI", ci)
		said := ended(func(t testing.TB) { RustClient(t) })
		if !strings.HasPrefix(said, want) || !strings.Contains(said, "Rust") || !strings.Contains(said, "make setup") {
			t.Errorf("CI=%q: got %q, want %q naming Rust and make setup", ci, said, want)
		}
	}
}
