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
	"github.com/homing-cli/homing/internal/files"
)

// ioFault is the error of a file operation: "cannot <do> "<path>": why", with a remedy. An error that is a
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
	var other files.NotRegular
	switch {
	case errors.As(err, &other):
		do, why, e.Remedy = "use", other.Error(), moveAway(at)
	case errors.Is(err, syscall.EROFS):
		why, e.Remedy = "the file system is read-only", fault.Preface{
			Words: "see how it is mounted:",
			Then:  fault.Run{"df", existing(at)},
		}
	case errors.Is(err, syscall.ENOSPC):
		why, e.Remedy = "no space left on the disk", fault.Preface{
			Words: "see what is full:",
			Then:  fault.Run{"df", "-h", existing(at)},
		}
	case errors.Is(err, syscall.EDQUOT):
		why, e.Remedy = "the disk quota is used up", fault.Preface{
			Words: "see your quota:",
			Then:  fault.Run{"quota", "-s"},
		}
	case errors.Is(err, fs.ErrPermission) && do == "read" && ours(at):
		why, e.Remedy = "permission denied", fault.Preface{
			Words: "let yourself read it:",
			Then:  fault.Run{"chmod", "u+rw", at},
		}
	case errors.Is(err, fs.ErrPermission):
		why, e.Remedy = "permission denied", fault.Preface{
			Words: "see whose it is:",
			Then:  fault.Run{"ls", "-ld", existing(at)},
		}
	case errors.Is(err, syscall.ENOTDIR):
		at = existing(at)
		why, e.Remedy = "a file is in the way where a folder should be: "+strconv.Quote(at), moveAway(at)
	case errors.Is(err, syscall.ELOOP):
		why, e.Remedy = "its symbolic links lead in a circle", removeLink(at)
	case errors.Is(err, syscall.EISDIR):
		why, e.Remedy = "it is a folder", moveAway(at)
	default:
		e.Remedy = fault.Preface{Words: "look at it:", Then: fault.Run{"ls", "-ld", existing(at)}}
	}
	e.Msg = "cannot " + do + " " + strconv.Quote(path) + ": " + why
	return e
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

func moveAway(path string) fault.Remedy {
	return fault.Preface{Words: "move it away:", Then: fault.Run{"mv", path, path + ".old"}}
}

func removeLink(path string) fault.Remedy {
	return fault.Preface{Words: "remove the link:", Then: fault.Run{"rm", path}}
}
