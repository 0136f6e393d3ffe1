package plain

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", ""},
		{"as it is", `Ünïcödé "quoted" – 日本 🙂`, `Ünïcödé "quoted" – 日本 🙂`},
		{"line breaks and tabs", " a\r\n\tb\v\fc\u2028d \n", "a b c d"},
		{"other blanks", "a\u00a0\u2003b", "a b"},
		{"colour", "\x1b[31mred\x1b[0m", "red"},
		{"cursor up and erase", "ok\x1b[1A\x1b[2Kfake", "okfake"},
		{"window title", "a\x1b]0;owned\x07b", "ab"},
		{"hyperlink", "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "click"},
		{"device control string", "a\x1bPq#0\x1b\\b", "ab"},
		{"C1 control sequence", "a\u009b31mb", "ab"},
		{"C1 string", "a\u009d0;x\u009cb", "ab"},
		{"unfinished sequence", "a\x1b[31", "a"},
		{"unfinished string", "a\x1b]0;rest", "a"},
		{"lone escape", "a\x1b", "a"},
		{"two-character escape", "a\x1bcb", "ab"},
		{"character set", "a\x1b(0b", "ab"},
		{"escape before a letter that is not ASCII", "a\x1bé", "aé"},
		{"bell, backspace, delete, null", "a\a\b\x7f\x00b", "ab"},
		{"bidirectional override", "a\u202ebc\u202c\u2066d\u2069\u200f", "abcd"},
		{"zero width and tags", "a\u200b\u200d\ufeff\U000e0041b\ufe0f", "ab"},
		{"fillers", "a\u3164\u115fb", "ab"},
		{"invalid UTF-8", "a\xffb", "a\ufffdb"},
		{"raw C1 byte is invalid UTF-8", "a\x9b31mb", "a\ufffd31mb"},
	} {
		if got := Line(tt.in, 0); got != tt.want {
			t.Errorf("%s: Line(%q) = %q, want %q", tt.name, tt.in, got, tt.want)
		}
		if IsLine(tt.in) != (tt.in == tt.want) {
			t.Errorf("%s: IsLine(%q) = %v", tt.name, tt.in, IsLine(tt.in))
		}
	}
}

func TestLineLimit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in    string
		limit int
		want  string
	}{
		{"abcd", 4, "abcd"},
		{"abcde", 4, "abc…"},
		{"äöüßé", 4, "äöü…"},
		{"ab cd", 4, "ab…"},
		{"abcd   ", 4, "abcd"},
		{"ab", 1, "…"},
		{strings.Repeat("x", 9), 0, strings.Repeat("x", 9)},
	} {
		if got := Line(tt.in, tt.limit); got != tt.want {
			t.Errorf("Line(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b[31mred", "\x1b]0;t\x07x", "a\u202eb", "\xff\x9b", "a b", "\x1b\x1b[", "\x1b "} {
		f.Add(seed, 5)
	}
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit %= 1000
		got := Line(s, limit)
		if !utf8.ValidString(got) {
			t.Errorf("%q is not UTF-8", got)
		}
		for _, r := range got {
			if !unicode.IsGraphic(r) || unicode.Is(unicode.Cf, r) || r != ' ' && unicode.IsSpace(r) {
				t.Errorf("Line(%q) keeps %U", s, r)
			}
		}
		if limit > 0 && utf8.RuneCountInString(got) > limit {
			t.Errorf("Line(%q, %d) has %d runes", s, limit, utf8.RuneCountInString(got))
		}
		if again := Line(got, limit); again != got {
			t.Errorf("Line is not stable: %q, then %q", got, again)
		}
	})
}
