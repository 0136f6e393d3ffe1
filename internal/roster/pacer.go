package roster

import (
	"math"
	"math/rand/v2"
	"time"
)

const (
	// maxUnderWay is how many calls are under way at most. At 60 ms a call that is 500 in a second, far above what the
	// portal is documented to serve; more connections would bring nothing but refusals.
	maxUnderWay = 32
	// firstUnderWay is how many calls begin a list; each that is answered allows one more, so they double with each round
	// trip.
	firstUnderWay = 4
	// slack is how late a call may leave and still be made up for: timers are coarse.
	slack = 20 * time.Millisecond

	// calm is how long after a refusal another one is a new event rather than more of the same.
	calm = time.Second
	// ease is what a refusal that comes alone takes from the rate: the rate was a little too high.
	ease = 0.95
	// hold is how long the rate then stays. After that it is felt for, slowly for feel, then in leaps.
	hold = 3 * time.Second
	feel = 4 * time.Second
	// slope is what is added in a second of feeling, in parts of the rate; leap is what it is multiplied by thereafter.
	slope = 0.02
	leap  = 1.5
	// least is the lowest rate, calls in a second.
	least = 0.2

	// firstPause is between a refusal and the probe, when nothing is known; shortPause is the longest while the service
	// may be counting in seconds, longPause afterwards.
	firstPause = 100 * time.Millisecond
	shortPause = 200 * time.Millisecond
	longPause  = 2 * time.Second
	counting   = 1500 * time.Millisecond
	// stumblePause is the same after failures of another sort, of which inARow make a pause.
	stumblePause = 500 * time.Millisecond
	inARow       = 4
)

// pacer decides when a call may be made, from what became of the calls before. It holds no clock and belongs to one
// goroutine. docs/adr/0020 has the reasons.
//
// It is open at first: as many calls are under way as are answered, twice as many with each round trip, up to
// maxUnderWay. The first refusal ends that for good: it pauses, sends one call after another until one is served, and
// then makes calls at the rate that the service was seen to serve, pause included. From there it goes up by little and
// down by little, so that it stays near the service's limit without living on refusals. When refusals come close
// together the limit has changed: it pauses and measures again. When none come the rate grows faster and faster.
type pacer struct {
	chance func() float64 // 0 ≤ x < 1

	sent     uint64 // calls, ever
	underWay int
	due      time.Time // when the next call may leave

	// Open.
	window float64
	trip   time.Duration // smoothed time of an answered call
	fast   time.Duration // the fastest of late

	// Paced.
	rate  float64   // calls in a second; 0 = open
	grown time.Time // rate is as of then
	risen time.Time // when it begins to grow

	// Events.
	event   uint64    // calls sent before it tell nothing more about it
	trouble time.Time // of the last event
	start   time.Time // of what is measured
	count   int       // served since

	// Paused.
	paused  bool
	since   time.Time     // the pause, all its probes included
	pause   time.Duration // between two probes
	until   time.Time     // the next probe
	probe   uint64        // the probe under way; 0 = none
	row     int           // failures that were not throttling, since an answer
	limited bool          // it was throttling that began the pause
	wished  time.Duration // Retry-After of the last event
}

// ticket is of one call.
type ticket struct {
	number uint64
	at     time.Time
}

func newPacer() *pacer { return &pacer{chance: rand.Float64, window: firstUnderWay} }

// ask reports whether a call may be made now. If not it returns how long it has to wait at least; 0 = until an answer comes.
func (p *pacer) ask(now time.Time) (time.Duration, bool) {
	switch {
	case p.paused && p.probe != 0:
		return 0, false
	case p.paused:
		d := p.until.Sub(now)
		return max(d, 0), d <= 0
	case p.underWay >= p.most():
		return 0, false
	}
	d := p.due.Sub(now)
	return max(d, 0), d <= 0
}

// most is how many calls may be under way.
func (p *pacer) most() int {
	if p.rate > 0 {
		return maxUnderWay
	}
	return int(p.window)
}

// waiting reports whether there is a pause.
func (p *pacer) waiting() bool { return p.paused }

// send notes that a call is made, which ask has allowed.
func (p *pacer) send(now time.Time) ticket {
	p.sent++
	p.underWay++
	if p.start.IsZero() {
		p.start = now
	}
	if p.paused {
		p.probe = p.sent
	}
	p.due = p.due.Add(p.gap(now))
	if earliest := now.Add(-slack); p.due.Before(earliest) {
		p.due = earliest
	}
	return ticket{number: p.sent, at: now}
}

// gap is the time between two calls: an even share of a round trip while open, so that a burst does not run far ahead
// of the first refusal.
func (p *pacer) gap(now time.Time) time.Duration {
	if p.rate == 0 {
		return time.Duration(float64(p.trip) / (2 * p.window))
	}
	p.grow(now)
	return time.Duration(float64(time.Second) / p.rate)
}

// grow raises the rate as time has passed. A rate that is not used does not grow.
func (p *pacer) grow(now time.Time) {
	from := p.grown
	p.grown = now
	if from.Before(p.risen) {
		from = p.risen
	}
	d := now.Sub(from).Seconds()
	if d <= 0 || p.underWay >= maxUnderWay {
		return
	}
	d = min(d, 2) // a list that had nothing to ask for has learned nothing
	if now.Sub(p.risen) <= feel {
		p.rate *= 1 + slope*d
	} else {
		p.rate *= math.Pow(leap, d)
	}
}

// served notes an answer, whatever it says.
func (p *pacer) served(now time.Time, t ticket) {
	p.underWay--
	p.count++
	p.row = 0
	p.timed(now.Sub(t.at))
	if p.paused && t.number > p.event {
		p.resume(now)
	}
	if p.rate == 0 && !p.paused && p.window < maxUnderWay && p.trip < 2*p.fast+20*time.Millisecond {
		p.window++
	}
}

// timed learns how long calls take. Where more of them at once take longer, more would bring nothing.
func (p *pacer) timed(d time.Duration) {
	if p.trip == 0 {
		p.trip, p.fast = d, d
		return
	}
	p.trip += (d - p.trip) / 8
	p.fast = min(d, p.fast+p.fast/256)
}

// throttled notes a refusal for coming too fast, with what the service says about when to come back (0 = nothing).
func (p *pacer) throttled(now time.Time, t ticket, after time.Duration) {
	p.underWay--
	switch {
	case t.number <= p.event && (!p.paused || after == 0): // sent before we knew
		return
	case t.number <= p.event:
		p.until = later(p.until, now.Add(p.early(after)))
		return
	case p.paused:
		p.limited = true
		p.failed(now, after)
		return
	}
	alone := p.rate > 0 && now.Sub(p.trouble) >= calm
	p.event, p.trouble, p.limited, p.wished = p.sent, now, true, after
	if alone && after == 0 {
		p.start, p.count = now, 0
		p.lower(now, p.rate*ease)
		p.due = now.Add(p.jitter(time.Duration(1.5 * float64(time.Second) / p.rate)))
		return
	}
	first := firstPause
	if p.rate > 0 {
		first = min(max(firstPause, time.Duration(2*float64(time.Second)/p.rate)), longPause)
	}
	p.begin(now, first, after)
}

// stumbled notes a failure of another sort. One of many is nothing; some in a row, or a grave one, are a reason to try
// with single calls until one is served. It reports whether the call was made after the last such reason.
func (p *pacer) stumbled(now time.Time, t ticket, grave bool) bool {
	p.underWay--
	switch {
	case t.number <= p.event:
		return false
	case p.paused:
		p.failed(now, 0)
		return true
	}
	if p.row++; p.row < inARow && !grave {
		return true
	}
	p.event, p.trouble, p.limited, p.wished = p.sent, now, false, 0
	p.window = max(p.window*0.7, firstUnderWay)
	p.begin(now, stumblePause, 0)
	return true
}

// begin begins a pause.
func (p *pacer) begin(now time.Time, first, after time.Duration) {
	p.paused, p.since, p.pause, p.probe = true, now, first, 0
	p.until = now.Add(max(p.jitter(first), p.early(after)))
}

// failed is what a probe comes back with.
func (p *pacer) failed(now time.Time, after time.Duration) {
	p.event, p.trouble, p.probe = p.sent, now, 0
	p.wished = max(p.wished, after)
	limit := shortPause
	if now.Sub(p.since) > counting {
		limit = longPause
	}
	p.pause = max(p.pause, min(p.pause*3/2, limit))
	p.until = now.Add(max(p.jitter(p.pause), p.early(after)))
}

// resume ends a pause.
func (p *pacer) resume(now time.Time) {
	p.paused, p.probe = false, 0
	p.due = now
	if !p.limited {
		return
	}
	measured := float64(p.count) / max(now.Sub(p.start).Seconds(), 0.001)
	switch {
	case p.rate == 0: // a limit counts in seconds at least
		p.lower(now, float64(p.count)/max(now.Sub(p.start).Seconds(), 1))
	case p.wished > 0:
		p.lower(now, p.rate*ease)
	default:
		p.lower(now, min(max(measured, p.rate*0.5), p.rate*0.8))
	}
	p.start, p.count = now, 0
}

// lower sets the rate and when it begins to grow again: the later the more the refusal has cost.
func (p *pacer) lower(now time.Time, rate float64) {
	p.rate = max(rate, least)
	p.grown, p.risen = now, now.Add(max(hold, 8*p.wished))
}

// jitter is d give or take a fifth, so that many who were refused together do not come back together.
func (p *pacer) jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*p.chance()))
}

// early is d and up to a tenth: never sooner than asked.
func (p *pacer) early(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + 0.1*p.chance()))
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
