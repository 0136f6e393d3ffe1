package profiles

import (
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/session"
)

func TestSelection(t *testing.T) {
	t.Parallel()
	s := Selection{
		Accounts: []string{"Prod*", "*@acme.example", "3"},
		Roles:    []string{"admin"},
		Exclude:  []string{"prod-x/*", "2"},
	}
	for _, tt := range []struct {
		g              Grant
		account, match bool
	}{
		{Grant{session.Account{ID: "1", Name: "PROD"}, "Admin"}, true, true},
		{Grant{session.Account{ID: "1", Name: "PROD"}, "Read"}, true, false},
		{Grant{session.Account{ID: "1", Name: "prod-x"}, "Admin"}, true, false},
		{Grant{session.Account{ID: "2", Name: "prod"}, "Admin"}, true, false},
		{Grant{session.Account{ID: "3"}, "Admin"}, true, true},
		{Grant{session.Account{ID: "33", Name: "test"}, "Admin"}, false, false},
		{Grant{session.Account{ID: "4", Name: "test", Email: "a@ACME.example"}, "Admin"}, true, true},
	} {
		if a, m := s.Account(tt.g.Account), s.Match(tt.g); a != tt.account || m != tt.match {
			t.Errorf("%v: account %v, grant %v", tt.g, a, m)
		}
	}
	if all := (Selection{}); !all.Account(session.Account{}) || !all.Match(Grant{}) {
		t.Error("the zero selection is not all")
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true}, {"*", "", true}, {"?", "", false}, {"a", "a", true}, {"a", "b", false}, {"a*", "abc", true}, {"*c", "abc", true},
		{"a*c", "abcd", false}, {"a*c", "abcdc", true}, {"*b*", "abc", true}, {"a?c", "abc", true}, {"a?c", "aüc", true}, {"?", "ü", true},
		{"*?", "ü", true}, {"a**b", "ab", true}, {"[a]", "a", false}, {"[a]", "[a]", true}, {"a/*", "a/b/c", true}, {"*a*a*b", "aaaa", false}, {"ab", "a", false}, {"a", "ab", false},
		{strings.Repeat("*a", 50), strings.Repeat("a", 50), true}, {strings.Repeat("*a", 50) + "b", strings.Repeat("a", 5000), false},
	} {
		if got := glob(tt.pattern, tt.text); got != tt.want {
			t.Errorf("glob(%q, %q) is %v", tt.pattern, tt.text, got)
		}
	}
}
