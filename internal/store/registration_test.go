package store

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

func registered(id string, pkce bool) session.Registration {
	r := session.Registration{
		ClientID: id, ClientSecret: session.NewSecret("secret-" + id), ExpiresAt: registration, Scopes: []string{"sso:account:access"},
	}
	if pkce {
		r.GrantTypes = []string{"authorization_code", "refresh_token"}
	}
	return r
}

func TestRegistrations(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	s.Now = func() time.Time { return expiry }
	pkce, device := RegistrationKey{testSession, true}, RegistrationKey{testSession, false}
	check := func(what string, k RegistrationKey, want string) {
		t.Helper()
		r, err := s.Registration(k)
		if want == "" && !errors.Is(err, fs.ErrNotExist) || want != "" && (err != nil || r.ClientID != want) {
			t.Errorf("%s, pkce %v: %q, %v; want %q", what, k.PKCE, r.ClientID, err, want)
		}
	}
	save := func(k RegistrationKey, id string) {
		t.Helper()
		if err := s.SaveRegistration(t.Context(), k, registered(id, k.PKCE)); err != nil {
			t.Fatal(err)
		}
	}
	check("nothing saved", pkce, "")
	save(pkce, "p1")
	const file = `{"version": 1, "clientId": "p1", "clientSecret": "secret-p1", "expiresAt": "2026-05-31T08:00:00Z", ` +
		`"scopes": ["sso:account:access"], "grantTypes": ["authorization_code", "refresh_token"]}`
	if got := content(t, s.RegistrationPath(pkce)); got != file {
		t.Errorf("wrote\n%s\nwant the AWS CLI's members, after the version\n%s", got, file)
	}
	check("saved", pkce, "p1")
	check("the other kind", device, "")
	save(device, "d1")
	check("both", pkce, "p1")
	check("both", device, "d1")
	save(pkce, "p2")
	check("renewed", pkce, "p2")
	check("renewed", device, "d1")
	if strings.Contains(content(t, s.RegistrationPath(device)), "ccessToken") {
		t.Error("others would take the registration for a token")
	}
	if err := s.DropRegistration(t.Context(), pkce); err != nil {
		t.Fatal(err)
	}
	check("dropped", pkce, "")
	check("the other one dropped", device, "d1")
	for range 2 { // the second time there is nothing to drop
		if err := s.DropRegistration(t.Context(), device); err != nil {
			t.Fatal(err)
		}
	}
	check("both dropped", device, "")
	noLitterIn(t, filepath.Dir(s.RegistrationPath(pkce)))
}

func noLitterIn(t *testing.T, dir string) {
	t.Helper()
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRegistrationsThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	k := RegistrationKey{Session: testSession}
	if err := s.SaveRegistration(t.Context(), k, registered("d1", false)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		left time.Duration
		ok   bool
	}{{15*time.Minute + time.Second, true}, {15 * time.Minute, false}, {-time.Hour, false}} {
		s.Now = func() time.Time { return registration.Add(-tt.left) }
		if _, err := s.Registration(k); (err == nil) != tt.ok {
			t.Errorf("with %v left: %v, want usable: %v", tt.left, err, tt.ok)
		}
	}
	s.Now = func() time.Time { return expiry }
	whole := content(t, s.RegistrationPath(k))
	for name, file := range map[string]string{
		"empty": "", "cut short": whole[:40], "not JSON": "x", "null secret": strings.Replace(whole, `"secret-d1"`, "null", 1),
		"no expiry": strings.Replace(whole, "expiresAt", "expires", 1),
	} {
		put(t, s.RegistrationPath(k), file)
		if _, err := s.Registration(k); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.SaveRegistration(t.Context(), k, registered("d2", false)); err != nil {
			t.Errorf("%s: cannot be replaced: %v", name, err)
		}
		if r, err := s.Registration(k); err != nil || r.ClientID != "d2" {
			t.Errorf("%s: replaced by %q, %v", name, r.ClientID, err)
		}
	}
	put(t, filepath.Join(s.RegistrationPath(RegistrationKey{Session: session.Session{Name: "x"}}), "y"), "")
	if err := s.SaveRegistration(t.Context(), RegistrationKey{Session: session.Session{Name: "x"}}, registered("d",
		false)); fault.KindOf(
		err,
	) != fault.Config {
		t.Errorf("a folder in the way: %v", err)
	}
}
