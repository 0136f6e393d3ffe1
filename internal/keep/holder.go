package keep

import (
	"encoding/json"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/session"
)

// Holder is the keep that runs, as it describes itself. Only a held lock says that it does: a process number alone may
// be anybody's by now.
type Holder struct {
	Version int       `json:"version"` // of the file's format
	ID      string    `json:"id"`      // random, new for each run
	PID     int       `json:"pid"`     // in the namespace of its container
	Start   string    `json:"start"`   // when that process was started, as the system counts; "" where it does not tell
	Host    string    `json:"host"`    // the machine or container
	Since   time.Time `json:"since"`   // when it began to keep
	Watched []string  `json:"watched"` // the cache keys of the sessions
}

const format = 1

// Watches reports whether the holder keeps s.
func (h Holder) Watches(s session.Session) bool { return slices.Contains(h.Watched, s.CacheKey()) }

// Watching tells which sessions a keep of this user watches; stateDir is the user's state folder. The function is never
// nil, and says no for all where no keep runs. Errors are *fault.Error of kind Config, when that cannot be found out.
func Watching(stateDir string) (func(session.Session) bool, error) {
	h, running, err := Running(stateDir)
	if err != nil || !running {
		return func(session.Session) bool { return false }, err
	}
	return h.Watches, nil
}

// Running returns the keep that runs, if one does. It has just begun or not described itself if its PID is 0.
func Running(stateDir string) (h Holder, running bool, err error) {
	path := lockPath(stateDir)
	held, err := files.Held(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Holder{}, false, nil
	}
	if err != nil {
		return Holder{}, false, &fault.Error{
			Kind: fault.Config, Msg: "cannot tell whether keep runs: " + err.Error(), Err: err,
			Remedy: fault.Preface{Words: "see who may use the file:", Then: fault.Run{"ls", "-l", path}},
		}
	}
	if !held {
		return Holder{}, false, nil
	}
	data, err := files.ReadOwn(infoPath(stateDir), maxFile)
	if err != nil || json.Unmarshal(data, &h) != nil {
		return Holder{}, true, nil //nolint:nilerr // it runs, whatever it says of itself
	}
	if h.Version > format {
		return Holder{}, true, fault.New(fault.Config, "update homing",
			"a newer homing keeps, and wrote %q in format %d", infoPath(stateDir), h.Version)
	}
	return h, true, nil
}

func lockPath(stateDir string) string { return filepath.Join(stateDir, "keep.lock") }

func infoPath(stateDir string) string { return filepath.Join(stateDir, "keep.json") }
