//go:build unix

package interop

import (
	"errors"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// terminal is a program that runs on a pseudo-terminal, with somebody who waits for words and types.
type terminal struct {
	t    *testing.T
	cmd  *exec.Cmd
	keys interface{ Write([]byte) (int, error) }

	mu      sync.Mutex
	raw     []byte
	changed chan struct{} // closed and replaced whenever raw grows
	ended   bool
	seen    int // how much of the text expect has gone past
}

func (w *world) terminal(env []string, name string, args ...string) *terminal {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), name, args...)
	cmd.Env, cmd.Dir = env, w.home
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 160})
	if err != nil {
		w.Fatal(err)
	}
	x := &terminal{t: w.T, cmd: cmd, keys: f, changed: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 4096)
		for {
			n, err := f.Read(buf) // EIO when the program has ended
			x.mu.Lock()
			x.raw, x.ended = append(x.raw, buf[:n]...), err != nil
			close(x.changed)
			x.changed = make(chan struct{})
			x.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	w.Cleanup(func() {
		_ = f.Close()
		<-done
	})
	return x
}

var (
	forward = regexp.MustCompile(`\x1b\[(\d*)C`)
	escapes = regexp.MustCompile(`\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\x1b[()=>][0B]?|\r`)
)

// text is what was printed, without colours and cursor movement.
func (x *terminal) text() string {
	s := forward.ReplaceAllStringFunc(string(x.raw), func(move string) string {
		n, err := strconv.Atoi(forward.FindStringSubmatch(move)[1])
		if err != nil {
			n = 1
		}
		return strings.Repeat(" ", n)
	})
	return escapes.ReplaceAllString(s, "")
}

// expect waits until want was printed after what the last expect found.
func (x *terminal) expect(want string) {
	x.t.Helper()
	deadline := time.After(patience)
	for {
		x.mu.Lock()
		text, ended, changed := x.text(), x.ended, x.changed
		x.mu.Unlock()
		if i := strings.Index(text[min(x.seen, len(text)):], want); i >= 0 {
			x.seen += i + len(want)
			return
		}
		if ended {
			x.t.Fatalf("the program ended before it said %q:\n%s", want, text)
		}
		select {
		case <-changed:
		case <-deadline:
			x.t.Fatalf("waited %v for %q:\n%s", patience, want, text)
		}
	}
}

// answer types a line after the program has asked.
func (x *terminal) answer(question, line string) {
	x.t.Helper()
	x.expect(question)
	if _, err := x.keys.Write([]byte(line + "\r")); err != nil {
		x.t.Fatal(err)
	}
}

// wait returns the exit code and everything that was printed.
func (x *terminal) wait() (code int, text string) {
	x.t.Helper()
	err := x.cmd.Wait()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		x.t.Fatal(err)
	}
	deadline := time.After(patience)
	for {
		x.mu.Lock()
		text, ended, changed := x.text(), x.ended, x.changed
		x.mu.Unlock()
		if ended {
			return x.cmd.ProcessState.ExitCode(), text
		}
		select {
		case <-changed:
		case <-deadline:
			x.t.Fatal("the terminal stays open after the program's end")
		}
	}
}
