package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/term"
	"github.com/homing-cli/homing/internal/ui"
)

// pickerRows is how many items of a list show at once, as in the AWS CLI.
const pickerRows = 10

// Pick lets the person choose one of items, in the given order, and returns its index. The list narrows to the items
// that contain every typed word; without raw key input it is numbered instead. flag names the flag that answers the
// question. Pick drops input typed before the list shows: an Enter meant for something else would choose.
func Pick(ctx context.Context, a *app.App, items []string, flag string) (int, error) {
	if !a.Interactive() {
		return 0, Missing(flag)
	}
	shown := make([]string, len(items))
	for i, item := range items {
		shown[i] = ui.Clean(item)
	}
	if a.Env.Terminal.Raw != nil && a.Env.Terminal.Stderr {
		restore, err := a.Env.Terminal.Raw()
		if err == nil {
			defer restore()
			dropInput(a)
			return pickFiltered(ctx, a, shown, flag)
		}
		a.UI.Debug("raw key input is not available: %v", err)
	}
	dropInput(a)
	return pickNumbered(ctx, a, shown, flag)
}

// dropInput drops input that was typed but not read yet.
func dropInput(a *app.App) {
	if a.Env.Terminal.Flush != nil {
		if err := a.Env.Terminal.Flush(); err != nil {
			a.UI.Debug("input typed ahead cannot be dropped: %v", err)
		}
	}
	a.Lines.Drop()
}

// pickNumbered lets the person choose from a numbered list.
func pickNumbered(ctx context.Context, a *app.App, items []string, flag string) (int, error) {
	for i, item := range items {
		a.UI.Say("%3d  %s\n", i+1, item)
	}
	answer, err := Ask(ctx, a, Question{
		Text: fmt.Sprintf("Number, 1 to %d", len(items)), Bare: true, Flag: flag,
		Check: func(s string) string {
			if n, err := strconv.Atoi(s); err != nil || n < 1 || n > len(items) {
				return fmt.Sprintf("Not a number from 1 to %d", len(items))
			}
			return ""
		},
	})
	if err != nil {
		return 0, err
	}
	n, _ := strconv.Atoi(answer)
	return n - 1, nil
}

// Narrow shows a list that filters items as the person types. It returns the indices of the items that match when the
// person presses Enter or ends the input. items must be clean lines. Call it only if CanNarrow.
func Narrow(ctx context.Context, a *app.App, items []string) ([]int, error) {
	restore, err := a.Env.Terminal.Raw()
	if err != nil {
		return nil, err
	}
	defer restore()
	dropInput(a)
	l := newFilterList(items)
	l.prompt = "Type to filter, arrows to scroll, Enter to print the matches"
	if err := filter(ctx, a, l); err != nil && !errors.Is(err, term.ErrEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return l.matches, nil
}

// CanNarrow reports whether the terminal supports Narrow.
func CanNarrow(a *app.App) bool {
	return a.Interactive() && a.Env.Terminal.Stdout && a.Env.Terminal.Raw != nil
}

// pickFiltered lets the person choose from a list that filters as they type.
func pickFiltered(ctx context.Context, a *app.App, items []string, flag string) (int, error) {
	l := newFilterList(items)
	err := filter(ctx, a, l)
	if errors.Is(err, term.ErrEOF) || errors.Is(err, io.EOF) {
		return 0, unanswered(flag)
	}
	if err != nil {
		return 0, err
	}
	return l.chosen(), nil
}

// filter reads keys and draws the list until the person presses Enter, which returns nil. The terminal is in raw
// mode.
func filter(ctx context.Context, a *app.App, l *filterList) error {
	width := Columns(a)
	drawn := 0
	for {
		frame := l.view(width)
		_, _ = io.WriteString(a.Env.Stderr, erase(drawn)+strings.Join(frame, "\r\n")+"\r\n")
		drawn = len(frame)
		key, err := readKey(ctx, a)
		if err == nil {
			err = l.press(key)
		}
		switch {
		case err == nil:
			continue
		case errors.Is(err, errChosen):
			_, _ = io.WriteString(a.Env.Stderr, erase(drawn))
			return nil
		case l.prompt == "" && (errors.Is(err, term.ErrEOF) || errors.Is(err, io.EOF)):
			return err // leave the unanswered list on the screen
		}
		_, _ = io.WriteString(a.Env.Stderr, erase(drawn))
		return err
	}
}

// Columns returns the width of the terminal, 80 if that is not known.
func Columns(a *app.App) int {
	if a.Env.Terminal.Width <= 0 {
		return 80
	}
	return a.Env.Terminal.Width
}

// erase returns the sequence that moves up n lines and clears to the end of the screen.
func erase(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("\x1b[%dA\r\x1b[J", n)
}

// escapeDelay is how long the rest of an escape sequence may take after ESC: slow links split sequences, and people
// expect Escape to act at once.
const escapeDelay = 100 * time.Millisecond

// key is a key press: a typed rune, or one of the named keys below, which are negative.
type key rune

const (
	keyUp key = -1 - iota
	keyDown
	keyPageUp
	keyPageDown
	keyHome
	keyEnd
	keyEnter
	keyBackspace
	keyClear // Escape, Ctrl-U
	keyInterrupt
	keyEOF
	keyOther
)

var controlKeys = map[byte]key{
	3: keyInterrupt, 4: keyEOF, 8: keyBackspace, 127: keyBackspace, '\r': keyEnter, '\n': keyEnter, 21: keyClear,
	14: keyDown, 16: keyUp, // Ctrl-N, Ctrl-P
}

var escapeKeys = map[string]key{
	"[A": keyUp, "[B": keyDown, "OA": keyUp, "OB": keyDown, "[5~": keyPageUp, "[6~": keyPageDown,
	"[H": keyHome, "[F": keyEnd, "OH": keyHome, "OF": keyEnd, "[1~": keyHome, "[4~": keyEnd,
}

// readKey reads one key press of a terminal in raw mode.
func readKey(ctx context.Context, a *app.App) (key, error) {
	b, err := a.Lines.Byte(ctx)
	if err != nil {
		return 0, err
	}
	if b == 0x1b {
		return readEscape(ctx, a)
	}
	if k, ok := controlKeys[b]; ok {
		return k, nil
	}
	if b < 0x20 {
		return keyOther, nil
	}
	buf := []byte{b}
	for !utf8.FullRune(buf) {
		b, err := a.Lines.Byte(ctx)
		if err != nil {
			return 0, err
		}
		buf = append(buf, b)
	}
	r, _ := utf8.DecodeRune(buf)
	if r == utf8.RuneError {
		return keyOther, nil
	}
	return key(r), nil
}

// readEscape reads the rest of an escape sequence: ESC [ parameters final, or ESC O final. A terminal sends it at
// once, so an ESC with nothing after it is the Escape key.
func readEscape(ctx context.Context, a *app.App) (key, error) {
	quiet, cancel := context.WithTimeout(ctx, escapeDelay)
	defer cancel()
	var seq []byte
	for {
		b, err := a.Lines.Byte(quiet)
		if err != nil {
			if ctx.Err() == nil && quiet.Err() != nil {
				return keyClear, nil
			}
			return 0, err
		}
		seq = append(seq, b)
		if len(seq) == 1 && b != '[' && b != 'O' {
			return keyOther, nil // Alt with a key
		}
		if len(seq) > 1 && b >= 0x40 && b <= 0x7e {
			if k, ok := escapeKeys[string(seq)]; ok {
				return k, nil
			}
			return keyOther, nil
		}
	}
}

var errChosen = errors.New("chosen")

// filterList is the state of a list that filters as a person types. It does no input or output: press changes it,
// view returns what to draw.
type filterList struct {
	prompt  string // what the keys do; "" for a list to choose from
	items   []string
	folded  []string // items in lower case
	filter  string
	matches []int // indices of items
	cursor  int   // in matches
	top     int   // first row shown
}

func newFilterList(items []string) *filterList {
	l := &filterList{items: items}
	for _, item := range items {
		l.folded = append(l.folded, strings.ToLower(item))
	}
	l.applyFilter()
	return l
}

// applyFilter sets matches to the items that contain every word of filter.
func (l *filterList) applyFilter() {
	words := strings.Fields(strings.ToLower(l.filter))
	l.matches, l.cursor, l.top = l.matches[:0], 0, 0
next:
	for i, text := range l.folded {
		for _, word := range words {
			if !strings.Contains(text, word) {
				continue next
			}
		}
		l.matches = append(l.matches, i)
	}
}

func (l *filterList) chosen() int { return l.matches[l.cursor] }

// press applies a key. It returns errChosen if the person chose, and context.Canceled if they pressed Ctrl-C.
func (l *filterList) press(k key) error {
	switch k {
	case keyInterrupt:
		return context.Canceled
	case keyEOF:
		return term.ErrEOF
	case keyEnter:
		if len(l.matches) > 0 || l.prompt != "" {
			return errChosen
		}
	case keyBackspace:
		if _, size := utf8.DecodeLastRuneInString(l.filter); size > 0 {
			l.filter = l.filter[:len(l.filter)-size]
			l.applyFilter()
		}
	case keyClear:
		l.filter = ""
		l.applyFilter()
	case keyUp:
		l.move(-1)
	case keyDown:
		l.move(1)
	case keyPageUp:
		l.move(-pickerRows)
	case keyPageDown:
		l.move(pickerRows)
	case keyHome:
		l.move(-len(l.matches))
	case keyEnd:
		l.move(len(l.matches))
	case keyOther:
	default:
		l.filter += string(rune(k))
		l.applyFilter()
	}
	return nil
}

func (l *filterList) move(by int) {
	l.cursor = max(0, min(l.cursor+by, len(l.matches)-1))
	switch {
	case l.cursor < l.top:
		l.top = l.cursor
	case l.cursor >= l.top+pickerRows:
		l.top = l.cursor - pickerRows + 1
	}
}

// view returns the lines of the list, each of fewer than width columns.
func (l *filterList) view(width int) []string {
	prompt := l.prompt
	if prompt == "" {
		prompt = "Type to filter, arrows to move, Enter to choose"
	}
	lines := []string{ui.Fit(fmt.Sprintf("%s (%d of %d): %s", prompt, len(l.matches), len(l.items), l.filter), width)}
	if len(l.matches) == 0 {
		return append(lines, ui.Fit("  nothing matches; Backspace widens the search", width))
	}
	for row := l.top; row < min(l.top+pickerRows, len(l.matches)); row++ {
		mark := "  "
		if row == l.cursor {
			mark = "> "
		}
		lines = append(lines, ui.Fit(mark+l.items[l.matches[row]], width))
	}
	return lines
}
