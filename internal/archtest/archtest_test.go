// Package archtest keeps the shape of the program: which package may import which, and which may touch the process. It
// holds tests only.
package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/homing-cli/homing/"

// layers lists every package, top first. An import points from a layer to a lower one. A new package finds its place
// here when it can finish the sentence "this package knows how to …" without the word "and".
var layers = [][]string{
	{"cmd/homing"},
	{"internal/cli"},
	// The commands. None imports another.
	{"internal/cmd/completion", "internal/cmd/configure", "internal/cmd/console", "internal/cmd/credentials",
		"internal/cmd/emulator",
		"internal/cmd/exec", "internal/cmd/keep", "internal/cmd/login", "internal/cmd/logout", "internal/cmd/profiles",
		"internal/cmd/status"},
	// What several commands share.
	{"internal/upgrade"},
	{"internal/interactive", "internal/answer"},
	{"internal/connect", "internal/prompt"},
	{"internal/app"},
	{"internal/ui"},
	// Use cases: they declare the methods they need as interfaces, and cli passes the real types.
	{"internal/signin", "internal/flow", "internal/refresh", "internal/rolecreds", "internal/roster",
		"internal/profiles", "internal/keep"},
	// What they are wired to.
	{"internal/configedit"},
	{"internal/idc", "internal/store", "internal/awsconfig", "internal/callback", "internal/credserver",
		"internal/hostenv", "internal/browser", "internal/settings", "internal/term", "internal/joint"},
	{"internal/awsconfig/grammar"},
	// Plain types and small helpers.
	{"internal/retry", "internal/plain", "internal/editor", "internal/files", "internal/naming", "internal/quote"},
	{"internal/fault"},
	{"internal/session"},
}

// alone lists packages outside the layers: the emulator and what serves tests. No package of the layers imports them
// except as said in exceptions.
var alone = []string{"emulator", "internal/testtools", "internal/awsmodel", "internal/archtest", "internal/browsertest",
	"internal/configtest", "internal/editortest", "internal/netnstest", "internal/e2e"}

// exceptions lists imports across the rule, with the reason.
var exceptions = map[string]string{
	"internal/cmd/emulator > emulator": "homing emulator and homing demo run it",
}

type pkg struct {
	ImportPath                         string
	Dir                                string
	GoFiles                            []string
	Imports, TestImports, XTestImports []string
}

// packages returns every package of the module for every system we build for, so that a file with a build tag counts.
func packages(t *testing.T) map[string]*pkg {
	t.Helper()
	all := map[string]*pkg{}
	for _, goos := range []string{"linux", "windows", "darwin"} {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-e",
			"-json=ImportPath,Dir,GoFiles,Imports,TestImports,XTestImports", module+"...")
		cmd.Env = append(cmd.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("go list for %s: %v", goos, err)
		}
		d := json.NewDecoder(strings.NewReader(string(out)))
		for {
			var p pkg
			if err := d.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
			name := strings.TrimPrefix(p.ImportPath, module)
			if all[name] == nil {
				all[name] = &pkg{ImportPath: p.ImportPath, Dir: p.Dir}
			}
			all[name].GoFiles = union(all[name].GoFiles, p.GoFiles)
			all[name].Imports = union(all[name].Imports, p.Imports)
			all[name].TestImports = union(all[name].TestImports, p.TestImports)
			all[name].XTestImports = union(all[name].XTestImports, p.XTestImports)
		}
	}
	if len(all) < 5 {
		t.Fatalf("only %d packages found, so nothing would be checked", len(all))
	}
	return all
}

func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}

func layerOf(name string) int {
	return slices.IndexFunc(layers, func(layer []string) bool { return slices.Contains(layer, name) })
}

func TestImportsPointDownwards(t *testing.T) {
	for name, p := range packages(t) {
		if slices.Contains(alone, name) || strings.HasPrefix(name, "interop") || strings.HasPrefix(name, "bench") {
			continue
		}
		from := layerOf(name)
		if from < 0 {
			t.Errorf("%s has no place in the layers of this test", name)
			continue
		}
		for _, imported := range p.Imports {
			target, ours := strings.CutPrefix(imported, module)
			if !ours || exceptions[name+" > "+target] != "" {
				continue
			}
			if to := layerOf(target); to <= from {
				t.Errorf("%s imports %s, which is not below it", name, target)
			}
		}
	}
}

func TestEmulatorAndClientShareNothing(t *testing.T) {
	all := packages(t)
	emulator, idc := all["emulator"], all["internal/idc"]
	if emulator == nil || idc == nil {
		t.Fatal("emulator or internal/idc not found")
	}
	for _, imported := range emulator.Imports {
		if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") {
			t.Errorf("emulator imports %s; it is standard library only, so that anybody's tests can have it", imported)
		}
	}
	for _, imported := range slices.Concat(emulator.Imports, emulator.TestImports, emulator.XTestImports) {
		if imported == idc.ImportPath {
			t.Error("emulator or a test of it imports internal/idc: a shared struct would hide a wrong field name")
		}
	}
	if slices.Contains(slices.Concat(idc.Imports, idc.TestImports), emulator.ImportPath) {
		t.Error("internal/idc imports emulator: a shared struct would hide a wrong field name")
	}
}

func TestNoTemplates(t *testing.T) {
	// Executing one keeps every exported method of every type in the binary: 4 ms instead of 3 to start, 6 MB more.
	for name, p := range packages(t) {
		for _, imported := range p.Imports {
			if imported == "text/template" || imported == "html/template" {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	}
}

func TestOnlyIdcHoldsTheSDK(t *testing.T) {
	holders := 0
	for name, p := range packages(t) {
		for _, imported := range p.Imports {
			if !strings.HasPrefix(imported, "github.com/aws/") {
				continue
			}
			holders++
			if name != "internal/idc" && !strings.HasPrefix(name, "interop/") {
				t.Errorf("%s imports %s; only internal/idc speaks to the service", name, imported)
			}
		}
	}
	if holders == 0 {
		t.Error("no package imports the AWS SDK: this test looks for the wrong thing")
	}
}

// TestOnlyEnvTouchesTheProcess looks for what makes a package impossible to run inside a test: the environment, the
// standard streams, exit. internal/app gets them in Env; what serves tests reads variables of its own.
func TestOnlyEnvTouchesTheProcess(t *testing.T) {
	banned := []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Setenv", "Unsetenv", "Stdin", "Stdout", "Stderr",
		"Exit", "UserHomeDir", "UserCacheDir", "UserConfigDir"}
	allowed := []string{"cmd/homing", "internal/app", "internal/testtools", "internal/browsertest"}
	found := 0
	for name, p := range packages(t) {
		if strings.HasPrefix(name, "interop") || strings.HasPrefix(name, "bench") {
			continue
		}
		for _, file := range p.GoFiles {
			for _, use := range usesOf(t, filepath.Join(p.Dir, file), "os", banned) {
				found++
				if !slices.Contains(allowed, name) {
					t.Errorf("%s/%s uses %s", name, file, use)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no use found anywhere, not even in internal/testtools: this test looks for the wrong thing")
	}
}

// TestOnlyFilesLocksOrRenames: a lock that is not looked at again, or a rename without Windows' retry, is a fault
// that shows once in a thousand runs.
func TestOnlyFilesLocksOrRenames(t *testing.T) {
	found := 0
	for name, p := range packages(t) {
		if strings.HasPrefix(name, "interop") || strings.HasPrefix(name, "bench") {
			continue
		}
		for _, file := range p.GoFiles {
			path := filepath.Join(p.Dir, file)
			for _, use := range slices.Concat(usesOf(t, path, "os", []string{"Rename"}), usesOf(t, path, "flock",
				[]string{"New"})) {
				found++
				if name != "internal/files" {
					t.Errorf("%s/%s uses %s; internal/files does that", name, file, use)
				}
			}
		}
	}
	if found < 2 {
		t.Error("internal/files neither locks nor renames: this test looks for the wrong thing")
	}
}

func usesOf(t *testing.T, file, pkgName string, names []string) (uses []string) {
	t.Helper()
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Name == pkgName && slices.Contains(names, s.Sel.Name) {
				uses = append(uses, pkgName+"."+s.Sel.Name)
			}
		}
		return true
	})
	return uses
}

// TestCommandsStaySmall keeps a command, and what all commands stand on, readable in one sitting.
func TestCommandsStaySmall(t *testing.T) {
	const most = 2000 // lines, without tests
	looked := 0
	for name, p := range packages(t) {
		if !strings.HasPrefix(name, "internal/cmd/") && !slices.Contains([]string{"internal/app", "internal/ui",
			"internal/prompt"}, name) {
			continue
		}
		looked++
		lines := 0
		for _, file := range p.GoFiles {
			text, err := os.ReadFile(filepath.Join(p.Dir, file))
			if err != nil {
				t.Fatal(err)
			}
			lines += bytes.Count(text, []byte("\n"))
		}
		if lines > most {
			t.Errorf("%s has %d lines; at most %d are wanted", name, lines, most)
		}
	}
	if looked < 10 {
		t.Errorf("only %d packages were looked at", looked)
	}
}
