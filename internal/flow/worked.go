package flow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/session"
)

// Worked is how a sign-in was completed.
type Worked struct {
	Flow    session.Flow    `json:"flow"`           // PKCE or Device
	Channel session.Channel `json:"channel"`        // as in the signed_in event: "loopback", "paste", …
	Port    int             `json:"port,omitempty"` // of the listener, 0 without one
	At      time.Time       `json:"at"`
}

const (
	workedFile = "worked.json"
	maxWorked  = 64 << 10 // bytes that are read
	maxPlaces  = 64       // entries to keep, the youngest
)

// memory is the file. Its keys are digests, so it names no session and no start URL.
type memory struct {
	Version int                `json:"version"`
	Worked  map[string]*Worked `json:"worked"`
}

// key returns the key of s in a kind of place.
func key(place string, s session.Session) string {
	h := sha256.New()
	for _, part := range []string{place, s.CacheKey(), s.StartURL, s.Region} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// Remembered returns how the last sign-in to s was completed in a place of that name, or nil if that is unknown. dir
// is the state folder; with "" nothing is known. A broken file counts as empty. If the file cannot be read, or comes
// from a newer version, the error is a *fault.Error of kind Config; the caller can go on.
func Remembered(dir, place string, s session.Session) (*Worked, error) {
	if dir == "" {
		return nil, nil
	}
	m, err := recall(filepath.Join(dir, workedFile))
	if err != nil {
		return nil, err
	}
	return m.Worked[key(place, s)], nil
}

// Remember keeps w for Remembered. It replaces the file in one step, under a lock that it waits for a second. Errors
// are *fault.Error of kind Config; the caller can go on. With dir "" it does nothing.
func Remember(dir, place string, s session.Session, w Worked) error {
	if dir == "" {
		return nil
	}
	path := filepath.Join(dir, workedFile)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second) // the file is held for milliseconds
	defer cancel()
	lock, err := files.Acquire(ctx, filepath.Join(dir, "worked.lock"))
	if err != nil {
		return workedFault("lock", path, err)
	}
	defer lock.Unlock()
	m, err := recall(path)
	if err != nil {
		return err
	}
	m.Worked[key(place, s)] = &w
	m.trim()
	data, err := json.Marshal(m)
	if err != nil {
		return workedFault("write", path, err)
	}
	if err := files.Write(path, append(data, '\n')); err != nil {
		return workedFault("write", path, err)
	}
	return nil
}

// recall reads the file. A broken file, or one that is not ours, is an empty memory.
func recall(path string) (memory, error) {
	empty := memory{Version: 1, Worked: map[string]*Worked{}}
	data, err := files.ReadOwn(path, maxWorked)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, files.ErrTooLarge):
		return empty, nil
	case err != nil:
		return empty, workedFault("read", path, err)
	}
	var m memory
	if json.Unmarshal(data, &m) != nil || m.Version < 1 {
		return empty, nil //nolint:nilerr // a damaged memory is an empty one
	}
	if m.Version > 1 {
		return empty, fault.New(fault.Config, "update homing", "a newer homing wrote %q, in format %d", path, m.Version)
	}
	if m.Worked == nil {
		return empty, nil
	}
	for k, w := range m.Worked {
		if w == nil || w.Flow != session.PKCE && w.Flow != session.Device || w.Port < 0 || w.Port > 65535 ||
			len(w.Channel) > 32 {
			delete(m.Worked, k)
		}
	}
	return m, nil
}

// trim drops the oldest entries.
func (m memory) trim() {
	keys := make([]string, 0, len(m.Worked))
	for k := range m.Worked {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b string) int { return m.Worked[b].At.Compare(m.Worked[a].At) })
	for _, k := range keys[min(len(keys), maxPlaces):] {
		delete(m.Worked, k)
	}
}

func workedFault(verb, path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return &fault.Error{
		Kind: fault.Config, Msg: fmt.Sprintf("%s %q: %v", verb, path, err),
		Remedy: fault.Advice("remove it; the next sign-in makes it anew"), Err: err,
	}
}
