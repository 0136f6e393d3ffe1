package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/homing-cli/homing/internal/session"
)

// indexPrefix begins the names of our indexes: roles-<sha1 of the cache key>.json, one for each session. They hold
// which roles were fetched and no secret:
//
//	{"version": 1, "sessionName": "dev", "roles": [{"accountId": "123456789012", "roleName": "Admin"}]}
const indexPrefix = "roles-"

func indexName(of session.Session) string { return indexPrefix + sha1Hex(of.CacheKey()) + ".json" }

// RoleKeys returns the roles whose credentials were fetched through a session and not dropped since, sorted by
// account and role. It may name some whose file is gone. An index that cannot be read names none.
func (s *Store) RoleKeys(of session.Session) []RoleKey {
	if exists(filepath.Join(s.cliDir(), "homing-"+indexName(of))) { // of an earlier version
		_ = s.makeOwn()
	}
	keys, _ := s.roleKeys(of)
	return keys
}

// roleKeys is RoleKeys with the error of an index that a newer version wrote.
func (s *Store) roleKeys(of session.Session) ([]RoleKey, error) {
	o, err := readOwn(s.ownPath(indexName(of)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if json.Unmarshal(o.get("roles"), &list) != nil {
		return nil, nil //nolint:nilerr // a damaged index is an empty one
	}
	var keys []RoleKey
	for _, raw := range list {
		role, _ := parseObject(raw)
		if k := (RoleKey{of, role.text("accountId"), role.text("roleName")}); k.AccountID != "" && k.RoleName != "" {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, compareRoles)
	return slices.CompactFunc(keys, sameRole), nil
}

func compareRoles(a, b RoleKey) int {
	return cmp.Or(cmp.Compare(a.AccountID, b.AccountID), cmp.Compare(a.RoleName, b.RoleName))
}

func sameRole(a, b RoleKey) bool { return compareRoles(a, b) == 0 }

// noteRole adds k to the index of its session, if it is not there.
func (s *Store) noteRole(ctx context.Context, k RoleKey) error {
	has := func(keys []RoleKey) bool {
		return slices.ContainsFunc(keys, func(o RoleKey) bool { return sameRole(o, k) })
	}
	if keys, err := s.roleKeys(k.Session); err != nil || has(keys) {
		return err
	}
	return s.changeIndex(ctx, k.Session, func(keys []RoleKey) []RoleKey {
		if has(keys) {
			return keys
		}
		return append(keys, k)
	})
}

// forgetRoles takes keys, of whatever sessions, out of the indexes.
func (s *Store) forgetRoles(keys []RoleKey) error {
	var errs []error
	done := map[string]bool{}
	for _, k := range keys {
		path := s.ownPath(indexName(k.Session))
		if _, err := os.Lstat(path); done[path] || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		done[path] = true
		ctx, cancel := context.WithTimeout(context.Background(), dropWait)
		errs = append(errs, s.changeIndex(ctx, k.Session, func(noted []RoleKey) []RoleKey {
			return slices.DeleteFunc(noted, func(n RoleKey) bool {
				return slices.ContainsFunc(keys, func(k RoleKey) bool {
					return k.Session.CacheKey() == n.Session.CacheKey() && sameRole(k, n)
				})
			})
		}))
		cancel()
	}
	return errors.Join(errs...)
}

// changeIndex rewrites the index of a session under its lock; an index that names nothing is removed.
func (s *Store) changeIndex(ctx context.Context, of session.Session, change func([]RoleKey) []RoleKey) error {
	name := indexName(of)
	unlock, err := s.lockOwn(ctx, lockPath(name))
	if err != nil {
		return err
	}
	defer unlock()
	keys, err := s.roleKeys(of)
	if err != nil {
		return err
	}
	if keys = change(keys); len(keys) == 0 {
		return s.removeOwn(name)
	}
	slices.SortFunc(keys, compareRoles)
	list := "["
	for i, k := range keys {
		if i > 0 {
			list += ", "
		}
		list += pyObject(", ", ": ", "accountId", pyString(k.AccountID), "roleName", pyString(k.RoleName))
	}
	which := "sessionName"
	if of.Legacy() {
		which = "startUrl"
	}
	return s.writeOwn(name, which, pyString(of.CacheKey()), "roles", list+"]")
}
