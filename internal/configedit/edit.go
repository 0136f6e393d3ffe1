package configedit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/fault"
)

// Section names what an Edit changes: Type is "profile", "sso-session" or "services". The profile "default" is
// written as [default], every other one as [profile NAME].
type Section struct{ Type, Name string }

func (s Section) header() string {
	if s == (Section{grammar.KindProfile, "default"}) {
		return "default"
	}
	return s.Type + " " + s.Name
}

// String names the section in messages: profile "dev".
func (s Section) String() string { return fmt.Sprintf("%s %q", s.Type, s.Name) }

// KeyValue is one setting.
type KeyValue struct{ Key, Value string }

// Edit is one change to one section. A section that is not there is made when Set is not empty. Keys match in any
// letter case; unsetting a key that is not there is no change.
type Edit struct {
	Section Section
	Set     []KeyValue
	Unset   []string

	// Remove takes the section away: its header, its keys, its mark, and the blank line above (the one below, for the
	// first section of a file). Comments and other blank lines stay. Removing what is not there is no change.
	Remove bool

	// Owner, such as a session's name or start URL, makes this the edit of a managed profile: the mark above its
	// header is written, or written again for what the section now is. Such an edit is refused for a section that is
	// there without a mark, since a person wrote it; with Remove, also for one whose mark is another's or not intact.
	// The zero value leaves a mark as it is, so that it is no longer intact once a key has changed.
	Owner string
}

// Apply returns src with the edits made and every other byte as it was.
//
// A key that is there keeps its line, spelling and spacing, and gets a new value; an inline comment behind the old
// value moves to a line of its own, because the AWS CLI would read it as a part of the value. A new key goes behind
// the last one of its section, a new section to the end of the file. Line endings follow the file. A header that only
// one of the readers understands ([profile "p"], [ profile p ]) is rewritten as [profile p] when its section changes,
// and a well-known key that the AWS CLI takes for a part of the value above loses its indentation when that is in the
// way.
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
	if unindented, ok := e.unindent(); ok {
		if again, refused := newEditor(path, unindented, edits); refused == nil {
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
	e := &editor{path: path, text: text, changes: changes, cli: grammar.ParseCLI(text)}
	if e.cli.Broken != nil {
		return nil, awsconfig.CannotLoad(path, e.cli.Broken)
	}
	if offset, ok := grammar.FindLoneCR(text); ok {
		n := grammar.LineOf(text, offset)
		return nil, fault.Suggest(fault.Config, fault.Edit{File: path, Line: n},
			"%q: line %d: a carriage return stands alone, which ends a line for the AWS CLI and not for the SDKs",
			path, n)
	}
	e.sdk = grammar.ParseSDK(text)
	return e, e.locate()
}

// edit makes the changes and checks them.
func (e *editor) edit() (string, error) {
	// In the order of the file, so that what is inserted at one place keeps that order too; new sections as asked
	// for.
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
	cli, sdk   *grammar.Document
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
	wanted := make(map[Section]*change, len(e.changes))
	for _, c := range e.changes {
		wanted[c.section] = c
	}
	for i := range e.cli.Sections {
		if kind, name, ok := grammar.CliID(e.cli.Sections[i].Name); ok {
			if c := wanted[Section{kind, name}]; c != nil {
				c.cli = i
			}
		}
	}
	for i := range e.sdk.Sections {
		if kind, name, ok := grammar.SdkID(e.sdk.Sections[i].Name); ok {
			if c := wanted[Section{kind, name}]; c != nil {
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
		s, named := &e.cli.Sections[c.cli], c.sdk >= 0
		if c.sdk, found = grammar.SectionAt(e.sdk, s.Start); !found {
			return e.unclear(s.Line, "the AWS CLI takes this for a header and the SDKs do not")
		}
		if named && !c.names(grammar.SdkID(e.sdk.Sections[c.sdk].Name)) {
			return e.twice(c) // the SDKs would merge the two once both headers are written alike
		}
	case c.sdk >= 0:
		s := &e.sdk.Sections[c.sdk]
		if c.cli, found = grammar.SectionAt(e.cli, s.Start); !found {
			return e.unclear(
				s.Line,
				"the SDKs take this for a header and the AWS CLI does not, since it is indented deeper than the "+
					"line above",
			)
		}
		if c.merged {
			return e.twice(c) // what is one of two spellings for the SDKs would become the other
		}
	}
	return nil
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
	s := &e.cli.Sections[c.cli]
	options := e.cli.Options(s)
	var inserted []setting
	wanted := false
	for _, setting := range c.settings {
		wanted = wanted || !setting.unset
		switch o := grammar.Lookup(options, setting.key); {
		case o == nil && !setting.unset:
			inserted = append(inserted, setting)
		case o == nil:
		case setting.unset:
			e.remove(o, o.Start)
		case o.Multi || o.Value != setting.value:
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

// normalise rewrites a header that only one rule set reads as the name that is meant. For the AWS CLI a header
// reaches to the last "]" of its line, so a comment with brackets in it has to move to its own line.
func (e *editor) normalise(c *change) {
	s, other := &e.cli.Sections[c.cli], &e.sdk.Sections[c.sdk]
	if c.names(grammar.CliID(s.Name)) && c.names(grammar.SdkID(other.Name)) {
		return
	}
	if s.Close > other.Close {
		l := grammar.ScanFrom(e.text, false, s.Start, s.Line)
		l.Scan()
		comment := grammar.PyStrip(e.text[other.Close+1:l.Line.Last]) + e.lineEnding(s.Start)
		above := s.Start
		if m, ok := e.cli.Mark(s); ok {
			above = m.Start // a mark stays with its header
		}
		e.splices = append(e.splices,
			splice{above, above, e.text[s.Start:l.Line.First] + comment},
			splice{s.Open, l.Line.Last, c.section.header() + "]"})
		return
	}
	e.splices = append(e.splices, splice{s.Open, s.Close, c.section.header()})
}

// replace gives an option a new value and moves a comment behind the old one to its own line above.
func (e *editor) replace(o *grammar.Option, value string) {
	raw := e.text[o.ValStart:o.ValEnd]
	comment := ""
	if raw != "" && (raw[0] == '#' || raw[0] == ';') {
		comment = raw
	} else {
		comment = grammar.PyStrip(raw[len(grammar.CutComment(raw)):])
	}
	if comment != "" {
		indent := e.text[o.Start:e.firstOf(o.Start)]
		e.splices = append(e.splices, splice{o.Start, o.Start, indent + comment + e.lineEnding(o.Start)})
	}
	if raw == "" && o.Sep == o.ValStart && o.Sep >= 2 && grammar.ASCIISpace(e.text[o.Sep-2]) {
		value = " " + value // "key =" was written by somebody who puts spaces around it
	}
	e.splices = append(e.splices, splice{o.ValStart, o.ValEnd, value})
	if o.Multi {
		e.remove(o, e.nextLine(o.Start))
	}
}

// remove takes away the lines of an option from an offset on. Comments and blank lines between them stay.
func (e *editor) remove(o *grammar.Option, from int) {
	s := grammar.ScanFrom(e.text, false, from, 1)
	for s.Scan() && s.Line.Start < o.End {
		if !s.Blank() && !s.Comment() {
			e.splices = append(e.splices, splice{s.Line.Start, s.Line.Next, ""})
		}
	}
}

// firstOf returns the offset of the first character behind the indentation of the line that starts at start.
func (e *editor) firstOf(start int) int {
	s := grammar.ScanFrom(e.text, false, start, 1)
	s.Scan()
	return s.Line.First
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
func (e *editor) insert(c *change, options []grammar.Option, inserted []setting) error {
	s := &e.cli.Sections[c.cli]
	at, above := s.BodyStart, s.Start
	if len(options) > 0 {
		o := &options[len(options)-1]
		at, above = o.End, o.Start
	}
	indent, ok := e.indentFor(c, options, at)
	if !ok {
		return e.unclear(e.cli.Sections[c.cli+1].Line,
			"the header is indented, and a new key above it would hide it from the AWS CLI")
	}
	eol := e.lineEnding(above)
	unterminated := at > 0 && e.text[at-1] != '\n'
	// A line that goes away leaves its place, so nothing has to be ended first.
	if unterminated &&
		slices.ContainsFunc(e.splices, func(s splice) bool { return s.end == at && s.with == "" && s.start < at }) {
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
// the AWS CLI it must not be deeper than the last key, and the next header must not be deeper than it. For the SDKs
// an indented line below an empty value belongs to that value.
func (e *editor) indentFor(c *change, options []grammar.Option, at int) (indent string, ok bool) {
	next := "" // indentation of the next header
	if c.cli+1 < len(e.cli.Sections) {
		n := &e.cli.Sections[c.cli+1]
		next = e.text[n.Start:e.firstOf(n.Start)]
	}
	if len(options) == 0 {
		return next, true
	}
	last := &options[len(options)-1]
	indent = e.text[last.Start:e.firstOf(last.Start)]
	below := e.sdkOptionBefore(c, at)
	if indent == "" || below != nil && below.Value != "" && !below.Nested {
		return indent, true
	}
	return "", next == ""
}

// sdkOptionBefore returns the last option of the section that the SDKs read above an offset.
func (e *editor) sdkOptionBefore(c *change, at int) *grammar.Option {
	options := e.sdk.Options(&e.sdk.Sections[c.sdk])
	for i := len(options) - 1; i >= 0; i-- {
		if options[i].Start < at {
			return &options[i]
		}
	}
	return nil
}

// splice returns the text with all changes made.
func (e *editor) splice() string {
	sortSplices(e.splices)
	out := spliced(e.text, e.splices)
	// The last line may have gone; the one above stays without an end.
	if e.text != "" && !strings.HasSuffix(e.text, "\n") {
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

// sortSplices puts splices in the order of the text. Those at one place come as they were planned, which is in the
// order of the file.
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
	blank := text == "" || terminated && grammar.PyStrip(last[strings.LastIndexByte(last, '\n')+1:]) == ""
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
			b.WriteString(grammar.NewMark(c.owner, section) + eol)
		}
		b.WriteString(section)
		if ends || i < len(e.appended)-1 {
			b.WriteString(eol)
		}
	}
	return b.String()
}
