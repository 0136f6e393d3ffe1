// Package private knows what belongs to this process's user alone: whether a file does, and how a folder or a small file
// is made so.
//
// Who may read what is in such a folder is the system's affair; who else writes there is not thought of.
package private

import (
	"errors"
	"io/fs"
	"os"
)

// Dir makes path a folder that is ours alone, with those above it. A folder, or a link to one, that another user made is
// not ours. Errors are *fs.PathError.
func Dir(path string) error {
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
		return &fs.PathError{Op: "open", Path: path, Err: errors.New("not a folder")}
	case !Ours(link) || !Ours(info):
		return &fs.PathError{Op: "open", Path: path, Err: errors.New("owned by another user")}
	case Only(info):
		return nil
	}
	if err := os.Chmod(path, 0o700); err != nil {
		return err
	}
	if info, err = os.Stat(path); err == nil && !Only(info) {
		err = &fs.PathError{Op: "chmod", Path: path, Err: errors.New("open to other users")}
	}
	return err
}

// Write puts a file in place whole, mode 0600. A link that stands in its way is replaced, not followed. The caller holds
// a lock that keeps others from writing the same file: what one that was killed left at path + ".tmp" is removed.
func Write(path string, text []byte) error {
	temp := path + ".tmp"
	_ = os.Remove(temp)
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp)
	}
	return err
}
