package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A start of homing is a few milliseconds at most, because the SDKs start it again and again. Each limit is what there
// was in 2026-11 with room for what a year adds. Who exceeds one finds out what came in (the tests print it), and looks
// for another way before raising it: docs/adr/0021-the-hot-path.md.
const (
	mostSize      = 14_000_000 // bytes of the stripped program
	mostBytes     = 120_000    // allocated before main, by all packages but the AWS SDK's
	mostAllocs    = 700
	mostByPackage = 16_000 // bytes, by any one but the dear
)

// The AWS SDK's clients cost a start more than all the rest. That is their price, and is not to grow unseen: 20 packages
// with 269,600 bytes in 1999 allocations, nearly all of it by four of them.
const (
	sdkBytes  = 290_000
	sdkAllocs = 2_200
)

// dear are the packages that may allocate more than mostByPackage before main, and how many bytes.
var dear = map[string]int{
	"github.com/aws/aws-sdk-go-v2/service/sso/internal/endpoints":     83_000, // 77,168: regular expressions
	"github.com/aws/aws-sdk-go-v2/service/ssooidc/internal/endpoints": 83_000, // 77,168
	"github.com/aws/aws-sdk-go-v2/service/ssooidc/schemas":            63_000, // 58,272
	"github.com/aws/aws-sdk-go-v2/service/sso/schemas":                27_000, // 24,640
}

// sdkModules are the modules of AWS that may be linked: the two clients and what they need.
var sdkModules = []string{
	"github.com/aws/aws-sdk-go-v2",
	"github.com/aws/aws-sdk-go-v2/internal/configsources",
	"github.com/aws/aws-sdk-go-v2/internal/endpoints/v2",
	"github.com/aws/aws-sdk-go-v2/service/sso",
	"github.com/aws/aws-sdk-go-v2/service/ssooidc",
	"github.com/aws/smithy-go",
}

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
	var ours, sdk work
	for line := range strings.Lines(trace.String()) {
		// init internal/godebug @0.41 ms, 0.054 ms clock, 312 bytes, 7 allocs
		var w work
		var at, clock float64
		if n, _ := fmt.Sscanf(line, "init %s @%f ms, %f ms clock, %d bytes, %d allocs", &w.name, &at, &clock, &w.bytes, &w.allocs); n != 5 {
			continue
		}
		all = append(all, w)
		total := &ours
		if strings.HasPrefix(w.name, "github.com/aws/") {
			total = &sdk
		}
		total.bytes, total.allocs = total.bytes+w.bytes, total.allocs+w.allocs
	}
	if len(all) < 30 {
		t.Fatalf("only %d packages are in the trace:\n%s", len(all), &trace)
	}
	slices.SortFunc(all, func(a, b work) int { return b.bytes - a.bytes })
	t.Logf("%d packages, the SDK's %d bytes in %d allocations, the others %d in %d; most by %v", len(all), sdk.bytes, sdk.allocs, ours.bytes, ours.allocs, all[:12])
	if ours.bytes > mostBytes || ours.allocs > mostAllocs {
		t.Errorf("packages allocate %d bytes in %d pieces before main; at most %d in %d are wanted", ours.bytes, ours.allocs, mostBytes, mostAllocs)
	}
	if sdk.bytes > sdkBytes || sdk.allocs > sdkAllocs {
		t.Errorf("the SDK allocates %d bytes in %d pieces before main; at most %d in %d are wanted", sdk.bytes, sdk.allocs, sdkBytes, sdkAllocs)
	}
	allowed := maps.Clone(dear)
	for _, w := range all {
		if most := max(mostByPackage, dear[w.name]); w.bytes > most {
			t.Errorf("%s allocates %d bytes before main; at most %d are wanted", w.name, w.bytes, most)
		}
		delete(allowed, w.name)
	}
	for name := range allowed {
		t.Errorf("%s is not in the trace: nothing is allowed to it any more", name)
	}
}

// TestNotLinked keeps packages out that cost a start more than they give, used or not.
func TestNotLinked(t *testing.T) {
	unwanted := []string{"html/template", "encoding/xml", "encoding/gob", "net/rpc", "expvar", "runtime/pprof", "net/http/pprof", "testing"}
	linked := map[string]bool{} // modules
	for _, line := range list(t, "{{.ImportPath}} {{with .Module}}{{.Path}}{{end}}") {
		p, module, _ := strings.Cut(line, " ")
		linked[module] = true
		if slices.Contains(unwanted, p) || strings.HasPrefix(p, "github.com/aws/") && !slices.Contains(sdkModules, module) {
			t.Errorf("%s is linked", p)
		}
	}
	for _, module := range sdkModules {
		if !linked[module] {
			t.Errorf("%s is not linked: nothing is allowed to it any more", module)
		}
	}
}

// TestPatterns finds regular expressions that are compiled at every start: in a package's variables, outside a function.
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
							t.Errorf("%s: a pattern is compiled at every start; use sync.OnceValue", files.Position(s.Pos()))
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
	return []string{"HOME=" + dir, "USERPROFILE=" + dir, "PATH=" + os.Getenv("PATH"), "SystemRoot=" + os.Getenv("SystemRoot")}
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
