package grammar

import (
	"strings"
)

// ParseSDK reads text as the SDKs do. Where the shared grammar leaves a choice, it is the Go SDK's: malformed lines
// are skipped, ":" is a delimiter too, a value wrapped in quotes loses them, a sub-property below a value that is not
// empty becomes a property. There is no text that it cannot load.
func ParseSDK(text string) *Document {
	d := &Document{Text: text, Sdk: true, Sections: make([]Section, 0, strings.Count(text, "\n[")+1)}
	lines := NewScanner(text, false)
	for lines.Scan() {
		l := &lines.Line
		if l.First == l.Last || text[l.First] != '[' {
			continue
		}
		if name, open, closing, ok := sdkHeader(text[l.Start:lineEnd(text, l.Next)]); ok {
			d.endSection(l.Start)
			d.Sections = append(d.Sections, Section{
				Name: name, Line: l.num, Start: l.Start, BodyStart: l.Next, End: len(text), Open: l.Start + open,
				Close: l.Start + closing,
			})
		}
	}
	return d
}

// SdkOptions reads the lines below a header. Below "[]" nothing counts.
func SdkOptions(lines *scanner, section string) []Option {
	if section == "" {
		return nil
	}
	p := &sdkParser{current: -1}
	for lines.Scan() {
		// The carriage return of a CRLF stays: the Go SDK keeps it at the end of continuation lines.
		l, raw := &lines.Line, lines.text[lines.Line.Start:lineEnd(lines.text, lines.Line.Next)]
		if strings.TrimSpace(raw) != "" && !sdkComment(raw) {
			p.add(lines.text, l, raw)
		}
	}
	p.endOption()
	return p.options
}

type sdkParser struct {
	options []Option
	current int      // the option that indented lines belong to, -1 for none
	more    []string // lines that continue its value
}

// endOption joins the continuation lines of the current option to its value.
func (p *sdkParser) endOption() {
	if len(p.more) > 0 {
		p.options[p.current].Value += "\n" + strings.Join(p.more, "\n")
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
func (p *sdkParser) add(text string, l *Line, raw string) {
	indented := raw[0] == ' ' || raw[0] == '\t'
	body := raw
	if !indented {
		body = strings.TrimRight(CutComment(raw), " \t")
	}
	sep := delimiter(body, 0, len(body))
	var above *Option
	if indented && p.current >= 0 {
		above = &p.options[p.current]
	}
	if sep < 0 {
		if above != nil && above.Value != "" && !above.Nested {
			p.more = append(p.more, strings.TrimLeft(raw, " \t"))
			above.Multi, above.End = true, l.Next
		}
		return
	}
	key, value := strings.ToLower(strings.TrimSpace(body[:sep])), Unquote(strings.TrimSpace(body[sep+1:]))
	if above != nil && above.Value == "" {
		above.Nested, above.Multi, above.End = true, true, l.Next
		above.Subs = append(above.Subs, KeyValue{key, value})
		return
	}
	if indented { // a property after all; its comment is cut only now that the quotes have gone
		value = strings.TrimSpace(CutComment(value))
	}
	p.endOption()
	first, last := trim(text, l.Start+sep+1, max(l.Last, l.Start+sep+1))
	p.options = append(p.options, Option{
		Key: key, Value: value, Line: l.num, Start: l.Start, Sep: l.Start + sep + 1, ValStart: first, ValEnd: last,
		End: l.Next,
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

// CutComment cuts an inline comment: "#" or ";" behind a space or tab.
func CutComment(s string) string {
	for i := 1; i < len(s); i++ {
		if c := s[i]; (c == '#' || c == ';') && (s[i-1] == ' ' || s[i-1] == '\t') {
			return s[:i-1]
		}
	}
	return s
}

// Unquote takes one pair of quotes away. The Go SDK panics on a value that is a single quote; here it stays.
func Unquote(s string) string {
	if len(s) >= 2 && (s[0] == '\'' || s[0] == '"') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// SdkID says what a header of the config file names for the SDKs. [profile default] hides [default]: see view.find.
func SdkID(header string) (kind, name string, ok bool) {
	for _, kind := range [...]string{KindProfile, KindSession, KindServices} {
		if rest, cut := strings.CutPrefix(header, kind); cut && strings.HasPrefix(rest, " ") {
			return kind, rest[1:], true
		}
	}
	if strings.EqualFold(header, "default") {
		return KindProfile, header, true
	}
	return "", "", false
}
