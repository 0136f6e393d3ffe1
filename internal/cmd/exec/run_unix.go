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

// shell is what exec runs without a command.
func shell(getenv func(string) string) string { return cmp.Or(getenv("SHELL"), "/bin/sh") }

// findProgram looks for a command as a shell does.
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
			if !strings.Contains(path, "/") { // of the current folder, which Join has shortened
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

// become puts the command in the place of this process: same number, same terminal, and nothing between it and who
// sends signals or waits for it.
func (c *childCommand) become() error {
	err := syscall.Exec(c.path, c.argv, c.env)
	if errors.Is(err, syscall.ENOEXEC) { // a script without a first line that says what runs it
		c.argv = append([]string{"/bin/sh", c.path}, c.argv[1:]...)
		err = syscall.Exec(c.argv[0], c.argv, c.env)
	}
	return cannotRun(c.argv[0], err)
}

// passedOn are the signals that somebody may send to homing and mean the command.
var passedOn = []os.Signal{
	syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM,
	syscall.SIGWINCH, syscall.SIGCONT, syscall.SIGTSTP,
}

// fromTerminal are those that a key sends to everybody at the terminal: the command has it already, and twice is more than
// once for some (a second Ctrl-C kills Terraform).
var fromTerminal = []os.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTSTP}

// runBeside runs the command while this process stays, and returns as it ended. Who sends this process a signal reaches
// the command. When the command is stopped (Ctrl-Z), so is this process, for the shell that waits for it.
//
// The command is in the process group of this one, such that in a pipeline it shares the terminal with the others. started is called once it runs.
func (c *childCommand) runBeside(started func(pid int)) (ending, error) {
	cmd := c.process()
	signals := make(chan os.Signal, 64)
	// What is ignored must stay so for the command, and a signal that comes before it runs must not be lost.
	signal.Notify(signals, slices.DeleteFunc(slices.Clone(passedOn), signal.Ignored)...)
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
	// The terminal is the command's: what homing says meanwhile must not stop it for being in the background.
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
				_ = cmd.Wait() // the status is known; this releases what is left
				return ending{code: status.ExitStatus(), signal: status.Signal(), killed: status.Signaled()}, nil
			case status.Stopped():
				// Who stops the command alone goes on with it alone; at the terminal it is the job that stops, also when a shell
				// with a process group of its own suspends itself.
				stopped = true
				if status.StopSignal() != syscall.SIGSTOP || inForeground(pid) {
					stop()
					stopped = false // what continues this process is passed on; the SIGTSTP of before may be read only now
				}
			case status.Continued():
				stopped = false
			}
		case s := <-signals:
			if slices.Contains(fromTerminal, s) && inForeground(0) {
				if s == syscall.SIGTSTP && stopped { // the command sleeps already, by itself
					stop()
					stopped = false
				}
				continue
			}
			_ = syscall.Kill(pid, s.(syscall.Signal))
		}
	}
}

// stop stops this process until somebody continues it.
func stop() { _ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) }

// watch tells how the process changes until it has ended.
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

// inForeground reports whether the process group of this process has the terminal, so that its keys reach the command too,
// or that of another process has it; 0 is none.
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
	theirs := 0
	if other != 0 {
		if theirs, err = unix.Getpgid(other); err != nil {
			theirs = 0
		}
	}
	return group == unix.Getpgrp() || theirs != 0 && group == theirs
}

// ending is how a command ended.
type ending struct {
	code   int
	signal syscall.Signal
	killed bool // by signal
}

// same ends this process as the command ended, or returns the error that does: by the same signal where that is one that Go
// lets end a process without a word of its own, else with 128 and its number, as shells say it.
func (e ending) same() error {
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
			time.Sleep(time.Second) // it is on its way, unless it is ignored
		}
	}
	return &CommandEnded{Code: 128 + int(e.signal)}
}
