package ui

import (
	"cmp"
	"fmt"
	"strings"
)

// LowerFirst returns s with its first letter, which must be ASCII, in lower case.
func LowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// Fit cuts s to fewer than width columns, so that it does not wrap. It counts every character from Hangul upwards as
// two columns, so it may cut a line too early.
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

// Count returns n and the noun what, in the plural unless n is 1.
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// noteLimit is how many notes of one kind are printed; --json has all.
const noteLimit = 20

// Notes prints lines to stderr, the first noteLimit of them.
func (u *UI) Notes(lines []string) {
	for i, line := range lines {
		if i == noteLimit {
			u.Say("… and %d more such notes; --json has all\n", len(lines)-i)
			return
		}
		u.Say("%s\n", line)
	}
}

// OrDash returns s cleaned, or "-" if s is empty: a table needs something in each cell.
func OrDash(s string) string { return cmp.Or(Clean(s), "-") }

// UpperFirst returns s with its first letter, which must be ASCII, in upper case.
func UpperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
