package roster

import "time"

const (
	// reportEvery is how often progress is told.
	reportEvery = 100 * time.Millisecond
	// The rate is that of the last three seconds, and none is told in the first: a burst at the beginning says nothing.
	meterSlot  = 250 * time.Millisecond
	meterSlots = 12
	meterLeast = time.Second
)

// meter counts answers of late. The zero meter has counted none.
type meter struct {
	began time.Time
	slots [meterSlots]struct {
		of    int64 // which slot of time
		count int
	}
}

func (m *meter) add(now time.Time) {
	if m.began.IsZero() {
		m.began = now
	}
	of := int64(now.Sub(m.began) / meterSlot)
	s := &m.slots[of%meterSlots]
	if s.of != of {
		s.of, s.count = of, 0
	}
	s.count++
}

// rate is how many answers came in a second; 0 = not known yet.
func (m *meter) rate(now time.Time) float64 {
	if m.began.IsZero() || now.Sub(m.began) < meterLeast {
		return 0
	}
	of := int64(now.Sub(m.began) / meterSlot)
	sum := 0
	for _, s := range m.slots {
		if s.of > of-meterSlots {
			sum += s.count
		}
	}
	first := m.began.Add(time.Duration(max(0, of-meterSlots+1)) * meterSlot)
	return float64(sum) / now.Sub(first).Seconds()
}

// report tells how far the list is, if it is time.
func (r *run) report(last bool) {
	now := time.Now()
	if r.Progress == nil || !last && now.Sub(r.reported) < reportEvery {
		return
	}
	r.reported = now
	p := Progress{
		Done: r.done, Total: len(r.order), Counting: r.counting, Rate: r.meter.rate(now),
		Calls: r.result.Calls, Throttled: r.result.Throttled, Waiting: r.pacer.waiting() && !last,
	}
	if p.Rate > 0 {
		p.Left = time.Duration(float64(p.Total-p.Done) / p.Rate * float64(time.Second))
	}
	r.Progress(p)
}
