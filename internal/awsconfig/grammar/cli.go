package grammar

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// DefaultSection names the section whose options every other section has too (configparser's default_section). It is
// not the profile "default".
const DefaultSection = "DEFAULT"

// ParseCLI reads text as the AWS CLI does: configparser.RawConfigParser of Python 3.11 to 3.14 with its defaults
// (strict; "=" and ":"; "#" and ";" for whole lines; no inline comments; blank lines inside values), followed by
// botocore.configloader's nested blocks. It stops at the first thing that makes Python give up.
func ParseCLI(text string) *Document {
	_, bareCR := FindLoneCR(text)
	d := &Document{Text: text, LoneCR: bareCR}
	d.Sections = make([]Section, 0, strings.Count(text, "\n[")+1)
	p := &cliParser{doc: d}
	if d.Broken = p.encoding(); d.Broken != nil {
		return d
	}
	s := NewScanner(text, bareCR)
	for s.Scan() {
		if cause := p.add(s); cause != "" {
			d.Broken = &SyntaxError{s.Line.num, cause}
			return d
		}
		if d.Broken != nil {
			return d
		}
	}
	p.endSection(len(text))
	for _, bad := range p.suspects {
		if d.Broken == nil && d.inheritedBySome(bad.key) {
			d.Broken = bad.why
		}
	}
	return d
}

// cliParser is the state of configparser between two lines. It keeps the options of one section.
type cliParser struct {
	doc       *Document
	inSection bool
	options   []Option
	open      bool     // the last option can go on in the next line
	indent    int      // of the last header or key, in characters
	more      []string // continuation lines of that option, blank ones included
	blanks    int      // blank lines, which count only if another continuation line follows
	names     *nameIndex
	keys      map[string]int // keys of a long section to their lines
	inDefault bool           // the section is [DEFAULT]
	defaults  map[string]int // keys of every [DEFAULT] to their lines
	suspects  []suspect      // bad blocks in [DEFAULT]
}

// suspect is a bad nested block that is read through the sections that inherit it, and so only matters if one does.
type suspect struct {
	key string
	why *SyntaxError
}

func (p *cliParser) encoding() *SyntaxError {
	text := p.doc.Text
	if strings.HasPrefix(text, "\ufeff") {
		return &SyntaxError{1, "a byte order mark stands before the first character"}
	}
	if utf8.ValidString(text) {
		return nil
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			return &SyntaxError{LineOf(text, i), "there are bytes that are not UTF-8 text"}
		}
		i += n
	}
	return nil
}

// add takes one line; a cause means that Python would give up on the file.
func (p *cliParser) add(s *scanner) (cause string) {
	switch {
	case s.Comment():
		return ""
	case s.Blank():
		if p.open {
			p.blanks++
		}
		return ""
	}
	l, text := &s.Line, p.doc.Text
	indent := l.First - l.Start
	if indent > 0 {
		indent = utf8.RuneCountInString(text[l.Start:l.First])
	}
	if p.open && indent > p.indent {
		for ; p.blanks > 0; p.blanks-- {
			p.more = append(p.more, "")
		}
		p.more = append(p.more, text[l.First:l.Last])
		p.options[len(p.options)-1].End = l.Next
		return ""
	}
	p.indent = indent
	p.endOption()
	if text[l.First] == '[' {
		if i := strings.LastIndexByte(text[l.First:l.Last], ']'); i >= 2 {
			return p.header(l, l.First+1, l.First+i)
		}
	}
	if !p.inSection {
		return "there is text before the first [section] header"
	}
	return p.option(l)
}

func (p *cliParser) header(l *Line, open, closing int) string {
	p.endSection(l.Start)
	d := p.doc
	name := d.Text[open:closing]
	if name != DefaultSection {
		if before := p.seen(name); before > 0 {
			return fmt.Sprintf("section [%s] is already on line %d", printable(name), before)
		}
	}
	p.inSection, p.inDefault = true, name == DefaultSection
	d.Sections = append(d.Sections, Section{
		Name: name, Line: l.num, Start: l.Start, BodyStart: l.Next, End: len(d.Text), Open: open, Close: closing,
	})
	return ""
}

// seen returns the line of an earlier section of that name, or 0: then the caller appends one. Few sections need no
// index.
func (p *cliParser) seen(name string) int {
	const few = 16
	d := p.doc
	if len(d.Sections) < few {
		for i := range d.Sections {
			if d.Sections[i].Name == name {
				return d.Sections[i].Line
			}
		}
		return 0
	}
	if p.names == nil {
		p.names = newNameIndex(cap(d.Sections))
		for i := range d.Sections {
			if name := d.Sections[i].Name; name != DefaultSection {
				p.names.put(d.Sections, name, i)
			}
		}
	}
	if before := p.names.put(d.Sections, name, len(d.Sections)); before != nil {
		return before.Line
	}
	return 0
}

func (p *cliParser) option(l *Line) string {
	d := p.doc
	sep := delimiter(d.Text, l.First, l.Last)
	switch {
	case sep < 0:
		return "it is neither a [section] header, nor key = value, nor a comment"
	case sep == l.First:
		return "there is no key before the " + fmt.Sprintf("%q", d.Text[sep:sep+1])
	}
	_, end := trim(d.Text, l.First, sep)
	key := Lower(d.Text[l.First:end])
	if before := p.seenKey(key, l.num); before > 0 {
		return fmt.Sprintf("key %q is already on line %d", key, before)
	}
	first, last := trim(d.Text, sep+1, l.Last)
	p.open = true
	p.options = append(p.options, Option{
		Key: key, Value: d.Text[first:last], Line: l.num, Start: l.Start, Sep: sep + 1, ValStart: first, ValEnd: last,
		End: l.Next,
	})
	return ""
}

// seenKey returns the line of the same key in this section, or 0. [DEFAULT] may come in parts that count as one.
func (p *cliParser) seenKey(key string, num int) int {
	const few = 24
	if p.inDefault {
		if before, ok := p.defaults[key]; ok {
			return before
		}
		if p.defaults == nil {
			p.defaults = make(map[string]int)
		}
		p.defaults[key] = num
		return 0
	}
	if len(p.options) < few {
		if o := Lookup(p.options, key); o != nil {
			return o.Line
		}
		return 0
	}
	if p.keys == nil {
		p.keys = make(map[string]int, 2*few)
		for i := range p.options {
			p.keys[p.options[i].Key] = p.options[i].Line
		}
	}
	if before, ok := p.keys[key]; ok {
		return before
	}
	p.keys[key] = num
	return 0
}

// endOption joins the continuation lines of the last option to its value.
func (p *cliParser) endOption() {
	if len(p.more) > 0 {
		o := &p.options[len(p.options)-1]
		o.Multi = true
		o.Value += "\n" + strings.Join(p.more, "\n")
	}
	p.open, p.more, p.blanks = false, p.more[:0], 0
}

// endSection checks the section that ends at an offset and makes room for the next.
func (p *cliParser) endSection(end int) {
	if !p.inSection {
		return
	}
	p.endOption()
	d := p.doc
	d.endSection(end)
	name := d.Sections[len(d.Sections)-1].Name
	for _, bad := range p.nestedBlocks() {
		why := d.badNested(bad)
		if name != DefaultSection {
			d.Broken = why
			break
		}
		p.suspects = append(p.suspects, suspect{bad.Key, why})
	}
	p.options, p.keys = p.options[:0], nil
}

// nestedBlocks parses the values that start with a line break, as botocore does once Python has read the file, and
// returns the options whose block is bad.
func (p *cliParser) nestedBlocks() (bad []*Option) {
	for i := range p.options {
		o := &p.options[i]
		if !o.Multi || o.Value[0] != '\n' {
			continue
		}
		subs, ok := nestedCLI(o.Value)
		if !ok {
			bad = append(bad, o)
		}
		o.Subs, o.Value, o.Nested = subs, "", true
	}
	return bad
}

func (d *Document) inheritedBySome(key string) bool {
	for i := range d.Sections {
		if s := &d.Sections[i]; s.Name != DefaultSection && Lookup(d.Options(s), key) == nil {
			return true
		}
	}
	return false
}

func (d *Document) badNested(o *Option) *SyntaxError {
	s := ScanFrom(d.Text, d.LoneCR, o.Start, o.Line)
	s.Scan()
	for s.Scan() && s.Line.Start < o.End {
		if s.Blank() || s.Comment() {
			continue
		}
		if _, ok := nestedCLI(d.Text[s.Line.First:s.Line.Last]); !ok {
			break
		}
	}
	return &SyntaxError{s.Line.num, fmt.Sprintf("it belongs to the block of %q and is not key = value", o.Key)}
}

// nestedCLI is botocore.configloader._parse_nested: one level, split at the first "=", the last one wins.
func nestedCLI(value string) (subs []KeyValue, ok bool) {
	for l := range strings.FieldsFuncSeq(value, pyLineBreak) {
		l = PyStrip(l)
		if l == "" {
			continue
		}
		k, v, found := strings.Cut(l, "=")
		if !found {
			return nil, false
		}
		subs = append(subs, KeyValue{PyStrip(k), PyStrip(v)})
	}
	return subs, true
}

// pyLineBreak reports where Python's str.splitlines splits.
func pyLineBreak(r rune) bool {
	return r >= '\n' && r <= '\r' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 || r == 0x2029
}

// CliID says what a header of the config file names for the AWS CLI: botocore.configloader.build_profile_map. The
// prefix is compared as text and the name is the second of exactly two shell words, so [profilex "a b"] is a profile.
func CliID(header string) (kind, name string, ok bool) {
	switch {
	case header == "default":
		return KindProfile, "default", true
	case strings.HasPrefix(header, KindProfile):
		kind = KindProfile
	case strings.HasPrefix(header, KindSession):
		kind = KindSession
	case strings.HasPrefix(header, KindServices):
		kind = KindServices
	default:
		return "", "", false
	}
	if rest, cut := strings.CutPrefix(header[len(kind):], " "); cut && rest != "" &&
		!strings.ContainsAny(rest, " \t\r\n\"'\\") {
		return kind, rest, true
	}
	words, ok := ShellWords(header)
	if !ok || len(words) != 2 {
		return "", "", false
	}
	return kind, words[1], true
}

// printable keeps control characters of a file off the terminal.
func printable(s string) string {
	q := fmt.Sprintf("%q", s)
	return strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
}
