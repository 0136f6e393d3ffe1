//go:build !windows

package store

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// The children store a token as a renewal does, waiting for a line of stdin where the service would be asked.
func init() {
	renew := func(s *Store, ctx context.Context) {
		u, err := s.LockToken(ctx, "k")
		if err != nil {
			panic(err)
		}
		if err := u.Prepare(); err != nil {
			panic(err)
		}
		u.Hold(ctx)
		fmt.Println("held")
		if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
			panic(err)
		}
		if err := u.Renewed(nextToken()); err != nil {
			panic(err)
		}
		fmt.Println("went on")
	}
	// plain knows nothing of signals.
	children["plain"] = func(s *Store) { renew(s, context.Background()) }
	// leaver ends by itself after the first signal, as homing does; a second one would kill it.
	children["leaver"] = func(s *Store) {
		ctx, stop := signal.NotifyContext(context.Background(), deadly...)
		defer stop()
		context.AfterFunc(ctx, stop)
		renew(s, ctx)
		fmt.Println("heard:", ctx.Err() != nil)
	}
	// nohup ignores a closed terminal.
	children["nohup"] = func(s *Store) {
		signal.Ignore(syscall.SIGHUP)
		renew(s, context.Background())
		if !signal.Ignored(syscall.SIGHUP) {
			fmt.Println("no longer ignored")
		}
	}
	// afterwards gives up, and then is as mortal as before.
	children["afterwards"] = func(s *Store) {
		u, err := s.BeginToken(context.Background(), "k")
		if err != nil {
			panic(err)
		}
		u.Hold(context.Background())
		u.Abort()
		fmt.Println("held")
		_, _ = io.Copy(io.Discard, os.Stdin) // until it is killed
	}
}

// Whatever signal comes between the answer and the rename, the token is stored; and the signal is not lost.
func TestSignalsAreHeldBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		child   string
		signals []syscall.Signal
		killed  syscall.Signal // 0 = it ends by itself
		says    string
		stored  bool
	}{
		{"plain", nil, 0, "went on\n", true},
		{"plain", []syscall.Signal{syscall.SIGINT}, syscall.SIGINT, "", true},
		{"plain", []syscall.Signal{syscall.SIGTERM}, syscall.SIGTERM, "", true},
		{"plain", []syscall.Signal{syscall.SIGHUP}, syscall.SIGHUP, "", true},
		{"leaver", nil, 0, "went on\nheard: false\n", true},
		{"leaver", []syscall.Signal{syscall.SIGINT}, 0, "went on\nheard: true\n", true},
		{"leaver", []syscall.Signal{syscall.SIGTERM}, 0, "went on\nheard: true\n", true},
		{"leaver", []syscall.Signal{syscall.SIGINT, syscall.SIGTERM}, syscall.SIGTERM, "", true},
		{"nohup", []syscall.Signal{syscall.SIGHUP}, 0, "went on\n", true},
		{"afterwards", []syscall.Signal{syscall.SIGTERM}, syscall.SIGTERM, "", false},
	} {
		t.Run(fmt.Sprint(tt.child, tt.signals), func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			put(t, s.TokenPath("k"), fullFile)
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "HOMING_TEST_CHILD="+tt.child, "HOMING_TEST_DIR="+s.AWSDir)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			pipe, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				_ = cmd.Process.Kill() // ended already, unless the test failed
			})
			out := bufio.NewReader(pipe)
			if line, err := out.ReadString('\n'); line != "held\n" {
				t.Fatalf("it said %q, %v", line, err)
			}
			for _, sig := range tt.signals {
				deliver(t, cmd.Process.Pid, sig)
			}
			_, _ = io.WriteString(in, "go on\n") // it may be dead, in a test that fails
			said, err := io.ReadAll(out)
			if err != nil {
				t.Fatal(err)
			}
			_ = in.Close()
			_ = cmd.Wait() // what it says stands in the state
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if killed := syscall.Signal(0); status.Signaled() {
				killed = status.Signal()
				if killed != tt.killed {
					t.Errorf("killed by %v, want %v", killed, tt.killed)
				}
			} else if tt.killed != 0 || !cmd.ProcessState.Success() {
				t.Errorf("ended with %v, want %v", cmd.ProcessState, tt.killed)
			}
			if tt.killed == 0 && string(said) != tt.says {
				t.Errorf("it said %q, want %q", said, tt.says)
			}
			if got := strings.Contains(content(t, s.TokenPath("k")), "access-2"); got != tt.stored {
				t.Errorf("stored: %v, want %v", got, tt.stored)
			}
			noLitter(t, s)
		})
	}
}

// deliver sends a signal and waits until the process has taken it: a second one must not come before.
func deliver(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
	for pending(pid) { // nothing announces it
		runtime.Gosched()
	}
}

// pending reports whether a signal waits to be taken, where the system tells.
func pending(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if mask, ok := strings.CutPrefix(line, "ShdPnd:"); ok {
			return strings.Trim(strings.TrimSpace(mask), "0") != ""
		}
	}
	return false
}
