package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A start of homing is a few milliseconds at most, because the SDKs start it again and again. Each limit is what
// there was in 2026-11 with room for what a year adds. If one is exceeded, find out what came in (the
// tests print it) and look for another way before raising it: docs/adr/0021-the-hot-path.md.
const (
	mostSize      = 14_000_000 // bytes of the stripped program
	mostBytes     = 120_000    // allocated before main, by all packages
	mostAllocs    = 700
	mostByPackage = 16_000 // bytes, by any one
)

// program is homing as it is released.
var program string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "homing-start-")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "homing")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	code := 1
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
	} else {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

func TestSize(t *testing.T) {
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes", info.Size())
	if info.Size() > mostSize {
		t.Errorf("the program has %d bytes, at most %d are wanted", info.Size(), mostSize)
	}
}

// TestTemplatesAreDead looks for the executor of text/template: once anything runs a template, the linker keeps every
// exported method of every type, which is 3 MB and a millisecond of each start. The command library can, if asked to.
func TestTemplatesAreDead(t *testing.T) {
	data, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(data, []byte("regexp.(*Regexp).doExecute")) {
		t.Fatal("the names of functions are not in the program: this test finds nothing")
	}
	for _, name := range []string{"text/template.(*Template).Execute", "text/template.(*state).walk", "html/template.(*Template).Execute"} {
		if bytes.Contains(data, []byte(name)) {
			t.Errorf("%s is in the program", name)
		}
	}
}

// TestInit sums up what packages do before main, as the runtime tells it (GODEBUG=inittrace=1).
func TestInit(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), program, "version")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	var trace bytes.Buffer
	cmd.Stderr = &trace
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	type work struct {
		name          string
		bytes, allocs int
	}
	var all []work
	total := work{name: "all of them"}
	for line := range strings.Lines(trace.String()) {
		// init internal/godebug @0.41 ms, 0.054 ms clock, 312 bytes, 7 allocs
		var w work
		var at, clock float64
		if n, _ := fmt.Sscanf(line, "init %s @%f ms, %f ms clock, %d bytes, %d allocs", &w.name, &at, &clock, &w.bytes, &w.allocs); n != 5 {
			continue
		}
		all = append(all, w)
		total.bytes, total.allocs = total.bytes+w.bytes, total.allocs+w.allocs
	}
	if len(all) < 30 {
		t.Fatalf("only %d packages are in the trace:\n%s", len(all), &trace)
	}
	slices.SortFunc(all, func(a, b work) int { return b.bytes - a.bytes })
	t.Logf("%d packages, %d bytes in %d allocations; most by %v", len(all), total.bytes, total.allocs, all[:8])
	if total.bytes > mostBytes || total.allocs > mostAllocs {
		t.Errorf("packages allocate %d bytes in %d pieces before main; at most %d in %d are wanted", total.bytes,
			total.allocs, mostBytes, mostAllocs)
	}
	for _, w := range all {
		if w.bytes > mostByPackage {
			t.Errorf("%s allocates %d bytes before main; at most %d are wanted", w.name, w.bytes, mostByPackage)
		}
	}
}

// TestNotLinked keeps packages out that cost a start more than they give, used or not.
func TestNotLinked(t *testing.T) {
	for _, p := range list(t, "{{.ImportPath}}") {
		for _, dear := range []string{
			"github.com/aws/", // regular expressions and schemas; internal/idc has requests of its own
			"html/template", "encoding/xml", "encoding/gob", "net/rpc", "expvar", "runtime/pprof", "net/http/pprof", "testing",
		} {
			if p == dear || strings.HasSuffix(dear, "/") && strings.HasPrefix(p, dear) {
				t.Errorf("%s is linked", p)
			}
		}
	}
}

// TestPatterns finds regular expressions that are compiled at every start: in a package's variables, outside a
// function.
func TestPatterns(t *testing.T) {
	looked := 0
	for _, dir := range list(t, `{{with .Module}}{{if .Main}}{{$.Dir}}{{end}}{{end}}`) {
		if dir == "" {
			continue
		}
		files := token.NewFileSet()
		names, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			file, err := parser.ParseFile(files, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			looked++
			for _, decl := range file.Decls {
				if g, ok := decl.(*ast.GenDecl); ok {
					ast.Inspect(g, func(n ast.Node) bool {
						if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "MustCompile" {
							t.Errorf("%s: a pattern is compiled at every start; use sync.OnceValue",
								files.Position(s.Pos()))
						}
						_, inside := n.(*ast.FuncLit)
						return !inside
					})
				}
			}
		}
	}
	if looked < 100 {
		t.Errorf("only %d files were looked at", looked)
	}
}

// list returns a line for every package that is linked into the program.
func list(t *testing.T, format string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", format, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}

// home makes a home folder with a profile whose credentials are in the cache, and returns its environment.
func home(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		".aws/config": "[sso-session dev]\nsso_start_url = https://d-9067f00d42.awsapps.com/start\nsso_region = us-east-1\n\n" +
			"[profile dev]\nsso_session = dev\nsso_account_id = 111122223333\nsso_role_name = Admin\n",
		// SHA-1 of {"accountId":"111122223333","roleName":"Admin","sessionName":"dev"}
		".aws/cli/cache/c43dd432db0bf8323a53ab1fcded2c422fe2bcd9.json": `{"ProviderType": "sso", "Credentials": {"AccessKeyId": "ASIAFROMCACHE", ` +
			`"SecretAccessKey": "secret", "SessionToken": "token", "Expiration": "2199-01-01T00:00:00Z", "AccountId": "111122223333"}}`,
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), fs.FileMode(0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return []string{
		"HOME=" + dir,
		"USERPROFILE=" + dir,
		"PATH=" + os.Getenv("PATH"),
		"SystemRoot=" + os.Getenv("SystemRoot"),
	}
}

// TestFromCache runs the program as an SDK does, without a way to the network.
func TestFromCache(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), program, "credentials", "--profile", "dev")
	cmd.Env = append(home(t), "HTTPS_PROXY=http://127.0.0.1:1")
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "ASIAFROMCACHE") {
		t.Errorf("%v: %s", err, out)
	}
}
