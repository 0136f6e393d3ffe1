package private

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/homing-cli/homing/internal/testtools"
)

func TestDir(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("permissions are inherited there")
	}
	dir := t.TempDir()
	open, file, link := filepath.Join(dir, "open"), filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.Mkdir(open, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(open, link); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path string
		ok   bool
	}{
		{filepath.Join(dir, "new", "below"), true}, {open, true}, {link, true}, {file, false}, {filepath.Join(file, "below"), false},
	} {
		err := Dir(tt.path)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		if info, statErr := os.Stat(tt.path); tt.ok && (statErr != nil || info.Mode().Perm() != 0o700 || !Ours(info) || !Only(info)) {
			t.Errorf("%s: %v, %v", tt.path, info, statErr)
		}
	}
	if os.Geteuid() != 0 {
		return // nobody can give a folder away
	}
	if err := os.Chown(open, 12345, 12345); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{open, link} {
		if Dir(path) == nil {
			t.Errorf("%s is another user's", path)
		}
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, other := filepath.Join(dir, "file"), filepath.Join(dir, "other")
	for _, p := range []string{other, path + ".tmp"} { // the second is what one left that was killed
		if err := os.WriteFile(p, []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(other, path); err != nil {
		testtools.Missing(t, "a file system with symbolic links ("+err.Error()+")", "set TMPDIR to a folder on one")
	}
	if err := Write(path, []byte("new")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() || !Only(info) {
		t.Errorf("%v, %v", info, err)
	}
	for p, want := range map[string]string{path: "new", other: "old"} {
		if text, err := os.ReadFile(p); err != nil || string(text) != want {
			t.Errorf("%s holds %q, %v", p, text, err)
		}
	}
	if err := Write(filepath.Join(dir, "none", "file"), nil); err == nil {
		t.Error("written into a folder that is not there")
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.tmp")); err != nil || len(left) > 0 {
		t.Errorf("%q is left, %v", left, err)
	}
}
