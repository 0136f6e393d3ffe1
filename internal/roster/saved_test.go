package roster

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// kept returns the files of what was fetched.
func kept(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "roster-*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// interrupt begins a list that is interrupted after d.
func interrupt(t *testing.T, l *Lister, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if _, err := l.List(ctx); fault.KindOf(err) != fault.TimedOut {
		t.Fatalf("error = %v", err)
	}
}

// What happens between a list that is interrupted with some 70 of 300 accounts fetched and the next one decides
// whether that one goes on from there.
func TestResume(t *testing.T) {
	t.Parallel()
	only := func(t *testing.T, l *Lister) string {
		files := kept(t, l.Dir)
		if len(files) != 1 {
			t.Fatalf("kept %v", files)
		}
		return files[0]
	}
	change := func(t *testing.T, file string, f func([]byte) []byte) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name    string
		between func(t *testing.T, l *Lister, k *tokens)
		resumed bool
	}{
		{"at once", func(*testing.T, *Lister, *tokens) {}, true},
		{"after half an hour", func(*testing.T, *Lister, *tokens) { time.Sleep(30 * time.Minute) }, true},
		{"another process, other times", func(_ *testing.T, l *Lister, _ *tokens) {
			*l = Lister{Session: l.Session, Tokens: l.Tokens, Connect: l.Connect, Dir: l.Dir}
		}, true},
		{"the same refresh token", func(_ *testing.T, _ *Lister, k *tokens) { k.now.AccessToken = session.NewSecret("another") }, true},
		{"another person signed in", func(_ *testing.T, _ *Lister, k *tokens) { k.signIn("bob", time.Hour) }, false},
		{"another program renewed the token", func(_ *testing.T, _ *Lister, k *tokens) { k.renew() }, false},
		{"a token without refresh", func(_ *testing.T, _ *Lister, k *tokens) {
			k.signIn("bob", time.Hour)
			k.now.RefreshToken = session.Secret{}
		}, false},
		{"another session", func(_ *testing.T, l *Lister, _ *tokens) { l.Session.Name = "prod" }, false},
		{"another region", func(_ *testing.T, l *Lister, _ *tokens) { l.Session.Region = "eu-west-1" }, false},
		{"another start URL", func(_ *testing.T, l *Lister, _ *tokens) { l.Session.StartURL += "x" }, false},
		{"four hours later", func(_ *testing.T, _ *Lister, k *tokens) {
			k.now.ExpiresAt = time.Now().Add(8 * time.Hour)
			time.Sleep(4 * time.Hour)
		}, false},
		{"the clock was put back", func(_ *testing.T, l *Lister, _ *tokens) {
			l.Now = func() time.Time { return time.Now().Add(-time.Hour) }
		}, false},
		{"the last line is cut", func(t *testing.T, l *Lister, _ *tokens) {
			change(t, only(t, l), func(b []byte) []byte { return b[:len(b)-7] })
		}, true},
		{"the last line is garbage", func(t *testing.T, l *Lister, _ *tokens) {
			change(t, only(t, l), func(b []byte) []byte { return append(b, "\x00\x00\x00\x00"...) })
		}, true},
		{"the first line is garbage", func(t *testing.T, l *Lister, _ *tokens) {
			change(t, only(t, l), func(b []byte) []byte { b[0] = 'x'; return b })
		}, false},
		{"a newer form", func(t *testing.T, l *Lister, _ *tokens) {
			change(t, only(t, l), func(b []byte) []byte { return bytes.Replace(b, []byte(`"form":1`), []byte(`"form":9`), 1) })
		}, false},
		{"empty", func(t *testing.T, l *Lister, _ *tokens) {
			change(t, only(t, l), func([]byte) []byte { return nil })
		}, false},
		{"open to others", func(t *testing.T, l *Lister, _ *tokens) {
			if runtime.GOOS == "windows" {
				t.Skip("permissions of Windows are not looked at")
			}
			if err := os.Chmod(only(t, l), 0o644); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"a folder in its place", func(t *testing.T, l *Lister, _ *tokens) {
			file := only(t, l)
			if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o700), os.WriteFile(filepath.Join(file, "x"), nil,
				0o600)); err != nil {
				t.Fatal(err)
			}
		}, false},
		{"the folder is gone", func(t *testing.T, l *Lister, _ *tokens) {
			if err := os.RemoveAll(l.Dir); err != nil {
				t.Fatal(err)
			}
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "state")
			synctest.Test(t, func(t *testing.T) {
				s := &service{accounts: 300, latency: 60 * time.Millisecond, limit: perSecond(20)}
				l, k := newLister(s, 1)
				l.Dir = dir
				interrupt(t, l, 4*time.Second)
				fetched := len(s.asked)
				info, err := os.Stat(only(t, l))
				if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
					t.Fatalf("%v, %v", info.Mode(), err)
				}
				tt.between(t, l, k)
				asked := s.asked
				s.asked = nil
				result := list(t, l, s)
				switch {
				case tt.resumed && (result.Resumed < fetched-10 || result.Resumed > fetched):
					t.Errorf("resumed with %d of %d accounts", result.Resumed, fetched)
				case tt.resumed && len(s.asked) != 300-result.Resumed:
					t.Errorf("asked for %d accounts of %d", len(s.asked), 300-result.Resumed)
				case !tt.resumed && (result.Resumed != 0 || len(s.asked) != 300):
					t.Errorf("resumed with %d, asked for %d; before: %d", result.Resumed, len(s.asked), len(asked))
				}
				for _, file := range kept(t, l.Dir) {
					info, err := os.Stat(file)
					if tt.name == "a newer form" {
						if text, err := os.ReadFile(file); err != nil || !bytes.HasPrefix(text, []byte(`{"form":9`)) {
							t.Errorf("it was not left alone: %.80s, %v", text, err)
						}
						continue
					}
					if err == nil && !info.IsDir() && sessionMark(l.Session) == sessionMark(dev) {
						t.Errorf("left behind: %s", file)
					}
				}
			})
		})
	}
}

// Each of many interruptions brings the list a little further, and nothing is asked for twice but what was under way.
func TestInterruptedAgainAndAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 300, latency: 60 * time.Millisecond, limit: perSecond(20)}
		for range 4 {
			l, _ := newLister(s, 1)
			l.Dir = dir
			interrupt(t, l, 3*time.Second)
			time.Sleep(time.Second)
		}
		l, _ := newLister(s, 1)
		l.Dir = dir
		result := list(t, l, s)
		twice := 0
		for _, n := range s.asked {
			if n > 1 {
				twice++
			}
		}
		if result.Resumed < 150 || twice > 20 {
			t.Errorf("resumed with %d, %d told twice", result.Resumed, twice)
		}
	})
}

// What a killed process left of a line does not spoil what the next one adds.
func TestCutAgainAndAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 300, latency: 60 * time.Millisecond, limit: perSecond(20)}
		for range 3 {
			l, _ := newLister(s, 1)
			l.Dir = dir
			interrupt(t, l, 4*time.Second)
			file := kept(t, dir)[0]
			text, err := os.ReadFile(file)
			if err == nil {
				err = os.WriteFile(file, text[:len(text)-7], 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		l, _ := newLister(s, 1)
		l.Dir = dir
		if result := list(t, l, s); result.Resumed < 180 {
			t.Errorf("resumed with %d of three times 70", result.Resumed)
		}
	})
}

// With Keep the list can be had again until Finish.
func TestKeep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 50, latency: 60 * time.Millisecond}
		l, _ := newLister(s, 1)
		l.Dir, l.Keep = dir, true
		list(t, l, s)
		if len(kept(t, dir)) != 1 {
			t.Fatal("not kept")
		}
		l.close() // the process is killed at its question
		l, _ = newLister(s, 1)
		l.Dir, l.Keep = dir, true
		if result := list(t, l, s); result.Resumed != 50 || result.Calls != 1 {
			t.Errorf("%d resumed, %d calls", result.Resumed, result.Calls)
		}
		l.Finish()
		l.Finish()
		if files := kept(t, dir); len(files) > 0 {
			t.Errorf("kept %v", files)
		}
	})
}

// Two lists of one session at once: one of them is kept, both are whole.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 100, latency: 60 * time.Millisecond}
		first, _ := newLister(s, 1)
		second, _ := newLister(s, 2)
		first.Dir, second.Dir, first.Keep = dir, dir, true
		list(t, first, s)
		if result := list(t, second, s); result.Resumed != 0 {
			t.Errorf("resumed with %d of a list that is not over", result.Resumed)
		}
		if len(kept(t, dir)) != 1 {
			t.Error("the second list took what the first keeps")
		}
		first.Finish()
	})
}

// What nobody came back for is removed by the next list of any session.
func TestSweep(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, other := filepath.Join(dir, "roster-0123456789abcdef.jsonl"), filepath.Join(dir, "worked.json")
	for _, file := range []string{old, other} {
		if err := os.WriteFile(file, []byte("{}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		past := time.Now().Add(-4 * time.Hour)
		if err := os.Chtimes(file, past, past); err != nil {
			t.Fatal(err)
		}
	}
	s := &service{accounts: 1}
	l, k := newLister(s, 1)
	k.signIn("ada", time.Hour)
	l.Dir = dir
	list(t, l, s)
	if _, err := os.Stat(old); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("old file: %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Error(err)
	}
}

func TestNoSecretIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 50, latency: 60 * time.Millisecond}
		l, k := newLister(s, 1)
		l.Dir, l.Keep = dir, true
		list(t, l, s)
		text, err := os.ReadFile(kept(t, dir)[0])
		if err != nil || len(text) == 0 {
			t.Fatal(err)
		}
		for _, secret := range []session.Secret{k.now.AccessToken, k.now.RefreshToken, k.now.ClientSecret} {
			if strings.Contains(string(text), secret.Reveal()) {
				t.Errorf("%q is in the file", secret.Reveal())
			}
		}
		l.Finish()
	})
}

// A folder that cannot be written costs nothing but the next list's time.
func TestNowhereToKeep(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := &service{accounts: 20}
	l, _ := newLister(s, 1)
	l.Dir = filepath.Join(file, "state")
	list(t, l, s)
}

func FuzzParse(f *testing.F) {
	s := session.Session{Name: "dev"}
	t := session.Token{AccessToken: session.NewSecret("a")}
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	mark, access := sessionMark(s), tokenMark(t.AccessToken)
	head := `{"form":1,"session":"` + mark + `","began":"2026-11-22T11:00:00Z","token":"` + access + `"}` + "\n"
	f.Add([]byte(head + `{"account":"000000000001","roles":["Admin"]}` + "\n"))
	f.Add(
		[]byte(
			head + `{"account":"000000000001"}` + "\n" + `{"token":"x"}` + "\n" + `{"token":"` + access + `"}` + "\n{",
		),
	)
	f.Add([]byte("\n\n"))
	f.Fuzz(func(t2 *testing.T, text []byte) {
		fetched, whole := parse(text, mark, t, now)
		if whole > len(text) || whole > 0 && text[whole-1] != '\n' {
			t2.Errorf("whole up to %d of %d", whole, len(text))
		}
		if len(fetched) > 0 && !bytes.Contains(text, []byte(access)) {
			t2.Error("resumed without the token's fingerprint")
		}
		again, length := parse(text[:whole], mark, t, now)
		if len(again) != len(fetched) || length != whole {
			t2.Errorf("read again: %d of %d accounts", len(again), len(fetched))
		}
	})
}
