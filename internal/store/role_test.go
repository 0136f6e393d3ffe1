package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

var (
	bg          = context.Background()
	testSession = session.Session{Name: "my-sso", StartURL: startURL, Region: "us-east-1"}
	testRole    = RoleKey{testSession, "123456789012", "Admin"}
	testCreds   = session.RoleCredentials{
		AccountID: "123456789012", AccessKeyID: "ASIA1", SecretAccessKey: session.NewSecret("s+/="),
		SessionToken: session.NewSecret("t"), Expiration: expiry,
	}
)

const roleFile = `{"ProviderType": "sso", "Credentials": {"AccessKeyId": "ASIA1", "SecretAccessKey": "s+/=", "SessionToken": "t", ` +
	`"Expiration": "2026-03-02T16:12:00Z", "AccountId": "123456789012"}}`

func sameCreds(a, b session.RoleCredentials) bool {
	return a.AccountID == b.AccountID && a.AccessKeyID == b.AccessKeyID && a.SecretAccessKey.Equal(b.SecretAccessKey) &&
		a.SessionToken.Equal(b.SessionToken) && a.Expiration.Equal(b.Expiration)
}

func TestRoleFileIsTheAWSCLIs(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if _, err := s.RoleCredentials(testRole); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
	if err := s.SaveRoleCredentials(t.Context(), testRole, testCreds); err != nil {
		t.Fatal(err)
	}
	if got := content(t, s.RolePath(testRole)); got != roleFile {
		t.Errorf("wrote\n%s\nwant\n%s", got, roleFile)
	}
	if got, err := s.RoleCredentials(testRole); err != nil || !sameCreds(got, testCreds) {
		t.Errorf("read back: %v", err)
	}
	// An older AWS CLI wrote no account and the suffix UTC.
	put(t, s.RolePath(testRole),
		strings.NewReplacer(`, "AccountId": "123456789012"`, "", "00Z", "00UTC").Replace(roleFile))
	if got, err := s.RoleCredentials(testRole); err != nil || !sameCreds(got, testCreds) {
		t.Errorf("an older file: %v", err)
	}
	for name, file := range map[string]string{
		"empty": "", "cut short": roleFile[:120], "another type": strings.Replace(roleFile, `"sso"`, `"assume-role"`, 1),
		"no expiration": strings.Replace(roleFile, "Expiration", "Expires", 1), "null": strings.Replace(roleFile, `"t"`, "null", 1),
	} {
		put(t, s.RolePath(testRole), file)
		if _, err := s.RoleCredentials(testRole); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	noLitter(t, s)
}

func TestIndexKnowsWhatWasFetched(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	other := session.Session{StartURL: startURL, Region: "us-east-1"}
	keys := []RoleKey{{testSession, "2", "B"}, testRole, {testSession, "2", "A"}}
	for _, k := range append(keys, testRole, RoleKey{other, "9", "Z"}) {
		if err := s.SaveRoleCredentials(t.Context(), k, testCreds); err != nil {
			t.Fatal(err)
		}
	}
	if got := fmt.Sprint(names(s.RoleKeys(testSession)), names(s.RoleKeys(other))); got != "[123456789012/Admin 2/A 2/B] [9/Z]" {
		t.Errorf("the index names %s", got)
	}
	index := content(t, s.ownPath(indexName(testSession)))
	if o, whole := parseObject([]byte(index)); !whole || o.get(fAccessToken) != nil || o.get("ProviderType") != nil {
		t.Errorf("others could take the index for something: %s", index)
	}
	if err := s.DropRoleCredentials([]RoleKey{testRole, {testSession, "2", "A"}, {testSession, "never", "fetched"}}); err != nil {
		t.Fatal(err)
	}
	if got := names(s.RoleKeys(testSession)); fmt.Sprint(got) != "[2/B]" {
		t.Errorf("after dropping two the index names %v", got)
	}
	for _, k := range append(keys, RoleKey{other, "9", "Z"}) {
		_, err := s.RoleCredentials(k)
		if want := k.RoleName == "B" || k.RoleName == "Z"; (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", k.RoleName, err == nil, want)
		}
	}
	if err := s.DropRoleCredentials(s.RoleKeys(testSession)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.ownPath(indexName(testSession))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an index that names nothing is still there: %v", err)
	}
	for _, garbage := range []string{"", "[", "[]", `{"roles": 3}`, `{"roles": [3, {"accountId": null}, {}]}`} {
		put(t, s.ownPath(indexName(testSession)), garbage)
		if keys := s.RoleKeys(testSession); len(keys) > 0 {
			t.Errorf("%q names %v", garbage, names(keys))
		}
	}
}

func names(keys []RoleKey) (list []string) {
	for _, k := range keys {
		list = append(list, k.AccountID+"/"+k.RoleName)
	}
	return list
}

func TestIndexUnderManyWriters(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var wg sync.WaitGroup
	for i := range 30 {
		wg.Go(func() {
			k := RoleKey{testSession, "1", fmt.Sprint("role", i)}
			unlock, err := s.LockRole(t.Context(), k) // notes the role already
			if err != nil {
				t.Error(err)
				return
			}
			unlock()
		})
	}
	wg.Wait()
	if got := len(s.RoleKeys(testSession)); got != 30 {
		t.Errorf("the index names %d roles, want 30", got)
	}
}

func TestDropWaitsForAFetchUnderWay(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	synctest.Test(t, func(t *testing.T) {
		unlock, err := s.LockRole(t.Context(), testRole)
		if err != nil {
			t.Fatal(err)
		}
		keys := s.RoleKeys(testSession)
		if len(keys) != 1 {
			t.Fatalf("a fetch under way is not in the index: %v", names(keys))
		}
		go func() {
			time.Sleep(time.Second)
			if err := s.SaveRoleCredentials(t.Context(), testRole, testCreds); err != nil {
				t.Error(err)
			}
			unlock()
		}()
		if err := s.DropRoleCredentials(keys); err != nil {
			t.Fatal(err)
		}
		if _, err := s.RoleCredentials(testRole); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what the fetch stored is still there: %v", err)
		}
		again, err := s.LockRole(t.Context(), testRole)
		if err != nil {
			t.Fatal(err)
		}
		defer again()
		start := time.Now()
		if err := s.DropRoleCredentials(keys); err != nil || time.Since(start) > dropWait {
			t.Errorf("a fetch that hangs: %v after %v", err, time.Since(start))
		}
	})
}

func TestRemoveAllTakesOnlySSO(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if err := s.RemoveAllSSORoleCredentials(); err != nil {
		t.Errorf("without a folder: %v", err)
	}
	if err := s.SaveRoleCredentials(t.Context(), testRole, testCreds); err != nil {
		t.Fatal(err)
	}
	stay := map[string]string{
		"session.db": "SQLite format 3\x00", "aaaa.json": strings.Replace(roleFile, `"sso"`, `"assume-role"`, 1),
		"bbbb.json": "not json", "cccc.json": "[]", "dddd.json": "", "eeee.json": `{"Credentials": {}}`, "ffff": roleFile,
	}
	for name, file := range stay {
		put(t, filepath.Join(s.cliDir(), name), file)
	}
	put(t, filepath.Join(s.cliDir(), "theirs.json"), roleFile) // the AWS CLI fetched it, for whatever session
	if err := os.Mkdir(filepath.Join(s.cliDir(), "folder.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := s.RemoveAllSSORoleCredentials(); err != nil {
		t.Fatal(err)
	}
	for name, file := range stay {
		if got := content(t, filepath.Join(s.cliDir(), name)); got != file {
			t.Errorf("%s became %q", name, got)
		}
	}
	for _, path := range []string{s.RolePath(testRole), filepath.Join(s.cliDir(), "theirs.json"),
		s.ownPath(indexName(testSession))} {
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is still there", path)
		}
	}
}

func TestDropLeavesEntriesOfOthers(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	file := strings.Replace(roleFile, `"sso"`, `"assume-role"`, 1)
	put(t, s.RolePath(testRole), file)
	if err := s.DropRoleCredentials([]RoleKey{testRole}); err != nil {
		t.Fatal(err)
	}
	if got := content(t, s.RolePath(testRole)); got != file {
		t.Errorf("became %q", got)
	}
}

func TestRoleCacheInTheWay(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, filepath.Join(s.AWSDir, "cli"), "a file")
	if err := s.SaveRoleCredentials(t.Context(), testRole, testCreds); fault.KindOf(err) != fault.Config ||
		fault.RemedyOf(err) == nil {
		t.Errorf("save: %v", err)
	}
	if _, err := s.RoleCredentials(testRole); err == nil {
		t.Error("read credentials out of nothing")
	}
}
