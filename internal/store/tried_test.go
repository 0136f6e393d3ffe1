package store

import (
	"errors"
	"io/fs"
	"os"
	"testing"
	"time"
)

// What was begun is known to every process for as long as the token is the same, and left behind by none.
func TestTried(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	now := time.Now()
	s.Now = func() time.Time { return now }
	s.Try("k") // no folder, no token: nothing to note, and no harm
	if _, ok := s.Tried("k"); ok {
		t.Error("noted without a folder")
	}
	write := func() { commit(t, s, "k", fullToken()) }
	write()
	if _, ok := s.Tried("k"); ok {
		t.Error("a new token was tried")
	}
	s.Try("k")
	now = now.Add(30 * time.Second)
	if ago, ok := s.Tried("k"); !ok || (ago-30*time.Second).Abs() > 2*time.Second { // of a coarse file system
		t.Errorf("tried %v ago, %v", ago, ok)
	}
	if _, ok := s.Tried("other"); ok {
		t.Error("another key has it")
	}
	s.Try("k")
	if ago, ok := s.Tried("k"); !ok || ago > 2*time.Second {
		t.Errorf("tried again %v ago, %v", ago, ok)
	}
	now = now.Add(-time.Hour)
	if ago, ok := s.Tried("k"); ok {
		t.Errorf("the clock was set back, and it was tried %v ago", ago)
	}
	write()
	if _, ok := s.Tried("k"); ok {
		t.Error("a token that was written since was tried")
	}
	s.Try("k")
	if err := s.RemoveToken(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(s.ownPath(triedName(s.TokenPath("k")))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left behind: %v", err)
	}
}
