//go:build linux || darwin

package editor

import "net"

// peerUID returns the effective user of the program that listens where c is connected to, as of when it began to. known
// is false where the system does not tell.
func peerUID(c *net.UnixConn) (uid int, known bool, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0, false, err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { uid, failed = credential(int(fd)) })
	if err == nil {
		err = failed
	}
	if err != nil {
		return 0, false, err
	}
	return uid, true, nil
}
