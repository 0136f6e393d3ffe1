package naming

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/fault"
)

// maxTemplate bounds a template, in bytes. It may come from a file on the web.
const maxTemplate = 1024

// maxRegex bounds a compiled expression, in instructions: an expression and a text that were made for it take the
// square of the text's length times this, for each of thousands of accounts.
const maxRegex = 500

// helper is what can stand behind a "|".
type helper struct {
	name     string
	min, max int // arguments
	usage    string
	step     func(args []string) (func(string) string, error)
}

var helpers = []helper{
	{"slug", 0, 0, "slug", transform(slug)},
	{"lower", 0, 0, "lower", transform(strings.ToLower)},
	{"upper", 0, 0, "upper", transform(strings.ToUpper)},
	{"trim", 0, 1, `trim "acme-"`, trim},
	{"replace", 2, 2, `replace "from" "to"`, func(args []string) (func(string) string, error) {
		if args[0] == "" {
			return nil, fmt.Errorf("replaces nothing: its first text is empty")
		}
		return func(s string) string { return strings.ReplaceAll(s, args[0], args[1]) }, nil
	}},
	{"regex", 2, 2, `regex "^acme-(.*)$" "$1"`, func(args []string) (func(string) string, error) {
		re, err := regexp.Compile(args[0]) // here and not at the start of the program: most templates have none
		if err != nil {
			var wrong *syntax.Error
			if errors.As(err, &wrong) {
				return nil, fmt.Errorf("does not understand %q: %s", wrong.Expr, wrong.Code)
			}
			return nil, fmt.Errorf("does not understand %q", args[0])
		}
		if size(args[0]) > maxRegex {
			return nil, fmt.Errorf("has an expression that is too large: %q", args[0])
		}
		return func(s string) string { return re.ReplaceAllString(s, args[1]) }, nil
	}},
	{"default", 1, 1, `default "x"`, func(args []string) (func(string) string, error) {
		return func(s string) string {
			if strings.TrimSpace(s) == "" {
				return args[0]
			}
			return s
		}, nil
	}},
}

// size returns how many instructions an expression compiles to.
func size(expression string) int {
	re, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return 0
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return 0
	}
	return len(prog.Inst)
}

func transform(f func(string) string) func([]string) (func(string) string, error) {
	return func([]string) (func(string) string, error) { return f, nil }
}

// trim takes blanks from both ends, or a text once from each end that has it.
func trim(args []string) (func(string) string, error) {
	if len(args) == 0 {
		return strings.TrimSpace, nil
	}
	return func(s string) string { return strings.TrimSuffix(strings.TrimPrefix(s, args[0]), args[0]) }, nil
}

// Parse reads a template; "" is Default. Text in {{ }} is a field, {{.RoleName}}, with helpers behind it, each after
// a "|": slug, lower, upper, trim, replace, regex (RE2 syntax, https://golang.org/s/re2syntax) and default. Their
// arguments stand in "double quotes", where a backslash escapes, or in `back quotes`, where it does not.
//
// An error is a *fault.Error of kind Usage that names the column, with what there is as its hint.
func Parse(template string) (*Template, error) {
	if template == "" {
		template = Default
	}
	if len(template) > maxTemplate {
		return nil, fault.New(fault.Usage, "use a shorter one, for example: "+Default,
			"the template is %d characters long; at most %d are read", len(template), maxTemplate)
	}
	if !utf8.ValidString(template) {
		return nil, fault.New(fault.Usage, "type it again, for example: "+Default, "the template is not UTF-8 text")
	}
	p := &parser{text: template}
	t := &Template{text: template}
	for p.at < len(p.text) {
		open := strings.Index(p.text[p.at:], "{{")
		if open != 0 {
			literal := p.text[p.at:]
			if open > 0 {
				literal = literal[:open]
			}
			if i := strings.Index(literal, "}}"); i >= 0 {
				p.at += i
				return nil, p.fault(`"}}" closes nothing`)
			}
			p.at += len(literal)
			t.parts = append(t.parts, part{value: func(Fields) string { return literal }})
			continue
		}
		action, err := p.action()
		if err != nil {
			return nil, err
		}
		t.parts = append(t.parts, action)
	}
	return t, nil
}

// parser reads one template.
type parser struct {
	text string
	at   int
}

// fault is an error about what stands at p.at.
func (p *parser) fault(format string, args ...any) error {
	column := utf8.RuneCountInString(p.text[:min(p.at, len(p.text))]) + 1
	return fault.New(fault.Usage, exist(), "template %q, column %d: %s", p.text, column, fmt.Sprintf(format, args...))
}

// exist lists what a template can hold.
func exist() string {
	var b strings.Builder
	b.WriteString("use a template such as " + Default + "; fields:")
	for _, f := range fields {
		b.WriteString(" ." + f.name)
	}
	b.WriteString("; helpers: ")
	for i, h := range helpers {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(h.usage)
	}
	return b.String()
}

// action reads {{.Field | helper "argument"}}, which begins at p.at.
func (p *parser) action() (part, error) {
	begin := p.at
	p.at += len("{{")
	p.blanks()
	found, err := p.value()
	if err != nil {
		return part{}, err
	}
	for {
		p.blanks()
		switch rest := p.text[p.at:]; {
		case rest == "":
			p.at = begin
			return part{}, p.fault(`"{{" is not closed`)
		case strings.HasPrefix(rest, "}}"):
			p.at += len("}}")
			return found, nil
		case rest[0] != '|':
			return part{}, p.fault(`%q stands where "|" or "}}" should`, p.word())
		}
		p.at++
		p.blanks()
		step, err := p.step()
		if err != nil {
			return part{}, err
		}
		found.steps = append(found.steps, step)
	}
}

// value reads a field, or a text in quotes.
func (p *parser) value() (part, error) {
	if p.quote() {
		text, err := p.quoted()
		return part{value: func(Fields) string { return text }}, err
	}
	word := p.word()
	for _, f := range fields {
		if word == "."+f.name {
			p.at += len(word)
			return part{value: f.of, account: f.name == "AccountName"}, nil
		}
	}
	switch {
	case word == "":
		return part{}, p.fault("a field is missing")
	case word[0] != '.':
		return part{}, p.fault(
			"%q is no field; one begins with a dot, and helpers stand behind it, each after a \"|\"",
			word,
		)
	}
	for _, f := range fields {
		if strings.EqualFold(word, "."+f.name) {
			return part{}, p.fault("there is no field %q; it is written %q", word, "."+f.name)
		}
	}
	return part{}, p.fault("there is no field %q", word)
}

// step reads a helper with its arguments.
func (p *parser) step() (func(string) string, error) {
	begin, word := p.at, p.word()
	for _, h := range helpers {
		if h.name != word {
			continue
		}
		p.at += len(word)
		args, err := p.args()
		if err != nil {
			return nil, err
		}
		end := p.at
		p.at = begin
		if len(args) < h.min || len(args) > h.max {
			return nil, p.fault("%s has %d texts behind it; it is written: %s", h.name, len(args), h.usage)
		}
		step, err := h.step(args)
		if err != nil {
			return nil, p.fault("%s %v", h.name, err)
		}
		p.at = end
		return step, nil
	}
	if word == "" {
		return nil, p.fault(`a helper is missing behind "|"`)
	}
	return nil, p.fault("there is no helper %q", word)
}

func (p *parser) args() ([]string, error) {
	var args []string
	for {
		p.blanks()
		if !p.quote() {
			return args, nil
		}
		text, err := p.quoted()
		if err != nil {
			return nil, err
		}
		args = append(args, text)
	}
}

func (p *parser) quote() bool {
	return p.at < len(p.text) && (p.text[p.at] == '"' || p.text[p.at] == '`')
}

// quoted reads a text in quotes by Go's rules.
func (p *parser) quoted() (string, error) {
	raw, err := strconv.QuotedPrefix(p.text[p.at:])
	if err != nil {
		return "", p.fault(
			"this text in quotes does not end, or has an unknown escape in it (write \\\\ for a backslash)",
		)
	}
	text, err := strconv.Unquote(raw)
	if err != nil {
		return "", p.fault("this text in quotes is not understood")
	}
	p.at += len(raw)
	return text, nil
}

func (p *parser) blanks() {
	p.at += len(p.text[p.at:]) - len(strings.TrimLeft(p.text[p.at:], " \t\r\n"))
}

// word returns what stands at p.at, up to what ends a word.
func (p *parser) word() string {
	rest := p.text[p.at:]
	if i := strings.IndexAny(rest, " \t\r\n|{}\"`"); i >= 0 {
		return rest[:i]
	}
	return rest
}
