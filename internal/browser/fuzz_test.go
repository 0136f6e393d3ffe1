package browser

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
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

// FuzzLiteral: read as PowerShell reads it, a quoted address is one literal, and the same but for double quotes.
func FuzzLiteral(f *testing.F) {
	for _, seed := range []string{page, "https://x/?a='b'", "https://x/'';calc;'", "https://x/\u2019;\u2018\u201a\u201b", "\"", "'", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, address string) {
		if !utf8.ValidString(address) {
			return // check lets none pass
		}
		quoted := []rune(literal(address))
		var read strings.Builder
		i := 1
		for ; i < len(quoted); i++ {
			if strings.ContainsRune("'\u2018\u2019\u201a\u201b", quoted[i]) {
				if i+1 == len(quoted) || !strings.ContainsRune("'\u2018\u2019\u201a\u201b", quoted[i+1]) {
					break // the end of the literal
				}
				i++
			}
			read.WriteRune(quoted[i])
		}
		if want := strings.ReplaceAll(address, `"`, "%22"); i != len(quoted)-1 || read.String() != want {
			t.Errorf("%q is quoted %q: %q, and then %q", address, string(quoted), read.String(),
				string(quoted[min(i+1, len(quoted)):]))
		}
	})
}
