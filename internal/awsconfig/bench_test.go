package awsconfig

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/session"
)

// big returns a config file with n profiles on one session.
func big(n int) string {
	var b strings.Builder
	b.WriteString("[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n")
	for i := range n {
		fmt.Fprintf(&b, "\n# managed\n[profile account-%d-Admin]\nsso_session = corp\nsso_account_id = %012d\nsso_role_name = Admin\nregion = eu-west-1\noutput = json\n", i, i)
	}
	return b.String()
}

var sizes = []int{100, 10_000, 100_000}

// BenchmarkProfile is what every start of `credentials` pays: read the file, resolve one profile.
func BenchmarkProfile(b *testing.B) {
	for _, n := range append([]int{5}, sizes...) {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			paths := write(b, big(n))
			name := fmt.Sprintf("account-%d-Admin", n/2)
			b.ReportAllocs()
			for b.Loop() {
				c, err := Load(paths)
				if err != nil {
					b.Fatal(err)
				}
				if p, err := c.SSO(name); err != nil || p.RoleName != "Admin" {
					b.Fatal(p, err)
				}
			}
		})
	}
}

func BenchmarkApply(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			src := []byte(big(n))
			e := set1(Section{kindProfile, fmt.Sprintf("account-%d-Admin", n/2)}, "region", "us-east-2")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Apply(src, e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkApplyMany makes every profile of a new file in one edit.
func BenchmarkApplyMany(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			edits := many(n)
			for b.Loop() {
				if _, err := Apply(nil, edits...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func many(n int) []Edit {
	edits := make([]Edit, n)
	for i := range edits {
		edits[i] = Edit{Section: Section{kindProfile, fmt.Sprintf("account-%d", i)}, Set: []KeyValue{{"sso_session", "corp"}, {"region", "r"}}}
	}
	return edits
}

func BenchmarkProfilesOf(b *testing.B) {
	paths := write(b, big(10_000))
	for b.Loop() {
		c, err := Load(paths)
		if err != nil {
			b.Fatal(err)
		}
		if got := c.ProfilesOf(session.Session{Name: "corp"}); len(got) != 10_000 {
			b.Fatal(len(got))
		}
	}
}

// least returns the least processor time of a few runs of f.
func least(f func()) time.Duration {
	best := time.Hour
	for range 3 {
		start := cpuTime()
		f()
		best = min(best, cpuTime()-start)
	}
	return best
}

// TestCost keeps an edit of 10,000 profiles under 100 ms of our own time and the cost in proportion to the size.
func TestCost(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector is what would be measured")
	}
	cost := func(n int) time.Duration {
		path := write(t, big(n)).Config
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return least(func() {
			if _, err := Apply(src, set1(Section{kindProfile, "account-7-Admin"}, "region", "us-east-2")); err != nil {
				t.Fatal(err)
			}
		})
	}
	ten, hundred := cost(10_000), cost(100_000)
	paths := write(t, big(10_000))
	one := least(func() {
		if c, err := Load(paths); err != nil {
			t.Fatal(err)
		} else if _, err := c.SSO("account-5000-Admin"); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("processor time: edit one of 10,000 profiles %s, of 100,000 %s; read one of 10,000 %s", ten, hundred, one)
	if one > 50*time.Millisecond {
		t.Errorf("reading one of 10,000 profiles took %s", one)
	}
	if ten > 100*time.Millisecond {
		t.Errorf("an edit of 10,000 profiles took %s", ten)
	}
	if hundred > 30*ten {
		t.Errorf("ten times the profiles cost %.0f times as much", float64(hundred)/float64(ten))
	}
	if all := least(func() {
		if _, err := Apply(nil, many(10_000)...); err != nil {
			t.Fatal(err)
		}
	}); all > 10*ten {
		t.Errorf("making 10,000 profiles took %s", all)
	}
}

// TestCostOfOddFiles: no shape of a file costs more than in proportion to its lines.
func TestCostOfOddFiles(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector is what would be measured")
	}
	const n = 20_000
	lines := func(head, format string) string {
		var b strings.Builder
		b.WriteString(head)
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"keys of one section":   lines("[profile dev]\n", "key%d = v\n"),
		"lines of one value":    lines("[profile dev]\nk = v\n", "  more %d\n"),
		"keys of one block":     lines("[profile dev]\ns3 =\n", "  k%d = v\n"),
		"blank lines":           "[profile dev]\nk = v\n" + strings.Repeat("\n", n),
		"parts of DEFAULT":      lines("", "[DEFAULT]\nk%d = v\n"),
		"quoted headers":        lines("", "[profile \"p%d\"]\n"),
		"one long line":         "[profile dev]\nk = " + lines("", " x%d") + "\n",
		"one long header":       "[profile " + lines("", "]x%d") + "]\n",
		"sections without name": lines("", "[x%d]\n"),
	} {
		cost := least(func() {
			if _, err := Apply([]byte(text), region); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			_ = Parse("config", []byte(text)).Problems()
		})
		t.Logf("%-22s %s", name, cost)
		if cost > time.Second/2 {
			t.Errorf("%s: %s", name, cost)
		}
	}
}
