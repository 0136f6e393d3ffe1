package store

import "path/filepath"

// CanStore tells whether a new token of key could be put in its place, as far as permissions and a read-only file system
// tell: nil, or the error that Prepare would end with. Nothing is written; on Windows it is always nil. The folder must
// be there, as it is for a token that is.
func (s *Store) CanStore(key string) error {
	target, err := follow(s.TokenPath(key))
	if err != nil {
		return err
	}
	dir := filepath.Dir(target)
	if err := writable(dir); err != nil {
		return ioFault("write in the folder", dir, err)
	}
	return nil
}
