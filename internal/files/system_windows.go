package files

import (
	"errors"

	"golang.org/x/sys/windows"
)

const (
	nonblock = 0
	nofollow = 0
)

// inUse reports whether a file could not be replaced because another program has it open.
func inUse(err error) bool {
	return errors.Is(err, windows.ERROR_ACCESS_DENIED) || errors.Is(err, windows.ERROR_SHARING_VIOLATION) ||
		errors.Is(err, windows.ERROR_LOCK_VIOLATION)
}
