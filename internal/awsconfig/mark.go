package awsconfig

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
)

// A mark is one comment line, directly above the header it speaks of:
//
//	# homing profiles sync (corp) 3f9a0c1b2d3e4f5a
//
// It holds no ":" and no "=": "aws configure set" takes every line with one of them for a key, comments included, and
// would put a new key of the section above behind the mark, where it parts the mark from its header.
const (
	markStart = "# homing profiles sync ("
	markSize  = 16 // hexadecimal digits; it guards against accidents, not against people
)

// Mark says that a profile is managed: a program wrote it and may change or remove it for its owner.
type Mark struct {
	Owner  string // as given in Edit.Owner
	Intact bool   // the section is as it was written; false once a person has changed it
	Line   int    // of the mark, from 1
}

// Marks returns the marks of the config file by the name of the profile below them, as the rule set in use reads it.
// A comment that is not directly above a profile's header is none. A mark is not intact when anything between the
// header and the last key of its section was changed, line endings and white space at the ends of lines aside; when it
// was copied above another header; when a second mark stands above it; or when the profile is there twice.
func (c *Config) Marks() map[string]Mark {
	f := &c.files[0]
	marks, seen := make(map[string]Mark), make(map[string]bool, len(f.read.sections))
	for i := range f.read.sections {
		s := &f.read.sections[i]
		kind, name, ok := c.id(f, s.name)
		if !ok || kind != kindProfile {
			continue
		}
		found, marked := f.read.mark(s)
		m, already := marks[name]
		if marked {
			m = Mark{Owner: found.owner, Intact: found.intact, Line: s.line - 1}
		}
		if m.Intact = m.Intact && !seen[name]; marked || already {
			marks[name] = m
		}
		seen[name] = true
	}
	return marks
}

// markLine is where a mark stands and what it says.
type markLine struct {
	start, end  int // of the line, with its line ending
	first, last int // of the comment
	owner       string
	intact      bool
}

// mark returns the mark above a section.
func (d *document) mark(s *section) (markLine, bool) {
	m, hash, ok := d.markEndingAt(s.start)
	if ok {
		_, _, twice := d.markEndingAt(m.start)
		m.intact = !twice && hash == hashOf(m.owner, d.text[s.start:s.end])
	}
	return m, ok
}

// markEndingAt reads the line that ends where another one starts.
func (d *document) markEndingAt(end int) (m markLine, hash string, ok bool) {
	const least = len(markStart) + len(")\n")
	if end < least || d.text[end-1] != '\n' {
		return markLine{}, "", false
	}
	start := strings.LastIndexByte(d.text[:end-1], '\n') + 1
	first, last := trim(d.text, start, end)
	rest, ok := strings.CutPrefix(d.text[first:last], markStart)
	if !ok {
		return markLine{}, "", false
	}
	owner, hash, ok := strings.Cut(rest, ")")
	if owner, err := url.PathUnescape(owner); ok && err == nil && owner != "" {
		return markLine{start: start, end: end, first: first, last: last, owner: owner}, pyStrip(hash), true
	}
	return markLine{}, "", false
}

// markOf is the mark for a section as it will be.
func markOf(owner, section string) string {
	var b strings.Builder
	b.WriteString(markStart)
	for i := range len(owner) {
		if c := owner[i]; c != ':' && c != '%' && portable(rune(c)) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String() + ") " + hashOf(owner, section)
}

// hashOf is the hash of a section's text from its header to its last key. What is below belongs to nobody.
func hashOf(owner, section string) string {
	b := make([]byte, 0, 256)
	b = append(append(b, owner...), '\n')
	keys := len(b)
	s := newScanner(section, false)
	for s.scan() {
		if !s.blank() {
			b = append(b, section[s.line.start:s.line.last]...)
		}
		if b = append(b, '\n'); !s.blank() && !s.comment() {
			keys = len(b)
		}
	}
	sum := sha256.Sum256(b[:keys])
	return hex.EncodeToString(sum[:])[:markSize]
}
