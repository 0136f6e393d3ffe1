package callback

import (
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/homing-cli/homing/internal/fault"
)

// maxPaste bounds what is looked at: many times a redirect's address with all that can go wrong on the way.
const maxPaste = 64 << 10

// ErrNotCallback says that a text is not the address of a redirect. It never quotes the text.
var ErrNotCallback error = &fault.Error{Kind: fault.Usage, Msg: "that is not the address that ends a sign-in",
	Remedy: fault.Advice(
		"copy the whole address of the page that could not be reached: it has " + Path + "?, code= and state= in it",
	)}

// Parse reads a redirect from text that a person copied: the address of the page that could not be reached, or its
// query. The host, the port and the scheme are not looked at; a path, if there is one, must end in Path. What
// copying, shells, terminals and chat programs do to an address is undone: line breaks anywhere, quotes, backslashes,
// markers of a bracketed paste, a prompt at the end. The error is ErrNotCallback. The caller compares the state.
func Parse(text string) (state string, r Redirect, err error) {
	if len(text) > maxPaste {
		return "", Redirect{}, ErrNotCallback
	}
	address := unwrap(text)
	query, ok := queryOf(address)
	if !ok {
		return "", Redirect{}, ErrNotCallback
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", Redirect{}, ErrNotCallback // ParseQuery's error quotes
	}
	if state, r, ok = redirectIn(values); !ok {
		return "", Redirect{}, ErrNotCallback
	}
	return state, r, nil
}

// queryOf returns what follows the path of a redirect.
func queryOf(address string) (string, bool) {
	for _, start := range []string{"code=", "state=", "error="} {
		if strings.HasPrefix(address, start) {
			return address, true
		}
	}
	path, query, found := strings.Cut(address, "?")
	return query, found && (path == "" || path == Path[1:] || strings.HasSuffix(path, Path))
}

// sequences matches what a terminal adds: control sequences (ECMA-48 5.4), and strings such as hyperlinks up to their
// end. It is compiled when there is something to parse: most commands have nothing.
var sequences = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]P^_][^\x07\x1b]*(\x07|\x1b\\)`)
})

// ampersands is how an ampersand is written where it must not be bare: in HTML, in JSON, for cmd.exe.
var ampersands = strings.NewReplacer("&amp;", "&", `\u0026`, "&", "^&", "&")

// dropped are the printable characters that no redirect's address has: browsers escape them, shells and chat programs
// wrap with them.
const dropped = "\"'`<>\\"

// unwrap makes one address of what was copied. It keeps printable ASCII only: an address has nothing else, while
// prompts, borders of a pane, curly quotes and invisible spaces do.
func unwrap(text string) string {
	text = sequences().ReplaceAllString(text, "")
	// Line breaks go first: one may stand within an escaped ampersand.
	text = strings.Map(func(c rune) rune {
		if c <= ' ' || c >= 0x7f {
			return -1
		}
		return c
	}, text)
	text = ampersands.Replace(text)
	text = strings.Map(func(c rune) rune {
		if strings.ContainsRune(dropped, c) {
			return -1
		}
		return c
	}, text)
	text, _, _ = strings.Cut(text, "#")
	return trim(text)
}

// markers are what is left of the two markers of a bracketed paste where the escape character was lost.
var markers = [][2]string{{"200~", "201~"}, {"00~", "01~"}, {"0~", "1~"}}

// trim takes off markers and prompts. None of it ends a query: all but the tilde would be escaped there, and a marker
// that may be the end of a state is taken for one only where its first half is.
func trim(s string) string {
	end := "[201~"
	for _, m := range markers {
		if rest, found := strings.CutPrefix(strings.TrimLeft(s, "^["), m[0]); found {
			s, end = rest, m[1]
			break
		}
	}
	const prompts = "%$>|:;,)]}^"
	s = strings.TrimRight(s, prompts)
	return strings.TrimRight(strings.TrimSuffix(s, end), prompts+"[")
}
