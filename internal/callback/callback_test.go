package callback

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/testtools"
)

const (
	testState = "1f0a4e3c-5b7d-4c1e-9a2b-0123456789ab"
	testCode  = "eyJraWQiOiJrZXktMTU2NDAyODA3OCJ9.SECRETCODE.sig"
)

func start(t *testing.T, o Options, change ...func(*bounds)) *Listener {
	t.Helper()
	b := usual
	for _, f := range change {
		f(&b)
	}
	o.State, o.InWords = testState, inWords
	l, err := listen(o, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// inWords stands in for a renderer of remedies.
func inWords(r fault.Remedy) (words, command string) {
	switch action := fault.Action(r).(type) {
	case nil:
		return "", ""
	case fault.Advice:
		return string(action), ""
	case fault.Login:
		return "run:", "login " + action.Session
	}
	return fmt.Sprintf("%+v", r), ""
}

// good is the query of the right redirect.
var good = url.Values{"code": {testCode}, "state": {testState}}.Encode()

// browser follows no redirect by itself and keeps no connection.
var browser = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

type answer struct {
	status int
	header http.Header
	body   string
}

func send(t *testing.T, l *Listener, method, target string, change ...func(*http.Request)) answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	a, err := try(ctx, l, method, target, change...)
	if err != nil {
		t.Errorf("%s %s: %v", method, target, err)
	}
	return a
}

func try(ctx context.Context, l *Listener, method, target string, change ...func(*http.Request)) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://127.0.0.1:"+strconv.Itoa(l.Port())+target, nil)
	if err != nil {
		return answer{}, err
	}
	for _, f := range change {
		f(req)
	}
	resp, err := browser.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body)}, err
}

func host(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }

func withHeader(k, v string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(k, v) }
}

func redirectOf(t *testing.T, l *Listener) Redirect {
	t.Helper()
	select {
	case r := <-l.Redirects():
		return r
	case <-time.After(10 * time.Second):
		t.Fatal("no redirect arrived")
		return Redirect{}
	}
}

// startGet sends a request that is held, and returns how to wait for its answer.
func startGet(t *testing.T, l *Listener, target string) func() answer {
	t.Helper()
	done := make(chan answer, 1)
	go func() {
		a, err := try(t.Context(), l, http.MethodGet, target)
		if err != nil {
			t.Error(err)
		}
		done <- a
	}()
	return func() answer {
		select {
		case a := <-done:
			return a
		case <-time.After(15 * time.Second):
			t.Error("no answer")
			return answer{}
		}
	}
}

func TestSuccess(t *testing.T) {
	t.Parallel()
	l := start(t, Options{})
	if want := fmt.Sprintf("http://127.0.0.1:%d/oauth/callback", l.Port()); l.RedirectURI() != want {
		t.Errorf("redirect URI %q, want %q", l.RedirectURI(), want)
	}
	if a := send(t, l, http.MethodGet, "/done"); a.status != http.StatusBadRequest {
		t.Errorf("clean page before the end: status %d", a.status)
	}
	first := startGet(t, l, Path+"?"+good)
	got := redirectOf(t, l)
	if got.Code.Reveal() != testCode || got.Error != "" {
		t.Errorf("got %+v", got)
	}
	reload := startGet(t, l, Path+"?"+good)
	waitHeld(t, l, 2)
	finished := make(chan struct{})
	go func() { defer close(finished); l.Finish(t.Context(), nil) }()
	for _, a := range []answer{first(), reload()} {
		if a.status != http.StatusFound || a.header.Get("Location") != "../done" || a.body != "" {
			t.Errorf("status %d, location %q, body %q", a.status, a.header.Get("Location"), a.body)
		}
		checkHeader(t, a.header)
	}
	select {
	case <-finished:
		t.Error("closed before the browser had its page")
	case <-time.After(50 * time.Millisecond):
	}
	a := send(t, l, http.MethodGet, "/done")
	if a.status != http.StatusOK || !strings.Contains(a.body, "You are signed in") {
		t.Errorf("status %d, page %q", a.status, a.body)
	}
	checkPage(t, a)
	<-finished
	if _, err := try(t.Context(), l, http.MethodGet, "/done"); err == nil {
		t.Error("still listening")
	}
	select {
	case r := <-l.Redirects():
		t.Errorf("a second redirect: %+v", r)
	default:
	}
}

func waitHeld(t *testing.T, l *Listener, n int) {
	t.Helper()
	for range 2000 {
		l.mu.Lock()
		held := l.held
		l.mu.Unlock()
		if held == n {
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("not %d browsers waiting", n)
}

func TestFailureSaysWhatTheTerminalSays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err    error
		status int
	}{
		{fault.Suggest(fault.Denied, fault.Login{Session: "dev"}, `the sign-in to "dev" was <denied> & more`), http.StatusForbidden},
		{fault.New(fault.Unavailable, "check 'x'\x1b[31m", "cannot reach \"x\": \x1b]0;t\x07nonsense"), http.StatusBadGateway},
	} {
		l := start(t, Options{})
		first := startGet(t, l, Path+"?"+good)
		redirectOf(t, l)
		l.Finish(t.Context(), tt.err)
		a := first()
		if a.status != tt.status || a.header.Get("Location") != "" {
			t.Errorf("status %d, want %d", a.status, tt.status)
		}
		checkPage(t, a)
		switch text := visible(a.body); {
		case strings.ContainsAny(text, "\x1b\x07"):
			t.Errorf("control characters in %q", text)
		case tt.status == http.StatusForbidden && !strings.Contains(text, tt.err.Error()),
			tt.status == http.StatusForbidden && !strings.Contains(text, "Run: login dev"),
			tt.status == http.StatusBadGateway && !strings.Contains(text, `cannot reach "x": nonsense`):
			t.Errorf("page %q does not say %q", text, tt.err)
		}
		if strings.Contains(a.body, "<denied>") {
			t.Error("not escaped")
		}
	}
}

// The next step is a sentence; only what is to be typed is set as code.
func TestNextStepIsASentence(t *testing.T) {
	t.Parallel()
	for step, want := range map[[2]string]string{
		{"run:", "x"}:                   "<p>Run: <code>x</code></p>",
		{"to try again, run:", "x a&b"}: "<p>To try again, run: <code>x a&amp;b</code></p>",
		{"ask the administrator", ""}:   "<p>Ask the administrator.</p>",
		{"", ""}:                        "",
	} {
		l := &Listener{inWords: func(fault.Remedy) (words, command string) { return step[0], step[1] }}
		got := l.failurePage(fault.New(fault.Denied, "", "no")).html()
		_, got, _ = strings.Cut(got, "<p>homing: no</p>\n")
		got, _, _ = strings.Cut(got, "</main>")
		if strings.TrimSpace(got) != want {
			t.Errorf("%q became %q, want %q", step, got, want)
		}
	}
}

// visible is what a reader sees of a page.
func visible(page string) string {
	text := regexp.MustCompile(`(?s)<style>.*?</style>|<[^>]*>`).ReplaceAllString(page, "")
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&").Replace(text)
}

func checkHeader(t *testing.T, h http.Header) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
	} {
		if got := h.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	csp := h.Get("Content-Security-Policy")
	if !strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "unsafe") ||
		strings.Contains(csp, "script") {
		t.Errorf("Content-Security-Policy %q", csp)
	}
}

func checkPage(t *testing.T, a answer) {
	t.Helper()
	checkHeader(t, a.header)
	if got := a.header.Get("Content-Type"); got != "text/html; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
	for _, part := range []string{`<html lang="en">`, `name="viewport"`, "<title>", "<main>", "<h1>", "color-scheme:light dark"} {
		if !strings.Contains(a.body, part) {
			t.Errorf("no %s in %s", part, a.body)
		}
	}
	for _, part := range []string{"<script", "http://", "https://", testState, "SECRETCODE", "<input", "<form"} {
		if strings.Contains(a.body, part) {
			t.Errorf("%s in %s", part, a.body)
		}
	}
}

func TestErrorRedirect(t *testing.T) {
	t.Parallel()
	l := start(t, Options{})
	v := url.Values{"error": {"access_denied"}, "error_description": {"no\x1b[31m"}, "state": {testState}}
	wait := startGet(t, l, Path+"?"+v.Encode())
	got := redirectOf(t, l)
	if got.Error != "access_denied" || got.Description != "no\x1b[31m" || !got.Code.IsZero() {
		t.Errorf("got %+v", got)
	}
	l.Finish(t.Context(), fault.New(fault.Denied, "", "denied"))
	if a := wait(); a.status != http.StatusForbidden {
		t.Errorf("status %d", a.status)
	}
}

// TestReachedByEitherLoopback: a tunnel dials "localhost", which may be ::1.
func TestReachedByEitherLoopback(t *testing.T) {
	t.Parallel()
	probe, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		testtools.Missing(t, "the IPv6 loopback address", "enable IPv6 (sysctl net.ipv6.conf.lo.disable_ipv6=0)")
	}
	_ = probe.Close()
	l := start(t, Options{})
	resp, err := browser.Get("http://[::1]:" + strconv.Itoa(l.Port()) + "/")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", resp.StatusCode)
	}
}

// TestHeldLongerThanARead: the bound for reading a request is not one for answering it.
func TestHeldLongerThanARead(t *testing.T) {
	t.Parallel()
	l := start(t, Options{}, func(b *bounds) { b.read, b.write = 500*time.Millisecond, 500*time.Millisecond })
	wait := startGet(t, l, Path+"?"+good)
	redirectOf(t, l)
	time.Sleep(800 * time.Millisecond)
	waitHeld(t, l, 1)
	go l.Finish(t.Context(), nil)
	if a := wait(); a.status != http.StatusFound {
		t.Errorf("status %d", a.status)
	}
}

func TestHeldTooLong(t *testing.T) {
	t.Parallel()
	l := start(t, Options{}, func(b *bounds) { b.hold = 50 * time.Millisecond })
	wait := startGet(t, l, Path+"?"+good)
	redirectOf(t, l)
	if a := wait(); a.status != http.StatusGatewayTimeout {
		t.Errorf("status %d", a.status)
	}
}

// TestFinishIsBounded: a browser that does not come for its page, or left, holds nobody up.
func TestFinishIsBounded(t *testing.T) {
	t.Parallel()
	t.Run("never comes", func(t *testing.T) {
		t.Parallel()
		l := start(t, Options{}, func(b *bounds) { b.linger = 300 * time.Millisecond })
		wait := startGet(t, l, Path+"?"+good)
		redirectOf(t, l)
		begin := time.Now()
		l.Finish(t.Context(), nil)
		wait()
		if d := time.Since(begin); d < 300*time.Millisecond || d > 5*time.Second {
			t.Errorf("took %v", d)
		}
	})
	t.Run("left", func(t *testing.T) {
		t.Parallel()
		l := start(t, Options{}, func(b *bounds) { b.linger = time.Minute })
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, _ = try(ctx, l, http.MethodGet, Path+"?"+good) }()
		redirectOf(t, l)
		waitHeld(t, l, 1)
		cancel()
		waitHeld(t, l, 0)
		begin := time.Now()
		l.Finish(t.Context(), nil)
		if d := time.Since(begin); d > 10*time.Second {
			t.Errorf("took %v", d)
		}
	})
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		l := start(t, Options{}, func(b *bounds) { b.linger = time.Minute })
		idle, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(l.Port())) // as browsers do, ahead of need
		if err != nil {
			t.Fatal(err)
		}
		defer idle.Close()
		send(t, l, http.MethodGet, "/")
		begin := time.Now()
		l.Finish(t.Context(), nil)
		l.Finish(t.Context(), nil)
		if d := time.Since(begin); d > 4*time.Second {
			t.Errorf("took %v", d)
		}
	})
}

func TestPageStyleIsAllowed(t *testing.T) {
	t.Parallel()
	if !strings.Contains(donePage.html(), "<style>"+style+"</style>") || strings.Contains(style, "url(") {
		t.Error("the policy's digest is of another text than the page's style")
	}
}

func TestRedirectDoesNotPrintItsCode(t *testing.T) {
	t.Parallel()
	r := Redirect{Code: session.NewSecret(testCode)}
	if s := fmt.Sprintf("%v %+v %#v", r, r, r); strings.Contains(s, "SECRETCODE") {
		t.Errorf("printed %q", s)
	}
}
