package exec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
)

// privateCopy is the folder with the config file of a command that is to ask the endpoint. It belongs to one run, which
// holds its lock; the system lets go of that however the run ends, and the next run sweeps what is left once the command has
// ended too.
type privateCopy struct {
	dir, config, credentials string
	lock                     *files.Lock
}

const (
	copyLock = "lock"
	copyUser = "command" // the number of the command's process, and since when it runs
)

// makePrivateCopy writes the settings of the profile, without any way to credentials, where only this user reads them.
func makePrivateCopy(a *app.App, profile string) (*privateCopy, error) {
	cfg, err := a.Config()
	if err != nil {
		return nil, err
	}
	text, err := cfg.Bare(profile)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, parent := range copyParents(a) {
		copied, err := makeCopy(parent, text)
		if err == nil {
			return copied, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, &fault.Error{
		Kind: fault.Config, Msg: "there is no folder for the command's config file: " + failed.Error(), Err: failed,
		Remedy: fault.Preface{
			Words: "name a folder that can be written:", Then: fault.Setenv{Name: "XDG_STATE_HOME", Value: "/path/to/it"},
		},
	}
}

// copyParents are the folders to try: the user's state folder, then the one for temporary files.
func copyParents(a *app.App) []string {
	var parents []string
	if dir, err := a.StateDir(); err == nil {
		parents = append(parents, filepath.Join(dir, "exec"))
	}
	return append(parents, os.TempDir())
}

// makeCopy makes a folder below parent and sweeps those of runs that were killed.
func makeCopy(parent string, text []byte) (*privateCopy, error) {
	if parent != os.TempDir() {
		if err := files.PrivateDir(parent); err != nil {
			return nil, err
		}
	}
	sweep(parent)
	dir, err := os.MkdirTemp(parent, copyPrefix) // 0700
	if err != nil {
		return nil, err
	}
	c := &privateCopy{
		dir: dir, config: filepath.Join(dir, "config"), credentials: filepath.Join(dir, "credentials"),
	}
	c.lock, err = files.TryAcquire(filepath.Join(dir, copyLock))
	// The lock file is there before it is held: for a moment another run could take the folder for one that was left. So it
	// sweeps none that has no config file yet, and what is written below is written under the lock.
	if err == nil {
		err = os.WriteFile(c.credentials, nil, 0o600)
	}
	if err == nil {
		err = files.Write(c.config, text)
	}
	if err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

const copyPrefix = "homing-exec-"

// usedBy notes the process that reads the folder: where homing is killed, it may live on, and needs the files.
func (c *privateCopy) usedBy(pid int) {
	if since, ok := runningSince(pid); ok {
		_ = os.WriteFile(filepath.Join(c.dir, copyUser), fmt.Appendf(nil, "%d %s\n", pid, since), 0o600) // else it is swept as before
	}
}

// inUse reports whether the process lives that the folder was made for. Its number alone may be another's by now.
func inUse(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, copyUser))
	if err != nil {
		return false
	}
	number, noted, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), " ")
	pid, err := strconv.Atoi(number)
	if err != nil {
		return false
	}
	since, ok := runningSince(pid)
	return ok && since == noted
}

// remove takes the folder away; a second time it does nothing.
func (c *privateCopy) remove() {
	_ = os.RemoveAll(c.dir) // what cannot be removed is swept later
	if c.lock != nil {
		c.lock.Unlock()
	}
}

// sweep removes the folders of runs that have ended without doing so, unless the command of one still runs.
func sweep(parent string) {
	left, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range left {
		if !strings.HasPrefix(entry.Name(), copyPrefix) {
			continue
		}
		dir := filepath.Join(parent, entry.Name())
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || !files.Ours(info) {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "config")); errors.Is(err, fs.ErrNotExist) && time.Since(info.ModTime()) < time.Hour {
			continue // just being made
		}
		lock, err := files.TryAcquire(filepath.Join(dir, copyLock))
		if err != nil {
			continue
		}
		if !inUse(dir) {
			_ = os.RemoveAll(dir)
		}
		lock.Unlock()
	}
}
