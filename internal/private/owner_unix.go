//go:build !windows

package private

import (
	"io/fs"
	"os"
	"syscall"
)

// Ours reports whether a file belongs to the user we act as. On Windows that is left to the inherited permissions: a
// user's profile is his alone.
func Ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// Only reports whether nobody else may do anything with a file; on Windows as Ours.
func Only(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 == 0 }
