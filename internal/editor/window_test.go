//go:build unix

package editor

import (
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// What VS Code answers to `status`: the browser's line as seen, and the desktop's report as its sources write it
// (diagnosticsService.ts: a blank line comes first).
const (
	webStatus     = "The --status argument is not yet supported in browsers."
	desktopStatus = `
Version:          Code 1.139.1 (0123456789abcdef, 2026-11-05T10:00:00.000Z)
OS Version:       Darwin arm64 25.1.0
CPUs:             Apple M4 (10 x 2400)
Memory (System):  32.00GB (1.50GB free)
Load (avg):       3, 3, 4
VM:               0%
Screen Reader:    no
Process Argv:     --crash-reporter-id x
GPU Status:       2d_canvas:                              enabled
                  canvas_oop_rasterization:               enabled_on

CPU %	Mem MB	   PID	Process
    0	   197	 60719	code main
    3	   295	 60741	   window [1] (main.go — homing [SSH: build])
`
)

// stand is a stand-in for a window. Zero fields: it answers everything as a browser does.
type stand struct {
	status http.HandlerFunc // nil: answers webStatus
	list   http.HandlerFunc // extensionManagement; nil: 200
	open   http.HandlerFunc // openExternal; nil: 200, null

	mu   sync.Mutex
	got  []message
	ends []<-chan struct{} // closed when the client has gone, for each message in got
}

func (s *stand) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m message
	err := json.NewDecoder(r.Body).Decode(&m)
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/" {
		http.Error(w, "not the protocol", http.StatusInternalServerError)
		return
	}
	s.mu.Lock()
	s.got = append(s.got, m)
	s.ends = append(s.ends, r.Context().Done())
	s.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	h := map[string]http.HandlerFunc{"status": s.status, "extensionManagement": s.list, "openExternal": s.open}[m.Type]
	switch {
	case h != nil:
		h(w, r)
	case m.Type == "status":
		says(webStatus)(w, r)
	case m.Type == "extensionManagement", m.Type == "openExternal":
		_, _ = w.Write([]byte("null"))
	default:
		w.WriteHeader(http.StatusNotFound)
		says("Unknown message type: "+m.Type)(w, r)
	}
}

// messages returns what came until now.
func (s *stand) messages() []message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]message(nil), s.got...)
}

// end returns what closes when the client of the first message has gone.
func (s *stand) end() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ends[0]
}

// says answers with text as a JSON string.
func says(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(text) }
}

// hangs never answers, as the socket of a closed window does.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// code answers with a status.
func code(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(n)
		says("no")(w, r)
	}
}

// folder returns a folder whose path is short enough for sockets, 104 bytes on macOS.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "homing") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

var birthdays sync.Mutex

// start serves s at dir/vscode-ipc-NAME.sock and returns the path. Of two sockets the one started later is newer.
func (s *stand) start(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, "vscode-ipc-"+name+".sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	s.serve(t, l)
	aged(t, dir, path)
	return path
}

func (s *stand) serve(t *testing.T, l net.Listener) {
	server := &http.Server{Handler: s, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { _ = server.Close() })
}

// aged makes the file at path the newest of dir by a minute, so that no clock's resolution matters.
func aged(t *testing.T, dir, path string) {
	t.Helper()
	birthdays.Lock()
	defer birthdays.Unlock()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	birthday := time.Unix(1_700_000_000, 0).Add(time.Duration(len(entries)) * time.Minute)
	if err := os.Chtimes(path, birthday, birthday); err != nil {
		t.Fatal(err)
	}
}

// mute makes a socket that connects and never answers, as it stands in the backlog for ever.
func mute(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, "vscode-ipc-"+name+".sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	aged(t, dir, path)
	return path
}

// stale makes a socket file behind which nobody is.
func stale(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, "vscode-ipc-"+name+".sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	aged(t, dir, path)
	return path
}

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// said lists tries as "NAME from FROM: OUTCOME", NAME being what stands between vscode-ipc- and .sock.
func said(tries []Try) string {
	var b strings.Builder
	for _, try := range tries {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(try.Path), "vscode-ipc-"), ".sock")
		b.WriteString(name + " from " + try.From + ": " + try.Outcome + "\n")
	}
	return b.String()
}
