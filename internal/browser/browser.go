// Package browser opens a URL in a browser of the person who sits at this machine.
//
// What it reports is that a program was started. That is never proof that a page opened: the caller shows the URL too.
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

	"github.com/homing-cli/homing/internal/plain"
)

// ErrNone is the error of Open when nothing here can open a browser.
var ErrNone = errors.New("no browser can be opened here")

// patience is how long an opener may take to report that it cannot. Most return within tens of milliseconds; those
// that are the browser itself, or hang, go on by themselves.
const patience = time.Second

// Open opens rawURL, an http or https address, with the first opener that starts and does not fail at once: $BROWSER,
// then what the system has. It returns within a second for each opener tried, also when an opener never does. The
// opener sees no terminal: its streams are the null device. The URL is one argument of a program, never part of a shell's text.
func Open(ctx context.Context, getenv func(string) string, rawURL string) error {
	return open(ctx, commands(runtime.GOOS, getenv, rawURL), rawURL)
}

func open(ctx context.Context, candidates [][]string, rawURL string) error {
	if err := check(rawURL); err != nil {
		return err
	}
	tried := ErrNone
	for _, argv := range candidates {
		err := start(ctx, argv)
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
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || !plain.IsLine(rawURL) || strings.Contains(rawURL, " ") {
		return errors.New("not an http or https address")
	}
	return nil
}

// start runs argv on its own, and waits for it as long as patience lasts.
func start(ctx context.Context, argv []string) error {
	path, err := exec.LookPath(argv[0])
	if err != nil {
		return err
	}
	// Not exec.CommandContext: an opener may be the browser itself, and outlives us.
	cmd := exec.Command(path, argv[1:]...)
	// $BROWSER has been looked at. xdg-open would start a text browser it names, or itself again.
	cmd.Env = slices.DeleteFunc(cmd.Environ(), func(v string) bool { return strings.HasPrefix(v, "BROWSER=") })
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
		list = append(list, []string{"wslview", "-s", rawURL}, []string{"rundll32.exe", "url.dll,FileProtocolHandler", rawURL})
	}
	if getenv("DISPLAY") != "" || getenv("WAYLAND_DISPLAY") != "" {
		// Without a display xdg-open would fall back to a text browser.
		list = append(list, []string{"xdg-open", rawURL}, []string{"x-www-browser", rawURL})
	}
	return list
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
var textBrowsers = []string{"browsh", "carbonyl", "chawan", "cha", "elinks", "links", "links2", "lynx", "netrik", "retawq", "w3m", "www-browser"}

func isText(program string) bool {
	name := strings.TrimSuffix(strings.ToLower(filepath.Base(program)), ".exe")
	return slices.Contains(textBrowsers, name)
}
