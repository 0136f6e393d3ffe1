// Package hostenv knows where this shell is (a laptop, a codespace, an SSH host) and how the redirect of a sign-in
// can reach a listener there. The places are rows of one table (rows.go has the order, rows_*.go the rows); the rest
// of the package matches a row and fills in the lines it prints.
//
// It looks at variables, at files, and at the editor's window that its caller has found. It makes no request and
// changes nothing. docs/environments.md is generated from the same table.
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

// Place is where this shell runs.
type Place struct {
	Name     string            // the row's name, such as "codespaces-web"; stable, for programs
	Title    string            // what a person calls it, such as "a GitHub codespace in the browser"
	Flow     session.Flow      // PKCE if the redirect comes back by itself, else Device
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

// Facts are what this shell can see. Zero fields see nothing.
type Facts struct {
	Getenv   func(string) string
	GOOS     string                   // as in runtime.GOOS; "" is this program's
	Exists   func(path string) bool   // follows links
	ReadFile func(path string) string // the beginning of a file; "" if it cannot be read
	Window   *editor.Window           // the editor's window that answers, nil none; found by the caller
	Tries    []editor.Try             // what the caller tried to find it
	UserName string                   // "" is USER or LOGNAME
	HostName string                   // of this machine; "" not known

	// Tmux returns what the tmux around this shell knows of a variable. known means that its session has the
	// variable, or has removed it, with "". It is called often, so it should cache. Nil knows none.
	Tmux func(name string) (value string, known bool)
	// Opens reports whether anything here would be tried to open a browser (browser.Opener.Any); nil: variables tell.
	Opens func() bool
}

// OS returns the facts about this machine that are cheap to get, with variables from getenv.
func OS(getenv func(string) string) Facts {
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return Facts{
		Getenv:   getenv,
		GOOS:     runtime.GOOS,
		HostName: host,
		ReadFile: readStart,
		Exists: func(path string) bool {
			_, err := os.Stat(path)
			return err == nil
		},
	}
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

// renewed are the variables of a terminal that tmux may know better than its shells: those that it renews at every
// attach (SSH_CONNECTION, DISPLAY; update-environment in tmux(1)), and those that people add.
var renewed = []string{"SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY", "DISPLAY", "WAYLAND_DISPLAY", "VSCODE_IPC_HOOK_CLI"}

// lookup returns a variable, and where it comes from if that is not the shell's own environment. In tmux, two sources
// may disagree about the person's terminal:
//
//   - tmux is right if its session has the variable, which comes from the terminal that was attached last. The shell
//     is as old as its pane: it may stem from an SSH session that has ended, or from a desk that its owner now
//     reaches by SSH. If the session has removed a variable, the newest terminal does not have it.
//   - The shell is right if the session has no such variable: update-environment may be empty, tmux may not answer.
//   - A shell that was reached by ssh from a pane is right: sshd gave it its own SSH_CONNECTION, and no TMUX. If ssh
//     did send TMUX, its socket does not exist on that machine, and tmux knows nothing.
//   - Neither is right about SSH_CLIENT and SSH_TTY once SSH_CONNECTION has changed: they come from the same sshd as
//     the shell's connection, and tmux does not renew them. They count only with the connection they belong to.
//   - The shell is right about all other variables, which a person may set in it: BROWSER, CODESPACE_NAME.
//
// screen does not reveal its variables, so those of its shells count.
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

// wrapped returns the name of the terminal multiplexer around this shell.
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

// editorSet reports whether variables say that this shell belongs to VS Code or a fork.
func (f Facts) editorSet() bool {
	for _, s := range vscode {
		if _, ok := s.seen(f); ok {
			return true
		}
	}
	return false
}

// place returns what is known about a row that matched.
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
		p.origins = []string{"{VSCODE_PROXY_URI}"} // its presence promises that it leads to ports of this machine
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

// browserFrom says how a browser opens here. It returns noBrowser only if nothing would be tried (browser.Opener).
// Without f.Opens, programs that variables name or that systems come with count as installed.
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
	case f.Opens != nil: // nothing else is left to try
		return "$BROWSER"
	}
	return noBrowser
}
