package ui

import (
	"fmt"
	"strings"
)

// UnifiedDiff returns what turns before into after, as diff -u prints it, "" for equal texts. It compares section by
// section of a config file, which it pairs by their headers: a section that goes or comes shows as just that, and
// fifteen thousand profiles take no longer than their length.
func UnifiedDiff(name, before, after string) string {
	if before == after {
		return ""
	}
	return "--- " + name + "\n+++ " + name + "\n" + hunks(diffSections(sectionsOf(before), sectionsOf(after)))
}

// diffLine is a line with what becomes of it: ' ' stays, '-' goes, '+' comes.
type diffLine struct {
	op   byte
	text string // with its line ending, if it has one
}

// diffSection is a header with the comments directly above it and what follows.
type diffSection struct {
	name  string // the header as its pair may spell it, too
	lines []string
}

// sectionsOf cuts a config file before each line that begins with "[", or before the comments directly above it.
func sectionsOf(text string) []diffSection {
	sections := []diffSection{{}}
	for line := range strings.Lines(text) {
		at := &sections[len(sections)-1]
		if line[0] != '[' {
			at.lines = append(at.lines, line)
			continue
		}
		body := len(at.lines)
		for body > 0 && (at.lines[body-1][0] == '#' || at.lines[body-1][0] == ';') {
			body--
		}
		lines := append(at.lines[body:len(at.lines):len(at.lines)], line)
		at.lines = at.lines[:body]
		sections = append(sections, diffSection{strings.Join(strings.FieldsFunc(line, notInName), " "), lines})
	}
	return sections
}

// notInName tells what a header may be written with or without: blanks, brackets, quotes.
func notInName(r rune) bool { return strings.ContainsRune("[]\"' \t\r\n", r) }

// diffSections pairs the sections that have one name, in their order. Between two pairs, sections of different names
// are compared with each other where there are as many on both sides: one was renamed.
func diffSections(old, fresh []diffSection) (lines []diffLine) {
	left, right := countNames(old), countNames(fresh) // of what is still ahead
	i, j := 0, 0
	for i < len(old) || j < len(fresh) {
		fromOld, fromFresh := i, j
		for i < len(old) && right[old[i].name] == 0 { // goes
			left[old[i].name]--
			i++
		}
		for j < len(fresh) && left[fresh[j].name] == 0 { // comes
			right[fresh[j].name]--
			j++
		}
		lines = append(lines, diffGap(old[fromOld:i], fresh[fromFresh:j])...)
		if i == len(old) || j == len(fresh) {
			continue
		}
		left[old[i].name]--
		if old[i].name == fresh[j].name {
			right[fresh[j].name]--
			lines = append(lines, diffLines(old[i].lines, fresh[j].lines)...)
			i, j = i+1, j+1
			continue
		}
		lines = append(
			lines,
			diffLines(old[i].lines, nil)...) // moved: it goes here, and comes where the other text has it
		i++
	}
	return lines
}

func countNames(sections []diffSection) map[string]int {
	n := make(map[string]int, len(sections))
	for _, s := range sections {
		n[s.name]++
	}
	return n
}

func diffGap(old, fresh []diffSection) (lines []diffLine) {
	if len(old) == len(fresh) {
		for i := range old {
			lines = append(lines, diffLines(old[i].lines, fresh[i].lines)...)
		}
		return lines
	}
	for _, s := range old {
		lines = append(lines, diffLines(s.lines, nil)...)
	}
	for _, s := range fresh {
		lines = append(lines, diffLines(nil, s.lines)...)
	}
	return lines
}

// diffCells bounds the table of diffLines. Sections of more lines that differ are shown as gone and come.
const diffCells = 4_000_000

// diffLines keeps a longest common subsequence of a and b.
func diffLines(a, b []string) []diffLine {
	lines := make([]diffLine, 0, max(len(a), len(b)))
	keep := func(texts []string, op byte) {
		for _, text := range texts {
			lines = append(lines, diffLine{op, text})
		}
	}
	head := 0
	for head < min(len(a), len(b)) && a[head] == b[head] {
		head++
	}
	keep(a[:head], ' ')
	a, b = a[head:], b[head:]
	tail := 0
	for tail < min(len(a), len(b)) && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	same := a[len(a)-tail:]
	a, b = a[:len(a)-tail], b[:len(b)-tail]
	if len(a)*len(b) > diffCells || len(a)*len(b) == 0 {
		keep(a, '-')
		keep(b, '+')
	} else {
		lines = append(lines, commonLines(a, b)...)
	}
	keep(same, ' ')
	return lines
}

func commonLines(a, b []string) (lines []diffLine) {
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
			body.WriteString(Clean(text) + "\n")
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
