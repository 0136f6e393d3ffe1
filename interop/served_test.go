//go:build unix

package interop

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/browsertest"
)

// endpoint is a homing serve that runs.
type endpoint struct {
	Port     int
	Token    string
	Profiles []struct{ Profile, URL string }
	said     *words // on stderr
}

// words is text that arrives while somebody reads it.
type words struct {
	mu   sync.Mutex
	b    strings.Builder
	more chan struct{} // closed when there are more words; nil while nothing waits
}

func (t *words) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.more != nil {
		close(t.more)
		t.more = nil
	}
	return t.b.Write(p)
}

func (t *words) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.String()
}

// has waits for text, and reports whether it has come.
func (t *words) has(text string) bool {
	for giveUp := time.After(patience / 6); ; {
		t.mu.Lock()
		if strings.Contains(t.b.String(), text) {
			t.mu.Unlock()
			return true
		}
		if t.more == nil {
			t.more = make(chan struct{})
		}
		more := t.more
		t.mu.Unlock()
		select {
		case <-more:
		case <-giveUp:
			return false
		}
	}
}

// serve runs homing serve for the profiles until the test ends.
func (w *world) serve(profiles ...string) *endpoint {
	w.Helper()
	// it ends by a signal, as a person ends it
	cmd := exec.Command(homing(w.T), append([]string{"serve", "--json", "--debug"}, profiles...)...)
	cmd.Env, cmd.Dir = w.env(), w.home
	s := &endpoint{said: &words{}}
	cmd.Stderr = s.said
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		giveUp := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
		defer giveUp.Stop()
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			w.Errorf("homing serve: %v\n%s", err, s.said)
		}
	})
	if err := json.NewDecoder(out).Decode(s); err != nil || s.Port == 0 || s.Token == "" ||
		len(s.Profiles) != len(profiles) {
		w.Fatalf("homing serve: %v, %+v\n%s", err, s, s.said)
	}
	return s
}

// twoProfiles writes the profiles "dev" and "a/b c" of two accounts, and signs in.
func (w *world) twoProfiles() (accounts map[string]string) {
	w.Helper()
	w.signInTo(homing(w.T), "", []emulator.Account{
		{ID: accountID, Name: "Engine", Roles: []emulator.Role{{Name: roleName}}},
		{ID: "200000000002", Name: "Other", Roles: []emulator.Role{{Name: roleName}}},
	})
	accounts = map[string]string{"dev": accountID, "a/b c": "200000000002"}
	text := sessionText
	for name, id := range accounts {
		text += fmt.Sprintf("[profile %q]\nsso_session = %s\nsso_account_id = %s\nsso_role_name = %s\nregion = %s\n",
			name, sessionName, id, roleName, region)
	}
	w.write(w.path(".aws", "config"), text)
	return accounts
}

// served is the column "serve": the client finds nothing but the two variables, in a home without any file.
func served(w *world, client string) {
	accounts := w.twoProfiles()
	s := w.serve("dev", "a/b c")
	command, env := clients[client](w.T)
	empty := w.path("empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		w.Fatal(err)
	}
	// Written without a newline at its end, which Java would send along.
	file := func(token string) string {
		path := w.path("token-" + strconv.Itoa(len(token)))
		w.write(path, token)
		return path
	}
	identity := func(url string, token ...string) answer {
		w.Helper()
		env := append(w.env(env...), append(token, "HOME="+empty, "AWS_REGION="+region, "AWS_DEFAULT_REGION="+region,
			"AWS_CONTAINER_CREDENTIALS_FULL_URI="+url)...)
		p := w.startCommand(client, command, env)
		defer func() { _ = p.in.Close() }()
		if w.version == "" {
			w.version = p.ask(map[string]string{"do": "version"}).Version
		}
		return p.ask(map[string]string{"do": "identity", "profile": ""})
	}
	for _, profile := range s.Profiles {
		if a := identity(profile.URL,
			"AWS_CONTAINER_AUTHORIZATION_TOKEN="+s.Token); a.Account != accounts[profile.Profile] {
			w.Errorf("%s: identity of %q is %+v, want account %s", client, profile.Profile, a,
				accounts[profile.Profile])
		}
	}
	if client != "botocore-1.29.10" { // the variable is younger
		if a := identity(s.Profiles[0].URL,
			"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE="+file(s.Token)); a.Account != accountID {
			w.Errorf("%s with the token in a file: %+v", client, a)
		}
	}
	calls := w.calls(emulator.OpGetCallerIdentity)
	for what, token := range map[string][]string{"no token": nil,
		"another token": {"AWS_CONTAINER_AUTHORIZATION_TOKEN=" + s.Token}} {
		other := w.serve("dev")
		if a := identity(other.Profiles[0].URL, token...); a.Error == "" {
			w.Errorf("%s with %s: %+v", client, what, a)
		}
		if !other.said.has("answered with 401 ") {
			w.Errorf("%s with %s was not refused by the server, which says\n%s", client, what, other.said)
		}
	}
	if got := w.calls(emulator.OpGetCallerIdentity); got != calls {
		w.Errorf("%s: %d calls of STS without the token", client, got-calls)
	}
	if strings.Contains(s.said.String(), s.Token) || strings.Contains(s.said.String(), emulator.SecretMarker) {
		w.Error("homing serve prints a secret on stderr")
	}
}

// TestServeIsNotForPages shows that no page in a real browser gets anything of homing serve, even if it had the
// token: not from another origin, not under a name that leads to the server's own address, and not by going there.
func TestServeIsNotForPages(t *testing.T) {
	t.Parallel()
	const rebound = "rebound.example.test"
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>page</title><h1>A page</h1>")
	}))
	t.Cleanup(page.Close)
	b := browsertest.NewAt(t, browsertest.Options{Hosts: "MAP " + rebound +
		" 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"})
	w := newWorld(t, checked)
	w.twoProfiles()
	s := w.serve("dev")
	at := func(host string) string { return strings.Replace(s.Profiles[0].URL, "127.0.0.1", host, 1) }

	// ask is a request that has all that the server wants, but for what edit does.
	ask := func(edit func(r *http.Request)) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Profiles[0].URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", s.Token)
		if edit != nil {
			edit(r)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(text)
	}
	good := func() {
		t.Helper()
		if status, text := ask(nil); status != http.StatusOK || !strings.Contains(text, emulator.SecretMarker) {
			t.Fatalf("with the token: %d", status)
		}
	}
	good()
	port := strconv.Itoa(s.Port)
	for name, edit := range map[string]func(*http.Request){
		"no token":              func(r *http.Request) { r.Header.Del("Authorization") },
		"an origin":             func(r *http.Request) { r.Header.Set("Origin", page.URL) },
		"the origin null":       func(r *http.Request) { r.Header.Set("Origin", "null") },
		"its own origin":        func(r *http.Request) { r.Header.Set("Origin", "http://127.0.0.1:"+port) },
		"a name":                func(r *http.Request) { r.Host = rebound + ":" + port },
		"another port":          func(r *http.Request) { r.Host = "127.0.0.1:1" },
		"no port":               func(r *http.Request) { r.Host = "127.0.0.1" },
		"a longer name":         func(r *http.Request) { r.Host = "127.0.0.1." + rebound + ":" + port },
		"an address of another": func(r *http.Request) { r.Host = net.JoinHostPort("192.0.2.1", port) },
	} {
		if status, text := ask(edit); status/100 != 4 || strings.Contains(text, emulator.SecretMarker) {
			t.Errorf("with %s: %d %s", name, status, text)
		}
	}

	s = w.serve("dev") // a new one, without earlier requests
	// fetch lets the page that is open ask, with the token it must not have and in every mode, and returns what it
	// read.
	fetch := func(to string) string {
		t.Helper()
		said, _ := json.Marshal(to)
		token, _ := json.Marshal(s.Token)
		browsertest.Eval[bool](b, fmt.Sprintf(`!!(async () => {
			let read = "";
			for (const how of [{headers: {Authorization: %[2]s}}, {}, {mode: "no-cors"}, {mode: "no-cors", method: "POST", body: "x"}]) {
				try {
					const r = await fetch(%[1]s, how);
					read += r.type + " " + r.status + " " + await r.text() + "\n";
				} catch (e) { read += e + "\n"; }
			}
			document.body.innerText = read + "That is all.";
		})()`, said, token))
		b.WaitText("That is all.")
		return b.Text()
	}
	refused := func(what, read string) {
		t.Helper()
		t.Logf("%s:\n%s", what, read)
		if strings.Contains(read, " 200 ") || strings.Contains(read, emulator.SecretMarker) {
			t.Errorf("%s reads %q", what, read)
		}
	}
	const forPages, forHost = "this server is not for browsers", "the Host is not that of this server"

	b.Open(page.URL)
	read := fetch(s.Profiles[0].URL)
	refused("a page of another origin", read)
	if strings.Count(read, "Failed to fetch") != 2 || strings.Contains(read, "Forbidden") {
		t.Errorf("the page of another origin is let in on the answer: %q", read)
	}
	if !s.said.has(forPages) { // and it was not the browser alone that refused
		t.Errorf("nothing came to the server, which says\n%s", s.said)
	}

	b.Open(at(rebound)) // the answer is a page of that origin, for which everything on the server is its own
	if text := b.Text(); !strings.Contains(text, forHost) {
		t.Fatalf("the page under another name says %q", text)
	}
	read = fetch(at(rebound))
	refused("a page whose name leads to the server", read)
	if strings.Count(read, forHost) != 4 {
		t.Errorf("a page whose name leads to the server reads %q", read)
	}

	b.Open(s.Profiles[0].URL)
	if text := b.Text(); !strings.Contains(text, forPages) {
		t.Fatalf("somebody who goes there reads %q", text)
	}
	read = fetch(s.Profiles[0].URL)
	refused("a page of the server's own origin", read)
	if strings.Count(read, forPages) != 4 {
		t.Errorf("a page of the server's own origin reads %q", read)
	}
	good()
}
