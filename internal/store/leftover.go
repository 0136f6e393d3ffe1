package store

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/session"
)

// leftover is the token of a renewal that did not reach its place: the process was killed between writing the
// temporary file and renaming it, or the rename failed. Its predecessor is spent, so nothing else continues the
// session. The zero leftover is none.
type leftover struct {
	path  string // of the temporary file
	token session.Token
}

// generation names the token in a file, for the names of temporary files that are to follow it; "" when the file
// holds none. It is a piece of a hash and tells nothing.
func generation(target string) string {
	t, _, err := readToken(target, "")
	if err != nil {
		return ""
	}
	return Fingerprint(t.AccessToken.Reveal(), t.RefreshToken.Reveal())[:16]
}

// takeUp puts the token of a leftover in the place of target, which path stands for, if it follows the token that is
// there. Signing in, renewing or signing out meanwhile, with any program, has made it worthless. Where that fails the
// leftover is returned. The caller holds the lock, so no other process works on it.
func (s *Store) takeUp(path, target string) leftover {
	temps := files.Temps(target)
	if len(temps) == 0 {
		return leftover{}
	}
	follows := generation(target) + "-"
	var best leftover
	for _, temp := range temps {
		if !files.IsTemp(temp, target, follows) {
			continue
		}
		data, err := readFile(temp)
		if err != nil {
			continue
		}
		o, whole := parseObject(data)
		t := tokenOf(o)
		if whole && json.Valid(data) && usable(t) && (best.path == "" || t.ExpiresAt.After(best.token.ExpiresAt)) {
			best = leftover{temp, t}
		}
	}
	if best.path == "" || files.Rename(best.path, target) != nil {
		return best
	}
	s.forgetNotes(path)
	files.SyncDir(filepath.Dir(target))
	return leftover{}
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
	for _, e := range entries {
		name := e.Name()
		path := filepath.Join(dir, name)
		if !files.IsTemp(path, "", "") || path == keep {
			continue
		}
		if !locked || !files.IsTemp(path, target, "") {
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
	f, err := files.Open(path)
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

// Written returns when the token file of key was last written, by the clock of its file system; the zero time when
// that is unknown.
func (s *Store) Written(key string) time.Time {
	info, err := os.Stat(s.TokenPath(key))
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}
