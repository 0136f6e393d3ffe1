package callback

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
)

const testURL = "http://127.0.0.1:14664" + Path + "?code=" + testCode + "&state=" + testState

func TestParse(t *testing.T) {
	t.Parallel()
	query := "code=" + testCode + "&state=" + testState
	for name, text := range map[string]string{
		"as it is":                      testURL,
		"parameters the other way":      "http://127.0.0.1:1" + Path + "?state=" + testState + "&code=" + testCode,
		"more parameters":               testURL + "&session_state=x&iss=https%3A%2F%2Fx",
		"line end":                      testURL + "\n",
		"CRLF":                          testURL + "\r\n",
		"spaces around":                 "  \t" + testURL + "  ",
		"no-break and zero-width space": "\u00a0\ufeff" + testURL[:30] + "\u200b" + testURL[30:] + "\u00a0",
		"broken within":                 testURL[:40] + "\r\n" + testURL[40:80] + "\n    " + testURL[80:],
		"no scheme":                     strings.TrimPrefix(testURL, "http://"),
		"half a scheme":                 strings.TrimPrefix(testURL, "http:"),
		"https":                         "https" + strings.TrimPrefix(testURL, "http"),
		"localhost":                     strings.Replace(testURL, "127.0.0.1", "localhost", 1),
		"IPv6":                          strings.Replace(testURL, "127.0.0.1", "[::1]", 1),
		"a codespace":                   strings.Replace(testURL, "http://127.0.0.1:14664", "https://name-14664.app.github.dev", 1),
		"below a proxy":                 strings.Replace(testURL, "127.0.0.1:14664", "127.0.0.1:8080/proxy/14664", 1),
		"an absolute proxy":             "https://code.example/absproxy/14664" + Path + "?" + query,
		"path only":                     Path + "?" + query,
		"path without its slash":        Path[1:] + "?" + query,
		"query with its mark":           "?" + query,
		"query":                         query,
		"query, state first":            "state=" + testState + "&code=" + testCode,
		"single quotes":                 "'" + testURL + "'",
		"double quotes":                 "\"" + testURL + "\"",
		"curly quotes":                  "“" + testURL + "”",
		"backticks":                     "`" + testURL + "`",
		"angle brackets":                "<" + testURL + ">",
		"brackets":                      "(" + testURL + ")",
		"shell escapes":                 strings.NewReplacer("?", "\\?", "&", "\\&", "=", "\\=").Replace(testURL),
		"a shell's broken line":         testURL[:50] + "\\\n" + testURL[50:],
		"cmd.exe":                       strings.ReplaceAll(testURL, "&", "^&"),
		"PowerShell":                    strings.ReplaceAll(testURL, "&", "`&"),
		"HTML":                          strings.ReplaceAll(testURL, "&", "&amp;"),
		"JSON":                          strings.ReplaceAll(testURL, "&", `\u0026`),
		"bracketed paste":               "\x1b[200~" + testURL + "\x1b[201~",
		"bracketed paste, then Enter":   "\x1b[200~" + testURL + "\n\x1b[201~\r\n",
		"bracketed paste without ESC":   "[200~" + testURL + "[201~",
		"in caret notation":             "^[[200~" + testURL + "^[[201~",
		"cut at its front":              "0~" + testURL + "1~",
		"a query in brackets":           "^[[200~?" + query + "^[[201~",
		"a bare query in brackets":      "[200~" + query + "[201~ $ ",
		"half a bare query":             "0~" + query + "1~",
		"only the end marker":           testURL + "[201~",
		"zsh's mark":                    testURL + "%",
		"a prompt":                      testURL + "\n$ ",
		"root's prompt":                 testURL + "\n# ",
		"another prompt":                testURL + "\n❯ ",
		"PowerShell's prompt":           testURL + "\r\n>",
		"colours":                       "\x1b[32m" + testURL + "\x1b[0m",
		"a hyperlink":                   "\x1b]8;;" + testURL + "\x1b\\" + testURL + "\x1b]8;;\x1b\\",
		"a border":                      "│ " + testURL[:60] + " │\n│ " + testURL[60:] + " │",
		"a quoted mail":                 "> " + testURL[:60] + "\n> " + testURL[60:],
		"a fragment":                    testURL + "#_=_",
		"a command":                     "$ curl '" + testURL + "'",
		"a header":                      "Location: " + testURL,
		"trailing punctuation":          testURL + ",",
		"null bytes":                    strings.ReplaceAll(testURL, "/", "/\x00"),
		"not UTF-8":                     "\xff" + testURL + "\xfe",
	} {
		state, r, err := Parse(text)
		if err != nil || state != testState || r.Code.Reveal() != testCode || r.Error != "" || r.Handed {
			t.Errorf("%s: state %q, %+v, %v", name, state, r, err)
		}
		for _, width := range []int{1, 7, 20, 80} {
			state, r, err := Parse(wrap(text, width))
			if strings.ContainsAny(text, "\x1b│") {
				break // a terminal does not wrap within these
			}
			if err != nil || state != testState || r.Code.Reveal() != testCode {
				t.Errorf("%s, wrapped at %d: state %q, %v", name, width, state, err)
			}
		}
	}
}

// wrap breaks text into lines of width bytes.
func wrap(text string, width int) string {
	var b strings.Builder
	for len(text) > width {
		b.WriteString(text[:width] + "\r\n")
		text = text[width:]
	}
	return b.String() + text
}

func TestParseErrorRedirect(t *testing.T) {
	t.Parallel()
	state, r, err := Parse(
		"http://127.0.0.1:1" + Path + "?error=access_denied&error_description=not+now&state=" + testState,
	)
	if err != nil || state != testState || r.Error != "access_denied" || r.Description != "not now" ||
		!r.Code.IsZero() {
		t.Errorf("%q, %+v, %v", state, r, err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":             "",
		"blanks":              " \r\n\t",
		"a word":              "hello",
		"a code alone":        testCode,
		"another page":        "https://example.com/?code=a&state=b",
		"another path":        "http://127.0.0.1:1/callback?code=a&state=b",
		"a path below":        "http://127.0.0.1:1" + Path + "/x?code=a&state=b",
		"a path that ends so": "http://127.0.0.1:1/xoauth/callback?code=a&state=b",
		"no query":            "http://127.0.0.1:1" + Path,
		"no state":            Path + "?code=a",
		"empty state":         Path + "?code=a&state=",
		"no code":             Path + "?state=b",
		"two codes":           Path + "?code=a&code=b&state=c",
		"two states":          Path + "?code=a&state=b&state=c",
		"code and error":      Path + "?code=a&error=b&state=c",
		"broken escape":       Path + "?code=%zz&state=c",
		"semicolons":          Path + "?code=a;state=c",
		"the authorize URL":   "https://oidc.us-east-1.amazonaws.com/authorize?response_type=code&client_id=x&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Foauth%2Fcallback&state=c",
		"pasted twice":        testURL + testURL,
		"too long a code":     Path + "?code=" + strings.Repeat("x", maxValue+1) + "&state=c",
		"too long":            testURL + strings.Repeat(" ", maxPaste),
	} {
		_, _, err := Parse(text)
		if !errors.Is(err, ErrNotCallback) || fault.KindOf(err) != fault.Usage || fault.RemedyOf(err) == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzParse: never panics, and what it accepts has a state and one of code and error.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", testURL, "?" + good, "\x1b[200~" + testURL + "\x1b[201~", "0~" + good + "1~", testURL + "%", "\x1b]8;;", "\\u0026", "^^^[[200~"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		state, r, err := Parse(text)
		switch {
		case err != nil && !errors.Is(err, ErrNotCallback):
			t.Errorf("%q: %v", text, err)
		case err == nil && (state == "" || r.Code.IsZero() == (r.Error == "")):
			t.Errorf("%q: state %q, %+v", text, state, r)
		}
	})
}

// FuzzPaste: however a redirect's address is wrapped and dressed, it is the same redirect.
func FuzzPaste(f *testing.F) {
	dresses := []func(string) string{
		func(s string) string { return s },
		func(s string) string { return "'" + s + "'\r\n" },
		func(s string) string { return "\x1b[200~" + s + "\x1b[201~" },
		func(s string) string { return "[200~" + s + "[201~" },
		func(s string) string { return "0~" + s + "1~" },
		func(s string) string { return s + "%\n$ " },
		func(s string) string { return "<" + s + ">" },
		func(s string) string { return strings.NewReplacer("?", `\?`, "&", `\&`).Replace(s) },
		func(s string) string { return strings.ReplaceAll(s, "&", "&amp;") },
		func(s string) string { return strings.TrimPrefix(s, "http://127.0.0.1:14664") },
		func(s string) string { return s[strings.Index(s, "?"):] },
		func(s string) string { return s[strings.Index(s, "?")+1:] },
	}
	for i := range dresses {
		f.Add(testCode, testState, i+1, i)
		f.Add("a+b/c=", "x%y~", 80, i)
	}
	f.Fuzz(func(t *testing.T, code, state string, width, dress int) {
		if code == "" || state == "" || len(code)+len(state) > 4000 || dress < 0 || width < 1 {
			t.Skip("not a redirect of the service")
		}
		// A browser escapes what is not printable ASCII; what stands in a query bare is escaped by Encode too.
		address := "http://127.0.0.1:14664" + Path + "?" + url.Values{"code": {code}, "state": {state}}.Encode()
		text := dresses[dress%len(dresses)](address)
		if !strings.Contains(text, "\x1b") {
			text = wrap(text, width)
		}
		got, r, err := Parse(text)
		if err != nil || got != state || r.Code.Reveal() != code {
			t.Errorf("%q: state %q, code %q, %v", text, got, r.Code.Reveal(), err)
		}
	})
}
