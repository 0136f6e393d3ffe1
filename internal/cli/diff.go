package cli

import (
	"fmt"
	"slices"
	"strings"
)

// unifiedDiff returns what turns before into after, as diff -u prints it, "" for equal texts. It compares section by
// section of a config file: an edit keeps their order, so ten thousand profiles take no longer than their length.
func unifiedDiff(name, before, after string) string {
	if before == after {
		return ""
	}
	old, fresh := sectionsOf(before), sectionsOf(after)
	var lines []diffLine
	for i := range max(len(old), len(fresh)) {
		var a, b []string
		if i < len(old) {
			a = old[i]
		}
		if i < len(fresh) {
			b = fresh[i]
		}
		lines = append(lines, diffLines(a, b)...)
	}
	return "--- " + name + "\n+++ " + name + "\n" + hunks(lines)
}

// diffLine is a line with what becomes of it: ' ' stays, '-' goes, '+' comes.
type diffLine struct {
	op   byte
	text string // with its line ending, if it has one
}

// sectionsOf cuts a config file before each line that begins with "[".
func sectionsOf(text string) [][]string {
	sections := [][]string{nil}
	for line := range strings.Lines(text) {
		if line[0] == '[' {
			sections = append(sections, nil)
		}
		last := len(sections) - 1
		sections[last] = append(sections[last], line)
	}
	return sections
}

// diffLines keeps a longest common subsequence of a and b.
func diffLines(a, b []string) []diffLine {
	if slices.Equal(a, b) {
		lines := make([]diffLine, len(a))
		for i, text := range a {
			lines[i] = diffLine{' ', text}
		}
		return lines
	}
	common := make([][]int, len(a)+1) // common[i][j] is the length for a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var lines []diffLine
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, diffLine{' ', a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, diffLine{'-', a[i]})
			i++
		default:
			lines = append(lines, diffLine{'+', b[j]})
			j++
		}
	}
	return lines
}

// diffContext is how many lines around a change are shown.
const diffContext = 3

// hunks prints the changed lines with those around them.
func hunks(lines []diffLine) string {
	var b strings.Builder
	oldLine, newLine := 1, 1 // of lines[at]
	for at := 0; at < len(lines); {
		first := at
		for first < len(lines) && lines[first].op == ' ' {
			first++
		}
		if first == len(lines) {
			break
		}
		last, quiet := first, 0 // the hunk ends where twice the context has passed without a change
		for i := first; i < len(lines) && quiet <= 2*diffContext; i++ {
			if quiet++; lines[i].op != ' ' {
				last, quiet = i, 0
			}
		}
		from, to := max(at, first-diffContext), min(len(lines), last+1+diffContext)
		oldLine, newLine = oldLine+from-at, newLine+from-at
		var body strings.Builder
		oldCount, newCount := 0, 0
		for _, l := range lines[from:to] {
			if l.op != '+' {
				oldCount++
			}
			if l.op != '-' {
				newCount++
			}
			text, ended := strings.CutSuffix(l.text, "\n")
			body.WriteByte(l.op)
			body.WriteString(clean(text) + "\n")
			if !ended {
				body.WriteString("\\ No newline at end of file\n")
			}
		}
		fmt.Fprintf(&b, "@@ -%s +%s @@\n%s", diffRange(oldLine, oldCount), diffRange(newLine, newCount), body.String())
		oldLine, newLine, at = oldLine+oldCount, newLine+newCount, to
	}
	return b.String()
}

// diffRange is the part of a file in the head of a hunk. An empty one names the line before it.
func diffRange(line, count int) string {
	switch count {
	case 0:
		return fmt.Sprintf("%d,0", line-1)
	case 1:
		return fmt.Sprint(line)
	}
	return fmt.Sprintf("%d,%d", line, count)
}
