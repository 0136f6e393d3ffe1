//go:build !windows

package files

import (
	"io/fs"
	"os"
	"syscall"
)

// Ours reports whether a file belongs to the user this process acts as. On Windows the inherited permissions decide: a
// profile belongs to one user.
func Ours(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// Private reports whether nobody else may do anything with a file; on Windows as Ours.
func Private(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 == 0 }

// sameDevice reports whether two device files stand for one device.
func sameDevice(a, b fs.FileInfo) bool {
	one, ok := a.Sys().(*syscall.Stat_t)
	other, okToo := b.Sys().(*syscall.Stat_t)
	return ok && okToo && one.Rdev == other.Rdev
}
