package awsconfig

import "strings"

// merge returns ours with what another program changed when it made theirs of base. Where both changed the same key,
// ours stays. What they removed stays too: they may have been killed in the middle of writing.
func merge(path, base, theirs, ours string) (string, error) {
	their, our := parseCLI(theirs), parseCLI(ours)
	for _, d := range []*document{their, our} {
		if d.broken != nil {
			return "", brokenFile(path, d.broken)
		}
	}
	before, now := chunksByID(parseCLI(base)), chunksByID(our)
	var splices []splice
	var added []string
	for _, chunk := range chunksOf(their) {
		old, mine := before[chunk.id], now[chunk.id]
		switch {
		case sameChunk(old, chunk):
		case mine == nil:
			added = append(added, trimRight(chunk.text()))
		case sameChunk(old, mine):
			splices = append(splices, splice{mine.start, mine.start + len(trimRight(mine.text())), trimRight(chunk.text())})
		case mine.section != nil:
			splices = append(splices, mergeOptions(old, chunk, mine)...)
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
	if d := parseCLI(out); d.broken != nil {
		return "", brokenFile(path, d.broken)
	}
	return out, nil
}

// chunk is a part of a file: what stands above the first section, or a section with the mark above it.
type chunk struct {
	id         chunkID
	document   *document
	section    *section // nil for what stands above the first one
	start, end int
}

// chunkID tells chunks of a file apart: what the header names for the AWS CLI, else the header, and which of several.
type chunkID struct {
	kind, name string
	n          int
}

func (c *chunk) text() string { return c.document.text[c.start:c.end] }

func chunksOf(d *document) []*chunk {
	chunks := []*chunk{{document: d, end: len(d.text)}}
	seen := make(map[chunkID]int, len(d.sections))
	for i := range d.sections {
		s := &d.sections[i]
		c := &chunk{document: d, section: s, start: s.start, end: len(d.text)}
		if m, ok := d.mark(s); ok {
			c.start = m.start
		}
		kind, name, ok := cliID(s.name)
		if !ok {
			kind, name = "", s.name
		}
		c.id = chunkID{kind: kind, name: name}
		seen[c.id]++
		c.id.n = seen[c.id]
		chunks[len(chunks)-1].end = c.start
		chunks = append(chunks, c)
	}
	return chunks
}

func chunksByID(d *document) map[chunkID]*chunk {
	chunks := make(map[chunkID]*chunk, len(d.sections)+1)
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

// mergeOptions returns the splices that put into a section the keys that theirs changed and mine did not.
func mergeOptions(old, theirs, mine *chunk) (splices []splice) {
	var was []option
	if old != nil {
		was = old.document.optionsOf(old.section)
	}
	lines := func(c *chunk, options []option, key string) string {
		if o := lookup(options, key); o != nil {
			return trimRight(c.document.text[o.start:o.end])
		}
		return ""
	}
	text := mine.document.text
	options := mine.document.optionsOf(mine.section)
	end := mine.section.bodyStart
	if len(options) > 0 {
		end = options[len(options)-1].end
	}
	for _, o := range theirs.document.optionsOf(theirs.section) {
		now := trimRight(theirs.document.text[o.start:o.end])
		before := lines(old, was, o.key)
		if now == before || lines(mine, options, o.key) != before {
			continue
		}
		if have := lookup(options, o.key); have != nil {
			splices = append(splices, splice{have.start, have.start + len(before), now})
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

// blank reports whether a text has no sections.
func blank(text string) bool {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(pyStrip(line), "[") {
			return false
		}
	}
	return true
}
