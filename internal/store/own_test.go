package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// entries returns the names in a folder; none for a missing one.
func entries(t *testing.T, dir string) (names []string) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// Whatever happens, the AWS CLI's folders hold its own files, and locks and drafts of tokens.
func TestWhereFilesAre(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	commit(t, s, "k", fullToken())
	refuse(t, s, fullRefusal)
	s.Try("k")
	if err := s.SaveRegistration(t.Context(), RegistrationKey{Session: testSession}, registered("a", false)); err != nil {
		t.Fatal(err)
	}
	unlock, err := s.LockRole(t.Context(), testRole)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := s.SaveRoleCredentials(t.Context(), testRole, testCreds); err != nil {
		t.Fatal(err)
	}
	token := filepath.Base(s.TokenPath("k"))
	if got, want := entries(t, s.ssoDir()), []string{token, lockPath(token)}; !slices.Equal(got, want) {
		t.Errorf("sso/cache holds %q, want %q", got, want)
	}
	if got, want := entries(t, s.cliDir()), []string{filepath.Base(s.RolePath(testRole))}; !slices.Equal(got, want) {
		t.Errorf("cli/cache holds %q, want %q", got, want)
	}
	own := entries(t, filepath.Join(s.AWSDir, ownFolder))
	want := []string{
		filepath.Base(
			s.RegistrationPath(RegistrationKey{Session: testSession}),
		), "refused-" + token, roleLock(testRole),
		indexName(testSession), lockPath(indexName(testSession)), "tried-" + token,
	}
	slices.Sort(want)
	if !slices.Equal(own, want) {
		t.Errorf("homing holds %q, want %q", own, want)
	}
	for _, name := range own {
		var o map[string]any
		text := content(t, filepath.Join(s.AWSDir, ownFolder, name))
		if err := json.Unmarshal([]byte(text), &o); err != nil ||
			(o["version"] != 1.0) != strings.HasSuffix(name, ".lock") {
			t.Errorf("%s holds %s, %v", name, text, err)
		}
	}
}

// The process that makes the folder moves or removes what an earlier version left; later processes do not.
func TestTidyOnce(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.Now = func() time.Time { return expiry }
	key := RegistrationKey{Session: testSession}
	if err := s.SaveRegistration(t.Context(), key, registered("a", false)); err != nil {
		t.Fatal(err)
	}
	registration := content(t, s.RegistrationPath(key))
	if err := os.RemoveAll(s.ownDir()); err != nil {
		t.Fatal(err)
	}
	token := strings.TrimSuffix(s.TokenPath("k"), ".json")
	role := strings.TrimSuffix(s.RolePath(testRole), ".json")
	oldIndex := filepath.Join(s.cliDir(), "homing-"+indexName(testSession))
	oldRegistration := filepath.Join(s.ssoDir(), filepath.Base(s.RegistrationPath(key)))
	put(t, oldRegistration, registration)
	put(t, oldIndex, `{"sessionName": "dev", "roles": [{"accountId": "123456789012", "roleName": "Admin"}]}`)
	left := []string{token + ".refused", token + ".tried", role + ".lock", lockPath(oldIndex)}
	stay := []string{
		token + ".lock",
		token + ".json",
		role + ".json",
		filepath.Join(s.ssoDir(), "theirs.refused"),
		filepath.Join(s.cliDir(), "session.db"),
	}
	for _, path := range append(left, stay...) {
		put(t, path, "")
	}
	if keys := s.RoleKeys(testSession); len(keys) != 1 || !sameRole(keys[0], testRole) {
		t.Errorf("the index names %v", names(keys))
	}
	for _, path := range append(left, oldIndex) {
		if exists(path) {
			t.Errorf("%s is still there", path)
		}
	}
	for _, path := range stay {
		if !exists(path) {
			t.Errorf("%s is gone", path)
		}
	}
	if r, err := s.Registration(key); err != nil || r.ClientID != "a" || exists(oldRegistration) {
		t.Errorf("the registration has not moved: %v, %v", r.ClientID, err)
	}
	put(t, left[0], "")
	refuse(t, s, fullRefusal)
	if !exists(left[0]) {
		t.Error("tidied twice")
	}
}

// A newer homing may share the folder: its files stay as they are, and an error names them.
func TestNewerFiles(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	put(t, s.TokenPath("k"), fullFile)
	key := RegistrationKey{Session: testSession}
	newer := `{"version": 2, "by": "b1", "refresh": "r1", "said": "invalid_grant"}`
	for name, use := range map[string]func() error{
		filepath.Base(s.RegistrationPath(key)): func() error {
			return s.SaveRegistration(t.Context(), key,
				registered("a", false))
		},
		refusedName(s.TokenPath("k")): func() error {
			return s.Refused(t.Context(), "k", func(Refusal) (Refusal, bool) { return fullRefusal, true })
		},
		indexName(testSession): func() error { return s.SaveRoleCredentials(t.Context(), testRole, testCreds) },
	} {
		path := s.ownPath(name)
		put(t, path, newer)
		err := use()
		if fault.KindOf(err) != fault.Config || !strings.Contains(fmt.Sprint(err), path) {
			t.Errorf("%s: %v", name, err)
		}
		if got := content(t, path); got != newer {
			t.Errorf("%s holds %s", name, got)
		}
	}
	if got := s.Refusal("k"); got != (Refusal{}) {
		t.Errorf("a newer record was believed: %+v", got)
	}
	commit(t, s, "k", fullToken())
	if err := s.RemoveAllSSORoleCredentials(); fault.KindOf(err) != fault.Config {
		t.Error(err)
	}
	for _, name := range []string{refusedName(s.TokenPath("k")), indexName(testSession)} {
		if got := content(t, s.ownPath(name)); got != newer {
			t.Errorf("%s holds %s", name, got)
		}
	}
}

// aws2-wrap parses every file in the folder of tokens, at any moment.
func TestEveryFileIsJSON(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	commit(t, s, "k", fullToken())
	stop := make(chan struct{})
	var reader sync.WaitGroup
	kinds := map[string]int{}
	reader.Go(func() {
		for {
			for _, name := range entries(t, s.ssoDir()) {
				text, err := os.ReadFile(filepath.Join(s.ssoDir(), name))
				if errors.Is(err, fs.ErrNotExist) {
					continue
				}
				kinds[filepath.Ext(name)]++
				if !json.Valid(text) {
					t.Errorf("%s holds %d bytes that are no JSON: %.60q, %v", name, len(text), text, err)
					return
				}
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	big := fullToken()
	big.ClientSecret = session.NewSecret(strings.Repeat("s", 9000)) // more than two pages
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		commit(t, s, "k", big)
		u, err := s.LockToken(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(u.Prepare(), u.Renewed(fullToken())); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(lockPath(s.TokenPath("k"))); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	reader.Wait()
	if kinds[".json"] == 0 || kinds[".lock"] == 0 || kinds[".tmp"] == 0 {
		t.Errorf("not all kinds of files were seen: %v", kinds)
	}
}

// A token takes the place of its draft in one step: overwriting {} takes more than one for the reader of the folder,
// and a kill in between would leave half a token.
func TestDraftIsReplaced(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	d, err := newDraft(s.TokenPath("k"), "", reserve)
	if err != nil {
		t.Fatal(err)
	}
	defer d.discard()
	before, err := os.Open(d.temp)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = before.Close() }()
	if err := d.fill([]byte(fullFile)); err != nil {
		t.Fatal(err)
	}
	text := make([]byte, 2*reserve)
	if n, err := before.Read(text); err != nil || n != reserve+2 || strings.TrimSpace(string(text[:n])) != "{}" {
		t.Errorf("the draft holds %.80q, %v", text[:n], err)
	}
	if got := content(t, d.temp); got != fullFile {
		t.Errorf("the token is %.80q", got)
	}
	if left := entries(t, s.ssoDir()); len(left) != 1 {
		t.Errorf("the folder holds %q", left)
	}
}
