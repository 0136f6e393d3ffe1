//go:build !windows

package keep

import (
	"os/exec"
	"syscall"
)

// background gives a process a session of its own, which no terminal ends.
func background() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// shellCommand is a command line for the shell.
func shellCommand(line string) *exec.Cmd { return exec.Command("/bin/sh", "-c", line) }
