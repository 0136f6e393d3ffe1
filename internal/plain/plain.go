// Package plain makes text from strangers safe to show: what a service, a proxy, a browser or a file said may hold
// escape sequences that move the cursor, rewrite what stands above, or swap the reading direction.
//
// Everything homing did not write itself goes through Line before it reaches a terminal, a log, a config file or a
// page.
package plain

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s as one line of visible text: escape sequences are dropped whole, line breaks, tabs and other blanks
// become single spaces, control characters and invisible format characters (bidirectional overrides, zero-width
// characters, tags) are dropped, invalid UTF-8 becomes U+FFFD. Text longer than limit runes ends in "…"; a limit of
// zero or less is no limit. Line(Line(s, n), n) == Line(s, n), so text may pass through it twice.
func Line(s string, limit int) string {
	var b strings.Builder
	blank, runes := false, 0
	for len(s) > 0 {
		if n := escape(s); n > 0 {
			s = s[n:]
			continue
		}
		r, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		switch {
		case unicode.IsSpace(r):
			blank = b.Len() > 0
			continue
		case !unicode.IsGraphic(r) || invisible(r):
			continue
		}
		if blank {
			b.WriteByte(' ')
			blank = false
			runes++
		}
		b.WriteRune(r)
		runes++
		if limit > 0 && runes > limit {
			return cut(b.String(), limit)
		}
	}
	return b.String()
}

// IsLine reports whether s is visible text on one line already, so that it may be shown exactly as received.
func IsLine(s string) bool { return Line(s, 0) == s }

// cut shortens s to limit runes, the last of which is "…".
func cut(s string, limit int) string {
	r := []rune(s)[:limit-1]
	return strings.TrimRight(string(r), " ") + "…"
}

// invisible reports characters that unicode.IsGraphic lets through and that show nothing of their own.
func invisible(r rune) bool {
	switch r {
	case '\u115f', '\u1160', '\u3164', '\uffa0', // Hangul fillers
		'\u034f',           // combining grapheme joiner
		'\u17b4', '\u17b5', // Khmer inherent vowels
		'\u2800': // Braille blank
		return true
	}
	return unicode.Is(unicode.Variation_Selector, r)
}

// escape returns the length of the terminal escape sequence that s begins with, 0 when it begins with none. An
// unfinished sequence reaches to the end of s (ECMA-48 5.4, 5.6; both the ESC and the single-character C1 forms).
func escape(s string) int {
	var kind byte
	var n int
	switch {
	case s[0] == 0x1b:
		if len(s) == 1 {
			return 1
		}
		kind, n = s[1], 2
	case strings.HasPrefix(s, "\u009b"):
		kind, n = '[', 2
	case strings.HasPrefix(s, "\u0090"), strings.HasPrefix(s, "\u0098"),
		strings.HasPrefix(s, "\u009d"), strings.HasPrefix(s, "\u009e"), strings.HasPrefix(s, "\u009f"):
		kind, n = ']', 2
	default:
		return 0
	}
	switch kind {
	case '[': // control sequence: parameters and intermediates, then one final byte
		for n < len(s) && s[n] >= 0x20 && s[n] <= 0x3f {
			n++
		}
		if n < len(s) && s[n] >= 0x40 && s[n] <= 0x7e {
			n++
		}
		return n
	case ']', 'P', 'X', '^', '_': // a string, ended by BEL or ST
		for i := n; i < len(s); i++ {
			switch {
			case s[i] == 0x07:
				return i + 1
			case strings.HasPrefix(s[i:], "\x1b\\"), strings.HasPrefix(s[i:], "\u009c"):
				return i + 2
			}
		}
		return len(s)
	}
	for n = 1; n < len(s) && s[n] >= 0x20 && s[n] <= 0x2f; { // ESC, intermediates, one final byte
		n++
	}
	if n < len(s) && s[n] >= 0x30 && s[n] <= 0x7e {
		n++
	}
	return n
}
