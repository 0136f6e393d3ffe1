package files

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, path, text string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		t.Errorf("%s holds %q, %v; want %q", path, got, err, text)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, text := range []string{"one", "two"} {
		if err := Write(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		want(t, path, text)
	}
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() || !Private(info) {
		t.Errorf("%v, %v", info, err)
	}
	if err := Write(filepath.Join(dir, "none", "file"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("written into a missing folder: %v", err)
	}
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	var other NotRegular
	if err := Write(folder, nil); !errors.As(err, &other) {
		t.Errorf("a folder was replaced: %v", err)
	}
	if left := Temps(path); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
}

// A link is replaced, or written through where the caller follows it.
func TestLinks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	target, link, chain := filepath.Join(dir, "target"), filepath.Join(dir, "link"), filepath.Join(dir, "chain")
	put(t, target, "old")
	for from, to := range map[string]string{link: "target", chain: link} {
		if err := os.Symlink(to, from); err != nil {
			t.Skip("no symbolic links here")
		}
	}
	if real, err := Follow(chain); err != nil || real != target {
		t.Fatal(real, err)
	}
	if err := Write(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	want(t, target, "old")
	want(t, link, "new")
	circle := filepath.Join(dir, "circle")
	if err := os.Symlink(circle, circle); err != nil {
		t.Fatal(err)
	}
	if real, err := Follow(circle); err == nil {
		t.Errorf("a circle leads to %s", real)
	}
	var other NotRegular
	if _, err := ReadOwn(chain, 10); !errors.As(err, &other) {
		t.Errorf("a link was read: %v", err)
	}
	if _, err := TryAcquire(chain); !errors.As(err, &other) {
		t.Errorf("a link was locked: %v", err)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sub", "file")
	if err := Create(path, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("created in a missing folder: %v", err)
	}
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Create(path, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := Create(path, []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("created twice: %v", err)
	}
	want(t, path, "one")
	if info, err := os.Stat(path); err != nil || !Private(info) {
		t.Errorf("%v, %v", info, err)
	}
	above, err := os.ReadDir(filepath.Dir(filepath.Dir(path)))
	if err != nil || len(above) != 1 {
		t.Errorf("left above: %v, %v", above, err)
	}
}

// Whoever reads the folder while files are made in it sees only whole ones.
func TestCreatedWhole(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "cache")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var readers sync.WaitGroup
	read := 0
	readers.Go(func() {
		for {
			entries, _ := os.ReadDir(dir)
			for _, e := range entries {
				text, err := os.ReadFile(filepath.Join(dir, e.Name()))
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				if read++; err != nil || !strings.HasPrefix(string(text), "{}") {
					t.Errorf("%s holds %q, %v", e.Name(), text, err)
					return
				}
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	text := []byte("{}" + strings.Repeat(" ", 16<<10))
	for range 2000 {
		path := TempName(filepath.Join(dir, "draft"), "")
		if err := Create(path, text); err != nil {
			t.Error(err)
			break
		}
		_ = os.Remove(path)
		lock := filepath.Join(dir, "x.lock")
		l, err := TryAcquire(lock)
		if err != nil {
			t.Error(err)
			break
		}
		l.Remove()
	}
	close(stop)
	readers.Wait()
	if read == 0 {
		t.Error("the reader has seen nothing, so this shows nothing")
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	put(t, path, "12345")
	if text, err := Read(path, 5); err != nil || string(text) != "12345" {
		t.Error(string(text), err)
	}
	if text, err := Read(path, 4); !errors.Is(err, ErrTooLarge) || string(text) != "1234" {
		t.Error(string(text), err)
	}
	if _, err := Read(path+"x", 4); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := ReadPrivate(path, 5); err != nil {
		t.Error(err)
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "new", "folder", "x.lock")
	if _, err := Held(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("before it is made: %v", err)
	}
	l, err := Acquire(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	want(t, path, "{}") // readable while it is held
	if held, err := Held(path); !held || err != nil {
		t.Errorf("held: %v, %v", held, err)
	}
	if _, err := TryAcquire(path); !errors.Is(err, ErrHeld) {
		t.Error(err)
	}
	short, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := Acquire(short, path); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	time.AfterFunc(50*time.Millisecond, l.Unlock)
	second, err := Acquire(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	l.Unlock() // twice is fine, and releases nobody else's
	if held, err := Held(path); !held || err != nil {
		t.Errorf("held: %v, %v", held, err)
	}
	second.Remove()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

// A lock on a file that is no longer at its path locks nothing, so the file is made again.
func TestLockOfARemovedFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cache", "x.lock")
	first, err := Acquire(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if !first.InPlace() {
		t.Error("not in place")
	}
	waiter := make(chan *Lock)
	go func() {
		l, err := Acquire(t.Context(), path)
		if err != nil {
			t.Error(err)
		}
		waiter <- l
	}()
	time.Sleep(50 * time.Millisecond)
	if err := os.RemoveAll(filepath.Dir(path)); err != nil {
		t.Skip("an open file cannot be removed here")
	}
	second := <-waiter // while the first is held
	if first.InPlace() || second == nil || !second.InPlace() {
		t.Error("both have the lock, or neither")
	}
	first.Unlock()
}

// An empty lock file of an earlier version gets its text.
func TestEmptyLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.lock")
	put(t, path, "")
	l, err := TryAcquire(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Unlock()
	want(t, path, "{}")
}
