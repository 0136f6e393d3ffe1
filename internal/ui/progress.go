package ui

import (
	"io"
	"strings"
	"sync"
	"time"
)

// progress is a line on the terminal that it overwrites, and clears in the end. If stderr is not a terminal it prints
// nothing. The terminal needs to support only the carriage return. Safe for concurrent use.
type progress struct {
	out   io.Writer
	width int // of the terminal
	now   func() time.Time

	mu    sync.Mutex
	shown int       // columns of the text on the line
	last  time.Time // when the line was drawn; zero draws at once
}

// progressPace is the least time between two drawings, so that they do not fill a slow link.
const progressPace = 100 * time.Millisecond

// Progress returns a progress line; now is the clock. With --debug it prints nothing, since debug lines would mix
// with it.
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

// Show replaces the line, unless that happened less than progressPace ago.
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

// Clear clears the line. The next Show draws at once.
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

// draw overwrites the line with text.
func (p *progress) draw(text string) {
	n := Columns(text)
	_, _ = io.WriteString(p.out, "\r"+text+strings.Repeat(" ", max(0, p.shown-n)))
	p.shown = n
}
