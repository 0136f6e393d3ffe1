//go:build !linux && !darwin && !windows

package exec

import (
	"errors"
	"syscall"
)

// startTime reports whether a process runs. The start time is unknown here, so a reused process ID keeps a folder
// longer than necessary.
func startTime(pid int) (start string, ok bool) {
	err := syscall.Kill(pid, 0)
	return "", pid > 0 && (err == nil || errors.Is(err, syscall.EPERM))
}
