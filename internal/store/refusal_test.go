package store

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
)

var fullRefusal = Refusal{By: "b1", Refresh: "r1", Code: "invalid_grant", Settled: true, Access: "a1"}

func refuse(t *testing.T, s *Store, r Refusal) {
	t.Helper()
	err := s.Refused(t.Context(), "k", func(Refusal) (Refusal, bool) { return r, true })
	if err != nil {
		t.Fatal(err)
	}
}

func TestRefusal(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if got := s.Refusal("k"); got != (Refusal{}) {
		t.Errorf("without a file: %+v", got)
	}
	for _, want := range []Refusal{
		fullRefusal,
		{By: "b1", Refresh: "r1", Code: "invalid_client"},
		{By: "b1", Access: "a1"},
	} {
		refuse(t, s, want)
		if got := s.Refusal("k"); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		if got := s.Refusal("other"); got != (Refusal{}) {
			t.Errorf("another key has it: %+v", got)
		}
	}
	path := s.ownPath(refusedName(s.TokenPath("k")))
	var o map[string]any
	if err := json.Unmarshal([]byte(content(t, path)), &o); err != nil || o["version"] != 1.0 {
		t.Errorf("%s holds %v, %v", path, o, err)
	}
	left := false
	err := s.Refused(t.Context(), "k", func(r Refusal) (Refusal, bool) {
		left = r == Refusal{By: "b1", Access: "a1"}
		return fullRefusal, false
	})
	if got := s.Refusal("k"); err != nil || !left || got == fullRefusal {
		t.Errorf("what was to be left is %+v, %v", got, err)
	}
}

// A new token, by whatever way, and signing out leave no refusal behind. Giving up does.
func TestRefusalGoesWithItsToken(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(s *Store, u *TokenUpdate) error
		gone bool
	}{
		"sign-in":     {func(_ *Store, u *TokenUpdate) error { return u.Commit(fullToken()) }, true},
		"renewal":     {func(_ *Store, u *TokenUpdate) error { return u.Renewed(fullToken()) }, true},
		"abandonment": {func(_ *Store, u *TokenUpdate) error { u.Abort(); return nil }, false},
		"sign-out": {func(s *Store, u *TokenUpdate) error {
			u.Abort()
			return s.RemoveToken(context.Background(), "k")
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			put(t, s.TokenPath("k"), fullFile)
			refuse(t, s, fullRefusal)
			u, err := s.BeginToken(t.Context(), "k")
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.do(s, u); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(s.ownPath(refusedName(s.TokenPath("k")))); (err != nil) != tt.gone {
				t.Errorf("the refusal is gone: %v, want %v", err != nil, tt.gone)
			}
		})
	}
}

// Nobody may be locked out by what somebody put in the place of the record.
func TestRefusalThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(path string) error{
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"empty":  func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"half": func(path string) error {
			return os.WriteFile(path, []byte(`{"by": "b1", "refresh": "r1", "said"`), 0o600)
		},
		"other things": func(path string) error {
			return os.WriteFile(path, []byte(`{"by": 1, "refresh": null, "settled": "true"}`), 0o600)
		},
	} {
		s := newStore(t)
		put(t, s.TokenPath("k"), fullFile)
		refuse(t, s, fullRefusal)
		s.forgetNotes(s.TokenPath("k"))
		if err := spoil(s.ownPath(refusedName(s.TokenPath("k")))); err != nil {
			t.Fatal(err)
		}
		if got := s.Refusal("k"); got != (Refusal{}) {
			t.Errorf("%s: %+v", name, got)
		}
		err := s.Refused(t.Context(), "k", func(Refusal) (Refusal, bool) { return fullRefusal, true })
		if got := s.Refusal("k"); (err == nil) != (got == fullRefusal) ||
			err != nil && fault.KindOf(err) != fault.Config {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		commit(t, s, "k", fullToken())
	}
}

// The record stands in our folder, also where the token is a link: nothing but the token and its lock is beside the
// target.
func TestRefusalOfALink(t *testing.T) {
	t.Parallel()
	s, elsewhere := newStore(t), t.TempDir()
	put(t, filepath.Join(elsewhere, "token.json"), fullFile)
	link(t, filepath.Join(elsewhere, "token.json"), s.TokenPath("k"))
	refuse(t, s, fullRefusal)
	if left := entries(t, elsewhere); s.Refusal("k") != fullRefusal ||
		!slices.Equal(left, []string{"token.json", "token.lock"}) {
		t.Errorf("%+v, %v", s.Refusal("k"), left)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	if Fingerprint("ab", "c") == Fingerprint("a", "bc") || len(Fingerprint()) != 64 {
		t.Error("a fingerprint must tell its parts apart")
	}
}
