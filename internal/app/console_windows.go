package app

import (
	"os"

	"golang.org/x/sys/windows"
)

// understandsEscapes reports whether the console behind f acts on escape sequences, after asking it to.
func understandsEscapes(f *os.File) bool {
	handle := windows.Handle(f.Fd())
	var mode uint32
	if err := windows.GetConsoleMode(handle, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(handle, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
