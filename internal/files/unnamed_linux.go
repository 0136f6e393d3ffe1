package files

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// createUnnamed writes a file that has no name yet, and then names it.
func createUnnamed(path string, data []byte) error {
	f, err := os.OpenFile(filepath.Dir(path), os.O_WRONLY|unix.O_TMPFILE, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // without a name it goes
	if _, err = f.Write(data); err != nil {
		return err
	}
	proc := "/proc/self/fd/" + strconv.Itoa(int(f.Fd()))
	err = unix.Linkat(unix.AT_FDCWD, proc, unix.AT_FDCWD, path, unix.AT_SYMLINK_FOLLOW)
	if err != nil {
		if errors.Is(err, unix.ENOENT) { // no /proc here: the folder is there, or the file could not have been opened
			err = errors.ErrUnsupported
		}
		return &os.LinkError{Op: "link", Old: proc, New: path, Err: err}
	}
	return nil
}
