package awsconfig

import (
	"context"
	"errors"
	"os"
	"path/filepath"
)

// backup keeps the present version under the backup's name: as a second name for the same bytes, mode and owner where
// the file system can do that, since the file itself is replaced and not written to; as a copy elsewhere.
func backup(path string) error {
	dir, base := filepath.Split(path)
	link := dir + "." + base + ".homing-backup-link"
	_ = os.Remove(link)
	if err := os.Link(path, link); err != nil {
		return copyBackup(path)
	}
	// Renaming a name onto another name of the same file does nothing, so the old backup goes first if it is one.
	if err := os.Rename(link, path+BackupSuffix); err != nil {
		_ = os.Remove(link)
		return copyBackup(path)
	}
	_ = os.Remove(link)
	return nil
}

func copyBackup(path string) (err error) {
	v, err := readVersion(path)
	if err != nil {
		return err
	}
	dir, base := filepath.Split(path)
	temp, err := os.CreateTemp(dir, leftovers(base))
	if err != nil {
		return err
	}
	_, err = temp.WriteString(v.text)
	if err == nil {
		err = adopt(temp, v.info)
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path+BackupSuffix)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return err
}

// leftovers is the pattern of our temporary files beside a file.
func leftovers(base string) string { return "." + base + ".homing-*" }

// removeLeftovers removes what a process left that was killed in the middle. The lock is held, so nobody uses them.
func removeLeftovers(path string) {
	dir, base := filepath.Split(path)
	entries, err := os.ReadDir(filepath.Clean(dir))
	if err != nil {
		return
	}
	for _, e := range entries {
		if ok, _ := filepath.Match(leftovers(base), e.Name()); ok {
			_ = os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

// pending is where the new text stands while a file is written in place. It is one of the leftovers.
func pending(path string) string {
	dir, base := filepath.Split(path)
	return dir + "." + base + ".homing-pending"
}

// finish completes a write in place that was killed between its first byte and its last. An error means that the file is
// torn, and that what belongs into it still stands beside it.
func finish(ctx context.Context, path, real string) error {
	if _, err := os.Lstat(pending(real)); err != nil {
		return nil
	}
	unlock, err := lock(ctx, path, real+lockSuffix)
	if err != nil {
		return nil // the edit that comes next says why
	}
	defer unlock()
	return complete(real)
}

// complete is finish with the lock held.
func complete(real string) error {
	now, old, next, ok := interrupted(real)
	if !ok {
		return nil
	}
	if torn(now.text, old.text, next.text) {
		if _, err := now.write(real, next.text); err != nil {
			return err
		}
	}
	_ = os.Remove(pending(real))
	return nil
}

// interrupted reads the three files of a write in place: what is there, what was there, and what is to be there. When one
// of them is missing or cannot be read, it was not written in place, or the edit that comes next says what is wrong.
func interrupted(real string) (now, old, next version, ok bool) {
	read := func(path string) version {
		v, err := readVersion(path)
		ok = ok && err == nil && v.info != nil
		return v
	}
	ok = true
	now, old, next = read(real), read(real+BackupSuffix), read(pending(real))
	return now, old, next, ok
}

// torn reports whether a text is the first part of next with the last part of old, and neither of them.
func torn(text, old, next string) bool {
	if text == old || text == next {
		return false
	}
	same := 0
	for same < min(len(text), len(next)) && text[same] == next[same] {
		same++
	}
	return text[same:] == old[min(same, len(old)):]
}
