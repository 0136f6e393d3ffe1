package configedit

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofrs/flock"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/configtest"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
)

// text returns what is in a file.
func text(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func put(t testing.TB, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func mode(t testing.TB, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// listed returns the names in a folder.
func listed(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names
}

var region = set1(dev, "region", "new")

func TestUpdateMakesFileAndFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "home", ".aws")
	path := filepath.Join(dir, "config")
	if err := Update(t.Context(), path, Edit{Section: dev, Unset: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Fatal("a folder was made for nothing")
	}
	if err := Update(t.Context(), path, region); err != nil {
		t.Fatal(err)
	}
	if got := text(t, path); got != "[profile dev]\nregion = new\n" {
		t.Errorf("%q", got)
	}
	if runtime.GOOS != "windows" && (mode(t, path) != 0o600 || mode(t, dir).Perm() != 0o700) {
		t.Errorf("modes %v, %v", mode(t, path), mode(t, dir))
	}
	if got := listed(t, dir); !slices.Equal(got, []string{"config", "config.lock"}) {
		t.Errorf("left behind: %v", got)
	}
}

func TestUpdateKeepsBackup(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	put(t, path, "[profile dev]\nregion = a\n", 0o640)
	for _, value := range []string{"b", "c"} {
		if err := Update(t.Context(), path, set1(dev, "region", value)); err != nil {
			t.Fatal(err)
		}
	}
	if got, old := text(t, path), text(t, path+BackupSuffix); got != "[profile dev]\nregion = c\n" ||
		old != "[profile dev]\nregion = b\n" {
		t.Errorf("file %q, backup %q", got, old)
	}
	if runtime.GOOS != "windows" && (mode(t, path) != 0o640 || mode(t, path+BackupSuffix) != 0o640) {
		t.Errorf("modes %v, %v", mode(t, path), mode(t, path+BackupSuffix))
	}
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := Update(t.Context(), path, set1(dev, "region", "c")); err != nil {
		t.Fatal(err)
	}
	after, err := os.Stat(path)
	if err != nil || !os.SameFile(before, after) || text(t, path+BackupSuffix) != "[profile dev]\nregion = b\n" {
		t.Error("an edit that changes nothing wrote something")
	}
	if got := listed(t, filepath.Dir(path)); !slices.Equal(got,
		[]string{"config", "config" + BackupSuffix, "config.lock"}) {
		t.Errorf("left behind: %v", got)
	}
}

func TestUpdateFollowsLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("symbolic links need a privilege on Windows")
	}
	dir := t.TempDir()
	real := filepath.Join(dir, "dotfiles", "aws", "config")
	if err := os.MkdirAll(filepath.Join(dir, "home"), 0o700); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{
		filepath.Join(dir, "home", ".aws"):     filepath.Join("..", "dotfiles", "aws"),
		filepath.Join(dir, "second"):           filepath.Join("home", ".aws", "config"),
		filepath.Join(dir, "home", "dangling"): filepath.Join(dir, "new", "config"),
		filepath.Join(dir, "loop"):             filepath.Join(dir, "loop"),
	} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Dir(real), 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, real, "[profile dev]\n", 0o600)
	for _, path := range []string{filepath.Join(dir, "second"), filepath.Join(dir, "home", ".aws", "config")} {
		value := "by-" + filepath.Base(path)
		if err := Update(t.Context(), path, set1(dev, "region", value)); err != nil {
			t.Fatal(err)
		}
		if got := text(t, real); got != "[profile dev]\nregion = "+value+"\n" {
			t.Errorf("%q", got)
		}
	}
	if err := Update(t.Context(), filepath.Join(dir, "home", "dangling"), region); err != nil {
		t.Fatal(err)
	}
	if got := text(t, filepath.Join(dir, "new", "config")); got != "[profile dev]\nregion = new\n" {
		t.Errorf("%q", got)
	}
	for _, link := range []string{"second", "home/.aws", "home/dangling", "loop"} {
		if mode(t, filepath.Join(dir, link))&fs.ModeSymlink == 0 {
			t.Errorf("%s is no link any more", link)
		}
	}
	configtest.CheckFault(t, Update(t.Context(), filepath.Join(dir, "loop"), region), "cannot change")
}

func TestUpdateRefuses(t *testing.T) {
	dir := t.TempDir()
	folder := filepath.Join(dir, "folder")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "broken"), "[profile a]\n<<<<<<<\n", 0o600)
	put(t, filepath.Join(dir, "readonly"), "[profile dev]\n", 0o400)
	put(t, filepath.Join(dir, "plain"), "x", 0o600)
	tests := map[string]string{
		folder:                                "it is a folder, not a file",
		filepath.Join(dir, "broken"):          "line 2: the AWS CLI cannot load this file",
		filepath.Join(dir, "readonly"):        "it is read-only",
		filepath.Join(dir, "plain", "x", "y"): "cannot change",
	}
	if runtime.GOOS != "windows" {
		tests["/dev/null"] = "it is a device, not a file"
	}
	before := listed(t, dir)
	for path, says := range tests {
		err := Update(t.Context(), path, region)
		configtest.CheckFault(t, err, says)
		if err != nil && !strings.Contains(err.Error(), fmt.Sprintf("%q", path)) {
			t.Errorf("the path is missing: %v", err)
		}
	}
	if after := listed(t, dir); !slices.Equal(before, after) {
		t.Errorf("left behind: %v", after)
	}
	if got := text(t, filepath.Join(dir, "readonly")); got != "[profile dev]\n" {
		t.Errorf("read-only file changed: %q", got)
	}
	if err := Update(t.Context(), filepath.Join(dir, "readonly"), Edit{Section: dev, Unset: []string{"a"}}); err != nil {
		t.Errorf("nothing to change, and still: %v", err)
	}
	_, err := awsconfig.Load(awsconfig.Paths{Config: folder})
	configtest.CheckFault(t, err, "is a folder, not a file")
}

// A write in place that is killed after any number of bytes is finished by the next edit. What a person wrote is not
// taken for one.
func TestOverwriteKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	short, long := "[profile dev]\nregion = old\n", "[profile dev]\nregion = newer\n\n[profile x]\nregion = newer\n"
	try := func(old, next, now, want string) {
		t.Helper()
		put(t, path, now, 0o640)
		put(t, path+BackupSuffix, old, 0o640)
		put(t, filepath.Join(filepath.Dir(path), ".config.homing-pending"), next, 0o640)
		if err := Update(t.Context(), path, set1(dev, "output", "json")); err != nil {
			t.Fatalf("%v\n%q", err, now)
		}
		if got := text(t, path); got != applied(t, want, set1(dev, "output", "json")) {
			t.Errorf("of %q became %q", now, got)
		}
		if got := listed(t, filepath.Dir(path)); !slices.Equal(got,
			[]string{"config", "config" + BackupSuffix, "config.lock"}) {
			t.Errorf("left behind: %v", got)
		}
	}
	for _, pair := range [][2]string{{short, long}, {long, short}} {
		old, next := pair[0], pair[1]
		for k := range len(next) + 1 {
			now, want := next[:k]+old[min(k, len(old)):], next
			if now == old { // the first bytes are the same, or none was written
				want = old
			}
			try(old, next, now, want)
		}
	}
	try(short, long[:20], short,
		short) // killed before the temporary file was whole
	try(short, long, "[profile dev]\nregion = mine\n", "[profile dev]\nregion = mine\n") // a person, afterwards
	try("[profile dev]\nregion = before\n", long, short, short)
}

func TestUpdateWaitsForTheLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	put(t, path, "[profile dev]\n", 0o600)
	held := flock.New(path + files.EditLockSuffix)
	if err := held.Lock(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = held.Close() }()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		err := Update(t.Context(), path, region)
		if fault.KindOf(err) != fault.TimedOut || fault.RemedyOf(err) == nil ||
			time.Since(start) != files.EditLockWait {
			t.Errorf("after %s: %v", time.Since(start), err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := Update(ctx, path, region); fault.KindOf(err) != fault.Interrupted {
			t.Errorf("stopped: %v", err)
		}
		time.AfterFunc(time.Second, func() { _ = held.Unlock() })
		if err := Update(t.Context(), path, region); err != nil {
			t.Error(err)
		}
	})
	if got := text(t, path); got != "[profile dev]\nregion = new\n" {
		t.Errorf("%q", got)
	}
}

// What a killed process leaves in the middle is ours by its name, and goes with the next edit. Nothing else does.
func TestUpdateRemovesLeftovers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	put(t, path, "[profile dev]\n", 0o600)
	for _, name := range []string{".config.homing-tmp-123", ".config.swp", "config.homing-1", ".credentials.homing-1"} {
		put(t, filepath.Join(filepath.Dir(path), name), "half", 0o600)
	}
	if err := Update(t.Context(), path, region); err != nil {
		t.Fatal(err)
	}
	want := []string{
		".config.swp",
		".credentials.homing-1",
		"config",
		"config.homing-1",
		"config" + BackupSuffix,
		"config.lock",
	}
	if got := listed(t, filepath.Dir(path)); !slices.Equal(got, want) {
		t.Errorf("left behind: %v", got)
	}
}
