package editor

import (
	"bytes"
	"context"
	"io"
	"os/exec"
	"strings"
	"time"
)

// Tmux returns a variable of the tmux session that the shell runs in, which tmux may have learned from a newer
// terminal than the shell was born in: the session's, else the server's. "" when there is none, or no tmux. It takes a
// second at most.
func Tmux(ctx context.Context, getenv func(string) string, name string) string {
	if getenv("TMUX") == "" {
		return ""
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, args := range [][]string{{"show-environment", name}, {"show-environment", "-g", name}} {
		cmd := exec.CommandContext(ctx, "tmux", args...)
		cmd.Env = append(cmd.Environ(), "TMUX="+getenv("TMUX"), "TMUX_PANE="+getenv("TMUX_PANE"))
		cmd.WaitDelay = 100 * time.Millisecond
		var out bytes.Buffer
		cmd.Stdout = &limited{w: &out, left: 64 << 10}
		if cmd.Run() != nil {
			continue // it does not know the name here
		}
		if value, ok := strings.CutPrefix(out.String(), name+"="); ok {
			return strings.TrimRight(value, "\r\n")
		}
		return "" // "-NAME": the session has taken it out
	}
	return ""
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
