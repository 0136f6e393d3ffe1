package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/fault"
)

// errEOF ends a prompt whose input is over before an answer came.
var errEOF = errors.New("end of input")

// input reads what a person types. It takes one byte at a time from the stream, so nothing typed ahead is lost when
// the answer to the next question is read in another way, by a list or by a program started later.
type input struct {
	r       io.Reader
	pending chan readResult // a read under way that an earlier, cancelled wait left behind
	ahead   string          // what was read already and comes first
}

type readResult struct {
	b   byte
	err error
}

// readByte waits for one byte or for ctx. A read that ctx cut short goes on; the next call gets its byte.
func (in *input) readByte(ctx context.Context) (byte, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if in.ahead != "" {
		b := in.ahead[0]
		in.ahead = in.ahead[1:]
		return b, nil
	}
	if in.pending == nil {
		ch := make(chan readResult, 1)
		in.pending = ch
		go func() {
			var buf [1]byte
			for {
				n, err := in.r.Read(buf[:])
				if n == 1 {
					ch <- readResult{b: buf[0]}
					return
				}
				if err != nil {
					ch <- readResult{err: err}
					return
				}
			}
		}()
	}
	select {
	case <-ctx.Done():
		return 0, ctx.Err()
	case r := <-in.pending:
		in.pending = nil
		return r.b, r.err
	}
}

// typedAhead keeps text that another reader of the terminal took and has no use for.
func (in *input) typedAhead(text string) { in.ahead += text }

// drop forgets a byte that was read already and that nobody waits for. The end of the input is not forgotten.
func (in *input) drop() {
	in.ahead = ""
	if in.pending == nil {
		return
	}
	select {
	case r := <-in.pending:
		if r.err != nil {
			in.pending <- r // it has room for one
			return
		}
		in.pending = nil
	default:
	}
}

// readLine returns the next line without its end. errEOF means that the input is over and nothing was typed.
func (in *input) readLine(ctx context.Context) (string, error) {
	var line []byte
	for {
		b, err := in.readByte(ctx)
		switch {
		case errors.Is(err, io.EOF) && len(line) > 0:
			return string(line), nil
		case errors.Is(err, io.EOF):
			return "", errEOF
		case err != nil:
			return "", err
		case b == '\n':
			return strings.TrimSuffix(string(line), "\r"), nil
		case len(line) == bufio.MaxScanTokenSize:
			return "", fault.New(fault.Usage, "type a shorter answer", "the answer is longer than %d bytes", len(line))
		}
		line = append(line, b)
	}
}

// question is one line of a wizard: TEXT [current]: answer.
type question struct {
	text    string // "SSO region"
	bare    bool   // no brackets: "SSO session name: "
	current string // what Enter keeps; "" shows as None
	flag    string // the flag that answers it, for the message when nobody is there to ask
	// check refuses an answer with a sentence; nil accepts all. It sees the current value when that is kept.
	check func(answer string) string
}

// ask puts q to the person and returns the answer, trimmed; Enter gives the current value. Without a terminal a
// question that has no current value is a usage fault that names the flag.
func (a *app) ask(ctx context.Context, q question) (string, error) {
	if !a.interactive() {
		if q.current != "" || q.check == nil || q.check("") == "" {
			return q.current, nil
		}
		return "", missing(q.flag)
	}
	for {
		if q.bare {
			a.ui.say("%s: ", q.text)
		} else {
			shown := q.current
			if shown == "" {
				shown = "None"
			}
			a.ui.say("%s [%s]: ", q.text, shown)
		}
		line, err := a.in.readLine(ctx)
		if err != nil {
			a.ui.say("\n")
			if errors.Is(err, errEOF) {
				return "", unanswered(q.flag)
			}
			return "", err
		}
		answer := strings.TrimSpace(line)
		if answer == "" {
			answer = q.current
		}
		problem := ""
		switch {
		case !utf8.ValidString(answer), strings.ContainsFunc(answer, unicode.IsControl):
			problem = "The answer holds control characters"
		case q.check != nil:
			problem = q.check(answer)
		}
		if problem == "" {
			return answer, nil
		}
		a.ui.say("%s\n", problem)
	}
}

func missing(flag string) error {
	return fault.New(fault.Usage, "add the flag: "+flag, "there is no terminal to ask on, and %s is not given", strings.Fields(flag)[0])
}

// unanswered is the error for a person who ended the input (Ctrl-D) instead of answering.
func unanswered(flag string) error {
	return fault.New(fault.Usage, "answer, or add the flag: "+flag, "the input ended, and %s is not given", strings.Fields(flag)[0])
}
