package callback

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// forge is one way to be no redirect. An empty answer means that none is waited for: the connection is left open.
type forge struct {
	name, text, answer string
}

// forgeries are the kinds of request that the flood consists of, for a listener on port.
func forgeries(port int) []forge {
	at := "127.0.0.1:" + strconv.Itoa(port)
	forged := Path + "?" + url.Values{"code": {"forged"}, "state": {"forged"}}.Encode()
	real := Path + "?" + good
	get := func(target, host, more string) string {
		return "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\n" + more + "\r\n"
	}
	return []forge{
		{"wrong state", get(forged, at, ""), "400"},
		{"error with a wrong state", get(Path+"?error=access_denied&state=forged", at, ""), "400"},
		{"wrong host", get(real, "evil.example", ""), "400"},
		{"wrong method", "POST " + real + " HTTP/1.1\r\nHost: " + at + "\r\nContent-Length: 0\r\n\r\n", "400"},
		{"huge header", get(real, at, "X: "+strings.Repeat("x", 2*maxHeader)+"\r\n"), "431"},
		{"a script's", get(real, at, "Origin: https://evil.example\r\n"), "400"},
		{"a forged hand-over", get(forged, at, handedHeader+": 1\r\n"), "400"},
		{"slow body", "POST " + forged + " HTTP/1.1\r\nHost: " + at + "\r\nContent-Length: 100000\r\n\r\nx", ""},
		{"slow header", strings.TrimSuffix(get(real, at, ""), "\r\n"), ""},
		{"half-open", "", ""},
	}
}

// send delivers one forgery and checks its answer. It returns the connection when it is to stay open.
func (f forge) send(port int) (net.Conn, error) {
	conn, err := net.DialTimeout("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), 30*time.Second)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	_, err = io.WriteString(conn, f.text)
	if f.answer == "" {
		return conn, nil
	}
	defer func() { _ = conn.Close() }()
	status := make([]byte, len("HTTP/1.1 400"))
	if _, second := io.ReadFull(conn, status); err != nil || second != nil {
		return nil, nil // pushed out, or cut off amid its huge header: a stranger's loss
	}
	if got := string(status[len("HTTP/1.1 "):]); got != f.answer {
		return nil, fmt.Errorf("%s was answered %s", f.name, got)
	}
	return nil, nil
}

// flood sends forged requests from many sides at once.
type flood struct {
	all     int64
	sent    atomic.Int64
	half    chan struct{} // closed when half of them are sent
	over    atomic.Bool   // the listener closes: to be refused is no news
	workers sync.WaitGroup
}

func startFlood(t *testing.T, port int, all int64) *flood {
	t.Helper()
	const workers, kept = 64, 8
	f := &flood{all: all, half: make(chan struct{})}
	kinds := forgeries(port)
	for range workers {
		f.workers.Go(func() {
			var open []net.Conn
			for {
				n := f.sent.Add(1)
				if n > f.all {
					return
				}
				if n == f.all/2 {
					close(f.half)
				}
				conn, err := kinds[int(n)%len(kinds)].send(port)
				if err != nil && !f.over.Load() {
					t.Error(err)
				}
				if conn == nil {
					continue
				}
				t.Cleanup(func() { _ = conn.Close() })
				if open = append(open, conn); len(open) > kept {
					_ = open[0].Close()
					open = open[1:]
				}
			}
		})
	}
	t.Cleanup(func() {
		f.over.Store(true)
		f.workers.Wait()
	})
	return f
}

// TestFlood: 10,000 forged requests from 64 sides at once. The redirect that arrives amid them is believed, its
// answer comes, and so does the page after it; also when the sign-in is finished while they go on.
func TestFlood(t *testing.T) {
	t.Parallel()
	for _, amid := range []bool{true, false} {
		t.Run(map[bool]string{true: "finished amid it", false: "held to its end"}[amid], func(t *testing.T) {
			t.Parallel()
			l := start(t, Options{})
			all := int64(10_000)
			if amid {
				all = 2_000 // nobody is there for the rest
			}
			f := startFlood(t, l.Port(), all)
			<-f.half
			begin := time.Now()
			wait := startGet(t, l, Path+"?"+good)
			if redirectOf(t, l).Code.Reveal() != testCode {
				t.Error("another code")
			}
			arrived := time.Since(begin)
			if !amid {
				f.workers.Wait()
			}
			f.over.Store(true)
			sent := min(f.sent.Load(), f.all)
			finished := make(chan struct{})
			go func() { defer close(finished); l.Finish(t.Context(), nil) }()
			if a := wait(); a.status != http.StatusFound {
				t.Errorf("status %d", a.status)
			}
			if a := send(t, l, http.MethodGet, donePath); a.status != http.StatusOK {
				t.Errorf("the clean page: status %d", a.status)
			}
			answered := time.Since(begin)
			<-finished
			if d := time.Since(begin); amid && d > usual.read+usual.linger {
				t.Errorf("it took %v", d)
			}
			t.Logf(
				"it arrived after %v, was answered after %v, and the listener closed after %v and %d forged requests",
				arrived, answered, time.Since(begin), sent)
		})
	}
}

// TestFloodHandOver: a redirect that is handed over gets through too.
func TestFloodHandOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	l := announcedIn(t, dir)
	f := startFlood(t, l.Port(), 2_000)
	<-f.half
	wait := delivering(t, dir, testURL)
	if got := redirectOf(t, l); got.Code.Reveal() != testCode || !got.Handed {
		t.Errorf("got %+v", got)
	}
	f.over.Store(true)
	l.Finish(t.Context(), nil)
	if err := wait(); err != nil {
		t.Error(err)
	}
}
