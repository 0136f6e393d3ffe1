package roster_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/roster"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// childVariable tells this test binary to be a child process: base URL, ~/.aws and state folder, between line feeds.
const childVariable = "ROSTER_TEST_CHILD"

func TestMain(m *testing.M) {
	if where := os.Getenv(childVariable); where != "" {
		os.Exit(child(strings.Split(where, "\n")))
	}
	os.Exit(m.Run())
}

// report is what a child says of its list.
type report struct {
	Accounts, Roles, Resumed, Calls, Throttled int
	PeakMB                                     float64
	Error                                      string
}

// child lists once, as the program does.
func child(where []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	transport, err := idc.Transport(idc.Settings{Getenv: func(string) string { return "" }})
	if err != nil {
		panic(err)
	}
	l := lister(where[0], where[1], where[2], transport)
	l.Progress = func(roster.Progress) {}
	result, err := l.List(ctx)
	r := report{
		Accounts:  len(result.Accounts),
		Resumed:   result.Resumed,
		Calls:     result.Calls,
		Throttled: result.Throttled,
		PeakMB:    peak(),
	}
	for _, a := range result.Accounts {
		r.Roles += len(a.Roles)
	}
	if err != nil {
		r.Error = err.Error()
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		panic(err)
	}
	return fault.KindOf(err).ExitCode() & 0xfe // 0 for none
}

// peak is the most memory that this process has had, in MB.
func peak() float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err == nil {
		for line := range strings.Lines(string(status)) {
			var kb float64
			if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kb); n == 1 {
				return kb / 1024
			}
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.Sys) / (1 << 20)
}

func lister(base, awsDir, dir string, transport http.RoundTripper) *roster.Lister {
	client := idc.New(idc.Options{
		Region: dev.Region, Endpoints: idc.Endpoints{OIDC: base, Portal: base},
		HTTPClient: &http.Client{Transport: transport},
	})
	return &roster.Lister{
		Session: dev, Dir: dir,
		Tokens: &refresh.Renewer{
			Store:   &store.Store{AWSDir: awsDir},
			Connect: func(context.Context, session.Session) (refresh.Service, error) { return client, nil },
		},
		Connect: func(context.Context, session.Session) (roster.Portal, error) { return client, nil },
	}
}

// serve runs an emulator over HTTP for somebody who has signed in, and counts the connections to it.
func serve(t testing.TB, accounts, roles int, latency time.Duration, rate int) (*world, *atomic.Int64) {
	t.Helper()
	e := &emulator.Server{Directory: emulator.GenerateDirectory(accounts, roles)}
	connections := &atomic.Int64{}
	srv := httptest.NewUnstartedServer(e)
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	transport, err := idc.Transport(idc.Settings{Getenv: func(string) string { return "" }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	w := newWorld(t, e, srv.URL, transport)
	e.Change(func(s *emulator.Server) { s.Latency, s.PortalRate = latency, rate })
	connections.Store(0)
	return w, connections
}

// command is a child that lists what w has.
func (w *world) command(t testing.TB) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childVariable+"="+strings.Join([]string{w.BaseURL, w.store.AWSDir, w.Dir}, "\n"))
	cmd.Stderr = os.Stderr
	return cmd
}

// run runs a child to its end.
func (w *world) run(t testing.TB) report {
	t.Helper()
	out, err := w.command(t).Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var r report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// Every connection is used again: one for each call that is under way at once.
func TestConnections(t *testing.T) {
	t.Parallel()
	w, connections := serve(t, 400, 2, 10*time.Millisecond, 0)
	result, err := w.List(t.Context())
	if err != nil || len(result.Accounts) != 400 || result.Calls != 404 {
		t.Fatalf("%d accounts by %d calls, %v", len(result.Accounts), result.Calls, err)
	}
	if n := connections.Load(); n > 64 {
		t.Errorf("%d connections for %d calls", n, result.Calls)
	}
}

// A process that is killed, at any moment, leaves what it fetched to the next one.
func TestKilled(t *testing.T) {
	t.Parallel()
	const accounts, rounds = 400, 5
	w, _ := serve(t, accounts, 3, 20*time.Millisecond, 0)
	served := func() (n int) {
		for _, r := range w.Requests() {
			if r.Op == emulator.OpListAccountRoles && r.Error == "" {
				n++
			}
		}
		return n
	}
	for round := range rounds {
		cmd := w.command(t)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for served() < (round+1)*50 && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
	}
	r := w.run(t)
	if r.Accounts != accounts || r.Roles != 3*accounts || r.Error != "" {
		t.Errorf("%+v", r)
	}
	// What was under way at each kill is lost.
	if twice := served() - accounts; r.Resumed < rounds*(50-32) || twice > rounds*40 {
		t.Errorf("resumed with %d, %d told twice", r.Resumed, twice)
	}
	if files, _ := filepath.Glob(filepath.Join(w.Dir, "*.jsonl")); len(files) > 0 {
		t.Errorf("left behind: %v", files)
	}
}

// 5,000 accounts of three roles are one list, and no burden.
func TestManyAccounts(t *testing.T) {
	t.Parallel()
	w, _ := serve(t, 5000, 3, 0, 0)
	r := w.run(t)
	if r.Accounts != 5000 || r.Roles != 15000 || r.Calls != 5050 {
		t.Errorf("%+v", r)
	}
	if r.PeakMB > 150 && !raceDetector {
		t.Errorf("%.0f MB at its peak", r.PeakMB)
	}
	t.Logf("%.0f MB at its peak", r.PeakMB)
}

// The same list, fetched again, is the same.
func TestOrder(t *testing.T) {
	t.Parallel()
	w, _ := serve(t, 60, 3, 0, 0)
	first, err := w.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.List(t.Context())
	if err != nil || !slices.EqualFunc(first.Accounts, second.Accounts, func(a, b roster.Account) bool {
		return a.Account == b.Account && slices.Equal(a.Roles, b.Roles)
	}) {
		t.Errorf("%v; the lists differ", err)
	}
}
