package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"
)

const formPage = `<!doctype html><html lang="en"><title>Form</title><meta name="viewport" content="width=device-width">
<h1>Ask</h1><p id="p" role="alert">Something is wrong.</p>
<form method="post" action="/said"><label for="w">Word</label><input id="w" name="w" value="old" aria-invalid="true" aria-describedby="p" required>
<button name="b" value="first">First</button><button name="b" value="second">Second</button></form></html>`

func site(t *testing.T) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /form", func(w http.ResponseWriter, r *http.Request) { _, _ = fmt.Fprint(w, formPage) })
	mux.HandleFunc("POST /said", func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprintf(w, "<!doctype html><title>Said</title><h1>Said</h1><p>%s by %s", r.PostFormValue("w"),
			r.PostFormValue("b"))
	})
	mux.HandleFunc("GET /wide", func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w,
			`<!doctype html><meta name="viewport" content="width=device-width"><h1>Wide</h1><p style="width: 500px">x`)
	})
	mux.HandleFunc("GET /forbidden", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		_, _ = fmt.Fprint(w, `<!doctype html><h1>Forbidden</h1><script>document.title = "ran"</script>`)
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestBrowser(t *testing.T) {
	t.Parallel()
	url := site(t)
	b := New(t)

	t.Run("mouse", func(t *testing.T) {
		b := b.Fresh(t)
		b.Open(url + "/form")
		b.Fill("Word", "new")
		b.Press("Second")
		b.WaitHeading("Said")
		b.WaitText("new by second")
		if b.URL() != url+"/said" {
			t.Errorf("URL %s", b.URL())
		}
	})
	t.Run("keyboard", func(t *testing.T) {
		b := b.Fresh(t)
		b.Open(url + "/form")
		b.Keys(kb.Tab)
		if f := b.Focused(); f.Role != "textbox" || f.Name != "Word" {
			t.Errorf("focused %+v, want the textbox", f)
		}
		b.Keys("typed" + kb.Tab + kb.Tab)
		if f := b.Focused(); f.Role != "button" || f.Name != "Second" {
			t.Errorf("focused %+v, want the second button", f)
		}
		b.KeysLeave(kb.Enter)
		b.WaitText("typed by second")
	})
	t.Run("tree", func(t *testing.T) {
		b := b.Fresh(t)
		b.Open(url + "/form")
		n := b.Node("textbox", "Word")
		if n.Value != "old" || !n.Invalid || !n.Required || n.Description != "Something is wrong." {
			t.Errorf("field %+v", n)
		}
		var roles []string
		for _, n := range b.Nodes() {
			roles = append(roles, n.Role)
		}
		for _, role := range []string{"heading", "alert", "textbox", "button"} {
			if !slices.Contains(roles, role) {
				t.Errorf("no %s among %q", role, roles)
			}
		}
		if out := b.Outline(); !strings.Contains(out, `heading "Ask"`) {
			t.Errorf("outline:\n%s", out)
		}
	})
	t.Run("pictures", func(t *testing.T) {
		b := b.Fresh(t)
		b.Open(url + "/form")
		b.Screenshot("form")
		dir := t.ArtifactDir()
		if root := os.Getenv("HOMING_TEST_OUTPUT"); root != "" {
			dir = filepath.Join(root, unsafeName.ReplaceAllString(t.Name(), "_"))
		}
		for _, want := range []string{"form-320-light.png", "form-320-dark.png", "form-1280-light.png",
			"form-1280-dark.png"} {
			if fi, err := os.Stat(filepath.Join(dir, want)); err != nil || fi.Size() < 1000 {
				t.Errorf("picture %s: %v", want, err)
			}
		}
	})
}

// recorder is a testing.TB that notes a failure in place of failing.
type recorder struct {
	testing.TB
	errors []string
}

func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}

func TestBrowserSeesWhatIsWrong(t *testing.T) {
	t.Parallel()
	url := site(t)
	b := New(t)

	wide := b.Fresh(t)
	wide.t = &recorder{TB: t}
	wide.Open(url + "/wide")
	wide.Screenshot("wide")
	if got := wide.t.(*recorder).errors; len(got) != 2 || !strings.Contains(got[0], "in a window of 320") {
		t.Errorf("a page that is too wide: errors %q, want one for each scheme", got)
	}

	csp := b.Fresh(t)
	csp.t = &recorder{TB: t}
	csp.Open(url + "/forbidden")
	csp.lastLook()
	if got := csp.t.(*recorder).errors; len(got) != 1 || !strings.Contains(got[0], "Content Security Policy") {
		t.Errorf("a script that the policy forbids: errors %q, want one", got)
	}
}
