//go:build !windows

package callback

import (
	"errors"
	"syscall"
)

// inUse reports whether a socket could not be bound because its port is taken.
func inUse(err error) bool { return errors.Is(err, syscall.EADDRINUSE) }
