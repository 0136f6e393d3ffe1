package awsconfig

import (
	"fmt"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
)

// mayManage refuses to treat a section that is there as managed when it is a person's.
func (e *editor) mayManage(c *change) error {
	if c.owner == "" {
		return nil
	}
	s := &e.cli.sections[c.cli]
	var why string
	switch m, ok := e.cli.mark(s); {
	case !ok:
		why = "was written by a person"
	case c.remove && m.owner != c.owner:
		why = fmt.Sprintf("is managed for %q", m.owner)
	case c.remove && !m.intact:
		why = "was changed by a person"
	default:
		return nil
	}
	return fault.Suggest(fault.Config, fault.Edit{File: e.path, Line: s.line},
		"%q: line %d: %s %s, so it is left as it is", e.path, s.line, c.section, why)
}

// removeSection collects the splices that take a section away: every line that is neither a comment nor blank, the
// mark, and one blank line.
func (e *editor) removeSection(c *change) {
	s := &e.cli.sections[c.cli]
	start := s.start
	if m, ok := e.cli.mark(s); ok {
		start = m.start
	}
	first := start == e.gone
	if above := strings.LastIndexByte(e.text[:max(start-1, 0)], '\n') + 1; above >= e.gone && above < start && pyStrip(e.text[above:start]) == "" {
		start = above
	}
	e.cut(start, s.bodyStart)
	end, stays := s.bodyStart, false
	lines := scanFrom(e.text[:s.end], false, s.bodyStart, s.line+1)
	for lines.scan() {
		if l := &lines.line; !lines.blank() && !lines.comment() {
			stays = stays || l.start > end
			e.cut(l.start, l.next)
			end = l.next
		}
	}
	if !first || stays {
		return
	}
	if below := scanFrom(e.text[:s.end], false, end, 1); below.scan() && below.blank() {
		e.cut(end, below.line.next)
		end = below.line.next
	}
	e.gone = end
}

// cut takes text[start:end] away.
func (e *editor) cut(start, end int) { e.splices = append(e.splices, splice{start, end, ""}) }

// refreshMark writes the mark for what the section becomes by the splices of its change.
func (e *editor) refreshMark(c *change, own []splice) {
	s := &e.cli.sections[c.cli]
	m, ok := e.cli.mark(s)
	if c.owner == "" || !ok {
		return
	}
	own = append([]splice(nil), own...)
	sortSplices(own)
	var b strings.Builder
	from := s.start
	for _, p := range own {
		if p.end <= s.start && p.start < s.start {
			continue // above the mark
		}
		b.WriteString(e.text[from:p.start] + p.with)
		from = p.end
	}
	b.WriteString(e.text[from:s.end])
	if line := markOf(c.owner, b.String()); line != e.text[m.first:m.last] {
		e.splices = append(e.splices, splice{m.first, m.last, line})
	}
}
