//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package term

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const helper = "HOMING_TERM_TEST_HELPER"

// TestMain also plays the programs of the tests about jobs: a login that waits, and a shell.
func TestMain(m *testing.M) {
	switch os.Getenv(helper) {
	case "login":
		os.Exit(playLogin())
	case "login in front": // a real shell's job is in the foreground before its program runs
		var k keyboard // of file 0
		for !k.foreground() {
			time.Sleep(time.Millisecond)
		}
		os.Exit(playLogin())
	case "shell":
		os.Exit(playShell())
	}
	os.Exit(m.Run())
}

// playLogin reports on stdout what a person does at the terminal on stdin, until Ctrl-C.
func playLogin() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	inputs, restore, err := Inputs(ctx, os.Stdin, os.Stderr)
	if err != nil {
		fmt.Println("login:", err)
		return 3
	}
	defer restore()
	fmt.Println("login: waits")
	for i := range inputs {
		fmt.Println("login:", shown([]Input{i})[0])
	}
	return 130
}

// playShell runs a login as its job, as told line by line through file 3. It says what becomes of the job.
func playShell() int {
	// A shell ignores SIGTTOU, but not so that its jobs inherit it: that would spare them what the tests are about.
	if runtime.GOOS == "linux" {
		runtime.LockOSThread()
		keepRunning()
	} else {
		signal.Ignore(syscall.SIGTTOU)
	}
	saved, err := unix.IoctlGetTermios(0, getTermios)
	if err != nil {
		fmt.Println("shell:", err)
		return 1
	}
	var job *exec.Cmd
	foreground := func(group int) {
		if err := unix.IoctlSetPointerInt(0, unix.TIOCSPGRP, group); err != nil {
			fmt.Println("shell:", err)
		}
	}
	orders := bufio.NewScanner(os.NewFile(3, "orders"))
	for orders.Scan() {
		order := orders.Text()
		switch order {
		case "run", "run &":
			job = exec.Command(os.Args[0])
			job.Env = append(os.Environ(), helper+"=login")
			if order == "run" {
				job.Env = append(os.Environ(), helper+"=login in front")
			}
			job.Stdin, job.Stdout, job.Stderr = os.Stdin, os.Stdout, os.Stderr
			job.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			started := make(chan error)
			go func() { started <- job.Start() }() // on another thread, whose signals are not blocked
			if err := <-started; err != nil {
				fmt.Println("shell:", err)
			}
			if order == "run" {
				foreground(job.Process.Pid)
			}
		case "fg":
			foreground(job.Process.Pid)
		case "take":
			foreground(unix.Getpgrp())
		case "set":
			if err := unix.IoctlSetTermios(0, setTermios, saved); err != nil {
				fmt.Println("shell:", err)
			}
		case "STOP":
			_ = job.Process.Signal(syscall.SIGSTOP)
		case "INT":
			_ = job.Process.Signal(syscall.SIGINT)
		case "CONT":
			_ = job.Process.Signal(syscall.SIGCONT)
		case "wait":
			var status unix.WaitStatus
			for {
				if _, err := unix.Wait4(job.Process.Pid, &status, unix.WUNTRACED, nil); !errors.Is(err, unix.EINTR) {
					break
				}
			}
			if status.Stopped() {
				order = fmt.Sprint("stopped by ", status.StopSignal())
			} else {
				order = fmt.Sprint("exit ", status.ExitStatus())
			}
		case "stopped?":
			var status unix.WaitStatus
			pid, _ := unix.Wait4(job.Process.Pid, &status, unix.WUNTRACED|unix.WNOHANG, nil)
			order = fmt.Sprint("changed: ", pid != 0)
		}
		fmt.Println("shell:", order)
	}
	return 0
}

// job is a program of TestMain with the screen as its controlling terminal.
type job struct {
	*screen
	t      *testing.T
	lines  chan string
	orders io.Writer
}

func start(t *testing.T, program string) *job {
	t.Helper()
	s := newScreen(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	orders, ordersEnd, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), helper+"="+program)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.tty, stdout, s.tty
	cmd.ExtraFiles = []*os.File{orders}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = orders.Close(), stdout.Close()
	j := &job{screen: s, t: t, lines: make(chan string, 100), orders: ordersEnd}
	go func() {
		defer close(j.lines)
		for lines := bufio.NewScanner(reader); lines.Scan(); {
			j.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		_ = ordersEnd.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = reader.Close()
	})
	return j
}

// expect waits for a line of the program.
func (j *job) expect(want string) {
	j.t.Helper()
	select {
	case got := <-j.lines:
		if got != want {
			j.t.Fatalf("%q, want %q; on the screen: %q", got, want, j.shown())
		}
	case <-time.After(deadline):
		j.t.Fatalf("%q did not come; on the screen: %q", want, j.shown())
	}
}

// order tells the shell to do something and waits for its answer.
func (j *job) order(order, want string) {
	j.t.Helper()
	if _, err := io.WriteString(j.orders, order+"\n"); err != nil {
		j.t.Fatal(err)
	}
	j.expect("shell: " + want)
}

func (j *job) raw() bool { return j.attributes(j.t).Lflag&unix.ICANON == 0 }

// Ctrl-C is the signal it always was, and leaves the terminal as it was.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	j := start(t, "login")
	before := j.attributes(t) // of whoever comes first; a new terminal's are the same every time
	before.Lflag |= unix.ICANON | unix.ECHO | unix.IEXTEN
	j.expect("login: waits")
	j.typed("d")
	j.expect("login: key 'd'")
	j.typed("\x03")
	if line, open := <-j.lines; open {
		t.Fatalf("after Ctrl-C: %s", line)
	}
	if after := j.attributes(t); !reflect.DeepEqual(after.Lflag, before.Lflag) || after.Oflag != before.Oflag ||
		after.Iflag != before.Iflag {
		t.Errorf("attributes %+v, before %+v", after, before)
	}
	j.showed(t, pasteOn+pasteOff)
}

func (j *job) typed(text string) {
	j.t.Helper()
	j.screen.typed(j.t, text)
}

// homing login & is not stopped and leaves the terminal alone. After fg it has the keys.
func TestBackgroundAndFg(t *testing.T) {
	t.Parallel()
	j := start(t, "shell")
	j.order("take", "take")
	before := j.attributes(t)
	if _, err := io.WriteString(j.orders, "run &\n"); err != nil {
		t.Fatal(err)
	}
	heard := map[string]bool{}
	for range 2 {
		select {
		case line := <-j.lines:
			heard[line] = true
		case <-time.After(deadline):
			t.Fatalf("heard only %v", heard)
		}
	}
	if !heard["login: waits"] || !heard["shell: run &"] {
		t.Fatalf("heard %v", heard)
	}
	j.typed("for the shell")
	until(t, "the terminal echoes", func() bool { return strings.Contains(j.shown(), "for the shell") })
	time.Sleep(2 * background) // it looks that often
	j.order("stopped?", "changed: false")
	if !reflect.DeepEqual(j.attributes(t), before) || j.shown() != "for the shell" {
		t.Errorf("touched the terminal: %q", j.shown())
	}
	j.typed("\x15") // the line is dropped
	j.order("fg", "fg")
	until(t, "the terminal is set up", j.raw)
	until(t, "bracketed paste is on", func() bool { return strings.HasSuffix(j.shown(), pasteOn) })
	j.typed("d")
	j.expect("login: key 'd'")
	if strings.HasSuffix(j.shown(), "d") {
		t.Errorf("the key is shown: %q", j.shown())
	}
	j.typed("\x03")
	j.order("wait", "exit 130")
	if after := j.attributes(t); after.Lflag != before.Lflag || after.Cc != before.Cc {
		t.Errorf("attributes %+v, before %+v", after, before)
	}
	until(t, "bracketed paste is off", func() bool { return strings.HasSuffix(j.shown(), pasteOff) })
}

// One that ends in the background has touched nothing.
func TestBackgroundToTheEnd(t *testing.T) {
	t.Parallel()
	j := start(t, "shell")
	j.order("take", "take")
	before := j.attributes(t)
	if _, err := io.WriteString(j.orders, "run &\n"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		<-j.lines
	}
	j.order("INT", "INT")
	j.order("wait", "exit 130")
	if !reflect.DeepEqual(j.attributes(t), before) || j.shown() != "" {
		t.Errorf("touched the terminal: %q", j.shown())
	}
}

// A login that comes into the background neither stops nor reads nor sets the terminal; in the foreground again, it
// does.
func TestIntoTheBackgroundAndBack(t *testing.T) {
	t.Parallel()
	j := start(t, "shell")
	if _, err := io.WriteString(j.orders, "run\n"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if line := <-j.lines; line != "shell: run" && line != "login: waits" {
			t.Fatal(line)
		}
	}
	j.typed("d")
	j.expect("login: key 'd'")

	// The shell takes the terminal while the job runs.
	j.order("take", "take")
	time.Sleep(2 * background) // it looks that often
	j.order("set", "set")
	j.typed("echoed")
	until(t, "the terminal echoes", func() bool { return strings.Contains(j.shown(), "echoed") })
	time.Sleep(2 * background)
	j.order("stopped?", "changed: false")
	if j.raw() {
		t.Error("a background job set the terminal")
	}
	j.typed("\x15") // the line is dropped
	j.order("fg", "fg")
	until(t, "the terminal is set up again", j.raw)
	j.typed("p")
	j.expect("login: key 'p'")

	// The shell stops the job, as Ctrl-Z does, and continues it.
	j.order("STOP", "STOP")
	j.order("wait", "stopped by "+syscall.SIGSTOP.String())
	j.order("take", "take")
	j.order("set", "set")
	j.order("fg", "fg")
	if j.raw() {
		t.Error("a stopped job set the terminal")
	}
	j.order("CONT", "CONT")
	until(t, "the terminal is set up again", j.raw)
	until(t, "bracketed paste is on again", func() bool { return strings.HasSuffix(j.shown(), pasteOn) })
	j.typed("?")
	j.expect("login: key '?'")
	j.typed("\x03")
	j.order("wait", "exit 130")
	if j.raw() {
		t.Error("the terminal is not given back")
	}
	until(t, "bracketed paste is off", func() bool { return strings.HasSuffix(j.shown(), pasteOff) })
}

// Ctrl-Z stops, and the shell's fg brings everything back.
func TestSuspend(t *testing.T) {
	t.Parallel()
	j := start(t, "shell")
	if _, err := io.WriteString(j.orders, "run\n"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		<-j.lines
	}
	j.typed("\x1a")
	j.order("wait", "stopped by "+syscall.SIGTSTP.String())
	j.order("take", "take")
	j.order("set", "set")
	j.order("fg", "fg")
	j.order("CONT", "CONT")
	until(t, "the terminal is set up again", j.raw)
	j.typed("d")
	j.expect("login: key 'd'")
}
