package callback

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzStrangers: whatever a request looks like, only one with our state, asked under our name, brings a redirect.
func FuzzStrangers(f *testing.F) {
	for _, seed := range []struct{ method, target, host, origin string }{
		{"GET", Path + "?" + good, "127.0.0.1:1", ""},
		{"GET", Path + "?" + good, "evil.example", ""},
		{"GET", Path + "?" + good, "[::1]", "null"},
		{"POST", Path + "?" + good, "localhost", ""},
		{"GET", Path + "?error=access_denied&state=" + testState, "localhost:80", ""},
		{"GET", Path + "?state=" + testState + "&code=a&code=b", "localhost", ""},
		{"GET", "/done", "localhost", ""},
		{"GET", "//oauth/callback?" + good, "127.0.0.1", ""},
		{"GET", "/oauth/callback%3f" + good, "127.0.0.1", ""},
		{"GET", "/", "", ""},
	} {
		f.Add(seed.method, seed.target, seed.host, seed.origin)
	}
	f.Fuzz(func(t *testing.T, method, target, host, origin string) {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			t.Skip("not a request line that net/http would pass on")
		}
		l := &Listener{
			state: testState, bounds: usual, crowd: newCrowd(1, 0),
			redirects: make(chan Redirect, 1), decided: make(chan struct{}), clean: make(chan struct{}),
		}
		close(l.decided) // the outcome is known: no request is held
		r := &http.Request{Method: method, URL: u, Host: host, Header: http.Header{"Origin": {origin}}}
		w := httptest.NewRecorder()
		l.ServeHTTP(w, r)
		q := u.Query()
		ours := method == http.MethodGet && u.Path == Path && q.Get("state") == testState && origin == ""
		name := strings.ToLower(host)
		ours = ours &&
			(strings.HasPrefix(name, "127.0.0.1") || strings.HasPrefix(name, "localhost") || strings.HasPrefix(name, "[::1]"))
		select {
		case got := <-l.redirects:
			if !ours || got.Code.Reveal() != q.Get("code") || got.Error != q.Get("error") ||
				w.Code != http.StatusFound {
				t.Errorf("%s %q for %q was believed: %+v, status %d", method, target, host, got, w.Code)
			}
		default:
			if w.Code != http.StatusBadRequest && u.Path != donePath {
				t.Errorf("%s %q for %q: status %d", method, target, host, w.Code)
			}
		}
		if strings.Contains(w.Body.String(), testState) {
			t.Error("the page holds the state")
		}
	})
}
