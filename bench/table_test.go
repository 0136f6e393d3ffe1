//go:build unix

package main

import (
	"math"
	"strings"
	"testing"
)

func TestOver(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		row  Row
		want bool
	}{
		{"no limit", Row{Value: 1e9, Ratio: 1e9}, false},
		{"value below", Row{Value: 11.9, Ratio: 20, Limit: mostValue(12)}, false},
		{"value at", Row{Value: 12, Limit: mostValue(12)}, false},
		{"value above", Row{Value: 12.1, Ratio: 1, Limit: mostValue(12)}, true},
		{"nothing allowed", Row{Value: 1, Limit: mostValue(0)}, true},
		{"ratio below", Row{Value: 20, Ratio: 2.9, Limit: mostRatio(3)}, false},
		{"ratio above", Row{Value: 1, Ratio: 3.01, Limit: mostRatio(3)}, true},
		{"ratio high enough", Row{Value: 1, Ratio: 100, Limit: leastRatio(100)}, false},
		{"ratio too low", Row{Value: 1000, Ratio: 99, Limit: leastRatio(100)}, true},
		{"value too low", Row{Value: 15, Limit: leastValue(16)}, true},
		{"no number", Row{Ratio: math.NaN(), Limit: mostRatio(3)}, true},
		{"no number, at least", Row{Ratio: math.NaN(), Limit: leastRatio(3)}, true},
		{"nothing to compare with", Row{Ratio: math.Inf(1), Limit: leastRatio(3)}, true},
	} {
		if got := tt.row.Over(); got != tt.want {
			t.Errorf("%s: over is %t", tt.name, got)
		}
	}
}

var example = []Row{
	{Key: "warm", Group: "Credentials", What: "from the cache", Value: 2.714, Unit: "ms", Ratio: 2.214, Low: 2.1,
		High: 2.4, To: "an empty Go program", Limit: mostRatio(3)},
	{Key: "requests", Group: "Credentials", What: "requests", Value: 2, Limit: mostValue(1)},
	{Key: "edit", Group: "Editor", What: "10000 profiles", Value: 38.06, Unit: "ms"},
}

func TestWriteText(t *testing.T) {
	t.Parallel()
	before := []Row{
		{Key: "warm", Value: 27, Unit: "ms", Ratio: 2},
		{Key: "edit", Value: 40, Unit: "ms"},
		{Key: "requests", Value: 2, Unit: "s"}, // another unit: another thing
	}
	var b strings.Builder
	writeText(&b, example, before)
	const want = `  what            measured  ratio                 to                   limit            before

Credentials
  from the cache  2.71 ms   2.21 x (2.10 to 2.40)  an empty Go program  at most 3 x  ok    2 x (+11 %)
  requests        2                                                     at most 1    OVER

Editor
  10000 profiles  38.1 ms                                                                  40 ms (-5 %)
`
	if got := b.String(); strings.Join(strings.Fields(got), " ") != strings.Join(strings.Fields(want), " ") {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	column := -1
	for line := range strings.Lines(b.String()) {
		if i := strings.Index(line, "at most"); i >= 0 {
			if column >= 0 && i != column {
				t.Errorf("limits begin at %d and %d:\n%s", column, i, &b)
			}
			column = i
		}
	}

	b.Reset()
	writeText(&b, example, nil)
	if strings.Contains(b.String(), "before") {
		t.Errorf("nothing was there before:\n%s", &b)
	}
}

func TestWriteMarkdown(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	writeMarkdown(&b, example)
	const want = `
### Credentials

| what | measured | ratio | to | limit |  |
|---|---|---|---|---|---|
| from the cache | 2.71 ms | 2.21 x (2.10 to 2.40) | an empty Go program | at most 3 x | ok |
| requests | 2 |  |  | at most 1 | OVER |

### Editor

| what | measured | ratio | to | limit |  |
|---|---|---|---|---|---|
| 10000 profiles | 38.1 ms |  |  |  |  |
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &b, want)
	}
}

func TestThen(t *testing.T) {
	t.Parallel()
	r := Row{Key: "k", Value: 10, Unit: "ms"}
	for want, before := range map[string]Row{
		"":              {Key: "other", Value: 1, Unit: "ms"},
		"10 ms (+0 %)":  {Key: "k", Value: 10, Unit: "ms"},
		"10.01 (+0 %)":  {Key: "k", Value: 10.01, Unit: "ms"}, // see below
		"5 ms (+100 %)": {Key: "k", Value: 5, Unit: "ms"},
		"0 ms":          {Key: "k", Unit: "ms"},
	} {
		if want == "10.01 (+0 %)" {
			want = "10.0 ms (+0 %)" // not "-0 %"
		}
		if got := r.then([]Row{before}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
