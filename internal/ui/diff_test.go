package ui

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/testtools"
)

func TestUnifiedDiff(t *testing.T) {
	t.Parallel()
	if got := UnifiedDiff("f", "a\n", "a\n"); got != "" {
		t.Errorf("equal: %q", got)
	}
	for _, tt := range []struct{ before, after, want string }{
		{"", "[a]\n", "@@ -0,0 +1 @@\n+[a]\n"},
		{"[a]\nx = 1", "[a]\nx = 1\n", "@@ -1,2 +1,2 @@\n [a]\n-x = 1\n\\ No newline at end of file\n+x = 1\n"},
		{"[a]\nx = 1\ny = 2\n[b]\nz = 3\n", "[a]\ny = 2\n[b]\nz = 4\n[c]\n", "@@ -1,5 +1,5 @@\n [a]\n-x = 1\n y = 2\n [b]\n-z = 3\n+z = 4\n+[c]\n"},
		{"[a]\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", "[b]\n1\n2\n3\n4\n5\n6\n7\n8\n8a\n9\n", "@@ -1,4 +1,4 @@\n-[a]\n+[b]\n 1\n 2\n 3\n@@ -7,4 +7,5 @@\n 6\n 7\n 8\n+8a\n 9\n"},
		{ // a section that goes shows as only that, with the comment above it
			"[a]\nx = 1\n\n# one\n# two\n[b]\nx = 1\n\n[c]\nx = 1\n\n[d]\nx = 1\n", "[a]\nx = 1\n\n[c]\nx = 1\n\n[d]\nx = 1\n",
			"@@ -1,11 +1,6 @@\n [a]\n x = 1\n \n-# one\n-# two\n-[b]\n-x = 1\n-\n [c]\n x = 1\n \n",
		},
		{"[a]\n1\n[b]\n2\n[c]\n3\n", "[c]\n3\n[a]\n1\n[b]\n2\n", "@@ -1,6 +1,6 @@\n-[a]\n-1\n-[b]\n-2\n [c]\n 3\n+[a]\n+1\n+[b]\n+2\n"},
		{"[ profile \"a\" ]\nx = 1\n", "[profile a]\nx = 1\ny = 2\n", "@@ -1,2 +1,3 @@\n-[ profile \"a\" ]\n+[profile a]\n x = 1\n+y = 2\n"},
		{"[a]\r\n\x1b[2J\r\n", "[a]\r\n", "@@ -1,2 +1 @@\n [a]\n-\n"},
	} {
		if got := UnifiedDiff("f", tt.before, tt.after); got != "--- f\n+++ f\n"+tt.want {
			t.Errorf("%q to %q:\n%swant\n%s", tt.before, tt.after, got, tt.want)
		}
	}
}

// What is printed is what patch understands: applied to the one text it gives the other.
func TestPatchUnderstandsOurDiff(t *testing.T) {
	t.Parallel()
	patch := testtools.Program(t, "patch", "patch")
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 1))
	text := func() string {
		var b strings.Builder
		for range 1 + r.IntN(30) {
			b.WriteString(
				[]string{"[a]\n", "[b]\n", "[ \"b\" ]\n", "[c]\n", "x = 1\n", "y = 2\n", "# c\n", "\n"}[r.IntN(8)],
			)
		}
		return b.String()
	}
	for range 120 {
		before, after := text(), text()
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), patch, "-s", file)
		cmd.Stdin = strings.NewReader(UnifiedDiff("f", before, after))
		out, err := cmd.CombinedOutput()
		got, _ := os.ReadFile(file)
		if err != nil && before != after || string(got) != after {
			t.Fatalf("seed %d: %v %s\n%q\n%q\n%s", seed, err, out, before, after, UnifiedDiff("f", before, after))
		}
	}
}

// Fifteen thousand sections that come, or go from between others, take a few times the time of fifteen hundred
// tenfold, not a hundredfold; a section that is ten thousand lines long and changed all over is no trouble either.
func TestDiffIsLinear(t *testing.T) {
	texts := func(n int) (some, all string) {
		var a, b strings.Builder
		for i := range n {
			section := fmt.Sprintf(
				"# mark %d\n[profile p%d]\nsso_session = s\nsso_account_id = %012d\nsso_role_name = Admin\n\n",
				i, i, i)
			b.WriteString(section)
			if i%3 == 0 {
				a.WriteString(section)
			}
		}
		return a.String(), b.String()
	}
	cost := func(before, after string) time.Duration {
		best := time.Hour
		for range 5 {
			began := time.Now()
			if got := strings.Count(UnifiedDiff("f", before, after), "\n"); got < 3000 {
				t.Fatalf("a diff of %d lines", got)
			}
			best = min(best, time.Since(began))
		}
		return best
	}
	fewSome, fewAll := texts(1500)
	manySome, manyAll := texts(15000)
	for _, tt := range []struct{ few, many [2]string }{
		{[2]string{fewSome, fewAll}, [2]string{manySome, manyAll}},
		{[2]string{fewAll, fewSome}, [2]string{manyAll, manySome}},
		{[2]string{"", fewAll}, [2]string{"", manyAll}},
	} {
		few, many := cost(tt.few[0], tt.few[1]), cost(tt.many[0], tt.many[1])
		if many > 40*few {
			t.Errorf("%v for 1500 sections, %v for 15000", few, many)
		}
	}
	long := strings.Repeat("a\n", 10000)
	if got := strings.Count(UnifiedDiff("f", long, strings.ReplaceAll(long, "a", "b")), "\n"); got != 20003 {
		t.Errorf("%d lines", got)
	}
}
