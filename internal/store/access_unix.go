//go:build !windows

package store

import (
	"os"
	"syscall"
)

// writable asks the system whether files can be made in a folder: W_OK and X_OK of access(2).
func writable(dir string) error { return syscall.Access(dir, 2|1) }

// ours reports whether a file belongs to this user. Then its mode is what keeps the user out.
func ours(path string) bool {
	info, err := os.Lstat(path)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
