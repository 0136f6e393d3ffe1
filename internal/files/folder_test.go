package files

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestPrivateDir(t *testing.T) {
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
		err := PrivateDir(tt.path)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.path, err)
			continue
		}
		if info, statErr := os.Stat(tt.path); tt.ok &&
			(statErr != nil || info.Mode().Perm() != 0o700 || !Ours(info) || !Private(info)) {
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
		if PrivateDir(path) == nil {
			t.Errorf("%s is another user's", path)
		}
	}
}
