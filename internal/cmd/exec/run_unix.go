//go:build !windows

package exec

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// shell returns the program that exec runs if no command is given.
func shell(getenv func(string) string) string { return cmp.Or(getenv("SHELL"), "/bin/sh") }

// findProgram finds a command as a shell does.
func findProgram(getenv func(string) string, name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, runnable(name)
	}
	err := exec.ErrNotFound
	if name == "" {
		return "", err
	}
	for _, dir := range filepath.SplitList(getenv("PATH")) {
		path := filepath.Join(cmp.Or(dir, "."), name)
		why := runnable(path)
		if why == nil {
			if !strings.Contains(path, "/") { // Join has removed the "./" of the current folder
				path = "./" + path
			}
			return path, nil
		}
		if errors.Is(why, fs.ErrPermission) {
			err = why
		}
	}
	return "", err
}

func runnable(path string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errFolder
	}
	return unix.Access(path, unix.X_OK)
}

// replaceProcess replaces this process with the command. The command has the same process ID and terminal, and gets
// signals directly. It returns only an error.
func (c *childCommand) replaceProcess() error {
	err := syscall.Exec(c.path, c.argv, c.env)
	if errors.Is(err, syscall.ENOEXEC) { // a script without an interpreter line
		c.argv = append([]string{"/bin/sh", c.path}, c.argv[1:]...)
		err = syscall.Exec(c.argv[0], c.argv, c.env)
	}
	return cannotRun(c.argv[0], err)
}

// forwarded are the signals that homing forwards to the command.
var forwarded = []os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM,
	syscall.SIGWINCH, syscall.SIGCONT, syscall.SIGTSTP,
}

// fromTerminal are the signals that a key sends to the whole foreground process group. The command has them already,
// and some programs treat a second one differently (a second Ctrl-C kills Terraform).
var fromTerminal = []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP}

// run runs the command as a child and returns how it ended. It calls started once the command runs. It forwards
// signals to the command. When the command stops (Ctrl-Z), this process stops too, for the shell that waits for it.
//
// The command shares the process group of this process, and so, in a pipeline, the terminal with the other programs.
func (c *childCommand) run(started func(pid int)) (ending, error) {
	cmd := c.process()
	signals := make(chan os.Signal, 64)
	// Signals that are ignored stay ignored for the command. Notify before Start, so no signal is lost.
	signal.Notify(signals, slices.DeleteFunc(slices.Clone(forwarded), signal.Ignored)...)
	defer signal.Stop(signals)
	err := cmd.Start()
	if errors.Is(err, syscall.ENOEXEC) {
		c.path, c.argv = "/bin/sh", append([]string{"/bin/sh", c.path}, c.argv[1:]...)
		cmd = c.process()
		err = cmd.Start()
	}
	if err != nil {
		return ending{}, cannotRun(c.argv[0], err)
	}
	// The terminal belongs to the command. Output of homing from the background must not stop homing.
	signal.Ignore(syscall.SIGTTIN, syscall.SIGTTOU)
	defer signal.Reset(syscall.SIGTTIN, syscall.SIGTTOU)
	pid := cmd.Process.Pid
	started(pid)
	changes := make(chan syscall.WaitStatus)
	go watch(pid, changes)
	stopped := false
	for {
		select {
		case status, alive := <-changes:
			switch {
			case !alive || status.Exited() || status.Signaled():
				_ = cmd.Wait() // the status is known; this releases resources
				return ending{code: status.ExitStatus(), signal: status.Signal(), killed: status.Signaled()}, nil
			case status.Stopped():
				// SIGSTOP sent to the command alone stops only the command. At the terminal the whole job stops, even
				// if the command is a shell with a process group of its own that suspends itself.
				stopped = true
				if status.StopSignal() != syscall.SIGSTOP || inForeground(pid) {
					stop()
					stopped = false // the SIGCONT is forwarded; a SIGTSTP from before may still arrive
				}
			case status.Continued():
				stopped = false
			}
		case s := <-signals:
			if slices.Contains(fromTerminal, s) && inForeground(0) {
				if s == syscall.SIGTSTP && stopped { // the command has stopped on its own
					stop()
					stopped = false
				}
				continue
			}
			_ = syscall.Kill(pid, s.(syscall.Signal))
		}
	}
}

// stop stops this process until it gets SIGCONT.
func stop() { _ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) }

// watch sends each change of state of a process to changes, and closes changes when the process has ended.
func watch(pid int, changes chan<- syscall.WaitStatus) {
	defer close(changes)
	for {
		var status syscall.WaitStatus
		_, err := syscall.Wait4(pid, &status, syscall.WUNTRACED|syscall.WCONTINUED, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
			continue
		case err != nil:
			return
		}
		changes <- status
		if status.Exited() || status.Signaled() {
			return
		}
	}
}

// inForeground reports whether the foreground process group of the terminal is that of this process or of the process
// other (0 means none). Keys at the terminal send signals to that group.
func inForeground(other int) bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return false
	}
	defer func() { _ = tty.Close() }()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	if err != nil {
		return false
	}
	if group == unix.Getpgrp() {
		return true
	}
	if other == 0 {
		return false
	}
	otherGroup, err := unix.Getpgid(other)
	return err == nil && group == otherGroup
}

// ending is how a command ended.
type ending struct {
	code   int
	signal syscall.Signal
	killed bool // by signal
}

// repeat makes this process end as the command did. It kills the process with the same signal if Go lets that signal
// end it silently. Otherwise it returns an error with the exit code, as a shell does: 128 plus the number of the
// signal.
func (e ending) repeat() error {
	if !e.killed {
		if e.code == 0 {
			return nil
		}
		return &CommandEnded{Code: e.code}
	}
	switch e.signal {
	case syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL:
		signal.Reset(e.signal)
		if syscall.Kill(os.Getpid(), e.signal) == nil {
			time.Sleep(time.Second) // for the signal to arrive, unless it is ignored
		}
	}
	return &CommandEnded{Code: 128 + int(e.signal)}
}
