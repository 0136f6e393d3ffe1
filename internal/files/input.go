package files

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	// maxInput bounds a file that people write: the largest config file heard of has 2 MB.
	maxInput = 64 << 20
	// writerWait is how long a pipe may have no writer. A shell starts the writer first.
	writerWait = 2 * time.Second
	// inputWait is how long the writer may take: a program that decrypts may ask a service first.
	inputWait = 30 * time.Second
)

// The causes of an *fs.PathError.
var (
	errSilent = errors.New("nothing writes to the pipe")
	errSlow   = errors.New("the writer of the pipe does not end")
)

// piped holds what pipes delivered, since a pipe can be read only once: AWS_CONFIG_FILE=<(sops -d FILE).
var piped sync.Map // path → func() (string, error)

// ReadInput returns the text of a file that people write and only read here: a regular file or a pipe, within 30
// seconds and 64 MiB. A pipe is read once in the life of a process. /dev/null is an fs.ErrNotExist; any other type is
// a NotRegular.
func ReadInput(path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case info.Mode().IsRegular():
		f, err := open(path, os.O_RDONLY)
		if err != nil {
			return "", err
		}
		defer func() { _ = f.Close() }() // nothing was written
		return readText(path, f, info.Size())
	case info.Mode()&fs.ModeNamedPipe != 0:
		read, _ := piped.LoadOrStore(path,
			sync.OnceValues(func() (string, error) { return readPipe(path, writerWait, inputWait) }))
		return read.(func() (string, error))()
	case isNull(info):
		return "", fs.ErrNotExist
	}
	return "", fault("open", path, NotRegular(info.Mode()))
}

// readPipe waits for a writer, and for its end. Both are tried on a goroutine that ends with the process: neither a
// context nor a deadline ends an open(2), and macOS has no deadline for pipes.
func readPipe(path string, forWriter, forEnd time.Duration) (string, error) {
	type result struct {
		text string
		err  error
	}
	opened, done := make(chan struct{}), make(chan result, 1)
	go func() {
		f, err := os.Open(path)
		if err != nil {
			done <- result{"", err}
			return
		}
		close(opened)
		defer func() { _ = f.Close() }() // nothing was written
		text, err := readText(path, f, 0)
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-opened:
	case <-time.After(forWriter):
		return "", fault("read", path, errSilent)
	}
	select {
	case r := <-done:
		return r.text, r.err
	case <-time.After(forEnd):
		return "", fault("read", path, errSlow)
	}
}

// readText reads into a string without holding a large file twice. size is what the file should have.
func readText(path string, f *os.File, size int64) (string, error) {
	var text strings.Builder
	text.Grow(int(min(size, maxInput)))
	buf := make([]byte, min(max(size+1, 4<<10), 32<<10))
	for {
		n, err := f.Read(buf)
		text.Write(buf[:n])
		switch {
		case errors.Is(err, io.EOF):
			return text.String(), nil
		case err != nil:
			return "", err
		case text.Len() > maxInput:
			return "", fault("read", path, ErrTooLarge)
		}
	}
}

// isNull reports whether a file is /dev/null, under whatever name: containers mount it over files to hide them.
func isNull(info fs.FileInfo) bool {
	null, err := os.Stat(os.DevNull)
	return err == nil && info.Mode()&fs.ModeCharDevice != 0 && sameDevice(info, null)
}
