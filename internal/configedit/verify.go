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

// verify reads the result by both rule sets: each must find what the changes ask for and everything else as it was.
func (e *editor) verify(out string) error {
	if out == e.text {
		return e.bothIntended(e.cli, e.sdk)
	}
	after := grammar.ParseCLI(out)
	if after.Broken != nil {
		return e.explain(after.Broken)
	}
	targets := make(map[int]*change, len(e.changes))
	for _, c := range e.changes {
		if c.cli >= 0 {
			targets[c.cli] = c
		}
	}
	if err := e.compare(e.cli, after, targets); err != nil {
		return err
	}
	sdkAfter := grammar.ParseSDK(out)
	clear(targets)
	for _, c := range e.changes {
		if c.sdk >= 0 {
			targets[c.sdk] = c
		}
	}
	if err := e.compare(e.sdk, sdkAfter, targets); err != nil {
		return err
	}
	return e.bothIntended(after, sdkAfter)
}

func (e *editor) bothIntended(cli, sdk *grammar.Document) error {
	if err := e.intended(awsconfig.ReadingOf(cli)); err != nil {
		return err
	}
	return e.intended(awsconfig.ReadingOf(sdk))
}

// explain turns a result that the AWS CLI could not load into what is in the way, such as two spellings of one
// header.
func (e *editor) explain(broken *grammar.SyntaxError) error {
	for _, c := range e.changes {
		if err := e.twice(c); err != nil {
			return err
		}
	}
	// A nested block of [DEFAULT] that is broken only matters once a section inherits it.
	return e.unclear(broken.Line, "after this change the AWS CLI could not load the file: "+broken.Cause)
}

// twice reports a section that is there in more than one spelling.
func (e *editor) twice(c *change) error {
	if e.lines == nil {
		e.lines = make(map[Section][]int)
		for _, d := range []*grammar.Document{e.cli, e.sdk} {
			for i := range d.Sections {
				id := grammar.CliID
				if d == e.sdk {
					id = grammar.SdkID
				}
				s := &d.Sections[i]
				kind, name, ok := id(s.Name)
				if section := (Section{kind, name}); ok && !slices.Contains(e.lines[section], s.Line) {
					e.lines[section] = append(e.lines[section], s.Line)
				}
			}
		}
	}
	lines := slices.Sorted(slices.Values(e.lines[c.section]))
	if len(lines) < 2 {
		return nil
	}
	return fault.Suggest(fault.Config, fault.Edit{File: e.path, Line: lines[1]},
		"%q: %s is there more than once, on lines %d and %d, and the AWS CLI and the SDKs do not use the same one",
		e.path, c.section, lines[0], lines[1])
}

// compare checks that nothing but the changes happened. Sections keep their order; new ones stand at the end.
func (e *editor) compare(before, after *grammar.Document, targets map[int]*change) error {
	removed := 0
	for _, c := range targets {
		if c.remove {
			removed++
		}
	}
	if len(after.Sections) != len(before.Sections)+len(e.appended)-removed {
		return e.differ(before, after, targets)
	}
	removed = 0
	for i := range before.Sections {
		c := targets[i]
		if c != nil && c.remove {
			removed++
			continue
		}
		b, a := &before.Sections[i], &after.Sections[i-removed]
		if c == nil && before.Text[b.Start:b.End] == after.Text[a.Start:a.End] {
			continue // the same bytes: nothing above a header reaches below it
		}
		if c == nil && b.Name != a.Name {
			return e.unclear(b.Line, "the AWS CLI and the SDKs do not read this header alike")
		}
		if line := firstDifference(before.Options(b), after.Options(a), c); line > 0 {
			return e.misread(line)
		}
	}
	return nil
}

// misread refuses an edit because of a line that the readers take for different things.
func (e *editor) misread(line int) error {
	above, _ := slices.BinarySearchFunc(e.cli.Sections, line,
		func(s grammar.Section, line int) int { return cmp.Compare(s.Line, line) })
	var options []grammar.Option
	if above > 0 {
		options = e.cli.Options(&e.cli.Sections[above-1])
	}
	for i := range options {
		o := &options[i]
		if last := o.Line + strings.Count(e.text[o.Start:o.End], "\n"); o.Multi && o.Line < line && line <= last {
			return e.unclear(line, fmt.Sprintf(
				"the AWS CLI takes this indented line for a part of %q above it and the SDKs for a key of its own",
				o.Key,
			))
		}
	}
	return e.unclear(line, "the AWS CLI and the SDKs do not read this line alike")
}

// differ reports that a reader sees another list of sections than before: a header went away with the value that the
// AWS CLI takes it for a part of, or is indented deeper than what now stands above it.
func (e *editor) differ(before, after *grammar.Document, targets map[int]*change) error {
	for _, c := range e.changes {
		if err := e.hiddenHeader(c); err != nil {
			return err
		}
	}
	j := 0
	for i := range before.Sections {
		if c := targets[i]; c != nil && c.remove {
			continue
		}
		if j == len(after.Sections) || targets[i] == nil && after.Sections[j].Name != before.Sections[i].Name {
			return e.unclear(before.Sections[i].Line,
				"this header would not be one any more, since it is indented deeper than what would stand above it")
		}
		j++
	}
	return e.unclear(strings.Count(e.text, "\n")+1, "another section would come into being")
}

// hiddenHeader reports a header that only the SDKs see inside a section.
func (e *editor) hiddenHeader(c *change) error {
	if c.cli < 0 {
		return nil
	}
	target := &e.cli.Sections[c.cli]
	i, _ := grammar.SectionAt(e.sdk, target.Start+1)
	for ; i < len(e.sdk.Sections) && e.sdk.Sections[i].Start < target.End; i++ {
		s := &e.sdk.Sections[i]
		if _, ok := grammar.SectionAt(e.cli, s.Start); !ok {
			return e.unclear(
				s.Line,
				"the SDKs take this for a header and the AWS CLI for a part of the value above it, since it is "+
					"indented deeper",
			)
		}
	}
	return nil
}

// firstDifference compares two option lists, leaving out the keys that c changes; 0 means equal, else it is the line
// before the edit.
func firstDifference(before, after []grammar.Option, c *change) int {
	j := 0
	next := func() *grammar.Option {
		for ; j < len(after); j++ {
			if o := &after[j]; c == nil || c.setting(o.Key) == nil {
				j++
				return o
			}
		}
		return nil
	}
	for i := range before {
		b := &before[i]
		if c != nil && c.setting(b.Key) != nil {
			continue
		}
		if a := next(); a == nil || a.Key != b.Key || a.Value != b.Value || a.Nested != b.Nested ||
			!slices.Equal(a.Subs, b.Subs) {
			return b.Line
		}
	}
	if a := next(); a != nil {
		return max(a.Line, 1)
	}
	return 0
}

// stillThere reports a section that a reader finds although it was removed.
func (e *editor) stillThere(c *change, p *awsconfig.Profile) error {
	if err := e.twice(c); err != nil {
		return err
	}
	return e.unclear(e.cli.Sections[max(c.cli, 0)].Line, fmt.Sprintf("%s would still be read by some programs", p.Name))
}

// intended checks that a reader finds every change under the name that was asked for.
func (e *editor) intended(reading *awsconfig.Config) error {
	const few = 4
	find := reading.Section
	if len(e.changes) > few {
		find = reading.IndexedSection
	}
	var marks map[string]awsconfig.Mark
	if slices.ContainsFunc(e.changes, func(c *change) bool { return c.owner != "" }) {
		marks = reading.Marks()
	}
	for _, c := range e.changes {
		p, found := find(c.section.Type, c.section.Name)
		if c.remove && found {
			return e.stillThere(c, &p)
		}
		if m := marks[c.section.Name]; found && c.owner != "" && (m.Owner != c.owner || !m.Intact) {
			return e.unclear(e.cli.Sections[max(c.cli, 0)].Line,
				fmt.Sprintf("the mark above %s would not hold", c.section))
		}
		for _, s := range c.settings {
			o, _ := p.Option(s.key)
			if s.unset && o == nil || !s.unset && o != nil && !o.Nested && o.Value == s.value {
				continue
			}
			if err := e.twice(c); err != nil {
				return err
			}
			if err := e.hiddenHeader(c); err != nil {
				return err
			}
			if o != nil {
				return e.unclear(o.Line, fmt.Sprintf("%s gets %q from here as well", c.section, s.key))
			}
			return e.unclear(e.cli.Sections[max(c.cli, 0)].Line,
				fmt.Sprintf("%q of %s would not be read by every program", s.key, c.section))
		}
	}
	return nil
}
