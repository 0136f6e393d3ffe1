package term

import (
	"strings"

	"rsc.io/qr"
)

// quiet is the empty margin a QR code needs on every side, in modules (ISO/IEC 18004, 6.3.8).
const quiet = 4

// QR returns text as a QR code for a terminal of width columns, two modules a character cell, or "" when it does not
// fit or cannot be encoded. Every line ends in a line break and leaves the terminal's colours as they were.
//
// The colours are black on white from the fixed part of the 256-colour palette. Without them a dark background would
// turn the code into its negative, and themes redefine the first sixteen. It is an image, so NO_COLOR does not apply.
func QR(text string, width int) string {
	code, err := qr.Encode(text, qr.L)
	if err != nil || code.Size+2*quiet > width {
		return ""
	}
	black := func(x, y int) bool { // Black is false outside the code
		return code.Black(x-quiet, y-quiet)
	}
	const colours, reset = "\x1b[38;5;16;48;5;231m", "\x1b[0m"
	var b strings.Builder
	size := code.Size + 2*quiet
	for y := 0; y < size; y += 2 { // size is odd: the last line's lower half is margin
		b.WriteString(colours)
		for x := range size {
			switch upper, lower := black(x, y), black(x, y+1); {
			case upper && lower:
				b.WriteString("█")
			case upper:
				b.WriteString("▀")
			case lower:
				b.WriteString("▄")
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteString(reset + "\n")
	}
	return b.String()
}
