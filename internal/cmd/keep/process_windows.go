package keep

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// background starts a process without a console, so that closing a console does not end it.
func background() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}

// shellCommand returns a command that runs line in cmd.exe, which does not understand the quoting of package exec.
func shellCommand(line string) *exec.Cmd {
	cmd := exec.Command("cmd.exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /S /C "` + line + `"`}
	return cmd
}
