package refresh

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/testtools"
)

func TestTransientFailures(t *testing.T) {
	t.Parallel()
	throttled, server, none := broken(
		idc.CodeThrottled,
		fault.Unavailable,
	), broken(idc.CodeServer, fault.Unavailable), broken(idc.CodeNetwork, fault.Unavailable)
	for _, tt := range []struct {
		name         string
		left         time.Duration
		fail         []error
		access       string // "" = Unavailable
		calls        int    // at least, when it fails
		within, over time.Duration
	}{
		{"the token still serves: it is used", 9 * time.Minute, times(99, server), "access-1", 1, 0, 0},
		{"three failures, fourth call good", -time.Minute, []error{throttled, server, drop()}, "access-5", 4, 2 * time.Second, 0},
		{"seven failures, eighth call good", -time.Minute, times(7, throttled), "access-9", 8, 30 * time.Second, 0},
		{"does not end: 429", -time.Minute, times(99, throttled), "", 8, 30 * time.Second, 15 * time.Second},
		{"does not end: 500", -time.Minute, times(99, server), "", 8, 30 * time.Second, 15 * time.Second},
		{"does not end: dropped", -time.Minute, times(99, drop()), "", 8, 30 * time.Second, 15 * time.Second},
		{"nothing there", -time.Minute, times(99, none), "", 3, time.Second, 0},
		{"nonsense from a proxy", -time.Minute, times(99, broken(idc.CodeNonsense, fault.Unavailable)), "", 1, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &service{fail: tt.fail}
				r := newRenewer(t, f, dev, token(tt.left))
				start := time.Now()
				got, err := r.Token(t.Context(), dev)
				took := time.Since(start)
				if tt.access != "" &&
					(err != nil || got.AccessToken.Reveal() != tt.access || len(f.calls) != tt.calls) {
					t.Errorf("got %s, %v after %d calls; want %s after %d", got.AccessToken.Reveal(), err,
						len(f.calls), tt.access, tt.calls)
				}
				if tt.access == "" {
					if fault.KindOf(err) != fault.Unavailable ||
						!strings.HasPrefix(err.Error(), `cannot renew the token of session "dev": the `) ||
						fault.RemedyOf(err) != fault.Advice("advice of idc") {
						t.Errorf("got %v, remedy %#v", err, fault.RemedyOf(err))
					}
					if len(f.calls) < tt.calls {
						t.Errorf("%d calls, want at least %d: %v", len(f.calls), tt.calls, f.calls)
					}
					if got := stored(t, r, dev); got != "access-1 refresh-1" {
						t.Errorf("the file holds %s", got)
					}
				}
				if took > tt.within || took < tt.over {
					t.Errorf("took %v, want %v to %v", took, tt.over, tt.within)
				}
			})
		})
	}
}

func TestNothingIsSpentThatCannotBeStored(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, path string){
		"no lock": func(t *testing.T, path string) {
			lock := strings.TrimSuffix(path, ".json") + ".lock"
			if err := os.Remove(lock); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(lock, 0o700); err != nil {
				t.Fatal(err)
			}
		},
		"no temporary file": func(t *testing.T, path string) {
			// A name of 250 bytes leaves room for ".lock" but not for the name of a temporary file.
			target := filepath.Join(filepath.Dir(path), strings.Repeat("n", 250))
			if err := os.Rename(path, target); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, path); err != nil {
				testtools.Missing(t, "a file system with symbolic links ("+err.Error()+")", "set TMPDIR to a folder on one")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &service{}
				r := newRenewer(t, f, dev, token(time.Minute))
				spoil(t, r.Store.TokenPath("dev"))
				if got, err := r.Token(t.Context(), dev); err != nil || got.AccessToken.Reveal() != "access-1" {
					t.Errorf("while the token lasts: %v", err)
				}
				time.Sleep(time.Minute)
				if _, err := r.Token(t.Context(), dev); fault.KindOf(err) != fault.Config ||
					fault.RemedyOf(err) == nil {
					t.Errorf("afterwards: %v, remedy %#v", err, fault.RemedyOf(err))
				}
				if len(f.calls) != 0 {
					t.Errorf("%d calls", len(f.calls))
				}
			})
		})
	}
}

func TestInterruptedCallerStillStoresTheAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{slow: 3 * time.Second}
		r := newRenewer(t, f, dev, token(-time.Minute))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := r.Token(ctx, dev); err != nil {
			t.Errorf("the answer came within the grace: %v", err)
		}
		if got := stored(t, r, dev); got != "access-2 refresh-2" {
			t.Errorf("stored %s", got)
		}
	})
}

func TestInterruptedCallerDoesNotHang(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*service{
		"an answer that does not come": {slow: time.Hour},
		"between two tries":            {fail: times(99, broken(idc.CodeServer, fault.Unavailable))},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRenewer(t, f, dev, token(-time.Minute))
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(2*time.Second, cancel)
			start := time.Now()
			if _, err := r.Token(ctx, dev); fault.KindOf(err) != fault.Interrupted {
				t.Errorf("%s: %v", name, err)
			}
			if took := time.Since(start); took > 2*time.Second+grace {
				t.Errorf("%s: took %v", name, took)
			}
		})
	}
}

// The place was there before the token was spent, and is not when there is something to put into it: who asked gets
// the token, and the next one finds it.
func TestTokenThatCannotBePutInItsPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{slow: time.Second}
		r := newRenewer(t, f, dev, token(-time.Minute))
		path := r.Store.TokenPath("dev")
		go func() {
			time.Sleep(500 * time.Millisecond)
			if err := errors.Join(os.Rename(path, path+".aside"), os.MkdirAll(filepath.Join(path, "x"), 0o700)); err != nil {
				t.Error(err)
			}
		}()
		if got, err := r.Token(t.Context(), dev); err != nil || got.AccessToken.Reveal() != "access-2" {
			t.Errorf("got %s, %v; it is in memory, and good", got.AccessToken.Reveal(), err)
		}
		if err := errors.Join(os.RemoveAll(path), os.Rename(path+".aside", path)); err != nil {
			t.Fatal(err)
		}
		if got, err := r.Token(t.Context(), dev); err != nil || got.AccessToken.Reveal() != "access-2" ||
			len(f.calls) != 1 {
			t.Errorf("afterwards: %s, %v, %d calls", got.AccessToken.Reveal(), err, len(f.calls))
		}
		if got := stored(t, r, dev); got != "access-2 refresh-2" {
			t.Errorf("stored %s", got)
		}
	})
}
