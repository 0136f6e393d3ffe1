package configedit

import (
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/awsconfig/grammar"
)

// merge returns ours with what another program changed when it made theirs of base, but for the keys in which ours
// differs from kept: those were changed later. What they removed stays: they may have been killed while they wrote.
func merge(path, base, theirs, kept, ours string) (string, error) {
	their, our := grammar.ParseCLI(theirs), grammar.ParseCLI(ours)
	for _, d := range []*grammar.Document{their, our} {
		if d.Broken != nil {
			return "", awsconfig.CannotLoad(path, d.Broken)
		}
	}
	before, same, now := chunksByID(grammar.ParseCLI(base)), chunksByID(grammar.ParseCLI(kept)), chunksByID(our)
	var splices []splice
	var added []string
	for _, chunk := range chunksOf(their) {
		old, mine := before[chunk.id], now[chunk.id]
		switch {
		case sameChunk(old, chunk):
		case mine == nil:
			added = append(added, trimRight(chunk.text()))
		case sameChunk(same[chunk.id], mine):
			splices = append(splices,
				splice{mine.start, mine.start + len(trimRight(mine.text())), trimRight(chunk.text())})
		case mine.section != nil:
			splices = append(splices, mergeOptions(old, chunk, same[chunk.id], mine)...)
		}
	}
	sortSplices(splices)
	out := spliced(ours, splices)
	if len(added) > 0 {
		if out = trimRight(out); out != "" {
			out += "\n\n"
		}
		out += strings.Join(added, "\n\n") + "\n"
	}
	if d := grammar.ParseCLI(out); d.Broken != nil {
		return "", awsconfig.CannotLoad(path, d.Broken)
	}
	return out, nil
}

// chunk is a part of a file: what stands above the first section, or a section with the mark above it.
type chunk struct {
	id         chunkID
	document   *grammar.Document
	section    *grammar.Section // nil for what stands above the first one
	start, end int
}

// chunkID tells chunks of a file apart: what the header names for the AWS CLI, else the header, and which of several.
type chunkID struct {
	kind, name string
	n          int
}

func (c *chunk) text() string { return c.document.Text[c.start:c.end] }

func chunksOf(d *grammar.Document) []*chunk {
	chunks := []*chunk{{document: d, end: len(d.Text)}}
	seen := make(map[chunkID]int, len(d.Sections))
	for i := range d.Sections {
		s := &d.Sections[i]
		c := &chunk{document: d, section: s, start: s.Start, end: len(d.Text)}
		if m, ok := d.Mark(s); ok {
			c.start = m.Start
		}
		kind, name, ok := grammar.CliID(s.Name)
		if !ok {
			kind, name = "", s.Name
		}
		c.id = chunkID{kind: kind, name: name}
		seen[c.id]++
		c.id.n = seen[c.id]
		chunks[len(chunks)-1].end = c.start
		chunks = append(chunks, c)
	}
	return chunks
}

func chunksByID(d *grammar.Document) map[chunkID]*chunk {
	chunks := make(map[chunkID]*chunk, len(d.Sections)+1)
	for _, c := range chunksOf(d) {
		chunks[c.id] = c
	}
	return chunks
}

// sameChunk compares chunks but for the blank lines below them. One that is missing is nil.
func sameChunk(a, b *chunk) bool {
	return a != nil && b != nil && trimRight(a.text()) == trimRight(b.text())
}

func trimRight(s string) string { return strings.TrimRight(s, " \t\r\n") }

// mergeOptions returns the splices that put into a section the keys that theirs changed, and that mine has as kept
// has them.
func mergeOptions(old, theirs, kept, mine *chunk) (splices []splice) {
	text := mine.document.Text
	before, same, options := old.options(), kept.options(), mine.options()
	end := mine.section.BodyStart
	if len(options) > 0 {
		end = options[len(options)-1].End
	}
	for _, o := range theirs.options() {
		now, have := theirs.lines(&o), mine.lines(grammar.Lookup(options, o.Key))
		if now == old.lines(grammar.Lookup(before, o.Key)) || have != kept.lines(grammar.Lookup(same, o.Key)) {
			continue
		}
		if o := grammar.Lookup(options, o.Key); o != nil {
			splices = append(splices, splice{o.Start, o.Start + len(have), now})
			continue
		}
		if end > 0 && text[end-1] != '\n' {
			now = "\n" + now
		} else {
			now += "\n"
		}
		splices = append(splices, splice{end, end, now})
	}
	return splices
}

// options returns what a section holds, nothing for one that is missing.
func (c *chunk) options() []grammar.Option {
	if c == nil {
		return nil
	}
	return c.document.Options(c.section)
}

// lines returns the lines of an option, "" for one that is missing.
func (c *chunk) lines(o *grammar.Option) string {
	if o == nil {
		return ""
	}
	return trimRight(c.document.Text[o.Start:o.End])
}

// blank reports whether a text has no sections.
func blank(text string) bool {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(grammar.PyStrip(line), "[") {
			return false
		}
	}
	return true
}
