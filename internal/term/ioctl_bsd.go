//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package term

import "golang.org/x/sys/unix"

const (
	getTermios = unix.TIOCGETA
	setTermios = unix.TIOCSETA
)

// keepRunning has no way here to spare one thread SIGTTIN and SIGTTOU. The foreground is looked at before every step,
// so a stop takes another job coming to the foreground in the microseconds between.
func keepRunning() {}
