package files

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// tempMark stands in the name of every temporary file: NAME.homing-RANDOM.tmp, in the folder of NAME.
const tempMark = ".homing-"

// Write replaces the file at path in one step: any reader gets the old or the new content, after a crash too. The
// file has mode 0600 and is on the disk when Write returns; call SyncDir where its name must survive a power cut as
// well. A link at path is replaced: call Follow first to write through it.
func Write(path string, data []byte) error {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink == 0 {
		if err := regular("write", path, info); err != nil {
			return err
		}
	}
	temp := TempName(path, "")
	if err := writeNew(temp, data, true); err != nil {
		return err
	}
	err := Rename(temp, path)
	if err != nil {
		_ = os.Remove(temp)
	}
	return err
}

// writeNew makes a file with mode 0600. One that is there stays, and is an fs.ErrExist; after another error there is
// none.
func writeNew(path string, data []byte, durable bool) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil && durable {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return err
}

// Create makes a file that is complete from its first moment: no reader of the folder sees it empty. The file has mode
// 0600 and is not synced. An existing file stays, and is an fs.ErrExist.
//
// The content is written to a file without a name, or in the folder above, which then gets its name by link(2). Where
// a file system has neither, the file is empty for an instant.
func Create(path string, data []byte) error {
	err := createUnnamed(path, data)
	if err == nil || errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) {
		return err
	}
	dir, name := filepath.Split(path)
	temp := TempName(filepath.Join(filepath.Dir(filepath.Clean(dir)), name), "")
	if err := writeNew(temp, data, false); err == nil {
		err = os.Link(temp, path)
		_ = os.Remove(temp)
		if err == nil || errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return writeNew(path, data, false)
}

// Remove removes a regular file. It follows no link, and anything else stays.
func Remove(path string) error {
	if _, err := lstatRegular("remove", path); err != nil {
		return err
	}
	return os.Remove(path)
}

// Rename moves a file onto another in one step. Windows refuses while another program has the target open, which for
// small files is over in milliseconds, so it is tried for up to a second there.
func Rename(from, to string) error {
	for wait := time.Millisecond; ; wait *= 2 {
		err := os.Rename(from, to)
		if err == nil || wait > 512*time.Millisecond || !inUse(err) {
			return err
		}
		time.Sleep(wait)
	}
}

// SyncDir makes the names in a folder durable where the system can. A failure does not undo a write: the file is
// there.
func SyncDir(dir string) {
	if f, err := os.Open(dir); err == nil {
		_ = f.Sync()
		_ = f.Close()
	}
}

// TempName returns a new name for a temporary file for path. mark stands in it, before a random part.
func TempName(path, mark string) string { return path + tempMark + mark + rand.Text()[:12] + ".tmp" }

// IsTemp reports whether temp is the name of a temporary file: for path with this mark, or a part of it; for any file
// where path is "".
func IsTemp(temp, path, mark string) bool {
	name := filepath.Base(temp)
	if path == "" {
		return strings.HasSuffix(name, ".tmp") && strings.Contains(name, tempMark)
	}
	return strings.HasSuffix(name, ".tmp") && strings.HasPrefix(name, filepath.Base(path)+tempMark+mark)
}

// RemoveTemps removes the temporary files that killed processes left for path. The caller holds the lock of path.
func RemoveTemps(path string) {
	for _, temp := range Temps(path) {
		_ = os.Remove(temp)
	}
}

// Temps returns the temporary files for path.
func Temps(path string) (temps []string) {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if IsTemp(e.Name(), path, "") {
			temps = append(temps, filepath.Join(dir, e.Name()))
		}
	}
	return temps
}
