package store

import (
	"os"
	"path/filepath"
	"time"
)

// triedName returns the name of the file whose time says when a renewal of the token file at path was last begun by a
// caller that can do without.
func triedName(path string) string { return "tried-" + filepath.Base(path) }

// Try notes that a renewal of the token of key begins, for Tried. It is best effort: without the note, everybody
// tries. The note goes with the token, and when another token is written. No lock is needed.
func (s *Store) Try(key string) {
	name := triedName(s.TokenPath(key))
	if !exists(s.TokenPath(key)) {
		return
	}
	if !exists(s.ownPath(name)) {
		_ = s.writeOwn(name)
	}
	_ = os.Chtimes(s.ownPath(name), time.Time{}, s.now())
}

// Tried returns how long ago Try was called for key. ok is false if it was not called since the token was written, or
// if the clock has been set back since.
func (s *Store) Tried(key string) (ago time.Duration, ok bool) {
	info, err := os.Lstat(s.ownPath(triedName(s.TokenPath(key))))
	if err != nil || !info.Mode().IsRegular() {
		return 0, false
	}
	ago = s.now().Sub(info.ModTime())
	return ago, ago >= 0
}
