package roster

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

const (
	// keptFor is how long a kept list may be continued: assignments change.
	keptFor = 3 * time.Hour
	// maxSaved bounds the file that is read: a hundred times the largest list heard of.
	maxSaved = 64 << 20
	// form is the version of the file.
	form = 1
)

// saved is the file that keeps what an unfinished List has fetched: a line of JSON for each account, appended as it
// comes, so that a process that is killed at any moment leaves whole lines and perhaps a piece of one. It holds
// fingerprints of the tokens it was fetched with and no secret.
//
// A lock beside it keeps other processes from writing the same file: their lists are not kept.
type saved struct {
	path string
	file *os.File
	lock *files.Lock
	err  error // why nothing is written any more
}

// record is a line. The first has everything but an account, each of the others an account or another token.
type record struct {
	Form    int        `json:"form,omitempty"`
	Session string     `json:"session,omitempty"` // fingerprint
	Began   *time.Time `json:"began,omitempty"`
	Token   string     `json:"token,omitempty"`   // fingerprint
	Refresh string     `json:"refresh,omitempty"` // fingerprint
	Account string     `json:"account,omitempty"`
	Roles   []string   `json:"roles,omitempty"`
}

func sessionMark(s session.Session) string {
	return store.Fingerprint("roster", s.StartURL, s.Region, s.CacheKey())
}

func tokenMark(secret session.Secret) string {
	if secret.IsZero() {
		return ""
	}
	return store.Fingerprint("roster", secret.Reveal())
}

// openSaved returns the file for a list of s and what it holds: roles by account, fetched with the sign-in that t
// came of. It returns nil where nothing can be kept.
func openSaved(dir string, s session.Session, t session.Token, now time.Time) (*saved, map[string][]string) {
	if files.PrivateDir(dir) != nil {
		return nil, nil
	}
	sweep(dir, now)
	mark := sessionMark(s)
	f := &saved{path: filepath.Join(dir, "roster-"+mark[:16]+".jsonl")}
	lock, err := files.TryAcquire(filepath.Join(dir, "roster-"+mark[:16]+".lock"))
	if err != nil {
		return nil, nil
	}
	f.lock = lock
	fetched := f.resume(mark, t, now)
	if fetched != nil {
		return f, fetched
	}
	if f.err != nil {
		f.close()
		return nil, nil
	}
	_ = os.Remove(f.path)
	f.file, f.err = os.OpenFile(f.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if f.err != nil {
		f.close()
		return nil, nil
	}
	began := now.UTC()
	f.write(
		record{
			Form:    form,
			Session: mark,
			Began:   &began,
			Token:   tokenMark(t.AccessToken),
			Refresh: tokenMark(t.RefreshToken),
		},
	)
	return f, nil
}

// sweep removes files that no list will continue.
func sweep(dir string, now time.Time) {
	lists, _ := filepath.Glob(filepath.Join(dir, "roster-*.jsonl"))
	for _, path := range lists {
		if info, err := os.Lstat(path); err == nil && now.Sub(info.ModTime()) > keptFor {
			_ = os.Remove(path)
		}
	}
}

var errNewer = errors.New("a newer homing wrote it")

// newer reports whether a newer version wrote the file.
func newer(text []byte) bool {
	first, _, _ := bytes.Cut(text, []byte("\n"))
	var line record
	return json.Unmarshal(first, &line) == nil && line.Form > form
}

// resume reads the file and opens it to go on; nil when there is nothing to go on from. f.err says that the file must
// stay.
func (f *saved) resume(mark string, t session.Token, now time.Time) map[string][]string {
	file, err := files.OpenPrivate(f.path, os.O_RDWR)
	if err != nil {
		var other files.NotRegular
		if errors.As(err, &other) {
			f.err = err
		}
		return nil
	}
	keep := false
	defer func() {
		if !keep {
			_ = file.Close()
		}
	}()
	text, err := io.ReadAll(io.LimitReader(file, maxSaved+1))
	if err != nil || len(text) > maxSaved {
		return nil
	}
	if newer(text) {
		f.err = errNewer
		return nil
	}
	fetched, whole := parse(text, mark, t, now)
	if len(fetched) == 0 || file.Truncate(int64(whole)) != nil {
		return nil
	}
	if _, err := file.Seek(int64(whole), io.SeekStart); err != nil {
		return nil
	}
	f.file, keep = file, true
	f.renewed(t) // the access token may be another by now
	return fetched
}

// parse reads lines until the end or the first that is not whole, and returns how much that is. It returns nothing
// when the lines are about another session or sign-in, or too old.
func parse(text []byte, mark string, t session.Token, now time.Time) (fetched map[string][]string, whole int) {
	access, refresh := tokenMark(t.AccessToken), tokenMark(t.RefreshToken)
	var began time.Time
	same := false
	for whole < len(text) {
		end := bytes.IndexByte(text[whole:], '\n')
		var line record
		if end < 0 || json.Unmarshal(text[whole:whole+end], &line) != nil {
			break
		}
		if whole == 0 {
			if line.Form != form || line.Session != mark || line.Began == nil {
				return nil, 0
			}
			began = *line.Began
		}
		if line.Token != "" { // the last one counts: the file is of one sign-in
			same = line.Token == access || line.Refresh != "" && line.Refresh == refresh
		}
		if line.Account != "" {
			if fetched == nil {
				fetched = map[string][]string{}
			}
			fetched[line.Account] = line.Roles
		}
		whole += end + 1
	}
	if age := now.Sub(began); !same || age < 0 || age > keptFor {
		return nil, 0
	}
	return fetched, whole
}

// add notes the roles of an account.
func (f *saved) add(account string, roles []string) { f.write(record{Account: account, Roles: roles}) }

// renewed notes that the list continues with another token of the same sign-in.
func (f *saved) renewed(t session.Token) {
	f.write(record{Token: tokenMark(t.AccessToken), Refresh: tokenMark(t.RefreshToken)})
}

// write appends a line in one piece. After an error nothing more is written: a piece of a line must be the last.
func (f *saved) write(line record) {
	if f.err != nil {
		return
	}
	text, err := json.Marshal(line)
	if err == nil {
		_, err = f.file.Write(append(text, '\n'))
	}
	f.err = err
}

// close leaves the file to the next List.
func (f *saved) close() {
	if f.file != nil {
		_ = f.file.Close()
	}
	f.lock.Unlock()
}

// drop removes the file.
func (f *saved) drop() {
	if f.file != nil {
		_ = f.file.Close()
	}
	if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = os.Truncate(f.path, 0)
	}
	f.lock.Unlock()
}
