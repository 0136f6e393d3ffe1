package refresh

import (
	"bytes"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

func TestWhenATokenIsRenewed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		token  func() session.Token
		ask    string // Token, Renew or Replace
		access string // "" = SignInNeeded
		calls  int
	}{
		{"plenty of time left", func() session.Token { return token(10 * time.Minute) }, "Token", "access-1", 0},
		{"less than ten minutes left", func() session.Token { return token(10*time.Minute - time.Second) }, "Token", "access-2", 1},
		{"expired", func() session.Token { return token(-time.Hour) }, "Token", "access-2", 1},
		{"cannot be renewed and lasts", func() session.Token { return unrenewable(time.Minute) }, "Token", "access-1", 0},
		{"cannot be renewed and expired", func() session.Token { return unrenewable(-time.Minute) }, "Token", "", 0},
		{"sign-in: plenty of time left", func() session.Token { return token(time.Hour) }, "Renew", "access-1", 0},
		{"sign-in: less than ten minutes left", func() session.Token { return token(time.Minute) }, "Renew", "access-2", 1},
		{"sign-in: cannot be renewed, plenty of time left", func() session.Token { return unrenewable(time.Hour) }, "Renew", "access-1", 0},
		{"sign-in: cannot be renewed and about to end", func() session.Token { return unrenewable(time.Minute) }, "Renew", "", 0},
		{"refused before its time", func() session.Token { return token(time.Hour) }, "Replace", "access-2", 1},
		{"refused before its time, cannot be renewed", func() session.Token { return unrenewable(time.Hour) }, "Replace", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &service{}
				r := newRenewer(t, f, dev, tt.token())
				var got session.Token
				var err error
				renewed := false
				switch tt.ask {
				case "Token":
					got, err = r.Token(t.Context(), dev)
				case "Renew":
					got, renewed, err = r.Renew(t.Context(), dev)
					if renewed != (tt.calls > 0) {
						t.Errorf("renewed is %v", renewed)
					}
				case "Replace":
					got, err = r.Replace(t.Context(), dev, session.NewSecret("access-1"))
				}
				if tt.access == "" {
					if fault.KindOf(err) != fault.SignInNeeded {
						t.Errorf("got %v, want that a sign-in is needed", err)
					}
				} else if err != nil || got.AccessToken.Reveal() != tt.access {
					t.Errorf("got %s, %v; want %s", got.AccessToken.Reveal(), err, tt.access)
				}
				if len(f.calls) != tt.calls {
					t.Errorf("%d calls, want %d", len(f.calls), tt.calls)
				}
				if tt.calls > 0 {
					if want := time.Now().Add(time.Hour).Truncate(time.Second); !got.ExpiresAt.Equal(want) ||
						stored(t, r, dev) != "access-2 refresh-2" {
						t.Errorf("expires at %v, want %v; stored %s", got.ExpiresAt, want, stored(t, r, dev))
					}
				}
			})
		})
	}
}

// A legacy token that can be renewed is renewed before the earliest SDK refuses it, which is 15 minutes before its
// end.
func TestLegacyIsRenewedEarlier(t *testing.T) {
	t.Parallel()
	legacy := dev
	legacy.Name = ""
	for _, tt := range []struct {
		left  time.Duration
		calls int
	}{{20 * time.Minute, 0}, {20*time.Minute - time.Second, 1}, {15 * time.Minute, 1}, {-time.Hour, 1}} {
		synctest.Test(t, func(t *testing.T) {
			f := &service{}
			r := newRenewer(t, f, legacy, token(tt.left))
			if _, err := r.Token(t.Context(), legacy); err != nil || len(f.calls) != tt.calls {
				t.Errorf("%v left: %d calls, want %d (%v)", tt.left, len(f.calls), tt.calls, err)
			}
		})
	}
}

func TestAnswerWithoutRefreshTokenKeepsTheOldOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{sticky: true}
		r := newRenewer(t, f, dev, token(-time.Minute))
		for _, want := range []string{"access-2 refresh-1", "access-3 refresh-1"} {
			if _, err := r.Token(t.Context(), dev); err != nil {
				t.Fatal(err)
			}
			if got := stored(t, r, dev); got != want {
				t.Errorf("stored %s, want %s", got, want)
			}
			time.Sleep(time.Hour)
		}
	})
}

// A person who asks to sign in again because an SDK cannot read the file must not be told that all is well and sent
// away.
func TestRenewMakesAGoodTokenReadable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := newRenewer(t, f, dev, token(time.Hour))
		path := r.Store.TokenPath(dev.CacheKey())
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.ReplaceAll(good, []byte(`Z"`), []byte(`+00:00"`)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Token(t.Context(), dev); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); bytes.Equal(got, good) {
			t.Error("Token, which programs call in the background, wrote the file")
		}
		if got, renewed, err := r.Renew(t.Context(), dev); err != nil || renewed ||
			got.AccessToken.Reveal() != "access-1" ||
			len(f.calls) != 0 {
			t.Errorf("renewed %v after %d calls, %v", renewed, len(f.calls), err)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, good) {
			t.Errorf("the file holds\n%s, want\n%s", got, good)
		}
	})
}

// A token that was issued for less than twenty minutes is renewed at half its life: near the end of the portal
// session all are, and each use would renew them again.
func TestWhenAShortTokenIsRenewed(t *testing.T) {
	t.Parallel()
	const never = 100 * time.Hour
	for _, tt := range []struct {
		name          string
		written, left time.Duration // since the file was written, until the token ends
		renewed       bool
	}{
		{"issued for 5 min, fresh", 0, 5 * time.Minute, false},
		{"issued for 5 min, half of it left", 150 * time.Second, 150 * time.Second, false},
		{"issued for 5 min, less than half left", 151 * time.Second, 149 * time.Second, true},
		{"issued for 18 min, 9 left", 9 * time.Minute, 9 * time.Minute, false},
		{"issued for 18 min, less than 9 left", 9*time.Minute + time.Second, 9*time.Minute - time.Second, true},
		{"issued for an hour, 9 min left", 51 * time.Minute, 9 * time.Minute, true},
		{"the file's time is in the future", -20 * time.Minute, 9 * time.Minute, true},
		{"the file's time is long ago", never, 9 * time.Minute, true},
		{"copied a moment ago, 4 min left", 0, 4 * time.Minute, false},
		{"expired", 5 * time.Minute, -time.Second, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &service{}
			r := newRenewer(t, f, dev, token(tt.left))
			if err := os.Chtimes(r.Store.TokenPath("dev"), time.Time{}, time.Now().Add(-tt.written)); err != nil {
				t.Fatal(err)
			}
			if _, err := r.Token(t.Context(), dev); err != nil || (len(f.calls) > 0) != tt.renewed {
				t.Errorf("%s: %d calls, %v", tt.name, len(f.calls), err)
			}
			if tt.renewed {
				return
			}
			if _, renewed, err := r.Renew(t.Context(), dev); err != nil || !renewed {
				t.Errorf("%s, for a person: renewed %v, %v", tt.name, renewed, err)
			}
		})
	}
}

// The last ten minutes of a portal session cost a handful of renewals, not one at each use.
func TestTheLastMinutesOfASession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		end := time.Now().Add(10*time.Minute - time.Second)
		f := &service{lives: time.Until(end)}
		r := newRenewer(t, f, dev, token(0))
		for ; time.Until(end) > time.Second; time.Sleep(time.Second) {
			calls := len(f.calls)
			f.lives = time.Until(end)
			if _, err := r.Token(t.Context(), dev); err != nil {
				t.Fatal(err)
			}
			if len(f.calls) > calls {
				if err := os.Chtimes(r.Store.TokenPath("dev"), time.Time{}, time.Now()); err != nil { // the bubble's time
					t.Fatal(err)
				}
			}
		}
		if len(f.calls) < 5 || len(f.calls) > 12 {
			t.Errorf("%d renewals in ten minutes of a use each second", len(f.calls))
		}
	})
}
