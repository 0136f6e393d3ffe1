package store

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/testtools"
)

func init() {
	children["readonly"] = func(s *Store) {
		mount(s.AWSDir, syscall.MS_BIND, "")
		mount(s.AWSDir, syscall.MS_BIND|syscall.MS_REMOUNT|syscall.MS_RDONLY, "")
		report(s)
		tok, err := s.Token("k")
		fmt.Println("token read:", err == nil && same(tok, fullToken()))
		unlock, err := s.LockRole(bg, testRole)
		fmt.Println("role locked:", err == nil)
		if err == nil {
			unlock()
		}
		u, err := s.LockToken(bg, "k")
		fmt.Println("token locked:", err == nil)
		if err == nil {
			u.Abort()
		}
	}
	children["full"] = func(s *Store) {
		mount(filepath.Dir(s.TokenPath("k")), 0, "size=24k")
		put0(s.TokenPath("k"), fullFile)
		put0(filepath.Join(filepath.Dir(s.TokenPath("k")), "filler"), strings.Repeat("x", 8<<10))
		report(s)
		tok, err := s.Token("k")
		fmt.Println("token read:", err == nil && same(tok, fullToken()))
		fmt.Println("full:", s.CanStore("k"))
		if err := os.Remove(filepath.Join(filepath.Dir(s.TokenPath("k")), "filler")); err != nil {
			panic(err)
		}
		fmt.Println("no longer full:", s.CanStore("k"))
	}
	children["forbidden"] = func(s *Store) {
		if os.Getuid() == 0 { // give up root's right to write everywhere, in folders that anybody may read
			home := filepath.Dir(s.AWSDir)
			if err := errors.Join(os.Chmod(filepath.Dir(home), 0o755), os.Chmod(home, 0o755),
				syscall.Setfsuid(65534)); err != nil {
				panic(err)
			}
		}
		report(s)
		report(&Store{AWSDir: filepath.Join(filepath.Dir(s.AWSDir), "new", ".aws"), StateDir: s.StateDir})
	}
}

func mount(dir string, flags uintptr, data string) {
	kind := "tmpfs"
	if flags != 0 {
		kind = ""
	}
	if err := syscall.Mount(dir, dir, kind, flags, data); err != nil {
		panic(err)
	}
}

func put0(path, content string) {
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		panic(err)
	}
}

// report tries to begin an update and prints what a person would read, then what is left in the folder.
func report(s *Store) {
	_, err := s.BeginToken(bg, "k")
	fmt.Println("kind:", fault.KindOf(err))
	fmt.Println("msg:", err)
	fmt.Println("remedy:", fault.RemedyOf(err))
	temps, _ := filepath.Glob(filepath.Join(filepath.Dir(s.TokenPath("k")), "*.tmp"))
	fmt.Println("left:", len(temps))
}

// TestHostileFileSystems runs each case in a process with mounts of its own.
func TestHostileFileSystems(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		locks bool
		want  []string // %s is the cache folder, %h the home folder
	}{
		"readonly": {true, []string{
			"kind: configuration", `msg: cannot write in the folder "%s": the file system is read-only`, "remedy: {see how it is mounted: [df %s]}",
			"left: 0", "token read: true", "role locked: true", "token locked: true",
		}},
		"full": {false, []string{
			"kind: configuration", `msg: cannot write in the folder "%s": no space left on the disk`, "remedy: {see what is full: [df -h %s]}",
			"left: 0", "token read: true",
			`full: cannot write in the folder "%s": no space left on the disk`, "no longer full: <nil>",
		}},
		"forbidden": {true, []string{
			"kind: configuration", `msg: cannot lock "%s/13fbd79c3d390e5d6585a21e11ff5ec1970cff0c.lock": permission denied`, "remedy: {see whose it is: [ls -ld %s]}",
			"left: 0", `msg: cannot create the folder "%h/new/.aws/sso/cache": permission denied`, "remedy: {see whose it is: [ls -ld %h]}",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			dir := filepath.Dir(s.TokenPath("k"))
			put(t, s.TokenPath("k"), fullFile)
			if tt.locks {
				s.StateDir = filepath.Join(t.TempDir(), "state", "homing")
			}
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), "HOMING_TEST_CHILD="+name, "HOMING_TEST_DIR="+s.AWSDir,
				"HOMING_TEST_LOCKS="+s.StateDir)
			cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
			switch {
			case name == "forbidden" && os.Getuid() == 0:
			case name == "forbidden": // no need to become somebody else
				for _, closed := range []string{dir, filepath.Dir(s.AWSDir), filepath.Dir(filepath.Dir(s.StateDir))} {
					if err := os.Chmod(closed, 0o500); err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { _ = os.Chmod(closed, 0o700) }) // so that it can be removed
				}
				cmd.SysProcAttr = nil
			case os.Getuid() != 0:
				cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
				cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
				cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
			}
			out, err := cmd.CombinedOutput()
			if err != nil &&
				(len(out) == 0 || strings.Contains(string(out), "panic: operation not permitted") || strings.Contains(string(out), "panic: permission denied")) {
				testtools.Missing(t, "a mount namespace", "run as root, or allow unprivileged user namespaces")
			}
			for _, line := range tt.want {
				if want := strings.NewReplacer("%s", dir, "%h", filepath.Dir(s.AWSDir)).Replace(line); !strings.Contains(
					string(out),
					want,
				) {
					t.Errorf("no line %q in\n%s", want, out)
				}
			}
		})
	}
}
