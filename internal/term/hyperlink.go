package term

import (
	"strconv"
	"strings"
)

// Hyperlinks reports whether the terminal is known to show OSC 8 hyperlinks, or to drop them without a trace.
// FORCE_HYPERLINK decides when it is set: 0 is no. An unknown terminal gets none, since it might print them.
func Hyperlinks(getenv func(string) string) bool {
	if force := getenv("FORCE_HYPERLINK"); force != "" {
		return force != "0"
	}
	name := getenv("TERM")
	version := func(variable string, atLeast int) bool {
		n, err := strconv.Atoi(getenv(variable))
		return err == nil && n >= atLeast
	}
	program, programVersion := getenv("TERM_PROGRAM"), getenv("TERM_PROGRAM_VERSION")
	switch {
	case name == "", name == "dumb", name == "linux", getenv("STY") != "", getenv("INSIDE_EMACS") != "":
		return false
	case getenv("TMUX") != "" || program == "tmux" || strings.HasPrefix(name, "tmux") || strings.HasPrefix(name,
		"screen"):
		// Since 3.4 tmux keeps links and passes them on only to terminals that have them. The other variables below
		// may be those of a terminal that is no longer attached.
		return program == "tmux" && since(programVersion, 3, 4)
	}
	switch program {
	case "vscode":
		return since(programVersion, 1, 72)
	case "iTerm.app":
		return since(programVersion, 3, 1)
	case "WezTerm":
		return since(programVersion, 20200620, 0) // its versions are dates
	case "ghostty":
		return true
	}
	switch {
	case name == "xterm-kitty", name == "xterm-ghostty", name == "foot", strings.HasPrefix(name, "foot-"):
		return true
	case getenv("WT_SESSION") != "": // Windows Terminal, in WSL too
		return true
	}
	return version("VTE_VERSION", 5001) || // 0.50.0 has them and crashes on them
		version("KONSOLE_VERSION", 201200)
}

// since reports whether version ("3.4a", "1.95.3", "20240203-110809-5046fc22") is major.minor or later.
func since(version string, major, minor int) bool {
	number := func(s string) int {
		end := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		if end < 0 {
			end = len(s)
		}
		n, _ := strconv.Atoi(s[:end]) // "" and what is too long are no version
		return n
	}
	first, second, _ := strings.Cut(strings.TrimPrefix(version, "next-"), ".") // tmux's name for what comes
	if number(first) != major {
		return number(first) > major
	}
	return number(second) >= minor
}

// Link returns url as an OSC 8 hyperlink whose text is url itself, for terminals that Hyperlinks reports. What is no
// printable ASCII cannot be in a link; such a url is returned without its control characters, and without a link.
func Link(url string) string {
	if strings.ContainsFunc(url, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		return strings.Map(func(r rune) rune {
			if r < 0x20 || r >= 0x7f && r < 0xa0 {
				return -1
			}
			return r
		}, url)
	}
	return "\x1b]8;;" + url + "\x1b\\" + url + "\x1b]8;;\x1b\\"
}
