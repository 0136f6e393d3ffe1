//go:build darwin || freebsd || netbsd || openbsd || dragonfly

package term

import "golang.org/x/sys/unix"

func flush(fd uintptr) error {
	const fread = 1 // FREAD of sys/fcntl.h: what was received
	return unix.IoctlSetPointerInt(int(fd), unix.TIOCFLUSH, fread)
}
