package callback

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
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
	o.State = testState
	l, err := listen(o, b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
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

// later sends a request that is held, and returns how to wait for its answer.
func later(t *testing.T, l *Listener, target string) func() answer {
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
	first := later(t, l, Path+"?"+good)
	got := redirectOf(t, l)
	if got.Code.Reveal() != testCode || got.Error != "" {
		t.Errorf("got %+v", got)
	}
	reload := later(t, l, Path+"?"+good)
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
		{fault.New(fault.Denied, "run: homing login --sso-session dev", `the sign-in to "dev" was <denied> & more`), http.StatusForbidden},
		{fault.New(fault.Unavailable, "check 'x'\x1b[31m", "cannot reach \"x\": \x1b]0;t\x07nonsense"), http.StatusBadGateway},
	} {
		l := start(t, Options{})
		first := later(t, l, Path+"?"+good)
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
			tt.status == http.StatusForbidden && !strings.Contains(text, "hint: "+fault.HintOf(tt.err)),
			tt.status == http.StatusBadGateway && !strings.Contains(text, `cannot reach "x": nonsense`):
			t.Errorf("page %q does not say %q", text, tt.err)
		}
		if strings.Contains(a.body, "<denied>") {
			t.Error("not escaped")
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
	if !strings.HasPrefix(csp, "default-src 'none'; ") || strings.Contains(csp, "unsafe") || strings.Contains(csp, "script") {
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

// TestStrangersChangeNothing sends every wrong request, then the right one.
func TestStrangersChangeNothing(t *testing.T) {
	t.Parallel()
	l := start(t, Options{Hosts: []string{"Name-8080.app.github.dev"}})
	q := func(pairs ...string) string {
		v := url.Values{}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return Path + "?" + v.Encode()
	}
	right := Path + "?" + good
	for _, tt := range []struct {
		name, method, target string
		status               int
		change               func(*http.Request)
	}{
		{name: "no query", target: Path},
		{name: "no state", target: q("code", testCode)},
		{name: "empty state", target: q("code", testCode, "state", "")},
		{name: "wrong state", target: q("code", "x", "state", "y")},
		{name: "state with more", target: q("code", testCode, "state", testState+"x")},
		{name: "part of the state", target: q("code", testCode, "state", testState[:20])},
		{name: "state twice", target: q("code", testCode, "state", testState, "state", testState)},
		{name: "no code", target: q("state", testState)},
		{name: "empty code", target: q("code", "", "state", testState)},
		{name: "two codes", target: q("code", testCode, "code", "other", "state", testState)},
		{name: "code and error", target: q("code", testCode, "error", "access_denied", "state", testState)},
		{name: "two errors", target: q("error", "a", "error", "b", "state", testState)},
		{name: "error with a wrong state", target: q("error", "access_denied", "state", "x")},
		{name: "error without a state", target: q("error", "access_denied")},
		{name: "broken query", target: Path + "?" + good + "&x=%zz"},
		{name: "semicolons", target: Path + "?state=" + testState + ";code=x"},
		{name: "too long a code", target: q("code", strings.Repeat("x", maxValue+1), "state", testState)},
		{name: "another path", target: "/callback?" + good},
		{name: "a path below", target: Path + "/?" + good},
		{name: "a path in disguise", target: "/oauth%2Fcallback?" + good},
		{name: "the root", target: "/"},
		{name: "favicon", target: "/favicon.ico", status: http.StatusNotFound},
		{name: "POST", method: http.MethodPost, target: right, status: http.StatusMethodNotAllowed},
		{name: "HEAD", method: http.MethodHead, target: right, status: http.StatusMethodNotAllowed},
		{name: "OPTIONS", method: http.MethodOptions, target: right, status: http.StatusMethodNotAllowed},
		{name: "foreign host", target: right, change: host("evil.example")},
		{name: "foreign host with our port", target: right, change: host("evil.example:" + strconv.Itoa(l.Port()))},
		{name: "host that begins like ours", target: right, change: host("127.0.0.1.evil.example")},
		{name: "host that ends like ours", target: right, change: host("evil.localhost")},
		{name: "another loopback address", target: right, change: host("127.0.0.2")},
		{name: "any address", target: right, change: host("0.0.0.0:80")},
		{name: "another forwarded origin", target: right, change: host("other-8080.app.github.dev")},
		{name: "cross-site fetch", target: right, change: withHeader("Origin", "https://evil.example")},
		{name: "image of a page", target: right, change: withHeader("Sec-Fetch-Mode", "no-cors")},
	} {
		if tt.method == "" {
			tt.method = http.MethodGet
		}
		if tt.status == 0 {
			tt.status = http.StatusBadRequest
		}
		var change []func(*http.Request)
		if tt.change != nil {
			change = append(change, tt.change)
		}
		a := send(t, l, tt.method, tt.target, change...)
		if a.status != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, a.status, tt.status)
		}
		checkHeader(t, a.header)
		if tt.method != http.MethodHead {
			checkPage(t, a)
		}
	}
	select {
	case r := <-l.Redirects():
		t.Fatalf("a stranger was believed: %+v", r)
	default:
	}
	first := later(t, l, right)
	if redirectOf(t, l).Code.Reveal() != testCode {
		t.Error("another code")
	}
	// The state is used up: another code is a stranger's too.
	if a := send(t, l, http.MethodGet, q("code", "other", "state", testState)); a.status != http.StatusBadRequest {
		t.Errorf("a second code: status %d", a.status)
	}
	l.Finish(t.Context(), fault.New(fault.Denied, "", "no"))
	first()
}

func TestHosts(t *testing.T) {
	t.Parallel()
	for _, h := range []string{"127.0.0.1", "127.0.0.1:1234", "localhost", "LOCALHOST:8080", "[::1]", "[::1]:99", "Name-8080.app.github.dev", "name-8080.APP.github.dev"} {
		l := start(t, Options{Hosts: []string{"Name-8080.app.github.dev"}})
		go func() { _, _ = try(t.Context(), l, http.MethodGet, Path+"?"+good, host(h)) }()
		if redirectOf(t, l).Code.Reveal() != testCode {
			t.Errorf("%s: another code", h)
		}
		l.Finish(t.Context(), fault.New(fault.Denied, "", "no"))
	}
	l := &Listener{}
	for _, h := range []string{"", ":80", "::1", "localhost:x", "localhost:80:80", "[::1]x", "127.0.0.1@evil.example"} {
		if l.knownHost(h) {
			t.Errorf("%q is believed", h)
		}
	}
}

func TestErrorRedirect(t *testing.T) {
	t.Parallel()
	l := start(t, Options{})
	v := url.Values{"error": {"access_denied"}, "error_description": {"no\x1b[31m"}, "state": {testState}}
	wait := later(t, l, Path+"?"+v.Encode())
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
		t.Skip("no IPv6 loopback on this machine")
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

// TestNotOnTheNetwork: only the loopback interface is listened on.
func TestNotOnTheNetwork(t *testing.T) {
	t.Parallel()
	l := start(t, Options{})
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	tried := 0
	for _, a := range addrs {
		n, ok := a.(*net.IPNet)
		if !ok || n.IP.IsLoopback() || n.IP.To4() == nil {
			continue
		}
		tried++
		conn, err := net.DialTimeout("tcp", net.JoinHostPort(n.IP.String(), strconv.Itoa(l.Port())), 2*time.Second)
		if err == nil {
			_ = conn.Close()
			t.Errorf("reachable under %s", n.IP)
		}
	}
	if tried == 0 {
		t.Skip("no address but loopback on this machine")
	}
}

func TestPorts(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	_, err = Listen(Options{State: testState, Ports: []int{port}})
	if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), fmt.Sprintf("port %d on 127.0.0.1 is in use", port)) || fault.HintOf(err) == "" {
		t.Errorf("got %v, hint %q", err, fault.HintOf(err))
	}
	l, err := Listen(Options{State: testState, Ports: []int{port, 0}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.Port() == port || l.Port() == 0 {
		t.Errorf("port %d", l.Port())
	}
	if _, err := Listen(Options{}); err == nil {
		t.Error("listens without a state")
	}
}

// TestFlood: forged requests, without end and at once, while the right one arrives.
func TestFlood(t *testing.T) {
	t.Parallel()
	l := start(t, Options{})
	const strangers, each = 20, 100
	var wg sync.WaitGroup
	for i := range strangers {
		wg.Go(func() {
			for j := range each {
				v := url.Values{"code": {"x"}, "state": {fmt.Sprintf("%d-%d", i, j)}}
				if a, err := try(t.Context(), l, http.MethodGet, Path+"?"+v.Encode()); err == nil && a.status != http.StatusBadRequest {
					t.Errorf("a forged request was answered %d", a.status)
				}
			}
		})
	}
	wait := later(t, l, Path+"?"+good)
	if redirectOf(t, l).Code.Reveal() != testCode {
		t.Error("another code")
	}
	wg.Wait()
	go l.Finish(t.Context(), nil)
	if a := wait(); a.status != http.StatusFound {
		t.Errorf("status %d", a.status)
	}
}

// TestCrowd: connections that say nothing use up their own places, not the browser's.
func TestCrowd(t *testing.T) {
	t.Parallel()
	l := start(t, Options{}, func(b *bounds) { b.conns = 10 })
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(l.Port()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	wait := later(t, l, Path+"?"+good)
	redirectOf(t, l)
	waitHeld(t, l, 1)
	first := dial()
	for range 20 {
		dial()
	}
	if a := send(t, l, http.MethodGet, "/"); a.status != http.StatusBadRequest {
		t.Errorf("status %d", a.status)
	}
	_ = first.SetReadDeadline(time.Now().Add(4 * time.Second)) // before the time for a request is over
	if _, err := first.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && !strings.Contains(fmt.Sprint(err), "reset") {
		t.Errorf("the oldest connection was kept: %v", err)
	}
	begin := time.Now()
	go l.Finish(t.Context(), nil)
	if a := wait(); a.status != http.StatusFound {
		t.Errorf("the browser that waited longest was turned away: status %d", a.status)
	}
	if a := send(t, l, http.MethodGet, "/done"); a.status != http.StatusOK {
		t.Errorf("status %d", a.status)
	}
	if d := time.Since(begin); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestSlowAndHuge: a slow or endless request ends by itself.
func TestSlowAndHuge(t *testing.T) {
	t.Parallel()
	l := start(t, Options{}, func(b *bounds) { b.read = 100 * time.Millisecond })
	for name, text := range map[string]string{
		"header that never ends": "GET " + Path + "?" + good + " HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ",
		"huge header":            "GET " + Path + "?" + good + " HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + strings.Repeat("x", 3*maxHeader) + "\r\n\r\n",
		"slow body":              "POST " + Path + "?" + good + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 99\r\n\r\nx",
		"no HTTP":                "hello\r\n\r\n",
		"two hosts":              "GET " + Path + "?" + good + " HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(l.Port()))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, text); err != nil && name != "huge header" {
			t.Errorf("%s: %v", name, err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		status, err := bufio.NewReader(conn).ReadString('\n')
		if err == nil && !strings.Contains(status, " 4") {
			t.Errorf("%s: answered %q", name, status)
		}
		if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
			t.Errorf("%s: the connection stays open", name)
		}
		_ = conn.Close()
	}
	select {
	case r := <-l.Redirects():
		t.Errorf("believed: %+v", r)
	default:
	}
}

// TestHeldLongerThanARead: the bound for reading a request is not one for answering it.
func TestHeldLongerThanARead(t *testing.T) {
	t.Parallel()
	l := start(t, Options{}, func(b *bounds) { b.read, b.write = 500*time.Millisecond, 500*time.Millisecond })
	wait := later(t, l, Path+"?"+good)
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
	wait := later(t, l, Path+"?"+good)
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
		wait := later(t, l, Path+"?"+good)
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
