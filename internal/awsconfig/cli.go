package awsconfig

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// inherited names the section whose options every other section has too (configparser's default_section). It is not
// the profile "default".
const inherited = "DEFAULT"

// parseCLI reads text as the AWS CLI does: configparser.RawConfigParser of Python 3.11 to 3.14 with its defaults
// (strict; "=" and ":"; "#" and ";" for whole lines; no inline comments; blank lines inside values), followed by
// botocore.configloader's nested blocks. It stops at the first thing that makes Python give up.
func parseCLI(text string) *document {
	_, bareCR := hasBareCR(text)
	d := &document{text: text, bareCR: bareCR}
	d.sections = make([]section, 0, strings.Count(text, "\n[")+1)
	p := &cliParser{doc: d}
	if d.broken = p.encoding(); d.broken != nil {
		return d
	}
	s := newScanner(text, bareCR)
	for s.scan() {
		if cause := p.add(s); cause != "" {
			d.broken = &syntaxError{s.line.num, cause}
			return d
		}
		if d.broken != nil {
			return d
		}
	}
	p.endSection(len(text))
	for _, bad := range p.suspects {
		if d.broken == nil && d.inheritedBySome(bad.key) {
			d.broken = bad.why
		}
	}
	return d
}

// cliParser is the state of configparser between two lines. It keeps the options of one section.
type cliParser struct {
	doc       *document
	inSection bool
	options   []option
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
	why *syntaxError
}

func (p *cliParser) encoding() *syntaxError {
	text := p.doc.text
	if strings.HasPrefix(text, "\ufeff") {
		return &syntaxError{1, "a byte order mark stands before the first character"}
	}
	if utf8.ValidString(text) {
		return nil
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			return &syntaxError{lineOf(text, i), "there are bytes that are not UTF-8 text"}
		}
		i += n
	}
	return nil
}

// add takes one line; a cause means that Python would give up on the file.
func (p *cliParser) add(s *scanner) (cause string) {
	switch {
	case s.comment():
		return ""
	case s.blank():
		if p.open {
			p.blanks++
		}
		return ""
	}
	l, text := &s.line, p.doc.text
	indent := l.first - l.start
	if indent > 0 {
		indent = utf8.RuneCountInString(text[l.start:l.first])
	}
	if p.open && indent > p.indent {
		for ; p.blanks > 0; p.blanks-- {
			p.more = append(p.more, "")
		}
		p.more = append(p.more, text[l.first:l.last])
		p.options[len(p.options)-1].end = l.next
		return ""
	}
	p.indent = indent
	p.endOption()
	if text[l.first] == '[' {
		if i := strings.LastIndexByte(text[l.first:l.last], ']'); i >= 2 {
			return p.header(l, l.first+1, l.first+i)
		}
	}
	if !p.inSection {
		return "there is text before the first [section] header"
	}
	return p.option(l)
}

func (p *cliParser) header(l *line, open, closing int) string {
	p.endSection(l.start)
	d := p.doc
	name := d.text[open:closing]
	if name != inherited {
		if before := p.seen(name); before > 0 {
			return fmt.Sprintf("section [%s] is already on line %d", printable(name), before)
		}
	}
	p.inSection, p.inDefault = true, name == inherited
	d.sections = append(d.sections, section{
		name: name, line: l.num, start: l.start, bodyStart: l.next, end: len(d.text), open: open, close: closing,
	})
	return ""
}

// seen returns the line of an earlier section of that name, or 0: then the caller appends one. Few sections need no index.
func (p *cliParser) seen(name string) int {
	const few = 16
	d := p.doc
	if len(d.sections) < few {
		for i := range d.sections {
			if d.sections[i].name == name {
				return d.sections[i].line
			}
		}
		return 0
	}
	if p.names == nil {
		p.names = newNameIndex(cap(d.sections))
		for i := range d.sections {
			if name := d.sections[i].name; name != inherited {
				p.names.put(d.sections, name, i)
			}
		}
	}
	if before := p.names.put(d.sections, name, len(d.sections)); before != nil {
		return before.line
	}
	return 0
}

func (p *cliParser) option(l *line) string {
	d := p.doc
	sep := delimiter(d.text, l.first, l.last)
	switch {
	case sep < 0:
		return "it is neither a [section] header, nor key = value, nor a comment"
	case sep == l.first:
		return "there is no key before the " + fmt.Sprintf("%q", d.text[sep:sep+1])
	}
	_, end := trim(d.text, l.first, sep)
	key := lower(d.text[l.first:end])
	if before := p.seenKey(key, l.num); before > 0 {
		return fmt.Sprintf("key %q is already on line %d", key, before)
	}
	first, last := trim(d.text, sep+1, l.last)
	p.open = true
	p.options = append(p.options, option{
		key: key, value: d.text[first:last], line: l.num, start: l.start, sep: sep + 1, valStart: first, valEnd: last, end: l.next,
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
		if o := lookup(p.options, key); o != nil {
			return o.line
		}
		return 0
	}
	if p.keys == nil {
		p.keys = make(map[string]int, 2*few)
		for i := range p.options {
			p.keys[p.options[i].key] = p.options[i].line
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
		o.multi = true
		o.value += "\n" + strings.Join(p.more, "\n")
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
	name := d.sections[len(d.sections)-1].name
	for _, bad := range p.nestedBlocks() {
		why := d.badNested(bad)
		if name != inherited {
			d.broken = why
			break
		}
		p.suspects = append(p.suspects, suspect{bad.key, why})
	}
	p.options, p.keys = p.options[:0], nil
}

// nestedBlocks parses the values that start with a line break, as botocore does once Python has read the file, and
// returns the options whose block is bad.
func (p *cliParser) nestedBlocks() (bad []*option) {
	for i := range p.options {
		o := &p.options[i]
		if !o.multi || o.value[0] != '\n' {
			continue
		}
		subs, ok := nestedCLI(o.value)
		if !ok {
			bad = append(bad, o)
		}
		o.subs, o.value, o.nested = subs, "", true
	}
	return bad
}

func (d *document) inheritedBySome(key string) bool {
	for i := range d.sections {
		if s := &d.sections[i]; s.name != inherited && lookup(d.optionsOf(s), key) == nil {
			return true
		}
	}
	return false
}

func (d *document) badNested(o *option) *syntaxError {
	s := scanFrom(d.text, d.bareCR, o.start, o.line)
	s.scan()
	for s.scan() && s.line.start < o.end {
		if s.blank() || s.comment() {
			continue
		}
		if _, ok := nestedCLI(d.text[s.line.first:s.line.last]); !ok {
			break
		}
	}
	return &syntaxError{s.line.num, fmt.Sprintf("it belongs to the block of %q and is not key = value", o.key)}
}

// nestedCLI is botocore.configloader._parse_nested: one level, split at the first "=", the last one wins.
func nestedCLI(value string) (subs []KeyValue, ok bool) {
	for l := range strings.FieldsFuncSeq(value, pyLineBreak) {
		l = pyStrip(l)
		if l == "" {
			continue
		}
		k, v, found := strings.Cut(l, "=")
		if !found {
			return nil, false
		}
		subs = append(subs, KeyValue{pyStrip(k), pyStrip(v)})
	}
	return subs, true
}

// pyLineBreak reports where Python's str.splitlines splits.
func pyLineBreak(r rune) bool {
	return r >= '\n' && r <= '\r' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 || r == 0x2029
}

// cliID says what a header of the config file names for the AWS CLI: botocore.configloader.build_profile_map. The
// prefix is compared as text and the name is the second of exactly two shell words, so [profilex "a b"] is a profile.
func cliID(header string) (kind, name string, ok bool) {
	switch {
	case header == "default":
		return kindProfile, "default", true
	case strings.HasPrefix(header, kindProfile):
		kind = kindProfile
	case strings.HasPrefix(header, kindSession):
		kind = kindSession
	case strings.HasPrefix(header, kindServices):
		kind = kindServices
	default:
		return "", "", false
	}
	if rest, cut := strings.CutPrefix(header[len(kind):], " "); cut && rest != "" && !strings.ContainsAny(rest, " \t\r\n\"'\\") {
		return kind, rest, true
	}
	words, ok := shellWords(header)
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
