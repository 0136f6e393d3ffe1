package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"runtime"
	"time"

	"github.com/homing-cli/homing/internal/browser"
	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/hostenv"
	"github.com/homing-cli/homing/internal/settings"
	"github.com/homing-cli/homing/internal/term"
	xterm "golang.org/x/term"
)

// Env is the world as a run of homing sees it. OSEnv returns the real one; tests and demo make their own.
type Env struct {
	Args      []string // without the program's name
	LookupEnv func(name string) (string, bool)
	Stdin     io.Reader
	Stdout    io.Writer
	Stderr    io.Writer
	Home      string // home folder; "" where there is none
	Terminal  Terminal

	// Exists reports whether a path exists, to tell one kind of place from another. Nil finds nothing.
	Exists func(path string) bool
	// ReadFile returns the first kilobytes of a file, or "". Nil reads nothing.
	ReadFile func(path string) string
	// Tmux returns a variable as the tmux around this shell has it now (editor.Tmux). Nil has none.
	Tmux     func(ctx context.Context, name string) (value string, known bool)
	HostName string // of this machine; "" is unknown
	// FindEditor looks for the window of the editor that this terminal belongs to. Nil finds none.
	FindEditor func(ctx context.Context) (editor.Window, []editor.Try, bool)
	// OpenBrowser shows url to the person; window is the editor's, or nil. It must not wait until the browser is
	// closed.
	OpenBrowser func(ctx context.Context, url string, window *editor.Window) error
	// CanOpen reports whether OpenBrowser has anything to try. Nil means always.
	CanOpen func(ctx context.Context, window *editor.Window) bool
	// PolicyFile is the path of the organisation's policy. "" or a missing file is none.
	PolicyFile string
	// Transport carries every request to the service; nil builds one from the proxy and CA settings of the
	// environment.
	Transport http.RoundTripper
	// Environ lists the variables that exec passes on, as NAME=VALUE. Nil lists none.
	Environ func() []string
	// Files are the streams of a command that exec runs; nil means Stdin, Stdout and Stderr.
	Files [3]*os.File
	// Program is the path of this program, to start it in the background; "" if unknown.
	Program string
	// KeepLook is how often keep looks at the clock and the files; 0 waits for the system's notifications.
	KeepLook time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Terminal describes the terminal, if any. The zero value is a run without one.
type Terminal struct {
	Stdin, Stdout, Stderr bool
	Width, Height         int // columns and rows of stderr; 0 where unknown
	// Raw turns off line editing on stdin until restore is called. Nil if that is impossible: lists are numbered
	// then.
	Raw func() (restore func(), err error)
	// Flush drops what was typed but not read. Nil drops nothing.
	Flush func() error
	// Inputs reads keys and pastes during a sign-in, until restore is called. Nil without a terminal.
	Inputs func(ctx context.Context) (inputs <-chan terminalInput, restore func(), err error)
}

// terminalInput is a key or a paste.
type terminalInput = term.Input

// StandardEnv returns the part of OSEnv that takes no system call.
func StandardEnv() Env {
	home, err := os.UserHomeDir()
	if err != nil {
		home = ""
	}
	return Env{
		Args:      os.Args[1:],
		LookupEnv: os.LookupEnv,
		Stdin:     os.Stdin,
		Stdout:    os.Stdout,
		Stderr:    os.Stderr,
		Home:      home,
		Environ:   os.Environ,
		Files:     [3]*os.File{os.Stdin, os.Stdout, os.Stderr},
	}
}

// OSEnv returns the environment of this process.
func OSEnv() Env {
	env := StandardEnv()
	width, height := term.Size(os.Stderr)
	env.Terminal = Terminal{
		Stdin:  term.IsTerminal(os.Stdin),
		Stdout: term.IsTerminal(os.Stdout),
		Stderr: term.IsTerminal(os.Stderr),
		Width:  width,
		Height: height,
	}
	machine := hostenv.OS(os.Getenv)
	env.Exists, env.ReadFile, env.HostName = machine.Exists, machine.ReadFile, machine.HostName
	escapes := os.Getenv("TERM") != "dumb" && understandsEscapes(os.Stderr)
	if env.Terminal.Stdin {
		env.Terminal.Flush = func() error { return term.Flush(os.Stdin) }
	}
	if env.Terminal.Stdin {
		env.Terminal.Inputs = func(ctx context.Context) (<-chan terminalInput, func(), error) {
			if !escapes || !env.Terminal.Stderr {
				return term.Inputs(ctx, os.Stdin, nil) // pastes come without brackets then
			}
			return term.Inputs(ctx, os.Stdin, os.Stderr)
		}
	}
	if env.Terminal.Stdin && env.Terminal.Stderr && escapes {
		env.Terminal.Raw = func() (func(), error) {
			state, err := xterm.MakeRaw(int(os.Stdin.Fd()))
			if err != nil {
				return nil, err
			}
			return func() { _ = xterm.Restore(int(os.Stdin.Fd()), state) }, nil
		}
	}
	if path, err := os.Executable(); err == nil {
		env.Program = path
	}
	tmux := &editor.Tmux{Getenv: os.Getenv} // asked once for all
	env.Tmux = tmux.Variable
	env.PolicyFile = settings.PolicyFile(os.Getenv, runtime.GOOS)
	env.FindEditor = func(ctx context.Context) (editor.Window, []editor.Try, bool) {
		return editor.Find(ctx, editor.Places{Getenv: os.Getenv, UID: -1, Tmux: env.Tmux})
	}
	opener := func(ctx context.Context, window *editor.Window) browser.Opener {
		return browser.Opener{Getenv: tmux.Display(ctx), Window: window}
	}
	env.OpenBrowser = func(ctx context.Context, url string, window *editor.Window) error {
		return opener(ctx, window).Open(ctx, url)
	}
	env.CanOpen = func(ctx context.Context, window *editor.Window) bool { return opener(ctx, window).Any() }
	return env
}

// Getenv returns an environment variable, or "".
func (e Env) Getenv(name string) string {
	if e.LookupEnv == nil {
		return ""
	}
	v, _ := e.LookupEnv(name)
	return v
}

// Time returns the time by the clock of e.
func (e Env) Time() time.Time {
	if e.Now != nil {
		return e.Now()
	}
	return time.Now()
}

// HomeDir returns the home folder, or an error of kind Config.
func (e Env) HomeDir() (string, error) {
	if e.Home == "" {
		return "", &fault.Error{
			Kind:   fault.Config,
			Msg:    "there is no home folder: HOME is not set",
			Remedy: fault.Setenv{Name: "HOME", Value: "/path/to/your/home"},
			Err:    errors.New("home folder unknown"),
		}
	}
	return e.Home, nil
}
