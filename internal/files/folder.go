package files

import (
	"errors"
	"io/fs"
	"os"
)

// PrivateDir makes path, and the folders above it, a folder that only this user can use. A folder, or a link to one,
// that another user made is an error. Errors are *fs.PathError.
func PrivateDir(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	link, err := os.Lstat(path)
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fault("open", path, errors.New("not a folder"))
	case !Ours(link) || !Ours(info):
		return fault("open", path, errors.New("owned by another user"))
	case Private(info):
		return nil
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return err
	}
	if info, err = os.Stat(path); err == nil && !Private(info) {
		err = &fs.PathError{Op: "chmod", Path: path, Err: errors.New("open to other users")}
	}
	return err
}

// ForeignLock returns an *fs.PathError if another user made the lock file at path.
func ForeignLock(path string) error {
	if info, err := os.Lstat(path); err == nil && !Ours(info) {
		return fault("lock", path, errors.New("owned by another user"))
	}
	return nil
}
