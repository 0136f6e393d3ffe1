package configedit

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
)

// BackupSuffix makes the name of the backup: the version before the last edit, in the same folder.
const BackupSuffix = files.BackupSuffix

// Update edits the file at path as Apply does. At any moment, a crash included, it holds the old or the new version.
// A missing file is made with mode 0600, its folder with 0700; an existing one keeps its mode and owner, and a
// symbolic link stays a link. Programs that use Update wait for each other, and what a program writes that takes no
// lock gets into the file beside the edit (files.Edit). If nothing changes, nothing is written.
//
// Every error is a *fault.Error: what Apply reports, a file or folder that cannot be written (Config), a lock that
// another process keeps (TimedOut), a context that is done (Interrupted). After an error the file is as it was,
// unless the error says that it was changed.
func Update(ctx context.Context, path string, edits ...Edit) error {
	return UpdateFunc(ctx, path, func([]byte) ([]Edit, error) { return edits, nil })
}

// UpdateFunc is Update with edits that depend on the text of the file: two programs that each find out what is
// missing lose nothing and write nothing twice. It calls edits with the present text (none for a missing file), and
// again whenever another program has changed it. An error of edits ends it and is returned as it is.
func UpdateFunc(ctx context.Context, path string, edits func(src []byte) ([]Edit, error)) error {
	var refused error
	e := files.Edit{
		Change: func(text string) (out string, err error) {
			asked, err := edits([]byte(text))
			if err == nil {
				out, err = apply(path, text, asked)
			}
			refused = err
			return out, err
		},
		Merge: func(base, theirs, kept, ours string) (string, error) { return merge(path, base, theirs, kept, ours) },
		Blank: blank,
	}
	err := e.Run(ctx, path)
	var busy *files.Busy
	switch {
	case err == nil:
		return nil
	case errors.As(err, &busy):
		return stillWritten(busy)
	case refused != nil && errors.Is(err, refused):
		return err
	case errors.Is(err, files.ErrPublished):
		return &fault.Error{
			Kind: fault.Interrupted, Err: err,
			Msg: fmt.Sprintf("%q was changed; stopped before it was certain that no other program writes it", path),
		}
	case ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		return &fault.Error{Kind: fault.Interrupted, Msg: fmt.Sprintf("stopped before %q was changed", path), Err: err}
	}
	return cannotWrite(path, err)
}

// Read returns the text of the file at path once no other program is writing it; none for a missing file. Errors are
// *fault.Error of kind Config, or Interrupted if ctx ended.
func Read(ctx context.Context, path string) ([]byte, error) {
	text, err := files.ReadSettled(ctx, path)
	var busy *files.Busy
	switch {
	case err == nil:
		return []byte(text), nil
	case errors.As(err, &busy):
		return nil, stillWritten(busy)
	case ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
		return nil, &fault.Error{
			Kind: fault.Interrupted, Msg: fmt.Sprintf("stopped before %q was read", path), Err: err,
		}
	}
	return nil, &fault.Error{
		Kind: fault.Config, Err: err, Remedy: fault.Run{"ls", "-l", path},
		Msg: fmt.Sprintf("cannot read %q: %s", path, awsconfig.Reason(err)),
	}
}

// Editable returns what would keep Update from changing the file at path, whatever the edit: nil, or a *fault.Error.
// It changes nothing. A program that asks somebody for minutes can refuse first.
func Editable(path string) error {
	if err := files.CheckEditable(path); err != nil {
		return cannotWrite(path, err)
	}
	text, err := files.ReadInPlace(path)
	if err != nil {
		return cannotWrite(path, err)
	}
	_, err = newEditor(path, text, nil)
	return err
}

// stillWritten is the error for a file that another program does not stop writing.
func stillWritten(busy *files.Busy) error {
	remedy := fault.Remedy(fault.Advice("stop the other program, then type the command again"))
	if busy.Replaced != "" {
		remedy = fault.Preface{
			Words: "compare the two, keep what is missing, then delete the old one:",
			Then:  fault.Run{"diff", busy.Replaced, busy.Path},
		}
	}
	return &fault.Error{Kind: fault.Config, Msg: busy.Error(), Remedy: remedy, Err: busy.Err}
}

// cannotWrite is the error for everything that the system refuses. The file is as it was.
func cannotWrite(path string, err error) error {
	var already *fault.Error
	var held files.LockHeld
	switch {
	case errors.As(err, &already):
		return already
	case errors.As(err, &held):
		return &fault.Error{Kind: fault.TimedOut, Err: err, Msg: err.Error(), Remedy: fault.Run{"fuser", string(held)}}
	}
	dir := filepath.Dir(path)
	remedy := fault.Remedy(fault.Run{"ls", "-ld", dir, path})
	switch {
	case errors.Is(err, files.ErrReadOnly):
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
		Msg: fmt.Sprintf("cannot change %q: %s", path, awsconfig.Reason(err)),
	}
}
