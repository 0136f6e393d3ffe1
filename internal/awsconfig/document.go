package awsconfig

// document is a file as one rule set reads it: checked from end to end, but kept as the list of its sections alone.
// Sections are as they stand in the file; merging them is the business of Config. The options of a section are read
// when they are asked for, so that one profile of ten thousand costs little more than the pass over the bytes.
type document struct {
	text     string
	sdk      bool // read by the SDKs' rules, else by the AWS CLI's
	bareCR   bool // lines also end at a bare carriage return
	sections []section
	broken   *syntaxError // why the rule set cannot load the file; nil when it can
}

// section is one header and what is below it.
type section struct {
	name             string // between the brackets, as the rule set cuts it
	line             int
	start, bodyStart int // of the header's line, of the line after it
	end              int // where the next header's line starts
	open, close      int // text[open:close] stands between the brackets
}

// option is one key and its value.
type option struct {
	key      string     // lower case
	value    string     // joined by "\n" when it has continuation lines; "" when nested
	subs     []KeyValue // of a nested block; the last one of a key counts
	line     int
	start    int // of the key's line
	sep      int // just behind the "=" or ":"
	valStart int // of the value on the key's line, without white space around it
	valEnd   int
	end      int // behind the last line of the value, with its line ending
	nested   bool
	multi    bool // there are continuation lines
}

// KeyValue is one setting.
type KeyValue struct{ Key, Value string }

// syntaxError says where and why a rule set cannot load a file. The cause quotes names from the file, never values.
type syntaxError struct {
	line  int
	cause string
}

// optionsOf reads the options of a section.
func (d *document) optionsOf(s *section) []option {
	lines := scanFrom(d.text[:s.end], d.bareCR, s.bodyStart, s.line+1)
	if d.sdk {
		return sdkOptions(lines, s.name)
	}
	p := &cliParser{doc: d, inSection: true}
	for lines.scan() {
		p.add(lines)
	}
	p.endOption()
	p.nestedBlocks()
	return p.options
}

// endSection sets where the last section ends.
func (d *document) endSection(end int) {
	if n := len(d.sections); n > 0 {
		d.sections[n-1].end = end
	}
}

// lookup returns the last option with this key, which is the one that counts in either rule set.
func lookup(options []option, key string) *option {
	for i := len(options) - 1; i >= 0; i-- {
		if options[i].key == key {
			return &options[i]
		}
	}
	return nil
}
