package editor

import "golang.org/x/sys/unix"

// credential is SO_PEERCRED of unix(7).
func credential(fd int) (uid int, err error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
