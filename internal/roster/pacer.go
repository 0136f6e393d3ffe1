package roster

import (
	"math"
	"time"
)

const (
	// slack is how late a call may leave and still be made up for: timers are coarse.
	slack = 20 * time.Millisecond

	// calm is how many calls must be served after a refusal for the next one to be a new event rather than more of
	// the same; fewer where a limit of some calls a second would not let that many through.
	calm = 6
	// ease is what a refusal that comes alone takes from the rate: the rate was a little too high. In climb seconds
	// it is back, fast at first and slowly at the end. Then the limit is felt for: for feel seconds slope is added in
	// each, in parts of the rate, and thereafter leap is what it is multiplied by in each.
	ease  = 0.95
	climb = 4.0
	feel  = 2.0
	slope = 0.02
	leap  = 1.6
	// most is the highest rate, calls in a second: a limit above what maxUnderWay calls can reach does not matter.
	highest = 5000
	// least is the lowest rate, calls in a second.
	least = 0.2

	// firstPause is between a refusal and the probe, when nothing is known; shortPause is the longest while the
	// service may be counting in seconds, longPause afterwards.
	firstPause = 100 * time.Millisecond
	shortPause = 200 * time.Millisecond
	longPause  = 2 * time.Second
	counting   = 1500 * time.Millisecond
	// stale is how long a pause may be for what was measured before it to be of use.
	stale = 15 * time.Second
	// guess is the rate to begin with when nothing is known, calls in a second.
	guess = 4.0
	// slowest is the most that a costly refusal slows the growth down.
	slowest = 20.0
	// stumblePause is the same after failures of another sort, of which inARow make a pause.
	stumblePause = 500 * time.Millisecond
	inARow       = 4
)

// pacer decides when a call may be made, from what became of the calls before. It holds no clock and belongs to one
// goroutine. docs/adr/0020 has the reasons.
//
// It is open at first: as many calls are under way as are answered, twice as many with each round trip, up to
// maxUnderWay. The first refusal ends that for good: it pauses, sends one call after another until one is served, and
// then makes calls at the rate that the service was seen to serve, pause included. From there it goes up by little
// and down by little, so that it stays near the service's limit without living on refusals. When refusals come close
// together the limit has changed: it pauses and measures again. When none come the rate grows faster and faster.
type pacer struct {
	chance func() float64 // 0 ≤ x < 1

	sent     uint64 // calls, ever
	underWay int
	due      time.Time // when the next call may leave

	window window // while open

	// Paced.
	paced   bool
	base    float64   // the rate as it was lowered, calls in a second
	top     float64   // the rate up to which it climbs
	since   time.Time // when it was lowered, moved on by the time in which it was not used
	scale   float64   // how much longer than usual growing takes
	guessed bool      // base has not been measured: it grows at once
	last    time.Time // the last call

	// Events.
	event uint64    // calls sent before it tell nothing more about it
	after int       // served of those sent after it
	start time.Time // of what is measured
	count int       // served since
	good  int       // served since the rate was lowered
	bad   int       // refused since, whenever they were sent

	// Paused.
	paused  bool
	began   time.Time     // the pause, all its probes included
	pause   time.Duration // between two probes
	until   time.Time     // the next probe
	probe   uint64        // the probe under way; 0 = none
	closed  time.Time     // when the last call was sent that was refused
	row     int           // failures that were not throttling, since an answer
	limited bool          // it was throttling that began the pause
	met     float64       // the rate that met it; 0 = open
	wished  time.Duration // Retry-After of the last event
}

// ticket is of one call.
type ticket struct {
	number uint64
	at     time.Time
	rate   float64 // at that time; 0 = open
}

func newPacer(chance func() float64) *pacer {
	return &pacer{chance: chance, window: window{size: firstUnderWay}}
}

// ask reports whether a call may be made now. If not it returns how long it has to wait at least; 0 = until an answer
// comes.
func (p *pacer) ask(now time.Time) (time.Duration, bool) {
	switch {
	case p.paused && p.probe != 0:
		return 0, false
	case p.paused:
		d := p.until.Sub(now)
		return max(d, 0), d <= 0
	case p.underWay >= p.most():
		p.window.filled = true
		return 0, false
	}
	d := p.due.Sub(now)
	return max(d, 0), d <= 0
}

// most is how many calls may be under way.
func (p *pacer) most() int {
	if p.paced {
		return maxUnderWay
	}
	return int(p.window.size)
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
	rate := p.rate(now)
	// An even share of a round trip: a burst must not run far ahead of the first refusal.
	gap := time.Duration(float64(p.window.trip) / (2 * p.window.size))
	if p.paced {
		gap = time.Duration(float64(time.Second) / rate)
		// A rate that is not used has proved nothing.
		if idle := now.Sub(p.last); p.underWay >= maxUnderWay || idle > 4*gap+slack {
			p.since = p.since.Add(max(0, min(idle, now.Sub(p.since))))
			rate = p.rate(now)
		}
	}
	p.last = now
	p.due = latest(p.due.Add(gap), now.Add(-slack))
	return ticket{number: p.sent, at: now, rate: rate}
}

// rate is how many calls are to be made in a second; 0 = open.
func (p *pacer) rate(now time.Time) float64 {
	if !p.paced {
		return 0
	}
	t, climb, feel := now.Sub(p.since).Seconds()/p.scale, climb, feel
	if p.guessed {
		climb, feel = 0, 0
	}
	switch {
	case t < climb:
		x := 1 - t/climb
		return p.top - (p.top-p.base)*x*x*x
	case t < climb+feel:
		return p.top * (1 + slope*(t-climb))
	}
	return min(p.top*(1+slope*feel)*math.Pow(leap, t-climb-feel), highest)
}

// served notes an answer, whatever it says.
func (p *pacer) served(now time.Time, t ticket) {
	p.underWay--
	p.count++
	p.good++
	p.row = 0
	if t.number > p.event {
		p.after++
		if p.paused {
			p.resume(now, t)
		}
	}
	if !p.paced && !p.paused {
		p.window.answered(now, now.Sub(t.at), t.number, p.sent)
	}
}

// throttled notes a refusal for coming too fast, with what the service says about when to come back (0 = nothing).
func (p *pacer) throttled(now time.Time, t ticket, after time.Duration) {
	p.underWay--
	p.bad++
	switch {
	case t.number <= p.event: // sent before we knew
		if p.paused && after > 0 {
			p.until = latest(p.until, now.Add(p.stretch(after)))
		}
		return
	case p.paused:
		p.limited, p.closed = true, t.at
		p.failed(now, after)
		return
	}
	alone := p.paced && p.after >= min(calm, max(2, int(t.rate/2)))
	p.event, p.after, p.limited, p.wished, p.met, p.closed = p.sent, 0, true, after, t.rate, t.at
	if alone && after == 0 {
		base, top := p.eased()
		p.lower(now, base, top)
		p.due = now.Add(p.jitter(time.Duration(1.5 * float64(time.Second) / p.base)))
		return
	}
	first := firstPause
	if p.paced {
		first = min(max(firstPause, time.Duration(2*float64(time.Second)/t.rate)), longPause)
	}
	p.begin(now, first, after)
}

// eased is the rate after one that was a little too high, and how far it is to climb: by the share of refusals since
// it was last lowered, if that is more than ease.
func (p *pacer) eased() (base, top float64) {
	base = p.met * min(ease, float64(p.good)/float64(p.good+p.bad))
	return base, base / ease
}

// stumbled notes a failure of another sort. One of many is nothing; some in a row, or a grave one, are a reason to
// try with single calls until one is served. It reports whether the call was made after the last such reason.
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
	p.event, p.after, p.limited, p.wished = p.sent, 0, false, 0
	p.window.size = max(p.window.size*0.7, firstUnderWay)
	p.begin(now, stumblePause, 0)
	return true
}

// begin begins a pause.
func (p *pacer) begin(now time.Time, first, after time.Duration) {
	p.paused, p.began, p.pause, p.probe = true, now, first, 0
	p.until = now.Add(max(p.jitter(first), p.stretch(after)))
}

// failed is what a probe comes back with.
func (p *pacer) failed(now time.Time, after time.Duration) {
	p.event, p.probe = p.sent, 0
	p.wished = max(p.wished, after)
	limit := shortPause
	if now.Sub(p.began) > counting {
		limit = longPause
	}
	p.pause = max(p.pause, min(p.pause*3/2, limit))
	p.until = now.Add(max(p.jitter(p.pause), p.stretch(after)))
}

// resume ends a pause with the probe that was served.
func (p *pacer) resume(now time.Time, probe ticket) {
	p.paused, p.probe = false, 0
	p.due = now
	if !p.limited {
		return
	}
	cost := probe.at.Sub(p.began)
	// The service opened again between the last probe that was refused and this one.
	open := probe.at.Sub(p.start).Seconds()
	measured := float64(p.count) / max(open, 0.05)
	switch {
	case cost > stale: // what was measured no longer holds
		p.lower(now, max(p.met/2, guess), 0)
	case !p.paced && p.count < calm: // too few to measure by
		p.lower(now, max(measured, guess), 0)
	case !p.paced && open < 1: // it gave what it had saved up, and may give more
		p.lower(now, measured/2, 0)
	case !p.paced: // it counts in seconds, as it seems
		p.lower(now, measured, float64(p.count)/max(p.closed.Sub(p.start).Seconds(), 1))
	case p.wished > 0:
		base, top := p.eased()
		p.lower(now, base, top*0.98) // the next one would cost as much
	default:
		floor := 0.5
		if p.count < calm {
			floor = 0.7
		}
		p.lower(now, min(max(measured, p.met*floor), p.met*0.9), p.met*0.9)
	}
	p.scale = max(p.scale, min(cost.Seconds(), slowest))
	if p.guessed {
		p.scale = 1
	}
	p.start, p.count = now, 0
}

// lower sets the rate, and how far it is to climb before the limit is felt for: the slower the more the refusal has
// cost. A top of 0 is for a rate that is a guess: it grows at once.
func (p *pacer) lower(now time.Time, base, top float64) {
	p.base = max(base, least)
	p.top, p.guessed = max(top, p.base), top == 0
	p.paced, p.since, p.last = true, now, now
	p.scale = max(1, min(3*p.wished.Seconds(), slowest), 4/p.top)
	p.good, p.bad = 0, 0
}

// jitter is d give or take a fifth, so that many who were refused together do not come back together.
func (p *pacer) jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.8 + 0.4*p.chance()))
}

// stretch returns d and up to a tenth: never sooner than asked.
func (p *pacer) stretch(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (1 + 0.1*p.chance()))
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
