package emulator

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/browsertest"
)

// TestPagesInChromium shows every page in every state to Chromium: pictures narrow and wide, light and dark, no
// sideways scrolling, no violated policy, and a tree that a screen reader can use.
func TestPagesInChromium(t *testing.T) {
	t.Parallel()
	pages := allPages()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := pages[strings.TrimPrefix(r.URL.Path, "/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		writePage(w, http.StatusOK, p)
	}))
	t.Cleanup(srv.Close)

	chromium := browsertest.New(t)
	for name := range pages {
		t.Run(name, func(t *testing.T) {
			b := chromium.Fresh(t)
			b.Open(srv.URL + "/" + name)
			b.Screenshot(name)

			headings, alerts := 0, 0
			for _, n := range b.Nodes() {
				switch n.Role {
				case "heading":
					headings++
				case "alert":
					alerts++
				case "textbox", "button", "RootWebArea":
					if n.Name == "" {
						t.Errorf("a %s has no name", n.Role)
					}
				}
				if n.Role == "textbox" && n.Invalid && !strings.Contains(n.Description, "did not work") {
					t.Errorf("field %q is invalid, described as %q: want the problem", n.Name, n.Description)
				}
			}
			if headings != 1 {
				t.Errorf("%d headings, want 1", headings)
			}
			want := 0
			if strings.Contains(name, "error") {
				want = 1
			}
			if alerts != want {
				t.Errorf("%d alerts, want %d", alerts, want)
			}
			for _, landmark := range []string{"banner", "main", "contentinfo"} {
				b.Node(landmark, "")
			}
		})
	}
}
