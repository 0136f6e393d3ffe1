package term

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rsc.io/qr"
)

func TestNotATerminal(t *testing.T) {
	t.Parallel()
	f, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, stream := range []any{nil, &bytes.Buffer{}, f, (*os.File)(nil)} {
		if w, h := Size(stream); IsTerminal(stream) || w != 0 || h != 0 {
			t.Errorf("%T is no terminal", stream)
		}
	}
}

func TestNoColor(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env  map[string]string
		want bool
	}{
		{map[string]string{"TERM": "xterm-256color"}, false},
		{map[string]string{"TERM": "xterm-256color", "NO_COLOR": ""}, false},
		{map[string]string{"TERM": "xterm-256color", "NO_COLOR": "1"}, true},
		{map[string]string{"TERM": "dumb"}, true},
	} {
		if got := NoColor(func(k string) string { return tt.env[k] }); got != tt.want {
			t.Errorf("NoColor(%v) = %v", tt.env, got)
		}
	}
}

// TestQRShowsTheCode reads the rendered cells back and compares them, margin included, with the code itself.
func TestQRShowsTheCode(t *testing.T) {
	t.Parallel()
	const text = "https://d-1234567890.awsapps.com/start/#/device?user_code=BCDF-GHJK"
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	size := code.Size + 8
	out := QR(text, size)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != (size+1)/2 {
		t.Fatalf("%d lines for %d modules", len(lines), size)
	}
	for i, line := range lines {
		line, ok := strings.CutPrefix(line, "\x1b[38;5;16;48;5;231m")
		line, ok2 := strings.CutSuffix(line, "\x1b[0m")
		cells := []rune(line)
		if !ok || !ok2 || len(cells) != size {
			t.Fatalf("line %d: %d cells, or colours that stay on: %q", i, len(cells), line)
		}
		for x, cell := range cells {
			upper := cell == '█' || cell == '▀'
			lower := cell == '█' || cell == '▄'
			if upper != code.Black(x-4, 2*i-4) || lower != code.Black(x-4, 2*i+1-4) {
				t.Fatalf("cell %d,%d is %q", x, i, cell)
			}
		}
	}
	if strings.Trim(lines[0], "\x1b[0123456789;m \n") != "" || strings.Trim(lines[1], "\x1b[0123456789;m \n") != "" {
		t.Error("no margin of four modules above the code")
	}
}

func TestQRThatDoesNotFit(t *testing.T) {
	t.Parallel()
	const text = "https://example.com"
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	if QR(text, code.Size+8) == "" {
		t.Error("not shown although it fits")
	}
	for name, out := range map[string]string{
		"one column too few": QR(text, code.Size+7),
		"no terminal":        QR(text, 0),
		"too long a text":    QR(strings.Repeat("x", 3000), 1000),
	} {
		if out != "" {
			t.Errorf("%s: shown", name)
		}
	}
}
