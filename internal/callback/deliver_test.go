package callback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
	proxy := httptest.NewServer(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }),
	)
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("http_proxy", proxy.URL)
	t.Setenv("NO_PROXY", "")
	denial := fault.Suggest(fault.Denied, fault.Login{Session: "dev"}, "the sign-in to \"dev\" was denied")
	for _, tt := range []struct {
		name    string
		text    string
		outcome error // of the login
		kind    fault.Kind
		want    string
		remedy  fault.Remedy
	}{
		{"completed", testURL, nil, 0, "", nil},
		{"denied", Path + "?error=access_denied&state=" + testState, denial, fault.Denied, denial.Msg, fault.Advice("run: login dev")},
		{"unreachable", testURL, fault.New(fault.Unavailable, "wait", "x \x1b[31mis down"), fault.Unavailable, "x is down", fault.Advice("wait")},
		{"unwritable", testURL, fault.New(fault.Config, "", "disk full"), fault.Config, "disk full", nil},
		{"a bug", testURL, errors.New("oops"), fault.Bug, "oops", nil},
		{"interrupted", testURL, fault.New(fault.Interrupted, "", "interrupted"), fault.SignInNeeded, "the sign-in was interrupted in its own terminal", startAgain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "state", "homing")
			l := start(t, Options{}, func(b *bounds) { b.linger = time.Minute })
			if err := l.Announce(dir); err != nil {
				t.Fatal(err)
			}
			wait := delivering(t, dir, tt.text)
			if got := redirectOf(t, l); !got.Handed || (got.Error == "") != (got.Code.Reveal() == testCode) {
				t.Errorf("got %+v", got)
			}
			begin := time.Now()
			l.Finish(t.Context(), tt.outcome)
			if d := time.Since(begin); d > 20*time.Second {
				t.Errorf("Finish waited %v for a page that nobody fetches", d)
			}
			err := wait()
			if tt.outcome == nil && err != nil {
				t.Errorf("got %v", err)
			}
			if tt.outcome != nil &&
				(fault.KindOf(err) != tt.kind || err.Error() != tt.want || fault.RemedyOf(err) != tt.remedy) {
				t.Errorf("got %v (%v), remedy %#v", err, fault.KindOf(err), fault.RemedyOf(err))
			}
			if left := names(t, dir); len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
			err = Deliver(t.Context(), dir, tt.text)
			if fault.KindOf(err) != fault.SignInNeeded || fault.RemedyOf(err) == nil {
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
		if fault.KindOf(err) != kind || strings.Contains(fmt.Sprint(err, fault.RemedyOf(err)), "SECRETCODE") {
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
			if fault.KindOf(err) != fault.SignInNeeded || fault.RemedyOf(err) == nil {
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
		file, lock, _ := paths(dir, testState)
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
		if err := Deliver(t.Context(), dir, testURL); fault.KindOf(err) != fault.SignInNeeded ||
			fault.RemedyOf(err) == nil {
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
		waitKept(t, l, 2)
		l.Finish(t.Context(), nil)
		if a, b := first(), again(); a != nil || b != nil {
			t.Errorf("got %v and %v", a, b)
		}
	})
}

// waitKept waits until n connections are held until the outcome is known.
func waitKept(t *testing.T, l *Listener, n int) {
	t.Helper()
	for range 2000 {
		kept := 0
		l.crowd.mu.Lock()
		for _, c := range l.crowd.state {
			if c.safe {
				kept++
			}
		}
		l.crowd.mu.Unlock()
		if kept == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("not %d connections held", n)
}

func TestDeliverIsBounded(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := start(t, Options{}, func(b *bounds) { b.hold = 100 * time.Millisecond })
	if err := l.Announce(dir); err != nil {
		t.Fatal(err)
	}
	if err := Deliver(t.Context(), dir, testURL); fault.KindOf(err) != fault.TimedOut || fault.RemedyOf(err) == nil {
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
	if err := deliver(t.Context(), dir, testURL, short); fault.KindOf(err) != fault.TimedOut ||
		time.Since(begin) > 5*time.Second {
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
		if a := send(t, l, http.MethodGet, Path, change...); a.status != http.StatusBadRequest ||
			strings.Contains(a.body, "proof") {
			t.Errorf("a challenge, %s: %d %s", name, a.status, a.body)
		}
	}
	a := send(t, l, http.MethodGet, Path, hand, challenge)
	if a.status != http.StatusOK || !strings.Contains(a.body, proof(testState, l.Port(), "c")) ||
		strings.Contains(a.body, testState) {
		t.Errorf("%d %s", a.status, a.body)
	}
	checkHeader(t, a.header)
	select {
	case r := <-l.Redirects():
		t.Errorf("believed: %+v", r)
	default:
	}
}
