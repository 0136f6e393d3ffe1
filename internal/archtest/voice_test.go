package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

// translated matches phrases that nobody would say to a colleague. Comments, strings, documents and goldens are read
// with their line breaks as blanks.
var translated = []*regexp.Regexp{
	regexp.MustCompile(`(?:^|[.:;!] |^[#>*-] )(Who [a-z][^.?!:]*(?:[.!:]|$))`), // for whoever; a question is fine
	regexp.MustCompile(`\b(?:for|by|with) who\b`),
	regexp.MustCompile(`(?i)\bwhom\b`),
	regexp.MustCompile(`(?i)\bbe (?:it|they) \w+`),
	regexp.MustCompile(`(?i)\bof (?:no|some) (?:use|matter|interest)\b`),
	regexp.MustCompile(`(?i)\b(?:is|are) of (?:use|matter|interest)\b`),
	regexp.MustCompile(`(?i)\bit is told\b`),
	regexp.MustCompile(`(?i)\b(?:is|are) gone on with\b`),
	regexp.MustCompile(`(?i)\bgo(?:es)? on with\b`),
	regexp.MustCompile(`(?i)\b(?:had|were) (?:it|they) (?:been|not)\b`),
	regexp.MustCompile(`(?i)\bwaited for by\b`),
	regexp.MustCompile(`(?i)\bby nobody\b`),
	regexp.MustCompile(`(?i)\bkeeps? nobody\b`),
	regexp.MustCompile(`(?i)\b(?:has|have) not to\b`),
	regexp.MustCompile(`(?i)\b(?:knows?|has|have) no \w+ and no\b`),
	regexp.MustCompile(`(?i)\bknows? (?:no|of no)\b`),
	regexp.MustCompile(`(?i)\bis no (?:error|matter)\b`),
	regexp.MustCompile(`(?i)\buse what you may\b`),
	regexp.MustCompile(`\bLook first\b`),
	regexp.MustCompile(`(?i)\bto be had\b`),
	regexp.MustCompile(`(?i)\bso to speak\b|\bsuch a one\b|\bthe like of\b`),
	regexp.MustCompile(`(?i)\bdoes not say that it (?:runs|is)\b`),
	regexp.MustCompile(`(?i)\bend(?:s|ed) the keep\b`),
}

// TestVoice keeps translated phrases out of comments, strings, documents and goldens.
func TestVoice(t *testing.T) {
	looked := map[string]int{}
	walkText(t, func(path, text string) {
		kind := filepath.Ext(path)
		switch kind {
		case ".go":
			if filepath.Base(path) == "voice_test.go" { // it holds the phrases
				return
			}
			for _, piece := range prose(t, path, text) {
				looked[kind]++
				judge(t, path, piece.line, piece.text)
			}
		case ".md", ".txtar":
			looked[kind]++
			line := 1
			for paragraph := range strings.SplitSeq(text, "\n\n") {
				judge(t, path, line, paragraph)
				line += strings.Count(paragraph, "\n") + 2
			}
		}
	})
	for _, kind := range []string{".go", ".md", ".txtar"} {
		if looked[kind] < 10 {
			t.Errorf("only %d texts of %s files were looked at", looked[kind], kind)
		}
	}
}

func judge(t *testing.T, path string, line int, text string) {
	t.Helper()
	text = strings.Join(strings.Fields(text), " ")
	for _, phrase := range translated {
		if found := phrase.FindString(text); found != "" {
			t.Errorf("%s:%d: %q", path, line, strings.TrimLeft(found, ".:;! "))
		}
	}
}

type piece struct {
	line int
	text string
}

// prose returns the comments and strings of a Go file.
func prose(t *testing.T, path, text string) (pieces []piece) {
	t.Helper()
	files := token.NewFileSet()
	parsed, err := parser.ParseFile(files, path, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range parsed.Comments {
		pieces = append(pieces, piece{files.Position(c.Pos()).Line, c.Text()})
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if s, err := strconv.Unquote(literal.Value); err == nil {
				pieces = append(pieces, piece{files.Position(literal.Pos()).Line, s})
			}
		}
		return true
	})
	return pieces
}

// TestFunctionsAreVerbs keeps adverbs from becoming names of functions and types.
func TestFunctionsAreVerbs(t *testing.T) {
	adverbs := strings.Fields("together otherwise aloud again aside meanwhile elsewhere afterwards apart anew " +
		"instead already soon later beside alike likewise thus never always")
	fine := strings.Fields("apply reply supply multiply assembly family only")
	looked := 0
	walkText(t, func(path, text string) {
		if filepath.Ext(path) != ".go" {
			return
		}
		files := token.NewFileSet()
		parsed, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			var name *ast.Ident
			switch n := n.(type) {
			case *ast.FuncDecl:
				name = n.Name
			case *ast.TypeSpec:
				name = n.Name
			default:
				return true
			}
			looked++
			word := strings.ToLower(name.Name)
			oneWord := !strings.ContainsFunc(name.Name[1:], func(r rune) bool { return r >= 'A' && r <= 'Z' })
			if slices.Contains(adverbs, word) || oneWord && strings.HasSuffix(word, "ly") && !slices.Contains(fine,
				word) {
				t.Errorf("%s: %s is an adverb; functions are verbs, types are nouns", files.Position(name.Pos()),
					name.Name)
			}
			return true
		})
	})
	if looked < 1000 {
		t.Errorf("only %d names were looked at", looked)
	}
}

// TestColumns keeps code, comments and documents within 120 columns. Tables, lines with an address in them and strings
// of several lines may be wider.
func TestColumns(t *testing.T) {
	const most = 120
	looked := 0
	walkText(t, func(path, text string) {
		kind := filepath.Ext(path)
		if kind != ".go" && kind != ".md" || strings.Contains(path, "testdata") {
			return
		}
		n, inString := 0, false
		for line := range strings.Lines(text) {
			n++
			looked++
			wasInString := inString
			if kind == ".go" && strings.Count(line, "`")%2 == 1 && !quotedTick.MatchString(line) {
				inString = !inString
			}
			line = strings.TrimRight(strings.ReplaceAll(line, "\t", "    "), "\r\n")
			exempt := inString || wasInString || strings.Contains(line, "://") || strings.HasPrefix(line, "//go:") ||
				kind == ".md" && strings.HasPrefix(line, "|")
			if strings.HasSuffix(path, "_test.go") {
				line = literal.ReplaceAllString(line, "")
			}
			if width := utf8.RuneCountInString(line); width > most && !exempt {
				t.Errorf("%s:%d: %d columns", path, n, width)
			}
		}
	})
	if looked < 10_000 {
		t.Errorf("only %d lines were looked at", looked)
	}
}

var (
	quotedTick = regexp.MustCompile("[\"']`")
	literal    = regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`")
)

// walkText calls do with every file of the repository that holds text for people.
func walkText(t *testing.T, do func(path, text string)) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && (name == "out" || name == "dist" || name == "bin" || name != "." &&
			strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case !d.Type().IsRegular() || !slices.Contains([]string{".go", ".md", ".txtar"}, filepath.Ext(path)):
			return nil
		}
		text, err := os.ReadFile(path)
		if err == nil {
			do(filepath.ToSlash(name), string(text))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
