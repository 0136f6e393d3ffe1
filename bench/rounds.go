//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"sync"
	"time"
)

// subject is something that is measured beside others.
type subject struct {
	name    string
	measure func() (time.Duration, error) // what comes before and after may be done in it, and does not count
}

// interleave measures every subject once a round, in another order each time, and returns what each took, by round.
// So what else the machine does meets all of them alike, which it would not if one was measured after the other. A
// run that fails is an error.
func interleave(ctx context.Context, rounds int, subjects ...subject) ([][]time.Duration, error) {
	took := make([][]time.Duration, len(subjects))
	for round := range rounds {
		for i := range subjects {
			n := (i + round) % len(subjects)
			if round/len(subjects)%2 == 1 { // so that no subject always follows the same one
				n = len(subjects) - 1 - n
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			d, err := subjects[n].measure()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", subjects[n].name, err)
			}
			took[n] = append(took[n], d)
		}
	}
	return took, nil
}

// settling is how many runs of the same program go before the one that counts. Without them a program is measured
// with the processor's caches full of the other one, which makes the small one look dearer than the large one: an
// empty program by a tenth. That is the state hyperfine measures in, too, and the stricter one for us.
const settling = 2

// settled measures s after runs of itself.
func settled(s subject) subject {
	return subject{name: s.name, measure: func() (time.Duration, error) {
		for range settling {
			if _, err := s.measure(); err != nil {
				return 0, err
			}
		}
		return s.measure()
	}}
}

// atOnce starts all cmds and returns when the last one has ended, with what passed since the first was started.
func atOnce(cmds []*exec.Cmd) (time.Duration, error) {
	errs := make([]error, len(cmds))
	var waiting sync.WaitGroup
	start := time.Now()
	for i, cmd := range cmds {
		if errs[i] = cmd.Start(); errs[i] == nil {
			waiting.Go(func() { errs[i] = cmd.Wait() })
		}
	}
	waiting.Wait()
	d := time.Since(start)
	if err := errors.Join(errs...); err != nil {
		return 0, fmt.Errorf("of %d at once: %w", len(cmds), err)
	}
	return d, nil
}

// median returns the middle one, or the mean of the two middle ones; 0 of none.
func median[T time.Duration | float64](all []T) T {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	half := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[half]
	}
	return (sorted[half-1] + sorted[half]) / 2
}

// quartiles returns what a quarter of all is below, and what a quarter is above; 0, 0 for fewer than four.
func quartiles(all []float64) (low, high float64) {
	if len(all) < 4 {
		return 0, 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[len(sorted)/4], sorted[len(sorted)-1-len(sorted)/4]
}

// times says how a compares to b, measured in the same rounds, as the parts of a Row: the median of a in ms; the
// ratio of the two medians; the quartiles of the ratios of the rounds.
func times(a, b []time.Duration) Row {
	each := make([]float64, min(len(a), len(b)))
	for i := range each {
		each[i] = float64(a[i]) / float64(b[i])
	}
	r := Row{Value: ms(median(a)), Unit: "ms", Ratio: float64(median(a)) / float64(median(b))}
	r.Low, r.High = quartiles(each)
	return r
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
