package configedit

import (
	"math/rand/v2"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
)

// generate makes a config file of the kind that people, tools and accidents write: mostly sound, with every oddity of
// the two grammars now and then.
func generate(r *rand.Rand) string {
	g := generator{r: r, eol: "\n"}
	if g.chance(5) {
		g.eol = "\r\n"
	}
	g.wild = g.chance(3)
	for range 1 + g.r.IntN(6) {
		g.section()
	}
	text := g.b.String()
	if g.chance(6) { // a trap of the tables, in the company of others
		trap := tableTexts()[g.r.IntN(len(tableTexts()))]
		if text = trap + g.eol + text; g.chance(2) {
			text = g.b.String() + trap
		}
	}
	if g.chance(4) {
		text = strings.TrimRight(text, "\r\n")
	}
	for g.wild && g.chance(2) {
		text = g.mutate(text)
	}
	return text
}

type generator struct {
	r    *rand.Rand
	b    strings.Builder
	eol  string
	wild bool // oddities that usually make the AWS CLI give up
	used []string
}

// chance is true once in n.
func (g *generator) chance(n int) bool { return g.r.IntN(n) == 0 }

func (g *generator) pick(from ...string) string { return from[g.r.IntN(len(from))] }

var genNames = []string{"dev", "p", "a.b-c_d/e%f@g:h+1", "default", "my prof", "x"}

func (g *generator) header() string {
	kind := g.pick(grammar.KindProfile, grammar.KindProfile, grammar.KindProfile, grammar.KindSession,
		grammar.KindServices)
	name := g.pick(genNames...)
	if !g.chance(4) {
		if kind == grammar.KindProfile && g.chance(4) {
			return "[default]"
		}
		return "[" + kind + " " + name + "]"
	}
	return g.pick("["+kind+"  "+name+"]", "["+kind+"\t"+name+"]", "[ "+kind+" "+name+" ]", "["+kind+" "+name+" ]",
		"["+kind+" \""+name+"\"]", "["+kind+" '"+name+"']", "["+kind+" "+name+"]# c", "["+kind+" "+name+"] ; c",
		"["+kind+" "+name+"] # see [docs]", "["+kind+" "+name+"]]", "["+kind+" "+name+"] x = y", "["+kind+name+"]",
		"["+kind+"x "+name+"]", "["+kind+" "+name+" "+name+"]", "["+name+"]", "[DEFAULT]", "[default ]", "[Default]",
		"[]", "[", "["+kind+" a\\b]", "["+kind+" a#b]", "["+kind+" 'a]", "["+kind+" \"a\\\"b\"]", "[preview]",
		"[plugins]", "[\u00a0"+kind+" "+name+"]")
}

func (g *generator) section() {
	above := g.b.String()
	g.b.Reset()
	defer func() { // the mark holds a hash of what is below it
		section := g.b.String()
		g.b.Reset()
		g.b.WriteString(above)
		if g.chance(4) {
			g.mark(section)
		}
		g.b.WriteString(section)
	}()
	header := g.header()
	for _, u := range g.used { // a section twice is the end of the file for the AWS CLI
		if u == header && !g.wild {
			return
		}
	}
	g.used = append(g.used, header)
	indent := ""
	if g.chance(6) {
		indent = g.pick(" ", "  ", "\t", "    ", "\u00a0")
	}
	if g.chance(8) {
		g.line(g.pick(" ", "\t", "\u00a0") + header)
	} else {
		g.line(header)
	}
	keys := append([]string(nil), fieldNames...)
	g.r.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	keys = keys[:g.r.IntN(6)]
	if strings.Contains(header, grammar.KindServices) {
		keys = []string{"sso", "sso_oidc", "s3"}[:1+g.r.IntN(3)]
	}
	for _, key := range keys {
		g.decoration()
		g.option(indent, key)
	}
	g.decoration()
}

// mark writes the mark of a managed section, or something like it.
func (g *generator) mark(section string) {
	mark := grammar.NewMark(g.pick(genOwners...), section)
	switch g.r.IntN(10) {
	case 0:
		g.line(mark)
		g.line(mark)
	case 1:
		g.line(mark[:len(mark)-1])
	case 2:
		g.line("  " + mark + " ")
	case 3:
		g.line(mark)
		g.decoration()
	case 4:
		g.line(
			g.pick("# homing profiles sync", "# homing profiles sync (", "# homing profiles sync ()",
				"# homing profiles sync (%zz) 0", "; "+mark),
		)
	default:
		g.line(mark)
	}
}

var genOwners = []string{"corp", "https://x.awsapps.com/start#"}

// decoration adds comments and blank lines.
func (g *generator) decoration() {
	for g.chance(4) {
		g.line(
			g.pick("", "", "  ", "\t", "# a comment", "; a comment", "  # indented = yes", "\t; [profile not]",
				"#region = r", "\v", "\u00a0", "\x1c# x"),
		)
	}
	if g.wild && g.chance(6) {
		g.line(
			g.pick("garbage", "= no key", "<<<<<<< HEAD", "key", ": x", "\ufeff", "'", "region = \xff", "a\x00 = b",
				"İ = x"),
		)
	}
}

func (g *generator) option(indent, key string) {
	if g.chance(8) {
		key = g.pick(strings.ToUpper(key), strings.ToUpper(key[:1])+key[1:])
	}
	if g.chance(10) {
		indent = g.pick("", " ", "  ", "\t", "      ")
	}
	sep := g.pick(" = ", " = ", " = ", "=", " =", "= ", " : ", ":", "\t=\t", "  =  ", " = =")
	switch g.r.IntN(9) {
	case 0:
		g.line(indent + key + g.pick(" =", "=", " = ", " =  # c"))
		for range g.r.IntN(4) {
			g.decoration()
			g.line(indent + g.pick("  ", "    ", " ", "\t") + g.pick("endpoint_url = http://localhost:1/#x", "a = b",
				"a=c", "max = 10 # ten", "x : y", "region = inner", "k = 'q'"))
		}
		if g.wild && g.chance(4) {
			g.line(indent + "   no delimiter")
		}
	case 1:
		g.line(indent + key + sep + g.value())
		for range 1 + g.r.IntN(2) {
			g.line(
				indent + g.pick("  ",
					"\t") + g.pick("more", "more  ", "region = swallowed", "output: swallowed # c", "# comment", "",
					"\"quoted\""),
			)
		}
	default:
		g.line(indent + key + sep + g.value())
	}
}

func (g *generator) value() string {
	if g.chance(2) {
		return g.pick(
			"us-east-1",
			"eu-west-2",
			"dev",
			"p",
			"x",
			"123456789012",
			"012345678901",
			"https://d-1.awsapps.com/start",
		)
	}
	return g.pick(
		"",
		"us-east-1 # comment",
		"us-east-1\t; comment",
		"x#y",
		"x;y",
		"# only",
		"a  b",
		"trailing   ",
		"'single'",
		"\"double\"",
		"'",
		"\"",
		"''",
		"'open",
		"a 'b' c",
		"'a' 'b'",
		"arn:aws:iam::123456789012:role/a#b",
		"https://x.awsapps.com/start#",
		"https://x.awsapps.com/start/#/",
		"/opt/x --y \"a # b\" ';'",
		"a = b",
		"a : b",
		"[profile x]",
		"é ü",
		"\u00a0nbsp\u00a0",
		"a\rb",
		"tab\tinside",
		"\\",
		"a\\",
		"$HOME",
		"%(x)s",
		"a\u2028b",
		"x ;",
		"x #",
		"\"a # b\"",
		"'x' # c",
		"a\vb",
		"a\x85b",
	)
}

func (g *generator) line(s string) { g.b.WriteString(s + g.eol) }

// mutate makes one accident: bytes lost, doubled, inserted or lines moved.
func (g *generator) mutate(text string) string {
	if text == "" {
		return text
	}
	i, j := g.r.IntN(len(text)), g.r.IntN(len(text))
	if i > j {
		i, j = j, i
	}
	switch g.r.IntN(5) {
	case 0:
		return text[:i] + text[j:]
	case 1:
		return text[:j] + text[i:j] + text[j:]
	case 2:
		return text[:i] + g.pick("\n", "\r", "[", "]", " ", "\t", "=", ":", "#", ";", "'", "\"", "\\", "\x00",
			"\ufeff", "\xc3", "\x1d", "\u2003") + text[i:]
	case 3:
		return text[:i] + text[i+1:]
	default:
		lines := strings.SplitAfter(text, "\n")
		a, b := g.r.IntN(len(lines)), g.r.IntN(len(lines))
		lines[a], lines[b] = lines[b], lines[a]
		return strings.Join(lines, "")
	}
}
