//go:build !windows

package store

import (
	"os"
	"syscall"
)

// raise sends s to this process. It cannot fail for a signal that has just come.
func raise(s os.Signal) {
	if n, ok := s.(syscall.Signal); ok {
		_ = syscall.Kill(os.Getpid(), n)
	}
}
