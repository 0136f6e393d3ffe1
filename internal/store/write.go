package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/homing-cli/homing/internal/fault"
)

// maxFile bounds what is read of a cache file. Tokens are a few kilobytes.
const maxFile = 1 << 20

// tempMark stands in the name of every temporary file of ours: NAME.homing-RANDOM.tmp, or for the renewal of a token
// NAME.homing-GENERATION-RANDOM.tmp. Such a file, left behind by a process that was killed, is skipped by readers that
// look for *.json; the AWS CLI's logout, which reads every file, removes it when it holds a token and skips it when it
// holds blanks.
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
		Kind: fault.Config, Msg: "too many symbolic links at " + strconv.Quote(path), Remedy: removeLink(path),
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
	file    *os.File
	temp    string
	target  string
	follows bool // its name says which token it follows, so it can be taken up
	light   bool // it can be had again: nobody waits for the folder to be on the disk
}

// newDraft makes the temporary file for path, with room for reserve bytes: a full disk is found here, while nothing has
// been spent, and not when there is something to write. Folders that are missing are made with mode 0700; those that
// are there keep their mode. generation goes into the name; "" for none. Errors are *fault.Error of kind Config.
func newDraft(path, generation string, reserve int) (*draft, error) {
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
	if generation != "" {
		generation += "-"
	}
	f, err := os.CreateTemp(dir, filepath.Base(target)+tempMark+generation+"*.tmp") // mode 0600
	if err != nil {
		return nil, ioFault("write in the folder", dir, err)
	}
	d := &draft{file: f, temp: f.Name(), target: target, follows: generation != ""}
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
	err = errors.Join(err, d.file.Close())
	if err == nil {
		err = replace(d.temp, d.target)
	}
	if err != nil {
		d.discard()
		return ioFault("write", d.target, err)
	}
	d.file = nil
	if !d.light {
		syncDir(filepath.Dir(d.target))
	}
	return nil
}

// again are the pauses before another try to put a token in its place, a second in all: a network file system that
// stumbles, a program on Windows that reads.
var again = []time.Duration{10 * time.Millisecond, 40 * time.Millisecond, 150 * time.Millisecond, 300 * time.Millisecond, 500 * time.Millisecond}

// commitPatiently is commit for data that exists nowhere else. After an error the temporary file stays, if it holds data
// and its name says what it follows.
func (d *draft) commitPatiently(data []byte) error {
	err := d.fill(data)
	for i := 0; err != nil && i < len(again); i++ {
		time.Sleep(again[i])
		err = d.fill(data)
	}
	err = errors.Join(err, d.file.Close())
	d.file = nil
	if err != nil {
		_ = os.Remove(d.temp)
		return ioFault("write", d.temp, err)
	}
	err = replace(d.temp, d.target)
	for i := 0; err != nil && i < len(again); i++ {
		time.Sleep(again[i])
		err = replace(d.temp, d.target)
	}
	if err != nil {
		if !d.follows {
			_ = os.Remove(d.temp)
		}
		return ioFault("write", d.target, err)
	}
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
	return err
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
	d, err := newDraft(path, "", 0)
	if err != nil {
		return err
	}
	return d.commit(data)
}

// writeLight is writeFile for what can be fetched again, while somebody waits: after a power cut the file before may be
// there again. Its content is on the disk all the same before it takes its place, since the AWS CLI does not survive half
// a file.
func writeLight(path string, data []byte) error {
	d, err := newDraft(path, "", 0)
	if err != nil {
		return err
	}
	d.light = true
	return d.commit(data)
}
