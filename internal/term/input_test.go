package term

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// shown writes inputs as the tests compare them: key 'd', paste "text".
func shown(inputs []Input) []string {
	var all []string
	for _, i := range inputs {
		switch {
		case i.Key != 0 && !i.Text.IsZero():
			all = append(all, "both")
		case i.Key != 0:
			all = append(all, fmt.Sprintf("key %q", i.Key))
		default:
			all = append(all, fmt.Sprintf("paste %q", i.Text.Reveal()))
		}
	}
	return all
}

// play feeds chunks to a decoder; "" is the silence it waits for. At the end silence falls until it waits for
// nothing.
func play(t *testing.T, chunks ...string) []string {
	t.Helper()
	var d decoder
	var all []Input
	for _, chunk := range chunks {
		if chunk == "" {
			all = append(all, d.silence()...)
		} else {
			all = append(all, d.feed([]byte(chunk))...)
		}
	}
	for range 3 {
		if d.wait() == 0 {
			return shown(all)
		}
		all = append(all, d.silence()...)
	}
	t.Errorf("%.80q: the decoder waits for ever", chunks)
	return shown(all)
}

const begin, end = "\x1b[200~", "\x1b[201~"

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		chunks []string
		want   string // joined by " "
	}{
		{nil, ""},
		{[]string{"d"}, `key 'd'`},
		{[]string{"d", "", "p", "", "?"}, `key 'd' key 'p' key '?'`},
		{[]string{"é"}, `key 'é'`},
		{[]string{"\xc3", "\xa9"}, `key 'é'`},
		{[]string{"\xf0\x9f", "\x90", "\xab"}, `key '🐫'`},
		{[]string{"\n"}, `key '\n'`},
		{[]string{"\x04"}, `key '\x04'`},

		// What does not come alone is no key.
		{[]string{"dp"}, `paste "dp"`},
		{[]string{"d", "p"}, `paste "dp"`},
		{[]string{"dd", "d"}, `paste "ddd"`},
		{[]string{"d", "é"}, `paste "dé"`},
		{[]string{"d\n"}, `paste "d\n"`},
		{[]string{"\n\n\n"}, ``},
		{[]string{"\xff"}, ``},
		{[]string{"\xc3", ""}, ``},
		{[]string{"\x00"}, ``},
		{[]string{"\x00\x00"}, `paste "\x00\x00"`},
		{[]string{"\xffd"}, `paste "\xffd"`},

		// Sequences are neither.
		{[]string{"\x1b[A", "", "\x1bOB", "", "\x1b[5~", "", "\x1b[1;5C", "", "\x1bO5P"}, ``},
		{[]string{"\x1b[I", "", "\x1b[O"}, ``},                          // focus
		{[]string{"\x1b[<0;12;34M\x1b[<0;12;34m"}, ``},                  // mouse
		{[]string{"\x1b[Mddd", "", "d"}, `key 'd'`},                     // mouse, the old kind
		{[]string{"\x1b[[A", "", "d"}, `key 'd'`},                       // Linux console
		{[]string{"\x1b]11;rgb:ddd/ddd/ddd\x1b\\", "", "d"}, `key 'd'`}, // answers to questions of others
		{[]string{"\x1b]52;c;ZGRk\x07", "", "d"}, `key 'd'`},
		{[]string{"\x1bP1$r0m\x1b\\", "", "d"}, `key 'd'`},
		{[]string{"\x1bd", "", "\x1bé", "", "\x1b\U0001f42b", "", "\x1b\x1b[A", "", "p"}, `key 'p'`}, // Alt
		{[]string{"\x1b", "", "d"}, `key 'd'`},
		{[]string{"\x1b", "d"}, ``},
		{[]string{"\x1b[", "", "d"}, `key 'd'`},
		{[]string{"\x1b]", "0;ddd", "", "d"}, `key 'd'`},
		{[]string{"d", "\x1b[A"}, ``},
		{[]string{"\x1b[A", "d"}, ``},
		{[]string{"https://", "\x1b[C", "x"}, `paste "https://x"`},
		{[]string{end, "", "d"}, `key 'd'`},

		// A bracketed paste is whole, and nothing else.
		{[]string{begin + "d" + end}, `paste "d"`},
		{[]string{begin + "a\r\nb" + end}, `paste "a\r\nb"`},
		{[]string{begin + end, "", "d"}, `key 'd'`},
		{[]string{begin, "a", "", "d"}, `paste "a" key 'd'`}, // the end was lost
		{[]string{begin + "a" + end + "d"}, `paste "a"`},
		{[]string{begin + "a" + end + "\n"}, `paste "a"`},
		{[]string{begin + "a" + end, "", "d"}, `paste "a" key 'd'`},
		{[]string{begin + "a" + end + begin + "b" + end}, `paste "a" paste "b"`},
		{[]string{"d" + begin + "a" + end}, `paste "a"`},
		{[]string{"de" + begin + "a" + end}, `paste "de" paste "a"`},
		{[]string{begin + "a\x1b[20\x1b[A\x00\x1b" + end}, `paste "a\x1b[20\x1b[A\x00\x1b"`},
		{[]string{begin + "a" + begin + "b" + end}, `paste "a\x1b[200~b"`},
		{[]string{begin + "d\xff" + end}, `paste "d\xff"`},
	} {
		if got := strings.Join(play(t, tt.chunks...), " "); got != tt.want {
			t.Errorf("%q: %s, want %s", tt.chunks, got, tt.want)
		}
	}
}

// However the bytes are cut, the paste is the same: inside the brackets, inside a character, byte by byte.
func TestDecodeInAnyPieces(t *testing.T) {
	t.Parallel()
	text := "dé🐫 https://127.0.0.1:23456/oauth/callback?code=" + strings.Repeat("0123456789\r\n",
		20) + "&state=\x1b[201"
	for name, stream := range map[string]string{"bracketed": begin + text + end, "bare": strings.TrimSuffix(text, "\x1b[201")} {
		want := play(t, stream)
		if len(want) != 1 || !strings.HasPrefix(want[0], "paste") {
			t.Fatalf("%s: %q", name, want)
		}
		try := func(chunks []string) {
			if got := play(t, chunks...); len(got) != 1 || got[0] != want[0] {
				t.Errorf("%s in %d pieces: %.200q", name, len(chunks), got)
			}
		}
		for i := 1; i < len(stream); i++ {
			try([]string{stream[:i], stream[i:]})
		}
		try(strings.Split(string([]rune(strings.Join(strings.Split(stream, ""), "|"))), "|"))
		for seed := range uint64(200) {
			r := rand.New(rand.NewPCG(seed, 1))
			var chunks []string
			for rest := stream; rest != ""; {
				n := min(len(rest), 1+r.IntN(9))
				chunks, rest = append(chunks, rest[:n]), rest[n:]
			}
			try(chunks)
		}
	}
}

func TestPasteIsBounded(t *testing.T) {
	t.Parallel()
	fits, tooLong := strings.Repeat("x", MaxPaste), strings.Repeat("x", 3*MaxPaste)
	for _, brackets := range [][2]string{{begin, end}, {"", ""}} {
		for text, want := range map[string]int{fits: MaxPaste, tooLong: MaxPaste + 1} {
			var d decoder
			got := append(d.feed([]byte(brackets[0]+text+brackets[1])), d.silence()...)
			if len(got) != 1 || len(got[0].Text.Reveal()) != want {
				t.Errorf("%d bytes, brackets %q: %d inputs", len(text), brackets, len(got))
			}
			if again := append(d.feed([]byte("d")), d.silence()...); len(again) != 1 || again[0].Key != 'd' {
				t.Errorf("after %d bytes no key is heard: %v", len(text), shown(again))
			}
		}
	}
}

// How long a silence must be depends on what it would end.
func TestSilences(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"": 0, "d": 50 * time.Millisecond, "é": 50 * time.Millisecond, "\xc3": 300 * time.Millisecond, "dp": 300 * time.Millisecond,
		"\x1b": 300 * time.Millisecond, "\x1b[20": 300 * time.Millisecond, begin: 3 * time.Second, begin + "x": 3 * time.Second,
		begin + "x" + end: 50 * time.Millisecond, begin + "x" + end + "d": 50 * time.Millisecond, "\x1b[A": 50 * time.Millisecond,
	} {
		var d decoder
		d.feed([]byte(in))
		if got := d.wait(); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
}

// Nothing a terminal, or whoever plays one, sends makes the decoder panic, wait for ever or hold more than a paste.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"d", begin + "x" + end, "\x1b[[A\x1b[M", "\x1bO\x1b]\x1b\\", begin + end[:3], "\x1b\xf4", "\xc3"} {
		f.Add([]byte(seed), uint8(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, size uint8) {
		var d decoder
		for len(data) > 0 {
			n := min(len(data), 1+int(size))
			for _, i := range d.feed(data[:n]) {
				if (i.Key == 0) == i.Text.IsZero() || len(i.Text.Reveal()) > MaxPaste+1 {
					t.Fatalf("input %v", shown([]Input{i}))
				}
			}
			data = data[n:]
		}
		for range 3 {
			d.silence()
		}
		if d.wait() != 0 || len(d.run)+len(d.text) > 0 {
			t.Fatalf("after silence: %+v", d)
		}
		d.feed([]byte("d"))
		if got := d.silence(); len(got) != 1 || got[0].Key != 'd' {
			t.Fatalf("deaf afterwards: %v", shown(got))
		}
	})
}
