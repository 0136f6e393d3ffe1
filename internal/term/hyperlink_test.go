package term

import (
	"strings"
	"testing"
)

func TestHyperlinks(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		env  string // NAME=VALUE, by spaces
		want bool
	}{
		{"", false},
		{"TERM=xterm-256color", false},
		{"TERM=dumb TERM_PROGRAM=vscode TERM_PROGRAM_VERSION=1.95.3", false},
		{"TERM=linux VTE_VERSION=7600", false},
		{"TERM=xterm-256color TERM_PROGRAM=vscode TERM_PROGRAM_VERSION=1.95.3", true},
		{"TERM=xterm-256color TERM_PROGRAM=vscode TERM_PROGRAM_VERSION=1.71.2", false},
		{"TERM=xterm-256color TERM_PROGRAM=vscode", false},
		{"TERM=xterm-256color TERM_PROGRAM=iTerm.app TERM_PROGRAM_VERSION=3.5.10", true},
		{"TERM=xterm-256color TERM_PROGRAM=iTerm.app TERM_PROGRAM_VERSION=3.0.15", false},
		{"TERM=xterm-256color TERM_PROGRAM=WezTerm TERM_PROGRAM_VERSION=20240203-110809-5046fc22", true},
		{"TERM=xterm-256color TERM_PROGRAM=WezTerm TERM_PROGRAM_VERSION=20200503-171512-b13ef15f", false},
		{"TERM=xterm-ghostty TERM_PROGRAM=ghostty", true},
		{"TERM=xterm-256color TERM_PROGRAM=Apple_Terminal TERM_PROGRAM_VERSION=453", false},
		{"TERM=xterm-kitty", true},
		{"TERM=foot", true},
		{"TERM=foot-extra", true},
		{"TERM=xterm-256color VTE_VERSION=7600", true},
		{"TERM=xterm-256color VTE_VERSION=5000", false},
		{"TERM=xterm-256color VTE_VERSION=4999", false},
		{"TERM=xterm-256color VTE_VERSION=new", false},
		{"TERM=xterm-256color WT_SESSION=4f1c", true},
		{"TERM=xterm-256color KONSOLE_VERSION=230802", true},
		{"TERM=xterm-256color KONSOLE_VERSION=191203", false},
		{"TERM=xterm-256color TERMINAL_EMULATOR=JetBrains-JediTerm", false},
		{"TERM=xterm-256color VTE_VERSION=7600 INSIDE_EMACS=29.1,term:0.96", false},

		// Inside tmux and screen the variables may be those of another terminal.
		{"TERM=screen-256color VTE_VERSION=7600", false},
		{"TERM=xterm-256color VTE_VERSION=7600 STY=1.pts", false},
		{"TERM=xterm-256color VTE_VERSION=7600 TMUX=/tmp/tmux-0/default,1,0", false},
		{"TERM=tmux-256color TERM_PROGRAM=tmux TERM_PROGRAM_VERSION=3.3a TMUX=/tmp/t,1,0", false},
		{"TERM=tmux-256color TERM_PROGRAM=tmux TERM_PROGRAM_VERSION=3.4 TMUX=/tmp/t,1,0", true},
		{"TERM=tmux-256color TERM_PROGRAM=tmux TERM_PROGRAM_VERSION=next-3.6 TMUX=/tmp/t,1,0", true},
		{"TERM=tmux-256color TERM_PROGRAM=vscode TERM_PROGRAM_VERSION=1.95.3", false},

		{"FORCE_HYPERLINK=1", true},
		{"TERM=xterm-kitty FORCE_HYPERLINK=0", false},
	} {
		getenv := func(name string) string {
			for _, pair := range strings.Fields(tt.env) {
				if k, v, _ := strings.Cut(pair, "="); k == name {
					return v
				}
			}
			return ""
		}
		if got := Hyperlinks(getenv); got != tt.want {
			t.Errorf("%s: %v", tt.env, got)
		}
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://a.example/?b=c;d&e=%20": "\x1b]8;;https://a.example/?b=c;d&e=%20\x1b\\https://a.example/?b=c;d&e=%20\x1b]8;;\x1b\\",
		"https://a.example/\x1b\\\x07x":  `https://a.example/\x`,
		"https://bücher.example/":        "https://bücher.example/",
		"https://a.example/\u009bx\r\n":  "https://a.example/x",
	} {
		if got := Link(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
