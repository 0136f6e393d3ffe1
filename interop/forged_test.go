//go:build unix

package interop

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/testtools"
)

// forger sits between a person and the client's listener. Just before the real redirect it sends forged ones, as
// any page in the browser and any user of the machine can.
type forger struct {
	all      int
	answered atomic.Int64 // forged redirects that had an answer
	came     error        // what became of the real one
}

// RoundTrip carries the real redirect, amid the forged ones.
func (f *forger) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Query().Get("state") == "" {
		return http.DefaultTransport.RoundTrip(req) // the page after it
	}
	var sent atomic.Int64
	most := make(chan struct{}) // closed when a tenth of them is left
	var workers sync.WaitGroup
	for range min(64, f.all) {
		workers.Go(func() {
			for {
				n := int(sent.Add(1))
				if n > f.all {
					return
				}
				f.forge(req.URL.Host, n)
				if n == f.all-f.all/10 {
					close(most)
				}
			}
		})
	}
	<-most
	var resp *http.Response
	resp, f.came = http.DefaultTransport.RoundTrip(req)
	workers.Wait()
	if resp == nil {
		// The client's listener is gone. For the person that is the end too.
		resp = &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}
	}
	return resp, nil
}

// forge sends one request that is not the redirect, and counts its answer.
func (f *forger) forge(host string, n int) {
	const wrong = "/oauth/callback?code=forged&state=forged"
	requests := []string{
		"GET " + wrong + " HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
		"GET /oauth/callback?error=access_denied&state=forged HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
		"GET " + wrong + " HTTP/1.1\r\nHost: evil.example\r\n\r\n",
		"POST " + wrong + " HTTP/1.1\r\nHost: " + host + "\r\nContent-Length: 0\r\n\r\n",
		"GET /?code=forged HTTP/1.1\r\nHost: " + host + "\r\n\r\n",
	}
	conn, err := net.DialTimeout("tcp4", host, 10*time.Second)
	if err != nil {
		return // the client has what it waited for, or believes so
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.WriteString(conn, requests[(n-1)%len(requests)]); err != nil {
		return
	}
	if line, err := bufio.NewReader(conn).ReadString('\n'); err == nil && strings.HasPrefix(line, "HTTP/1.") {
		f.answered.Add(1)
	}
}

// forged signs in with a program while forged redirects arrive.
func (w *world) forged(all int, exits []int, program string, args ...string) (f *forger, stderr string) {
	w.Helper()
	w.config(false)
	f = &forger{all: all}
	person := w.emu.Person()
	person.Redirect = f
	browser, visits := w.browser(person)
	_, stderr = w.run(w.env(browser), exits, program, args...)
	w.visited(visits)
	return f, stderr
}

// TestForgedRedirects shows what a stranger's request does to a sign-in that waits for its redirect: it ends the AWS
// CLI's and not homing's, however many come.
func TestForgedRedirects(t *testing.T) {
	t.Parallel()
	t.Run("AWS CLI, one", func(t *testing.T) {
		t.Parallel()
		aws := testtools.AWSCLI(t)
		w := newWorld(t, checked)
		f, stderr := w.forged(1, []int{252, 253, 254, 255}, aws, "sso", "login", "--sso-session", sessionName)
		if f.answered.Load() != 1 {
			t.Error("the forged redirect was not answered")
		}
		if _, err := os.Stat(w.tokenPath(false)); !os.IsNotExist(err) || w.granted("authorization_code") != 0 {
			t.Errorf("the AWS CLI is signed in: what this test is about has been mended. %v", err)
		}
		if !strings.Contains(stderr, "State parameter does not match") {
			t.Errorf("the AWS CLI ended for another reason: %s", stderr)
		}
		t.Logf("it says: %s; the real redirect: %v", strings.TrimSpace(stderr), f.came)
	})
	t.Run("homing, 10000", func(t *testing.T) {
		t.Parallel()
		const all = 10_000
		w := newWorld(t, checked)
		f, _ := w.forged(all, []int{0}, homing(t), "login", "--profile", "dev", "--flow", "pkce")
		if n := f.answered.Load(); n < all*8/10 {
			t.Errorf("only %d forged redirects were answered", n)
		}
		if f.came != nil {
			t.Errorf("the real redirect: %v", f.came)
		}
		if w.granted("authorization_code") != 1 || w.token(false)["accessToken"] == "" {
			t.Error("not signed in")
		}
		for _, r := range w.emu.Requests() {
			if r.Op == emulator.OpCreateToken && r.Status != 200 {
				t.Errorf("a token was asked for with what a stranger sent: %s", r.Error)
			}
		}
		w.homingCredentials()
		t.Logf("%d forged redirects were answered", f.answered.Load())
	})
}
