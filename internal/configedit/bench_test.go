package configedit

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/session"
)

// big returns a config file with n profiles on one session.
func big(n int) string {
	var b strings.Builder
	b.WriteString("[sso-session corp]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = us-east-1\n")
	for i := range n {
		fmt.Fprintf(
			&b,
			"\n# managed\n[profile account-%d-Admin]\nsso_session = corp\nsso_account_id = %012d\nsso_role_name = Admin\nregion = eu-west-1\noutput = json\n",
			i,
			i,
		)
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
				c, err := awsconfig.Load(paths)
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
			e := set1(Section{grammar.KindProfile, fmt.Sprintf("account-%d-Admin", n/2)}, "region", "us-east-2")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Apply(src, e); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkApplyMany adds n managed profiles to n others in one edit, and removes them.
func BenchmarkApplyMany(b *testing.B) {
	for _, n := range []int{100, 15_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			src, edits := []byte(big(n)), managed(n)
			for b.Loop() {
				grown := mustApply(b, src, edits...)
				removals := slices.Clone(edits)
				for i := range removals {
					removals[i].Remove, removals[i].Set = true, nil
				}
				if !bytes.Equal(mustApply(b, grown, removals...), src) {
					b.Fatal("something is left")
				}
			}
		})
	}
}

func BenchmarkProfilesOf(b *testing.B) {
	paths := write(b, big(10_000))
	for b.Loop() {
		c, err := awsconfig.Load(paths)
		if err != nil {
			b.Fatal(err)
		}
		if got := c.ProfilesOf(session.Session{Name: "corp"}); len(got) != 10_000 {
			b.Fatal(len(got))
		}
	}
}

// least returns the least processor time of a few runs of f.
func least(f func()) time.Duration { return leastOf(3, f) }

func leastOf(runs int, f func()) time.Duration {
	best := time.Hour
	for range runs {
		start := cpuTime()
		f()
		best = min(best, cpuTime()-start)
	}
	return best
}

// TestCost keeps an edit of 10,000 profiles under 100 ms of our own time, reading, checking and writing included.
func TestCost(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector is what would be measured")
	}
	paths := write(t, big(10_000))
	round := 0
	edit := least(func() {
		round++
		if err := Update(t.Context(), paths.Config, set1(Section{grammar.KindProfile, "account-7-Admin"}, "region",
			fmt.Sprint("r", round))); err != nil {
			t.Fatal(err)
		}
	})
	read := least(func() {
		if c, err := awsconfig.Load(paths); err != nil {
			t.Fatal(err)
		} else if _, err := c.SSO("account-5000-Admin"); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("processor time: edit one of 10,000 profiles %s, read one of them %s", edit, read)
	if edit > 100*time.Millisecond {
		t.Errorf("an edit of 10,000 profiles took %s", edit)
	}
	if read > 50*time.Millisecond {
		t.Errorf("reading one of 10,000 profiles took %s", read)
	}
}

// TestCostIsLinear: from 100 profiles to 100,000, and for 15,000 on top of 15,000, what a profile costs stays the
// same, whether one is edited or all are added, found unchanged, or removed.
func TestCostIsLinear(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector is what would be measured")
	}
	const most = 4 // times what a profile costs in a file of a tenth; more would be a curve
	before := make(map[string]time.Duration)
	sizes := []int{100, 1000, 15_000, 100_000}
	if testing.Short() {
		sizes = sizes[:3]
	}
	for _, n := range sizes {
		src := []byte(big(n))
		removals, added := make([]Edit, n), managed(n)
		for i, e := range added {
			removals[i] = Edit{Section: e.Section, Owner: e.Owner, Remove: true}
		}
		grown := mustApply(t, src, added...)
		steps := []struct {
			name string
			do   func()
		}{
			{"edit one", func() { mustApply(t, grown, set1(added[n/2].Section, "region", "r2")) }},
			{"marks", func() {
				if marks := awsconfig.Parse("config", grown).Marks(); len(marks) != n {
					t.Fatalf("%d marks", len(marks))
				}
			}},
			{"add all", func() { mustApply(t, src, added...) }},
			{"nothing new", func() {
				if !bytes.Equal(mustApply(t, grown, added...), grown) {
					t.Fatal("a second time something changed")
				}
			}},
			{"remove all", func() {
				if !bytes.Equal(mustApply(t, grown, removals...), src) {
					t.Fatal("something is left")
				}
			}},
			{"refuse", func() { // the last edit is in the way of all others
				if _, err := Apply(grown, append(slices.Clone(added), mine("account-0-Admin", "corp", work...))...); err == nil {
					t.Fatal("not refused")
				}
			}},
		}
		for _, step := range steps {
			repeat := max(1, 5000/n)
			cost := leastOf(min(3, max(1, 30_000/n)), func() {
				for range repeat {
					step.do()
				}
			}) / time.Duration(n*repeat)
			t.Logf("%7d profiles: %-12s %s each", n, step.name, cost)
			if last, ok := before[step.name]; ok && cost > most*last {
				t.Errorf("%s: %s for each of %d profiles, %s with fewer", step.name, cost, n, last)
			}
			before[step.name] = cost
		}
	}
}

func mustApply(t testing.TB, src []byte, edits ...Edit) []byte {
	out, err := Apply(src, edits...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// managed are the edits that write n profiles.
func managed(n int) []Edit {
	edits := make([]Edit, n)
	for i := range edits {
		edits[i] = mine(
			fmt.Sprintf("new-%d", i),
			"corp",
			KeyValue{"sso_session", "corp"},
			KeyValue{
				"sso_account_id",
				fmt.Sprintf("%012d", i),
			},
			KeyValue{"sso_role_name", "Admin"},
			KeyValue{"region", "r"},
		)
	}
	return edits
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
			_ = awsconfig.Parse("config", []byte(text)).Problems()
		})
		t.Logf("%-22s %s", name, cost)
		if cost > time.Second/2 {
			t.Errorf("%s: %s", name, cost)
		}
	}
}
