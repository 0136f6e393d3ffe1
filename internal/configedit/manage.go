package configedit

import (
	"fmt"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/fault"
)

// mayManage refuses to treat a section that is there as managed when it is a person's.
func (e *editor) mayManage(c *change) error {
	if c.owner == "" {
		return nil
	}
	s := &e.cli.Sections[c.cli]
	var why string
	switch m, ok := e.cli.Mark(s); {
	case !ok:
		why = "was written by a person"
	case c.remove && m.Owner != c.owner:
		why = fmt.Sprintf("is managed for %q", m.Owner)
	case c.remove && !m.Intact:
		why = "was changed by a person"
	default:
		return nil
	}
	return fault.Suggest(fault.Config, fault.Edit{File: e.path, Line: s.Line},
		"%q: line %d: %s %s, so it is left as it is", e.path, s.Line, c.section, why)
}

// removeSection collects the splices that take a section away: every line that is neither a comment nor blank, the
// mark, and one blank line.
func (e *editor) removeSection(c *change) {
	s := &e.cli.Sections[c.cli]
	start := s.Start
	if m, ok := e.cli.Mark(s); ok {
		start = m.Start
	}
	first := start == e.gone
	if above := strings.LastIndexByte(e.text[:max(start-1, 0)], '\n') + 1; above >= e.gone && above < start &&
		grammar.PyStrip(e.text[above:start]) == "" {
		start = above
	}
	e.cut(start, s.BodyStart)
	end, stays := s.BodyStart, false
	lines := grammar.ScanFrom(e.text[:s.End], false, s.BodyStart, s.Line+1)
	for lines.Scan() {
		if l := &lines.Line; !lines.Blank() && !lines.Comment() {
			stays = stays || l.Start > end
			e.cut(l.Start, l.Next)
			end = l.Next
		}
	}
	if !first || stays {
		return
	}
	if below := grammar.ScanFrom(e.text[:s.End], false, end, 1); below.Scan() && below.Blank() {
		e.cut(end, below.Line.Next)
		end = below.Line.Next
	}
	e.gone = end
}

// cut takes text[start:end] away.
func (e *editor) cut(start, end int) { e.splices = append(e.splices, splice{start, end, ""}) }

// refreshMark writes the mark for what the section becomes by the splices of its change.
func (e *editor) refreshMark(c *change, own []splice) {
	s := &e.cli.Sections[c.cli]
	m, ok := e.cli.Mark(s)
	if c.owner == "" || !ok {
		return
	}
	own = append([]splice(nil), own...)
	sortSplices(own)
	var b strings.Builder
	from := s.Start
	for _, p := range own {
		if p.end <= s.Start && p.start < s.Start {
			continue // above the mark
		}
		b.WriteString(e.text[from:p.start] + p.with)
		from = p.end
	}
	b.WriteString(e.text[from:s.End])
	if line := grammar.NewMark(c.owner, b.String()); line != e.text[m.First:m.Last] {
		e.splices = append(e.splices, splice{m.First, m.Last, line})
	}
}
