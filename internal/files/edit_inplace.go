package files

import (
	"errors"
	"io/fs"
	"os"
)

// overwrite writes in place, where nothing else is possible: the file is a mount point, because a container mounts
// ~/.aws/config alone. The backup is complete before the first byte changes, and the whole new text stands beside the
// file until the last byte has. A failed write is undone; a killed one is completed by the next edit.
func (s *sharedFile) overwrite(v version, text, temp string) error {
	if v.leased != nil {
		unlease(v.leased)
		if errors.Is(lease(v.leased), errWriter) {
			return errChanged // it waited for us, and goes first
		}
		unlease(v.leased)
	}
	if err := Rename(temp, s.pending()); err != nil {
		return err
	}
	whole, err := rewrite(s.path, v.text, text)
	if whole {
		_ = os.Remove(s.pending())
	}
	return err
}

// rewrite puts text into the file, or after an error the text from before. whole reports whether one of them is
// there.
func rewrite(path, before, text string) (whole bool, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return true, err
	}
	put := func(text string) error {
		_, err := f.WriteAt([]byte(text), 0)
		if err == nil {
			err = f.Truncate(int64(len(text)))
		}
		return errors.Join(err, f.Sync())
	}
	whole = true
	if err = put(text); err != nil {
		undone := put(before)
		whole, err = undone == nil, errors.Join(err, undone)
	}
	return whole, errors.Join(err, f.Close())
}

// complete ends a write in place that was killed between its first byte and its last.
func (s *sharedFile) complete() error {
	next, err := ReadInPlace(s.pending())
	if _, missing := os.Lstat(s.pending()); missing != nil {
		return nil //nolint:nilerr // no write was under way
	}
	if err != nil {
		return err
	}
	old, err := ReadInPlace(s.path + BackupSuffix)
	if err != nil {
		return err
	}
	now, err := ReadInPlace(s.path)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(s.path); err == nil && (torn(now, old, next) || torn(now, "", next)) {
		if _, err := rewrite(s.path, now, next); err != nil {
			return err
		}
	}
	if err := os.Remove(s.pending()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
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
