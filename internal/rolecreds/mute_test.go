package rolecreds

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// muteTokens stands for a renewer whose service never answers: it gives up 5 s after the caller does.
type muteTokens struct{ tokens }

func (m *muteTokens) Token(ctx context.Context, _ session.Session) (session.Token, error) {
	<-ctx.Done()
	time.Sleep(5 * time.Second)
	return session.Token{}, fault.New(fault.Interrupted, "", "interrupted")
}

// A network that takes every connection and never answers. Whoever runs us as a credential_process kills us after 60
// s.
func TestMuteNetwork(t *testing.T) {
	t.Parallel()
	const message = `no credentials in time for role "Admin" in account "123456789012" through session "dev": the service does not answer`
	for _, tt := range []struct {
		name       string
		cached     bool
		muteTokens bool
		within     time.Duration
	}{
		{"the portal", false, false, 50 * time.Second},
		{"the portal, cached ones still serve", true, false, 20 * time.Second},
		{"the token service", false, true, 55 * time.Second},
		{"the token service, cached ones still serve", true, true, 25 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &portal{}
				f := newFetcher(t, p)
				if tt.cached {
					if _, err := f.Get(t.Context(), admin, DefaultMinTTL); err != nil {
						t.Fatal(err)
					}
				}
				p.slow = time.Hour
				if tt.muteTokens {
					f.Tokens = &muteTokens{}
				}
				var wg sync.WaitGroup
				for range 4 { // one asks, the others wait for it
					wg.Go(func() {
						one, start := *f, time.Now()
						c, err := one.Get(t.Context(), admin, 2*time.Hour)
						if took := time.Since(start); took > tt.within {
							t.Errorf("took %v", took)
						}
						switch {
						case tt.cached && (err != nil || c.AccessKeyID != "Admin-1"):
							t.Errorf("got %s, %v; the cached ones are valid", c.AccessKeyID, err)
						case !tt.cached && (fault.KindOf(err) != fault.Unavailable || !strings.HasPrefix(err.Error(),
							message)):
							t.Errorf("got %v: %v", fault.KindOf(err), err)
						}
					})
				}
				wg.Wait()
			})
		})
	}
}

// A process that was stopped (Ctrl-Z) holds the role's lock for good. With a valid token the credentials are fetched
// all the same; without one the other is waited for, since it may be renewing the token, and is worth waiting for.
func TestStoppedHolder(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		left  time.Duration // of the token
		renew time.Duration // after which it is valid for an hour; 0 = never
		took  time.Duration
		fails bool
	}{
		{"the token is valid", time.Hour, 0, politeWait, false},
		{"the token is renewed by the other", -time.Minute, 15 * time.Second, 3 * politeWait, false},
		{"the token stays expired", -time.Minute, 0, mostWait, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFetcher(t, &portal{})
				signInFor(f.Store, "access-1", tt.left)
				unlock, err := f.Store.LockRole(t.Context(), admin)
				if err != nil {
					t.Fatal(err)
				}
				defer unlock()
				if tt.renew > 0 {
					time.AfterFunc(tt.renew, func() { signInFor(f.Store, "access-1", time.Hour) })
				}
				start := time.Now()
				c, err := f.Get(t.Context(), admin, DefaultMinTTL)
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if tt.fails && fault.KindOf(err) != fault.Unavailable ||
					!tt.fails && (err != nil || c.AccessKeyID != "Admin-1") {
					t.Errorf("got %q, %v", c.AccessKeyID, err)
				}
				if _, ok := Cached(f.Store, admin, DefaultMinTTL); ok == tt.fails {
					t.Errorf("cached: %v", ok)
				}
			})
		})
	}
}
