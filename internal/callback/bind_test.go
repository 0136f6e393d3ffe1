package callback

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
)

// occupy takes a port of the loopback interface.
func occupy(t *testing.T, network, address string) int {
	t.Helper()
	taken, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	return taken.Addr().(*net.TCPAddr).Port
}

// itself is what the holder of a port of this process reads like.
func itself(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		return ""
	}
	comm, err := os.ReadFile("/proc/self/comm")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s (pid %d)", strings.TrimSpace(string(comm)), os.Getpid())
}

func TestPorts(t *testing.T) {
	t.Parallel()
	port := occupy(t, "tcp4", "127.0.0.1:0")
	_, err := Listen(Options{State: testState, Ports: []int{port}})
	want := fmt.Sprintf("port %d on 127.0.0.1 is in use", port)
	if who := itself(t); who != "" {
		want += " by " + who
	}
	if fault.KindOf(err) != fault.Usage || err.Error() != want || fault.RemedyOf(err) == nil {
		t.Errorf("got %v, want %s; remedy %#v", err, want, fault.RemedyOf(err))
	}
	l, err := Listen(Options{State: testState, Ports: []int{port, 0}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if l.Port() == port || l.Port() == 0 {
		t.Errorf("port %d", l.Port())
	}
	if want := []Busy{{port, itself(t)}}; !slices.Equal(l.Busy(), want) {
		t.Errorf("busy: %v, want %v", l.Busy(), want)
	}
	if _, err := Listen(Options{}); err == nil {
		t.Error("listens without a state")
	}
}

// TestPortOfTheOtherLoopback: what somebody else has on [::1] is passed over where there is a choice.
func TestPortOfTheOtherLoopback(t *testing.T) {
	t.Parallel()
	probe, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		return // TestReachedByEitherLoopback says that IPv6 is missing
	}
	_ = probe.Close()
	port := occupy(t, "tcp6", "[::1]:0")
	l, err := Listen(Options{State: testState, Ports: []int{port, 0}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if want := []Busy{{port, itself(t)}}; l.Port() == port || !slices.Equal(l.Busy(), want) {
		t.Errorf("port %d, busy %v, want %v", l.Port(), l.Busy(), want)
	}
	fixed, err := Listen(Options{State: testState, Ports: []int{port}})
	if err != nil {
		t.Fatalf("a fixed port that is free on 127.0.0.1: %v", err)
	}
	defer fixed.Close()
	if fixed.Port() != port || len(fixed.Busy()) != 0 {
		t.Errorf("port %d, busy %v", fixed.Port(), fixed.Busy())
	}
}

// TestDefaultPorts holds the ports against what rules one out.
func TestDefaultPorts(t *testing.T) {
	t.Parallel()
	if len(DefaultPorts) < 3 || DefaultPorts[len(DefaultPorts)-1] != 0 {
		t.Fatalf("%v does not end with any", DefaultPorts)
	}
	for _, p := range DefaultPorts[:len(DefaultPorts)-1] {
		// The last port that browsers block is 10080 (Fetch 2.9); Kubernetes has 30000 to 32767, Linux draws from
		// 32768 on.
		if p <= 10080 || p >= 30000 {
			t.Errorf("port %d", p)
		}
	}
}

func TestHolder(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		if got := holder(80); got != "" {
			t.Errorf("got %q", got)
		}
		return
	}
	for _, at := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::]:0"} {
		if got := holder(occupy(t, "tcp", at)); got != itself(t) {
			t.Errorf("%s: got %q, want %q", at, got, itself(t))
		}
	}
	if got := holder(1); got != "" {
		t.Errorf("a port that nobody has: %q", got)
	}
}

func TestBindErrorNamesThePort(t *testing.T) {
	t.Parallel()
	denied := errors.New("permission denied")
	for _, tt := range []struct {
		ports []int
		want  string
	}{
		{[]int{0}, "cannot listen on 127.0.0.1"},
		{[]int{80}, "cannot listen on 127.0.0.1, port 80"},
		{[]int{80, 81, 0}, "cannot listen on 127.0.0.1, port 80, 81"},
	} {
		if err := bindError(tt.ports, nil, denied); err.Error() != tt.want || fault.KindOf(err) != fault.Config ||
			fault.RemedyOf(err) == nil {
			t.Errorf("%v: %q, remedy %#v", tt.ports, err, fault.RemedyOf(err))
		}
	}
}
