package files

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// journal is what the next edit needs to know if this one is killed: which text is being replaced by which, and what
// the replaced file may hold that has already been brought in. It is valid from before the files are exchanged until
// the replaced one is removed. It need not survive a power cut, which ends the other programs too.
type journal struct {
	old, published string
	seen           string // digest of the text of an earlier replaced file
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

const journalHeader = "homing edit 1 %d %d %64s\n"

func (s *sharedFile) journalPath() string { return s.sibling("journal") }

func (s *sharedFile) writeJournal(j journal) error {
	header := fmt.Sprintf(journalHeader, len(j.old), len(j.published), j.seen)
	return s.put(s.journalPath(), header+j.old+j.published, nil)
}

// readJournal returns nil where there is no journal, or one of another version.
func (s *sharedFile) readJournal() (*journal, error) {
	text, err := ReadInPlace(s.journalPath())
	if err != nil {
		return nil, err
	}
	header, rest, _ := bytes.Cut([]byte(text), []byte("\n"))
	var old, published int
	var j journal
	n, _ := fmt.Sscanf(string(header)+"\n", journalHeader, &old, &published, &j.seen)
	if n != 3 || old < 0 || published < 0 || old+published != len(rest) {
		return nil, nil //nolint:nilnil // no journal
	}
	j.old, j.published = string(rest[:old]), string(rest[old:])
	return &j, nil
}

// finish ends what a killed edit has left: a write in place, or the look at the file that it replaced.
func (s *sharedFile) finish() error {
	if err := s.complete(); err != nil {
		return err
	}
	info, err := os.Lstat(s.replaced())
	if err != nil {
		return s.forget() // nothing was replaced
	}
	if now, err := os.Stat(s.path); err == nil && os.SameFile(info, now) {
		return s.forget() // killed between the link and the rename
	}
	old, err := s.read(s.replaced())
	if err != nil {
		return s.unfinished(err)
	}
	old.release()
	j, err := s.readJournal()
	if err != nil {
		return s.unfinished(err)
	}
	if j == nil { // of another version: the backup is closest to what was replaced
		j = &journal{}
		if j.old, err = ReadInPlace(s.path + BackupSuffix); err != nil {
			return s.unfinished(err)
		}
		j.published = j.old
	}
	s.seen = digest(old.text)
	err = s.edit(func(text string) (string, error) {
		var err error
		if s.Blank(text) { // a power cut, or a program that was killed while it wrote
			text = old.text
		}
		if old.text != j.published && digest(old.text) != j.seen && !s.Blank(old.text) {
			if text, err = s.Merge(j.old, old.text, j.published, text); err != nil {
				return "", err
			}
		}
		// A program that had read the old text may have written it back over the published one.
		return s.Merge(j.old, j.published, j.old, text)
	})
	if err != nil {
		return s.unfinished(err)
	}
	return s.forget()
}

// forget removes what only matters after a kill.
func (s *sharedFile) forget() error {
	for _, name := range []string{s.replaced(), s.journalPath()} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
