package ui

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// The line is written over, not oftener than ten times a second, never wider than the terminal, and goes in the end.
func TestProgress(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	clock := time.Unix(1, 0)
	p := &progress{out: &out, width: 20, now: func() time.Time { return clock }}
	p.Show("one of 300 accounts, 20/s")
	p.Show("too soon")
	clock = clock.Add(progressPace)
	p.Show("short\x1b[2J\n")
	p.Clear()
	p.Clear()
	p.Show("anew")
	want := "\rone of 300 accounts" + "\rshort" + strings.Repeat(" ", 14) + "\r     \r" + "\ranew"
	if got := out.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// In a pipe, and among the lines of --debug, there is none.
func TestNoProgressInAPipe(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		terminal, debug bool
		want            string
	}{{false, false, ""}, {true, true, ""}, {true, false, "\rx"}} {
		var out bytes.Buffer
		u := &UI{Err: &out, Terminal: tt.terminal, Debugging: tt.debug}
		p := u.Progress(time.Now)
		p.Show("x")
		if got := out.String(); got != tt.want {
			t.Errorf("%+v: %q", tt, got)
		}
	}
}
