package ui

import (
	"regexp"
	"strings"
	"sync"
)

// beforeCommand matches the words before a command line. wrap keeps a command line in one piece, for copying.
var beforeCommand = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`run: |^Next: |to use them: `) })

// wrap breaks the lines of text at spaces so that each has at most width columns; width 0 leaves text as it is. A
// longer word, such as an address, gets a line of its own. Indented lines stay as they are.
func wrap(text string, width int) string {
	if width <= 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if Columns(line) > width && line[0] != ' ' {
			lines[i] = wrapLine(line, width)
		}
	}
	return strings.Join(lines, "\n")
}

func wrapLine(line string, width int) string {
	tail := ""
	if at := beforeCommand().FindStringIndex(line); at != nil {
		line, tail = line[:at[1]], line[at[1]:]
	}
	words := strings.Split(line, " ")
	if tail != "" {
		words[len(words)-1] += tail
	}
	var b strings.Builder
	used := 0
	for i, word := range words {
		switch n := Columns(word); {
		case i == 0:
			used = n
		case word != "" && used+1+n > width:
			b.WriteByte('\n')
			used = n
		default:
			b.WriteByte(' ')
			used += 1 + n
		}
		b.WriteString(word)
	}
	return b.String()
}

// Columns returns the width of s on a terminal. Like Fit, it counts every character from Hangul upwards as two.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		if n++; r >= 0x1100 {
			n++
		}
	}
	return n
}
