package configedit

import (
	"fmt"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
)

// change is all edits to one section.
type change struct {
	section  Section
	settings []setting // one for each key, in the order of their first mention
	remove   bool
	owner    string
	cli, sdk int  // the section in the two documents, -1 when it is to be made
	merged   bool // the SDKs read more than one section under this name
}

type setting struct {
	key, value string
	unset      bool
}

// names reports whether what a header names is the section of this change.
func (c *change) names(kind, name string, ok bool) bool {
	return ok && kind == c.section.Type && name == c.section.Name
}

func (c *change) setting(key string) *setting {
	for i := range c.settings {
		if c.settings[i].key == key {
			return &c.settings[i]
		}
	}
	return nil
}

// joinEdits checks the edits and joins those of the same section; the last word on a key counts.
func joinEdits(edits []Edit) ([]*change, error) {
	var changes []*change
	byName := make(map[Section]*change, len(edits))
	for _, e := range edits {
		switch e.Section.Type {
		case grammar.KindProfile, grammar.KindSession, grammar.KindServices:
		default:
			return nil, fmt.Errorf("awsconfig: an edit of a section of type %q", e.Section.Type)
		}
		c := byName[e.Section]
		if c == nil {
			if err := ValidName(e.Section.Name); err != nil {
				return nil, err
			}
			c = &change{section: e.Section, cli: -1, sdk: -1}
			byName[e.Section] = c
			changes = append(changes, c)
		}
		if err := c.manage(e); err != nil {
			return nil, err
		}
		for _, kv := range e.Set {
			if err := validKey(kv.Key); err != nil {
				return nil, err
			}
			if err := validValue(kv.Key, kv.Value); err != nil {
				return nil, err
			}
			c.put(setting{key: grammar.Lower(kv.Key), value: kv.Value})
		}
		for _, key := range e.Unset {
			if err := validKey(key); err != nil {
				return nil, err
			}
			c.put(setting{key: grammar.Lower(key), unset: true})
		}
	}
	return changes, nil
}

func (c *change) put(s setting) {
	if old := c.setting(s.key); old != nil {
		*old = s
		return
	}
	c.settings = append(c.settings, s)
}

// manage takes Remove and Owner of an edit over.
func (c *change) manage(e Edit) error {
	if e.Owner != "" {
		if e.Section.Type != grammar.KindProfile {
			return fmt.Errorf("awsconfig: a mark above %s", e.Section)
		}
		c.owner = e.Owner
	}
	c.remove = c.remove || e.Remove
	if c.remove && len(c.settings)+len(e.Set)+len(e.Unset) > 0 {
		return fmt.Errorf("awsconfig: %s is both removed and changed", e.Section)
	}
	return nil
}
