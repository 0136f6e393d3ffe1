// Package editortest is the VS Code window that a terminal belongs to, for tests: the socket that VSCODE_IPC_HOOK_CLI
// names. It answers as the desktop and the web client were seen to answer, and as sockets do whose window is gone.
// The desktop client forwards the port that it finds in the query of the address, as the real one does.
//
// It knows nothing of homing and shares no code with it. The one rule: what lies on the laptop (the browser, its
// loopback) is the caller's, in Options.Open and Options.Listen; Laptop is a loopback in memory for tests without
// network namespaces.
package editortest

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Client is which VS Code the window belongs to.
type Client string

// The two clients. They answer the same protocol; only the answer to status differs.
const (
	Desktop Client = "desktop"
	Web     Client = "web"
)

// What status answers. The desktop's report is fixed text of several lines; the web client's one line is translated.
const (
	DesktopStatus = "Version:          Code 1.139.1 (0123456789abcdef0123456789abcdef01234567, " +
		"2026-11-11T08:12:50.000Z)\n" +
		"OS Version:       Linux x64 6.8.0-64-generic\n" +
		"CPUs:             11th Gen Intel(R) Core(TM) i7-1165G7 @ 2.80GHz (8 x 1690)\n" +
		"Memory (System):  31.09GB (18.21GB free)\n" +
		"Load (avg):       1, 1, 1\n" +
		"VM:               0%\n" +
		"Screen Reader:    no\n" +
		"Process Argv:     --crash-reporter-id 00000000-0000-4000-8000-000000000000\n" +
		"GPU Status:       2d_canvas:                              enabled\n" +
		"                  webgl:                                  enabled\n" +
		"\n" +
		"CPU %\tMem MB\t   PID\tProcess\n" +
		"    1\t   165\t  4242\tcode main\n" +
		"    0\t    98\t  4300\textension-host [1]\n"
	WebStatus       = "The --status argument is not yet supported in browsers."
	WebStatusGerman = "Das Argument \"--status\" wird in Browsern noch nicht unterstützt."
)

// Options are what kind of window it is. The zero value is a desktop window whose laptop has no browser and whose
// ports go nowhere.
type Options struct {
	// Client is Desktop for "".
	Client Client
	// Status replaces what the client answers to status; "" means DesktopStatus or WebStatus.
	Status string
	// Open is the laptop's browser. It is called with each address once the person has answered the dialog; the
	// answer does not wait for it. nil opens nothing.
	Open func(url string)
	// Listen opens the laptop's end of a forwarded port at 127.0.0.1:port; port 0 means any. nil forwards nothing.
	// The web client never forwards.
	Listen func(port int) (net.Listener, error)
	// Dial reaches a port of the remote side's "localhost", as the real one does. nil dials from here.
	Dial func(ctx context.Context, port int) (net.Conn, error)
	// Delay is how long the person looks at the dialog of openExternal; the answer comes only then.
	Delay time.Duration
	// StatusDelay is how long status takes. The real desktop client measures the use of the CPU for a second first.
	StatusDelay time.Duration
	// Cancel makes the person press Cancel in the dialog. The answer is the same.
	Cancel bool
	// Hang makes the socket accept and never answer, as a window that is closed or reloading.
	Hang bool
	// Refuse leaves a socket file that nothing listens on.
	Refuse bool
	// StatusCode, when positive, is what openExternal answers in place of 200, with nothing opened.
	StatusCode int
}

// Window is the stand-in. Its methods may be called by many goroutines.
type Window struct {
	Path string // of the socket

	o     Options
	end   context.CancelFunc
	ctx   context.Context
	srv   *http.Server
	going sync.WaitGroup

	mu      sync.Mutex
	open    []io.Closer
	opened  []string
	tunnels map[int]int
	asked   []string
}

// Start makes a window whose socket lies in dir, and closes it when the test ends. dir "" means a short folder of its
// own: the path of a socket has at most 107 bytes.
func Start(t testing.TB, dir string, o Options) *Window {
	t.Helper()
	if dir == "" {
		var err error
		dir, err = os.MkdirTemp("", "ed") //nolint:usetesting // t.TempDir is too long for a socket
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(dir) })
	}
	w, err := New(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// New is Start for what is no test, such as a command of a script. The caller closes it.
func New(dir string, o Options) (*Window, error) {
	name := filepath.Join(dir, "vscode-ipc-"+newUUID()+".sock")
	if len(name) > 103 { // sockaddr_un has 108 bytes on Linux, 104 on macOS
		return nil, fmt.Errorf("%q is too long for a socket", name)
	}
	l, err := net.Listen("unix", name)
	if err != nil {
		return nil, err
	}
	w := &Window{Path: name, o: o, tunnels: map[int]int{}}
	w.ctx, w.end = context.WithCancel(context.Background())
	switch {
	case o.Refuse:
		l.(*net.UnixListener).SetUnlinkOnClose(false)
		return w, l.Close()
	case o.Hang:
		w.keep(l)
		w.going.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				w.keep(c)
			}
		})
		return w, nil
	}
	w.srv = &http.Server{Handler: http.HandlerFunc(w.serve), ReadHeaderTimeout: time.Minute}
	w.going.Go(func() { _ = w.srv.Serve(l) })
	return w, nil
}

// newUUID returns a random UUID, as the names of the sockets hold.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Close ends the window: its socket, its tunnels and every connection. It waits for the calls of Options.Open.
func (w *Window) Close() {
	w.end()
	if w.srv != nil {
		_ = w.srv.Close()
	}
	w.mu.Lock()
	open := w.open
	w.open = nil
	w.mu.Unlock()
	for _, c := range open {
		_ = c.Close()
	}
	w.going.Wait()
	_ = os.Remove(w.Path)
}

// keep closes c with the window; at once when the window is closed already.
func (w *Window) keep(c io.Closer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ctx.Err() != nil {
		_ = c.Close()
		return
	}
	w.open = append(w.open, c)
}

// Opened returns the addresses that the laptop's browser was given, byte for byte.
func (w *Window) Opened() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.opened...)
}

// Asked returns the types of the messages that came, in their order: "status", "openExternal".
func (w *Window) Asked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.asked...)
}

// Tunnels returns the forwarded ports: the remote port, and the laptop's port that leads there. The two differ when
// the laptop's is taken; VS Code opens the browser all the same.
func (w *Window) Tunnels() map[int]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make(map[int]int, len(w.tunnels))
	for remote, local := range w.tunnels {
		all[remote] = local
	}
	return all
}

// Environment returns what a terminal of the window has beside the variables of its kind of remote.
func (w *Window) Environment() map[string]string {
	return map[string]string{"TERM_PROGRAM": "vscode", "TERM_PROGRAM_VERSION": "1.139.1", "VSCODE_IPC_HOOK_CLI": w.Path}
}

// serve speaks the protocol: POST / with a message in JSON.
func (w *Window) serve(rw http.ResponseWriter, r *http.Request) {
	var m struct {
		Type string   `json:"type"`
		URIs []string `json:"uris"`
	}
	body, err := io.ReadAll(http.MaxBytesReader(rw, r.Body, 1<<20))
	if err != nil || r.Method != http.MethodPost || json.Unmarshal(body, &m) != nil {
		answer(rw, http.StatusInternalServerError, "Error")
		return
	}
	w.mu.Lock()
	w.asked = append(w.asked, m.Type)
	w.mu.Unlock()
	switch m.Type {
	case "status":
		select {
		case <-time.After(w.o.StatusDelay):
			answer(rw, http.StatusOK, w.status())
		case <-w.ctx.Done():
		}
	case "extensionManagement": // of its orders only list is known, which shows no dialog
		answer(rw, http.StatusOK, "")
	case "openExternal":
		if w.o.StatusCode > 0 {
			answer(rw, w.o.StatusCode, "Error")
			return
		}
		for _, uri := range m.URIs {
			if !w.openExternal(uri) {
				return
			}
		}
		answer(rw, http.StatusOK, nil)
	default:
		answer(rw, http.StatusNotFound, "Unknown message type: "+m.Type)
	}
}

func answer(rw http.ResponseWriter, code int, v any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(code)
	_ = json.NewEncoder(rw).Encode(v)
}

func (w *Window) status() string {
	switch {
	case w.o.Status != "":
		return w.o.Status
	case w.o.Client == Web:
		return WebStatus
	}
	return DesktopStatus
}

// openExternal is the dialog and what follows; false when the window was closed meanwhile. It goes on when the caller
// has hung up: the dialog is on the person's screen already.
func (w *Window) openExternal(uri string) bool {
	if u, err := url.Parse(uri); err == nil && loopback(u.Hostname()) && w.o.Client == Web {
		return true // taken for a page of the workbench itself: no dialog, nothing opens
	}
	select {
	case <-time.After(w.o.Delay):
	case <-w.ctx.Done():
		return false
	}
	if w.o.Cancel {
		return true
	}
	if port := PortInQuery(uri); port > 0 && w.o.Client != Web {
		w.forward(port)
	}
	w.mu.Lock()
	w.opened = append(w.opened, uri)
	w.mu.Unlock()
	if w.o.Open != nil {
		w.going.Go(func() { w.o.Open(uri) })
	}
	return true
}

func loopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "0.0.0.0"
}

// PortInQuery returns the port that a desktop client forwards before it opens rawURL, 0 for none: of the first query
// parameter whose value is an http or https address of exactly localhost, 127.0.0.1 or 0.0.0.0 with a port. As VS
// Code (src/vs/platform/tunnel/common/tunnel.ts) it splits the decoded query, so that an address encoded twice is not
// seen.
func PortInQuery(rawURL string) int {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return 0
	}
	query, err := url.PathUnescape(u.RawQuery)
	if err != nil {
		return 0
	}
	for _, part := range strings.Split(query, "&") {
		_, value, _ := strings.Cut(part, "=")
		in, err := url.Parse(value)
		if err != nil || in.Scheme != "http" && in.Scheme != "https" {
			continue
		}
		host, portText, err := net.SplitHostPort(in.Host)
		port, portErr := strconv.Atoi(portText)
		if err == nil && portErr == nil && loopback(host) && port > 0 && port < 65536 {
			return port
		}
	}
	return 0
}
