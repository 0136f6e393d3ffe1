package roster

import "time"

const (
	// maxUnderWay is how many calls are under way at most. At 60 ms a call that is 500 in a second, far above what
	// the portal is documented to serve; more connections would bring nothing but refusals.
	maxUnderWay = 32
	// firstUnderWay is how many calls begin a list; each that is answered allows one more, so they double with each
	// round trip.
	firstUnderWay = 4
	// sample is how many calls tell how long one takes when few are under way.
	sample = 12
	// gain is what a round with more calls under way must bring for more to be tried; after idleRounds that brought
	// less, as many are kept as the best round had use for, and spare more.
	gain       = 1.2
	idleRounds = 2
	spare      = 1.25
)

// window finds out how many parallel calls help while nothing limits their rate: it adds calls until a round trip
// with more of them answers no more calls a second than one with fewer.
type window struct {
	size   float64
	full   bool // it has been learned
	filled bool // in this round all of it was in use

	trip  time.Duration // smoothed time of an answered call
	usual time.Duration // what the first calls took, together
	known int           // how many of them are in usual

	until  uint64 // the first call whose answer ends the round
	began  time.Time
	served int     // in this round
	best   float64 // calls a second, of a round
	idle   int     // rounds since that brought no more
}

// answered notes an answer that took so long, to the call of the given number; sent is how many have been sent.
func (w *window) answered(now time.Time, took time.Duration, number, sent uint64) {
	if w.trip == 0 {
		w.trip = took
	}
	w.trip += (took - w.trip) / 8
	if w.known < sample {
		w.usual += took
		w.known++
	}
	w.served++
	if !w.full && w.size < maxUnderWay {
		w.size++
	}
	if number >= w.until {
		w.end(now)
		w.until, w.began, w.served, w.filled = sent+1, now, 0, false
	}
}

// end ends a round.
func (w *window) end(now time.Time) {
	d := now.Sub(w.began).Seconds()
	if w.full || !w.filled || w.began.IsZero() || d <= 0 {
		return
	}
	speed := float64(w.served) / d
	if speed > w.best*gain {
		w.best, w.idle = speed, 0
		return
	}
	if w.idle++; w.idle == idleRounds {
		w.full = true
		once := w.usual.Seconds() / float64(w.known)
		w.size = min(max(w.best*once*spare, firstUnderWay), maxUnderWay)
	}
}
