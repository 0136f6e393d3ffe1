package keep

import (
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/session"
)

func TestPlan(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	in := func(minutes float64) time.Time { return now.Add(time.Duration(minutes * float64(time.Minute))) }
	token := func(left float64) session.Token {
		return session.Token{
			AccessToken: session.NewSecret(
				"a",
			), ExpiresAt: in(left), RefreshToken: session.NewSecret("r"), ClientID: "c",
			ClientSecret: session.NewSecret("s"), RegistrationExpiresAt: in(60 * 24),
		}
	}
	legacy := func(left float64) session.Token {
		return session.Token{AccessToken: session.NewSecret("a"), ExpiresAt: in(left)}
	}
	unregistered := token(60)
	unregistered.RegistrationExpiresAt = in(-1)
	for _, tt := range []struct {
		name string
		view view
		do   deed
		at   float64 // minutes from now
	}{
		{"nobody signed in", view{}, rest, 0},
		{"fresh, the latest", view{token: token(60), issued: now}, renew, 44},
		{"fresh, the earliest", view{token: token(60), issued: now, chance: 1}, renew, 40},
		{"fresh, time of issue unknown", view{token: token(60)}, renew, 44},
		{"fresh, issued in the future", view{token: token(60), issued: in(90)}, renew, 44},
		{"overdue", view{token: token(10), issued: in(-50)}, renew, 0},
		{"expired", view{token: token(-300), issued: in(-360)}, renew, 0},
		{"lives for 20 minutes", view{token: token(20), issued: now}, renew, 10},
		{"lives for 20 minutes, 4 left", view{token: token(4), issued: in(-16)}, renew, 0},
		{"ends with the portal session", view{token: token(11), issued: now, last: true}, renew, 11 + 5.0/60},
		{"cannot be renewed", view{token: legacy(480), issued: now}, end, 480},
		{"cannot be renewed, expired", view{token: legacy(-1), issued: in(-481)}, end, 0},
		{"registration over", view{token: unregistered, issued: now}, end, 60},
		{"end told", view{token: token(60), over: true}, rest, 0},
		{"failed", view{token: token(10), retry: in(2), failing: 1}, renew, 2},
		{"failed, time is up", view{token: token(10), retry: in(-2), failing: 1}, renew, 0},
		{"failed, then the clock was put back", view{token: token(10), retry: in(200), failing: 1}, renew, 0},
		{"no access token, renewable", view{token: func() session.Token {
			t := token(0)
			t.AccessToken, t.ExpiresAt = session.Secret{}, time.Time{}
			return t
		}()}, renew, 0},
	} {
		got := plan(now, []*view{{}, &tt.view})[1]
		if got.do != tt.do || tt.do != rest && !got.at.Equal(in(tt.at)) {
			t.Errorf("%s: %d in %s, want %d in %v min", tt.name, got.do, got.at.Sub(now), tt.do, tt.at)
		}
	}
}

// After a failure the pauses grow to their limit, and by chance differ by up to half.
func TestBackOff(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	var v view
	if v.fail(time.Now(), 0); v.retry != v.retry.Round(0) {
		t.Errorf("%v counts by a clock that stands still in a suspend", v.retry)
	}
	v = view{}
	for i, most := range []time.Duration{time.Minute, 2 * time.Minute, 3 * time.Minute, 3 * time.Minute} {
		w := v
		v.fail(now, 0)
		w.fail(now, 1)
		if least := v.retry.Sub(now); least != most/2 || w.retry.Sub(now) != most {
			t.Errorf("after %d failures: %s to %s, want %s to %s", i+1, least, w.retry.Sub(now), most/2, most)
		}
	}
}

// A renewal that brings no longer life is the last one, unless the clock was put back beside it.
func TestEnding(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	until := func(minutes int) session.Token {
		return session.Token{ExpiresAt: now.Add(time.Duration(minutes) * time.Minute)}
	}
	for _, tt := range []struct {
		name          string
		before, fresh int // minutes left
		want          bool
	}{
		{"an hour more", 18, 60, false},
		{"half of 20 minutes more", 10, 20, false},
		{"the portal session ends with it", 11, 11, true},
		{"a minute more, as early as it can be", 20, 21, true},
		{"overdue, and no more", 0, 0, true},
		{"an hour, the clock was put back by one", 78, 60, false},
		{"an hour, the clock was put back by 45 minutes", 63, 60, false},
		{"the portal session ends with it, the clock was put back", 71, 11, true},
	} {
		if got := ending(until(tt.before), until(tt.fresh), now); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

func TestWake(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	if _, any := wake([]deadline{{}, {}}); any {
		t.Error("wakes for nothing")
	}
	at, any := wake([]deadline{{}, {do: end, at: now.Add(2)}, {do: renew, at: now.Add(1)}, {do: renew, at: now.Add(3)}})
	if !any || !at.Equal(now.Add(1)) {
		t.Errorf("got %v, %v", at, any)
	}
}
