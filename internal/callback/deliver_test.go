package callback

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/homing-cli/homing/internal/fault"
)

// announcedIn starts a listener that announced itself.
func announcedIn(t *testing.T, dir string) *Listener {
	t.Helper()
	l := start(t, Options{})
	if err := l.Announce(dir); err != nil {
		t.Fatal(err)
	}
	return l
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// delivering hands text over, and returns how to wait for what became of it.
func delivering(t *testing.T, dir, text string) func() error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- Deliver(t.Context(), dir, text) }()
	return func() error {
		select {
		case err := <-done:
			return err
		case <-time.After(15 * time.Second):
			t.Fatal("no outcome")
			return nil
		}
	}
}

func TestDeliver(t *testing.T) {
	// Not parallel: the environment is changed. A proxy, as a shell may have one set, must not see the redirect.
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	t.Setenv("NO_PROXY", "")
	denial := fault.New(fault.Denied, "run: homing login --sso-session dev", "the sign-in to \"dev\" was denied")
	for _, tt := range []struct {
		name    string
		text    string
		outcome error // of the login
		kind    fault.Kind
		want    string
		hint    string
	}{
		{"completed", testURL, nil, 0, "", ""},
		{"denied", Path + "?error=access_denied&state=" + testState, denial, fault.Denied, denial.Msg, denial.Hint},
		{"unreachable", testURL, fault.New(fault.Unavailable, "hint", "x \x1b[31mis down"), fault.Unavailable, "x is down", "hint"},
		{"unwritable", testURL, fault.New(fault.Config, "", "disk full"), fault.Config, "disk full", ""},
		{"a bug", testURL, errors.New("oops"), fault.Bug, "oops", ""},
		{"interrupted", testURL, fault.New(fault.Interrupted, "", "interrupted"), fault.SignInNeeded, "the sign-in was interrupted in its own terminal", "start it again, such as: homing login"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state", "homing")
			l := announcedIn(t, dir)
			wait := delivering(t, dir, tt.text)
			if got := redirectOf(t, l); !got.Handed || (got.Error == "") != (got.Code.Reveal() == testCode) {
				t.Errorf("got %+v", got)
			}
			begin := time.Now()
			l.Finish(t.Context(), tt.outcome)
			if d := time.Since(begin); d > 1500*time.Millisecond {
				t.Errorf("Finish waited %v for a page that nobody fetches", d)
			}
			err := wait()
			if tt.outcome == nil && err != nil {
				t.Errorf("got %v", err)
			}
			if tt.outcome != nil && (fault.KindOf(err) != tt.kind || err.Error() != tt.want || fault.HintOf(err) != tt.hint) {
				t.Errorf("got %v (%v), hint %q", err, fault.KindOf(err), fault.HintOf(err))
			}
			if left := names(t, dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
			err = Deliver(t.Context(), dir, tt.text)
			if fault.KindOf(err) != fault.SignInNeeded || fault.HintOf(err) == "" {
				t.Errorf("once it has ended: %v", err)
			}
		})
	}
}

func TestDeliverToNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := announcedIn(t, dir)
	for text, kind := range map[string]fault.Kind{
		"hello " + testCode:                 fault.Usage,
		"?code=" + testCode + "&state=else": fault.SignInNeeded,
	} {
		err := Deliver(t.Context(), dir, text)
		if fault.KindOf(err) != kind || strings.Contains(err.Error()+fault.HintOf(err), "SECRETCODE") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if err := Deliver(t.Context(), filepath.Join(dir, "missing"), testURL); fault.KindOf(err) != fault.SignInNeeded {
		t.Errorf("no folder: %v", err)
	}
	select {
	case r := <-l.Redirects():
		t.Errorf("delivered %+v", r)
	default:
	}
}

// TestAnnouncement: what is in the folder is ours alone and tells nothing; it is gone when the listener is.
func TestAnnouncement(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	l := announcedIn(t, dir)
	if got := names(t, dir); len(got) != 2 {
		t.Fatalf("files: %v", got)
	}
	file, lock, hash := files(dir, testState)
	for _, path := range []string{dir, file, lock} {
		info, err := os.Lstat(path)
		if err != nil || !private(info) || !ours(info) {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil || len(fields) != 2 || fields["port"] != float64(l.Port()) || fields["state_sha256"] != hash {
		t.Errorf("%s, %v", text, err)
	}
	if strings.Contains(string(text)+file, testState) {
		t.Error("the state is in it")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := l.Announce(dir); err != nil || len(names(t, dir)) != 0 {
		t.Errorf("announced after its end: %v, %v", names(t, dir), err)
	}
}

// TestSweep: what died is removed; what lives, and what is not ours to judge, stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stem := func(c string) string { return "callback-" + strings.Repeat(c, 64) }
	write(stem("a") + ".json")
	write(stem("a") + ".lock")
	write(stem("b") + ".json") // without a lock
	write(stem("c") + ".json.tmp")
	write(stem("c") + ".lock")
	write("worked.json")
	write("callback-notes.json")
	alive := write(stem("d") + ".lock")
	write(stem("d") + ".json")
	other := flock.New(alive)
	if ok, err := other.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	defer func() { _ = other.Unlock() }()
	announcedIn(t, dir)
	if got := len(names(t, dir)); got != 6 {
		t.Errorf("files: %v", names(t, dir))
	}
	for _, name := range []string{stem("a") + ".json", stem("b") + ".json", stem("c") + ".json.tmp"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	if info, err := os.Stat(dir); err != nil || !private(info) {
		t.Errorf("the folder is open to others: %v, %v", info.Mode(), err)
	}
}

// TestLinks: a link in the way is not followed.
func TestLinks(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // links need a privilege there
	}
	precious := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(precious, []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := func(path string) {
		if err := os.Symlink(precious, path); err != nil {
			t.Fatal(err)
		}
	}
	for _, which := range []string{"file", "lock", "temp"} {
		dir := t.TempDir()
		file, lock, _ := files(dir, testState)
		link(map[string]string{"file": file, "lock": lock, "temp": file + ".tmp"}[which])
		l := start(t, Options{})
		err := l.Announce(dir)
		if err != nil && fault.KindOf(err) != fault.Config {
			t.Errorf("%s: %v", which, err)
		}
		if text, err := os.ReadFile(precious); err != nil || string(text) != "keep" {
			t.Errorf("%s: the link was followed: %q, %v", which, text, err)
		}
		_ = l.Close()
		if _, err := os.Lstat(precious); err != nil {
			t.Errorf("%s: %v", which, err)
		}
	}
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	dir := t.TempDir()
	_, lock, _ := files(dir, testState)
	if err := os.Symlink(nowhere, lock); err != nil {
		t.Fatal(err)
	}
	if err := start(t, Options{}).Announce(dir); fault.KindOf(err) != fault.Config {
		t.Errorf("a lock that is a link: %v", err)
	}
	if _, err := os.Lstat(nowhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("made where the link points: %v", err)
	}
	dir = t.TempDir()
	l := announcedIn(t, dir)
	file, _, _ := files(dir, testState)
	other := filepath.Join(t.TempDir(), "other.json")
	if err := os.Rename(file, other); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, file); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := Deliver(ctx, dir, testURL); fault.KindOf(err) != fault.SignInNeeded {
		t.Errorf("a linked announcement was believed: %v", err)
	}
	_ = l.Close()
	if err := start(t, Options{}).Announce(precious); fault.KindOf(err) != fault.Config || fault.HintOf(err) == "" {
		t.Errorf("a file for a folder: %v", err)
	}
}

// impostor announces a port that is not the login's, with the lock held, and returns what arrives there.
func impostor(t *testing.T, dir string, port int) {
	t.Helper()
	retract, err := announce(dir, testState, port)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(retract)
}

// TestDeliverToAnImpostor: whoever has the port without knowing the state does not get the code.
func TestDeliverToAnImpostor(t *testing.T) {
	t.Parallel()
	stranger := start(t, Options{}) // another login, another state
	stranger.state = "another"
	for name, handler := range map[string]http.Handler{
		"another login": stranger,
		"says yes": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			writeJSON(w, http.StatusOK, outcome{Completed: true, Proof: strings.Repeat("0", 64)})
		}),
		"redirects": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				t.Error("the redirect was followed")
			}
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}),
		"never ends": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			for range 1 << 16 {
				if _, err := w.Write(make([]byte, 1<<10)); err != nil {
					return
				}
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if strings.Contains(r.URL.RawQuery, "SECRETCODE") || strings.Contains(r.URL.RawQuery, testState) {
					t.Error("the impostor has the redirect")
				}
				handler.ServeHTTP(w, r)
			}))
			t.Cleanup(srv.Close)
			dir := t.TempDir()
			impostor(t, dir, srv.Listener.Addr().(*net.TCPAddr).Port)
			err := Deliver(t.Context(), dir, testURL)
			if fault.KindOf(err) != fault.SignInNeeded || fault.HintOf(err) == "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

// TestDeliverToTheDead: a file without its lock, or a port without a listener, is nobody.
func TestDeliverToTheDead(t *testing.T) {
	t.Parallel()
	t.Run("no lock held", func(t *testing.T) {
		t.Parallel()
		asked := false
		srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
		dir := t.TempDir()
		retract, err := announce(dir, testState, srv.Listener.Addr().(*net.TCPAddr).Port)
		if err != nil {
			t.Fatal(err)
		}
		file, lock, _ := files(dir, testState)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		retract()
		for path, text := range map[string][]byte{file: text, lock: nil} { // as a killed login leaves them
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := Deliver(t.Context(), dir, testURL); fault.KindOf(err) != fault.SignInNeeded {
			t.Errorf("got %v", err)
		}
		srv.Close()
		if asked {
			t.Error("the new owner of the port was asked")
		}
	})
	t.Run("no listener", func(t *testing.T) {
		t.Parallel()
		free, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		port := free.Addr().(*net.TCPAddr).Port
		_ = free.Close()
		dir := t.TempDir()
		impostor(t, dir, port)
		if err := Deliver(t.Context(), dir, testURL); fault.KindOf(err) != fault.SignInNeeded || fault.HintOf(err) == "" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("ends without a word", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		l := announcedIn(t, dir)
		wait := delivering(t, dir, testURL)
		redirectOf(t, l)
		_ = l.Close()
		if err := wait(); fault.KindOf(err) != fault.SignInNeeded || !strings.Contains(err.Error(), "has ended") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("has another already", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		l := announcedIn(t, dir)
		first := delivering(t, dir, testURL)
		redirectOf(t, l)
		err := Deliver(t.Context(), dir, "?code=other&state="+testState)
		if fault.KindOf(err) != fault.SignInNeeded || !strings.Contains(err.Error(), "another redirect") {
			t.Errorf("got %v", err)
		}
		again := delivering(t, dir, testURL)
		time.Sleep(20 * time.Millisecond)
		l.Finish(t.Context(), nil)
		if a, b := first(), again(); a != nil || b != nil {
			t.Errorf("got %v and %v", a, b)
		}
	})
}

func TestDeliverIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := start(t, Options{}, func(b *bounds) { b.hold = 100 * time.Millisecond })
	if err := l.Announce(dir); err != nil {
		t.Fatal(err)
	}
	if err := Deliver(t.Context(), dir, testURL); fault.KindOf(err) != fault.TimedOut || fault.HintOf(err) == "" {
		t.Errorf("the login says that it is late: %v", err)
	}
	// One that says nothing at all.
	silent, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	dir = t.TempDir()
	impostor(t, dir, silent.Addr().(*net.TCPAddr).Port)
	short := bounds{read: 100 * time.Millisecond, write: 100 * time.Millisecond, hold: 100 * time.Millisecond}
	begin := time.Now()
	if err := deliver(t.Context(), dir, testURL, short); fault.KindOf(err) != fault.TimedOut || time.Since(begin) > 5*time.Second {
		t.Errorf("silence: %v after %v", err, time.Since(begin))
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if err := Deliver(ctx, dir, testURL); fault.KindOf(err) != fault.Interrupted {
		t.Errorf("cancelled: %v", err)
	}
}

// TestHandedStrangers: a browser cannot pass for Deliver, and no answer but to the right state is JSON.
func TestHandedStrangers(t *testing.T) {
	t.Parallel()
	l := start(t, Options{})
	hand := withHeader(handedHeader, "1")
	for name, change := range map[string][]func(*http.Request){
		"origin":         {hand, withHeader("Origin", "https://evil.example")},
		"fetch mode":     {hand, withHeader("Sec-Fetch-Mode", "navigate")},
		"fetch site":     {hand, withHeader("Sec-Fetch-Site", "none")},
		"another value":  {withHeader(handedHeader, "2")},
		"foreign host":   {hand, host("evil.example")},
		"long challenge": {hand, withHeader(challengeHeader, strings.Repeat("x", maxChallenge+1))},
	} {
		a := send(t, l, http.MethodGet, Path+"?"+good, change...)
		if a.status != http.StatusBadRequest || strings.Contains(a.body, "{\"") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	challenge := withHeader(challengeHeader, "c")
	for name, change := range map[string][]func(*http.Request){
		"not handed": {challenge},
		"origin":     {hand, challenge, withHeader("Origin", "https://evil.example")},
		"host":       {hand, challenge, host("evil.example")},
		"POST":       {hand, challenge, func(r *http.Request) { r.Method = http.MethodPost }},
	} {
		if a := send(t, l, http.MethodGet, Path, change...); a.status != http.StatusBadRequest || strings.Contains(a.body, "proof") {
			t.Errorf("a challenge, %s: %d %s", name, a.status, a.body)
		}
	}
	a := send(t, l, http.MethodGet, Path, hand, challenge)
	if a.status != http.StatusOK || !strings.Contains(a.body, proof(testState, l.Port(), "c")) || strings.Contains(a.body, testState) {
		t.Errorf("%d %s", a.status, a.body)
	}
	checkHeader(t, a.header)
	select {
	case r := <-l.Redirects():
		t.Errorf("believed: %+v", r)
	default:
	}
}
