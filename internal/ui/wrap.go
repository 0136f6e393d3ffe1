package ui

import (
	"regexp"
	"strings"
	"sync"
)

// toType matches what stands before a command to type. A command stays in one piece, for copying.
var toType = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`run: |^Next: |to use them: `) })

// wrap breaks the lines of text at blanks so that each has at most width columns; 0 leaves text as it is. Words longer
// than that, such as addresses, have a line to themselves, and indented lines are not touched.
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
	if at := toType().FindStringIndex(line); at != nil {
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

// Columns is how wide s is on a terminal. As in fit, what may take two columns counts as two.
func Columns(s string) int {
	n := 0
	for _, r := range s {
		if n++; r >= 0x1100 {
			n++
		}
	}
	return n
}
