package awsconfig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"

	"github.com/homing-cli/homing/internal/fault"
)

// BackupSuffix makes the name of the backup: the version before the last edit, in the same folder. There it is found
// by whoever looks for it, has the same protection, and survives where the folder does; a state folder of our own
// would die with a container. The name is ours, so no backup that a person made is overwritten.
const BackupSuffix = ".homing-backup"

const (
	lockSuffix = ".lock"
	lockWait   = 30 * time.Second      // a thousand edits' time on a busy machine
	lockPoll   = 20 * time.Millisecond // flock cannot be waited for with a deadline
	tries      = 5                     // how often another program may change the file in the instant before the rename
)

// Update edits the file at path as Apply does and replaces it in one step, so that at any moment, a crash included, it
// holds the old or the new version. A missing file is made with mode 0600, its folder with 0700; an existing one keeps
// its mode and owner, and a symbolic link stays a link. Programs that use Update wait for each other, and an edit by
// another program is noticed up to the last instant. If nothing changes, nothing is written.
//
// Every error is a *fault.Error: what Apply reports, a file or folder that cannot be written (Config), a lock that
// another process keeps (TimedOut), a context that is done (Interrupted). After an error the file is as it was.
func Update(ctx context.Context, path string, edits ...Edit) error {
	return UpdateFunc(ctx, path, func([]byte) ([]Edit, error) { return edits, nil })
}

// UpdateFunc is Update with edits that depend on what is in the file: two programs that each work out what is missing
// lose nothing and write nothing twice. It calls edits with the present bytes (none for a missing file), and again when
// they are others once the lock is held; the last answer counts. An error of edits ends it and is returned as it is.
func UpdateFunc(ctx context.Context, path string, edits func(src []byte) ([]Edit, error)) error {
	real, err := resolve(path)
	if err != nil {
		return cannotWrite(path, err)
	}
	if err := finish(ctx, path, real); err != nil {
		return cannotWrite(path, err)
	}
	before, err := readVersion(real)
	if err != nil {
		return cannotWrite(path, err)
	}
	next := func(text string) (string, error) {
		asked, err := edits([]byte(text))
		if err != nil {
			return "", err
		}
		return apply(path, text, asked)
	}
	out, err := next(before.text)
	if err != nil || out == before.text {
		return err
	}
	if err := before.writable(real); err != nil {
		return cannotWrite(path, err)
	}
	dir := filepath.Dir(real)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return cannotWrite(path, err)
	}
	unlock, err := lock(ctx, path, real+lockSuffix)
	if err != nil {
		return err
	}
	defer unlock()
	if err := complete(real); err != nil { // of a process that was killed meanwhile
		return cannotWrite(path, err)
	}
	removeLeftovers(real)
	for range tries {
		now, err := readVersion(real)
		if err != nil {
			return cannotWrite(path, err)
		}
		if now.text != before.text {
			out, err = next(now.text)
		}
		if before = now; err != nil || out == now.text {
			return err
		}
		switch err := now.replace(real, out); {
		case err == nil:
			return nil
		case !errors.Is(err, errChanged):
			return cannotWrite(path, err)
		}
	}
	return fault.New(fault.Config, "stop the other program, then type the command again",
		"another program keeps changing %q", path)
}

// Editable says what would keep Update from changing the file at path, whatever the edit: nil, or the *fault.Error of it.
// It changes nothing. A program that first asks somebody for minutes can refuse at once.
func Editable(path string) error {
	real, err := resolve(path)
	if err != nil {
		return cannotWrite(path, err)
	}
	v, err := readVersion(real)
	if err != nil {
		return cannotWrite(path, err)
	}
	if _, err := newEditor(path, v.text, nil); err != nil {
		return err
	}
	if err := v.writable(real); err != nil {
		return cannotWrite(path, err)
	}
	dir, base := filepath.Split(real)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil // it will be made
	}
	temp, err := os.CreateTemp(dir, leftovers(base))
	if err != nil {
		return cannotWrite(path, err)
	}
	_ = temp.Close()
	_ = os.Remove(temp.Name())
	return nil
}

var errChanged = errors.New("changed by another program")

// resolve follows symbolic links to the file that is meant, whether it exists or not.
func resolve(path string) (string, error) {
	const limit = 40 // as Linux has it
	for range limit {
		if dir, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
			path = filepath.Join(dir, filepath.Base(path))
		}
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
		if err != nil {
			return "", err
		}
		if info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return "", errors.New("too many symbolic links")
}

// version is a file at a moment. info is nil when there is no file.
type version struct {
	text string
	info fs.FileInfo
}

func readVersion(path string) (version, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return version{}, nil
	case err != nil:
		return version{}, err
	case info.IsDir():
		return version{}, errors.New("it is a folder, not a file")
	case !info.Mode().IsRegular():
		return version{}, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return version{}, err
	}
	b, err := io.ReadAll(f)
	return version{string(b), info}, errors.Join(err, f.Close())
}

// writable respects a file that somebody made read-only, although a rename would get around it.
func (v version) writable(path string) error {
	if v.info == nil {
		return nil
	}
	if v.info.Mode().Perm()&0o222 == 0 {
		return errReadOnly
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

var errReadOnly = errors.New("it is read-only")

// replace writes text as the next version of the file: errChanged when it is no longer v.
func (v version) replace(path, text string) (err error) {
	dir, base := filepath.Split(path)
	temp, err := os.CreateTemp(dir, leftovers(base))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(temp.Name())
		}
	}()
	_, err = temp.WriteString(text)
	if err == nil && v.info != nil {
		err = adopt(temp, v.info)
	}
	if err == nil {
		err = temp.Sync()
	}
	if err = errors.Join(err, temp.Close()); err != nil {
		return err
	}
	if now, err := os.Stat(path); !v.same(now, err) {
		return errChanged
	}
	if v.info != nil {
		if err := backup(path); err != nil {
			return err
		}
	}
	err = os.Rename(temp.Name(), path)
	if errors.Is(err, syscall.EBUSY) && v.info != nil {
		return v.overwrite(path, text, temp.Name())
	}
	if err == nil {
		syncFolder(dir)
	}
	return err
}

func (v version) same(now fs.FileInfo, err error) bool {
	if v.info == nil {
		return errors.Is(err, fs.ErrNotExist)
	}
	return err == nil && os.SameFile(v.info, now) && v.info.ModTime().Equal(now.ModTime()) && v.info.Size() == now.Size()
}

// overwrite writes in place, for the one case where there is no other way: the file itself is a mount point (a container
// that mounts ~/.aws/config alone). The backup is complete before the first byte changes, and the whole new text stands
// beside it until the last one has: a failed write is taken back, one that was killed, or cannot be taken back,
// is finished by the next edit.
func (v version) overwrite(path, text, temp string) error {
	if err := copyBackup(path); err != nil {
		return err
	}
	if err := os.Rename(temp, pending(path)); err != nil {
		return err
	}
	whole, err := v.write(path, text)
	if whole {
		_ = os.Remove(pending(path))
	}
	return err
}

// write puts text into the file, or after an error what was there before. whole reports whether one of them is.
func (v version) write(path, text string) (whole bool, err error) {
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
		back := put(v.text)
		whole, err = back == nil, errors.Join(err, back)
	}
	return whole, errors.Join(err, f.Close())
}

// lock takes the lock beside the file. The lock file is empty and stays: removing it would let two processes each hold
// "the" lock.
func lock(ctx context.Context, path, lockPath string) (unlock func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	l := flock.New(lockPath, flock.SetPermissions(0o600))
	_, err = l.TryLockContext(waiting, lockPoll)
	switch {
	case err == nil:
		return func() { _ = l.Close() }, nil
	case ctx.Err() != nil:
		return nil, &fault.Error{Kind: fault.Interrupted, Msg: fmt.Sprintf("stopped before %q was changed", path), Err: context.Cause(ctx)}
	case waiting.Err() != nil:
		return nil, &fault.Error{
			Kind: fault.TimedOut, Err: err,
			Msg:    fmt.Sprintf("another process has held %q for %s", lockPath, lockWait),
			Remedy: fault.Run{"fuser", lockPath},
		}
	}
	return nil, cannotWrite(path, err)
}

// cannotWrite is the error for everything the system refuses. The file is as it was.
func cannotWrite(path string, err error) error {
	var already *fault.Error
	if errors.As(err, &already) {
		return already
	}
	dir := filepath.Dir(path)
	remedy := fault.Remedy(fault.Run{"ls", "-ld", dir, path})
	switch {
	case errors.Is(err, errReadOnly):
		remedy = fault.Run{"chmod", "u+w", path}
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		remedy = fault.Run{"df", "-h", dir}
	case errors.Is(err, syscall.EFBIG):
		remedy = fault.Run{"ulimit", "-f"}
	case errors.Is(err, syscall.EROFS):
		remedy = fault.Advice("mount the folder writable, or set AWS_CONFIG_FILE to a file elsewhere")
	}
	return &fault.Error{
		Kind: fault.Config, Err: err, Remedy: remedy,
		Msg: fmt.Sprintf("cannot change %q: %s", path, reason(err)),
	}
}
