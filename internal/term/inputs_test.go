//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package term

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/homing-cli/homing/internal/testtools"
)

// deadline is far more than anything here takes.
const deadline = 20 * time.Second

// screen is a terminal: keyboard is where a person types, tty what programs see, and what was shown is kept.
type screen struct {
	keyboard, tty *os.File
	mu            sync.Mutex
	text          bytes.Buffer
}

func newScreen(t *testing.T) *screen {
	t.Helper()
	keyboard, tty, err := pty.Open()
	if err != nil {
		testtools.Missing(t, "a pseudo-terminal ("+err.Error()+")", "mount /dev/pts")
	}
	fd, err := unix.FcntlInt(keyboard.Fd(), unix.F_DUPFD_CLOEXEC,
		0) // and not the file itself: its reads could not be ended by Close
	if err == nil {
		err = unix.SetNonblock(fd, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = keyboard.Close()
	keyboard = os.NewFile(uintptr(fd), keyboard.Name())
	s := &screen{keyboard: keyboard, tty: tty}
	var reading sync.WaitGroup
	reading.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, err := keyboard.Read(buf)
			s.mu.Lock()
			s.text.Write(buf[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	t.Cleanup(func() {
		_ = tty.Close()
		_ = keyboard.Close()
		reading.Wait()
	})
	return s
}

// shown is everything that was ever on the screen.
func (s *screen) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// showed checks that the screen shows want and nothing else. What is written appears there a little later.
func (s *screen) showed(t *testing.T, want string) {
	t.Helper()
	until(t, fmt.Sprintf("%q on the screen", want), func() bool { return len(s.shown()) >= len(want) })
	if got := s.shown(); got != want {
		t.Errorf("shown: %.200q", got)
	}
}

func (s *screen) typed(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(s.keyboard, text); err != nil {
		t.Fatal(err)
	}
}

func (s *screen) attributes(t *testing.T) unix.Termios {
	t.Helper()
	a, err := unix.IoctlGetTermios(int(s.tty.Fd()), getTermios)
	if err != nil {
		t.Fatal(err)
	}
	return *a
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(deadline); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

func next(t *testing.T, inputs <-chan Input) string {
	t.Helper()
	select {
	case i, ok := <-inputs:
		if !ok {
			return "closed"
		}
		return shown([]Input{i})[0]
	case <-time.After(deadline):
		t.Fatal("no input came")
		return ""
	}
}

func none(t *testing.T, inputs <-chan Input) {
	t.Helper()
	select {
	case i, ok := <-inputs:
		t.Errorf("an input nobody made: %v, %v", ok, shown([]Input{i}))
	case <-time.After(400 * time.Millisecond): // longer than any silence that means something
	}
}

func TestKeysAndPastes(t *testing.T) {
	t.Parallel()
	s := newScreen(t)
	before := s.attributes(t)
	inputs, restore, err := Inputs(t.Context(), s.tty, s.tty)
	if err != nil {
		t.Fatal(err)
	}
	now := s.attributes(t)
	if now.Lflag&(unix.ICANON|unix.ECHO|unix.IEXTEN) != 0 || now.Lflag&unix.ISIG == 0 || now.Oflag&unix.OPOST == 0 ||
		now.Cc[unix.VMIN] != 1 ||
		now.Iflag != before.Iflag {
		t.Errorf("attributes %+v", now)
	}
	for in, want := range map[string]string{"d": "key 'd'", "p": "key 'p'", "?": "key '?'", "\r": `key '\n'`, "é": "key 'é'", "\x04": `key '\x04'`} {
		s.typed(t, in)
		if got := next(t, inputs); got != want {
			t.Errorf("%q: %s", in, got)
		}
	}
	s.typed(t, "\x1b[A\x1b[I\x1b[<0;1;1M")
	none(t, inputs)

	// Two keys 10 ms apart are none, unless the machine was too busy to press them so fast.
	for range 20 {
		start := time.Now()
		s.typed(t, "d")
		time.Sleep(10 * time.Millisecond)
		s.typed(t, "p")
		if time.Since(start) < 30*time.Millisecond {
			if got := next(t, inputs); got != `paste "dp"` {
				t.Errorf("two keys at once: %s", got)
			}
			break
		}
		for len(next(t, inputs)) < len("paste") { // one of them may have been a key
			time.Sleep(time.Millisecond)
		}
	}
	restore()
	restore()
	if got := next(t, inputs); got != "closed" {
		t.Errorf("after restore: %s", got)
	}
	if after := s.attributes(t); !reflect.DeepEqual(after, before) {
		t.Errorf("attributes %+v, before %+v", after, before)
	}
	s.showed(t, pasteOn+pasteOff)
}

// A URL longer than any line a terminal would take, with the line breaks of a wrapped copy, comes whole.
func TestLongPaste(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("df é 🐫 http://127.0.0.1:23456/oauth/callback?code=")
	for i := 0; text.Len() < 6000; i++ {
		fmt.Fprintf(&text, "%076d\r", i) // terminals send line breaks as Enter
	}
	want := fmt.Sprintf("paste %q", strings.ReplaceAll(text.String(), "\r", "\n")) // ICRNL
	for _, brackets := range [][2]string{{begin, end}, {"", ""}} {
		for _, size := range []int{3, 7, 1021, 4095, 4097, 1 << 20} {
			t.Run(fmt.Sprintf("brackets=%t,pieces=%d", brackets[0] != "", size), func(t *testing.T) {
				t.Parallel()
				s := newScreen(t)
				inputs, restore, err := Inputs(t.Context(), s.tty, s.tty)
				if err != nil {
					t.Fatal(err)
				}
				defer restore()
				for rest := brackets[0] + text.String() + brackets[1]; rest != ""; {
					n := min(len(rest), size)
					s.typed(t, rest[:n])
					rest = rest[n:]
				}
				if got := next(t, inputs); got != want {
					t.Errorf("got %d bytes: %.100s", len(got), got)
				}
				none(t, inputs)
				restore()
				s.showed(t, pasteOn+pasteOff)
			})
		}
	}
}

// The end of the context gives the terminal back by itself, in the middle of a paste and while nobody takes what
// came.
func TestContextEnds(t *testing.T) {
	t.Parallel()
	for name, typed := range map[string]string{"idle": "", "a half paste": begin + "x", "an input not taken": begin + "x" + end} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScreen(t)
			before := s.attributes(t)
			ctx, cancel := context.WithCancel(t.Context())
			inputs, restore, err := Inputs(ctx, s.tty, s.tty)
			if err != nil {
				t.Fatal(err)
			}
			s.typed(t, typed)
			cancel()
			// What was typed in the last moment may arrive, and be echoed, afterwards.
			until(t, "the terminal is given back", func() bool { return strings.Contains(s.shown(), pasteOn+pasteOff) })
			until(t, "attributes as before", func() bool { return reflect.DeepEqual(s.attributes(t), before) })
			restore()
			for range inputs { // closed
			}
		})
	}
}

// What was typed before, and what was not read, is lost to nobody.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	s := newScreen(t)
	s.typed(t, "ahead")
	inputs, restore, err := Inputs(t.Context(), s.tty, s.tty)
	if err != nil {
		t.Fatal(err)
	}
	if got := next(t, inputs); got != `paste "ahead"` {
		t.Errorf("typed ahead: %s", got)
	}
	restore()
	s.typed(t, "after\n")
	line := make([]byte, 100)
	if n, err := s.tty.Read(line); err != nil || string(line[:n]) != "after\n" {
		t.Errorf("the shell reads %q, %v", line[:n], err)
	}
}

// The rest of a paste that outlives the wait, a code perhaps, is neither shown nor left for the shell.
func TestRestOfAPaste(t *testing.T) {
	t.Parallel()
	for name, brackets := range map[string][2]string{"bracketed": {begin, end}, "bare": {"", ""}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScreen(t)
			_, restore, err := Inputs(t.Context(), s.tty, s.tty)
			if err != nil {
				t.Fatal(err)
			}
			s.typed(t, brackets[0]+"first part")
			time.Sleep(50 * time.Millisecond) // it is read; well before a bare paste counts as ended
			var typing sync.WaitGroup
			typing.Go(func() {
				time.Sleep(20 * time.Millisecond)
				_, _ = io.WriteString(s.keyboard, " second part\n"+brackets[1])
			})
			restore()
			typing.Wait()
			s.typed(t, "after\n")
			s.showed(t, pasteOn+pasteOff+"after\r\n")
			line := make([]byte, 100)
			if n, err := s.tty.Read(line); err != nil || string(line[:n]) != "after\n" {
				t.Errorf("the shell reads %q, %v", line[:n], err)
			}
		})
	}
}

func TestTerminalGoesAway(t *testing.T) {
	t.Parallel()
	s := newScreen(t)
	inputs, restore, err := Inputs(t.Context(), s.tty, s.tty)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.keyboard.Close()
	if got := next(t, inputs); got != "closed" {
		t.Errorf("the terminal was closed: %s", got)
	}
	restore()
}

// Where the screen is no terminal nothing is written to it, and pastes come all the same.
func TestOutputElsewhere(t *testing.T) {
	t.Parallel()
	s := newScreen(t)
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	inputs, restore, err := Inputs(t.Context(), s.tty, out)
	if err != nil {
		t.Fatal(err)
	}
	s.typed(t, "pasted")
	if got := next(t, inputs); got != `paste "pasted"` {
		t.Error(got)
	}
	restore()
	if data, err := os.ReadFile(out.Name()); len(data) > 0 || err != nil || s.shown() != "" {
		t.Errorf("written %q, shown %q, %v", data, s.shown(), err)
	}
}

func TestNoTerminal(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for name, in := range map[string]*os.File{"nil": nil, "pipe": r, "null": null} {
		if _, _, err := Inputs(t.Context(), in, w); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
