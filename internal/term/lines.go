package term

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
)

// ErrEOF ends a prompt whose input is over before an answer came.
var ErrEOF = errors.New("end of input")

// LineReader reads what a person types. It takes one byte at a time from the stream, so nothing typed ahead is lost
// when the answer to the next question is read in another way, by a list or by a program started later.
type LineReader struct {
	R       io.Reader
	pending chan readResult // a read under way that an earlier, cancelled wait left behind
	ahead   string          // what was read already and comes first
}

type readResult struct {
	b   byte
	err error
}

// Byte waits for one byte or for ctx. A read that ctx cut short goes on; the next call gets its byte.
func (in *LineReader) Byte(ctx context.Context) (byte, error) {
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
				n, err := in.R.Read(buf[:])
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

// TypedAhead keeps text that another reader of the terminal took and has no use for.
func (in *LineReader) TypedAhead(text string) { in.ahead += text }

// Drop forgets a byte that was read already and that nobody waits for. The end of the input is not forgotten.
func (in *LineReader) Drop() {
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

// Line returns the next line without its end. errEOF means that the input is over and nothing was typed.
func (in *LineReader) Line(ctx context.Context) (string, error) {
	var line []byte
	for {
		b, err := in.Byte(ctx)
		switch {
		case errors.Is(err, io.EOF) && len(line) > 0:
			return string(line), nil
		case errors.Is(err, io.EOF):
			return "", ErrEOF
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
