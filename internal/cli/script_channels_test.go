package cli

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/editortest"
	"github.com/rogpeppe/go-internal/testscript"
)

// socketsOf returns the folder of the script's editor windows. It is not below $WORK: the path of a socket is short.
func socketsOf(ts *testscript.TestScript) string {
	if dir := ts.Getenv(envSockets); dir != "" {
		return dir
	}
	dir, err := os.MkdirTemp("/tmp", "homing-")
	ts.Check(err)
	ts.Defer(func() { _ = os.RemoveAll(dir) })
	ts.Setenv(envSockets, dir)
	return dir
}

// window is: window desktop|web|hangs|refuses|gone|foreign [named]
//
// It makes a window of VS Code, newer than those before. The terminal is the named one's. A desktop window belongs to
// a laptop whose browser allows what it is asked, and reaches of this machine only the ports that the window
// forwards.
func window(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 2 || len(args) == 2 && args[1] != "named" {
		ts.Fatalf("usage: window desktop|web|hangs|refuses|gone|foreign [named]")
	}
	var o editortest.Options
	switch args[0] {
	case "desktop":
		var laptop editortest.Laptop
		person := personOf(ts).emu.Person()
		person.Redirect = &http.Transport{DisableKeepAlives: true, DialContext: laptop.DialContext()}
		o = editortest.Options{Client: editortest.Desktop, Listen: laptop.Listen, Open: func(url string) {
			ctx, cancel := context.WithTimeout(context.Background(), scriptDeadline)
			defer cancel()
			if err := person.Open(ctx, url); err != nil {
				ts.Logf("the laptop's browser: %v", err)
			}
		}}
	case "web", "gone", "foreign":
		o.Client = editortest.Web
	case "hangs":
		o.Hang = true
	case "refuses":
		o.Refuse = true
	default:
		ts.Fatalf("window: unknown kind %q", args[0])
	}
	dir := socketsOf(ts)
	before, err := filepath.Glob(filepath.Join(dir, "*"))
	ts.Check(err)
	w, err := editortest.New(dir, o)
	ts.Check(err)
	ts.Defer(w.Close)
	switch args[0] {
	case "gone":
		w.Close()
	case "foreign":
		ts.Check(os.Lchown(w.Path, 65534, 65534))
	}
	if args[0] != "gone" {
		born := time.Now().Add(-time.Hour).Add(time.Duration(len(before)) * time.Minute)
		ts.Check(os.Chtimes(w.Path, born, born))
	}
	if len(args) == 2 {
		for name, value := range w.Environment() {
			ts.Setenv(name, value)
		}
	}
}

var authorizeURL = regexp.MustCompile(`http://[^\s"\\\x1b]+/authorize\?[^\s"\x1b]+`)

// walk is: walk [deny]
//
// The person opens the address that a login printed, on a machine where nothing listens on the port that the redirect
// goes to. What stands in the address bar in the end is $FAILED, and in failed.txt as a terminal wraps it; $PORT is
// its port.
func walk(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) > 1 || len(args) == 1 && args[0] != "deny" {
		ts.Fatalf("usage: walk [deny]")
	}
	p := personOf(ts)
	ctx, cancel := context.WithTimeout(context.Background(), scriptDeadline)
	defer cancel()
	failed, err := p.walk(ctx, len(args) == 1)
	ts.Check(err)
	ts.Setenv("FAILED", failed)
	u, err := url.Parse(failed)
	ts.Check(err)
	ts.Setenv("PORT", u.Port())
	ts.Check(os.WriteFile(ts.MkAbs("failed.txt"), []byte(wrapped(failed, 80)), 0o600))
}

// walk returns the address that the browser ends at when nothing listens there.
func (p *person) walk(ctx context.Context, deny bool) (string, error) {
	address, err := p.printed(ctx)
	if err != nil {
		return "", err
	}
	return p.refused(ctx, address, deny)
}

// refused opens an authorize URL and returns the address that the browser ends at when nothing listens there.
func (p *person) refused(ctx context.Context, address string, deny bool) (string, error) {
	who, failed := p.emu.Person(), ""
	who.Deny = deny
	who.Redirect = roundTrip(func(r *http.Request) (*http.Response, error) {
		failed = r.URL.String()
		return nil, errors.New("connection refused")
	})
	if err := who.Open(ctx, address); failed == "" {
		return "", errors.Join(errors.New("the browser was not redirected"), err)
	}
	return failed, nil
}

type roundTrip func(r *http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// printed waits for the authorize URL of a login whose was not printed before.
func (p *person) printed(ctx context.Context) (string, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		streams, err := filepath.Glob(filepath.Join(p.dir, "*.std*"))
		if err != nil {
			return "", err
		}
		for _, stream := range streams {
			text, err := os.ReadFile(stream)
			if err != nil {
				return "", err
			}
			text = bytes.ReplaceAll(text, []byte(`\u0026`), []byte("&"))
			// the line is whole when something follows it
			at := authorizeURL.FindIndex(text)
			if at == nil || at[1] == len(text) || p.walked[stream] {
				continue
			}
			if p.walked == nil {
				p.walked = map[string]bool{}
			}
			p.walked[stream] = true
			return string(text[at[0]:at[1]]), nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return "", errors.New("homing printed no address to open")
		}
	}
}

// occupy is: occupy PORT
//
// Another program listens there until the script ends.
func occupy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: occupy PORT")
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", args[0]))
	ts.Check(err)
	ts.Defer(func() { _ = l.Close() })
}

// printed is: printed TEXT [TIMES]
//
// It waits until homing has printed TEXT, on whichever stream, that often in all.
func printed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: printed TEXT [TIMES]")
	}
	times := 1
	if len(args) == 2 {
		var err error
		times, err = strconv.Atoi(args[1])
		ts.Check(err)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(2 * scriptDeadline); ; {
		streams, err := filepath.Glob(filepath.Join(personOf(ts).dir, "*.std*"))
		ts.Check(err)
		got := 0
		for _, stream := range streams {
			text, err := os.ReadFile(stream)
			ts.Check(err)
			got += bytes.Count(text, []byte(args[0]))
		}
		if got >= times {
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			ts.Fatalf("%q was printed %d times, want %d", args[0], got, times)
		}
	}
}

// wrapped breaks text into lines of width characters, as a terminal shows it and a mouse copies it.
func wrapped(text string, width int) string {
	var b strings.Builder
	for i, r := range text {
		if i > 0 && i%width == 0 {
			b.WriteString("\n")
		}
		b.WriteRune(r)
	}
	return b.String() + "\n"
}

// swap is: swap rewrites|keeps HOST STATUS
//
// The person puts HOST in place of 127.0.0.1:PORT in the address bar. There a reverse proxy leads to the port, and
// rewrites the Host header to localhost:PORT or keeps it.
func swap(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 || args[0] != "rewrites" && args[0] != "keeps" {
		ts.Fatalf("usage: swap rewrites|keeps HOST STATUS")
	}
	target := net.JoinHostPort("127.0.0.1", ts.Getenv("PORT"))
	proxy := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetXForwarded()
			r.Out.URL.Scheme, r.Out.URL.Host = "http", target
			if args[0] == "rewrites" {
				r.Out.Host = "localhost:" + ts.Getenv("PORT")
			} else {
				r.Out.Host = r.In.Host
			}
		},
		Transport: &http.Transport{DisableKeepAlives: true},
	})
	defer proxy.Close()
	ctx, cancel := context.WithTimeout(context.Background(), scriptDeadline)
	defer cancel()
	address, err := url.Parse(ts.Getenv("FAILED"))
	ts.Check(err)
	address.Host = args[1]
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	ts.Check(err)
	browser := &http.Client{
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, proxy.Listener.Addr().String())
			},
		},
	}
	resp, err := browser.Do(req)
	ts.Check(err)
	ts.Check(resp.Body.Close())
	if got := strconv.Itoa(resp.StatusCode); got != args[2] {
		ts.Fatalf("the page at %s: %s, want %s", args[1], got, args[2])
	}
	if got := resp.Request.URL.Host; got != args[1] {
		ts.Fatalf("the browser ends at %s, want %s", got, args[1])
	}
}
