// Package hostenv knows where this shell is: a laptop, a codespace, an SSH host, and so on, and by which ways the redirect
// of a sign-in can reach a listener there. The places are rows of one table (rows.go gives the order, rows_*.go the
// rows); the rest of the package matches a row and fills in the lines it prints.
//
// It looks at variables, at files, and at the editor's window its caller has found. It asks nobody and changes nothing.
// What a caller does with a Place is its own affair. docs/environments.md is written from the same table.
package hostenv

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/session"
)

//go:generate env UPDATE_DOCS=1 go test -count=1 -run "TestEnvironmentsPage|TestPlaces" .

// Place is where we are.
type Place struct {
	Name     string            // the row's name, such as "codespaces-web"; stable, for programs
	Title    string            // what a person calls it, such as "a GitHub codespace in the browser"
	Flow     session.Flow      // PKCE where the redirect comes back by itself, else Device
	Reason   string            // why this flow, in one sentence without a full stop; names what was seen
	Remote   bool              // a browser, if there is one, runs on another machine or in another network
	Channels []session.Channel // the ways for a redirect that exist here, best first, then DeviceCode
	Wrapped  string            // "tmux" or "screen" around this shell, whose variables may then be old; "" neither
	Browser  string            // how a browser opens here, as a phrase: "the editor's socket", "none from here"
	Weighed  []Weighed         // every row looked at, in order; the last one matched

	origins []string          // templates of the row
	lines   []line            // templates of the row, those that apply
	values  map[string]string // of the names in the templates that are known here
}

// Weighed is one row that was looked at.
type Weighed struct {
	Name    string // of the row
	Outcome string // "yes: …" or "no: …", with what was seen or not; no values but those the table names
}

// Facts are what can be seen from here. Zero fields see nothing.
type Facts struct {
	Getenv   func(string) string
	GOOS     string                   // as in runtime.GOOS; "" is this program's
	Exists   func(path string) bool   // follows links
	ReadFile func(path string) string // the beginning of a file; "" where it cannot be read
	Window   *editor.Window           // the editor's window that answers, nil none; found by the caller
	Tries    []editor.Try             // what the caller tried to find it
	UserName string                   // "" is USER or LOGNAME
	HostName string                   // of this machine; "" not known

	// Tmux is what the tmux around this shell knows of a variable: known when the session has a word on it, with ""
	// for one that it took out. It is asked often, so it should remember. Nil knows none.
	Tmux func(name string) (value string, known bool)
	// Opens reports whether anything here would be tried to open a browser (browser.Opener.Any); nil: variables tell.
	Opens func() bool
}

// OS returns the facts of this machine that cost nothing to ask, with variables looked up by getenv.
func OS(getenv func(string) string) Facts {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return Facts{Getenv: getenv, GOOS: runtime.GOOS, HostName: host, ReadFile: readStart, Exists: func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	}}
}

// readStart returns the first 4 KiB of a file, as much as any row needs.
func readStart(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return ""
	}
	return string(text)
}

// Detect returns the first place of the table that matches. There is always one.
func Detect(f Facts) Place {
	f = f.complete()
	var weighed []Weighed
	for _, r := range rows {
		seen, ok, outcome := r.matches(f)
		weighed = append(weighed, Weighed{Name: r.name, Outcome: outcome})
		if ok {
			p := r.place(f, seen)
			p.Weighed = weighed
			return p
		}
	}
	panic("hostenv: the last row must match everything") // TestLastRowMatches
}

// complete returns f with a function for every nil one.
func (f Facts) complete() Facts {
	if f.Getenv == nil {
		f.Getenv = func(string) string { return "" }
	}
	if f.Exists == nil {
		f.Exists = func(string) bool { return false }
	}
	if f.ReadFile == nil {
		f.ReadFile = func(string) string { return "" }
	}
	if f.GOOS == "" {
		f.GOOS = runtime.GOOS
	}
	if f.Tmux == nil || f.Getenv("TMUX") == "" {
		f.Tmux = func(string) (string, bool) { return "", false }
	}
	return f
}

// renewed are the variables that a terminal brings along, and of which tmux may know newer ones than its shells: those that
// it renews at every attach by itself (SSH_CONNECTION, DISPLAY; update-environment in tmux(1)), and those that people add.
var renewed = []string{"SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "DISPLAY", "WAYLAND_DISPLAY", "VSCODE_IPC_HOOK_CLI"}

// lookup returns a variable, and where it comes from when that is not the shell's own environment. In tmux, who is right
// about the terminal that the person sits at?
//
//   - tmux, where its session has a word: it had it from the terminal that was attached last. The shell is as old as its
//     pane; it may have been born in an SSH session that has ended, or at the desk of somebody who now comes by SSH. A
//     variable that the session has taken out is one that the newest terminal does not have.
//   - The shell, where the session has none: update-environment may be empty, tmux may not answer.
//   - The shell that somebody reached by ssh from a pane: sshd gave it its own SSH_CONNECTION, and no TMUX. Where TMUX was
//     sent along, its socket is not there, and nothing is known.
//   - Neither about SSH_CLIENT and SSH_TTY when SSH_CONNECTION has changed: they come from the same sshd as the
//     shell's, and tmux does not renew them. They count only with the connection they belong to.
//   - The shell about every other variable, which a person may have set in it: BROWSER, CODESPACE_NAME.
//
// screen tells nobody its variables, so its shells' own have to do.
func (f Facts) lookup(name string) (value, where string) {
	value = f.Getenv(name)
	if !slices.Contains(renewed, name) {
		return value, ""
	}
	newer, known := f.Tmux(name)
	switch {
	case known && newer != value:
		if where = " in tmux"; newer == "" {
			where = ""
		}
		return newer, where
	case !known && (name == "SSH_CLIENT" || name == "SSH_TTY"):
		if connection, known := f.Tmux("SSH_CONNECTION"); known && connection != f.Getenv("SSH_CONNECTION") {
			return "", ""
		}
	}
	return value, ""
}

// drawn reports whether a program started here can show a window.
func (f Facts) drawn() bool {
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY"} {
		if v, _ := f.lookup(name); v != "" {
			return true
		}
	}
	return false
}

// wrapped names the terminal multiplexer around this shell.
func (f Facts) wrapped() string {
	switch {
	case f.Getenv("TMUX") != "":
		return "tmux"
	case f.Getenv("STY") != "":
		return "screen"
	}
	return ""
}

// desktop reports whether the editor's window runs on the person's own machine.
func (f Facts) desktop() bool { return f.Window != nil && f.Window.Client == editor.Desktop }

// editorSet reports whether this shell says of itself that it belongs to VS Code or a fork.
func (f Facts) editorSet() bool {
	for _, s := range vscode {
		if _, ok := s.seen(f); ok {
			return true
		}
	}
	return false
}

// place is what is known about a row that matched.
func (r row) place(f Facts, seen []string) Place {
	p := Place{
		Name: r.name, Title: r.title, Flow: r.flow, Remote: r.remote, Wrapped: f.wrapped(),
		Browser: r.browserFrom(f), origins: r.origins, values: map[string]string{},
	}
	why := r.why
	if r.tunnels && f.desktop() && r.flow != session.PKCE {
		p.Flow, why = session.PKCE, byTunnel
	}
	if r.remote && r.origins == nil {
		p.origins = []string{"{VSCODE_PROXY_URI}"} // whoever sets it promises that ports of this machine are reached there
	}
	for _, l := range r.allLines() {
		if !l.desktop || r.tunnels && f.desktop() {
			p.lines = append(p.lines, l)
		}
	}
	p.learn(f)
	p.Channels = p.channels()
	if p.Flow == session.PKCE && !r.remote {
		p.Channels = append([]session.Channel{session.Loopback}, p.Channels...)
	}
	if r.aboutEditor(f) {
		what := windowSeen(f)
		if f.Window == nil && r.tunnels {
			what += ", so nothing forwards the port"
		}
		if !slices.Contains(seen, what) {
			seen = append(seen, what)
		}
	}
	p.Reason = "this is " + r.title + ": " + why
	if r.bare {
		p.Reason = why
	}
	if len(seen) > 0 {
		p.Reason += " (" + strings.Join(seen, "; ") + ")"
	}
	return p
}

// aboutEditor reports whether the reason says what is known about the editor's window.
func (r row) aboutEditor(f Facts) bool {
	return r.unseen || r.window && (f.Window != nil || f.editorSet())
}

func windowSeen(f Facts) string {
	switch {
	case f.Window == nil && len(f.Tries) == 1:
		return "the editor's socket does not answer"
	case f.Window == nil && len(f.Tries) > 1:
		return fmt.Sprintf("none of %d sockets of the editor answers", len(f.Tries))
	case f.Window == nil:
		return "no window of the editor answers"
	case f.Window.Client == editor.Desktop:
		return "the editor's window answers as a desktop program"
	}
	return "the editor's window answers from a browser"
}

// browserFrom says how a browser opens here, and noBrowser exactly when nothing would be tried (browser.Opener). Without
// f.Opens, programs that variables name or systems have count as installed.
func (r row) browserFrom(f Facts) string {
	if f.Opens != nil && !f.Opens() {
		return noBrowser
	}
	script := strings.Contains(f.Getenv("BROWSER"), editorHelper)
	switch {
	case f.Window != nil:
		return "the editor's socket"
	case f.Getenv("BROWSER") != "" && !script: // which needs the window
		return "$BROWSER"
	case r.browser != "":
		return r.browser
	case f.GOOS == "darwin" || f.GOOS == "windows":
		return "the system's own"
	case f.Getenv("WSL_DISTRO_NAME") != "" || f.Getenv("WSL_INTEROP") != "":
		return wsl.browser
	case f.drawn():
		return "xdg-open"
	case f.Opens != nil: // what else is there to try
		return "$BROWSER"
	}
	return noBrowser
}
