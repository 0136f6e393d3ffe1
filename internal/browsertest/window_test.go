package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/chromedp/chromedp"
)

// A page that takes keys as a terminal in a page does.
const keysPage = `<!doctype html><title>Keys</title><p id="p" tabindex="0"></p><button onclick="window.open('/next?a=b')">Go on</button><script>
const say = text => { document.getElementById("p").textContent += text }
addEventListener("keydown", e => {
	if (e.ctrlKey && e.shiftKey && e.key === "V") return navigator.clipboard.readText().then(text => say("[" + text + "]"))
	if (e.key.length === 1 && !/[A-Z]/.test(e.key)) { say(e.key); e.preventDefault() }
})
addEventListener("keypress", e => say(e.key))
document.getElementById("p").focus()
</script>`

func TestWindow(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, keysPage) })
	mux.HandleFunc("GET /next", func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, "<h1>Next</h1>") })
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	b := New(t).Fresh(t)
	b.Open(srv.URL + "/keys")

	b.Type(`Ab|c `)
	if got := b.Text(); got != "Ab|c \n\nGo on" && got != "Ab|c\n\nGo on" {
		t.Errorf("typed, the page says %q", got)
	}
	b.Click("button", "Go on")
	next := b.Tab(t, srv.URL+"/next")
	next.WaitHeading("Next")
	if got := next.WaitAddress(srv.URL + "/next?"); got != srv.URL+"/next?a=b" {
		t.Errorf("the new tab is at %s", got)
	}
	const hidden = `document.visibilityState === "hidden"`
	b.until("the first tab to be behind the new one", func() bool { return Eval[bool](b, hidden) })
	b.Front()
	b.until("the first tab to be in front", func() bool { return !Eval[bool](b, hidden) })

	b.Copy("a line\nand another")
	b.Chord("V", chromedp.ModifierCtrl, chromedp.ModifierShift)
	b.WaitText("[a line and another]")
}
