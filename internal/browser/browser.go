// Package browser opens a URL in a browser of the person who looks at this terminal.
//
// What it reports is that an editor took the URL, or that a program was started. That is never proof that a page
// opened: the caller shows the URL too.
package browser

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/plain"
)

// ErrNone is the error of Open when nothing here can open a browser.
var ErrNone = errors.New("no browser can be opened here")

// patience is how long an opener may take to report that it cannot. Most return within tens of milliseconds; those
// that are the browser itself, or hang, go on by themselves.
const patience = time.Second

// Opener opens URLs from one terminal. The zero value has the system's own openers only.
type Opener struct {
	Getenv func(string) string // the terminal's variables; nil: none is set
	Window *editor.Window      // the editor's window that the terminal belongs to; nil: none is known
}

// Open opens rawURL, an http or https address, with the first of these that takes it: the editor's window, the
// programs of $BROWSER, what the system has. It returns within about a second for each one tried, also when one never
// ends. A program sees no terminal: its streams are the null device. The URL is one argument of a program, never part
// of a shell's text; PowerShell, the one interpreter among them, gets it as a quoted literal.
//
// The editor is asked once. VS Code puts a script of its own into $BROWSER that speaks to the window too: it is left
// out when Window is set, or when the socket it would speak to is not this user's, who alone may know the URL.
func (o Opener) Open(ctx context.Context, rawURL string) error {
	if err := check(rawURL); err != nil {
		return err
	}
	getenv := o.getenv()
	var window error
	if o.Window != nil {
		if window = o.Window.Open(ctx, rawURL); window == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		window = fmt.Errorf("the editor's window: %w", window)
	}
	err := open(ctx, getenv, o.candidates(ctx, getenv, rawURL), rawURL)
	if err != nil && ctx.Err() == nil {
		return errors.Join(err, window)
	}
	return err
}

// Any reports whether Open has anything to try: a window, or a program that is installed. It starts nothing, and
// takes a second at most. What is tried may still fail.
func (o Opener) Any() bool {
	if o.Window != nil {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return slices.ContainsFunc(o.candidates(ctx, o.getenv(), "https://example.com/"), func(argv []string) bool {
		_, err := exec.LookPath(argv[0])
		return err == nil
	})
}

func (o Opener) getenv() func(string) string {
	if o.Getenv == nil {
		return func(string) string { return "" }
	}
	return o.Getenv
}

// candidates returns the command lines that Open tries after the window, best first.
func (o Opener) candidates(ctx context.Context, getenv func(string) string, rawURL string) [][]string {
	list := commands(runtime.GOOS, getenv, rawURL)
	ofHelper := func(argv []string) bool { return isHelper(argv[0]) }
	if slices.ContainsFunc(list, ofHelper) && (o.Window != nil || !helps(ctx, getenv)) {
		list = slices.DeleteFunc(list, ofHelper)
	}
	return list
}

// Open opens rawURL as an Opener without a window does.
func Open(ctx context.Context, getenv func(string) string, rawURL string) error {
	return Opener{Getenv: getenv}.Open(ctx, rawURL)
}

// isHelper reports VS Code's own script for $BROWSER (resources/server/bin/helpers in its sources).
func isHelper(program string) bool { return strings.HasSuffix(program, "/helpers/browser.sh") }

// helps reports whether VS Code's script may be started: the socket that it hands the URL to is ours, or it knows
// none.
func helps(ctx context.Context, getenv func(string) string) bool {
	path := getenv("VSCODE_IPC_HOOK_CLI")
	return path == "" || editor.Trusted(ctx, path) == nil
}

func open(ctx context.Context, getenv func(string) string, candidates [][]string, rawURL string) error {
	if err := check(rawURL); err != nil {
		return err
	}
	tried := ErrNone
	for _, argv := range candidates {
		err := start(ctx, getenv, argv)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		tried = errors.Join(tried, err)
	}
	return tried
}

// check refuses what is no web address: an opener hands other schemes, and what starts with "-", to other programs.
func check(rawURL string) error {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || !plain.IsLine(rawURL) ||
		strings.Contains(rawURL, " ") {
		return errors.New("not an http or https address")
	}
	return nil
}

// start runs argv on its own, and waits for it as long as patience lasts.
func start(ctx context.Context, getenv func(string) string, argv []string) error {
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	// Not exec.CommandContext: an opener may be the browser itself, and outlives us.
	cmd := exec.Command(path, argv[1:]...)
	// $BROWSER has been looked at. xdg-open would start a text browser it names, or itself again.
	cmd.Env = slices.DeleteFunc(cmd.Environ(), func(v string) bool { return strings.HasPrefix(v, "BROWSER=") })
	// Getenv may know newer ones than this process.
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY"} {
		if v := getenv(name); v != "" {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("%s: %w", argv[0], err)
		}
		return nil
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// commands returns the command lines to try, best first.
func commands(goos string, getenv func(string) string, rawURL string) [][]string {
	var list [][]string
	separator := ":"
	if goos == "windows" {
		separator = ";"
	}
	for entry := range strings.SplitSeq(getenv("BROWSER"), separator) {
		argv := expand(entry, rawURL)
		if len(argv) == 0 || isText(argv[0]) {
			continue
		}
		list = append(list, argv)
	}
	switch {
	case goos == "darwin":
		return append(list, []string{"open", rawURL})
	case goos == "windows":
		return append(list, []string{"rundll32.exe", "url.dll,FileProtocolHandler", rawURL})
	case getenv("WSL_DISTRO_NAME") != "" || getenv("WSL_INTEROP") != "":
		// -s: without it wslview first asks the server for the address itself, and a sign-in page works once.
		list = append(list, []string{"wslview", "-s", rawURL})
		for _, program := range []string{"powershell.exe",
			"/mnt/c/Windows/System32/WindowsPowerShell/v1.0/powershell.exe"} {
			// The second for appendWindowsPath=false in wsl.conf.
			list = append(list,
				[]string{program, "-NoProfile", "-NonInteractive", "-Command", "Start-Process " + literal(rawURL)})
		}
		list = append(list, []string{"rundll32.exe", "url.dll,FileProtocolHandler", rawURL})
	}
	if getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != "" {
		// Without a display xdg-open would fall back to a text browser.
		list = append(list, []string{"xdg-open", rawURL}, []string{"x-www-browser", rawURL})
	}
	return list
}

// literal quotes a URL for PowerShell: between single quotes nothing means anything but a single quote, which is
// doubled. PowerShell takes the typographic ones for single quotes too (about_Quoting_Rules, CharTraits.cs). A double
// quote would end the argument in some Windows programs' eyes; browsers write it as %22 in any case.
func literal(rawURL string) string {
	return "'" + strings.NewReplacer("'", "''", "\u2018", "\u2018\u2018", "\u2019", "\u2019\u2019", "\u201a",
		"\u201a\u201a", "\u201b", "\u201b\u201b", `"`, "%22").
		Replace(rawURL) +
		"'"
}

// expand makes a command line of one entry of $BROWSER: words separated by blanks, %s the URL, %% a percent sign. An
// entry without %s gets the URL as its last argument.
func expand(entry, rawURL string) []string {
	argv := strings.Fields(entry)
	if info, err := os.Stat(strings.TrimSpace(entry)); err == nil && !info.IsDir() {
		argv = []string{strings.TrimSpace(entry)} // a path with blanks in it
	}
	if len(argv) == 0 {
		return nil
	}
	placed := false
	for i, word := range argv {
		placed = placed || strings.Contains(strings.ReplaceAll(word, "%%", ""), "%s")
		argv[i] = strings.NewReplacer("%%", "%", "%s", rawURL).Replace(word)
	}
	if !placed {
		argv = append(argv, rawURL)
	}
	return argv
}

// textBrowsers draw on the terminal, over what is said there, and cannot run the sign-in page's scripts.
var textBrowsers = []string{
	"browsh",
	"carbonyl",
	"chawan",
	"cha",
	"elinks",
	"links",
	"links2",
	"lynx",
	"netrik",
	"retawq",
	"w3m",
	"www-browser",
}

func isText(program string) bool {
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(program)), ".exe")
	return slices.Contains(textBrowsers, name)
}
