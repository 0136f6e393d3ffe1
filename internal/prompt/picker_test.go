package prompt

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/term"
)

func keys(s string) []key {
	named := map[rune]key{
		'↑': keyUp,
		'↓': keyDown,
		'⇞': keyPageUp,
		'⇟': keyPageDown,
		'⇱': keyHome,
		'⇲': keyEnd,
		'⌫': keyBackspace,
		'⎋': keyClear,
		'?': keyOther,
	}
	var ks []key
	for _, r := range s {
		if k, ok := named[r]; ok {
			ks = append(ks, k)
			continue
		}
		ks = append(ks, key(r))
	}
	return ks
}

func TestFilterList(t *testing.T) {
	items := []string{"Alpha, a@example.com (111)", "beta (222)", "Gamma prod (333)", "prod alpha (444)"}
	for i := range 20 {
		items = append(items, "filler "+string(rune('a'+i)))
	}
	for _, tt := range []struct {
		name, keys string
		want       string // chosen; "" when nothing can be
	}{
		{"the first item", "", "Alpha, a@example.com (111)"},
		{"letter case does not matter", "GAMMA", "Gamma prod (333)"},
		{"every word somewhere", "prod gam", "Gamma prod (333)"},
		{"a number", "444", "prod alpha (444)"},
		{"nothing matches", "zzz", ""},
		{"widened again", "zzz⌫⌫⌫", "Alpha, a@example.com (111)"},
		{"cleared", "zzz⎋", "Alpha, a@example.com (111)"},
		{"an unknown key does nothing", "beta?", "beta (222)"},
		{"down and up", "↓↓↓↑", "Gamma prod (333)"},
		{"not beyond the ends", "↑↑⇲↓", "filler t"},
		{"pages", "⇟⇟⇞", "filler g"},
		{"home", "⇟⇱", "Alpha, a@example.com (111)"},
		{"narrowing goes back to the top", "⇲alpha", "Alpha, a@example.com (111)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newFilterList(items)
			for _, k := range keys(tt.keys) {
				if err := l.press(k); err != nil {
					t.Fatalf("%q: %v", rune(k), err)
				}
			}
			view := strings.Join(l.view(200), "\n")
			err := l.press(keyEnter)
			if tt.want == "" {
				if err != nil || !strings.Contains(view, "nothing matches") {
					t.Errorf("Enter: %v, shown:\n%s", err, view)
				}
				return
			}
			if !errors.Is(err, errChosen) || items[l.chosen()] != tt.want {
				t.Errorf("chose %q (%v), want %q", items[l.chosen()], err, tt.want)
			}
			if !strings.Contains(view, "\n> "+tt.want) {
				t.Errorf("the cursor is not on %q:\n%s", tt.want, view)
			}
		})
	}
}

func TestFilterListFits(t *testing.T) {
	l := newFilterList([]string{strings.Repeat("x", 300), strings.Repeat("漢", 100), "short"})
	for _, width := range []int{10, 40, 80} {
		for _, line := range l.view(width) {
			columns := 0
			for _, r := range line {
				columns++
				if r > 0x1100 {
					columns++
				}
			}
			if columns >= width {
				t.Errorf("%d columns at a width of %d: %q", columns, width, line)
			}
		}
	}
	if got := len(newFilterList(slices.Repeat([]string{"x"}, 300)).view(80)); got != pickerRows+1 {
		t.Errorf("300 entries are shown on %d lines", got)
	}
}

// readKey decodes what a terminal sends for a key; unknown sequences become keyOther.
func TestReadKey(t *testing.T) {
	for _, tt := range []struct {
		sent string
		want []key
	}{
		{"aé漢", []key{'a', 'é', '漢'}},
		{"\x1b[A\x1b[B\x1bOA\x1b[5~\x1b[6~\x1b[H\x1b[F",
			[]key{keyUp, keyDown, keyUp, keyPageUp, keyPageDown, keyHome, keyEnd}},
		{"\x1b[1;5C\x1b[200~\x1bx", []key{keyOther, keyOther, keyOther}},
		{"\x03\x04\r\n\x7f\b\x15\x01",
			[]key{keyInterrupt, keyEOF, keyEnter, keyEnter, keyBackspace, keyBackspace, keyClear, keyOther}},
		{"\xff", []key{keyOther}},
	} {
		r, w := io.Pipe()
		a := &app.App{Lines: &term.LineReader{R: r}}
		go func() { _, _ = io.WriteString(w, tt.sent) }()
		for i, want := range tt.want {
			got, err := readKey(t.Context(), a)
			if err != nil || got != want {
				t.Errorf("%q, key %d: %d (%v), want %d", tt.sent, i, got, err, want)
			}
		}
	}
}

// Escape alone clears the filter, and the byte after it is not lost.
func TestReadEscapeAlone(t *testing.T) {
	r, w := io.Pipe()
	a := &app.App{Lines: &term.LineReader{R: r}}
	go func() { _, _ = w.Write([]byte{0x1b}) }()
	if got, err := readKey(t.Context(), a); err != nil || got != keyClear {
		t.Fatalf("%d (%v), want keyClear", got, err)
	}
	go func() { _, _ = w.Write([]byte{'x'}) }()
	if got, err := readKey(t.Context(), a); err != nil || got != 'x' {
		t.Fatalf("%d (%v), want x", got, err)
	}
}

func TestReadKeyStops(t *testing.T) {
	r, _ := io.Pipe()
	a := &app.App{Lines: &term.LineReader{R: r}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if _, err := readKey(ctx, a); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
