package roster

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func perSecond(n int) limit { return &fixed{n: n, every: time.Second} }

// pacings are services of every kind that is known to throttle, and what a list of theirs may take. What was measured
// with 150 seeds is a little less.
var pacings = []struct {
	name     string
	accounts int
	limit    func() limit
	latency  time.Duration // 0 = 60 ms
	jitter   float64       // as service has it
	after    time.Duration // as service has it
	faulty   float64       // as service has it, and as many lost connections
	rate     float64       // what the service serves in a second in the long run
	burst    float64       // what it serves beyond that at the beginning
	ratio    float64       // of the time to (calls served - burst) ÷ rate; 0 = 1.15
}{
	{name: "window of a second", accounts: 300, rate: 20, limit: func() limit { return perSecond(20) }},
	{
		name:     "window of a second, 5,000 accounts",
		accounts: 5000,
		rate:     20,
		limit:    func() limit { return perSecond(20) },
	},
	{name: "window of a second, 100 calls", accounts: 1500, rate: 100, limit: func() limit { return perSecond(100) }},
	{
		name:     "sliding second, 100 calls",
		accounts: 1500,
		rate:     100,
		limit:    func() limit { return &sliding{n: 100, every: time.Second} },
	},
	{
		name:     "window of whole seconds",
		accounts: 300,
		rate:     20,
		limit:    func() limit { return &fixed{n: 20, every: time.Second, aligned: true} },
	},
	{
		name:     "window of five seconds",
		accounts: 500,
		rate:     20,
		limit:    func() limit { return &fixed{n: 100, every: 5 * time.Second} },
		ratio:    1.2,
	},
	{
		name:     "window of ten seconds",
		accounts: 1000,
		rate:     20,
		limit:    func() limit { return &fixed{n: 200, every: 10 * time.Second} },
	},
	{name: "window, 2 a second", accounts: 200, rate: 2, limit: func() limit { return perSecond(2) }, ratio: 1.45},
	{
		name:     "sliding second",
		accounts: 300,
		rate:     20,
		limit:    func() limit { return &sliding{n: 20, every: time.Second} },
	},
	{
		name:     "sliding second that counts refusals",
		accounts: 300,
		rate:     20,
		limit:    func() limit { return &sliding{n: 20, every: time.Second, strict: true} },
		ratio:    1.2,
	},
	{
		name:     "bucket without a burst",
		accounts: 300,
		rate:     20,
		limit:    func() limit { return &bucket{rate: 20, burst: 1} },
		ratio:    1.25,
	},
	{name: "bucket", accounts: 300, rate: 20, limit: func() limit { return &bucket{rate: 20, burst: 20} }},
	{
		name:     "bucket with a large burst",
		accounts: 600,
		rate:     20,
		limit:    func() limit { return &bucket{rate: 20, burst: 227} },
		burst:    227,
	},
	{name: "bucket, 5 a second", accounts: 300, rate: 5, limit: func() limit { return &bucket{rate: 5, burst: 5} }},
	{
		name:     "bucket, 100 a second",
		accounts: 2000,
		rate:     100,
		limit:    func() limit { return &bucket{rate: 100, burst: 100} },
	},
	{
		name:     "bucket, 300 a second",
		accounts: 5000,
		rate:     300,
		limit:    func() limit { return &bucket{rate: 300, burst: 30} },
	},
	{
		name:     "300 ms a call",
		accounts: 300,
		rate:     20,
		latency:  300 * time.Millisecond,
		limit:    func() limit { return perSecond(20) },
	},
	{
		name:     "5 ms a call",
		accounts: 300,
		rate:     20,
		latency:  5 * time.Millisecond,
		limit:    func() limit { return perSecond(20) },
	},
	{
		name:     "60 to 240 ms a call",
		accounts: 300,
		rate:     20,
		jitter:   3,
		limit:    func() limit { return perSecond(20) },
		ratio:    1.2,
	},
	{
		name:     "window, told when to come back",
		accounts: 300,
		rate:     20,
		after:    time.Second,
		limit:    func() limit { return perSecond(20) },
		ratio:    1.2,
	},
	{
		name:     "bucket, told when to come back",
		accounts: 300,
		rate:     20,
		after:    time.Second,
		limit:    func() limit { return &bucket{rate: 20, burst: 20} },
	},
	{
		name:     "faults and lost connections",
		accounts: 300,
		rate:     19,
		faulty:   0.025,
		limit:    func() limit { return perSecond(20) },
		ratio:    1.2,
	},
	{
		name:     "the limit falls",
		accounts: 900,
		rate:     20,
		burst:    200,
		limit:    func() limit { return &changing{first: perSecond(40), then: perSecond(20), after: 10 * time.Second} },
	},
	{
		name:     "the limit rises",
		accounts: 1500,
		rate:     100,
		burst:    -80 * 15,
		limit: func() limit {
			return &changing{first: perSecond(20), then: perSecond(100),
				after: 15 * time.Second}
		},
		ratio: 1.3,
	},
	{name: "the limit goes away", accounts: 3000, rate: 400, burst: -380 * 15, limit: func() limit {
		return &changing{first: perSecond(20), then: perSecond(1 << 30), after: 15 * time.Second}
	}, ratio: 1.5},
}

// share is the most of all calls that may be refused.
const share = 0.15

func TestPacing(t *testing.T) {
	t.Parallel()
	for _, tt := range pacings {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(3) {
				synctest.Test(t, func(t *testing.T) {
					s := &service{
						accounts: tt.accounts, limit: tt.limit(), latency: tt.latency, jitter: tt.jitter,
						after:  tt.after,
						faulty: tt.faulty, dropped: tt.faulty,
					}
					if s.latency == 0 {
						s.latency = 60 * time.Millisecond
					}
					l, _ := newLister(s, seed)
					start := time.Now()
					result, err := l.List(t.Context())
					took := time.Since(start)
					if err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
					if len(result.Accounts) != tt.accounts || len(result.Refused) > 0 {
						t.Fatalf("seed %d: %d accounts, %v", seed, len(result.Accounts), result.Refused)
					}
					if result.Calls != s.calls || result.Throttled != s.refused {
						t.Errorf("%d calls, %d throttled; the service says %d, %d", result.Calls, result.Throttled,
							s.calls, s.refused)
					}
					ratio := tt.ratio
					if ratio == 0 {
						ratio = 1.15
					}
					times, refused := took.Seconds()*tt.rate/(float64(s.served)-tt.burst), float64(
						s.refused,
					)/float64(s.calls)
					if times > ratio {
						t.Errorf("seed %d: took %v, %.2f times what %d calls take", seed, took, times, s.served)
					}
					if refused > share {
						t.Errorf("seed %d: %d of %d calls were throttled: %.0f %%", seed, s.refused, s.calls,
							100*refused)
					}
					t.Logf("seed %d: %.2f of the ideal time, %.1f %% throttled (%d)", seed, times, 100*refused,
						s.refused)
				})
			}
		})
	}
}

// A service whose limit is not reached: as many calls in parallel as help.
func TestFullSpeed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		service *service
		ideal   time.Duration
		busiest int
	}{
		// 303 calls of 60 ms, 32 at a time.
		{"300 accounts", &service{accounts: 300, latency: 60 * time.Millisecond}, 303 * 60 * time.Millisecond / 32, 32},
		{"5,000 accounts", &service{accounts: 5000, latency: 60 * time.Millisecond}, 5050 * 60 * time.Millisecond / 32, 32},
		{"60 to 240 ms a call", &service{accounts: 1000, latency: 60 * time.Millisecond, jitter: 3}, 1010 * 150 * time.Millisecond / 32, 32},
		{"1 ms a call", &service{accounts: 1000, latency: time.Millisecond}, 1010 * time.Millisecond / 32, 32},
		// More than eight at once take longer.
		{"eight are worked on at a time", &service{accounts: 1000, latency: 60 * time.Millisecond, workers: 8}, 1010 * 60 * time.Millisecond / 8, 12},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := tt.service
				l, _ := newLister(s, 1)
				start := time.Now()
				result, err := l.List(t.Context())
				took := time.Since(start)
				if err != nil || len(result.Accounts) != s.accounts {
					t.Fatalf("%d accounts, %v", len(result.Accounts), err)
				}
				if times := float64(took) / float64(tt.ideal); times > 1.5 {
					t.Errorf("took %v, %.2f times what is possible", took, times)
				}
				if s.busiest > tt.busiest {
					t.Errorf("%d calls at once in the end, want %d at most", s.busiest, tt.busiest)
				}
				t.Logf("%v of %v, %d at once", took, tt.ideal, s.busiest)
			})
		})
	}
}

// Three processes that list at once share what the service serves, and all come to their end.
func TestCrowd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 200, latency: 60 * time.Millisecond, limit: perSecond(20)}
		start := time.Now()
		var listers []*Lister
		for i := range uint64(3) {
			l, _ := newLister(s, i)
			listers = append(listers, l)
		}
		var wg sync.WaitGroup
		for _, l := range listers {
			wg.Go(func() {
				if result, err := l.List(t.Context()); err != nil || len(result.Accounts) != s.accounts {
					t.Errorf("%d accounts, %v", len(result.Accounts), err)
				}
			})
		}
		wg.Wait()
		times, refused := time.Since(start).Seconds()*20/float64(s.served), float64(s.refused)/float64(s.calls)
		if times > 1.3 || refused > 0.25 {
			t.Errorf("%.2f times what %d calls take, %d of %d throttled", times, s.served, s.refused, s.calls)
		}
		t.Logf("%.2f of the ideal time, %.1f %% throttled", times, 100*refused)
	})
}
