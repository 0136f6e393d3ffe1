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
	var sums, sdkSums []float64
	rounds := max(1, b.size.rounds/10)
	for range rounds {
		var trace bytes.Buffer
		cmd := b.command(b.home, b.homing, "credentials", "--profile", "dev")
		cmd.Env = append(cmd.Env, "GODEBUG=inittrace=1")
		cmd.Stderr = &trace
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%w: %s", err, &trace)
		}
		sum, sdk := 0.0, 0.0
		for _, p := range parseInitTrace(trace.String()) {
			clocks[p.Name] = append(clocks[p.Name], p.Clock)
			last[p.Name] = p
			sum += p.Clock
			if p.sdk() {
				sdk += p.Clock
			}
		}
		sums, sdkSums = append(sums, sum), append(sdkSums, sdk)
	}
	if len(last) < 30 {
		return fmt.Errorf("only %d packages are in the trace", len(last))
	}
	var all []Package
	var total, sdk Package
	for name, p := range last {
		p.Clock = median(clocks[name])
		all = append(all, p)
		total.Bytes, total.Allocs = total.Bytes+p.Bytes, total.Allocs+p.Allocs
		if p.sdk() {
			sdk.Bytes, sdk.Allocs = sdk.Bytes+p.Bytes, sdk.Allocs+p.Allocs
		}
	}
	slices.SortFunc(all, dearer)
	b.start = all[:dear]
	// cmd/homing/start_test.go has the limits, by package.
	b.add("Before main",
		Row{Key: "init", What: fmt.Sprintf("%d packages", len(all)), Value: median(sums), Unit: "ms"},
		Row{Key: "init/sdk", What: "the AWS SDK's among them", Value: median(sdkSums), Unit: "ms"},
		Row{Key: "init/memory", What: fmt.Sprintf("memory for them, in %d pieces", total.Allocs),
			Value: float64(total.Bytes) / 1000, Unit: "kB"},
		Row{Key: "init/sdk/memory", What: fmt.Sprintf("the AWS SDK's, in %d pieces", sdk.Allocs),
			Value: float64(sdk.Bytes) / 1000, Unit: "kB"},
	)
	return nil
}

// sdk reports whether the package is of the AWS SDK.
func (p Package) sdk() bool { return strings.HasPrefix(p.Name, "github.com/aws/") }

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
		if n, _ := fmt.Sscanf(line, "init %s @%f ms, %f ms clock, %d bytes, %d allocs", &p.Name, &at, &p.Clock,
			&p.Bytes, &p.Allocs); n == 5 {
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
	_ = t.Flush() // the caller checks w
}
