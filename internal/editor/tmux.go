package editor

import (
	"bytes"
	"context"
	"io"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Tmux is what the tmux around a shell knows of variables. A shell's own are of the moment it was born; at every
// attach tmux renews those in its option update-environment from the terminal it is attached from (tmux(1), GLOBAL
// AND SESSION ENVIRONMENT), and takes out of the session those which that terminal does not have. tmux is asked once,
// for all variables, at the first question. Safe for concurrent use. The zero value knows nothing.
type Tmux struct {
	Getenv func(string) string // TMUX and TMUX_PANE of the shell; nil: it is not in tmux

	mu      sync.Mutex
	asked   bool
	session map[string]string // of the session the shell is in; "" is a variable that was taken out
	global  map[string]string // of the server: those of whoever started it
}

// Variable returns what tmux says about a variable. known means that the session has a word on it: value is what the
// terminal has that was attached last, or "" when that terminal has none. Otherwise value is the server's, as old as
// the server or set by hand, "" for none; a shell's own is no older than that.
//
// Nothing is known outside of tmux, when tmux takes longer than a second or says more than 256 KiB, and in a shell
// that was handed TMUX without its tmux (another user's, another machine's).
func (t *Tmux) Variable(ctx context.Context, name string) (value string, known bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.asked {
		t.session, t.global = t.ask(ctx)
		t.asked = ctx.Err() == nil // who gave up waiting learned nothing about tmux
	}
	if value, known = t.session[name]; known {
		return value, true
	}
	return t.global[name], false
}

// Display returns t.Getenv with the display that tmux knows of in place of the shell's own: where a program that is
// started now can be seen.
func (t *Tmux) Display(ctx context.Context) func(name string) string {
	return func(name string) string {
		switch name {
		case "DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY":
			if value, known := t.Variable(ctx, name); known {
				return value
			}
		}
		if t.Getenv == nil {
			return ""
		}
		return t.Getenv(name)
	}
}

// between divides the two lists in the answer of tmux. It is no variable: it has no "=".
const between = "homing:global"

func (t *Tmux) ask(ctx context.Context) (session, global map[string]string) {
	if t.Getenv == nil || t.Getenv("TMUX") == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "tmux", "show-environment", ";", "display-message", "-p", between, ";",
		"show-environment", "-g")
	cmd.Env = append(cmd.Environ(), "TMUX="+t.Getenv("TMUX"), "TMUX_PANE="+t.Getenv("TMUX_PANE"))
	cmd.WaitDelay = 100 * time.Millisecond
	var out bytes.Buffer
	cmd.Stdout = &limited{w: &out, left: 256 << 10}
	if cmd.Run() != nil {
		return nil, nil
	}
	first, second, _ := strings.Cut(out.String(), "\n"+between+"\n")
	return variables(first), variables(second)
}

// variables reads lines of NAME=value and -NAME. The second and later lines of a value are lost, or look like a
// variable of their own: no name that is asked for has such a value.
func variables(text string) map[string]string {
	all := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if name, value, ok := strings.Cut(line, "="); ok {
			all[name] = value
		} else if name, ok := strings.CutPrefix(line, "-"); ok {
			all[name] = ""
		}
	}
	return all
}

// limited fails when more is written than left.
type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.left {
		return 0, io.ErrShortWrite
	}
	l.left -= len(b)
	return l.w.Write(b)
}
