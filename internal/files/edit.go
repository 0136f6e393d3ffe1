package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const (
	// BackupSuffix makes the name of the backup: the text before the last edit, in the same folder. People look for
	// it there, it has the same protection there, and it lives as long as the folder does.
	BackupSuffix = ".homing-backup"
	// EditLockSuffix makes the name of the lock that edits of a file take.
	EditLockSuffix = ".lock"
	// EditLockWait is how long an edit waits for others: a thousand edits' time on a busy machine.
	EditLockWait = 30 * time.Second

	editWait  = 5 * time.Second        // for programs that have the file open, before the first publish and after it
	editPoll  = 2 * time.Millisecond   // how often a busy file is tried again
	restTime  = 20 * time.Millisecond  // a file that nobody has changed for this long is complete
	emptyTime = 2 * editWait           // an empty one that changed since then was truncated, to be written
	lookTime  = 20 * time.Millisecond  // from reading the file to writing it back, another program takes this long
	lookPerMB = 100 * time.Millisecond // and this much for each megabyte
	busyLook  = 5                      // times as long, once one has been seen at work: a busy machine interrupts it
)

// Edit is a change to a text file that other programs write too, in place and without a lock. "aws configure set"
// reads the file, truncates it and writes it: an edit must not take the empty file for the text, and what such a
// program writes to a file that was just replaced must not get lost.
type Edit struct {
	// Change returns the text that the file shall hold; text is "" for a missing file. It is called again when
	// another program has changed the file meanwhile. For a text it has already changed it returns the same text.
	Change func(text string) (string, error)
	// Merge returns ours with what another program changed when it made theirs of base, but for what is not the same
	// in ours and kept.
	Merge func(base, theirs, kept, ours string) (string, error)
	// Blank reports a text that holds nothing to lose. It never replaces a backup that does.
	Blank func(text string) bool

	noLease, noExchange, noLink bool              // as on file systems without them
	reached                     func(step string) // tests act here
}

// Busy is an edit that was not made, or whose end could not be verified, because another program kept writing. It is
// the error for Path, which is as it was unless Replaced names the file that was replaced: then Path holds the edit,
// and Replaced what another program may have written to it. The next edit brings the two together.
type Busy struct {
	Path, Replaced string
	Err            error // why the two could not be brought together; nil when time ran out
}

func (b *Busy) Error() string {
	switch {
	case b.Replaced == "":
		return fmt.Sprintf("%q: another program keeps it open or keeps changing it", b.Path)
	case b.Err == nil:
		return fmt.Sprintf("%q was replaced by a new version, but another program still writes to the old one, %q",
			b.Path, b.Replaced)
	}
	return fmt.Sprintf("another program wrote to %q after %q had replaced it: %s", b.Replaced, b.Path, b.Err)
}

func (b *Busy) Unwrap() error { return b.Err }

// LockHeld is the path of a lock that another process has held for EditLockWait.
type LockHeld string

func (l LockHeld) Error() string {
	return fmt.Sprintf("another process has held %q for %s", string(l), EditLockWait)
}

// Errors of edits that the callers tell apart.
var (
	ErrReadOnly = errors.New("it is read-only")
	// ErrPublished is in the chain of the error of a context that ended when the file had been changed already, but
	// before it was certain that no other program was writing to the old one. The next edit finds that out.
	ErrPublished = errors.New("the file is changed")

	errChanged   = errors.New("changed by another program")
	errWriter    = errors.New("another program has it open for writing")
	errLeaseless = errors.New("no leases on this file")
)

// Run makes the edit. At any moment, a crash included, the file at path holds the old or the new text, and one more
// edit finishes what a crash left. A missing file is made with mode 0600, its folder with 0700; an existing one keeps
// its mode and owner. Links are followed and stay. If nothing changes, nothing is written. Only a regular file is
// edited, and only one that may be written to.
//
// Errors are those of Change, Merge and the context, *Busy, LockHeld, and what the system says. Other programs wait
// while Change runs, so it neither asks anybody nor uses the network.
func (e *Edit) Run(ctx context.Context, path string) error {
	real, err := Follow(path)
	if err != nil {
		return err
	}
	s := newSharedFile(ctx, e, real)
	if done, err := s.without(); done || err != nil {
		return err
	}
	if err := writable(real); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	unlock, err := s.lock()
	if err != nil {
		return err
	}
	defer unlock()
	defer holdSignals()()
	if err := s.finish(); err != nil {
		return err
	}
	s.removeTemps()
	return s.edit(s.change)
}

// CheckEditable returns what would keep an edit of the file at path from being made. It changes nothing.
func CheckEditable(path string) error {
	real, err := Follow(path)
	if err != nil {
		return err
	}
	if err := writable(real); err != nil {
		return err
	}
	dir, base := filepath.Split(real)
	if _, err := os.Stat(filepath.Clean(dir)); errors.Is(err, fs.ErrNotExist) {
		return nil // it will be made
	}
	temp, err := os.CreateTemp(dir, tempsOf(base))
	if err != nil {
		return err
	}
	_ = temp.Close()
	if err := os.Remove(temp.Name()); !errors.Is(err, fs.ErrNotExist) { // an edit may have removed it
		return err
	}
	return nil
}

// writable respects a file that somebody made read-only, although a rename would get around it.
func writable(path string) error {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return regular("open", path, info)
	case info.Mode().Perm()&0o222 == 0:
		return ErrReadOnly
	}
	return mayWrite(path)
}

// sharedFile is the file of one Edit.
type sharedFile struct {
	*Edit
	ctx             context.Context
	path, dir, base string
	until           time.Time // when to give up

	known       bool // Change made made of given
	given, made string
	seen        string // digest of what the file at replaced() holds and this edit has brought in
}

func newSharedFile(ctx context.Context, e *Edit, path string) *sharedFile {
	dir, base := filepath.Split(path)
	return &sharedFile{
		Edit: e, ctx: ctx, path: path, dir: filepath.Clean(dir), base: base,
		until: time.Now().Add(editWait), seen: digest(""),
	}
}

// replaced is the name that the replaced file keeps until nobody writes to it.
func (s *sharedFile) replaced() string { return s.sibling("replaced") }

// pending is where the new text stands while the file is written in place.
func (s *sharedFile) pending() string { return s.sibling("pending") }

func (s *sharedFile) sibling(what string) string {
	return filepath.Join(s.dir, "."+s.base+".homing-"+what)
}

func (s *sharedFile) reach(step string) {
	if s.reached != nil {
		s.reached(step)
	}
}

// change is Change, called once for each text.
func (s *sharedFile) change(text string) (string, error) {
	if s.known && s.given == text {
		return s.made, nil
	}
	made, err := s.Change(text)
	s.known, s.given, s.made = err == nil, text, made
	return made, err
}

// without reports whether nothing is to be done, which needs no lock and no right to write. An error of Change is
// final if no program was writing at that moment.
func (s *sharedFile) without() (done bool, err error) {
	for _, name := range []string{s.replaced(), s.pending()} {
		if _, err := os.Lstat(name); err == nil {
			return false, nil // an edit was killed: first finish it
		}
	}
	text, err := ReadInPlace(s.path)
	if err != nil {
		return false, err
	}
	out, err := s.change(text)
	if err == nil && out != text {
		return false, nil
	}
	// A file that another program has just truncated proves neither that nothing is to be done nor that nothing can
	// be.
	text, busy := s.settled()
	if busy != nil {
		return false, err
	}
	out, err = s.change(text)
	return err == nil && out == text, err
}

// settled returns the text of the file once no program is writing it.
func (s *sharedFile) settled() (string, error) {
	defer holdSignals()()
	v, err := s.read(s.path)
	if err != nil {
		return "", err
	}
	v.release()
	return v.text, nil
}

// ReadSettled returns the text of a regular file that other programs write in place, as it is once none of them is
// writing; "" for a missing file. Links are followed. It waits up to 5 s; then the error is *Busy.
func ReadSettled(ctx context.Context, path string) (string, error) {
	real, err := Follow(path)
	if err != nil {
		return "", err
	}
	return newSharedFile(ctx, &Edit{}, real).settled()
}

// lock takes the lock beside the file.
func (s *sharedFile) lock() (unlock func(), err error) {
	waiting, cancel := context.WithTimeout(s.ctx, EditLockWait)
	defer cancel()
	path := s.path + EditLockSuffix
	l, err := Acquire(waiting, path)
	switch {
	case err == nil:
		s.until = time.Now().Add(editWait)
		return l.Unlock, nil
	case s.ctx.Err() != nil:
		return nil, context.Cause(s.ctx)
	case waiting.Err() != nil:
		return nil, LockHeld(path)
	}
	return nil, err
}

// edit publishes what change makes of the text, and looks at the outcome.
func (s *sharedFile) edit(change func(string) (string, error)) error {
	s.until = time.Now().Add(editWait)
	for {
		now, err := s.read(s.path)
		if err != nil {
			return err
		}
		s.reach("read")
		out, err := change(now.text)
		if err != nil || out == now.text {
			now.release()
			return err
		}
		err = s.publish(now, out, now.text, true)
		now.release()
		if err != nil {
			_ = os.Remove(s.journalPath()) // nothing was replaced
		}
		switch {
		case err == nil:
			s.reach("published")
			return s.look(change, now.text, out)
		case !errors.Is(err, errChanged):
			return err
		}
		if err := s.pause(editPoll); err != nil {
			return err
		}
	}
}

// pause waits, but not beyond the end of the context or the time for this edit.
func (s *sharedFile) pause(d time.Duration) error {
	if time.Now().After(s.until) {
		return &Busy{Path: s.path}
	}
	select {
	case <-s.ctx.Done():
		return context.Cause(s.ctx)
	case <-time.After(d):
		return nil
	}
}

// version is a text that a file held at a moment when no program was writing it.
type version struct {
	text    string
	info    fs.FileInfo // nil for a missing file
	release func()      // lets other programs write again
	leased  *os.File    // they cannot write until then; nil where there are no leases
}

// read waits until no program is writing the file at path, and reads it. Where the system has leases, the version
// holds one. It lets nobody open the file for writing, and the system refuses it while somebody has.
func (s *sharedFile) read(path string) (version, error) {
	for {
		v, err := s.tryRead(path)
		if !errors.Is(err, errChanged) {
			return v, err
		}
		if err := s.pause(editPoll); err != nil {
			return version{}, err
		}
	}
}

// tryRead returns errChanged while another program is writing.
func (s *sharedFile) tryRead(path string) (v version, err error) {
	f, err := Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return version{release: func() {}}, nil
	}
	if err != nil {
		return version{}, err
	}
	v.release = func() { _ = f.Close() } // which ends the lease
	defer func() {
		if err != nil || v.leased == nil {
			_ = f.Close()
			v.release = func() {}
		}
	}()
	busy := errLeaseless
	if !s.noLease {
		busy = lease(f)
	}
	switch {
	case busy == nil:
		v.leased = f
	case errors.Is(busy, errWriter):
		return v, errChanged
	default:
		if err := s.rest(f); err != nil {
			return v, err
		}
	}
	if v.info, err = f.Stat(); err != nil {
		return v, err
	}
	if v.text, err = readText(path, f, v.info.Size()); err != nil {
		return v, err
	}
	if now, err := f.Stat(); err != nil || !unchanged(v.info, now) {
		return v, errChanged
	}
	if now, err := os.Stat(path); !v.at(now, err) {
		return v, errChanged
	}
	return v, nil
}

// rest is for systems without leases: a file that has a text, and the same size and time as restTime ago, is
// complete. An empty one must be older.
func (s *sharedFile) rest(f *os.File) error {
	before, err := f.Stat()
	if err != nil {
		return err
	}
	if err := s.pause(restTime); err != nil {
		return err
	}
	now, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !unchanged(before, now):
		return errChanged
	case now.Size() == 0 && time.Since(now.ModTime()) < emptyTime:
		return errChanged
	}
	return nil
}

func unchanged(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// at reports whether a path, as os.Stat sees it, still is this version.
func (v version) at(now fs.FileInfo, err error) bool {
	if v.info == nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	return err == nil && unchanged(v.info, now)
}

// publish makes text the text of the file: errChanged when it no longer is v. before is the text for the backup: text
// without this edit. A program that waits for the lease has read v already, so what it writes has to be brought in
// once more: to come to an end, later publishing does not wait for the disk. The old text stays until that is done.
func (s *sharedFile) publish(v version, text, before string, durable bool) error {
	temp, err := s.writeTemp(text, v.info, durable)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp) }() // unless it has got another name
	if v.info != nil {
		if err := s.backup(before, v.info); err != nil {
			return err
		}
		if err := s.writeJournal(journal{v.text, text, s.seen}); err != nil {
			return err
		}
	}
	s.reach("ready")
	if now, err := os.Stat(s.path); !v.at(now, err) {
		return errChanged
	}
	if v.info == nil {
		err = s.publishNew(temp)
	} else {
		err = s.swap(temp)
	}
	if errors.Is(err, syscall.EBUSY) && v.info != nil {
		return s.overwrite(v, text, temp)
	}
	return err
}

// publishNew gives a file that was missing its name.
func (s *sharedFile) publishNew(temp string) error {
	err := os.Link(temp, s.path)
	switch {
	case errors.Is(err, fs.ErrExist):
		return errChanged
	case err != nil: // a file system without links
		return Rename(temp, s.path)
	}
	return nil
}

// swap puts temp in the place of the file, which keeps a name, so that what other programs write to it is found.
func (s *sharedFile) swap(temp string) error {
	if !s.noExchange {
		// Killed between these two, the new text stands where the next edit looks for what was replaced, and takes it
		// over.
		if err := Rename(temp, s.replaced()); err != nil {
			return err
		}
		err := exchange(s.replaced(), s.path)
		if err == nil {
			return nil
		}
		if err := Rename(s.replaced(), temp); err != nil {
			return err
		}
		if errors.Is(err, syscall.EBUSY) {
			return err
		}
	}
	_ = os.Remove(s.replaced())
	if !s.noLink {
		_ = os.Link(s.path, s.replaced()) // without links there is nothing to look at
	}
	err := Rename(temp, s.path)
	if err != nil {
		_ = os.Remove(s.replaced())
	}
	return err
}

func (s *sharedFile) writeTemp(text string, like fs.FileInfo, durable bool) (name string, err error) {
	f, err := os.CreateTemp(s.dir, tempsOf(s.base))
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	if err == nil && like != nil {
		err = adopt(f, like)
	}
	if err == nil && durable {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
	}
	return f.Name(), err
}

// backup keeps text as a file of its own: other programs may still write to the one that gets replaced.
func (s *sharedFile) backup(text string, like fs.FileInfo) error {
	name := s.path + BackupSuffix
	if s.Blank(text) {
		if old, err := ReadInPlace(name); err == nil && !s.Blank(old) {
			return nil
		}
	}
	return s.put(name, text, like)
}

// put replaces a file of ours beside the file.
func (s *sharedFile) put(name, text string, like fs.FileInfo) error {
	temp, err := s.writeTemp(text, like, false)
	if err != nil {
		return err
	}
	if err = Rename(temp, name); err != nil {
		_ = os.Remove(temp)
	}
	return err
}

// writing is what another program made of a text.
type writing struct{ base, text string }

// look stays until nobody writes to the file that was replaced, and until a program that had read the file before it
// was replaced has written it back. What they wrote gets into the file, and so does the edit if they took it out.
func (s *sharedFile) look(change func(string) (string, error), base, published string) error {
	var theirs []writing
	s.until = time.Now().Add(editWait + 2*busyLook*lookFor(base, published))
	s.seen = digest(base)
	end := time.Now().Add(lookFor(base, published))
	for {
		if err := s.wait(end); err != nil {
			return s.unfinished(err)
		}
		last := !time.Now().Before(end)
		old, err := s.read(s.replaced())
		if err != nil {
			return s.unfinished(err)
		}
		old.release()
		now, err := s.read(s.path)
		if err != nil {
			return s.unfinished(err)
		}
		wrote := old.info != nil && old.text != base && (!s.Blank(old.text) || s.Blank(base))
		if wrote || now.text != published {
			text := now.text
			if wrote {
				if now.text == published && len(theirs) == 0 {
					text = old.text
				} else if text, err = s.Merge(base, old.text, published, text); err != nil {
					now.release()
					return s.unfinished(err)
				}
				theirs = append(theirs, writing{base, old.text})
				base, s.seen = old.text, digest(old.text)
			}
			var before, out string
			before, out, err = s.bring(theirs, text, change)
			if err == nil && out != now.text {
				err = s.publish(now, out, before, false)
				last = false
				if err == nil {
					base, published = now.text, out
					end = time.Now().Add(busyLook * lookFor(base, published))
					s.reach("published")
				}
			}
			if errors.Is(err, errChanged) {
				err = nil // look again
			}
		}
		now.release()
		if err != nil {
			return s.unfinished(err)
		}
		if last {
			s.sync()
			return s.forget()
		}
	}
}

// sync waits until the file and its backup are on the disk. A system that cannot do so has nothing better to offer.
func (s *sharedFile) sync() {
	for _, path := range []string{s.path, s.path + BackupSuffix} {
		if f, err := Open(path); err == nil {
			_ = f.Sync()
			_ = f.Close()
		}
	}
	SyncDir(s.dir)
}

// bring puts the writings of other programs, of which the later counts, and the edit into text, where a program that
// had read the file before has taken them out. before is the text without the edit.
func (s *sharedFile) bring(
	theirs []writing, text string, change func(string) (string, error),
) (before, out string, err error) {
	for _, w := range slices.Backward(theirs) {
		if text, err = s.Merge(w.base, w.text, w.base, text); err != nil {
			return "", "", err
		}
	}
	out, err = change(text)
	return text, out, err
}

// lookFor returns how long a program may take from reading a text to writing it back.
func lookFor(texts ...string) time.Duration {
	size := 0
	for _, t := range texts {
		size = max(size, len(t))
	}
	return lookTime + time.Duration(size)*lookPerMB/1_000_000
}

// wait returns at end, or as soon as one of the two files is touched.
func (s *sharedFile) wait(end time.Time) error {
	stat := func(path string) (fs.FileInfo, bool) {
		info, err := os.Stat(path)
		return info, err == nil
	}
	old, hadOld := stat(s.replaced())
	now, had := stat(s.path)
	for time.Now().Before(end) {
		if err := s.pause(editPoll); err != nil {
			return err
		}
		o, hasOld := stat(s.replaced())
		n, has := stat(s.path)
		if hadOld != hasOld || had != has || hasOld && !unchanged(old, o) || has && !unchanged(now, n) {
			return nil
		}
	}
	return nil
}

// unfinished is the error of a look that could not be finished. The replaced file stays, and so does the new one.
func (s *sharedFile) unfinished(err error) error {
	if s.ctx.Err() != nil {
		return errors.Join(ErrPublished, err) // the next edit finishes it
	}
	if _, gone := os.Lstat(s.replaced()); gone != nil {
		return err
	}
	var busy *Busy
	if errors.As(err, &busy) {
		err = busy.Err
	}
	return &Busy{s.path, s.replaced(), err}
}

// tempsOf is the pattern of our temporary files beside a file.
func tempsOf(base string) string { return "." + base + ".homing-tmp-*" }

// removeTemps removes what a killed process has left. The lock is held, so nobody uses it.
func (s *sharedFile) removeTemps() {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if ok, _ := filepath.Match(tempsOf(s.base), e.Name()); ok {
			_ = os.Remove(filepath.Join(s.dir, e.Name()))
		}
	}
}

// ReadInPlace returns the text of a regular file as it is at this moment, "" for a missing one.
func ReadInPlace(path string) (string, error) {
	f, err := Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }() // nothing was written
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	return readText(path, f, info.Size())
}
