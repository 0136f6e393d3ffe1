package roster_test

import (
	"testing"
	"time"
)

// What a list may take, beside what the calls alone would: over HTTP, with the emulator in the same process.

// BenchmarkFullSpeed: 300 accounts at 60 ms a call, in 2.5 s at most. The ratio is to latency x calls ÷ concurrency.
func BenchmarkFullSpeed(b *testing.B) {
	const accounts, latency, atOnce = 300, 60 * time.Millisecond, 32
	w, _ := serve(b, accounts, 3, latency, 0)
	var took time.Duration
	var calls int
	for b.Loop() {
		start := time.Now()
		result, err := w.List(b.Context())
		if err != nil || len(result.Accounts) != accounts {
			b.Fatalf("%d accounts, %v", len(result.Accounts), err)
		}
		took, calls = took+time.Since(start), calls+result.Calls
		if one := time.Since(start); one > 2500*time.Millisecond {
			b.Fatalf("300 accounts took %v, want 2.5s at most", one)
		}
	}
	ideal := latency * time.Duration(calls) / atOnce
	b.ReportMetric(float64(took)/float64(ideal), "ideal-times")
}

// BenchmarkThrottled: a portal that serves so many calls a second. The ratio is to calls ÷ rate: 1.15 at most, with
// 15 % of all calls refused at most.
func BenchmarkThrottled(b *testing.B) {
	for _, tt := range []struct {
		name           string
		accounts, rate int
		most           float64
	}{
		{"20ps", 300, 20, 1.15},
		{"100ps", 1500, 100, 1.3}, // ten milliseconds are near what a busy machine's timers can do
	} {
		b.Run(tt.name, func(b *testing.B) {
			w, _ := serve(b, tt.accounts, 3, 60*time.Millisecond, tt.rate)
			var took time.Duration
			var calls, throttled int
			for b.Loop() {
				time.Sleep(time.Second) // the calls before do not count
				start := time.Now()
				result, err := w.List(b.Context())
				if err != nil || len(result.Accounts) != tt.accounts {
					b.Fatalf("%d accounts, %v", len(result.Accounts), err)
				}
				took, calls, throttled = took+time.Since(start), calls+result.Calls, throttled+result.Throttled
			}
			times := took.Seconds() * float64(tt.rate) / float64(calls-throttled)
			share := float64(throttled) / float64(calls)
			b.ReportMetric(times, "ideal-times")
			b.ReportMetric(100*share, "%throttled")
			if times > tt.most {
				b.Fatalf("took %.2f times calls ÷ rate, want %.2f at most", times, tt.most)
			}
			if share > 0.15 {
				b.Fatalf("%d of %d calls were throttled, want 15 %% at most", throttled, calls)
			}
		})
	}
}

// BenchmarkManyAccounts: 5,000 accounts of three roles, in a process of its own that never has more than 150 MB.
func BenchmarkManyAccounts(b *testing.B) {
	w, _ := serve(b, 5000, 3, 0, 0)
	var most float64
	for b.Loop() {
		r := w.run(b)
		if r.Accounts != 5000 || r.Roles != 15000 || r.Error != "" {
			b.Fatalf("%+v", r)
		}
		most = max(most, r.PeakMB)
	}
	b.ReportMetric(most, "peak-MB")
	if most > 150 {
		b.Fatalf("%.0f MB at its peak, want 150 at most", most)
	}
}
