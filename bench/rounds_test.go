//go:build unix

package main

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		of   []float64
		want float64
	}{
		{nil, 0},
		{[]float64{3}, 3},
		{[]float64{5, 1}, 3},
		{[]float64{9, 1, 2}, 2},
		{[]float64{1, 2, 1000, 3}, 2.5}, // the mean would be 251.5
	} {
		before := slices.Clone(tt.of)
		if got := median(tt.of); got != tt.want {
			t.Errorf("median of %v is %v, want %v", tt.of, got, tt.want)
		}
		if !slices.Equal(tt.of, before) {
			t.Errorf("%v became %v: the rounds no longer stand beside each other", before, tt.of)
		}
	}
}

func TestQuartiles(t *testing.T) {
	t.Parallel()
	if low, high := quartiles([]float64{1, 2, 3}); low != 0 || high != 0 {
		t.Errorf("of three: %v, %v", low, high)
	}
	if low, high := quartiles([]float64{8, 1, 2, 7, 3, 6, 4, 5}); low != 3 || high != 6 {
		t.Errorf("got %v, %v", low, high)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	const m = time.Millisecond
	r := times([]time.Duration{4 * m, 6 * m, 800 * m, 5 * m, 6 * m}, []time.Duration{2 * m, 3 * m, 400 * m, 2 * m,
		2 * m})
	// The noisy third round met both.
	if r.Value != 6 || r.Unit != "ms" || r.Ratio != 3 || r.Low != 2 || r.High != 2.5 {
		t.Errorf("%+v", r)
	}
}

// Each is measured once a round, each is first equally often, and none always follows the same one.
func TestInterleave(t *testing.T) {
	t.Parallel()
	var order strings.Builder
	measured := func(name string, took time.Duration) subject {
		return subject{name, func() (time.Duration, error) {
			order.WriteString(name)
			return took, nil
		}}
	}
	took, err := interleave(t.Context(), 6, measured("a", 1), measured("b", 2), measured("c", 3))
	if err != nil || len(took) != 3 {
		t.Fatal(took, err)
	}
	for i, all := range took {
		if !slices.Equal(all, slices.Repeat([]time.Duration{time.Duration(i + 1)}, 6)) {
			t.Errorf("subject %d has %v", i, all)
		}
	}
	first, pairs := map[byte]int{}, map[string]int{}
	for round := range slices.Chunk([]byte(order.String()), 3) {
		first[round[0]]++
		pairs[string(round[:2])]++
		pairs[string(round[1:])]++
	}
	if len(first) != 3 || first['a'] != 2 || first['b'] != 2 || len(pairs) != 6 {
		t.Errorf("order %s: first %v, neighbours %v", &order, first, pairs)
	}
}

func TestSettled(t *testing.T) {
	t.Parallel()
	runs := 0
	s := settled(subject{"s", func() (time.Duration, error) {
		runs++
		return time.Duration(runs), nil
	}})
	if took, err := s.measure(); err != nil || took != 1+settling || runs != 1+settling {
		t.Errorf("%v after %d runs, %v", took, runs, err)
	}
}

func TestFailedRun(t *testing.T) {
	t.Parallel()
	broken := errors.New("no paper")
	good := subject{"good", func() (time.Duration, error) { return 1, nil }}
	bad := subject{"bad", func() (time.Duration, error) { return 0, broken }}
	if took, err := interleave(t.Context(), 3, good, bad); took != nil || !errors.Is(err, broken) ||
		!strings.Contains(err.Error(), "bad") {
		t.Errorf("got %v, %v", took, err)
	}
	sh := func(script string) *exec.Cmd { return exec.CommandContext(t.Context(), "/bin/sh", "-c", script) }
	if _, err := atOnce([]*exec.Cmd{sh("exit 0"), sh("exit 4")}); err == nil || !strings.Contains(err.Error(),
		"exit status 4") {
		t.Errorf("of two at once: %v", err)
	}
	if _, err := settled(bad).measure(); !errors.Is(err, broken) {
		t.Errorf("settled: %v", err)
	}
	if took, err := atOnce([]*exec.Cmd{sh("exit 0"), sh("sleep 0.2"), sh("exit 0")}); err != nil ||
		took < 200*time.Millisecond {
		t.Errorf("the last of three ended after %v, %v", took, err)
	}
}
