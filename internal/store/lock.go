package store

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
)

// lockPath returns the lock beside a cache file: NAME.json is guarded by NAME.lock.
func lockPath(file string) string { return strings.TrimSuffix(file, ".json") + ".lock" }

// lock takes the lock of a token file and returns how to release it. A process that dies releases it. It is taken
// beside the file that path stands for, so that several links to one file meet at one lock; in StateDir only when
// that folder cannot be written or cannot lock. Errors are *fault.Error: Config, or those of ended.
func (s *Store) lock(ctx context.Context, path string) (unlock func(), err error) {
	target, err := follow(path)
	if err != nil {
		return nil, err
	}
	beside := lockPath(target)
	l, err := files.Acquire(ctx, beside)
	if err != nil && ctx.Err() == nil && s.StateDir != "" && cannotLock(err) {
		if other, second := files.Acquire(ctx, filepath.Join(s.StateDir, filepath.Base(beside))); second == nil ||
			ctx.Err() != nil {
			l, err = other, second
		}
	}
	if err != nil {
		return nil, lockFault(ctx, beside, err)
	}
	return l.Unlock, nil
}

// lockFault is the error for a lock that could not be taken.
func lockFault(ctx context.Context, path string, err error) error {
	var p *fs.PathError
	switch {
	case ctx.Err() != nil:
		return ended(ctx, err, path)
	case errors.As(err, &p) && p.Op == "mkdir":
		return ioFault("create the folder", filepath.Dir(path), err)
	}
	return ioFault("lock", path, err)
}

// cannotLock reports errors that mean "not in this folder", rather than something in the way of this file.
func cannotLock(err error) bool {
	return errors.Is(err, syscall.EROFS) || errors.Is(err, fs.ErrPermission) || errors.Is(err, errors.ErrUnsupported) ||
		errors.Is(err, syscall.ENOLCK)
}

// Locked is in the chain of the error of who waited in vain for a lock that another process holds.
type Locked struct{ Path string } // of the lock

func (l *Locked) Error() string { return "another process holds " + strconv.Quote(l.Path) }

// Held reports whether any process, including this one, holds the lock of key's token file now, and returns its path.
func (s *Store) Held(key string) (path string, held bool) {
	target, err := follow(s.TokenPath(key))
	if err != nil {
		return "", false
	}
	path = lockPath(target)
	held, err = files.Held(path)
	return path, err == nil && held
}

// ended turns the end of a context that waited for the lock at path into what a person reads.
func ended(ctx context.Context, err error, path string) error {
	var f *fault.Error
	if errors.As(err, &f) || ctx.Err() == nil {
		return err
	}
	late := errors.Is(ctx.Err(), context.DeadlineExceeded)
	held := &Locked{Path: path}
	cause := context.Cause(ctx)
	switch {
	case errors.As(cause, &f) && late:
		return &fault.Error{Kind: f.Kind, Msg: f.Msg, Remedy: f.Remedy, Err: errors.Join(held, cause)}
	case errors.As(cause, &f):
		return cause
	case late:
		return &fault.Error{
			Kind: fault.Unavailable, Msg: held.Error() + " and is not done",
			Remedy: fault.Advice("see what else is running: ps -ef | grep homing"), Err: held,
		}
	}
	return &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: err}
}
