package store

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/files"
)

// A caller that ends a session gets its latest token, even one that did not reach its place, and no file keeps it.
func TestTake(t *testing.T) {
	t.Parallel()
	newer := strings.NewReplacer("access-1", "access-2", "refresh-1", "refresh-2").Replace(fullFile)
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, s *Store, path string)
		access  string
	}{
		"a token": {func(t *testing.T, _ *Store, path string) { put(t, path, fullFile) }, "access-1"},
		"a token that was not renamed": {func(t *testing.T, _ *Store, path string) {
			put(t, path, fullFile)
			put(t, files.TempName(path, generation(path)+"-"), newer)
		}, "access-2"},
		"nothing of use": {func(t *testing.T, _ *Store, path string) { put(t, path, "[]") }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			path := s.TokenPath("k")
			tt.prepare(t, s, path)
			got, err := s.Take(t.Context(), path)
			if err != nil || got.AccessToken.Reveal() != tt.access {
				t.Errorf("got %s, %v; want %s", got.AccessToken.Reveal(), err, tt.access)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 ||
				!strings.HasSuffix(left[0], ".lock") {
				t.Errorf("left: %v", left)
			}
			if _, err := s.Take(t.Context(), path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the second time: %v", err)
			}
		})
	}
}

// The same beside a process that holds the lock for good.
func TestSnatch(t *testing.T) {
	t.Parallel()
	for content, access := range map[string]string{fullFile: "access-1", "[]": ""} {
		s := newStore(t)
		path := s.TokenPath("k")
		put(t, path, content)
		refuse(t, s, fullRefusal)
		u, err := s.LockToken(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Snatch(path)
		if err != nil || got.AccessToken.Reveal() != access {
			t.Errorf("got %s, %v; want %s", got.AccessToken.Reveal(), err, access)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 ||
			!strings.HasSuffix(left[0], ".lock") {
			t.Errorf("left: %v", left)
		}
		if _, err := s.Snatch(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the second time: %v", err)
		}
		u.Abort()
	}
}
