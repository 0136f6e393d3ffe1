package editortest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tell sends a message to the socket and returns the answer.
func tell(ctx context.Context, path, body string) (code int, answer string, err error) {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _,
		_ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(text)), err
}

func openMessage(t *testing.T, url string) string {
	t.Helper()
	b, err := json.Marshal(map[string]any{"type": "openExternal", "uris": []string{url}})
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

const authorize = "https://oidc.us-east-1.amazonaws.com/authorize?response_type=code&redirect_uri=http%3A%2F%2F127.0.0.1%3A34535%2Foauth%2Fcallback&state=x%2By"

func TestWindowAnswers(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "ed") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for name, tc := range map[string]struct {
		o      Options
		send   string
		code   int
		answer string // its beginning
	}{
		"desktop": {Options{}, `{"type":"status"}`, 200, `"Version:          Code 1.`},
		"web":     {Options{Client: Web}, `{"type":"status"}`, 200, `"` + WebStatus + `"`},
		"web, translated": {Options{Client: Web, Status: WebStatusGerman}, `{"type":"status"}`, 200,
			`"Das Argument`},
		"open":                {Options{}, openMessage(t, authorize), 200, "null"},
		"open is refused":     {Options{StatusCode: 500}, openMessage(t, authorize), 500, `"Error"`},
		"list of extensions":  {Options{}, `{"type":"extensionManagement","list":{}}`, 200, `""`},
		"unknown message":     {Options{}, `{"type":"nonsense"}`, 404, `"Unknown message type: nonsense"`},
		"not JSON":            {Options{}, `status`, 500, `"Error"`},
		"web, a page of here": {Options{Client: Web}, openMessage(t, "http://127.0.0.1:1/"), 200, "null"},
	} {
		w := Start(t, dir, tc.o)
		code, answer, err := tell(t.Context(), w.Path, tc.send)
		if err != nil || code != tc.code || !strings.HasPrefix(answer, tc.answer) {
			t.Errorf("%s: %d %q %v, want %d %q…", name, code, answer, err, tc.code, tc.answer)
		}
		if name == "open" && (len(w.Opened()) != 1 || w.Opened()[0] != authorize) || name != "open" &&
			len(w.Opened()) > 0 {
			t.Errorf("%s: opened %q", name, w.Opened())
		}
		w.Close()
		if _, err := os.Lstat(w.Path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: the socket is still there after Close: %v", name, err)
		}
	}
}

func TestWindowIsGone(t *testing.T) {
	t.Parallel()
	refusing, hanging := Start(t, "", Options{Refuse: true}), Start(t, "", Options{Hang: true})
	if fi, err := os.Lstat(refusing.Path); err != nil || fi.Mode().Type() != fs.ModeSocket {
		t.Errorf("the refusing socket: %v %v", fi, err)
	}
	if _, _, err := tell(t.Context(), refusing.Path, `{"type":"status"}`); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("refusing: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := tell(ctx, hanging.Path, `{"type":"status"}`); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("hanging: %v", err)
	}
}

// TestDialog answers openExternal only when the person does, and does what they said although the caller hung up.
func TestDialog(t *testing.T) {
	t.Parallel()
	opened := make(chan string, 1)
	w := Start(t, "", Options{Delay: 200 * time.Millisecond, Open: func(url string) { opened <- url }})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, _, err := tell(ctx, w.Path, openMessage(t, authorize)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the answer came before the person's: %v", err)
	}
	if _, _, err := tell(t.Context(), w.Path, `{"type":"status"}`); err != nil {
		t.Errorf("status beside a dialog: %v", err)
	}
	if url := <-opened; url != authorize {
		t.Errorf("opened %q", url)
	}
}

// TestDesktopForwards reaches a listener of here from a laptop whose own loopback refuses.
func TestDesktopForwards(t *testing.T) {
	t.Parallel()
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_,
			_ = io.WriteString(w, r.Host+r.URL.Path)
	}))
	t.Cleanup(listener.Close)
	at := strings.TrimPrefix(listener.URL, "http://")
	url := "https://oidc.example/authorize?redirect_uri=http%3A%2F%2F" + strings.ReplaceAll(at, ":", "%3A") + "%2Foauth%2Fcallback"

	var laptop Laptop
	browser := &http.Client{Transport: &http.Transport{DialContext: laptop.DialContext(), DisableKeepAlives: true}}
	get := func(url string) (string, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			return "", err
		}
		resp, err := browser.Do(req)
		if err != nil {
			return "", err
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		return string(b), err
	}
	if _, err := get(listener.URL); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("the laptop reaches the remote's loopback without a tunnel: %v", err)
	}
	web := Start(t, "", Options{Client: Web, Listen: laptop.Listen})
	if _, _, err := tell(t.Context(), web.Path, openMessage(t, url)); err != nil {
		t.Fatal(err)
	}
	if _, err := get(listener.URL); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Fatalf("the web client forwarded: %v", err)
	}
	desktop := Start(t, "", Options{Listen: laptop.Listen})
	for range 2 { // the second finds the tunnel
		if _, _, err := tell(t.Context(), desktop.Path, openMessage(t, url)); err != nil {
			t.Fatal(err)
		}
		if said, err := get(listener.URL + "/x"); err != nil || said != at+"/x" {
			t.Errorf("through the tunnel: %q %v", said, err)
		}
	}
	// The number is taken on the laptop: the tunnel is there, under another.
	second := Start(t, "", Options{Listen: laptop.Listen})
	if _, _, err := tell(t.Context(), second.Path, openMessage(t, url)); err != nil {
		t.Fatal(err)
	}
	for remote, local := range second.Tunnels() {
		if local != remote+1 {
			t.Errorf("port %d of the remote is %d on the laptop, want the next one", remote, local)
		}
	}
	if len(second.Tunnels()) != 1 || len(second.Opened()) != 1 {
		t.Errorf("tunnels %v, opened %q", second.Tunnels(), second.Opened())
	}
	desktop.Close()
	if _, err := get(listener.URL); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("the tunnel outlives its window: %v", err)
	}
}

func TestPortInQuery(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]int{
		authorize: 34535,
		"https://a.example/?a=http://localhost:80/&b=http://127.0.0.1:81/": 80,
		"https://a.example/?u=https%3A%2F%2F0.0.0.0%3A82":                  82,
		"https://a.example/?u=http%3A%2F%2F127.0.0.1%2Foauth":              0,
		"https://a.example/?u=http%3A%2F%2F%5B%3A%3A1%5D%3A83%2F":          0,
		"https://a.example/?u=http%253A%252F%252F127.0.0.1%253A84":         0,
		"https://a.example/?u=http%3A%2F%2Fexample.org%3A85":               0,
		"vscode://a.example/?u=http%3A%2F%2F127.0.0.1%3A86":                0,
	} {
		if got := PortInQuery(url); got != want {
			t.Errorf("%s: %d, want %d", url, got, want)
		}
	}
	if !bytes.HasPrefix([]byte(DesktopStatus), []byte("Version:")) || strings.Contains(WebStatus, "\n") {
		t.Error("the two answers to status have lost their shape")
	}
}
