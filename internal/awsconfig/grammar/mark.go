package grammar

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

// markLine is where a mark stands and what it says.
type markLine struct {
	Start, End  int // of the line, with its line ending
	First, Last int // of the comment
	Owner       string
	Intact      bool
}

// Mark returns the mark above a section.
func (d *Document) Mark(s *Section) (markLine, bool) {
	m, hash, ok := d.MarkEndingAt(s.Start)
	if ok {
		_, _, twice := d.MarkEndingAt(m.Start)
		m.Intact = !twice && hash == hashOf(m.Owner, d.Text[s.Start:s.End])
	}
	return m, ok
}

// MarkEndingAt reads the line that ends where another one starts.
func (d *Document) MarkEndingAt(end int) (m markLine, hash string, ok bool) {
	const least = len(markStart) + len(")\n")
	if end < least || d.Text[end-1] != '\n' {
		return markLine{}, "", false
	}
	start := strings.LastIndexByte(d.Text[:end-1], '\n') + 1
	first, last := trim(d.Text, start, end)
	rest, ok := strings.CutPrefix(d.Text[first:last], markStart)
	if !ok {
		return markLine{}, "", false
	}
	owner, hash, ok := strings.Cut(rest, ")")
	if owner, err := url.PathUnescape(owner); ok && err == nil && owner != "" {
		return markLine{Start: start, End: end, First: first, Last: last, Owner: owner}, PyStrip(hash), true
	}
	return markLine{}, "", false
}

// NewMark returns the mark for a section as it will be.
func NewMark(owner, section string) string {
	var b strings.Builder
	b.WriteString(markStart)
	for i := range len(owner) {
		if c := owner[i]; c != ':' && c != '%' && Portable(rune(c)) {
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
	s := NewScanner(section, false)
	for s.Scan() {
		if !s.Blank() {
			b = append(b, section[s.Line.Start:s.Line.Last]...)
		}
		if b = append(b, '\n'); !s.Blank() && !s.Comment() {
			keys = len(b)
		}
	}
	sum := sha256.Sum256(b[:keys])
	return hex.EncodeToString(sum[:])[:markSize]
}
