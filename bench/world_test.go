//go:build unix

package main

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestEverything measures all of it on a small scale: the numbers mean nothing, what is counted does.
func TestEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds three programs")
	}
	t.Parallel()
	b, err := newBench(t.Context(), small())
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	if b.aws == "" && os.Getenv("CI") == "true" {
		t.Error(missingCLI)
	}
	for _, p := range parts {
		if err := p.measure(b); err != nil {
			t.Fatalf("%s: %v", p.name, err)
		}
	}
	keys := map[string]bool{}
	for _, r := range b.rows {
		if keys[r.Key] {
			t.Errorf("two rows have the key %q", r.Key)
		}
		keys[r.Key] = true
		if r.Group == "" || r.What == "" || math.IsNaN(r.Value) || r.Value < 0 || (r.To != "") != (r.Ratio > 0) ||
			math.IsInf(r.Ratio, 0) {
			t.Errorf("%+v", r)
		}
		if r.Unit == "" && r.Over() { // how many, not how long
			t.Errorf("%s: %s is over its limit: %+v", r.Group, r.What, r)
		}
	}
	for _, r := range b.rows {
		if r.Key == "sync/capped/refused" && r.Value == 0 {
			t.Error("the portal refused nothing, so pacing was not measured")
		}
		if r.Key == "memory" && (r.Value < 2 || r.Value > 40) {
			t.Errorf("%v MB of memory", r.Value)
		}
	}
	if len(keys) < 25 || len(b.start) != dear {
		t.Errorf("%d rows, %d packages", len(keys), len(b.start))
	}

	// What this process has does not count for what it starts.
	ballast := bytes.Repeat([]byte("ballast "), 8<<20)
	if m, err := b.run(b.home, b.empty); err != nil || m.memory > 20 || m.took <= 0 {
		t.Errorf("an empty program has %v MB beside %d of ours in %v, %v", m.memory, len(ballast)>>20, m.took, err)
	}
	if m, err := b.run(b.home, "/bin/dd", "if=/dev/zero", "of="+filepath.Join(b.dir, "zero"), "bs=32M",
		"count=1"); err != nil || m.memory < 32 {
		t.Errorf("dd has %v MB of 32, %v", m.memory, err)
	}
	if m, err := b.run(b.home, "/bin/sleep", "0.2"); err != nil || m.took < 200*time.Millisecond ||
		m.took > 20*time.Second {
		t.Errorf("a fifth of a second took %v, %v", m.took, err)
	}
	if _, err := b.run(b.home, b.homing, "credentials", "--profile", "nobody"); err == nil ||
		!strings.Contains(err.Error(), "nobody") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("what failed was measured: %v", err)
	}
	if _, err := b.run(b.home, "/bin/sh", "-c", "kill -9 $$"); err == nil || !strings.Contains(err.Error(),
		"exit status 137") {
		t.Errorf("what was killed was measured: %v", err)
	}
	if _, err := b.run(b.home, "/bin/echo", "", "x"); err == nil {
		t.Error("an empty argument would be lost")
	}
	if _, err := b.run(b.home, "/bin/nothing-here"); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("what is not there was measured: %v", err)
	}
}

func TestParseInitTrace(t *testing.T) {
	t.Parallel()
	const trace = `init internal/bytealg @0.003 ms, 0 ms clock, 0 bytes, 0 allocs
words of somebody else
init net/http @1.2 ms, 0.038 ms clock, 4712 bytes, 49 allocs
init cut @1.2 ms, 0.038
`
	got := parseInitTrace(trace)
	want := []Package{{Name: "internal/bytealg"}, {Name: "net/http", Clock: 0.038, Bytes: 4712, Allocs: 49}}
	if !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	all := []Package{{Name: "b", Bytes: 5}, {Name: "a", Bytes: 5}, {Name: "c", Bytes: 9}, {Name: "d", Clock: 0.1}}
	slices.SortFunc(all, dearer)
	var order strings.Builder
	for _, p := range all {
		order.WriteString(p.Name)
	}
	if order.String() != "dcab" {
		t.Errorf("order %s", &order)
	}
}

func TestProcessorTime(t *testing.T) {
	t.Parallel()
	before, until := processorTime(), time.Now().Add(5*time.Second)
	for processorTime() == before {
		if time.Now().After(until) {
			t.Fatal("five seconds of work used no processor time")
		}
	}
}
