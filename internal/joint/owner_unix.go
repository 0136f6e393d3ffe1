//go:build !windows

package joint

import (
	"io/fs"
	"os"
	"syscall"
)

// ours reports whether a file belongs to the user we act as.
func ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// private reports whether nobody else may do anything with a file.
func private(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 == 0 }
