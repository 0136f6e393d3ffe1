package ui

import (
	"bytes"
	"testing"
)

func TestWrap(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text, want string
	}{
		{"short", "a word\n", "a word\n"},
		{"at a word", "one two three four five six\n", "one two three four\nfive six\n"},
		{"just fits", "12345 67890 12345678\n", "12345 67890 12345678\n"},
		{"a question keeps its last space", "SSO registration scopes [a]: ", "SSO registration\nscopes [a]: "},
		{"an address is never broken", "Open https://example.com/a/long/one now\n",
			"Open\nhttps://example.com/a/long/one\nnow\n"},
		{"nor is a command", "hint: for a new code, run: homing login --profile old\n",
			"hint: for a new\ncode, run:\nhoming login --profile old\n"},
		{"indented lines stay as they are", "   1  an entry of a numbered list\n",
			"   1  an entry of a numbered list\n"},
		{"each line", "one two three four five\n\nsix\n", "one two three four\nfive\n\nsix\n"},
		{"wide", "日本語日本語 日本語日本語\n", "日本語日本語\n日本語日本語\n"},
	} {
		if got := wrap(tt.text, 20); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
		if got := wrap(tt.text, 0); got != tt.text {
			t.Errorf("%s, without a width: got %q", tt.name, got)
		}
	}
}

func TestSayWraps(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	u := &UI{Err: &b, Width: 20, Debugging: true}
	u.Say("one two three %s five\n", "four")
	u.Debug("one two three four five")
	if want := "one two three four\nfive\ndebug: one two three four five\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}
