package callback

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/testtools"
)

// TestStrangersChangeNothing sends every wrong request, then the right one.
func TestStrangersChangeNothing(t *testing.T) {
	t.Parallel()
	l := start(t, Options{Hosts: forwarded})
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
		{name: "favicon", target: "/favicon.ico"},
		{name: "POST", method: http.MethodPost, target: right},
		{name: "HEAD", method: http.MethodHead, target: right},
		{name: "OPTIONS", method: http.MethodOptions, target: right},
		{name: "foreign host", target: right, change: host("evil.example")},
		{name: "foreign host with our port", target: right, change: host("evil.example:" + strconv.Itoa(l.Port()))},
		{name: "host that begins like ours", target: right, change: host("127.0.0.1.evil.example")},
		{name: "host that ends like ours", target: right, change: host("evil.localhost")},
		{name: "another loopback address", target: right, change: host("127.0.0.2")},
		{name: "any address", target: right, change: host("0.0.0.0:80")},
		{name: "another forwarded origin", target: right, change: host("Name-1.app.github.dev")},
		{name: "cross-site fetch", target: right, change: withHeader("Origin", "https://evil.example")},
		{name: "image of a page", target: right, change: withHeader("Sec-Fetch-Mode", "no-cors")},
	} {
		if tt.method == "" {
			tt.method = http.MethodGet
		}
		var change []func(*http.Request)
		if tt.change != nil {
			change = append(change, tt.change)
		}
		a := send(t, l, tt.method, tt.target, change...)
		if a.status != http.StatusBadRequest {
			t.Errorf("%s: status %d", tt.name, a.status)
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
	first := startGet(t, l, right)
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

// forwarded is the origin of a forwarded port.
func forwarded(port int) []string { return []string{"Name-" + strconv.Itoa(port) + ".app.github.dev"} }

func TestHosts(t *testing.T) {
	t.Parallel()
	for _, h := range []string{"127.0.0.1", "127.0.0.1:1234", "localhost", "LOCALHOST:8080", "[::1]", "[::1]:99", "Name-PORT.app.github.dev", "name-PORT.APP.github.dev"} {
		l := start(t, Options{Hosts: forwarded})
		h = strings.Replace(h, "PORT", strconv.Itoa(l.Port()), 1)
		go func() { _, _ = try(t.Context(), l, http.MethodGet, Path+"?"+good, host(h)) }()
		got := redirectOf(t, l)
		if got.Code.Reveal() != testCode {
			t.Errorf("%s: another code", h)
		}
		if want := !strings.HasPrefix(h, "127.0.0.1"); got.Swapped != want {
			t.Errorf("%s: swapped is %v", h, got.Swapped)
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
		testtools.Missing(t, "an IPv4 address besides loopback", "run it on a machine with a network interface")
	}
}

// TestCrowd: connections that say nothing use up their own places, not the browser's.
func TestCrowd(t *testing.T) {
	t.Parallel()
	l := start(t, Options{}, func(b *bounds) { b.conns, b.grace = 10, 10*time.Millisecond })
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(l.Port()))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	wait := startGet(t, l, Path+"?"+good)
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

// TestCrowdGivesAChance: a connection is not closed for another before it could be read.
func TestCrowdGivesAChance(t *testing.T) {
	t.Parallel()
	const grace = 300 * time.Millisecond
	l := start(t, Options{}, func(b *bounds) { b.conns, b.grace = 3, grace })
	begin := time.Now()
	var first net.Conn
	for i := range 5 {
		conn, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(l.Port()))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if i == 0 {
			first = conn
		}
	}
	_ = first.SetReadDeadline(time.Now().Add(4 * time.Second)) // before the time for a request is over
	_, err := first.Read(make([]byte, 1))
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		t.Error("the oldest connection was kept")
	}
	if d := time.Since(begin); d < grace {
		t.Errorf("the oldest connection was closed after %v", d)
	}
	if a := send(t, l, http.MethodGet, "/"); a.status != http.StatusBadRequest {
		t.Errorf("status %d", a.status)
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
