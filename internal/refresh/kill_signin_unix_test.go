//go:build unix

package refresh_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/testtools"
)

// watched is a world whose person follows every address at once, and whose service tells when it is asked and
// answers.
type watched struct {
	*world
	moments chan time.Time // of each request its arrival and its answer; the person's visits are among them
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{newWorld(t), make(chan time.Time, 1000)}
	w.emu.Change(func(s *emulator.Server) { s.AutoApprove = true })
	server := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		w.moments <- time.Now()
		w.serve(out, in)
		w.moments <- time.Now()
	}))
	t.Cleanup(func() {
		server.CloseClientConnections() // of who was killed
		server.Close()
	})
	w.url = server.URL
	return w
}

// begin starts homing. The channel gives its exit code, -1 for killed, when it has ended.
func (w *watched) begin(args ...string) (*process, <-chan int) {
	w.Helper()
	for len(w.moments) > 0 {
		<-w.moments // of who came before
	}
	p := &process{Cmd: exec.Command(w.binary, args...), began: time.Now()}
	p.Env, p.Stderr = w.env(), &p.err
	lines, in := io.Pipe()
	p.Stdout = in
	if err := p.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = p.Process.Kill() }) // ended already, unless the test failed
	person := make(chan struct{})
	go func() {
		defer close(person)
		follow(lines)
	}()
	ended := make(chan int, 1)
	go func() {
		code := w.wait(p)
		_ = in.Close()
		<-person
		ended <- code
	}()
	return p, ended
}

// follow visits the address in each event of `login --json`. With AutoApprove a visit is a yes.
func follow(events io.Reader) {
	client := http.Client{Timeout: patience}
	lines := bufio.NewScanner(events)
	for lines.Scan() {
		var e struct {
			URL      string `json:"url"`
			Complete string `json:"verification_uri_complete"`
		}
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.URL+e.Complete == "" {
			continue // half a line of who was killed, or another event
		}
		if answer, err := client.Get(e.URL + e.Complete); err == nil { // else who listened was killed
			_, _ = io.Copy(io.Discard, answer.Body)
			_ = answer.Body.Close()
		}
	}
}

// unharmed runs homing to its end and returns how long it took from one moment to the next.
func (w *watched) unharmed(args ...string) (gaps []time.Duration) {
	w.Helper()
	p, ended := w.begin(args...)
	if code := <-ended; code != 0 {
		w.Fatalf("%v ended with %d: %s", args, code, p.err.String())
	}
	last, end := p.began, time.Now()
	for len(w.moments) > 0 {
		m := <-w.moments
		gaps = append(gaps, m.Sub(last))
		last = m
	}
	return append(gaps, end.Sub(last))
}

// killed runs homing and kills it at a random moment of a random gap: short ones, where the files are written, are
// hit as often as long ones, where it waits. It reports whether it died of that.
func (w *watched) killed(gaps []time.Duration, args ...string) bool {
	w.Helper()
	p, ended := w.begin(args...)
	gap := rand.N(len(gaps))
	for range gap {
		select {
		case <-w.moments:
		case code := <-ended:
			return code == -1
		}
	}
	select {
	case <-time.After(rand.N(gaps[gap]*5/4 + time.Millisecond)):
	case code := <-ended:
		return code == -1
	}
	_ = p.Process.Kill() // it may have ended
	return <-ended == -1
}

// registrations are where both flows keep theirs.
func registrations() [2]store.RegistrationKey {
	return [2]store.RegistrationKey{{Session: dev, PKCE: true}, {Session: dev}}
}

var ours = regexp.MustCompile(`^[0-9a-f]{40}\.(lock|json\.homing-[0-9a-f-]*[0-9A-Z]+\.tmp)$`)

// wantKnownNames checks that the cache folders hold nothing that another program would take for something: of the
// files that end in .json the token and the role's credentials; else the token's lock and what a killed process was
// writing.
func (w *watched) wantKnownNames(after string) {
	w.Helper()
	known := map[string]bool{
		w.store.TokenPath(dev.CacheKey()): true, w.store.RolePath(role()): true,
	}
	for _, folder := range []string{"sso", "cli"} {
		dir := filepath.Join(w.store.AWSDir, folder, "cache")
		files, err := os.ReadDir(dir)
		if err != nil && !os.IsNotExist(err) {
			w.Fatal(err)
		}
		for _, f := range files {
			if !known[filepath.Join(dir, f.Name())] && !ours.MatchString(f.Name()) {
				w.Fatalf("after %s: %s/cache holds %s", after, folder, f.Name())
			}
		}
	}
}

// wantRegistration checks that the registration, if its file is there, is one.
func (w *watched) wantRegistration(after string) {
	w.Helper()
	keys := registrations()
	if _, err := os.Stat(w.store.RegistrationPath(keys[0])); err != nil {
		return
	}
	for _, k := range keys {
		if _, err := w.store.Registration(k); err == nil {
			return
		}
	}
	w.Fatalf("after %s: the registration file holds none", after)
}

func role() store.RoleKey {
	return store.RoleKey{Session: dev, AccountID: accountID, RoleName: roleName(0)}
}

// reader is botocore, running: it reads the cache folders with its own code whenever it is asked.
type reader struct {
	in  io.Writer
	out *bufio.Reader
}

func (w *watched) reader(python string) *reader {
	w.Helper()
	const script = `
import json, os, sys
from botocore.utils import JSONFileCache, SSOTokenLoader
sso, cli, token = sys.argv[1:]
for line in sys.stdin:
    answer = {"files": 0}
    try:
        for folder in sso, cli:
            for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
                if name.endswith(".json"):
                    assert isinstance(JSONFileCache(folder)[name[:-5]], dict), name
                    answer["files"] += 1
        if os.path.exists(os.path.join(sso, token)):
            loaded = SSOTokenLoader(JSONFileCache(sso))("` + emulator.DefaultStartURL + `", "dev")
            for member in "startUrl region accessToken expiresAt clientId clientSecret registrationExpiresAt refreshToken".split():
                assert loaded[member], member
            answer["token"] = True
    except Exception as e:
        answer["error"] = repr(e)
    print(json.dumps(answer), flush=True)
`
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, python, "-c", script, filepath.Join(w.store.AWSDir, "sso", "cache"),
		filepath.Join(w.store.AWSDir, "cli", "cache"), filepath.Base(w.store.TokenPath(dev.CacheKey())))
	cmd.Env = w.env()
	in, err := cmd.StdinPipe()
	if err != nil {
		w.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // killed
	})
	return &reader{in, bufio.NewReader(out)}
}

// readable checks the cache with every reader: ours, botocore, the Go SDK. It reports whether there is a token.
// The Go SDK and botocore must agree on that.
func (w *watched) readable(r *reader, after string) (files int, token bool) {
	w.Helper()
	w.wantWholeFiles(after)
	w.wantKnownNames(after)
	w.wantRegistration(after)
	read := w.goSDKReads(after)
	var answer struct {
		Files int
		Token bool
		Error string
	}
	_, err := io.WriteString(r.in, "read\n")
	if err != nil {
		w.Fatal(err)
	}
	line, err := r.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &answer)
	}
	if err != nil || answer.Error != "" {
		w.Fatalf("after %s: botocore: %q, %v", after, line, err)
	}
	if read != answer.Token {
		w.Fatalf("after %s: there is a token to the Go SDK: %v, to botocore: %v", after, read, answer.Token)
	}
	return answer.Files, answer.Token
}

// forget removes files; those that are not there are no matter.
func (w *watched) forget(paths ...string) {
	w.Helper()
	for _, path := range paths {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			w.Fatal(err)
		}
	}
}

// sweepable makes every temporary file so old that it belongs to nobody.
func (w *watched) sweepable() {
	w.Helper()
	left, err := filepath.Glob(filepath.Join(w.store.AWSDir, "sso", "cache", "*.tmp"))
	if err != nil {
		w.Fatal(err)
	}
	long := time.Now().Add(-91 * 24 * time.Hour)
	for _, path := range left {
		if err := os.Chtimes(path, long, long); err != nil {
			w.Fatal(err)
		}
	}
}

// A sign-in by either flow, and a sign-out, may be killed at any moment: every file is whole for every reader, no
// name is there that another program would trip over, and the next sign-in succeeds and tidies up.
func TestSignInKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	python := testtools.Python(t)
	w := newWatched(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Hour)
	defer cancel()
	botocore := w.reader(python)
	token, registration := w.store.TokenPath(dev.CacheKey()), w.store.RegistrationPath(registrations()[0])
	login := []string{"login", "--sso-session", "dev", "--no-browser", "--json", "--flow"}
	next := append(login[:len(login):len(login)], "pkce")
	again := append(next[:len(next):len(next)], "--force")
	nothing := func() { w.forget(token, registration) }
	everything := func() {
		w.Helper()
		if _, err := w.store.Registration(registrations()[0]); err != nil {
			w.unharmed(again...)
		}
		if err := w.signedIn(ctx); err != nil {
			w.Fatal(err)
		}
		if err := w.store.SaveRoleCredentials(ctx, role(), session.RoleCredentials{
			AccessKeyID: "AKIA", SecretAccessKey: session.NewSecret("s"), SessionToken: session.NewSecret("t"),
			Expiration: time.Now().Add(time.Hour),
		}); err != nil {
			w.Fatal(err)
		}
	}
	operations := []struct {
		name    string
		prepare func()
		args    []string
		more    int // times as often
		gaps    []time.Duration
		died    int
	}{
		{name: "a first sign-in by PKCE", prepare: nothing, args: next, more: 3},
		{name: "another sign-in by PKCE", prepare: everything, args: again, more: 2},
		{
			name:    "a first sign-in by device code",
			prepare: nothing,
			args:    append(login[:len(login):len(login)], "device"),
			more:    1,
		},
		{name: "a sign-out", prepare: everything, args: []string{"logout", "--sso-session", "dev"}, more: 3},
	}
	var turns []int
	for i := range operations {
		o := &operations[i]
		for range 2 { // the first time everything is slower
			o.prepare()
			o.gaps = w.unharmed(o.args...)
		}
		for range o.more {
			turns = append(turns, i)
		}
	}
	files, tokens := 0, 0
	for i := range kills() {
		o := &operations[turns[i%len(turns)]]
		o.prepare()
		if w.killed(o.gaps, o.args...) {
			o.died++
		}
		n, has := w.readable(botocore, o.name)
		files += n
		if has {
			tokens++
		}
		if i%2 == 0 { // joins nobody who is dead, waits for nobody who is dead
			w.unharmed(next...)
		} else {
			w.unharmed(again...)
			w.noLitter()
		}
		if _, has := w.readable(botocore, "the sign-in after "+o.name); !has {
			t.Fatalf("the sign-in after %s left no token", o.name)
		}
		if t.Failed() {
			return
		}
	}
	dead := 0
	for _, o := range operations {
		dead += o.died
		t.Logf("%s: %d died; unharmed, from one moment to the next: %v", o.name, o.died, o.gaps)
		if o.died == 0 && kills() > 100 {
			t.Errorf("%s was never killed before it ended", o.name)
		}
	}
	if dead < kills()/4 {
		t.Errorf("only %d of %d processes were killed before they ended", dead, kills())
	}
	t.Logf("%d of %d died, and botocore and the Go SDK read the cache after each of %d: %d files, %d of them tokens",
		dead, kills(), kills(), files, tokens)
	if tokens == 0 || tokens == kills() {
		t.Errorf("a token was there after %d of %d kills", tokens, kills())
	}
	w.unharmed(again...)
	w.usable()
	w.sweepable()
	w.forget(registration)
	w.unharmed(again...)
	if left, err := fs.Glob(os.DirFS(w.store.AWSDir), "sso/cache/*.tmp"); err != nil || len(left) > 0 {
		t.Errorf("still there: %v, %v", left, err)
	}
}
