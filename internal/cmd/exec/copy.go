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

// configFolder is a folder with the config and credentials files of a command that uses the endpoint. It belongs to
// one run, which holds its lock. The system releases the lock however the run ends; a later run removes the folder
// once the command has ended too.
type configFolder struct {
	dir, config, credentials string
	lock                     *files.Lock
}

const (
	lockName    = "lock"
	processName = "command" // the ID and the start time of the command's process
)

// makeConfigFolder writes the settings of the profile, without anything that gives credentials, to a folder that only
// this user can read.
func makeConfigFolder(a *app.App, profile string) (*configFolder, error) {
	cfg, err := a.Config()
	if err != nil {
		return nil, err
	}
	text, err := cfg.WithoutCredentials(profile)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, parent := range configParents(a) {
		folder, err := makeConfigFolderIn(parent, text)
		if err == nil {
			return folder, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, &fault.Error{
		Kind: fault.Config, Msg: "cannot make a folder for the command's config file: " + failed.Error(), Err: failed,
		Remedy: fault.Preface{
			Words: "name a folder that you can write to:", Then: fault.Setenv{Name: "XDG_STATE_HOME",
				Value: "/path/to/it"},
		},
	}
}

// configParents returns the folders to try: the user's state folder, then the one for temporary files.
func configParents(a *app.App) []string {
	var parents []string
	if dir, err := a.StateDir(); err == nil {
		parents = append(parents, filepath.Join(dir, "exec"))
	}
	return append(parents, os.TempDir())
}

// makeConfigFolderIn makes a folder below parent, and removes those that killed runs left there.
func makeConfigFolderIn(parent string, text []byte) (*configFolder, error) {
	if parent != os.TempDir() {
		if err := files.PrivateDir(parent); err != nil {
			return nil, err
		}
	}
	removeLeftovers(parent)
	dir, err := os.MkdirTemp(parent, folderPrefix) // 0700
	if err != nil {
		return nil, err
	}
	c := &configFolder{
		dir: dir, config: filepath.Join(dir, "config"), credentials: filepath.Join(dir, "credentials"),
	}
	c.lock, err = files.TryAcquire(filepath.Join(dir, lockName))
	// The lock file exists before it is locked, so another run could take this folder for a leftover. It removes no
	// folder without a config file, and the files below are written under the lock.
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

const folderPrefix = "homing-exec-"

// recordProcess records the process that reads the folder. If homing is killed, the command may outlive it and still
// needs the files. Without the record a later run may remove them.
func (c *configFolder) recordProcess(pid int) {
	if start, ok := startTime(pid); ok {
		_ = os.WriteFile(filepath.Join(c.dir, processName), fmt.Appendf(nil, "%d %s\n", pid, start), 0o600)
	}
}

// inUse reports whether the recorded process still runs. It compares the start time too: another process may have the
// same ID by now.
func inUse(dir string) bool {
	text, err := os.ReadFile(filepath.Join(dir, processName))
	if err != nil {
		return false
	}
	id, recorded, _ := strings.Cut(strings.TrimSuffix(string(text), "\n"), " ")
	pid, err := strconv.Atoi(id)
	if err != nil {
		return false
	}
	start, ok := startTime(pid)
	return ok && start == recorded
}

// remove removes the folder. Calling it twice is fine.
func (c *configFolder) remove() {
	_ = os.RemoveAll(c.dir) // if this fails, a later run tries again
	if c.lock != nil {
		c.lock.Unlock()
	}
}

// removeLeftovers removes the folders of runs that ended without doing so, unless the command still runs.
func removeLeftovers(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), folderPrefix) {
			continue
		}
		dir := filepath.Join(parent, entry.Name())
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || !files.Ours(info) {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "config")); errors.Is(err, fs.ErrNotExist) &&
			time.Since(info.ModTime()) < time.Hour {
			continue // another run is making it
		}
		lock, err := files.TryAcquire(filepath.Join(dir, lockName))
		if err != nil {
			continue
		}
		if !inUse(dir) {
			_ = os.RemoveAll(dir)
		}
		lock.Unlock()
	}
}
