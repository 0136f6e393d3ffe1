//go:build !windows

package keep

import (
	"os/exec"
	"syscall"
)

// background gives a process a session of its own, so that closing the terminal does not end it.
func background() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// shellCommand returns a command that runs line in the shell.
func shellCommand(line string) *exec.Cmd { return exec.Command("/bin/sh", "-c", line) }
