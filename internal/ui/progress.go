package ui

import (
	"io"
	"strings"
	"sync"
	"time"
)

// progress is one line on the terminal that is written over and over, and gone in the end. Where stderr is no terminal
// it says nothing. It needs no more of the terminal than a carriage return. Its methods may be called by several
// goroutines at once.
type progress struct {
	out   io.Writer
	width int              // of the terminal
	now   func() time.Time // paces the line

	mu    sync.Mutex
	shown int // columns that stand on the line
	last  time.Time
}

// progressPace is how long a line stands at least, so that a slow link is not filled with them.
const progressPace = 100 * time.Millisecond

// Progress returns the line for what takes long; now is the clock. Debug lines tell more, and would run into it.
func (u *UI) Progress(now func() time.Time) *progress {
	p := &progress{width: u.Width, now: now}
	if u.Terminal && !u.Debugging {
		p.out = u.Err
	}
	if p.width <= 0 {
		p.width = 80
	}
	return p
}

// Show replaces the line, unless it was replaced a moment ago.
func (p *progress) Show(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.out == nil || !p.last.IsZero() && now.Sub(p.last) < progressPace && !now.Before(p.last) {
		return
	}
	p.last = now
	p.draw(Fit(Clean(text), p.width))
}

// Clear takes the line away. The next show draws at once.
func (p *progress) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = time.Time{}
	if p.out == nil || p.shown == 0 {
		return
	}
	p.draw("")
	_, _ = io.WriteString(p.out, "\r")
}

// draw writes text over what stands there.
func (p *progress) draw(text string) {
	n := Columns(text)
	_, _ = io.WriteString(p.out, "\r"+text+strings.Repeat(" ", max(0, p.shown-n)))
	p.shown = n
}
