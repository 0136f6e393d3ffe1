package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/files"
)

// What only homing reads stands in a folder of its own, ~/.aws/homing: programs exist that parse every file in the
// folder of tokens. It is below ~/.aws because it describes files there, so that whoever shares those shares it too.
//
//	<sha1 by the AWS CLI's recipe>.json   a client registration
//	refused-<name of the token>.json      what the service refused (Refusal)
//	tried-<name of the token>.json        its time says when a renewal was last tried (Try)
//	roles-<sha1 of the cache key>.json    which role credentials a session fetched (RoleKeys), and its lock
//	role-<sha1 of the role>.lock          held while role credentials are fetched (LockRole)
//
// Locks and drafts of a token are not here but beside the token: two homes may share only that folder.
const ownFolder = "homing"

// ownFormat is the format of these files, in the member fVersion. A file without a number has format 1. A newer
// homing may share the folder, so a file with another number is left alone.
const (
	ownFormat = 1
	fVersion  = "version"
)

var errNewer = errors.New("written by a newer version")

// ownDir returns the folder: StateDir where ~/.aws cannot be written.
func (s *Store) ownDir() string {
	dir := filepath.Join(s.AWSDir, ownFolder)
	if s.StateDir != "" && !makeable(dir) {
		return s.StateDir
	}
	return dir
}

func (s *Store) ownPath(name string) string { return filepath.Join(s.ownDir(), name) }

// makeable reports whether files can be made in dir, or dir itself where it is missing.
func makeable(dir string) bool {
	for {
		err := writable(dir)
		up := filepath.Dir(dir)
		if !errors.Is(err, fs.ErrNotExist) || up == dir {
			return err == nil
		}
		dir = up
	}
}

// makeOwn makes the folder. The process that does so moves what earlier versions left elsewhere: it happens once.
func (s *Store) makeOwn() error {
	dir := s.ownDir()
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(dir), 0o700); err != nil {
			return ioFault("create the folder", filepath.Dir(dir), err)
		}
		err = os.Mkdir(dir, 0o700)
	}
	switch {
	case err == nil && dir != s.StateDir:
		s.tidy(dir)
	case err != nil && !errors.Is(err, fs.ErrExist):
		return ioFault("create the folder", dir, err)
	}
	return nil
}

// tidy takes what earlier versions kept in the folders that we share: indexes are moved, the rest is removed. Failing
// does no harm. A client registration moves when it is first asked for: its name does not tell whose it is.
func (s *Store) tidy(own string) {
	for _, dir := range []string{s.ssoDir(), s.cliDir()} {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			switch index, isIndex := strings.CutPrefix(e.Name(), "homing-"); {
			case isIndex && strings.HasSuffix(index, ".json") && dir == s.cliDir():
				_ = os.Link(path, filepath.Join(own, index)) // an index that is there already is newer
			case isIndex && strings.HasSuffix(index, ".lock") && dir == s.cliDir():
			case isHash(e.Name(), ".lock") && dir == s.cliDir():
			case (isHash(e.Name(), ".refused") || isHash(e.Name(), ".tried")) && dir == s.ssoDir():
			default:
				continue
			}
			_ = os.Remove(path)
		}
	}
}

// isHash reports whether a file has the name of a cache file with another suffix.
func isHash(name, suffix string) bool {
	stem, ok := strings.CutSuffix(name, suffix)
	return ok && len(stem) == 40 && strings.Trim(stem, "0123456789abcdef") == ""
}

// readOwn returns the members of a file of ours. Errors are fs.ErrNotExist, or a *fault.Error: of kind Config for a
// file of a newer version.
func readOwn(path string) (object, error) {
	data, err := files.ReadOwn(path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err != nil {
		return nil, ioFault("read", path, err)
	}
	o, whole := parseObject(data)
	if !whole {
		return nil, nil // written by another hand, and replaced
	}
	raw := o.get(fVersion)
	if format, err := strconv.Atoi(string(raw)); raw != nil && (err != nil || format > ownFormat) {
		return nil, &fault.Error{
			Kind: fault.Config, Msg: "a newer homing wrote " + strconv.Quote(path) + ", in format " + string(raw),
			Remedy: fault.Advice("update homing"), Err: errNewer,
		}
	}
	return o, nil
}

// writeOwn replaces a file of ours, unless a newer version wrote it.
func (s *Store) writeOwn(name string, pairs ...string) error {
	path := s.ownPath(name)
	var other files.NotRegular
	if _, err := readOwn(path); errors.Is(err, errNewer) || errors.As(err, &other) {
		return err
	}
	if err := s.makeOwn(); err != nil {
		return err
	}
	text := pyObject(", ", ": ", append([]string{fVersion, strconv.Itoa(ownFormat)}, pairs...)...)
	if err := files.Write(path, []byte(text)); err != nil {
		return ioFault("write", path, err)
	}
	s.sweep(path, false, "")
	return nil
}

// removeOwn removes a file of ours, unless a newer version wrote it. A missing one is fine.
func (s *Store) removeOwn(name string) error {
	path := s.ownPath(name)
	if _, err := readOwn(path); errors.Is(err, errNewer) {
		return err
	}
	if err := files.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ioFault("remove", path, err)
	}
	return nil
}

// lockOwn takes a lock in the folder. Errors are as those of lock.
func (s *Store) lockOwn(ctx context.Context, name string) (unlock func(), err error) {
	if err := s.makeOwn(); err != nil {
		return nil, err
	}
	path := s.ownPath(name)
	l, err := files.Acquire(ctx, path)
	if err != nil {
		return nil, lockFault(ctx, path, err)
	}
	return l.Unlock, nil
}
