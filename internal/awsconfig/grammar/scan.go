package grammar

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line is one line of a file. Offsets are bytes into the text.
type Line struct {
	num         int // from 1
	Start, end  int // without the line ending
	Next        int // where the next line starts; end == next only on a last line without a line ending
	First, Last int // text[first:last] is the line without white space around it; equal for a blank line
}

// scanner is the tokenizer under both rule sets: it walks a text line by line. The rule sets disagree on one thing at
// this level: a carriage return on its own ends a line for the AWS CLI (Python's universal newlines) only.
type scanner struct {
	text   string
	bareCR bool
	Line   Line
}

// NewScanner returns a scanner before the first line of text. bareCR says that a lone carriage return ends a line.
func NewScanner(text string, bareCR bool) *scanner { return &scanner{text: text, bareCR: bareCR} }

// ScanFrom returns a scanner whose first line starts at an offset that begins a line.
func ScanFrom(text string, bareCR bool, offset, num int) *scanner {
	return &scanner{text: text, bareCR: bareCR, Line: Line{Next: offset, num: num - 1}}
}

// Scan moves to the next line; false at the end of the text.
func (s *scanner) Scan() bool {
	l := &s.Line
	if l.Next >= len(s.text) {
		return false
	}
	l.num++
	l.Start = l.Next
	rest := s.text[l.Start:]
	if i := strings.IndexByte(rest, '\n'); i >= 0 {
		l.end, l.Next = l.Start+i, l.Start+i+1
	} else {
		l.end, l.Next = len(s.text), len(s.text)
	}
	if s.bareCR {
		i := strings.IndexByte(s.text[l.Start:l.end], '\r')
		if crlf := l.Start+i == l.end-1 && l.Next > l.end; i >= 0 && !crlf {
			l.end, l.Next = l.Start+i, l.Start+i+1
		}
	}
	if l.end > l.Start && l.Next > l.end && s.text[l.end-1] == '\r' && s.text[l.end] == '\n' {
		l.end--
	}
	l.First, l.Last = trim(s.text, l.Start, l.end)
	return true
}

// Comment reports whether the current line is one: "#" or ";" as its first character, however far it is indented.
func (s *scanner) Comment() bool {
	return s.Line.First < s.Line.Last && (s.text[s.Line.First] == '#' || s.text[s.Line.First] == ';')
}

// Blank reports whether the line is empty but for blanks.
func (s *scanner) Blank() bool { return s.Line.First == s.Line.Last }

// FindLoneCR reports whether a carriage return stands without a line feed behind it, and where the first one does.
func FindLoneCR(text string) (offset int, ok bool) {
	for i := 0; ; i++ {
		j := strings.IndexByte(text[i:], '\r')
		if j < 0 {
			return 0, false
		}
		i += j
		if i+1 == len(text) || text[i+1] != '\n' {
			return i, true
		}
	}
}

// LineOf returns the number of the line that offset is on, counted in line feeds.
func LineOf(text string, offset int) int { return 1 + strings.Count(text[:offset], "\n") }

// PySpace reports what Python's str.isspace does: Unicode's white space and the four information separators.
func PySpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// ASCIISpace is PySpace for one byte.
func ASCIISpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' || c >= 0x1c && c <= 0x1f }

// trim narrows text[start:end] as Python's str.strip does.
func trim(text string, start, end int) (first, last int) {
	for start < end {
		c := text[start]
		if c < utf8.RuneSelf {
			if !ASCIISpace(c) {
				break
			}
			start++
			continue
		}
		r, n := utf8.DecodeRuneInString(text[start:end])
		if !PySpace(r) {
			break
		}
		start += n
	}
	for start < end {
		c := text[end-1]
		if c < utf8.RuneSelf {
			if !ASCIISpace(c) {
				break
			}
			end--
			continue
		}
		r, n := utf8.DecodeLastRuneInString(text[start:end])
		if !PySpace(r) {
			break
		}
		end -= n
	}
	return start, end
}

// PyStrip is Python's str.strip.
func PyStrip(s string) string {
	first, last := trim(s, 0, len(s))
	return s[first:last]
}

// Lower is Python's str.lower, without an allocation for the usual key. (Python also knows the final sigma.)
func Lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return strings.ToLower(strings.ReplaceAll(s, "\u0130", "i\u0307")) // Go maps İ to i alone, Python does not
		}
	}
	return s
}

// delimiter returns the offset in text[from:to] of the first "=" or ":", which ends a key in both grammars, or -1.
func delimiter(text string, from, to int) int {
	for i := from; i < to; i++ {
		if c := text[i]; c == '=' || c == ':' {
			return i
		}
	}
	return -1
}

// Portable reports whether a name may contain r: the identifier characters of the SDKs' config file grammar, which is
// also the set that "aws configure set --sso-session" accepts.
func Portable(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return true
	}
	switch r {
	case '_', '-', '/', '.', '%', '@', ':', '+':
		return true
	}
	return false
}
