package ui

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// Show overwrites the line at most ten times a second and never wider than the terminal; Clear clears it.
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

// There is no progress line in a pipe, and none with --debug.
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
