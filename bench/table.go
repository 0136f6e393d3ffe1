//go:build unix

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Row is one thing that was measured.
type Row struct {
	Key   string  `json:"key"`   // names the row for ever, so that results can be compared
	Group string  `json:"group"` // heading in the table
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"` // "ms", "s", "MB", "%"; "" for a count

	// Ratio is the value by that of To, both measured in the same run; 0 is none. Low and High are its quartiles over
	// the rounds; 0 is not known.
	Ratio float64 `json:"ratio,omitempty"`
	Low   float64 `json:"low,omitempty"`
	High  float64 `json:"high,omitempty"`
	To    string  `json:"to,omitempty"`

	Limit Limit `json:"limit,omitzero"`
}

// Limit is what a row must keep to. The zero value is no limit.
type Limit struct {
	Of    string  `json:"of"` // "value" or "ratio"
	Least bool    `json:"least,omitempty"`
	Bound float64 `json:"bound"`
}

func mostValue(bound float64) Limit  { return Limit{Of: "value", Bound: bound} }
func leastValue(bound float64) Limit { return Limit{Of: "value", Bound: bound, Least: true} }
func mostRatio(bound float64) Limit  { return Limit{Of: "ratio", Bound: bound} }
func leastRatio(bound float64) Limit { return Limit{Of: "ratio", Bound: bound, Least: true} }

// Over reports whether the row breaks its limit. A number that is none, such as a ratio to nothing, breaks any.
func (r Row) Over() bool {
	if r.Limit.Of == "" {
		return false
	}
	x := r.Value
	if r.Limit.Of == "ratio" {
		x = r.Ratio
	}
	if r.Limit.Least {
		return !(x >= r.Limit.Bound) || math.IsInf(x, 0)
	}
	return !(x <= r.Limit.Bound)
}

func (r Row) limit() string {
	if r.Limit.Of == "" {
		return ""
	}
	word, unit := "at most ", r.Unit
	if r.Limit.Least {
		word = "at least "
	}
	if r.Limit.Of == "ratio" {
		unit = "x"
	}
	return word + strings.TrimSpace(strconv.FormatFloat(r.Limit.Bound, 'f', -1, 64)+" "+unit)
}

func (r Row) verdict() string {
	switch {
	case r.Limit.Of == "":
		return ""
	case r.Over():
		return "OVER"
	default:
		return "ok"
	}
}

func (r Row) ratio() string {
	if r.Ratio == 0 {
		return ""
	}
	s := number(r.Ratio) + " x"
	if r.Low > 0 {
		s += " (" + number(r.Low) + " to " + number(r.High) + ")"
	}
	return s
}

// then compares with the row of the same key in earlier results: ratios where there are some, since they travel.
func (r Row) then(before []Row) string {
	i := slices.IndexFunc(before, func(b Row) bool { return b.Key == r.Key && b.Unit == r.Unit })
	if i < 0 {
		return ""
	}
	now, old, unit := r.Value, before[i].Value, r.Unit
	if r.Ratio != 0 && before[i].Ratio != 0 {
		now, old, unit = r.Ratio, before[i].Ratio, "x"
	}
	s := strings.TrimSpace(number(old) + " " + unit)
	if old != 0 {
		s += fmt.Sprintf(" (%+.0f %%)", math.Round(100*(now-old)/old)+0) // +0: not "-0"
	}
	return s
}

// number writes x with three digits that tell, or all of a whole number.
func number(x float64) string {
	switch size := math.Abs(x); {
	case x == math.Trunc(x) || size >= 100:
		return strconv.FormatFloat(x, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(x, 'f', 1, 64)
	default:
		return strconv.FormatFloat(x, 'f', 2, 64)
	}
}

// cells returns the table, its head first. before is what to compare with; nil leaves that column away.
func cells(rows, before []Row) [][]string {
	table := [][]string{{"what", "measured", "ratio", "to", "limit", "", "before"}}
	for _, r := range rows {
		table = append(table, []string{r.What, strings.TrimSpace(number(r.Value) + " " + r.Unit), r.ratio(), r.To,
			r.limit(), r.verdict(), r.then(before)})
	}
	if before == nil {
		for i := range table {
			table[i] = table[i][:len(table[i])-1]
		}
	}
	return table
}

// writeText writes the table for a terminal, a group at a time.
func writeText(w io.Writer, rows, before []Row) {
	table := cells(rows, before)
	width := make([]int, len(table[0]))
	for _, line := range table {
		for i, cell := range line {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	group := ""
	for i, line := range table {
		if i > 0 && rows[i-1].Group != group {
			group = rows[i-1].Group
			fmt.Fprintf(w, "\n%s\n", group)
		}
		var b strings.Builder
		for c, cell := range line {
			b.WriteString(cell)
			b.WriteString(strings.Repeat(" ", width[c]-utf8.RuneCountInString(cell)+2))
		}
		fmt.Fprintln(w, "  "+strings.TrimRight(b.String(), " "))
	}
}

// writeMarkdown writes the table for docs/benchmarks.md.
func writeMarkdown(w io.Writer, rows []Row) {
	table := cells(rows, nil)
	group := ""
	for i, line := range table[1:] {
		if rows[i].Group != group {
			group = rows[i].Group
			fmt.Fprintf(w, "\n### %s\n\n| %s |\n|%s\n", group, strings.Join(table[0], " | "), strings.Repeat("---|",
				len(table[0])))
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(line, " | "))
	}
}
