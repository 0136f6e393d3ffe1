//go:build !windows

package cli

import "syscall"

// background gives a process a session of its own, which no terminal ends.
func background() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
