package browser

import (
	"slices"
	"strings"
	"testing"
)

// FuzzExpand: an entry of $BROWSER never loses, doubles by accident, or splits the address.
func FuzzExpand(f *testing.F) {
	for _, seed := range []string{"firefox", "chrome --app=%s", "a %% %%s", "%s", "", "  ", "x %s %s", "%"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		argv := expand(entry, page)
		if len(strings.Fields(entry)) == 0 {
			if argv != nil {
				t.Errorf("%q became %q", entry, argv)
			}
			return
		}
		if !slices.ContainsFunc(argv, func(s string) bool { return strings.Contains(s, page) }) {
			t.Errorf("%q lost the address: %q", entry, argv)
		}
		if n := len(strings.Fields(entry)); len(argv) != n && len(argv) != n+1 && len(argv) != 2 {
			t.Errorf("%q became %d words", entry, len(argv))
		}
	})
}
