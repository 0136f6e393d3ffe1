package awsconfig

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
)

// Section names what an Edit changes: Type is "profile", "sso-session" or "services". The profile "default" is written
// as [default], every other one as [profile NAME].
type Section struct{ Type, Name string }

func (s Section) header() string {
	if s == (Section{kindProfile, "default"}) {
		return "default"
	}
	return s.Type + " " + s.Name
}

// String names the section in messages: profile "dev".
func (s Section) String() string { return fmt.Sprintf("%s %q", s.Type, s.Name) }

// Edit is one change to one section. A section that is not there is made when Set is not empty. Keys match in any
// letter case; unsetting a key that is not there is no change.
type Edit struct {
	Section Section
	Set     []KeyValue
	Unset   []string

	// Remove takes the section away: its header, its keys, its mark, and the blank line above (the one below, for the
	// first section of a file). Comments and other blank lines stay. Removing what is not there is no change.
	Remove bool

	// Owner, such as a session's name or start URL, makes this the edit of a managed profile: the mark above its header
	// is written, or written again for what the section now is. Such an edit is refused for a section that is there
	// without a mark, since a person wrote it; with Remove, also for one whose mark is another's or not intact. The zero
	// value leaves a mark as it is, so that it is no longer intact once a key has changed.
	Owner string
}

// Apply returns src with the edits made and every other byte as it was.
//
// A key that is there keeps its line, spelling and spacing, and gets a new value; an inline comment behind the old
// value moves to a line of its own, because the AWS CLI would read it as a part of the value. A new key goes behind
// the last one of its section, a new section to the end of the file. Line endings follow the file. A header that only
// one of the readers understands ([profile "p"], [ profile p ]) is rewritten as [profile p] when its section changes, and
// a well-known key that the AWS CLI takes for a part of the value above loses its indentation when that is in the way.
//
// The result is read by both rule sets before it is returned: each must find the new values, and everything else as
// before. Where that cannot be had, or the AWS CLI cannot load src, the error is a *fault.Error of kind Config that
// names the line; a name, key or value that no file can hold is one of kind Usage.
func Apply(src []byte, edits ...Edit) ([]byte, error) { return Preview("config", src, edits...) }

// Preview is Apply for the file at path, which it names in errors and does not touch.
func Preview(path string, src []byte, edits ...Edit) ([]byte, error) {
	out, err := apply(path, string(src), edits)
	if err != nil {
		return nil, err
	}
	return []byte(out), nil
}

func apply(path, text string, edits []Edit) (string, error) {
	e, err := newEditor(path, text, edits)
	if err != nil {
		return "", err
	}
	out, err := e.edit()
	if err == nil {
		return out, nil
	}
	if straight, ok := e.straighten(); ok {
		if again, refused := newEditor(path, straight, edits); refused == nil {
			if out, refused := again.edit(); refused == nil {
				return out, nil
			}
		}
	}
	return "", err
}

// newEditor reads a text and finds the sections that the edits are about.
func newEditor(path, text string, edits []Edit) (*editor, error) {
	changes, err := joinEdits(edits)
	if err != nil {
		return nil, err
	}
	e := &editor{path: path, text: text, changes: changes, cli: parseCLI(text)}
	if e.cli.broken != nil {
		return nil, brokenFile(path, e.cli.broken)
	}
	if offset, ok := hasBareCR(text); ok {
		n := lineOf(text, offset)
		return nil, fault.Suggest(fault.Config, fault.Edit{File: path, Line: n},
			"%q: line %d: a carriage return stands alone, which ends a line for the AWS CLI and not for the SDKs", path, n)
	}
	e.sdk = parseSDK(text)
	return e, e.locate()
}

// edit makes the changes and checks them.
func (e *editor) edit() (string, error) {
	// In the order of the file, so that what is inserted at one place keeps that order too; new sections as asked for.
	slices.SortStableFunc(e.changes, func(a, b *change) int { return cmp.Compare(uint(a.cli), uint(b.cli)) })
	for _, c := range e.changes {
		if err := e.plan(c); err != nil {
			return "", err
		}
	}
	out := e.splice()
	return out, e.verify(out)
}

// editor is one Apply.
type editor struct {
	path, text string
	changes    []*change
	cli, sdk   *document
	splices    []splice
	appended   []*change         // sections to be made
	gone       int               // the text up to here goes away as a whole
	lines      map[Section][]int // where each section is; made when something is wrong
}

// splice replaces text[start:end].
type splice struct {
	start, end int
	with       string
}

// locate finds the section of each change in both documents: the last one that the AWS CLI reads under that name,
// else the last one that the SDKs do.
func (e *editor) locate() error {
	wanted := make(map[sectionKey]*change, len(e.changes))
	for _, c := range e.changes {
		wanted[sectionKey{c.section.Type, c.section.Name}] = c
	}
	for i := range e.cli.sections {
		if kind, name, ok := cliID(e.cli.sections[i].name); ok {
			if c := wanted[sectionKey{kind, name}]; c != nil {
				c.cli = i
			}
		}
	}
	for i := range e.sdk.sections {
		if kind, name, ok := sdkID(e.sdk.sections[i].name); ok {
			if c := wanted[sectionKey{kind, name}]; c != nil {
				c.merged = c.sdk >= 0
				c.sdk = i
			}
		}
	}
	for _, c := range e.changes {
		if err := e.pair(c); err != nil {
			return err
		}
	}
	return nil
}

// pair makes c.cli and c.sdk the same header.
func (e *editor) pair(c *change) error {
	var found bool
	switch {
	case c.cli >= 0:
		s, named := &e.cli.sections[c.cli], c.sdk >= 0
		if c.sdk, found = sectionAt(e.sdk, s.start); !found {
			return e.unclear(s.line, "the AWS CLI takes this for a header and the SDKs do not")
		}
		if named && !c.names(sdkID(e.sdk.sections[c.sdk].name)) {
			return e.twice(c) // the SDKs would merge the two once both headers are written alike
		}
	case c.sdk >= 0:
		s := &e.sdk.sections[c.sdk]
		if c.cli, found = sectionAt(e.cli, s.start); !found {
			return e.unclear(s.line, "the SDKs take this for a header and the AWS CLI does not, since it is indented deeper than the line above")
		}
		if c.merged {
			return e.twice(c) // what is one of two spellings for the SDKs would become the other
		}
	}
	return nil
}

func sectionAt(d *document, start int) (int, bool) {
	return slices.BinarySearchFunc(d.sections, start, func(s section, start int) int { return cmp.Compare(s.start, start) })
}

// unclear refuses an edit because of what a line is for the two readers.
func (e *editor) unclear(line int, why string) error {
	return fault.Suggest(fault.Config, fault.Edit{File: e.path, Line: line},
		"%q: line %d: %s, so the file is left as it is", e.path, line, why)
}

// plan collects the splices of one change.
func (e *editor) plan(c *change) error {
	if c.cli < 0 {
		if slices.ContainsFunc(c.settings, func(s setting) bool { return !s.unset }) {
			e.appended = append(e.appended, c)
		}
		return nil
	}
	if err := e.mayManage(c); err != nil {
		return err
	}
	if c.remove {
		e.removeSection(c)
		return nil
	}
	from := len(e.splices)
	if err := e.planKeys(c); err != nil {
		return err
	}
	e.refreshMark(c, e.splices[from:])
	return nil
}

// planKeys collects the splices of a change to the keys of a section that is there.
func (e *editor) planKeys(c *change) error {
	s := &e.cli.sections[c.cli]
	options := e.cli.optionsOf(s)
	var inserted []setting
	wanted := false
	for _, setting := range c.settings {
		wanted = wanted || !setting.unset
		switch o := lookup(options, setting.key); {
		case o == nil && !setting.unset:
			inserted = append(inserted, setting)
		case o == nil:
		case setting.unset:
			e.remove(o, o.start)
		case o.multi || o.value != setting.value:
			e.replace(o, setting.value)
		}
	}
	if wanted {
		e.normalise(c)
	}
	if len(inserted) == 0 {
		return nil
	}
	return e.insert(c, options, inserted)
}

// normalise rewrites a header that only one rule set reads as the name that is meant. For the AWS CLI a header reaches
// to the last "]" of its line, so a comment with brackets in it has to move to its own line.
func (e *editor) normalise(c *change) {
	s, other := &e.cli.sections[c.cli], &e.sdk.sections[c.sdk]
	if c.names(cliID(s.name)) && c.names(sdkID(other.name)) {
		return
	}
	if s.close > other.close {
		l := scanFrom(e.text, false, s.start, s.line)
		l.scan()
		comment := pyStrip(e.text[other.close+1:l.line.last]) + e.lineEnding(s.start)
		above := s.start
		if m, ok := e.cli.mark(s); ok {
			above = m.start // a mark stays with its header
		}
		e.splices = append(e.splices,
			splice{above, above, e.text[s.start:l.line.first] + comment},
			splice{s.open, l.line.last, c.section.header() + "]"})
		return
	}
	e.splices = append(e.splices, splice{s.open, s.close, c.section.header()})
}

// replace gives an option a new value and moves a comment behind the old one to its own line above.
func (e *editor) replace(o *option, value string) {
	raw := e.text[o.valStart:o.valEnd]
	comment := ""
	if raw != "" && (raw[0] == '#' || raw[0] == ';') {
		comment = raw
	} else {
		comment = pyStrip(raw[len(cutComment(raw)):])
	}
	if comment != "" {
		indent := e.text[o.start:e.firstOf(o.start)]
		e.splices = append(e.splices, splice{o.start, o.start, indent + comment + e.lineEnding(o.start)})
	}
	if raw == "" && o.sep == o.valStart && o.sep >= 2 && asciiSpace(e.text[o.sep-2]) {
		value = " " + value // "key =" was written by somebody who puts spaces around it
	}
	e.splices = append(e.splices, splice{o.valStart, o.valEnd, value})
	if o.multi {
		e.remove(o, e.nextLine(o.start))
	}
}

// remove takes away the lines of an option from an offset on. Comments and blank lines between them stay.
func (e *editor) remove(o *option, from int) {
	s := scanFrom(e.text, false, from, 1)
	for s.scan() && s.line.start < o.end {
		if !s.blank() && !s.comment() {
			e.splices = append(e.splices, splice{s.line.start, s.line.next, ""})
		}
	}
}

// firstOf returns the offset of the first character behind the indentation of the line that starts at start.
func (e *editor) firstOf(start int) int {
	s := scanFrom(e.text, false, start, 1)
	s.scan()
	return s.line.first
}

func (e *editor) nextLine(start int) int {
	if i := strings.IndexByte(e.text[start:], '\n'); i >= 0 {
		return start + i + 1
	}
	return len(e.text)
}

// lineEnding returns the one of the line at start, or of the last line before it that has one; "\n" for none.
func (e *editor) lineEnding(start int) string {
	i := strings.IndexByte(e.text[start:], '\n')
	if i >= 0 {
		i += start
	} else if i = strings.LastIndexByte(e.text, '\n'); i < 0 {
		return "\n"
	}
	if i > 0 && e.text[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}

// insert puts new keys behind the last option of the section, or behind the header of an empty one.
func (e *editor) insert(c *change, options []option, inserted []setting) error {
	s := &e.cli.sections[c.cli]
	at, above := s.bodyStart, s.start
	if len(options) > 0 {
		o := &options[len(options)-1]
		at, above = o.end, o.start
	}
	indent, ok := e.indentFor(c, options, at)
	if !ok {
		return e.unclear(e.cli.sections[c.cli+1].line, "the header is indented, and a new key above it would hide it from the AWS CLI")
	}
	eol := e.lineEnding(above)
	unterminated := at > 0 && e.text[at-1] != '\n'
	// A line that goes away leaves its place, so nothing has to be ended first.
	if unterminated && slices.ContainsFunc(e.splices, func(s splice) bool { return s.end == at && s.with == "" && s.start < at }) {
		unterminated = false
	}
	var b strings.Builder
	for i, setting := range inserted {
		if unterminated || i > 0 {
			b.WriteString(eol)
		}
		b.WriteString(indent + setting.key + " = " + setting.value)
	}
	if at < len(e.text) || !unterminated && e.text[at-1] == '\n' {
		b.WriteString(eol)
	}
	e.splices = append(e.splices, splice{at, at, b.String()})
	return nil
}

// indentFor returns the white space that makes a line at the end of a section a key of its own for both readers. For
// the AWS CLI it must not be deeper than the last key, and the next header must not be deeper than it. For the SDKs an
// indented line below an empty value belongs to that value.
func (e *editor) indentFor(c *change, options []option, at int) (indent string, ok bool) {
	next := "" // indentation of the next header
	if c.cli+1 < len(e.cli.sections) {
		n := &e.cli.sections[c.cli+1]
		next = e.text[n.start:e.firstOf(n.start)]
	}
	if len(options) == 0 {
		return next, true
	}
	last := &options[len(options)-1]
	indent = e.text[last.start:e.firstOf(last.start)]
	below := e.sdkOptionBefore(c, at)
	if indent == "" || below != nil && below.value != "" && !below.nested {
		return indent, true
	}
	return "", next == ""
}

// sdkOptionBefore returns the last option of the section that the SDKs read above an offset.
func (e *editor) sdkOptionBefore(c *change, at int) *option {
	options := e.sdk.optionsOf(&e.sdk.sections[c.sdk])
	for i := len(options) - 1; i >= 0; i-- {
		if options[i].start < at {
			return &options[i]
		}
	}
	return nil
}

// splice returns the text with all changes made.
func (e *editor) splice() string {
	sortSplices(e.splices)
	out := spliced(e.text, e.splices)
	if e.text != "" && !strings.HasSuffix(e.text, "\n") { // the last line may have gone; the one above stays without an end
		if last := strings.TrimSuffix(strings.TrimSuffix(out, "\n"), "\r"); last != "" && last[len(last)-1] != '\n' {
			out = last // an empty line is nothing but its end, and keeps it
		}
	}
	if len(e.appended) == 0 {
		return out
	}
	return e.appendTo(out)
}

// spliced returns a text with its splices, which are in order and do not overlap.
func spliced(text string, splices []splice) string {
	var b strings.Builder
	b.Grow(len(text) + 64*len(splices))
	from := 0
	for _, s := range splices {
		b.WriteString(text[from:s.start])
		b.WriteString(s.with)
		from = s.end
	}
	b.WriteString(text[from:])
	return b.String()
}

// sortSplices puts splices in the order of the text. Those at one place come as they were planned, which is in the order
// of the file.
func sortSplices(splices []splice) {
	slices.SortStableFunc(splices, func(a, b splice) int { return cmp.Compare(a.start, b.start) })
}

// appendTo puts the new sections behind text, each with a blank line above it.
func (e *editor) appendTo(text string) string {
	eol := e.lineEnding(len(e.text))
	terminated := text == "" || strings.HasSuffix(text, "\n")
	ends := e.text == "" || strings.HasSuffix(e.text, "\n")
	var b strings.Builder
	b.Grow(len(text) + 256*len(e.appended))
	b.WriteString(text)
	if !terminated {
		b.WriteString(eol)
	}
	last := strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	blank := text == "" || terminated && pyStrip(last[strings.LastIndexByte(last, '\n')+1:]) == ""
	for i, c := range e.appended {
		if i > 0 || !blank {
			b.WriteString(eol)
		}
		section := "[" + c.section.header() + "]"
		for _, s := range c.settings {
			if !s.unset {
				section += eol + s.key + " = " + s.value
			}
		}
		if c.owner != "" {
			b.WriteString(markOf(c.owner, section) + eol)
		}
		b.WriteString(section)
		if ends || i < len(e.appended)-1 {
			b.WriteString(eol)
		}
	}
	return b.String()
}
