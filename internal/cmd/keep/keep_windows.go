package keep

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// background gives a process no console, so that none ends it.
func background() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}

// shellCommand is a command line for cmd.exe, whose quotes are not those that package exec would add.
func shellCommand(line string) *exec.Cmd {
	cmd := exec.Command("cmd.exe")
	cmd.SysProcAttr = &syscall.SysProcAttr{CmdLine: `cmd.exe /S /C "` + line + `"`}
	return cmd
}
