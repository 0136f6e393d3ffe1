package configedit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/configtest"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/quote"
	"github.com/homing-cli/homing/internal/testtools"
)

const nobody = 65534

// needRoot ends the test where it may not do what root may. User 0 of a container may have lost that right, so it
// tries.
func needRoot(t *testing.T, what string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mine")
	put(t, path, "", 0o600)
	if os.Chown(path, nobody, nobody-1) != nil {
		testtools.Missing(t, "the right of root to "+what, "run the tests as root")
	}
}

// mount mounts for the time of the test, or ends it where containers may not.
func mount(t *testing.T, source, target, kind string, flags uintptr, data string) {
	t.Helper()
	needRoot(t, "mount")
	if err := syscall.Mount(source, target, kind, flags, data); err != nil {
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			testtools.Missing(t, "the right to mount ("+err.Error()+")",
				"run as root outside a container, or with CAP_SYS_ADMIN")
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(target, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
}

func TestUpdateKeepsOwner(t *testing.T) {
	needRoot(t, "give a file away")
	path := filepath.Join(t.TempDir(), "config")
	put(t, path, "[profile dev]\n", 0o644)
	if err := os.Chown(path, nobody, nobody-1); err != nil {
		t.Fatal(err)
	}
	if err := Update(t.Context(), path, region); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{path, path + BackupSuffix} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if s := info.Sys().(*syscall.Stat_t); s.Uid != nobody || s.Gid != nobody-1 || info.Mode() != 0o644 {
			t.Errorf("%s belongs to %d:%d, mode %v", path, s.Uid, s.Gid, info.Mode())
		}
	}
}

// A person without the right to write: root may do everything, so another process asks as nobody.
func TestUpdateWithoutPermission(t *testing.T) {
	needRoot(t, "become somebody else")
	base, err := os.MkdirTemp("", "homing-") //nolint:usetesting // t.TempDir is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(base) })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(base, "child"), program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(base, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name           string
		folder, config os.FileMode
		owner          int // of both; 0 is somebody else than the one who asks
		says           string
	}{
		{"folder that is read-only", 0o500, 0o600, nobody, "permission denied"},
		{"file of somebody else", 0o777, 0o644, 0, "permission denied"},
		{"file of somebody else that anybody may write", 0o777, 0o666, 0, "belongs to user 0, group 0, which could not be kept"},
		{"folder that is closed", 0o000, 0o600, nobody, "permission denied"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(base, strings.ReplaceAll(tt.name, " ", "-"))
			path := filepath.Join(dir, "config")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			put(t, path, "[profile dev]\n", tt.config)
			for _, p := range []string{path, dir} {
				if err := os.Chown(p, tt.owner, tt.owner); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(dir, tt.folder); err != nil {
				t.Fatal(err)
			}
			cmd := child(t, "set", path)
			cmd.Path = filepath.Join(base, "child")
			cmd.Dir = base
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if got := string(out); !strings.HasPrefix(got, fmt.Sprintf("configuration cannot change %q: ", path)) ||
				!strings.Contains(got, tt.says) ||
				strings.Contains(got, "\n\n") {
				t.Errorf("said %s", got)
			}
			if got := text(t, path); got != "[profile dev]\n" {
				t.Errorf("changed: %q", got)
			}
			if got := listed(t, dir); slices.ContainsFunc(got,
				func(s string) bool { return s != "config" && s != "config.lock" }) {
				t.Errorf("left behind: %v", got)
			}
		})
	}
}

func TestUpdateOnFullDisk(t *testing.T) {
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, "size=128k,mode=700")
	path := filepath.Join(dir, "config")
	before := big(150) // about 20 kB
	put(t, path, before, 0o600)
	if err := Update(t.Context(), path, region); err != nil {
		t.Fatal(err)
	}
	before = text(t, path)
	fill, err := os.Create(filepath.Join(dir, "fill"))
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = fill.Write(make([]byte, 4096))
	}
	if err := fill.Close(); err != nil {
		t.Fatal(err)
	}
	err = Update(t.Context(), path, set1(dev, "region", "other"))
	configtest.CheckFault(t, err, "no space left on device")
	if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(fmt.Sprint(fault.RemedyOf(err)), "df -h") {
		t.Errorf("%v, remedy %#v", err, fault.RemedyOf(err))
	}
	if text(t, path) != before {
		t.Error("the file changed")
	}
	if got := listed(t, dir); !slices.Equal(got, []string{"config", "config" + BackupSuffix, "config.lock", "fill"}) {
		t.Errorf("left behind: %v", got)
	}
	if err := os.Remove(fill.Name()); err != nil {
		t.Fatal(err)
	}
	if err := Update(t.Context(), path, set1(dev, "region", "other")); err != nil {
		t.Error(err)
	}
}

// A disk that gets full somewhere in the middle: with every number of free pages the file is the old or the new one.
func TestUpdateOnAlmostFullDisk(t *testing.T) {
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, "size=256k,mode=700")
	path, fill := filepath.Join(dir, "config"), filepath.Join(dir, "fill")
	before := big(100) // about 13 kB
	after := applied(t, before, region)
	const page = 4096
	done, refused := 0, 0
	for free := range 24 { // the new text, the backup, and the journal with both
		for _, name := range []string{path, path + BackupSuffix, path + files.EditLockSuffix, fill} {
			if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
		put(t, path, before, 0o600)
		var disk syscall.Statfs_t
		if err := syscall.Statfs(dir, &disk); err != nil {
			t.Fatal(err)
		}
		put(t, fill, strings.Repeat("x", (int(disk.Bavail)-free)*page), 0o600)
		err := Update(t.Context(), path, region)
		switch got := text(t, path); {
		case err == nil && got == after && text(t, path+BackupSuffix) == before:
			done++
		case errors.Is(err, syscall.ENOSPC) && got == before:
			refused++
		default:
			t.Errorf("%d pages free: %v, a file of %d bytes", free, err, len(got))
		}
		if got := listed(t, dir); slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, ".") }) {
			t.Errorf("%d pages free: left behind: %v", free, got)
		}
	}
	if done == 0 || refused == 0 {
		t.Errorf("%d done, %d refused: the edge was not met", done, refused)
	}
}

// A limit on the size of files, which is a full disk that needs no root.
func TestUpdateAboveTheSizeLimit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	before := big(200)
	put(t, path, before, 0o600)
	cmd := child(t, "set", path)
	cmd.Args = []string{"sh", "-c", "ulimit -f 4; exec " + quote.Sh.Arg(cmd.Path)}
	cmd.Path = "/bin/sh"
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "file too large") || !strings.Contains(string(out), "[ulimit -f]") {
		t.Errorf("%v, said %s", err, out)
	}
	if text(t, path) != before {
		t.Error("the file changed")
	}
	if got := listed(t, filepath.Dir(path)); !slices.Equal(got, []string{"config", "config.lock"}) {
		t.Errorf("left behind: %v", got)
	}
}

// A write in place that was killed, and cannot be finished now, is finished later: until then nothing is edited,
// since the edit would make the torn file the backup and take away what belongs into it.
func TestUnfinishedStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	old, next := "[profile dev]\n", "[profile dev]\n"+strings.Repeat("# a comment\n", 1000)
	waiting := filepath.Join(filepath.Dir(path), ".config.homing-pending")
	put(t, path, next[:100], 0o600)
	put(t, path+BackupSuffix, old, 0o600)
	put(t, waiting, next, 0o600)
	cmd := child(t, "set", path)
	cmd.Args = []string{"sh", "-c", "ulimit -f 4; exec " + quote.Sh.Arg(cmd.Path)}
	cmd.Path = "/bin/sh"
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "file too large") {
		t.Errorf("%v: %s", err, out)
	}
	if text(t, path) != next[:100] || text(t, path+BackupSuffix) != old || text(t, waiting) != next {
		t.Errorf("the file has %d bytes, the backup %d", len(text(t, path)), len(text(t, path+BackupSuffix)))
	}
	if err := Update(t.Context(), path, set1(dev, "region", "new")); err != nil {
		t.Fatal(err)
	}
	if got := text(t, path); got != applied(t, next, set1(dev, "region", "new")) {
		t.Errorf("finished: %q", got)
	}
}

func TestUpdateOnReadOnlyFileSystem(t *testing.T) {
	dir := t.TempDir()
	mount(t, "tmpfs", dir, "tmpfs", 0, "size=64k")
	path := filepath.Join(dir, "config")
	put(t, path, "[profile dev]\n", 0o600)
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	err := Update(t.Context(), path, region)
	configtest.CheckFault(t, err, "read-only file system")
	if !strings.Contains(fmt.Sprint(fault.RemedyOf(err)), "AWS_CONFIG_FILE") {
		t.Errorf("remedy %#v", fault.RemedyOf(err))
	}
	configtest.CheckFault(t, Update(t.Context(), filepath.Join(dir, "new", "config"), region), "read-only file system")
}

// A container that mounts ~/.aws/config alone: a mount point cannot be replaced, so it is written to.
func TestUpdateOfMountPoint(t *testing.T) {
	dir := t.TempDir()
	outside, path := filepath.Join(dir, "outside"), filepath.Join(dir, "config")
	put(t, outside, "[profile dev]\nregion = a\n", 0o640)
	put(t, path, "", 0o600)
	mount(t, outside, path, "", syscall.MS_BIND, "")
	if err := Update(t.Context(), path, region); err != nil {
		t.Fatal(err)
	}
	if got, old := text(t, outside), text(t, path+BackupSuffix); got != "[profile dev]\nregion = new\n" ||
		old != "[profile dev]\nregion = a\n" {
		t.Errorf("file %q, backup %q", got, old)
	}
	if got := listed(t, dir); !slices.Equal(got,
		[]string{"config", "config" + BackupSuffix, "config.lock", "outside"}) {
		t.Errorf("left behind: %v", got)
	}
}

// Killed while it writes to a mount point, an edit leaves what the next one can finish.
func TestUpdateOfMountPointKilled(t *testing.T) {
	const n = 2000
	dir := t.TempDir()
	outside, path := filepath.Join(dir, "outside"), filepath.Join(dir, "config")
	base := big(n)
	grown := applied(t, base, grow(n, false)...)
	put(t, outside, base, 0o640)
	put(t, path, "", 0o600)
	mount(t, outside, path, "", syscall.MS_BIND, "")
	mixtures := 0
	for round := range *kills / 8 {
		killIn(t, path, "grow", n)
		if got := text(t, path); got != base && got != grown {
			mixtures++
		}
		if err := Update(t.Context(), path, Edit{Section: dev, Unset: []string{"a"}}); err != nil {
			t.Fatal(err)
		}
		if got := text(t, path); got != base && got != grown {
			t.Fatalf("round %d: %d bytes are no version of the file", round, len(got))
		}
	}
	t.Logf("%d mixtures were finished", mixtures)
}

// A pipe is read once, as AWS_CONFIG_FILE=<(sops -d FILE) needs it, and never edited. One without a writer is an
// error and no hang.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := awsconfig.Load(awsconfig.Paths{Config: path})
	configtest.CheckFault(t, err, "nothing writes to the pipe")
	written := filepath.Join(t.TempDir(), "config")
	if err := syscall.Mkfifo(written, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() { _ = os.WriteFile(written, []byte("[profile a]\nregion = x\n"), 0) }() // waits for a reader
	for range 2 {
		if c, err := awsconfig.Load(awsconfig.Paths{Config: written}); err != nil || len(c.ProfileNames()) != 1 {
			t.Error(err)
		}
	}
	configtest.CheckFault(t, Update(t.Context(), path, region), "it is a pipe, not a file")
}
