// Package files knows how to share files with other processes: lock them, replace them in one step, follow their
// links, and read them with a bound. It is the only package that locks or renames.
//
// What the files hold is left to the callers. The rule: whatever stands where a file of ours belongs is a regular
// file, or it is an error that names it. Nothing here opens a pipe or a device and waits.
package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// NotRegular is the cause of an *fs.PathError: a folder, a link, a pipe, a socket or a device stands where a file
// belongs. Its value is the type.
type NotRegular fs.FileMode

func (n NotRegular) Error() string {
	switch mode := fs.FileMode(n); {
	case mode.IsDir():
		return "it is a folder, not a file"
	case mode&fs.ModeSymlink != 0:
		return "it is a symbolic link, not a file"
	case mode&fs.ModeNamedPipe != 0:
		return "it is a pipe, not a file"
	case mode&fs.ModeSocket != 0:
		return "it is a socket, not a file"
	case mode&fs.ModeDevice != 0:
		return "it is a device, not a file"
	}
	return "it is not a file"
}

// Errors that the callers tell apart.
var (
	ErrTooLarge = errors.New("it is too large")
	ErrHeld     = errors.New("another process holds it")

	errOwner = errors.New("it is open to other users, or belongs to one")
)

func fault(op, path string, err error) error { return &fs.PathError{Op: op, Path: path, Err: err} }

func regular(op, path string, info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return fault(op, path, NotRegular(info.Mode()))
	}
	return nil
}

// lstatRegular looks at a file of ours, which is never a link.
func lstatRegular(op, path string) (fs.FileInfo, error) {
	info, err := os.Lstat(path)
	if err == nil {
		err = regular(op, path, info)
	}
	return info, err
}

// Follow returns the file that path stands for: path itself, or where its symbolic links lead. That file may be
// missing.
func Follow(path string) (string, error) {
	link := path
	for range 40 { // Linux's limit
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			return path, nil //nolint:nilerr // a missing file is no link; whoever opens it gets the error
		}
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return "", fault("open", link, syscall.ELOOP)
}

// Open opens a regular file for reading; links are followed. Anything else is a NotRegular, and is not waited for.
func Open(path string) (*os.File, error) {
	// Look before opening: opening a device can have effects. Look again afterwards: it may be another file by then.
	info, err := os.Stat(path)
	if err == nil {
		err = regular("open", path, info)
	}
	if err != nil {
		return nil, err
	}
	return open(path, os.O_RDONLY)
}

// open opens without waiting and checks what it got.
func open(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag|nonblock, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil {
		err = regular("open", path, info)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// Read returns the content of a regular file. A file of more than limit bytes is an ErrTooLarge with its first limit
// bytes. Other errors are *fs.PathError.
func Read(path string, limit int) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	return readAll(path, f, limit)
}

// ReadOwn is Read for a file of ours, which is never a link.
func ReadOwn(path string, limit int) ([]byte, error) {
	if _, err := lstatRegular("open", path); err != nil {
		return nil, err
	}
	f, err := open(path, os.O_RDONLY|nofollow)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	return readAll(path, f, limit)
}

func readAll(path string, r io.Reader, limit int) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if len(data) > limit {
		return data[:limit], fault("read", path, ErrTooLarge)
	}
	return data, err
}

// OpenPrivate opens a file of ours that nobody else can use. It follows no link. flag is os.O_RDONLY or os.O_RDWR.
func OpenPrivate(path string, flag int) (*os.File, error) {
	check := func(info fs.FileInfo) error {
		if !Ours(info) || !Private(info) {
			return fault("open", path, errOwner)
		}
		return nil
	}
	info, err := lstatRegular("open", path)
	if err == nil {
		err = check(info)
	}
	if err != nil {
		return nil, err
	}
	f, err := open(path, flag|nofollow)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = check(info)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// ReadPrivate is Read for a file that OpenPrivate opens.
func ReadPrivate(path string, limit int) ([]byte, error) {
	f, err := OpenPrivate(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	return readAll(path, f, limit)
}
