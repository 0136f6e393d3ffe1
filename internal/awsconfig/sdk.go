package awsconfig

import (
	"strings"
)

// parseSDK reads text as the SDKs do. Where the shared grammar leaves a choice, it is the Go SDK's: malformed lines
// are skipped, ":" is a delimiter too, a value wrapped in quotes loses them, a sub-property below a value that is not
// empty becomes a property. There is no text that it cannot load.
func parseSDK(text string) *document {
	d := &document{text: text, sdk: true, sections: make([]section, 0, strings.Count(text, "\n[")+1)}
	lines := newScanner(text, false)
	for lines.scan() {
		l := &lines.line
		if l.first == l.last || text[l.first] != '[' {
			continue
		}
		if name, open, closing, ok := sdkHeader(text[l.start:lineEnd(text, l.next)]); ok {
			d.endSection(l.start)
			d.sections = append(d.sections, section{
				name: name, line: l.num, start: l.start, bodyStart: l.next, end: len(text), open: l.start + open, close: l.start + closing,
			})
		}
	}
	return d
}

// sdkOptions reads the lines below a header. Below "[]" nothing counts.
func sdkOptions(lines *scanner, section string) []option {
	if section == "" {
		return nil
	}
	p := &sdkParser{current: -1}
	for lines.scan() {
		// The carriage return of a CRLF stays: the Go SDK keeps it at the end of continuation lines.
		l, raw := &lines.line, lines.text[lines.line.start:lineEnd(lines.text, lines.line.next)]
		if strings.TrimSpace(raw) != "" && !sdkComment(raw) {
			p.add(lines.text, l, raw)
		}
	}
	p.endOption()
	return p.options
}

type sdkParser struct {
	options []option
	current int      // the option that indented lines belong to, -1 for none
	more    []string // lines that continue its value
}

// endOption joins the continuation lines of the current option to its value.
func (p *sdkParser) endOption() {
	if len(p.more) > 0 {
		p.options[p.current].value += "\n" + strings.Join(p.more, "\n")
		p.more = p.more[:0]
	}
}

// lineEnd returns where the line that is followed by offset next ends, without its line feed.
func lineEnd(text string, next int) int {
	if next > 0 && text[next-1] == '\n' {
		return next - 1
	}
	return next
}

// add takes a line that is neither blank, nor a comment, nor a header.
func (p *sdkParser) add(text string, l *line, raw string) {
	indented := raw[0] == ' ' || raw[0] == '\t'
	body := raw
	if !indented {
		body = strings.TrimRight(cutComment(raw), " \t")
	}
	sep := delimiter(body, 0, len(body))
	var above *option
	if indented && p.current >= 0 {
		above = &p.options[p.current]
	}
	if sep < 0 {
		if above != nil && above.value != "" && !above.nested {
			p.more = append(p.more, strings.TrimLeft(raw, " \t"))
			above.multi, above.end = true, l.next
		}
		return
	}
	key, value := strings.ToLower(strings.TrimSpace(body[:sep])), unquote(strings.TrimSpace(body[sep+1:]))
	if above != nil && above.value == "" {
		above.nested, above.multi, above.end = true, true, l.next
		above.subs = append(above.subs, KeyValue{key, value})
		return
	}
	if indented { // a property after all; its comment is cut only now that the quotes have gone
		value = strings.TrimSpace(cutComment(value))
	}
	p.endOption()
	first, last := trim(text, l.start+sep+1, max(l.last, l.start+sep+1))
	p.options = append(p.options, option{
		key: key, value: value, line: l.num, start: l.start, sep: l.start + sep + 1, valStart: first, valEnd: last, end: l.next,
	})
	p.current = len(p.options) - 1
	if key == "" {
		p.current = -1
	}
}

func sdkComment(raw string) bool {
	raw = strings.TrimLeft(raw, " \t")
	return strings.HasPrefix(raw, "#") || strings.HasPrefix(raw, ";")
}

// sdkHeader returns what a header names, its type and name with one space between them, and where it stands in raw.
func sdkHeader(raw string) (name string, open, closing int, ok bool) {
	if i := strings.IndexByte(raw, '['); i < 0 {
		return "", 0, 0, false
	}
	body := raw
	if i := strings.IndexAny(body, "#;"); i >= 0 {
		body = body[:i]
	}
	t := strings.TrimSpace(body)
	if len(t) < 2 || t[0] != '[' || t[len(t)-1] != ']' {
		return "", 0, 0, false
	}
	open = strings.IndexByte(raw, '[') + 1
	closing = open + len(t) - 2
	inner := strings.TrimSpace(t[1 : len(t)-1])
	if i := strings.IndexAny(inner, " \t"); i > 0 {
		if rest := strings.TrimLeft(inner[i:], " \t"); inner[i] != ' ' || len(rest) != len(inner)-i-1 {
			return inner[:i] + " " + rest, open, closing, true
		}
	}
	return inner, open, closing, true
}

// cutComment cuts an inline comment: "#" or ";" behind a space or tab.
func cutComment(s string) string {
	for i := 1; i < len(s); i++ {
		if c := s[i]; (c == '#' || c == ';') && (s[i-1] == ' ' || s[i-1] == '\t') {
			return s[:i-1]
		}
	}
	return s
}

// unquote takes one pair of quotes away. The Go SDK panics on a value that is a single quote; here it stays.
func unquote(s string) string {
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// sdkID says what a header of the config file names for the SDKs. [profile default] hides [default]: see view.find.
func sdkID(header string) (kind, name string, ok bool) {
	for _, kind := range [...]string{kindProfile, kindSession, kindServices} {
		if rest, cut := strings.CutPrefix(header, kind); cut && strings.HasPrefix(rest, " ") {
			return kind, rest[1:], true
		}
	}
	if strings.EqualFold(header, "default") {
		return kindProfile, header, true
	}
	return "", "", false
}
