// Package private knows what belongs to this process's user alone: whether a file does, and how a folder is made so.
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
