package awsconfig

import (
	"strings"
)

// parseSDK reads text as the SDKs do. Where the shared grammar leaves a choice, it is the Go SDK's: malformed lines
// are skipped, ":" is a delimiter too, a value wrapped in quotes loses them, a sub-property below a value that is not
// empty becomes a property. There is no text that it cannot load.
func parseSDK(text string) *document {
	d := &document{text: text}
	d.sections = make([]section, 0, strings.Count(text, "\n[")+1)
	d.options = make([]option, 0, strings.Count(text, "\n")+1)
	current := -1 // the option that indented lines belong to
	s := newScanner(text, false)
	for s.scan() {
		// The carriage return of a CRLF stays: the Go SDK keeps it at the end of continuation lines.
		l, raw := &s.line, text[s.line.start:lineEnd(text, s.line.next)]
		if strings.TrimSpace(raw) == "" || sdkComment(raw) {
			continue
		}
		if name, open, closing, ok := sdkHeader(raw); ok {
			n := len(d.options)
			if m := len(d.sections); m > 0 {
				d.sections[m-1].last = n
			}
			d.sections = append(d.sections, section{
				name: name, line: l.num, start: l.start, bodyStart: l.next,
				open: l.start + open, close: l.start + closing, first: n, last: n,
			})
			current = -1
			continue
		}
		if len(d.sections) == 0 || d.sections[len(d.sections)-1].name == "" {
			continue // no section to belong to
		}
		current = d.addSDK(l, raw, current)
	}
	if m := len(d.sections); m > 0 {
		d.sections[m-1].last = len(d.options)
	}
	return d
}

// lineEnd returns where the line that is followed by offset next ends, without its line feed.
func lineEnd(text string, next int) int {
	if next > 0 && text[next-1] == '\n' {
		return next - 1
	}
	return next
}

// addSDK takes a line that is neither blank, nor a comment, nor a header, and returns the new current option.
func (d *document) addSDK(l *line, raw string, current int) int {
	indented := raw[0] == ' ' || raw[0] == '\t'
	body := raw
	if !indented {
		body = strings.TrimRight(cutComment(raw), " \t")
	}
	sep := delimiter(body, 0, len(body))
	if sep < 0 {
		if indented && current >= 0 {
			if o := &d.options[current]; o.value != "" && !o.nested {
				o.value += "\n" + strings.TrimLeft(raw, " \t")
				o.multi, o.end = true, l.next
			}
		}
		return current
	}
	key := strings.ToLower(strings.TrimSpace(body[:sep]))
	if indented && current >= 0 && d.options[current].value == "" {
		o := &d.options[current]
		o.nested, o.multi, o.end = true, true, l.next
		o.subs = setSub(o.subs, key, unquote(strings.TrimSpace(body[sep+1:])))
		return current
	}
	value := strings.TrimSpace(body[sep+1:])
	if indented { // promoted: comments are cut only after the quotes have gone
		value = strings.TrimSpace(cutComment(unquote(value)))
	} else {
		value = unquote(value)
	}
	first, last := trim(d.text, l.start+sep+1, l.last)
	d.options = append(d.options, option{
		key: key, value: value, line: l.num, start: l.start, sep: l.start + sep + 1, valStart: first, valEnd: last, end: l.next,
	})
	if key == "" {
		return -1
	}
	return len(d.options) - 1
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
