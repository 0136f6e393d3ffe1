package retry

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// refusal is an answer of the service.
type refusal struct {
	code  string
	again bool
	after time.Duration
}

func (r refusal) Error() string             { return r.code }
func (r refusal) ServiceCode() string       { return r.code }
func (r refusal) Transient() bool           { return r.again }
func (r refusal) RetryAfter() time.Duration { return r.after }

func TestPatient(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		err         error
		least, most int // calls
	}{
		{refusal{code: "throttled"}, 9, 20},
		{refusal{code: "nonsense", again: true}, 9, 20},
		{fmt.Errorf("wrapped: %w", refusal{code: "server", after: 10 * time.Second}), 4, 4},
		{refusal{code: "server", after: 31 * time.Second}, 1, 1},
		{refusal{code: "network"}, 3, 3},
		{refusal{code: "invalid_grant"}, 1, 1},
		{errors.New("something else"), 1, 1},
	} {
		t.Run(tt.err.Error(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start, calls := time.Now(), 0
				policy := Patient(func() time.Duration { return time.Since(start) }, 30*time.Second)
				_, err := Do(t.Context(), policy, func(attempt int) (int, error) {
					if calls++; attempt != calls {
						t.Errorf("attempt %d of call %d", attempt, calls)
					}
					return 0, tt.err
				})
				if !errors.Is(err, tt.err) || calls < tt.least || calls > tt.most ||
					time.Since(start) > 30*time.Second {
					t.Errorf("%v after %d calls in %v, want %d to %d in 30s", err, calls, time.Since(start), tt.least,
						tt.most)
				}
				if Passing(tt.err) != (attempts(tt.err) > 1) {
					t.Error("Passing disagrees with the number of attempts")
				}
			})
		})
	}
}

// TestTheLastErrorIsReturned when the context ends in a pause: the caller must learn what the service said.
func TestTheLastErrorIsReturned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		busy := refusal{code: "throttled", after: 20 * time.Second}
		start, calls := time.Now(), 0
		_, err := Do(ctx, Patient(func() time.Duration { return 0 }, time.Minute), func(int) (int, error) {
			calls++
			return 0, busy
		})
		if !errors.Is(err, busy) || calls != 1 || time.Since(start) != time.Second {
			t.Errorf("%v after %d calls in %v", err, calls, time.Since(start))
		}
	})
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	for attempt, want := range []time.Duration{250, 500, 1000, 2000, 4000, 5000, 5000} {
		want *= time.Millisecond
		for _, chance := range []float64{0, 0.5, 1} {
			got := Backoff(250*time.Millisecond, 5*time.Second, attempt+1, chance)
			if got != want/2+time.Duration(chance*float64(want/2)) {
				t.Errorf("attempt %d, chance %v: %v, want up to %v", attempt+1, chance, got, want)
			}
		}
	}
	if got := Backoff(time.Second, 16*time.Second, 0, 1); got != time.Second {
		t.Errorf("attempt 0: %v", got)
	}
	if got := Backoff(time.Second, 16*time.Second, 1000, 1); got != 16*time.Second {
		t.Errorf("attempt 1000: %v", got)
	}
}
