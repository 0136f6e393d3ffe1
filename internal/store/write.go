package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
)

// maxFile bounds what is read of a cache file. Tokens are a few kilobytes.
const maxFile = 1 << 20

// tempMark stands in the name of every temporary file of ours: NAME.homing-RANDOM.tmp. Such a file, left behind by a
// process that was killed, is skipped by readers that look for *.json; the AWS CLI's logout, which reads every file,
// removes it when it holds a token and skips it when it holds blanks.
const tempMark = ".homing-"

// follow returns the file that path stands for when it is a symbolic link, which may point to nothing yet, else path.
func follow(path string) (string, error) {
	for range 40 { // the limit of Linux
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			return path, nil //nolint:nilerr // what is not there is no link; whoever opens it learns the rest
		}
		target, err := os.Readlink(path)
		if err != nil {
			return "", ioFault("read the link", path, err)
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return "", &fault.Error{
		Kind: fault.Config, Msg: "too many symbolic links at " + quote(path), Hint: "look at it: ls -l " + shell(path),
	}
}

// readFile returns the content of a cache file. Errors are fs.ErrNotExist, or a *fault.Error.
func readFile(path string) ([]byte, error) {
	f, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	_ = f.Close()
	if err != nil {
		return nil, ioFault("read", path, err)
	}
	return data, nil
}

// openRegular opens a file for reading, but nothing that is no plain file: opening a pipe would wait for a writer.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, ioFault("read", path, err)
	case !info.Mode().IsRegular():
		return nil, notAFile(path, info)
	}
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	case err != nil:
		return nil, ioFault("read", path, err)
	}
	return f, nil
}

// draft is a file about to be replaced: a temporary file in the folder of the target, so that the last step is a
// rename.
type draft struct {
	file   *os.File
	temp   string
	target string
}

// newDraft makes the temporary file for path, with room for reserve bytes: a full disk is found here, while nothing has
// been spent, and not when there is something to write. Folders that are missing are made with mode 0700; those that
// are there keep their mode. Errors are *fault.Error of kind Config.
func newDraft(path string, reserve int) (*draft, error) {
	target, err := follow(path)
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(target)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, ioFault("create the folder", dir, err)
	}
	if info, err := os.Lstat(target); err == nil && !info.Mode().IsRegular() {
		return nil, notAFile(target, info)
	}
	f, err := os.CreateTemp(dir, filepath.Base(target)+tempMark+"*.tmp") // mode 0600
	if err != nil {
		return nil, ioFault("write in the folder", dir, err)
	}
	d := &draft{file: f, temp: f.Name(), target: target}
	if reserve > 0 {
		_, err = f.Write(bytes.Repeat([]byte(" "), reserve))
		if err == nil {
			err = f.Sync() // some file systems only find out here that they are full
		}
		if err != nil {
			d.discard()
			return nil, ioFault("write in the folder", dir, err)
		}
	}
	return d, nil
}

// commit replaces the target by data, wholly or not at all. The draft is used up either way.
func (d *draft) commit(data []byte) error {
	err := d.fill(data)
	if err == nil {
		err = replace(d.temp, d.target)
	}
	if err != nil {
		d.discard()
		return ioFault("write", d.target, err)
	}
	d.file = nil
	syncDir(filepath.Dir(d.target))
	return nil
}

// fill writes data over the reserve, cuts what is left of it off, and waits until it is on the disk.
func (d *draft) fill(data []byte) error {
	_, err := d.file.WriteAt(data, 0)
	if err == nil {
		err = d.file.Truncate(int64(len(data)))
	}
	if err == nil {
		err = d.file.Sync()
	}
	return errors.Join(err, d.file.Close())
}

// discard removes the temporary file; a draft that was committed or discarded is left alone.
func (d *draft) discard() {
	if d == nil || d.file == nil {
		return
	}
	_ = d.file.Close() // closed already when fill failed
	_ = os.Remove(d.temp)
	d.file = nil
}

// syncDir makes a rename durable where folders can be synced. A failure is not one of the write: the file is there.
func syncDir(dir string) {
	if f, err := os.Open(dir); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}

// writeFile replaces a file that nobody loses anything by when it cannot be written.
func writeFile(path string, data []byte) error {
	d, err := newDraft(path, 0)
	if err != nil {
		return err
	}
	return d.commit(data)
}

// abandoned is the age from which a temporary file belongs to nobody: no exchange takes an hour.
const abandoned = time.Hour

// sweep removes temporary files of ours that a killed process left in the folder of target: those for target itself
// when the caller holds its lock (then nobody else has one), others when they are old.
func (s *Store) sweep(target string, locked bool) {
	dir := filepath.Dir(target)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	own := filepath.Base(target) + tempMark
	for _, e := range entries {
		name := e.Name()
		if !strings.HasSuffix(name, ".tmp") || !strings.Contains(name, tempMark) {
			continue
		}
		if !locked || !strings.HasPrefix(name, own) {
			info, err := e.Info()
			if err != nil || s.now().Sub(info.ModTime()) < abandoned {
				continue
			}
		}
		_ = os.Remove(filepath.Join(dir, name))
	}
}
