//go:build linux || darwin

package store

import (
	"os"
	"syscall"
)

// full reports whether the file system of a folder has no room for a file of size bytes. Some tell of no size at all;
// they are not full.
func full(dir string, size uint64) bool {
	var fs syscall.Statfs_t
	if syscall.Statfs(dir, &fs) != nil || fs.Blocks == 0 {
		return false
	}
	free := fs.Bavail
	if os.Geteuid() == 0 { // who may use what is kept back for root
		free = fs.Bfree
	}
	return free*uint64(fs.Bsize) < size || fs.Files > 0 && fs.Ffree == 0
}
