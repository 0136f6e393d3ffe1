package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/testtools"
)

const moveFrom, moveTo = "https://d-1234567890.awsapps.com/start", "dev"

// keepToken stores t under key and returns the bytes of its file.
func keepToken(t *testing.T, s *Store, key string, token session.Token) string {
	t.Helper()
	u, err := s.BeginToken(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Commit(token); err != nil {
		t.Fatal(err)
	}
	return tokenText(t, s, key)
}

// tokenText is the token file of key, "" when there is none.
func tokenText(t *testing.T, s *Store, key string) string {
	t.Helper()
	b, err := os.ReadFile(s.TokenPath(key))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return string(b)
}

func TestMoveToken(t *testing.T) {
	t.Parallel()
	long := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	renewable := fullToken()
	renewable.ExpiresAt, renewable.RegistrationExpiresAt = long, long
	other := renewable
	other.AccessToken = session.NewSecret("another")
	unrenewable := other
	unrenewable.RefreshToken = session.Secret{}
	expired := unrenewable
	expired.ExpiresAt = time.Now().Add(-time.Hour)
	lapsed := renewable
	lapsed.ExpiresAt = time.Now().Add(-time.Hour)
	for _, tt := range []struct {
		name     string
		from, to *session.Token
		want     bool
	}{
		{"renewable", &renewable, nil, true},
		{"renewable and expired", &lapsed, nil, true},
		{"over one that cannot be used", &renewable, &expired, true},
		{"not renewable", &unrenewable, nil, false},
		{"the other is valid", &renewable, &unrenewable, false},
		{"the other is renewable", &renewable, &other, false},
		{"nothing there", nil, nil, false},
		{"nothing there, the other is valid", nil, &other, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := &Store{AWSDir: t.TempDir()}
			var from, to string
			if tt.from != nil {
				from = keepToken(t, s, moveFrom, *tt.from)
			}
			if tt.to != nil {
				to = keepToken(t, s, moveTo, *tt.to)
			}
			moved, err := s.MoveToken(t.Context(), moveFrom, moveTo, nil)
			if err != nil || moved != tt.want {
				t.Fatalf("moved %v, %v", moved, err)
			}
			if moved {
				from, to = "", from
			}
			if gotFrom, gotTo := tokenText(t, s, moveFrom), tokenText(t, s, moveTo); gotFrom != from || gotTo != to {
				t.Errorf("from %q to %q", gotFrom, gotTo)
			}
			if tt.from == nil && tt.to == nil {
				if _, err := os.Stat(s.ssoDir()); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("a folder was made to find nothing: %v", err)
				}
			}
		})
	}
}

// A file that cannot be read is replaced, and a link stays a link to the same place.
func TestMoveTokenOverRubbish(t *testing.T) {
	t.Parallel()
	s := &Store{AWSDir: t.TempDir()}
	token := fullToken()
	token.RegistrationExpiresAt = time.Now().Add(time.Hour)
	text := keepToken(t, s, moveFrom, token)
	if err := os.WriteFile(s.TokenPath(moveTo), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(s.ssoDir(), "elsewhere")
	if err := os.Rename(s.TokenPath(moveFrom), elsewhere); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, s.TokenPath(moveFrom)); err != nil {
		testtools.Missing(t, "a file system with symbolic links ("+err.Error()+")", "set TMPDIR to a folder on one")
	}
	if moved, err := s.MoveToken(t.Context(), moveFrom, moveTo, nil); err != nil || !moved {
		t.Fatal(moved, err)
	}
	if tokenText(t, s, moveTo) != text || tokenText(t, s, moveFrom) != "" {
		t.Error("the token is not where it should be")
	}
	if _, err := os.Lstat(s.TokenPath(moveFrom)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link to nothing stays behind: %v", err)
	}
}

// Of many that move one token at once one does, and the file is the same one under another name: nothing was copied.
func TestMoveTokenIsOneStep(t *testing.T) {
	t.Parallel()
	s := &Store{AWSDir: t.TempDir()}
	token := fullToken()
	token.RegistrationExpiresAt = time.Now().Add(time.Hour)
	text := keepToken(t, s, moveFrom, token)
	before, err := os.Stat(s.TokenPath(moveFrom))
	if err != nil {
		t.Fatal(err)
	}
	var moves atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if moved, err := s.MoveToken(t.Context(), moveFrom, moveTo, nil); err != nil {
				t.Error(err)
			} else if moved {
				moves.Add(1)
			}
		})
	}
	all.Wait()
	after, err := os.Stat(s.TokenPath(moveTo))
	if err != nil || !os.SameFile(before, after) || tokenText(t, s, moveTo) != text || moves.Load() != 1 {
		t.Errorf("%d moves, the same file: %v, %v", moves.Load(), err == nil && os.SameFile(before, after), err)
	}
}

// What is known of the target beyond its file decides, but for a token that is newer than that.
func TestMoveTokenOverARefusedOne(t *testing.T) {
	t.Parallel()
	good := fullToken()
	good.ExpiresAt = time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	good.RegistrationExpiresAt = good.ExpiresAt
	for _, over := range []bool{false, true} {
		s := &Store{AWSDir: t.TempDir()}
		text := keepToken(t, s, moveFrom, good)
		refused := good
		refused.AccessToken = session.NewSecret("refused")
		keepToken(t, s, moveTo, refused)
		moved, err := s.MoveToken(t.Context(), moveFrom, moveTo, func() bool { return over })
		if err != nil || moved != over || (tokenText(t, s, moveTo) == text) != over {
			t.Errorf("over %v: moved %v (%v)", over, moved, err)
		}
	}
}
