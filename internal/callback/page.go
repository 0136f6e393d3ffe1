package callback

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
)

// donePath is the clean page: an address without a query, for the history.
const donePath = "/done"

// style is all there is: no script, no image, no font, nothing from elsewhere. Colours are the browser's own, for
// light and dark; the width suits a phone and a wide screen.
const style = `:root{color-scheme:light dark}` +
	`body{font:1.125rem/1.5 system-ui,sans-serif;margin:0}` +
	`main{max-width:34rem;margin:12vh auto;padding:0 1.25rem;overflow-wrap:anywhere}` +
	`h1{font-size:1.5rem;line-height:1.25}` +
	`code{font:1rem ui-monospace,monospace}`

// policy allows that style and nothing else.
var policy = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
})

// page is the text of a page. All of it is escaped when it is written.
type page struct {
	title          string
	text           []string
	words, command string // what to do next, if anything
}

var (
	donePage = page{
		title: "You are signed in",
		text:  []string{"homing has what it needs. You can close this tab and go back to your terminal."},
	}
	refusedPage = page{
		title: "Nothing to do here",
		text: []string{
			"homing waits here for the end of a sign-in, and this request is not it. Nothing was changed; the " +
				"sign-in goes on.",
			"Open the address that homing shows in your terminal.",
		},
	}
	undecidedPage = page{
		title: "This takes longer than it should",
		text: []string{
			"homing has received the answer of the sign-in and has not finished yet. Your terminal says how it ended.",
		},
	}
)

// failurePage says what the terminal says.
func (l *Listener) failurePage(err error) page {
	words, command := l.inWords(fault.RemedyOf(err))
	return page{
		title: "The sign-in did not succeed",
		text:  []string{"homing: " + plain.Line(err.Error(), 600)},
		words: plain.Line(words, 300), command: plain.Line(command, 300),
	}
}

// statusOf keeps a failure apart from the 400 of a request that was no redirect of ours.
func statusOf(err error) int {
	if fault.KindOf(err) == fault.Denied {
		return http.StatusForbidden
	}
	return http.StatusBadGateway
}

func (p page) html() string {
	var b strings.Builder
	b.WriteString("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n" +
		"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
	b.WriteString(html.EscapeString(p.title))
	b.WriteString(" · homing</title>\n<style>" + style + "</style>\n</head>\n<body>\n<main>\n<h1>")
	b.WriteString(html.EscapeString(p.title))
	b.WriteString("</h1>\n")
	for _, line := range p.text {
		b.WriteString("<p>" + html.EscapeString(line) + "</p>\n")
	}
	if p.words != "" {
		b.WriteString("<p>" + advice(p.words, p.command) + "</p>\n")
	}
	b.WriteString("</main>\n</body>\n</html>\n")
	return b.String()
}

// advice makes a sentence of words and a command, escaped. No full stop follows a command: it would be copied along.
func advice(words, command string) string {
	first, size := utf8.DecodeRuneInString(words)
	text := html.EscapeString(string(unicode.ToUpper(first)) + words[size:])
	if command == "" {
		return text + "."
	}
	return text + " <code>" + html.EscapeString(command) + "</code>"
}

// header sets the headers of every answer: do not cache it, frame it, or send its address on.
//
// Every answer but a proof ends its connection: nothing is left open to wait for when the listener closes.
func header(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Connection", "close")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", policy())
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
}

func write(w http.ResponseWriter, status int, p page) {
	header(w)
	body := p.html()
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write([]byte(body)) // a browser that left cannot be told
}

// refuse answers what is not our redirect. It says the same whatever was wrong: a guesser learns nothing.
func refuse(w http.ResponseWriter) { write(w, http.StatusBadRequest, refusedPage) }
