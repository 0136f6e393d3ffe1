package store

import (
	"os"
	"strings"
	"time"
)

// triedPath returns the file beside the token file target, which is no symbolic link, whose time says when a renewal was
// begun last by somebody who can do without. It is empty.
func triedPath(target string) string { return strings.TrimSuffix(target, ".json") + ".tried" }

// Try notes that a renewal of the token of key begins, for Tried. Best effort: what cannot be noted is tried by everybody.
// The note goes with the token, and when another is written. No lock is needed.
func (s *Store) Try(key string) {
	target, err := follow(s.TokenPath(key))
	if err != nil {
		return
	}
	path := triedPath(target)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	_ = f.Close()
	_ = os.Chtimes(path, time.Time{}, s.now())
}

// Tried returns how long ago Try was called for key. ok is false where it was not since the token was written, or where
// the clock has been set back since.
func (s *Store) Tried(key string) (ago time.Duration, ok bool) {
	target, err := follow(s.TokenPath(key))
	if err != nil {
		return 0, false
	}
	info, err := os.Lstat(triedPath(target))
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	ago = s.now().Sub(info.ModTime())
	return ago, ago >= 0
}
