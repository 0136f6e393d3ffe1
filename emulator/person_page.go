package emulator

import (
	"html"
	"net/url"
	"strings"
)

// seenPage is what a person takes from one of the emulator's pages.
type seenPage struct {
	name   string     // data-page of the body
	alert  string     // text of the element with role=alert, "" if none
	action string     // of the page's form
	method string     // of the page's form, lower case
	fields url.Values // names and values of the form's input elements
}

// readPage reads a page of this package. It is no HTML parser: it counts on what the pages keep to, which is
// lower-case names, double quotes around every attribute value, and one form at most.
func readPage(doc string) seenPage {
	pg := seenPage{fields: url.Values{}}
	for rest := doc; ; {
		_, tag, ok := strings.Cut(rest, "<")
		if !ok {
			return pg
		}
		name, attrs, after := readTag(tag)
		rest = after
		switch name {
		case "style", "script":
			_, rest, _ = strings.Cut(rest, "</"+name+">")
		case "body":
			pg.name = attrs["data-page"]
		case "form":
			pg.action, pg.method = attrs["action"], strings.ToLower(attrs["method"])
		case "input":
			if attrs["name"] != "" {
				pg.fields.Set(attrs["name"], attrs["value"])
			}
		}
		if attrs["role"] == "alert" {
			content, _, _ := strings.Cut(rest, "</"+name+">")
			pg.alert = plainText(content)
		}
	}
}

// readTag reads a tag from behind its "<": its name, its attributes with values, and what follows its ">".
func readTag(s string) (name string, attrs map[string]string, after string) {
	end := strings.IndexAny(s, " \n>")
	if end < 0 {
		return "", nil, ""
	}
	name, s = s[:end], s[end:]
	attrs = map[string]string{}
	for {
		s = strings.TrimLeft(s, " \n")
		end := strings.IndexAny(s, " \n=>")
		if end < 0 {
			return name, attrs, ""
		}
		key := s[:end]
		switch {
		case strings.HasPrefix(s[end:], `="`):
			value, tail, _ := strings.Cut(s[end+2:], `"`)
			attrs[key], s = html.UnescapeString(value), tail
		case s[end] == '>':
			if key != "" {
				attrs[key] = ""
			}
			return name, attrs, s[end+1:]
		default:
			attrs[key], s = "", s[end+1:]
		}
	}
}

// plainText drops the tags of a piece of markup.
func plainText(m string) string {
	var b strings.Builder
	for {
		before, tag, ok := strings.Cut(m, "<")
		b.WriteString(before)
		if !ok {
			return strings.TrimSpace(html.UnescapeString(b.String()))
		}
		_, m, _ = strings.Cut(tag, ">")
	}
}
