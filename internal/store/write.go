package store

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/homing-cli/homing/internal/files"
)

// maxFile bounds what is read of a cache file. Tokens are a few kilobytes.
const maxFile = 1 << 20

// follow returns the file that path stands for. Errors are *fault.Error of kind Config.
func follow(path string) (string, error) {
	target, err := files.Follow(path)
	if err != nil {
		return "", ioFault("follow the link", path, err)
	}
	return target, nil
}

// readFile returns the content of a cache file. Errors are fs.ErrNotExist, or a *fault.Error.
func readFile(path string) ([]byte, error) {
	data, err := files.Read(path, maxFile)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return data, err
	case errors.Is(err, files.ErrTooLarge):
		return data, nil // what is whole counts
	}
	return nil, ioFault("read", path, err)
}

// draft is the place for a token that is still to come: a temporary file beside the target, of some size, so that a
// full disk is found while nothing has been spent. It holds {} and blanks until then, since other programs parse
// every file in this folder.
//
// A draft of a process that was killed stays. The AWS CLI's logout removes it when it holds a token.
type draft struct {
	file   *os.File
	temp   string
	mark   string // says in the name which token it follows; "" = none
	target string
}

// newDraft makes the draft for path with room for reserve bytes. Missing folders are made with mode 0700; existing
// ones keep their mode. generation goes into the name; "" = none. Errors are *fault.Error of kind Config.
func newDraft(path, generation string, reserve int) (*draft, error) {
	target, err := targetOf(path)
	if err != nil {
		return nil, err
	}
	d := &draft{target: target}
	if generation != "" {
		d.mark = generation + "-"
	}
	d.temp = files.TempName(target, d.mark)
	text := append([]byte("{}"), bytes.Repeat([]byte(" "), reserve)...)
	err = files.Create(d.temp, text)
	if err == nil {
		d.file, err = os.OpenFile(d.temp, os.O_WRONLY, 0)
	}
	if err == nil {
		err = d.file.Sync() // some file systems notice only here that they are full
	}
	if err != nil {
		d.discard()
		return nil, ioFault("write in the folder", filepath.Dir(target), err)
	}
	return d, nil
}

// targetOf returns the file that path stands for, in a folder that exists, when it is a regular file or missing.
func targetOf(path string) (target string, err error) {
	target, err = follow(path)
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(target)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", ioFault("create the folder", dir, err)
	}
	if info, err := os.Lstat(target); err == nil && !info.Mode().IsRegular() {
		return "", ioFault("use", target, files.NotRegular(info.Mode()))
	}
	return target, nil
}

// pauses are those between attempts to put a token in its place, a second in all: a network file system that
// stumbles, a program on Windows that reads.
var pauses = []time.Duration{
	10 * time.Millisecond,
	40 * time.Millisecond,
	150 * time.Millisecond,
	300 * time.Millisecond,
	500 * time.Millisecond,
}

func retryForASecond(try func() error) error {
	err := try()
	for _, pause := range pauses {
		if err == nil {
			break
		}
		time.Sleep(pause)
		err = try()
	}
	return err
}

// commit replaces the target by data, which exists nowhere else, wholly or not at all. The draft is used up either
// way. After an error the temporary file stays, if it holds data and its name says what it follows.
func (d *draft) commit(data []byte) error {
	err := retryForASecond(func() error { return d.fill(data) })
	if err = errors.Join(err, d.file.Close()); err != nil {
		d.discard()
		return ioFault("write", d.temp, err)
	}
	d.file = nil
	if err := retryForASecond(func() error { return files.Rename(d.temp, d.target) }); err != nil {
		if d.mark == "" {
			_ = os.Remove(d.temp)
		}
		return ioFault("write", d.target, err)
	}
	files.SyncDir(filepath.Dir(d.target))
	return nil
}

// fill puts data into the temporary file and waits until it is on the disk. A second file takes its place, so that
// no reader of the folder sees half a token; where there is no room for one, the reserve is overwritten.
func (d *draft) fill(data []byte) error {
	whole := files.TempName(d.target, d.mark)
	if files.Create(whole, data) == nil {
		if flush(whole) == nil {
			_ = os.Remove(d.temp)
			d.temp = whole
			return nil
		}
		_ = os.Remove(whole)
	}
	_, err := d.file.WriteAt(data, 0)
	if err == nil {
		err = d.file.Truncate(int64(len(data)))
	}
	if err == nil {
		err = d.file.Sync()
	}
	return err
}

func flush(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// discard removes the temporary file; a draft that was committed or discarded is left alone.
func (d *draft) discard() {
	if d == nil || d.temp == "" {
		return
	}
	if d.file != nil {
		_ = d.file.Close() // closed already when commit failed
	}
	_ = os.Remove(d.temp)
	d.file, d.temp = nil, ""
}

// writeFile replaces a file that can be fetched or computed again. After a power cut the former file may be back.
func writeFile(path string, data []byte) error {
	target, err := targetOf(path)
	if err != nil {
		return err
	}
	if err := files.Write(target, data); err != nil {
		return ioFault("write", target, err)
	}
	return nil
}
