package term

import "golang.org/x/sys/unix"

const (
	getTermios = unix.TCGETS
	setTermios = unix.TCSETS
)

// keepRunning keeps SIGTTIN and SIGTTOU from this thread: what it does to a terminal that has just got another job in
// its foreground fails then, or goes through, and stops nobody.
func keepRunning() {
	var set unix.Sigset_t
	for _, s := range []uint{uint(unix.SIGTTIN), uint(unix.SIGTTOU)} {
		word := uint(len(set.Val)) // bits of a word differ between systems
		bits := 1024 / word
		set.Val[(s-1)/bits] |= 1 << ((s - 1) % bits)
	}
	_ = unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil) // without it there is a moment's chance to be stopped
}
