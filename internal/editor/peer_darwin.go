package editor

import "golang.org/x/sys/unix"

// credential is LOCAL_PEERCRED of unix(4).
func credential(fd int) (uid int, err error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
