package browser

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// detach gives the program no console to write on, and no Ctrl-C meant for us.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}
