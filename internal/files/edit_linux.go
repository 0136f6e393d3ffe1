package files

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Types of local file systems, by statfs(2): there EAGAIN for a lease means that somebody has the file open for
// writing.
var local = map[int64]bool{
	unix.EXT4_SUPER_MAGIC:      true,
	unix.XFS_SUPER_MAGIC:       true,
	unix.BTRFS_SUPER_MAGIC:     true,
	unix.TMPFS_MAGIC:           true,
	unix.OVERLAYFS_SUPER_MAGIC: true,
}

// lease keeps every program from opening f for writing until f is closed: errWriter while one has it open,
// errLeaseless where there are no leases. A killed process loses its lease at once, and a program that has to wait
// does so for 45 seconds at most (/proc/sys/fs/lease-break-time).
func lease(f *os.File) error {
	if leaseless {
		return errLeaseless
	}
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	if err == nil {
		return nil
	}
	var fs unix.Statfs_t
	if errors.Is(err, unix.EAGAIN) && unix.Fstatfs(int(f.Fd()), &fs) == nil && local[fs.Type] {
		return errWriter
	}
	return errLeaseless
}

// unlease ends the lease of f.
func unlease(f *os.File) { _, _ = unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK) }

// exchange swaps two files in one step.
func exchange(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	if err != nil {
		return &os.LinkError{Op: "exchange", Old: a, New: b, Err: err}
	}
	return nil
}
