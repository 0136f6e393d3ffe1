package store

import (
	"path/filepath"
	"syscall"
)

// CanStore tells whether a new token of key could be put in its place, as far as permissions, a read-only file system
// and a full one tell: nil, or the error that Prepare would end with. A quota that is used up is found out by trying
// only. Nothing is written; on Windows it is always nil. The folder must be there, as it is for a token that is.
func (s *Store) CanStore(key string) error {
	target, err := follow(s.TokenPath(key))
	if err != nil {
		return err
	}
	dir := filepath.Dir(target)
	err = writable(dir)
	if err == nil && full(dir, reserve) {
		err = syscall.ENOSPC
	}
	if err != nil {
		return ioFault("write in the folder", dir, err)
	}
	return nil
}
