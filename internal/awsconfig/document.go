package awsconfig

// document is a file as one rule set reads it. Sections are kept apart as they stand in the file; merging them is the
// business of a view. Strings are parts of text, so a document costs two slices whatever the size of the file.
type document struct {
	text     string
	bareCR   bool // lines also end at a bare carriage return
	sections []section
	options  []option
	broken   *syntaxError // why the rule set cannot load the file; nil when it can
}

// section is one header and the options below it.
type section struct {
	name             string // between the brackets, as the rule set cuts it
	line             int
	start, bodyStart int // of the header's line, of the line after it
	open, close      int // text[open:close] stands between the brackets
	first, last      int // document.options[first:last]
}

// option is one key and its value.
type option struct {
	key      string // lower case
	value    string // joined by "\n" when it has continuation lines; "" when nested
	subs     []KeyValue
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

func (d *document) optionsOf(s *section) []option { return d.options[s.first:s.last] }

// lookup returns the last option with this key, which is the one that counts in either rule set.
func lookup(options []option, key string) *option {
	for i := len(options) - 1; i >= 0; i-- {
		if options[i].key == key {
			return &options[i]
		}
	}
	return nil
}
