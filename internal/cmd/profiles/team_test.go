package profiles

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
)

// teamReader returns an app whose requests go through transport.
func teamReader(transport http.RoundTripper) *app.App {
	return app.New(app.Env{Stdout: io.Discard, Stderr: io.Discard, Transport: transport})
}

// A team's file comes over https, complete or not at all, and the request says nothing about the person.
func TestReadTeam(t *testing.T) {
	t.Parallel()
	var other *httptest.Server // https
	mux := http.NewServeMux()
	mux.HandleFunc("/team.toml", func(w http.ResponseWriter, r *http.Request) {
		for _, header := range []string{"Authorization", "Cookie", "Referer"} {
			if r.Header.Get(header) != "" {
				t.Errorf("%s: %s", header, r.Header.Get(header))
			}
		}
		_, _ = io.WriteString(w, "template = \"x\"\n")
	})
	redirect := func(path, to string) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Set-Cookie", "who=me")
			http.Redirect(w, r, to, http.StatusFound)
		})
	}
	redirect("/moved", "/team.toml?token=2")
	redirect("/round", "/round")
	redirect("/down", "http://example.com/team.toml")
	redirect("/here", "http://127.0.0.1:1/team.toml")
	redirect("/away", "https://example.com/team.toml")
	mux.HandleFunc("/page", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "\n<!DOCTYPE html>")
	})
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, teamSize+1)) })
	mux.HandleFunc("/full", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, teamSize)) })
	mux.HandleFunc("/busy", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "template")
	})
	other = httptest.NewTLSServer(mux)
	t.Cleanup(other.Close)
	plain := httptest.NewServer(mux)
	t.Cleanup(plain.Close)
	a := teamReader(other.Client().Transport)
	for _, tt := range []struct {
		from string
		kind fault.Kind
		want string // in the message; "" expects success
	}{
		{other.URL + "/team.toml", 0, ""},
		{plain.URL + "/team.toml", 0, ""},
		{strings.Replace(other.URL, "https", "HTTPS", 1) + "/team.toml", 0, ""},
		{other.URL + "/moved?token=1", 0, ""},
		{other.URL + "/full", 0, ""},
		{other.URL + "/round", fault.Unavailable, "too many redirects"},
		{other.URL + "/down", fault.Unavailable, `redirects to "http://example.com/team.toml", which is not an https`},
		{other.URL + "/here", fault.Unavailable, "not an https address"},
		{plain.URL + "/down", fault.Unavailable, "not an https address"},
		{other.URL + "/page", fault.Config, "a web page"},
		{other.URL + "/long", fault.Unavailable, "longer than 256 KiB"},
		{other.URL + "/nothing", fault.Config, "404 Not Found"},
		{other.URL + "/busy", fault.Unavailable, "503"},
		{other.URL + "/cut", fault.Unavailable, "unexpected EOF"},
		{"http://example.com/team.toml", fault.Usage, "anybody on the way"},
		{"http://127.0.0.1.example.com/team.toml", fault.Usage, "anybody on the way"},
		{"http://2130706433/team.toml", fault.Usage, "anybody on the way"},
		{"ftp://example.com/team.toml", fault.Usage, "not an https address"},
		{"file:///etc/passwd", fault.Usage, "not an address"},
		{"https://ann:secret@example.com/team.toml", fault.Usage, "user name or a password"},
		{"https://", fault.Usage, "not an address"},
		{"https://[", fault.Usage, "not an address"},
	} {
		_, text, err := readTeam(t.Context(), a, tt.from)
		switch {
		case tt.want == "" && (err != nil || len(text) == 0):
			t.Errorf("%s: %v", tt.from, err)
		case tt.want != "" && (err == nil || fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(),
			tt.want) || fault.RemedyOf(err) == nil):
			t.Errorf("%s: kind %v, %v", tt.from, fault.KindOf(err), err)
		case err != nil && strings.Contains(err.Error(), "secret"):
			t.Errorf("%s: the error shows a password: %v", tt.from, err)
		}
	}
}

func TestReadTeamFile(t *testing.T) {
	t.Parallel()
	a, dir := teamReader(nil), t.TempDir()
	file, long := filepath.Join(dir, "team.toml"), filepath.Join(dir, "long.toml")
	for path, size := range map[string]int{file: 10, long: teamSize + 1} {
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if name, text, err := readTeam(t.Context(), a, file); name != file || len(text) != 10 || err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for path, want := range map[string]string{
		long: "longer than 256 KiB", dir: "directory", filepath.Join(dir, "none"): "no such file",
	} {
		if _, _, err := readTeam(t.Context(), a, path); fault.KindOf(err) != fault.Config ||
			!strings.Contains(err.Error(), want) && filepath.Separator == '/' ||
			strings.Count(err.Error(), path) != 1 {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// A server that does not answer times out.
func TestReadTeamTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := teamReader(teamServer(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}))
		began := time.Now()
		_, _, err := readTeam(t.Context(), a, "https://example.com/team.toml")
		if took := time.Since(began); took != teamTimeout || fault.KindOf(err) != fault.Unavailable ||
			!strings.Contains(err.Error(), "no answer within 20 s") {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// teamServer is a transport that answers requests for a team's file.
type teamServer func(*http.Request) (*http.Response, error)

func (f teamServer) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
