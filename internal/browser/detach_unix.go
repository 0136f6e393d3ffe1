//go:build !windows

package browser

import (
	"os/exec"
	"syscall"
)

// detach gives the program a session of its own: no terminal to write on, and no Ctrl-C meant for us.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
