package callback

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
)

// TestAnnouncement: what is in the folder is ours alone and tells nothing; it is gone when the listener is.
func TestAnnouncement(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	l := announcedIn(t, dir)
	if got := names(t, dir); len(got) != 2 {
		t.Fatalf("files: %v", got)
	}
	file, lock, hash := paths(dir, testState)
	for _, path := range []string{dir, file, lock} {
		info, err := os.Lstat(path)
		if err != nil || !files.Private(info) || !files.Ours(info) {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil || len(fields) != 3 || fields["version"] != 1.0 ||
		fields["port"] != float64(l.Port()) ||
		fields["state_sha256"] != hash {
		t.Errorf("%s, %v", text, err)
	}
	if strings.Contains(string(text)+file, testState) {
		t.Error("the state is in it")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if left := names(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	if err := l.Announce(dir); err != nil || len(names(t, dir)) != 0 {
		t.Errorf("announced after its end: %v, %v", names(t, dir), err)
	}
}

// TestSweep: what died is removed; what lives, and what is not ours to judge, stays.
func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	stem := func(c string) string { return "callback-" + strings.Repeat(c, 64) }
	write(stem("a") + ".json")
	write(stem("a") + ".lock")
	write(stem("b") + ".json") // without a lock
	write(stem("c") + ".json.homing-AB12.tmp")
	write(stem("c") + ".lock")
	write("worked.json")
	write("callback-notes.json")
	alive := write(stem("d") + ".lock")
	write(stem("d") + ".json")
	other := flock.New(alive)
	if ok, err := other.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	defer func() { _ = other.Unlock() }()
	announcedIn(t, dir)
	if got := len(names(t, dir)); got != 6 {
		t.Errorf("files: %v", names(t, dir))
	}
	for _, name := range []string{stem("a") + ".json", stem("b") + ".json", stem("c") + ".json.homing-AB12.tmp"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	if info, err := os.Stat(dir); err != nil || !files.Private(info) {
		t.Errorf("the folder is open to others: %v, %v", info.Mode(), err)
	}
}

// TestLinks: a link in the way is not followed.
func TestLinks(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		return // links need a privilege there
	}
	precious := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(precious, []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := func(path string) {
		if err := os.Symlink(precious, path); err != nil {
			t.Fatal(err)
		}
	}
	for _, which := range []string{"file", "lock", "temp"} {
		dir := t.TempDir()
		file, lock, _ := paths(dir, testState)
		link(map[string]string{"file": file, "lock": lock, "temp": files.TempName(file, "")}[which])
		l := start(t, Options{})
		err := l.Announce(dir)
		if err != nil && fault.KindOf(err) != fault.Config {
			t.Errorf("%s: %v", which, err)
		}
		if text, err := os.ReadFile(precious); err != nil || string(text) != "keep" {
			t.Errorf("%s: the link was followed: %q, %v", which, text, err)
		}
		_ = l.Close()
		if _, err := os.Lstat(precious); err != nil {
			t.Errorf("%s: %v", which, err)
		}
	}
	nowhere := filepath.Join(t.TempDir(), "nowhere")
	dir := t.TempDir()
	_, lock, _ := paths(dir, testState)
	if err := os.Symlink(nowhere, lock); err != nil {
		t.Fatal(err)
	}
	if err := start(t, Options{}).Announce(dir); fault.KindOf(err) != fault.Config {
		t.Errorf("a lock that is a link: %v", err)
	}
	if _, err := os.Lstat(nowhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("made where the link points: %v", err)
	}
	dir = t.TempDir()
	l := announcedIn(t, dir)
	file, _, _ := paths(dir, testState)
	other := filepath.Join(t.TempDir(), "other.json")
	if err := os.Rename(file, other); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(other, file); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := Deliver(ctx, dir, testURL); fault.KindOf(err) != fault.SignInNeeded {
		t.Errorf("a linked announcement was believed: %v", err)
	}
	_ = l.Close()
	if err := start(t, Options{}).Announce(precious); fault.KindOf(err) != fault.Config || fault.RemedyOf(err) == nil {
		t.Errorf("a file for a folder: %v", err)
	}
}
