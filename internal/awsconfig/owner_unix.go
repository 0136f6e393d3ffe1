//go:build unix

package awsconfig

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// adopt gives f the owner, group and mode of the file that it is to replace.
func adopt(f *os.File, old fs.FileInfo) error {
	now, err := f.Stat()
	if err != nil {
		return err
	}
	want, ok := old.Sys().(*syscall.Stat_t)
	have, ok2 := now.Sys().(*syscall.Stat_t)
	if ok && ok2 && (want.Uid != have.Uid || want.Gid != have.Gid) {
		if err := f.Chown(int(want.Uid), int(want.Gid)); err != nil {
			return fmt.Errorf("it belongs to user %d, group %d, which could not be kept (%s)", want.Uid, want.Gid, reason(err))
		}
	}
	return f.Chmod(old.Mode().Perm())
}

// syncFolder makes a rename last through a power cut. Not every file system can; there is nothing to do about that.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}
