package app

import (
	"testing"
)

func TestArgument(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"dev": "dev", "Acme Dev": "'Acme Dev'", "a'b": `'a'\''b'`, "$(id)": "'$(id)'", "": "''", "team/dev.1": "team/dev.1",
	} {
		if got := Argument(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
