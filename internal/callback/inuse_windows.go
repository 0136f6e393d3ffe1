package callback

import (
	"errors"

	"golang.org/x/sys/windows"
)

// inUse reports whether a socket could not be bound because its port is taken, or reserved by the system.
func inUse(err error) bool {
	return errors.Is(err, windows.WSAEADDRINUSE) || errors.Is(err, windows.WSAEACCES)
}
