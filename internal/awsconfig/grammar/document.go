package grammar

import (
	"cmp"
	"slices"
)

// What a section can be for us, as the word in its header.
const (
	KindProfile  = "profile"
	KindSession  = "sso-session"
	KindServices = "services"
)

// Document is a file as one rule set reads it: checked from end to end, but kept as the list of its sections alone.
// Sections are as they stand in the file; merging them is the business of Config. The options of a section are read
// when they are asked for, so that one profile of ten thousand costs little more than the pass over the bytes.
type Document struct {
	Text     string
	Sdk      bool // read by the SDKs' rules, else by the AWS CLI's
	LoneCR   bool // lines also end at a bare carriage return
	Sections []Section
	Broken   *SyntaxError // why the rule set cannot load the file; nil when it can
}

// Section is one header and what is below it.
type Section struct {
	Name             string // between the brackets, as the rule set cuts it
	Line             int
	Start, BodyStart int // of the header's line, of the line after it
	End              int // where the next header's line starts
	Open, Close      int // text[open:close] stands between the brackets
}

// Option is one key and its value.
type Option struct {
	Key      string     // lower case
	Value    string     // joined by "\n" when it has continuation lines; "" when nested
	Subs     []KeyValue // of a nested block; the last one of a key counts
	Line     int
	Start    int // of the key's line
	Sep      int // just behind the "=" or ":"
	ValStart int // of the value on the key's line, without white space around it
	ValEnd   int
	End      int // behind the last line of the value, with its line ending
	Nested   bool
	Multi    bool // there are continuation lines
}

// KeyValue is one setting.
type KeyValue struct{ Key, Value string }

// SyntaxError says where and why a rule set cannot load a file. The cause quotes names from the file, never values.
type SyntaxError struct {
	Line  int
	Cause string
}

// Options reads the options of a section.
func (d *Document) Options(s *Section) []Option {
	lines := ScanFrom(d.Text[:s.End], d.LoneCR, s.BodyStart, s.Line+1)
	if d.Sdk {
		return SdkOptions(lines, s.Name)
	}
	p := &cliParser{doc: d, inSection: true}
	for lines.Scan() {
		p.add(lines)
	}
	p.endOption()
	p.nestedBlocks()
	return p.options
}

// endSection sets where the last section ends.
func (d *Document) endSection(end int) {
	if n := len(d.Sections); n > 0 {
		d.Sections[n-1].End = end
	}
}

// Lookup returns the last option with this key, which is the one that counts in either rule set.
func Lookup(options []Option, key string) *Option {
	for i := len(options) - 1; i >= 0; i-- {
		if options[i].Key == key {
			return &options[i]
		}
	}
	return nil
}

// SectionAt finds the section whose header stands on the line that starts at start.
func SectionAt(d *Document, start int) (int, bool) {
	return slices.BinarySearchFunc(d.Sections, start,
		func(s Section, start int) int { return cmp.Compare(s.Start, start) })
}
