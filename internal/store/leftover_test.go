package store

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/session"
)

// nextToken is what a renewal of fullToken gave.
func nextToken() session.Token {
	t := fullToken()
	t.AccessToken, t.RefreshToken = session.NewSecret("access-2"), session.NewSecret("refresh-2")
	t.ExpiresAt = expiry.Add(time.Hour)
	return t
}

// unplaced leaves the token of a renewal that was killed, or failed, right before the rename. It returns the
// temporary file.
func unplaced(t *testing.T, s *Store, tok session.Token) string {
	t.Helper()
	u, err := s.LockToken(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := u.draft.fill(encodeToken(tok, nil)); err != nil {
		t.Fatal(err)
	}
	path := u.draft.temp
	_ = u.draft.file.Close()
	u.draft = nil // it died
	u.Abort()
	return path
}

func TestRenewalThatDiedBeforeTheRename(t *testing.T) {
	t.Parallel()
	other := strings.ReplaceAll(fullFile, "refresh-1", "refresh-7")
	for _, tt := range []struct {
		name      string
		meanwhile func(t *testing.T, s *Store, temp string)
		access    string // in the file, after somebody took the lock; "" = there is no file
	}{
		{"nothing happened", func(*testing.T, *Store, string) {}, "access-2"},
		{"it was not cut to its length", func(t *testing.T, _ *Store, temp string) {
			put(t, temp, content(t, temp)+strings.Repeat(" ", 9000))
		}, "access-2"},
		{"it is old", func(t *testing.T, s *Store, temp string) {
			old := time.Now().Add(-3 * time.Hour)
			if err := os.Chtimes(temp, old, old); err != nil {
				t.Fatal(err)
			}
			commit(t, s, "another", fullToken()) // sweeps
		}, "access-2"},
		{"the same token, in another form", func(t *testing.T, s *Store, _ string) {
			put(t, s.TokenPath("k"), strings.ReplaceAll(fullFile, ", ", ",\n"))
		}, "access-2"},
		{"another program signed in", func(t *testing.T, s *Store, _ string) { put(t, s.TokenPath("k"), other) }, "access-1"},
		{"we signed in", func(t *testing.T, s *Store, _ string) {
			tok := fullToken()
			tok.AccessToken = session.NewSecret("access-3")
			u, err := s.LockToken(t.Context(), "k")
			if err != nil {
				t.Fatal(err)
			}
			if err := u.Commit(tok); err != nil {
				t.Fatal(err)
			}
		}, "access-3"},
		{"we signed out", func(t *testing.T, s *Store, _ string) {
			if err := s.RemoveToken(t.Context(), "k"); err != nil {
				t.Fatal(err)
			}
		}, ""},
		{"another program signed out", func(t *testing.T, s *Store, _ string) {
			if err := os.Remove(s.TokenPath("k")); err != nil {
				t.Fatal(err)
			}
		}, ""},
		{"it is half-written", func(t *testing.T, _ *Store, temp string) {
			put(t, temp, content(t, temp)[:150]+strings.Repeat(" ", 9000))
		}, "access-1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			put(t, s.TokenPath("k"), fullFile)
			refuse(t, s, fullRefusal)
			temp := unplaced(t, s, nextToken())
			tt.meanwhile(t, s, temp)
			u, err := s.LockToken(t.Context(), "k")
			if err != nil {
				t.Fatal(err)
			}
			u.Abort()
			got, err := s.Token("k")
			if got.AccessToken.Reveal() != tt.access || (err != nil) != (tt.access == "") {
				t.Errorf("the file holds %q, %v; want %q", got.AccessToken.Reveal(), err, tt.access)
			}
			if tt.access == "access-2" && s.Refusal("k") != (Refusal{}) {
				t.Error("a refusal of the token before is still there")
			}
			commit(t, s, "k", fullToken())
			noLitter(t, s)
		})
	}
}

// Nobody but a renewal leaves something to take up: another person may have signed in before a sign-in was cut off,
// and signing in again costs no session.
func TestSignInThatDiedIsNotTakenUp(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s.TokenPath("k"), fullFile)
	u, err := s.BeginToken(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.draft.fill(encodeToken(nextToken(), nil)); err != nil {
		t.Fatal(err)
	}
	u.draft = nil // it died
	u.Abort()
	u, err = s.LockToken(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	u.Abort()
	if got := content(t, s.TokenPath("k")); got != fullFile {
		t.Errorf("the file holds %s", got)
	}
}

// What stands in the way of the rename for good keeps the token out of its place, but does not lose it.
func TestRenameThatFails(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	path := s.TokenPath("k")
	put(t, path, fullFile)
	obstruct(t, path)
	u, err := s.LockToken(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	if got, err := u.Current(); err == nil {
		t.Fatalf("a folder holds %v", got)
	}
	unobstruct(t, path)
	if err := u.Prepare(); err != nil {
		t.Fatal(err)
	}
	obstruct(t, path) // after the place was made, and the old token spent
	start := time.Now()
	if err := u.Renewed(nextToken()); fault.KindOf(err) != fault.Config || fault.RemedyOf(err) == nil {
		t.Fatalf("%v, remedy %#v", err, fault.RemedyOf(err))
	}
	if took := time.Since(start); took < time.Second {
		t.Errorf("it was given up after %v", took)
	}
	unobstruct(t, path)
	u, err = s.LockToken(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	u.Abort()
	if got, err := s.Token("k"); err != nil || got.AccessToken.Reveal() != "access-2" {
		t.Errorf("the next one finds %q, %v", got.AccessToken.Reveal(), err)
	}
	noLitter(t, s)
}

// obstruct puts a folder that is not empty in the place of a file, unobstruct the file again.
func obstruct(t *testing.T, path string) {
	t.Helper()
	if err := os.Rename(path, path+".aside"); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(path, "x"), "")
}

func unobstruct(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".aside", path); err != nil {
		t.Fatal(err)
	}
}

// An obstacle that goes away is waited for: a second, no more.
func TestRenameThatFailsForAMoment(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	path := s.TokenPath("k")
	put(t, path, fullFile)
	u, err := s.LockToken(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Prepare(); err != nil {
		t.Fatal(err)
	}
	put(t, files.TempName(path, "0123456789abcdef-"), fullFile) // as an earlier failure leaves it
	obstruct(t, path)
	time.AfterFunc(100*time.Millisecond, func() { unobstruct(t, path) })
	if err := u.Renewed(nextToken()); err != nil {
		t.Error(err)
	}
	if got, err := s.Token("k"); err != nil || got.AccessToken.Reveal() != "access-2" {
		t.Errorf("stored %q, %v", got.AccessToken.Reveal(), err)
	}
	noLitter(t, s)
}

// "rm -r ~/.aws/sso/cache" while a renewal is under way: what comes back is kept, in a folder made anew.
func TestFolderThatGoesDuringARenewal(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s.TokenPath("k"), fullFile)
	u, err := s.LockToken(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Prepare(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Dir(s.TokenPath("k"))); err != nil {
		t.Fatal(err)
	}
	if err := u.Renewed(nextToken()); err != nil {
		t.Error(err)
	}
	if got, err := s.Token("k"); err != nil || got.AccessToken.Reveal() != "access-2" {
		t.Errorf("stored %q, %v", got.AccessToken.Reveal(), err)
	}
}

// A temporary file with a token in it may be a leftover of another session: it is swept when no token in it can be
// worth anything, and one without when no exchange lasts that long.
func TestLeftoversOfOthersAreSweptLate(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	for i, tt := range []struct {
		text string
		age  time.Duration
		stay bool
	}{
		{fullFile, 2 * time.Hour, true},
		{fullFile, 89 * 24 * time.Hour, true},
		{fullFile, 91 * 24 * time.Hour, false},
		{strings.Repeat(" ", reserve), 2 * time.Hour, false},
		{strings.Repeat(" ", reserve), 30 * time.Minute, true},
		{"", 2 * time.Hour, false},
	} {
		path := filepath.Join(filepath.Dir(s.TokenPath("k")), fmt.Sprintf("a.json.homing-0123456789abcdef-%d.tmp", i))
		put(t, path, tt.text)
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(-tt.age)); err != nil {
			t.Fatal(err)
		}
		commit(t, s, "k", fullToken())
		if _, err := os.Stat(path); (err == nil) != tt.stay {
			t.Errorf("%d bytes after %v: there is %v, want %v", len(tt.text), tt.age, err == nil, tt.stay)
		}
	}
}
