//go:build !windows

package files

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// odd makes what stands where a file belongs. All of it is in a folder of its own, the device too: with a fault in
// the code under test, these tests replace and remove what they are given. Only root can make a device.
func odd(t *testing.T) map[string]string {
	t.Helper()
	dir, err := os.MkdirTemp("", "homing-") //nolint:usetesting // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	paths := map[string]string{"folder": filepath.Join(dir, "folder"), "pipe": filepath.Join(dir, "pipe"),
		"socket": filepath.Join(dir, "socket")}
	if err := errors.Join(os.Mkdir(paths["folder"], 0o700), syscall.Mkfifo(paths["pipe"], 0o600)); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", paths["socket"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	device := filepath.Join(dir, "device")
	if err := syscall.Mknod(device, syscall.S_IFCHR|0o600, 1<<8|5); err == nil { // as /dev/zero is on Linux
		paths["device"] = device
	}
	return paths
}

// Anything but a regular file is an error that says what it is, at once.
func TestNotRegular(t *testing.T) {
	t.Parallel()
	for what, path := range odd(t) {
		for name, use := range map[string]func() error{
			"read":         func() error { _, err := Read(path, 10); return err },
			"read own":     func() error { _, err := ReadOwn(path, 10); return err },
			"read private": func() error { _, err := ReadPrivate(path, 10); return err },
			"write":        func() error { return Write(path, nil) },
			"remove":       func() error { return Remove(path) },
			"lock":         func() error { _, err := TryAcquire(path); return err },
			"held":         func() error { _, err := Held(path); return err },
		} {
			t.Run(name+" a "+what, func(t *testing.T) {
				t.Parallel()
				done := make(chan error, 1)
				go func() { done <- use() }()
				select {
				case err := <-done:
					var other NotRegular
					var p *fs.PathError
					if !errors.As(err, &other) || !errors.As(err, &p) || p.Path != path ||
						other.Error() != "it is a "+what+", not a file" {
						t.Error(err)
					}
				case <-time.After(5 * time.Second):
					t.Error("hangs")
				}
			})
		}
	}
}

// open checks the type again: another file may have come into the place since the first look.
func TestSwapped(t *testing.T) {
	t.Parallel()
	for what, path := range odd(t) {
		if what == "socket" {
			continue // cannot be opened
		}
		var other NotRegular
		if _, err := open(path, os.O_RDONLY); !errors.As(err, &other) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestInput(t *testing.T) {
	t.Parallel()
	paths := odd(t)
	for what, path := range paths {
		if what == "pipe" {
			continue // read below
		}
		var other NotRegular
		if _, err := ReadInput(path); !errors.As(err, &other) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := ReadInput(os.DevNull); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := readPipe(paths["pipe"], 50*time.Millisecond, time.Second); !errors.Is(err, errSilent) {
		t.Error(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	path := filepath.Join("/dev/fd", strconv.Itoa(int(r.Fd())))
	if _, err := w.WriteString("[default]\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := readPipe(path, time.Second, 50*time.Millisecond); !errors.Is(err, errSlow) {
		t.Error(err)
	}
}

// As in AWS_CONFIG_FILE=<(sops -d FILE): the pipe is read once, for every reader of the process.
func TestProcessSubstitution(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if _, err := w.WriteString("[default]\n"); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("/dev/fd", strconv.Itoa(int(r.Fd())))
	for range 2 {
		if text, err := ReadInput(path); err != nil || text != "[default]\n" {
			t.Error(text, err)
		}
	}
}
