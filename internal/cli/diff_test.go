package cli

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/testtools"
)

func TestUnifiedDiff(t *testing.T) {
	t.Parallel()
	if got := unifiedDiff("f", "a\n", "a\n"); got != "" {
		t.Errorf("equal: %q", got)
	}
	for _, tt := range []struct{ before, after, want string }{
		{"", "[a]\n", "@@ -0,0 +1 @@\n+[a]\n"},
		{"[a]\nx = 1", "[a]\nx = 1\n", "@@ -1,2 +1,2 @@\n [a]\n-x = 1\n\\ No newline at end of file\n+x = 1\n"},
		{"[a]\nx = 1\ny = 2\n[b]\nz = 3\n", "[a]\ny = 2\n[b]\nz = 4\n[c]\n", "@@ -1,5 +1,5 @@\n [a]\n-x = 1\n y = 2\n [b]\n-z = 3\n+z = 4\n+[c]\n"},
		{"[a]\n1\n2\n3\n4\n5\n6\n7\n8\n9\n", "[b]\n1\n2\n3\n4\n5\n6\n7\n8\n8a\n9\n", "@@ -1,4 +1,4 @@\n-[a]\n+[b]\n 1\n 2\n 3\n@@ -7,4 +7,5 @@\n 6\n 7\n 8\n+8a\n 9\n"},
		{"[a]\r\n\x1b[2J\r\n", "[a]\r\n", "@@ -1,2 +1 @@\n [a]\n-\n"},
	} {
		if got := unifiedDiff("f", tt.before, tt.after); got != "--- f\n+++ f\n"+tt.want {
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
			b.WriteString([]string{"[a]\n", "[b]\n", "x = 1\n", "y = 2\n", "# c\n", "\n"}[r.IntN(6)])
		}
		return b.String()
	}
	for range 40 {
		before, after := text(), text()
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), patch, "-s", file)
		cmd.Stdin = strings.NewReader(unifiedDiff("f", before, after))
		out, err := cmd.CombinedOutput()
		got, _ := os.ReadFile(file)
		if err != nil && before != after || string(got) != after {
			t.Fatalf("seed %d: %v %s\n%q\n%q\n%s", seed, err, out, before, after, unifiedDiff("f", before, after))
		}
	}
}
