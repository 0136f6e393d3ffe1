//go:build unix

package interop

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/homing-cli/homing/internal/browsertest"
	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/testtools"
)

// What the browser calls the editor and the service. The editor opens what is on loopback without a question, through
// its own proxy or not at all, so the service has to have a name.
const (
	ideHost     = "ide.example.test"
	serviceHost = "oidc.example.test"
)

// workbench is a code-server whose window is open in a browser on another machine: of this machine it reaches the
// editor and the service, both by name. An address on 127.0.0.1 is refused, as on a laptop where nothing listens.
type workbench struct {
	*world
	browser *browsertest.Browser
	ide     string // origin of the editor
}

// editorSettings keep away what would cover the terminal or want the internet, and have the terminal drawn as text
// and not as a picture. The rest is as everybody has it.
var editorSettings = map[string]any{
	"chat.disableAIFeatures":                   true,
	"extensions.autoCheckUpdates":              false,
	"git.enabled":                              false,
	"security.workspace.trust.enabled":         false,
	"telemetry.telemetryLevel":                 "off",
	"terminal.integrated.gpuAcceleration":      "off",
	"terminal.integrated.stickyScroll.enabled": false, // shows a line twice
	"update.mode":                              "none",
	"workbench.enableExperiments":              false,
	"workbench.startupEditor":                  "none",
}

// prompt is a shell that waits for a command.
var prompt = regexp.MustCompile(`[#$]\s*$`)

// newWorkbench starts the editor, opens its window and a terminal in it.
func newWorkbench(t *testing.T) *workbench {
	t.Helper()
	program := testtools.CodeServer(t)
	w := newWorld(t, checked)
	w.config(false)
	user := w.path("editor")
	mine := maps.Clone(editorSettings)
	// The editor asks a login shell for the variables of its terminals, and that one has a PATH of its own.
	mine["terminal.integrated.env.linux"] = map[string]string{"PATH": filepath.Dir(homing(t)) + ":/usr/bin:/bin",
		"HISTFILE": "/dev/null"}
	text, err := json.Marshal(mine)
	if err != nil {
		t.Fatal(err)
	}
	w.write(filepath.Join(user, "User", "settings.json"), string(text))
	folder, temporary := w.path("work"), w.path("tmp")
	for _, dir := range []string{folder, temporary} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}

	// homing reaches the service by its name too: the emulator is its proxy.
	service := "http://" + serviceHost
	server := exec.Command(program, "--bind-addr", "127.0.0.1:0", "--auth", "none", "--config", "/dev/null",
		"--user-data-dir", user, "--extensions-dir", w.path("extensions"), "--disable-telemetry",
		"--disable-update-check", folder)
	server.Env = w.env("SHELL=/bin/bash", "TMPDIR="+temporary, "http_proxy="+w.url, "HTTP_PROXY="+w.url,
		"AWS_ENDPOINT_URL_SSO_OIDC="+service, "AWS_ENDPOINT_URL_SSO="+service)
	front := w.front(startEditor(t, server))
	b := &workbench{world: w, ide: "https://" + ideHost, browser: browsertest.NewAt(t, browsertest.Options{
		Hosts: "MAP " + ideHost + " " + front.Listener.Addr().String() + ", MAP " + serviceHost + " " + strings.TrimPrefix(w.url, "http://") + ", MAP * 127.0.0.1:9",
		Trust: front.Certificate(),
	})}
	b.browser.Resize(1600, 1200)
	b.browser.Open(b.ide + "/")
	b.until("the workbench", func() bool { return b.count(".monaco-workbench .statusbar-item") > 0 })
	b.toTerminal()
	b.until("a prompt", func() bool { return prompt.MatchString(b.screen()) })
	return b
}

// startEditor starts code-server, waits until it listens, and returns where.
func startEditor(t *testing.T, cmd *exec.Cmd) *url.URL {
	t.Helper()
	out, said, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = said, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // it has children, and terminals theirs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = said.Close()
	address, printed := make(chan string, 1), new(strings.Builder)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			printed.WriteString(lines.Text() + "\n")
			if _, at, ok := strings.Cut(lines.Text(), "HTTP server listening on "); ok {
				address <- strings.TrimSpace(at)
			}
		}
	}()
	t.Cleanup(func() {
		all := -cmd.Process.Pid
		_ = syscall.Kill(all, syscall.SIGTERM)
		hangs := time.AfterFunc(10*time.Second, func() { _ = syscall.Kill(all, syscall.SIGKILL) })
		_ = cmd.Wait()
		hangs.Stop()
		_ = syscall.Kill(all, syscall.SIGKILL)
		_ = out.Close()
		<-read
		if t.Failed() {
			t.Logf("code-server said:\n%s", printed)
		}
	})
	select {
	case at := <-address:
		u, err := url.Parse(at)
		if err != nil {
			t.Fatal(err)
		}
		return u
	case <-read:
		t.Fatalf("code-server ended:\n%s", printed)
	case <-time.After(patience):
		t.Fatal("code-server does not listen")
	}
	return nil
}

// front is the editor as a company has it: behind TLS, by its name.
func (w *world) front(editor *url.URL) *httptest.Server {
	srv := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(editor)
		r.Out.Host = r.In.Host
	}, ErrorLog: log.New(io.Discard, "", 0)})
	w.Cleanup(srv.Close)
	return srv
}

func (b *workbench) count(selector string) int {
	b.Helper()
	return browsertest.Eval[int](b.browser, "document.querySelectorAll("+strconv.Quote(selector)+").length")
}

// screen is what the terminal shows, without the ends of lines: a line that is too long continues in the next row.
func (b *workbench) screen() string {
	b.Helper()
	rows := browsertest.Eval[[]string](b.browser,
		`[...document.querySelectorAll(".xterm-rows > div")].map(row => row.textContent)`)
	for i, row := range rows {
		rows[i] = strings.TrimRight(strings.ReplaceAll(row, "\u00a0", " "), " ")
	}
	return strings.TrimSpace(strings.Join(rows, "\n"))
}

// until asks ok again and again until it says yes.
func (b *workbench) until(what string, ok func() bool) {
	b.Helper()
	if !b.within(patience, ok) {
		b.Fatalf("waited %v for %s", patience, what)
	}
}

// within is until for what may as well not happen.
func (b *workbench) within(limit time.Duration, ok func() bool) bool {
	b.Helper()
	for deadline := time.Now().Add(limit); !ok(); {
		if time.Now().After(deadline) {
			return false
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-b.Context().Done():
			b.Fatal(b.Context().Err())
		}
	}
	return true
}

// toTerminal opens the terminal by its key, or takes the keyboard back to it.
func (b *workbench) toTerminal() {
	b.Helper()
	var again time.Time // too early a key goes nowhere, and one too many closes the terminal
	b.until("a terminal that has the keyboard", func() bool {
		there := b.count(".xterm-helper-textarea:focus") > 0
		if !there && time.Now().After(again) {
			b.browser.Chord("`", chromedp.ModifierCtrl)
			again = time.Now().Add(5 * time.Second)
		}
		return there
	})
}

// run types a command and sends it when the shell has echoed it. A window that starts takes the keyboard away from
// the terminal now and then; a person then goes there and types again.
func (b *workbench) run(command string) {
	b.Helper()
	b.browser.Front()
	for range 5 {
		b.toTerminal()
		b.browser.Chord("u", chromedp.ModifierCtrl) // what is left of an earlier try
		b.browser.Type(command)
		if b.within(5*time.Second, func() bool { return strings.HasSuffix(squeeze(b.screen()), squeeze(command)) }) {
			b.browser.Type("\r")
			return
		}
	}
	b.Fatalf("the terminal does not take %q:\n%s", command, b.screen())
}

// expect waits until the terminal shows want, in one row or broken into several.
func (b *workbench) expect(want string) {
	b.Helper()
	b.until(strconv.Quote(want), func() bool { return strings.Contains(squeeze(b.screen()), squeeze(want)) })
}

// squeeze takes out all space.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// asked waits for the editor's question whether to open a page of the service at path, and returns the URL in it.
func (b *workbench) asked(path string) string {
	b.Helper()
	const question = "Do you want code-server to open the external website?"
	b.until("the editor's question", func() bool { return b.count(".monaco-dialog-box") > 0 })
	said := browsertest.Eval[string](b.browser, `document.querySelector(".monaco-dialog-box").innerText`)
	address := regexp.MustCompile(`http://[^\s]+`).FindString(said)
	if !strings.Contains(said, question) || !strings.HasPrefix(address, "http://"+serviceHost+path) {
		b.Errorf("the editor asks %q, want %q and an address of the service", said, question)
	}
	return address
}

// open says yes to that question, and returns the tab.
func (b *workbench) open() *browsertest.Browser {
	b.Helper()
	b.browser.Click("button", "Open")
	return b.browser.Tab(b.T, "http://"+serviceHost+"/")
}

// paste pastes text into the terminal as everybody does, by the clipboard and Ctrl+Shift+V.
func (b *workbench) paste(text string) {
	b.Helper()
	b.browser.Front()
	b.browser.Copy(text)
	b.toTerminal()
	b.browser.Chord("V", chromedp.ModifierCtrl, chromedp.ModifierShift)
}

// finished waits until the terminal says that the person is signed in, and the shell is back and in order.
func (b *workbench) finished(grant string) {
	b.Helper()
	b.browser.Front() // a hidden terminal is not drawn
	b.expect("Successfully signed in")
	b.until("a prompt", func() bool { return prompt.MatchString(b.screen()) })
	b.run("stty -a; echo over and $((20 + 2))")
	b.expect("over and 22")
	if !regexp.MustCompile(`[^-]icanon[^*]*[^-]echo `).MatchString(strings.ReplaceAll(b.screen(), "\n", " ")) {
		b.Errorf("the terminal is left as it was while waiting:\n%s", b.screen())
	}
	if n := b.granted(grant); n != 1 {
		b.Errorf("%d tokens for %s, want 1", n, grant)
	}
	if b.token(false)["accessToken"] == "" {
		b.Error("no token was stored")
	}
}

// surroundings holds what a program in the editor's terminal can see against what homing goes by. A new release of
// the editor that changes one of these turns it red.
func (b *workbench) surroundings() {
	b.Helper()
	b.run("env >vars; echo written $((20 + 2))")
	b.expect("written 22")
	vars := map[string]string{}
	for line := range strings.Lines(b.read(b.path("work", "vars"))) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		vars[name] = value
	}
	for name, want := range map[string]string{
		"TERM_PROGRAM":        `^vscode$`,
		"BROWSER":             `/helpers/browser\.sh$`,
		"VSCODE_PROXY_URI":    `^` + regexp.QuoteMeta(b.ide+"/proxy/{{port}}/") + `$`,
		"VSCODE_IPC_HOOK_CLI": `^` + regexp.QuoteMeta(b.path("tmp")) + `/vscode-ipc-[0-9a-f-]{36}\.sock$`,
	} {
		if !regexp.MustCompile(want).MatchString(vars[name]) {
			b.Errorf("%s=%s, want %s", name, vars[name], want)
		}
	}
	for _, name := range []string{"CODESPACES", "CODER", "REMOTE_CONTAINERS", "SSH_CONNECTION"} {
		if value, ok := vars[name]; ok {
			b.Errorf("%s=%s is set", name, value)
		}
	}

	socket := vars["VSCODE_IPC_HOOK_CLI"]
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}}
	defer client.CloseIdleConnections()
	for _, c := range []struct{ sent, want string }{
		{`{"type":"status"}`, `^200 "[^\n]+"$`}, // one line: no table of versions, as the desktop has it
		{`{"type":"nonsense"}`, `^404 `},
	} {
		resp, err := client.Post("http://localhost/", "application/json", strings.NewReader(c.sent))
		if err != nil {
			b.Errorf("%s: %v", c.sent, err)
			continue
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<16))
		_ = resp.Body.Close()
		got := strconv.Itoa(resp.StatusCode) + " " + string(body)
		if err != nil || !regexp.MustCompile(c.want).MatchString(got) {
			b.Errorf("%s is answered by %q, %v; want %s", c.sent, got, err, c.want)
		}
	}
	window, tries, ok := editor.Find(b.Context(), editor.Places{
		Getenv: func(name string) string { return vars[name] }, Dirs: []string{b.path("tmp")}, UID: -1,
	})
	if !ok || window.Path != socket || window.Client != editor.Web {
		b.Errorf("found %+v after %+v, want a web client at %s", window, tries, socket)
	}
}
