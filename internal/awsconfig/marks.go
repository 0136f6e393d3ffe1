package awsconfig

import (
	"github.com/homing-cli/homing/internal/awsconfig/grammar"
)

// Mark says that a profile is managed: a program wrote it and may change or remove it for its owner.
type Mark struct {
	Owner  string // as given in Edit.Owner
	Intact bool   // the section is as it was written; false once a person has changed it
	Line   int    // of the mark, from 1
}

// Marks returns the marks of the config file by the name of the profile below them, as the rule set in use reads it.
// A comment that is not directly above a profile's header is none. A mark is not intact when anything between the
// header and the last key of its section was changed, line endings and white space at the ends of lines aside; when
// it was copied above another header; when a second mark stands above it; or when the profile is there twice.
func (c *Config) Marks() map[string]Mark {
	f := &c.files[0]
	marks, seen := make(map[string]Mark), make(map[string]bool, len(f.read.Sections))
	for i := range f.read.Sections {
		s := &f.read.Sections[i]
		kind, name, ok := c.id(f, s.Name)
		if !ok || kind != grammar.KindProfile {
			continue
		}
		found, marked := f.read.Mark(s)
		m, already := marks[name]
		if marked {
			m = Mark{Owner: found.Owner, Intact: found.Intact, Line: s.Line - 1}
		}
		if m.Intact = m.Intact && !seen[name]; marked || already {
			marks[name] = m
		}
		seen[name] = true
	}
	return marks
}
