package netnstest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/homing-cli/homing/internal/testtools"
)

// Machine is one network namespace. Its methods may be called by many goroutines.
type Machine struct {
	Name string // for what a person reads

	ns          *os.File
	ip, nsenter string
}

// New makes a machine whose only interface is its loopback, and takes it away when the test ends.
func New(t testing.TB, name string) *Machine {
	t.Helper()
	m := &Machine{Name: name, ip: testtools.Program(t, "ip", "iproute2"), nsenter: testtools.Program(t, "nsenter",
		"util-linux")}
	err := onOwnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return os.NewSyscallError("unshare", err)
		}
		var err error
		m.ns, err = os.Open("/proc/thread-self/ns/net")
		return err
	})
	if errors.Is(err, unix.EPERM) {
		testtools.Missing(t, "the right to make network namespaces", "run the test as root, or with CAP_SYS_ADMIN")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.ns.Close() })
	m.mustIP(t, "link", "set", "lo", "up")
	return m
}

// onOwnThread runs f on an operating system thread that nothing else uses meanwhile, and brings the thread back to the
// namespace it came from. The thread lives on: the kernel kills the children of a thread that ends (see Enter).
func onOwnThread(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		home, err := os.Open("/proc/thread-self/ns/net")
		if err != nil {
			runtime.UnlockOSThread()
			done <- err
			return
		}
		err = f()
		// A thread that cannot come back stays locked, and ends with this goroutine.
		if back := unix.Setns(int(home.Fd()), unix.CLONE_NEWNET); back != nil {
			err = errors.Join(err, os.NewSyscallError("setns", back))
		} else {
			runtime.UnlockOSThread()
		}
		done <- errors.Join(err, home.Close())
	}()
	return <-done
}

// in runs f on a thread inside the machine. What f creates on that very thread, such as a socket, stays inside.
func (m *Machine) in(f func() error) error {
	return onOwnThread(func() error {
		if err := unix.Setns(int(m.ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("enter %s: %w", m.Name, os.NewSyscallError("setns", err))
		}
		return f()
	})
}

// path names the namespace for other programs.
func (m *Machine) path() string { return fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), m.ns.Fd()) }

// Enter makes cmd, not yet started, one that runs on the machine, and that the kernel kills when the test's process
// is gone. Its process id, files and terminal stay the program's own.
func (m *Machine) Enter(cmd *exec.Cmd) {
	args := []string{m.nsenter, "--net=" + m.path(), "--", cmd.Path}
	if len(cmd.Args) > 0 {
		args = append(args, cmd.Args[1:]...)
	}
	cmd.Path, cmd.Args = m.nsenter, args
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}

// Command is exec.CommandContext on the machine.
func (m *Machine) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	m.Enter(cmd)
	return cmd
}

// IP runs ip (iproute2) on the machine.
func (m *Machine) IP(args ...string) error {
	out, err := m.Command(context.Background(), m.ip, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("on %s: ip %s: %w\n%s", m.Name, strings.Join(args, " "), err, out)
	}
	return nil
}

func (m *Machine) mustIP(t testing.TB, args ...string) {
	t.Helper()
	if err := m.IP(args...); err != nil {
		t.Fatal(err)
	}
}

// Link joins two machines by a cable (a veth pair): a has the address aCIDR on it, b has bCIDR, such as "10.0.1.1/24"
// and "10.0.1.2/24". Each side's interface is named for the machine it leads to. Nothing is routed beyond the cable.
func Link(t testing.TB, a *Machine, aCIDR string, b *Machine, bCIDR string) {
	t.Helper()
	toB, toA := "to-"+b.Name, "to-"+a.Name
	a.mustIP(t, "link", "add", toB, "type", "veth", "peer", "name", toA, "netns", b.path())
	for _, end := range []struct {
		m             *Machine
		name, address string
	}{{a, toB, aCIDR}, {b, toA, bCIDR}} {
		end.m.mustIP(t, "address", "add", end.address, "dev", end.name)
		end.m.mustIP(t, "link", "set", end.name, "up")
	}
}

// Address gives the machine one more address of its own, such as "10.0.0.1/32", which no cable has.
func (m *Machine) Address(t testing.TB, cidr string) {
	t.Helper()
	m.mustIP(t, "address", "add", cidr, "dev", "lo")
}

// Route makes the machine send what is for cidr to the neighbour with the address via.
func (m *Machine) Route(t testing.TB, cidr, via string) {
	t.Helper()
	m.mustIP(t, "route", "add", cidr, "via", via)
}

// Listen listens for TCP on the machine. The host of addr is an IP address, "" for all.
func (m *Machine) Listen(addr string) (l net.Listener, err error) {
	err = m.in(func() error {
		var config net.ListenConfig
		l, err = config.Listen(context.Background(), "tcp", addr)
		return err
	})
	return l, err
}

// Dial connects to a TCP address as seen from the machine. The host is an IP address, or localhost, which stands for
// 127.0.0.1 and then ::1: a name would be looked up where the test runs.
func (m *Machine) Dial(ctx context.Context, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if host == "localhost" {
		c, err := m.Dial(ctx, net.JoinHostPort("127.0.0.1", port))
		if err != nil {
			var err6 error
			if c, err6 = m.Dial(ctx, net.JoinHostPort("::1", port)); err6 != nil {
				return nil, err
			}
		}
		return c, nil
	}
	if net.ParseIP(host) == nil {
		return nil, fmt.Errorf("dial %s on %s: not an IP address", addr, m.Name)
	}
	var c net.Conn
	err = m.in(func() error {
		c, err = new(net.Dialer).DialContext(ctx, "tcp", addr)
		return err
	})
	return c, err
}

// DialPort connects to a port of the machine's localhost.
func (m *Machine) DialPort(ctx context.Context, port int) (net.Conn, error) {
	return m.Dial(ctx, net.JoinHostPort("localhost", strconv.Itoa(port)))
}
