package keep_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/keep"
	"github.com/homing-cli/homing/internal/session"
)

// halfMute renews in a second, but for the sessions of a service that never answers.
type halfMute struct {
	f         *folder
	mu        sync.Mutex
	now, most int // how many renewals are under way, and were at most
}

func (h *halfMute) count(by int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now += by
	h.most = max(h.most, h.now)
}

func (h *halfMute) Ahead(ctx context.Context, s session.Session, _ time.Duration) (session.Token, bool, error) {
	h.count(1)
	defer h.count(-1)
	if s.Region == "mute" {
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Second):
		}
		return session.Token{}, false, fault.New(fault.Unavailable, "", "no answer")
	}
	time.Sleep(time.Second)
	t := expiring(time.Hour)
	h.f.set(s.CacheKey(), t, nil)
	return t, true, nil
}

func expiring(left time.Duration) session.Token {
	return session.Token{
		AccessToken: session.NewSecret(
			"a",
		), ExpiresAt: time.Now().Add(left), RefreshToken: session.NewSecret("r"), ClientID: "c",
		ClientSecret: session.NewSecret("s"), RegistrationExpiresAt: time.Now().Add(90 * 24 * time.Hour),
	}
}

// A service that does not answer delays no session of another. However many sessions there are, so many renewals are
// not under way at once.
func TestMuteServiceDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &folder{tokens: map[string]session.Token{}, errs: map[string]error{}, written: map[string]time.Time{}}
		var sessions []session.Session
		for i := range 20 {
			s := session.Session{Name: fmt.Sprint("s", i)}
			if i < 3 {
				s.Region = "mute"
			}
			sessions = append(sessions, s)
			f.set(s.CacheKey(), expiring(5*time.Minute), nil)
		}
		h := &halfMute{f: f}
		var mu sync.Mutex
		heard := map[keep.What]int{}
		k := &keep.Keeper{
			Tokens: h, Files: f, Alarm: keep.Comparing{}, Chance: func() float64 { return 0 },
			Sessions: func() []session.Session { return sessions },
			Tell:     func(e keep.Event) { mu.Lock(); defer mu.Unlock(); heard[e.What]++ },
		}
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { _ = k.Run(ctx) }) // nil: its context ends
		defer run.Wait()
		defer cancel()
		time.Sleep(150*time.Second + 5*time.Second) // half of what is left
		synctest.Wait()
		mu.Lock()
		if heard[keep.Renewed] != 17 || heard[keep.Failing] != 0 {
			t.Errorf("after 5 seconds: %v, want 17 renewed", heard)
		}
		mu.Unlock()
		time.Sleep(50 * time.Second)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if heard[keep.Failing] != 3 {
			t.Errorf("after 55 seconds: %v, want 3 failing", heard)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.most != 16 {
			t.Errorf("%d renewals were under way at once, want 16", h.most)
		}
	})
}
