// Package term knows what the terminal on the other side of a stream can show.
package term

import (
	"os"

	"golang.org/x/term"
)

// IsTerminal reports whether stream is a file that is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && f != nil && term.IsTerminal(int(f.Fd()))
}

// Size returns the columns and rows of the terminal behind stream, 0 when it is none or does not say.
func Size(stream any) (width, height int) {
	f, ok := stream.(*os.File)
	if !ok || f == nil {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0, 0
	}
	return width, height
}

// Flush drops what was typed at the terminal f and has not been read.
func Flush(f *os.File) error { return flush(f.Fd()) }

// NoColor reports whether the person asked for output without colour (no-color.org), or the terminal has none.
func NoColor(getenv func(string) string) bool {
	return getenv("NO_COLOR") != "" || getenv("TERM") == "dumb"
}
