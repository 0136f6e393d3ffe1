// Package retry knows how to repeat a call to the service: which failures another call may cure, how often to call,
// and how long to wait in between. Device-code polling, the pacing of a long list and keep's schedule stay where they
// are; they only ask this package what a failure means.
//
// The one rule: a caller passes only calls that are safe to repeat. A failure says that another call may succeed, not
// that the service has ignored the first one.
//
// No library fits. Here the failure decides both whether to go on and how often, Retry-After is the least wait rather
// than the next one, the time spent on locks before the first call counts, and the caller gets the service's last
// error even if its context ends during a wait. cenkalti/backoff v5 waits exactly Retry-After, starts its own clock,
// and returns the context's error; sethvargo/go-retry and avast/retry-go do not read Retry-After. An adapter for any
// of them is longer than Do.
package retry

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"time"
)

// Policy decides after a failed attempt (1, 2, …) whether to call again, and after what pause.
type Policy func(attempt int, err error) (pause time.Duration, again bool)

// Do calls until a call succeeds, the policy ends it, or ctx ends during a pause. It returns the result of the last
// call, which must watch ctx itself.
func Do[T any](ctx context.Context, p Policy, call func(attempt int) (T, error)) (T, error) {
	for attempt := 1; ; attempt++ {
		v, err := call(attempt)
		if err == nil {
			return v, nil
		}
		pause, again := p(attempt, err)
		if !again {
			return v, err
		}
		select {
		case <-ctx.Done():
			return v, err
		case <-time.After(pause):
		}
	}
}

// Patient calls as often as the failure deserves, while the next call can start within patience. spent returns the
// time spent so far, including what came before the first call. Its pauses make nine attempts or more in 30 s.
func Patient(spent func() time.Duration, patience time.Duration) Policy {
	return func(attempt int, err error) (time.Duration, bool) {
		pause := max(Backoff(250*time.Millisecond, 5*time.Second, attempt, rand.Float64()), After(err))
		return pause, attempt < attempts(err) && spent()+pause <= patience
	}
}

// attempts returns how often to make a call that fails with err: without limit if the failure passes by itself (429,
// 500, a dropped connection), three times if nothing can be reached, as after waking up, else once.
func attempts(err error) int {
	if Transient(err) {
		return math.MaxInt
	}
	switch Code(err) {
	case "throttled", "server", "slow_down":
		return math.MaxInt
	case "network":
		return 3
	}
	return 1
}

// Passing reports whether err may pass by itself: no answer, or one that asks for patience.
func Passing(err error) bool { return attempts(err) > 1 }

// Backoff returns the pause after the given attempt: half to the whole of first, doubled with each attempt up to
// most. chance, between 0 and 1, spreads callers that failed together.
func Backoff(first, most time.Duration, attempt int, chance float64) time.Duration {
	d := min(first<<max(0, min(attempt-1, 10)), most)
	return d/2 + time.Duration(chance*float64(d/2))
}

// Transient reports whether err says that the same call may well succeed later (idc.Error does).
func Transient(err error) bool {
	var e interface{ Transient() bool }
	return errors.As(err, &e) && e.Transient()
}

// After returns how long the service asks to be left alone, or 0 if it does not say.
func After(err error) time.Duration {
	var e interface{ RetryAfter() time.Duration }
	if errors.As(err, &e) {
		return e.RetryAfter()
	}
	return 0
}

// Code returns what the service called the failure, a word of idc.Code, or "".
func Code(err error) string {
	var e interface{ ServiceCode() string }
	if errors.As(err, &e) {
		return e.ServiceCode()
	}
	return ""
}
