package cli

import (
	"syscall"

	"golang.org/x/sys/windows"
)

// background gives a process no console, so that none ends it.
func background() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP}
}
