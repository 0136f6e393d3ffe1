package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/testtools"
)

// TestMain runs the test binary as the other process of a test when HOMING_TEST_CHILD says which.
func TestMain(m *testing.M) {
	if name := os.Getenv("HOMING_TEST_CHILD"); name != "" {
		children[name](&Store{AWSDir: os.Getenv("HOMING_TEST_DIR"), StateDir: os.Getenv("HOMING_TEST_LOCKS")})
		return
	}
	os.Exit(m.Run())
}

var children = map[string]func(*Store){
	// hold takes the lock and the temporary file, says so, and does not let go.
	"hold": func(s *Store) {
		if _, err := s.BeginToken(context.Background(), "k"); err != nil {
			panic(err)
		}
		fmt.Println("held")
		time.Sleep(time.Hour)
	},
	// churn replaces the token until it is killed.
	"churn": func(s *Store) {
		for i := 0; ; i++ {
			u, err := s.BeginToken(context.Background(), "k")
			if err != nil {
				panic(err)
			}
			t := fullToken()
			t.AccessToken = session.NewSecret(strings.Repeat("x", i%5000+1))
			if err := u.Commit(t); err != nil {
				panic(err)
			}
			if i == 0 {
				fmt.Println("running")
			}
		}
	},
}

// child starts the test binary as another process and waits for its first line.
func child(t *testing.T, s *Store, name string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "HOMING_TEST_CHILD="+name, "HOMING_TEST_DIR="+s.AWSDir,
		"HOMING_TEST_LOCKS="+s.StateDir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // ended already where the test is about that
		_ = cmd.Wait()
	})
	if n, err := out.Read(make([]byte, 16)); n == 0 {
		t.Fatalf("the other process said nothing: %v", err)
	}
	return cmd
}

func mode(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestModes(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no modes on Windows")
	}
	s := newStore(t)
	commit(t, s, "k", fullToken())
	file := s.TokenPath("k")
	for path, want := range map[string]fs.FileMode{
		s.AWSDir: 0o700, filepath.Dir(file): 0o700, file: 0o600, lockPath(file): 0o600,
	} {
		if got := mode(t, path); got != want {
			t.Errorf("%s has mode %o, want %o", path, got, want)
		}
	}
	// Folders of others keep their mode; a file that anybody could read is closed.
	for path, m := range map[string]fs.FileMode{filepath.Dir(file): 0o755, file: 0o644} {
		if err := os.Chmod(path, m); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, s, "k", fullToken())
	if d, f := mode(t, filepath.Dir(file)), mode(t, file); d != 0o755 || f != 0o600 {
		t.Errorf("folder %o, file %o, want 755 and 600", d, f)
	}
}

func TestSymbolicLinksAreFollowedAndKept(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(t *testing.T, s *Store, elsewhere string) (target string){
		"folder": func(t *testing.T, s *Store, elsewhere string) string {
			link(t, elsewhere, s.AWSDir)
			return filepath.Join(elsewhere, "sso", "cache", filepath.Base(s.TokenPath("k")))
		},
		"file": func(t *testing.T, s *Store, elsewhere string) string {
			put(t, filepath.Join(elsewhere, "token.json"), "{}")
			link(t, filepath.Join(elsewhere, "token.json"), s.TokenPath("k"))
			return filepath.Join(elsewhere, "token.json")
		},
		"file that is not there yet, over two relative links": func(t *testing.T, s *Store, elsewhere string) string {
			link(t, filepath.Join(elsewhere, "second"), s.TokenPath("k"))
			link(t, filepath.Join("deep", "token.json"), filepath.Join(elsewhere, "second"))
			return filepath.Join(elsewhere, "deep", "token.json")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, elsewhere := newStore(t), t.TempDir()
			target := prepare(t, s, elsewhere)
			commit(t, s, "k", fullToken())
			if got := content(t, target); got != fullFile {
				t.Errorf("the target holds %s", got)
			}
			if info, err := os.Lstat(target); err != nil || !info.Mode().IsRegular() {
				t.Errorf("the target is no file: %v", err)
			}
			if _, err := os.Stat(lockPath(target)); err != nil {
				t.Errorf("no lock beside the target: two links to one file would have two locks (%v)", err)
			}
			if err := s.RemoveToken(t.Context(), "k"); err != nil {
				t.Fatal(err)
			}
			commit(t, s, "k", fullToken())
			if got := content(t, target); got != fullFile {
				t.Errorf("after signing out and in the target holds %s", got)
			}
		})
	}
	s := newStore(t)
	link(t, s.TokenPath("k"), s.TokenPath("k"))
	if _, err := s.BeginToken(t.Context(), "k"); fault.KindOf(err) != fault.Config {
		t.Errorf("a link to itself: %v", err)
	}
}

func link(t *testing.T, target, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if filepath.IsAbs(target) {
		_ = os.MkdirAll(filepath.Dir(target), 0o700) // a target below a link is somebody's folder
		if filepath.Ext(target) == "" && filepath.Base(target) != "second" {
			_ = os.MkdirAll(target, 0o700)
		}
	}
	if err := os.Symlink(target, path); err != nil {
		testtools.Missing(t, "a file system with symbolic links ("+err.Error()+")", "set TMPDIR to a folder on one")
	}
}

func TestOneHolderAtATime(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	synctest.Test(t, func(t *testing.T) {
		var wg sync.WaitGroup
		var holders atomic.Int32 // the race detector does not see a lock on a file
		for range 20 {
			wg.Go(func() {
				u, err := s.BeginToken(t.Context(), "k")
				if err != nil {
					t.Error(err)
					return
				}
				defer u.Abort()
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d hold the lock", n)
				}
				time.Sleep(time.Second)
				holders.Add(-1)
			})
		}
		wg.Wait()
	})
	noLitter(t, s)
}

func TestWaitingForTheLockEnds(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	synctest.Test(t, func(t *testing.T) {
		u, err := s.BeginToken(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		defer u.Abort()
		late, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := s.BeginToken(late, "k"); fault.KindOf(err) != fault.Unavailable || fault.RemedyOf(err) == nil {
			t.Errorf("after a minute: %v", err)
		} else if held, ok := errors.AsType[*Locked](err); !ok || held.Path != lockPath(s.TokenPath("k")) ||
			!strings.Contains(err.Error(), held.Path) {
			t.Errorf("it names another lock: %v", err)
		}
		own, cancel := context.WithTimeoutCause(t.Context(), time.Minute,
			fault.New(fault.TimedOut, "", "in words of the caller"))
		defer cancel()
		_, err = s.BeginToken(own, "k")
		if _, ok := errors.AsType[*Locked](err); !ok || fault.KindOf(err) != fault.TimedOut ||
			err.Error() != "in words of the caller" {
			t.Errorf("with the words of the caller: %v", err)
		}
		stopped, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		if _, err := s.BeginToken(stopped, "k"); fault.KindOf(err) != fault.Interrupted {
			t.Errorf("interrupted: %v", err)
		}
	})
}

func TestKilledHolderBlocksNobody(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s.TokenPath("k"), fullFile)
	holder := child(t, s, "hold")
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := s.BeginToken(short, "k"); fault.KindOf(err) != fault.Unavailable {
		t.Fatalf("the other process does not hold the lock: %v", err)
	}
	if temps := files.Temps(s.TokenPath("k")); len(temps) != 1 {
		t.Fatalf("the other process has %d temporary files, want 1", len(temps))
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	u, err := s.BeginToken(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	u.Abort()
	noLitter(t, s) // the dead one's temporary file is gone
	if got := content(t, s.TokenPath("k")); got != fullFile {
		t.Errorf("the token became %s", got)
	}
}

func TestKilledWriterLeavesAWholeFile(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for i := range 20 {
		writer := child(t, s, "churn")
		time.Sleep(time.Duration(i) * 300 * time.Microsecond) // kill at another point of the cycle; nothing is awaited
		if err := writer.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = writer.Wait() // killed
		if o, whole := parseObject([]byte(content(t, s.TokenPath("k")))); !whole || !usable(tokenOf(o)) {
			t.Fatalf("round %d left %q", i, content(t, s.TokenPath("k")))
		}
	}
	commit(t, s, "k", fullToken())
	noLitter(t, s)
}

func TestLockOfARemovedFolderKeepsNobodyOut(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	synctest.Test(t, func(t *testing.T) {
		u, err := s.LockToken(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		waiting := make(chan error, 1)
		go func() {
			second, err := s.BeginToken(t.Context(), "k")
			if err == nil {
				err = second.Commit(fullToken())
			}
			waiting <- err
		}()
		synctest.Wait()
		if err := os.RemoveAll(s.AWSDir); err != nil {
			t.Fatal(err)
		}
		u.Abort()
		if err := <-waiting; err != nil {
			t.Fatal(err)
		}
		if got := content(t, s.TokenPath("k")); got != fullFile {
			t.Errorf("the token is %s", got)
		}
	})
}

func TestAbortLeavesEverythingAsItWas(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s.TokenPath("k"), fullFile)
	u, err := s.BeginToken(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := u.Current(); err != nil || !same(got, fullToken()) {
		t.Errorf("current token: %v", err)
	}
	u.Abort()
	u.Abort()
	noLitter(t, s)
	if got := content(t, s.TokenPath("k")); got != fullFile {
		t.Errorf("the token became %s", got)
	}
	commit(t, s, "k", fullToken()) // the lock is free
}

func TestAbandonedFilesAreSweptWhenOld(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	dir := filepath.Dir(s.TokenPath("k"))
	old, young, foreign := filepath.Join(
		dir,
		"a.json.homing-1.tmp",
	), filepath.Join(dir, "b.json.homing-2.tmp"), filepath.Join(dir, "c.json.tmp")
	for _, path := range []string{old, young, foreign} {
		put(t, path, "")
	}
	for _, path := range []string{old, foreign} {
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-2*abandoned)); err != nil {
			t.Fatal(err)
		}
	}
	commit(t, s, "k", fullToken())
	for path, want := range map[string]bool{old: false, young: true, foreign: true} {
		if _, err := os.Stat(path); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", filepath.Base(path), err == nil, want)
		}
	}
}

// What is in the way is named, with a command, and nothing is left behind.
func TestObstacles(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		prepare     func(t *testing.T, s *Store)
		msg, remedy string // %s is the AWS folder
	}{
		"folder for a file": {
			func(t *testing.T, s *Store) { put(t, filepath.Join(s.TokenPath("k"), "x"), "") },
			`cannot use "%s/sso/cache/13fbd79c3d390e5d6585a21e11ff5ec1970cff0c.json": it is a folder, not a file`,
			"{move it away: [mv %s/sso/cache/13fbd79c3d390e5d6585a21e11ff5ec1970cff0c.json",
		},
		"file for the cache folder": {
			func(t *testing.T, s *Store) { put(t, filepath.Join(s.AWSDir, "sso", "cache"), "x") },
			`: a file is in the way where a folder should be: "%s/sso/cache"`,
			"{move it away: [mv %s/sso/cache %s/sso/cache.old]}",
		},
		"file for ~/.aws": {
			func(t *testing.T, s *Store) { put(t, s.AWSDir, "x") },
			`: a file is in the way where a folder should be: "%s"`,
			"{move it away: [mv %s %s.old]}",
		},
		"folder for the lock": {
			func(t *testing.T, s *Store) { put(t, filepath.Join(lockPath(s.TokenPath("k")), "x"), "") },
			`cannot use "%s/sso/cache/13fbd79c3d390e5d6585a21e11ff5ec1970cff0c.lock": it is a folder, not a file`, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if runtime.GOOS == "windows" {
				t.Skip("the paths are those of Unix")
			}
			s := newStore(t)
			tt.prepare(t, s)
			_, err := s.BeginToken(t.Context(), "k")
			msg, want := strings.ReplaceAll(tt.msg, "%s", s.AWSDir), strings.ReplaceAll(tt.remedy, "%s", s.AWSDir)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Config || !strings.Contains(f.Msg, msg) || f.Remedy == nil ||
				!strings.HasPrefix(fmt.Sprint(f.Remedy), want) {
				t.Errorf("%v\nremedy: %v", err, fault.RemedyOf(err))
			}
			temps, _ := filepath.Glob(filepath.Join(s.AWSDir, "*", "*", "*.tmp"))
			if len(temps) > 0 {
				t.Errorf("left behind: %v", temps)
			}
		})
	}
}
