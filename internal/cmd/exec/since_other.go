//go:build !linux && !darwin && !windows

package exec

import (
	"errors"
	"syscall"
)

// runningSince returns whether a process runs. Since when is not known here: a number that is another's by now keeps a folder
// longer than need be.
func runningSince(pid int) (since string, ok bool) {
	err := syscall.Kill(pid, 0)
	return "", pid > 0 && (err == nil || errors.Is(err, syscall.EPERM))
}
