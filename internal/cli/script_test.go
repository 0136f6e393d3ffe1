package cli

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/awsmodel"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs every script of testdata/script: the real program against an emulator of its own.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts found (%v)", err)
	}
	models := loadModels(t)
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, testscript.Params{
				Files:               []string{file},
				UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") == "1",
				RequireExplicitExec: true,
				Deadline:            time.Now().Add(20 * scriptDeadline), // waiting for other scripts counts
				Setup: func(env *testscript.Env) error {
					setUp(t, env, models)
					return nil
				},
				Cmds: scriptCommands,
				Condition: func(cond string) (bool, error) {
					if cond == "root" { // permissions do not apply
						return os.Geteuid() == 0, nil
					}
					return false, fmt.Errorf("unknown condition %q", cond)
				},
			})
		})
	}
}

// loadModels returns the published service models, or nil where they are not installed: then a test of that name is
// skipped (failed where CI=true), and requests go unchecked.
func loadModels(t *testing.T) (models []*awsmodel.Model) {
	t.Run("service models", func(t *testing.T) {
		for _, service := range []string{"sso-oidc", "sso"} {
			models = append(models, awsmodel.Load(t, service))
		}
	})
	return models
}

// person is who sits at the browser of a script: the emulator, what homing asked to open, and the clock.
type person struct {
	emu     *emulator.Server
	browser *emulator.Person
	opened  chan string
	dir     string // of the harness
	home    string
	ahead   time.Duration
	walked  map[string]bool // streams of logins whose address was opened by walk
}

type personKey struct{}

// scriptDeadline is how long a script waits for something that must come.
const scriptDeadline = time.Minute

func setUp(t *testing.T, env *testscript.Env, models []*awsmodel.Model) {
	p, vars := newPerson(t, models, env.WorkDir)
	env.Defer(func() { searchSecrets(t, p.dir, p.home) }) // before the folder goes
	env.Values[personKey{}] = p
	for name, value := range vars {
		env.Setenv(name, value)
	}
	untrusted := httptest.NewUnstartedServer(p.emu)
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0) // homing hangs up, as it should
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	env.Setenv("TLS_URL", untrusted.URL)
	authority := filepath.Join(env.WorkDir, "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: untrusted.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	env.Setenv("CA_FILE", authority)
	taken, free := listen(t), listen(t)
	t.Cleanup(func() { _ = taken.Close() })
	env.Setenv("TAKEN_PORT", strconv.Itoa(taken.Addr().(*net.TCPAddr).Port))
	env.Setenv("FREE_PORT", strconv.Itoa(free.Addr().(*net.TCPAddr).Port))
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
}

func listen(t *testing.T) net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// newPerson starts an emulator for a homing whose home is work/home, and returns the variables that lead homing
// there.
func newPerson(t *testing.T, models []*awsmodel.Model, work string) (*person, map[string]string) {
	p := &person{
		emu: &emulator.Server{}, opened: make(chan string, 8), dir: filepath.Join(work, ".harness"), home: filepath.Join(work, "home"),
	}
	p.browser = p.emu.Person()
	p.browser.Redirect = nil // the redirect goes over a socket to homing's listener
	for _, dir := range []string{p.home, p.dir} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(checkRequests(t, models, p.emu))
	t.Cleanup(server.Close)
	browser := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		url, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		p.opened <- string(url)
	}))
	t.Cleanup(browser.Close)
	t.Cleanup(func() {
		for _, r := range p.emu.Unexpected() {
			t.Errorf("homing asked for something the service does not have: %s %s", r.Method, r.Path)
		}
	})
	return p, map[string]string{
		"HOMING_REDIRECT_PORT": "0", // scripts run side by side
		"EMULATOR":             server.URL, "HOME": p.home, "USERPROFILE": p.home, "WORK": work,
		"START_URL": emulator.DefaultStartURL, envDir: p.dir, envBrowser: browser.URL,
		"AWS_ENDPOINT_URL_SSO_OIDC": server.URL, "AWS_ENDPOINT_URL_SSO": server.URL, "AWS_ENDPOINT_URL_STS": server.URL,
	}
}

// checkRequests holds every request against the published service models.
func checkRequests(t *testing.T, models []*awsmodel.Model, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("%s %s: %v", r.Method, r.URL.Path, err)
		}
		for _, m := range models {
			if op := m.Operation(r); op != "" {
				if err := m.CheckRequest(op, r, body); err != nil {
					t.Errorf("%s does not match the service model: %v", op, err)
				}
			}
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// searchSecrets fails when a secret of the emulator shows up outside the caches and the answers of credentials.
func searchSecrets(t *testing.T, streams, home string) {
	allowed := func(path string) bool {
		if folder := filepath.Base(filepath.Dir(path)); folder == "cache" || folder == "homing" {
			return strings.HasPrefix(path, filepath.Join(home, ".aws")) && filepath.Ext(path) == ".json"
		}
		name := filepath.Base(path)
		return strings.HasSuffix(name, ".stdout") &&
			(strings.HasPrefix(name, "credentials.") || strings.HasPrefix(name, "env."))
	}
	seen := 0
	for _, root := range []string{streams, home} {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrPermission) || entry != nil && !entry.Type().IsRegular() {
				return nil
			}
			if err != nil {
				return err
			}
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			seen++
			if !allowed(path) && bytes.Contains(text, []byte(emulator.SecretMarker)) {
				t.Errorf("a secret stands in %s:\n%s", path, text)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	if seen == 0 {
		t.Error("no output was captured, so nothing was searched for secrets")
	}
}

// scriptCommands are what a script can do beside running homing.
var scriptCommands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"approve": func(ts *testscript.TestScript, neg bool, args []string) { decide(ts, neg, args, false) },
	"deny":    func(ts *testscript.TestScript, neg bool, args []string) { decide(ts, neg, args, true) },
	"advance": advance,
	"fail":    failCalls,
	"emulate": emulate,
	"calls":   calls,
	"mode":    fileMode,
	"get":     get,
	"pending": pending,
	"opened":  opened,
	"occupy":  occupy,
	"printed": printed,
	"window":  window,
	"walk":    walk,
	"swap":    swap,
	"team":    serveTeam,
	"listed":  listed,
}

func personOf(ts *testscript.TestScript) *person { return ts.Value(personKey{}).(*person) }

// decide is approve and deny: the person walks through the pages of the address that homing opened. With the
// argument "code", for a homing that opened nothing, they type the code on another machine instead.
func decide(ts *testscript.TestScript, neg bool, args []string, deny bool) {
	p := personOf(ts)
	ctx, cancel := context.WithTimeout(context.Background(), scriptDeadline)
	defer cancel()
	if neg || len(args) > 1 || len(args) == 1 && args[0] != "code" {
		ts.Fatalf("usage: approve|deny [code]")
	}
	if len(args) == 1 {
		act := p.emu.Approve
		if deny {
			act = p.emu.Deny
		}
		ts.Check(act(ctx))
		return
	}
	var url string
	select {
	case url = <-p.opened:
	case <-ctx.Done():
		ts.Fatalf("homing opened nothing")
	}
	who := p.browser
	if deny {
		who = p.emu.Person()
		who.Redirect, who.Deny = nil, true
	}
	err := who.Open(ctx, url)
	if deny && err != nil && strings.Contains(err.Error(), "403 Forbidden") {
		err = nil // homing's page says that it was refused
	}
	ts.Check(err)
}

// pending waits until homing waits for the person.
func pending(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: pending")
	}
	ctx, cancel := context.WithTimeout(context.Background(), scriptDeadline)
	defer cancel()
	_, err := personOf(ts).emu.Pending(ctx)
	ts.Check(err)
}

// opened waits until homing opened an address, and leaves it for approve and deny.
func opened(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 0 {
		ts.Fatalf("usage: opened")
	}
	p := personOf(ts)
	select {
	case url := <-p.opened:
		p.opened <- url
	case <-time.After(scriptDeadline):
		ts.Fatalf("homing opened nothing")
	}
}

// advance DURATION moves the clocks of the service and of every homing.
func advance(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: advance DURATION")
	}
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	p := personOf(ts)
	p.ahead += d
	p.emu.Advance(d) // first: a keep that runs acts on its own clock at once
	ts.Check(os.WriteFile(filepath.Join(p.dir, "ahead"), []byte(p.ahead.String()), 0o600))
}

// failCalls is: fail OPERATION N error=NAME|body=TEXT|body-file=FILE|drop=before|drop=after [status=N] [text=TEXT]
func failCalls(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) == 1 && args[0] == "nothing" {
		personOf(ts).emu.ClearFaults()
		return
	}
	if neg || len(args) < 3 {
		ts.Fatalf("usage: fail OPERATION N KEY=VALUE…, or: fail nothing")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	var f emulator.Fault
	for _, arg := range args[2:] {
		key, value, _ := strings.Cut(arg, "=")
		value = strings.NewReplacer(`\e`, "\x1b", `\n`, "\n", `\a`, "\a").Replace(value)
		switch key {
		case "error":
			f.Error = value
		case "text":
			f.Text = value
		case "body":
			f.Body = value
		case "drop":
			f.Drop = emulator.Drop(value)
		case "status":
			f.Status, err = strconv.Atoi(value)
			ts.Check(err)
		default:
			ts.Fatalf("fail: unknown key %q", key)
		}
	}
	personOf(ts).emu.Fail(args[0], n, f)
}

// emulate THING [VALUE] changes the emulator.
func emulate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: emulate THING [VALUE…]")
	}
	p := personOf(ts)
	number := func(i int) int {
		if len(args) <= i {
			ts.Fatalf("emulate %s: a number is missing", args[0])
		}
		n, err := strconv.Atoi(args[i])
		ts.Check(err)
		return n
	}
	duration := func() time.Duration {
		if len(args) != 2 {
			ts.Fatalf("usage: emulate %s DURATION", args[0])
		}
		d, err := time.ParseDuration(args[1])
		ts.Check(err)
		return d
	}
	var change func(*emulator.Server)
	switch args[0] {
	case "end-session":
		p.emu.EndSession("")
		return
	case "directory":
		dir := emulator.GenerateDirectory(number(1), number(2))
		change = func(s *emulator.Server) { s.Directory = dir }
	case "directory-file":
		f, err := os.Open(ts.MkAbs(args[1]))
		ts.Check(err)
		defer func() { _ = f.Close() }()
		dir, err := emulator.ReadDirectory(f)
		ts.Check(err)
		change = func(s *emulator.Server) { s.Directory = dir }
	case "wrong-region":
		change = func(s *emulator.Server) { s.Switches.WrongRegion = true }
	case "expired-token-error":
		change = func(s *emulator.Server) { s.Switches.ExpiredTokenError = true }
	case "device-grant-refused":
		change = func(s *emulator.Server) { s.DeviceGrantRefused = true }
	case "clock-skew":
		d := duration()
		change = func(s *emulator.Server) { s.ClockSkew = d }
	case "session-life":
		d := duration()
		change = func(s *emulator.Server) { s.SessionLife = d }
	case "portal-rate":
		n := number(1)
		change = func(s *emulator.Server) { s.PortalRate = n }
	case "latency":
		d := duration()
		change = func(s *emulator.Server) { s.Latency = d }
	case "slow-downs":
		n := number(1)
		change = func(s *emulator.Server) { s.SlowDowns = n }
	default:
		ts.Fatalf("emulate: unknown thing %q", args[0])
	}
	p.emu.Change(change)
}

// calls compares the operations called since the last time with its arguments, polls of a device code counted once.
func calls(ts *testscript.TestScript, neg bool, args []string) {
	emu := personOf(ts).emu
	var got []string
	for _, r := range emu.Requests() {
		if r.Op == emulator.OpPage {
			continue // the person's
		}
		op := r.Op
		if r.Grant != "" {
			op += ":" + r.Grant
		}
		if len(got) == 0 || got[len(got)-1] != op || r.Grant != "device_code" {
			got = append(got, op)
		}
	}
	emu.ForgetRequests()
	if areCalls(got, args) == neg {
		ts.Fatalf("calls: %s", strings.Join(got, " "))
	}
}

// areCalls reports whether got is what want lists. A name that ends in ? may be missing.
func areCalls(got, want []string) bool {
	for _, name := range want {
		op, optional := strings.CutSuffix(name, "?")
		switch {
		case len(got) > 0 && got[0] == op:
			got = got[1:]
		case !optional:
			return false
		}
	}
	return len(got) == 0
}

// fileMode MODE FILE… checks permissions, where the system has such.
func fileMode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: mode OCTAL FILE…")
	}
	if filepath.Separator == '\\' {
		return
	}
	for _, pattern := range args[1:] {
		paths, err := filepath.Glob(ts.MkAbs(pattern))
		ts.Check(err)
		if len(paths) == 0 {
			ts.Fatalf("mode: %s matches nothing", pattern)
		}
		for _, path := range paths {
			info, err := os.Stat(path)
			ts.Check(err)
			if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
				ts.Fatalf("%s has mode %s, want %s", path, got, args[0])
			}
		}
	}
}

// get URL STATUS asks for an address as a stranger would.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: get URL STATUS")
	}
	ctx, cancel := context.WithTimeout(context.Background(), scriptDeadline)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, args[0], nil)
	ts.Check(err)
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	ts.Check(resp.Body.Close())
	if got := strconv.Itoa(resp.StatusCode); got != args[1] {
		ts.Fatalf("GET %s: %s, want %s", args[0], got, args[1])
	}
}
