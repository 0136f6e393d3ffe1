package refresh

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
)

func TestOneRefreshForEverybody(t *testing.T) {
	t.Parallel()
	for name, lives := range map[string]time.Duration{"an hour": time.Hour, "shorter than the margin": 5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			f := &service{slow: 3 * time.Second, lives: lives}
			r := newRenewer(t, f, dev, token(-time.Minute))
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() {
					one := &Renewer{Store: r.Store, Connect: f.connect}
					if tok, err := one.Token(t.Context(), dev); err != nil || tok.AccessToken.Reveal() != "access-2" {
						t.Errorf("%s: got %s, %v", name, tok.AccessToken.Reveal(), err)
					}
				})
			}
			wg.Wait()
			if len(f.calls) != 1 {
				t.Errorf("%s: %d refreshes, want 1", name, len(f.calls))
			}
		})
	}
}

// One caller asks and waits for programs that may have been faster. The others wait beside it, not after it, and who
// comes later does not wait at all.
func TestEverybodyLearnsOfTheEndAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{slow: time.Second}
		r := newRenewer(t, f, dev, token(-time.Minute))
		f.good = ""
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 64 {
			wg.Go(func() {
				time.Sleep(time.Duration(i) * 50 * time.Millisecond)
				one := &Renewer{Store: r.Store, Connect: f.connect}
				_, err := one.Token(t.Context(), dev)
				wantFault(t, err, fault.SignInNeeded, `session "dev" has ended`, fault.Login{Session: "dev"})
			})
		}
		wg.Wait()
		if took := time.Since(start); len(f.calls) != 1 || took < 4400*time.Millisecond ||
			took > 4600*time.Millisecond {
			t.Errorf("%d calls, and the last one learned it after %v; want one call of 1 s and 3.4 s", len(f.calls),
				took)
		}
		start = time.Now()
		if _, err := r.Token(t.Context(), dev); fault.KindOf(err) != fault.SignInNeeded || time.Since(start) != 0 ||
			len(f.calls) != 1 {
			t.Errorf("afterwards: %v after %v and %d calls", err, time.Since(start), len(f.calls))
		}
	})
}

func TestEverybodyIsServedBeforeAnSDKGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{fail: times(999, broken(idc.CodeServer, fault.Unavailable))}
		r := newRenewer(t, f, dev, token(-time.Minute))
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				start := time.Now()
				if _, err := r.Token(t.Context(), dev); fault.KindOf(err) != fault.Unavailable {
					t.Error(err)
				}
				if took := time.Since(start); took > time.Minute {
					t.Errorf("an answer after %v; an SDK has killed us by then", took)
				}
			})
		}
		wg.Wait()
	})
}
