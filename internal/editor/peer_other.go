//go:build !linux && !darwin

package editor

import "net"

// peerUID does not know: here the owner of the file alone decides.
func peerUID(*net.UnixConn) (uid int, known bool, err error) { return 0, false, nil }
