package ui

import (
	"cmp"
	"fmt"
	"strings"
)

func LowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// Fit cuts s to less than width columns, so that no line of the list wraps. Everything from Hangul upwards counts as two
// columns: where that is too much, a line is cut a little early.
func Fit(s string, width int) string {
	columns := 0
	for i, r := range s {
		if r >= 0x1100 {
			columns++
		}
		if columns++; columns >= width {
			return s[:i]
		}
	}
	return s
}

// Count words a number of things.
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// noteLimit is how many notes of one kind are printed; --json has all.
const noteLimit = 20

// Notes prints the first of many lines to stderr.
func (u *UI) Notes(lines []string) {
	for i, line := range lines {
		if i == noteLimit {
			u.Say("… and %d more such notes; --json has all\n", len(lines)-i)
			return
		}
		u.Say("%s\n", line)
	}
}

func OrDash(s string) string { return cmp.Or(Clean(s), "-") }

func UpperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
