package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// commandLine finds a homing command in a text.
var commandLine = regexp.MustCompile(`\bhoming (login|logout|status|configure|profiles|credentials|env|exec|` +
	`console|serve|callback|keep|doctor|settings|emulator|demo)\b`)

// notACommand lists literals that look like a command line, with the reason.
var notACommand = map[string]string{
	"# homing profiles sync (": "the mark above a managed section, which is read back",
}

// TestNoCommandLinesBelowTheCommands keeps next steps data: a package below the commands suggests a fault.Remedy, and
// ui makes the command line of it, quoted for the shell in use.
func TestNoCommandLinesBelowTheCommands(t *testing.T) {
	literals := 0
	for name, p := range packages(t) {
		if mayName(name) {
			continue
		}
		for _, file := range p.GoFiles {
			path := filepath.Join(p.Dir, file)
			for _, line := range commandLines(parse(t, path)) {
				t.Errorf("%s/%s: a command line in a literal, where a fault.Remedy belongs: %s", name, file, line)
			}
			ast.Inspect(parse(t, path), func(n ast.Node) bool {
				if _, ok := n.(*ast.BasicLit); ok {
					literals++
				}
				return true
			})
		}
	}
	if literals == 0 {
		t.Error("no literal found below the commands: this test looks in the wrong place")
	}
	for _, source := range []string{
		`const hint = "run: homing login"`,
		`var hint = "run: homing login" + name`,
		"var hint = `homing configure sso-session`",
		`var remedy = fault.Run{"homing", "login"}`,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p; "+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(commandLines(file)) == 0 {
			t.Errorf("not found: %s", source)
		}
	}
}

// mayName reports whether a package may hold command lines: the commands, and those outside the layers.
func mayName(name string) bool {
	return outside(name) || strings.HasPrefix(name, "internal/cmd/") || name == "internal/cli" || name == "cmd/homing"
}

// outside reports whether a package is outside the layers.
func outside(name string) bool {
	return slices.Contains(alone, name) || strings.HasPrefix(name, "interop") || strings.HasPrefix(name, "bench")
}

// commandLines returns the literals of a file that hold a command of homing.
func commandLines(file *ast.File) (found []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BasicLit:
			text := textOf(n)
			if commandLine.MatchString(text) && notACommand[text] == "" {
				found = append(found, text)
			}
		case *ast.CompositeLit:
			if isCallee(n.Type, "Run") && len(n.Elts) > 0 && textOf(n.Elts[0]) == "homing" {
				found = append(found, "fault.Run of homing")
			}
		}
		return true
	})
	return found
}

func textOf(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return text
}

// inspecting are functions that look at what a text says.
var inspecting = []string{
	"Contains", "ContainsAny", "ContainsFunc", "ContainsRune", "Count", "Cut", "CutPrefix", "CutSuffix", "EqualFold",
	"Fields",
	"HasPrefix", "HasSuffix", "Index", "IndexAny", "IndexByte", "IndexFunc", "IndexRune", "LastIndex", "Replace",
	"ReplaceAll",
	"Split", "SplitN", "SplitSeq", "TrimPrefix", "TrimSuffix", "MatchString",
}

// worded are the fields that hold words of a remedy, and the functions that return some.
var worded = []string{"Hint", "HintOf", "InWords", "inWords", "Parts", "Words", "Advice"}

// TestNobodyReadsHints: what a failure suggests is told by the type and the fields of its remedy, never by its words.
func TestNobodyReadsHints(t *testing.T) {
	files := 0
	for name, p := range packages(t) {
		if name == "internal/ui" || outside(name) {
			continue // ui makes the words
		}
		for _, file := range p.GoFiles {
			files++
			for _, what := range hintsRead(parse(t, filepath.Join(p.Dir, file))) {
				t.Errorf("%s/%s looks inside the words of a hint: %s", name, file, what)
			}
		}
	}
	if files == 0 {
		t.Error("no file found: this test looks in the wrong place")
	}
	for source, bad := range map[string]bool{
		`if strings.Contains(f.Hint, "x") {}`:                                     true,
		`if strings.HasPrefix(clean(f.Hint), "x") {}`:                             true,
		`if f.Hint == "run: homing login" {}`:                                     true,
		`hint := ui.Hint(err, sh); before, after, ok := strings.Cut(hint, "x")`:   true,
		`switch f.Hint { case "x": }`:                                             true,
		`words, command := ui.Parts(r, sh); if strings.HasSuffix(command, "x"){}`: true,
		`if fault.RemedyOf(err) == fault.Advice("x") {}`:                          true,
		`if f.Hint != "" { say(f.Hint) }`:                                         false,
		`if e, ok := e.(signin.Hint); ok && strings.Contains(text, "x") {}`:       false,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", `package p; import "signin"; func f() { `+source+` }`, 0)
		if err != nil {
			t.Fatal(source, err)
		}
		if found := hintsRead(file); (len(found) > 0) != bad {
			t.Errorf("%s: found %v", source, found)
		}
	}
}

// hintsRead returns where a file looks inside a hint. It follows a hint into a variable of the same function.
func hintsRead(file *ast.File) (found []string) {
	for _, decl := range file.Decls {
		f, ok := decl.(*ast.FuncDecl)
		if !ok || f.Body == nil {
			continue
		}
		held := map[string]bool{}
		holds := func(e ast.Expr) bool { return holdsHint(file, e, held) }
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if a, ok := n.(*ast.AssignStmt); ok && slices.ContainsFunc(a.Rhs, holds) {
				for _, left := range a.Lhs {
					if name, ok := left.(*ast.Ident); ok {
						held[name.Name] = true
					}
				}
			}
			return true
		})
		ast.Inspect(f.Body, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				s, ok := n.Fun.(*ast.SelectorExpr)
				if ok && slices.Contains(inspecting, s.Sel.Name) && slices.ContainsFunc(n.Args, holds) {
					found = append(found, f.Name.Name+" calls "+s.Sel.Name)
				}
			case *ast.BinaryExpr:
				compared := n.Op == token.EQL || n.Op == token.NEQ
				if compared && !empty(n.X) && !empty(n.Y) && (holds(n.X) || holds(n.Y)) {
					found = append(found, f.Name.Name+" compares one")
				}
			case *ast.SwitchStmt:
				if n.Tag != nil && holds(n.Tag) {
					found = append(found, f.Name.Name+" switches on one")
				}
			}
			return true
		})
	}
	return found
}

// empty reports whether e is "" or nil.
func empty(e ast.Expr) bool {
	name, ok := e.(*ast.Ident)
	lit, isLit := e.(*ast.BasicLit)
	return ok && name.Name == "nil" || isLit && lit.Value == `""`
}

// holdsHint reports whether e has the words of a remedy in it; held are variables that have.
func holdsHint(file *ast.File, e ast.Expr, held map[string]bool) (found bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.CompositeLit, *ast.TypeAssertExpr:
			return false
		case *ast.Ident:
			found = found || held[n.Name]
		case *ast.CallExpr:
			found = found || slices.ContainsFunc(worded, func(name string) bool { return isCallee(n.Fun, name) })
		case *ast.SelectorExpr:
			pkg, ok := n.X.(*ast.Ident)
			found = found || slices.Contains(worded, n.Sel.Name) && !(ok && imports(file, pkg.Name))
		}
		return true
	})
	return found
}

// isCallee reports whether e names a function or a type, with or without its package.
func isCallee(e ast.Expr, name string) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name == name
	case *ast.SelectorExpr:
		return e.Sel.Name == name
	}
	return false
}

func imports(file *ast.File, name string) bool {
	return slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool {
		return i.Name != nil && i.Name.Name == name || strings.HasSuffix(`/`+strings.Trim(i.Path.Value, `"`), "/"+name)
	})
}

func parse(t *testing.T, path string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return file
}
