//go:build unix

package editor

import (
	"io/fs"
	"syscall"
)

// fileUID returns the owner of a file; ok is false where files have none.
func fileUID(info fs.FileInfo) (uid int, ok bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(stat.Uid), true
}
