package store

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/session"
)

// leftover is the token of a renewal that did not reach its place: the process was killed between writing the temporary
// file and renaming it, or the rename failed. Its predecessor is spent, so nothing else continues the session. The zero
// leftover is none.
type leftover struct {
	path  string // of the temporary file
	token session.Token
}

// generation names the token in a file, for the names of temporary files that are to follow it; "" when the file holds
// none. It is a piece of a hash and tells nothing.
func generation(target string) string {
	t, _, err := readToken(target, "")
	if err != nil {
		return ""
	}
	return Fingerprint(t.AccessToken.Reveal(), t.RefreshToken.Reveal())[:16]
}

// takeUp puts the token of a leftover in the place of target, if it follows the token that is there: whoever signed in,
// renewed or signed out meanwhile, with whatever program, has made it worthless. Where that fails the leftover is
// returned. The caller holds the lock, so nobody else is at work on it.
func takeUp(target string) leftover {
	temps := ownTemps(target)
	if len(temps) == 0 {
		return leftover{}
	}
	follows := filepath.Base(target) + tempMark + generation(target) + "-"
	var best leftover
	for _, path := range temps {
		if !strings.HasPrefix(filepath.Base(path), follows) {
			continue
		}
		data, err := readFile(path)
		if err != nil {
			continue
		}
		o, whole := parseObject(data)
		t := tokenOf(o)
		if whole && json.Valid(data) && usable(t) && (best.path == "" || t.ExpiresAt.After(best.token.ExpiresAt)) {
			best = leftover{path, t}
		}
	}
	if best.path == "" || replace(best.path, target) != nil {
		return best
	}
	forgetNotes(target)
	syncDir(filepath.Dir(target))
	return leftover{}
}

// ownTemps returns the temporary files for target.
func ownTemps(target string) (paths []string) {
	entries, err := os.ReadDir(filepath.Dir(target))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(target)+tempMark) && strings.HasSuffix(e.Name(), ".tmp") {
			paths = append(paths, filepath.Join(filepath.Dir(target), e.Name()))
		}
	}
	return paths
}

const (
	// abandoned is the age from which a temporary file belongs to nobody: no exchange takes an hour.
	abandoned = time.Hour
	// worthless is the age from which a token in a temporary file continues no session: its client is not registered
	// for longer, and no portal session lasts longer.
	worthless = 90 * 24 * time.Hour
)

// sweep removes temporary files of ours that a killed process left in the folder of target: those for target itself,
// except keep, when the caller holds its lock (then nobody else has one), others when they are old. A file that holds
// something may be a leftover, and is old later.
func (s *Store) sweep(target string, locked bool, keep string) {
	dir := filepath.Dir(target)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	own := filepath.Base(target) + tempMark
	for _, e := range entries {
		name := e.Name()
		path := filepath.Join(dir, name)
		if !strings.HasSuffix(name, ".tmp") || !strings.Contains(name, tempMark) || path == keep {
			continue
		}
		if !locked || !strings.HasPrefix(name, own) {
			info, err := e.Info()
			if err != nil || s.now().Sub(info.ModTime()) < lifeOf(path) {
				continue
			}
		}
		_ = os.Remove(path)
	}
}

// lifeOf returns the age from which a temporary file of others may go.
func lifeOf(path string) time.Duration {
	f, err := openRegular(path)
	if err != nil {
		return abandoned
	}
	defer func() { _ = f.Close() }()
	var first [1]byte
	if n, _ := f.Read(first[:]); n == 1 && first[0] == '{' {
		return worthless
	}
	return abandoned
}

// Written returns when the token file of key was last written, by the clock of its file system; the zero time when that
// is unknown.
func (s *Store) Written(key string) time.Time {
	info, err := os.Stat(s.TokenPath(key))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
