package keep

import (
	"cmp"
	"context"
	"time"
)

// Alarm waits for what the next look is for.
type Alarm interface {
	// Wait returns when the wall clock has reached at (the zero time is never), when the clock was set or the machine
	// has slept, so that at has to be computed anew, when one of paths was written, made, moved or removed, and when
	// ctx has ended. It may return at any time before: who calls it looks at the clock and the files itself. Once it
	// waits, it misses nothing that happened since the call before returned.
	Wait(ctx context.Context, at time.Time, paths []string)
}

// Comparing is the Alarm of systems that do not tell of these things: it waits for Every at most, and whoever looks
// then compares the clock and the files with what they were. A timer counts the time that the machine is awake, on
// every system we know of but Windows, and knows nothing of a clock that is put right.
type Comparing struct {
	Now   func() time.Time // nil = time.Now
	Every time.Duration    // 0 = Look
}

// Wait implements Alarm; the paths are left to the look after it.
func (c Comparing) Wait(ctx context.Context, at time.Time, _ []string) {
	now := time.Now
	if c.Now != nil {
		now = c.Now
	}
	pause := cmp.Or(c.Every, Look)
	if !at.IsZero() {
		pause = max(min(at.Sub(now().Round(0)), pause), 0)
	}
	sleep(ctx, pause)
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// earlier returns the earlier of two times, of which the zero time is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
