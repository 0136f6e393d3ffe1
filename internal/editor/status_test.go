package editor

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	const report = "Version:          Code 1.139.1\nOS Version:       Linux x64 6.8\n"
	for _, tt := range []struct {
		text string
		want Client
	}{
		{"The --status argument is not yet supported in browsers.", Web},
		{"Das Argument \"--status\" wird in Browsern noch nicht unterstützt.", Web},
		{"ブラウザーでは --status 引数はまだサポートされていません。\n", Web},
		{"Status: unsupported", Web}, // one line, whatever it holds
		{report, Desktop},
		{"\n\n" + report, Desktop},
		{strings.ReplaceAll(report, "\n", "\r\n"), Desktop},
		{"版本：          Code 1.139.1\n操作系统版本：   Windows_NT x64\nCPU：  x\n", Desktop},
		{"Version :  Code 1\nSystème : Linux\n", Desktop},
		{"", ""},
		{" \n ", ""},
		{"...", ""},
		{"\x1b[2J gotcha", ""},
		{strings.Repeat("a", maxNotice+1), ""},
		{"hello\nworld\n", ""},
		{"Version: 1\nhello\n", ""},
		{"hello\n" + report, ""},
		{"http://a\nhttp://b\n", ""},
		{"Version:\nOS:\n", ""},
		{"- a: b\n- c: d\n", ""},
		{": a\n: b\n", ""},
	} {
		answer, err := json.Marshal(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := classify(answer); got != tt.want || ok != (tt.want != "") {
			t.Errorf("%q is %q, want %q", tt.text, got, tt.want)
		}
	}
	for _, answer := range []string{"", "null", "{}", "1", `["Version: 1"]`, "plain text", `"open`, `"a" "b"`} {
		if got, ok := classify([]byte(answer)); ok {
			t.Errorf("%s is %q, want nothing", answer, got)
		}
	}
}

// FuzzClassify: one line is never a desktop's, many are never a browser's, and what is around a text does not matter.
func FuzzClassify(f *testing.F) {
	for _, seed := range []string{"The --status argument is not yet supported in browsers.", "Version: a\nOS Version: b", "版本：a\n系统：b", "", "\n", "a: \n: b", "\xff", "：\n："} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, _ = classify([]byte(text)) // as it came: no panic
		answer, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := classify(answer)
		if ok != (got == Desktop || got == Web) || !ok && got != "" {
			t.Errorf("%q: %q, %v", text, got, ok)
		}
		if lines := strings.Count(strings.TrimSpace(text), "\n") + 1; got == Desktop && lines < 2 ||
			got == Web && lines > 1 {
			t.Errorf("%q with %d lines is %q", text, lines, got)
		}
		around, err := json.Marshal(" \n" + text + "\n\n")
		if err != nil {
			t.Fatal(err)
		}
		if again, _ := classify(around); again != got {
			t.Errorf("%q is %q, and %q between blank lines", text, got, again)
		}
	})
}
