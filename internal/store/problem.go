package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/homing-cli/homing/internal/fault"
)

// ioFault is the error of a file operation: "cannot <do> "<path>": why", with what to type about it. An error that is a
// *fault.Error already is returned as it is.
func ioFault(do, path string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	e := &fault.Error{Kind: fault.Config, Err: err}
	why := cause(err)
	at := path
	var p *fs.PathError
	if errors.As(err, &p) && filepath.IsAbs(p.Path) && strings.HasPrefix(path, p.Path) {
		at = p.Path // the parent that is to blame
	}
	switch {
	case errors.Is(err, syscall.EROFS):
		why, e.Hint = "the file system is read-only", "see how it is mounted: df "+shell(existing(at))
	case errors.Is(err, syscall.ENOSPC):
		why, e.Hint = "no space left on the disk", "see what is full: df -h "+shell(existing(at))
	case errors.Is(err, syscall.EDQUOT):
		why, e.Hint = "the disk quota is used up", "see your quota: quota -s"
	case errors.Is(err, fs.ErrPermission) && do == "read" && ours(at):
		why, e.Hint = "permission denied", "let yourself read it: chmod u+rw "+shell(at)
	case errors.Is(err, fs.ErrPermission):
		why, e.Hint = "permission denied", "see whose it is: ls -ld "+shell(existing(at))
	case errors.Is(err, syscall.ENOTDIR):
		at = existing(at)
		why, e.Hint = "a file is in the way where a folder should be: "+quote(at), "move it away: mv "+shell(at)+" "+shell(at+".old")
	case errors.Is(err, syscall.ELOOP):
		why, e.Hint = "its symbolic links lead in a circle", "remove the link: rm "+shell(at)
	case errors.Is(err, syscall.EISDIR):
		why, e.Hint = "it is a folder", "move it away: mv "+shell(at)+" "+shell(at+".old")
	default:
		e.Hint = "look at it: ls -ld " + shell(existing(at))
	}
	e.Msg = "cannot " + do + " " + quote(path) + ": " + why
	return e
}

// notAFile is the error for a folder, a pipe or a device where a file should be.
func notAFile(path string, info os.FileInfo) error {
	what := "it is not a file"
	if info.IsDir() {
		what = "it is a folder, not a file"
	}
	return &fault.Error{
		Kind: fault.Config, Msg: "cannot use " + quote(path) + ": " + what,
		Hint: "move it away: mv " + shell(path) + " " + shell(path+".old"),
	}
}

// cause returns the system's words without the operation and the path, which the message has already.
func cause(err error) string {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		err = p.Err
	case errors.As(err, &l):
		err = l.Err
	}
	return err.Error()
}

// existing returns path, or the nearest folder above it that exists.
func existing(path string) string {
	for {
		if _, err := os.Lstat(path); err == nil {
			return path
		}
		up := filepath.Dir(path)
		if up == path {
			return path
		}
		path = up
	}
}

func quote(s string) string { return strconv.Quote(s) }

// shell writes s so that a POSIX shell reads it as one word.
func shell(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%,=~", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 && s[0] != '~' {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
