package netnstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/homing-cli/homing/internal/testtools"
)

// serve answers on the machine with the caller's address.
func serve(t *testing.T, m *Machine, addr string) (port int) {
	t.Helper()
	l, err := m.Listen(addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_,
			_ = io.WriteString(w, m.Name)
	})}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return l.Addr().(*net.TCPAddr).Port
}

// ask returns who answers at an address as seen from the machine.
func ask(t *testing.T, from *Machine, host string, port int) (string, error) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _,
		_ string) (net.Conn, error) {
		return from.Dial(ctx, net.JoinHostPort(host, strconv.Itoa(port)))
	}}}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://machine.test/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

func TestMachinesAreApart(t *testing.T) {
	t.Parallel()
	a, b, c := New(t, "a"), New(t, "b"), New(t, "c")
	Link(t, a, "10.77.1.1/24", b, "10.77.1.2/24")
	Link(t, b, "10.77.2.2/24", c, "10.77.2.3/24")
	b.Address(t, "10.77.0.2/32")
	a.Route(t, "10.77.0.2/32", "10.77.1.2")

	everywhere := serve(t, b, ":0")
	for _, host := range []string{"10.77.1.2", "10.77.0.2"} {
		if who, err := ask(t, a, host, everywhere); err != nil || who != "b" {
			t.Errorf("from a to %s: %q %v, want b", host, who, err)
		}
	}
	loopback := serve(t, b, "127.0.0.1:0")
	if who, err := ask(t, b, "localhost", loopback); err != nil || who != "b" {
		t.Errorf("from b to its own loopback: %q %v", who, err)
	}
	for name, m := range map[string]*Machine{"its own loopback": a, "another machine's": c} {
		if who, err := ask(t, m, "127.0.0.1", loopback); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("a's loopback from %s: %q %v, want a refusal", name, who, err)
		}
	}
	if who, err := ask(t, a, "10.77.1.2", loopback); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("from a to b's loopback over the cable: %q %v, want a refusal", who, err)
	}
	if who, err := ask(t, a, "10.77.2.3", serve(t, c, ":0")); !errors.Is(err, syscall.ENETUNREACH) {
		t.Errorf("from a to c, which no cable joins: %q %v, want no way", who, err)
	}
	if _, err := a.Dial(t.Context(), "example.org:80"); err == nil {
		t.Error("a name was looked up")
	}
	// The same port number twice, here and there.
	if _, err := a.Listen(fmt.Sprintf("127.0.0.1:%d", loopback)); err != nil {
		t.Error(err)
	}
	// Where the test runs, nothing of it is there.
	if resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d", loopback)); err == nil {
		_ = resp.Body.Close()
		t.Error("the test itself reaches b's loopback")
	}
}

func TestCommand(t *testing.T) {
	t.Parallel()
	a, b := New(t, "a"), New(t, "b")
	Link(t, a, "10.77.1.1/24", b, "10.77.1.2/24")
	for m, want := range map[*Machine]string{a: "to-b", b: "to-a"} {
		out, err := m.Command(t.Context(), "sh", "-c", `cat /proc/net/dev; echo "$0 $1"`, "x y", "z").Output()
		if err != nil || !strings.Contains(string(out), want+":") || strings.Contains(string(out), "eth0") ||
			!strings.HasSuffix(string(out), "\nx y z\n") {
			t.Errorf("on %s: %v\n%s", m.Name, err, out)
		}
	}
	cmd := a.Command(t.Context(), "sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 50 { // what enters and leaves namespaces must end no thread, or the child dies with it
		if l, err := a.Listen("127.0.0.1:0"); err != nil {
			t.Fatal(err)
		} else if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the command is gone: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	if err := a.IP("link", "set", "nothing", "up"); err == nil || !strings.Contains(err.Error(),
		"on a: ip link set nothing up") {
		t.Errorf("ip failed, but: %v", err)
	}
}

// TestNothingStays makes a machine and looks for it once its test has ended.
func TestNothingStays(t *testing.T) {
	interfaces := func() string {
		all, err := net.Interfaces()
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, i := range all {
			names = append(names, i.Name)
		}
		return strings.Join(names, " ")
	}
	before := interfaces()
	var inode string
	t.Run("inside", func(t *testing.T) {
		a, b := New(t, "a"), New(t, "b")
		Link(t, a, "10.77.1.1/24", b, "10.77.1.2/24")
		var err error
		if inode, err = os.Readlink(a.path()); err != nil {
			t.Fatal(err)
		}
	})
	if inode == "" {
		testtools.Missing(t, "a machine of the test", "see what inside is missing")
	}
	if after := interfaces(); after != before {
		t.Errorf("interfaces are %q, were %q", after, before)
	}
	processes, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		if ns, err := os.Readlink("/proc/" + p.Name() + "/ns/net"); err == nil && ns == inode {
			t.Errorf("process %s is still in the namespace", p.Name())
		}
	}
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		for _, f := range files {
			if name, err := os.Readlink("/proc/self/fd/" + f.Name()); err == nil && name == inode {
				t.Error("the namespace is still held open")
			}
		}
	}
}
