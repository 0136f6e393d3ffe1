//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// Package is what a package does before main.
type Package struct {
	Name   string  `json:"name"`
	Clock  float64 `json:"clock"` // ms, the median of the rounds
	Bytes  int     `json:"bytes"`
	Allocs int     `json:"allocs"`
}

// dear is how many packages the table names.
const dear = 10

// startUp measures what happens before main, by package, as the runtime tells it (GODEBUG=inittrace=1).
func (b *bench) startUp() error {
	clocks, last := map[string][]float64{}, map[string]Package{}
	var sums []float64
	rounds := max(1, b.size.rounds/10)
	for range rounds {
		var trace bytes.Buffer
		cmd := b.command(b.home, b.homing, "credentials", "--profile", "dev")
		cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
		cmd.Stderr = &trace
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%w: %s", err, &trace)
		}
		sum := 0.0
		for _, p := range parseInitTrace(trace.String()) {
			clocks[p.Name] = append(clocks[p.Name], p.Clock)
			last[p.Name] = p
			sum += p.Clock
		}
		sums = append(sums, sum)
	}
	if len(last) < 30 {
		return fmt.Errorf("only %d packages are in the trace", len(last))
	}
	var all []Package
	memory, allocs := 0, 0
	for name, p := range last {
		p.Clock = median(clocks[name])
		all = append(all, p)
		memory, allocs = memory+p.Bytes, allocs+p.Allocs
	}
	slices.SortFunc(all, dearer)
	b.start = all[:dear]
	b.add("Before main",
		Row{Key: "init", What: fmt.Sprintf("%d packages", len(all)), Value: median(sums), Unit: "ms"},
		// The limits of cmd/homing/start_test.go, which lists what came in.
		Row{Key: "init/memory", What: "memory for them", Value: float64(memory) / 1000, Unit: "kB", Limit: mostValue(120)},
		Row{Key: "init/allocations", What: "in so many pieces", Value: float64(allocs), Limit: mostValue(700)},
	)
	return nil
}

// dearer sorts by time, then by memory, the most first.
func dearer(x, y Package) int {
	switch {
	case x.Clock > y.Clock:
		return -1
	case x.Clock < y.Clock:
		return 1
	case x.Bytes != y.Bytes:
		return y.Bytes - x.Bytes
	default:
		return strings.Compare(x.Name, y.Name)
	}
}

// parseInitTrace reads the runtime's lines; others are skipped.
func parseInitTrace(trace string) (all []Package) {
	for line := range strings.Lines(trace) {
		// init internal/godebug @0.41 ms, 0.054 ms clock, 312 bytes, 7 allocs
		var p Package
		var at float64
		if n, _ := fmt.Sscanf(line, "init %s @%f ms, %f ms clock, %d bytes, %d allocs", &p.Name, &at, &p.Clock, &p.Bytes, &p.Allocs); n == 5 {
			all = append(all, p)
		}
	}
	return all
}

func writeStart(w io.Writer, packages []Package) {
	fmt.Fprintf(w, "\nBefore main, the dearest packages\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, p := range packages {
		fmt.Fprintf(t, "  %s\t%.3f ms\t%d B\t%d allocations\n", p.Name, p.Clock, p.Bytes, p.Allocs)
	}
	_ = t.Flush() // w is checked by who opened it
}
