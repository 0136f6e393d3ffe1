//go:build unix

package files

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// mayWrite asks without opening the file, which would have to wait for the lease of another edit.
func mayWrite(path string) error {
	if err := unix.Faccessat(unix.AT_FDCWD, path, unix.W_OK, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "open", Path: path, Err: err}
	}
	return nil
}

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
			var why *fs.PathError
			if errors.As(err, &why) {
				err = why.Err
			}
			return fmt.Errorf("it belongs to user %d, group %d, which could not be kept (%w)", want.Uid, want.Gid, err)
		}
	}
	return f.Chmod(old.Mode().Perm())
}

// holdSignals keeps Ctrl-Z from stopping this process until release: other programs wait while it holds a lease, and
// other edits while it holds the lock. A Ctrl-Z of this time takes effect then. SIGIO tells that a program waits for
// the lease; nothing has to be done about it.
func holdSignals() (release func()) {
	waits := make(chan os.Signal, 1)
	signal.Notify(waits, syscall.SIGIO)
	if signal.Ignored(syscall.SIGTSTP) {
		return func() { signal.Stop(waits) }
	}
	stops := make(chan os.Signal, 1)
	signal.Notify(stops, syscall.SIGTSTP)
	return func() {
		signal.Stop(waits)
		signal.Stop(stops)
		select {
		case <-stops:
			_ = syscall.Kill(os.Getpid(), syscall.SIGTSTP)
		default:
		}
	}
}
