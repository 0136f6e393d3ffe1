package term

import (
	"time"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/session"
)

// Input is what a person did at the terminal: one key, or one paste. Exactly one of the two is set.
type Input struct {
	Key  rune           // a key that arrived alone: nothing else came within 50 ms
	Text session.Secret // a paste, whole and as it came, line breaks and control characters included
}

// MaxPaste is the length a paste may have, in bytes. A longer one is cut to one byte more, so that whoever bounds
// what it reads at MaxPaste refuses it.
const MaxPaste = 64 << 10

const (
	// Silence that makes a byte a key: a paste comes faster, autorepeat is about 30 ms.
	keyAlone = 50 * time.Millisecond
	pasteEnd = 300 * time.Millisecond // silence that ends an unbracketed paste, or an escape sequence cut short
	lostEnd  = 3 * time.Second        // silence that ends a bracketed paste whose end was lost
)

const (
	pasteOn    = "\x1b[?2004h"
	pasteOff   = "\x1b[?2004l"
	closeMark  = "\x1b[201~"
	openParams = "200"
)

// decoder turns the bytes of a terminal into inputs. It uses no clock: the caller passes what arrived, and says when
// nothing arrived for as long as the decoder asked. The zero value is ready.
type decoder struct {
	state  state
	params []byte // of a CSI sequence, as many as matter
	skip   int    // bytes to drop
	match  int    // bytes of closeMark seen
	run    []byte // text outside of brackets since the last silence
	text   []byte // of the bracketed paste
	mixed  bool   // a sequence or a bracketed paste was part of this burst, so a rune in it is no key
	inputs []Input
}

type state uint8

const (
	ground   state = iota
	escape         // after ESC
	csi            // after ESC [
	ss3            // after ESC O
	str            // in OSC, DCS, SOS, PM, APC: until BEL or ESC \
	strEsc         // after ESC in str
	skipping       // the rest of a sequence of known length
	pasting        // between the brackets
)

// feed takes what arrived and returns what it completed.
func (d *decoder) feed(data []byte) []Input {
	d.inputs = nil
	for _, b := range data {
		d.take(b)
	}
	return d.inputs
}

func (d *decoder) take(b byte) {
	switch d.state {
	case ground:
		if b == 0x1b {
			d.state, d.mixed = escape, true
			return
		}
		d.run = bounded(d.run, b)
	case escape:
		d.afterEscape(b)
	case csi:
		d.inCSI(b)
	case ss3: // digits and semicolons are modifiers
		if b < '0' || b > ';' {
			d.state = ground
		}
	case str:
		switch b {
		case 0x07:
			d.state = ground
		case 0x1b:
			d.state = strEsc
		}
	case strEsc:
		d.state = str
		if b == '\\' {
			d.state = ground
		}
	case skipping:
		if d.skip--; d.skip == 0 {
			d.state = ground
		}
	case pasting:
		d.inPaste(b)
	}
}

func (d *decoder) afterEscape(b byte) {
	switch {
	case b == '[':
		d.state, d.params = csi, d.params[:0]
	case b == 'O':
		d.state = ss3
	case b == ']', b == 'P', b == 'X', b == '^', b == '_':
		d.state = str
	case b == 0x1b:
	case b >= 0xc2 && b < 0xf5: // Alt and a key that is more than a byte
		d.state, d.skip = skipping, 1
		if b >= 0xe0 {
			d.skip = 2
		}
		if b >= 0xf0 {
			d.skip = 3
		}
	default: // Alt and a key
		d.state = ground
	}
}

func (d *decoder) inCSI(b byte) {
	switch {
	case b == 0x1b:
		d.state = escape
	case b == '[' && len(d.params) == 0: // the function keys of the Linux console: ESC [ [ A
		d.state, d.skip = skipping, 1
	case b == 'M' && len(d.params) == 0: // a mouse report of the old kind: three bytes follow
		d.state, d.skip = skipping, 3
	case b == '~' && string(d.params) == openParams:
		d.endRun()
		d.state, d.text, d.match, d.mixed = pasting, nil, 0, true
	case b >= 0x40 && b <= 0x7e:
		d.state = ground
	case len(d.params) < 16:
		d.params = append(d.params, b)
	}
}

func (d *decoder) inPaste(b byte) {
	if b == closeMark[d.match] {
		if d.match++; d.match == len(closeMark) {
			d.endPaste()
		}
		return
	}
	for i := range d.match { // it only looked like the end
		d.text = bounded(d.text, closeMark[i])
	}
	d.match = 0
	if b == closeMark[0] {
		d.match = 1
		return
	}
	d.text = bounded(d.text, b)
}

// bounded appends b to what holds at most one byte more than MaxPaste.
func bounded(text []byte, b byte) []byte {
	if len(text) > MaxPaste {
		return text
	}
	return append(text, b)
}

func (d *decoder) endPaste() {
	if len(d.text) > 0 {
		d.inputs = append(d.inputs, Input{Text: session.NewSecret(string(d.text))})
	}
	d.state, d.text, d.match = ground, nil, 0
}

// endRun decides what the text of a burst was: a key, a paste, or nothing that counts.
func (d *decoder) endRun() {
	r, size := utf8.DecodeRune(d.run)
	switch alone := size == len(d.run); {
	case len(d.run) == 0, blank(d.run) && !alone:
	case !alone:
		d.inputs = append(d.inputs, Input{Text: session.NewSecret(string(d.run))})
	case d.mixed, r == utf8.RuneError && size <= 1, d.state != ground, r == 0:
	default:
		d.inputs = append(d.inputs, Input{Key: r})
	}
	d.run = nil
}

// blank reports text that is nothing but line ends and spaces: an Enter that is held down.
func blank(text []byte) bool {
	for _, b := range text {
		if b != '\n' && b != '\r' && b != ' ' && b != '\t' {
			return false
		}
	}
	return true
}

// wait returns how long a silence must be to mean something, 0 when none does.
func (d *decoder) wait() time.Duration {
	switch {
	case d.state == pasting:
		return lostEnd
	case d.state != ground:
		return pasteEnd
	case len(d.run) == 0 && !d.mixed:
		return 0
	case len(d.run) == 0, utf8.FullRune(d.run) && utf8.RuneCount(d.run) == 1:
		return keyAlone
	}
	return pasteEnd
}

// inText reports whether a paste is under way.
func (d *decoder) inText() bool { return d.state == pasting || utf8.RuneCount(d.run) > 1 }

// silence says that nothing arrived for as long as wait said, and returns what that completed.
func (d *decoder) silence() []Input {
	d.inputs = nil
	if d.state == pasting {
		d.endPaste()
	}
	d.endRun()
	d.state, d.mixed = ground, false
	return d.inputs
}
