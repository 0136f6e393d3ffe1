package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/files"
	"github.com/homing-cli/homing/internal/session"
)

// providerSSO marks the entries of the AWS CLI's cache that come from Identity Center. Others (assume-role) share the
// folder.
const providerSSO = "sso"

// RoleCredentials returns the cached credentials for k, which may have expired, or fs.ErrNotExist when there are none
// that can be read. A file that cannot be opened at all is a *fault.Error of kind Config. It reads one file, once: an
// entry that another program is writing at this moment counts as missing.
func (s *Store) RoleCredentials(k RoleKey) (session.RoleCredentials, error) {
	data, err := readFile(s.RolePath(k))
	if err != nil {
		return session.RoleCredentials{}, err
	}
	o, _ := parseObject(data)
	c, ok := roleCredentialsOf(o)
	if !ok {
		return session.RoleCredentials{}, fs.ErrNotExist
	}
	if c.AccountID == "" { // written by an older AWS CLI
		c.AccountID = k.AccountID
	}
	return c, nil
}

func roleCredentialsOf(o object) (session.RoleCredentials, bool) {
	if o.text("ProviderType") != providerSSO {
		return session.RoleCredentials{}, false
	}
	inner, _ := parseObject(o.get("Credentials"))
	c := session.RoleCredentials{
		AccountID:       inner.text("AccountId"),
		AccessKeyID:     inner.text("AccessKeyId"),
		SecretAccessKey: session.NewSecret(inner.text("SecretAccessKey")),
		SessionToken:    session.NewSecret(inner.text("SessionToken")),
		Expiration:      inner.when("Expiration"),
	}
	ok := c.AccessKeyID != "" && !c.SecretAccessKey.IsZero() && !c.SessionToken.IsZero() && !c.Expiration.IsZero()
	return c, ok
}

// SaveRoleCredentials stores credentials where the AWS CLI looks for them, and remembers k in the index of its
// session. Errors are *fault.Error of kind Config; nothing is lost by them but the time of the next call.
func (s *Store) SaveRoleCredentials(ctx context.Context, k RoleKey, c session.RoleCredentials) error {
	if err := s.noteRole(ctx, k); err != nil {
		return err
	}
	path := s.RolePath(k)
	inner := pyObject(", ", ": ",
		"AccessKeyId", pyString(c.AccessKeyID),
		"SecretAccessKey", pyString(c.SecretAccessKey.Reveal()),
		"SessionToken", pyString(c.SessionToken.Reveal()),
		"Expiration", pyString(stamp(c.Expiration)),
		"AccountId", pyString(c.AccountID),
	)
	data := pyObject(", ", ": ", "ProviderType", pyString(providerSSO), "Credentials", inner)
	if err := writeFile(path, []byte(data)); err != nil {
		return err
	}
	s.sweep(path, false, "")
	return nil
}

func roleLock(k RoleKey) string { return "role-" + roleName(k) + ".lock" }

// LockRole takes the lock that makes one GetRoleCredentials of many callers', and remembers k in the index of its
// session: who signs in anew while credentials are on their way then knows of them. Where both locks are needed it is
// taken before the token's. Errors are *fault.Error as of BeginToken.
func (s *Store) LockRole(ctx context.Context, k RoleKey) (unlock func(), err error) {
	unlock, err = s.lockOwn(ctx, roleLock(k))
	if err != nil {
		return nil, err
	}
	if err := s.noteRole(ctx, k); err != nil && ctx.Err() != nil {
		unlock()
		return nil, err
	} // a folder that cannot be written keeps no credentials either, so there is nothing to remember
	return unlock, nil
}

// dropWait is how long DropRoleCredentials waits for a fetch under way, whose result it is to remove. The fetch looks
// at the token once more before it stores anything, so not waiting longer loses little.
const dropWait = 2 * time.Second

// DropRoleCredentials removes the cached credentials of keys and takes them out of the index. Missing ones are fine;
// an entry of another type under the same name stays. It tries all of them, and joins the errors, *fault.Error of
// kind Config.
func (s *Store) DropRoleCredentials(keys []RoleKey) error {
	var errs []error
	for _, k := range keys {
		errs = append(errs, s.dropRole(k))
	}
	return errors.Join(append(errs, s.forgetRoles(keys))...)
}

func (s *Store) dropRole(k RoleKey) error {
	if _, err := os.Lstat(s.cliDir()); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), dropWait)
	defer cancel()
	if unlock, err := s.lockOwn(ctx, roleLock(k)); err == nil {
		defer unlock()
	}
	return s.removeSSO(s.RolePath(k))
}

// removeSSO removes a file of the AWS CLI's cache when it is an entry of type sso.
func (s *Store) removeSSO(path string) error {
	data, err := readFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	if o, _ := parseObject(data); o.text("ProviderType") != providerSSO {
		return nil
	}
	target, err := follow(path)
	if err != nil {
		return err
	}
	if err := files.Remove(target); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ioFault("remove", target, err)
	}
	return nil
}

// RemoveAllSSORoleCredentials removes every entry of type sso from the AWS CLI's cache, whoever fetched it, and our
// indexes. Entries of other types, what cannot be read, and the AWS CLI's session.db are left alone.
func (s *Store) RemoveAllSSORoleCredentials() error {
	dir, err := os.ReadDir(s.cliDir())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ioFault("read the folder", s.cliDir(), err)
	}
	var errs []error
	for _, file := range dir {
		name := file.Name()
		path := filepath.Join(s.cliDir(), name)
		if strings.HasSuffix(name, ".json") && !file.IsDir() {
			errs = append(errs, s.removeSSO(path))
		}
	}
	indexes, _ := filepath.Glob(s.ownPath(indexPrefix + "*.json"))
	for _, path := range indexes {
		errs = append(errs, s.removeOwn(filepath.Base(path)))
	}
	return errors.Join(errs...)
}
