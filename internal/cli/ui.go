package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
)

const issuesURL = "https://github.com/homing-cli/homing/issues"

// ui renders everything homing says: the answer on out, talk on err. Arguments of its methods are cleaned of control
// characters, so text from the service, a proxy or a file cannot move the cursor or fake a line; formats are ours.
type ui struct {
	out, err  io.Writer
	json      bool // answers are JSON; login talks in events
	color     bool // stderr understands bold
	debugging bool
	terminal  bool // err is a terminal
	width     int  // its columns; 0 wraps nothing
}

// logger returns what the packages below log to: debug lines on stderr under --debug, nothing otherwise.
func (u *ui) logger() *slog.Logger {
	if !u.debugging {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(debugWriter{u}, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if len(groups) == 0 && (attr.Key == slog.TimeKey || attr.Key == slog.LevelKey) {
				return slog.Attr{}
			}
			return attr
		},
	}))
}

// debugWriter hands whole log lines to ui.debug.
type debugWriter struct{ ui *ui }

func (w debugWriter) Write(p []byte) (int, error) {
	w.ui.debug("%s", p)
	return len(p), nil
}

// answers is stdout. It remembers what could not be written, for those who do not look at each error.
type answers struct {
	w    io.Writer
	lost error // the first
}

func (a *answers) Write(p []byte) (int, error) {
	n, err := a.w.Write(p)
	if err != nil && a.lost == nil {
		a.lost = err
	}
	return n, err
}

// answer writes to stdout. What cannot be written is the command's error in the end: see run.
func (u *ui) answer(format string, args ...any) {
	_, _ = fmt.Fprintf(u.out, format, cleanArgs(args)...)
}

// say writes to stderr, wrapped at words.
func (u *ui) say(format string, args ...any) {
	_, _ = io.WriteString(u.err, wrap(fmt.Sprintf(format, cleanArgs(args)...), u.width))
}

// strong writes text of ours to stderr, bold where the terminal shows it. The words must carry the meaning.
func (u *ui) strong(text string) {
	if u.color {
		text = "\x1b[1m" + text + "\x1b[0m"
	}
	_, _ = io.WriteString(u.err, text)
}

// debug writes a line to stderr under --debug. Never pass a secret that is not a session.Secret.
func (u *ui) debug(format string, args ...any) {
	if u.debugging {
		text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
		for line := range strings.SplitSeq(text, "\n") {
			_, _ = fmt.Fprintf(u.err, "debug: %s\n", clean(line)) // not wrapped: it is for searching
		}
	}
}

// event writes v as one line of JSON to stdout.
func (u *ui) event(v any) error {
	enc := json.NewEncoder(u.out)
	enc.SetEscapeHTML(false) // URLs are for copying
	return enc.Encode(v)
}

// document writes v as indented JSON to stdout.
func (u *ui) document(v any) error {
	enc := json.NewEncoder(u.out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// table writes rows to stdout in aligned columns under header.
func (u *ui) table(header []string, rows [][]string) error {
	w := tabwriter.NewWriter(u.out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = clean(cell)
		}
		if _, err := fmt.Fprintln(w, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}

// fail says what went wrong and what to do next, and returns the exit code.
func (u *ui) fail(err error) int {
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
		u.debug("cause: %s", clean(cause.Error()))
	}
	f := describe(err)
	u.say("homing: %s\n", f.Msg)
	if f.Hint != "" {
		u.say("hint: %s\n", f.Hint)
	}
	return f.Kind.ExitCode()
}

// describe returns the sentence, the hint and the kind that a person sees for err.
func describe(err error) fault.Error {
	f := fault.Error{Kind: fault.KindOf(err), Msg: err.Error(), Hint: fault.HintOf(err)}
	switch {
	case f.Kind == fault.Bug && errors.Is(err, context.Canceled):
		f = fault.Error{Kind: fault.Interrupted, Msg: "interrupted"}
	case f.Kind == fault.Bug && unwritten(err) != nil:
		f = fault.Error{Kind: fault.Config, Msg: "the answer cannot be written: " + unwritten(err).Error(), Hint: "write it to another place"}
	case f.Kind == fault.Bug && f.Hint == "":
		f.Hint = "this should not happen: run it again with --debug and report what it prints at " + issuesURL
	}
	return f
}

// unwritten is why the answer could not be written, as to a disk that is full; nil where that is not what went wrong.
// Package os calls standard output so on every system.
func unwritten(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok && p.Op == "write" && p.Path == "/dev/stdout" {
		return p.Err
	}
	return nil
}

func cleanArgs(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			out[i] = clean(v)
		case error:
			out[i] = clean(v.Error())
		case fmt.Formatter: // session.Secret: knows how to hide
			out[i] = v
		case fmt.Stringer:
			out[i] = clean(v.String())
		default:
			out[i] = v
		}
	}
	return out
}

// clean makes text from strangers one line that shows and does nothing else.
func clean(s string) string { return plain.Line(s, 0) }

// moment words a time for people, with the distance from now: "2026-03-02 16:12 UTC (in 59 min)".
func moment(t, now time.Time) string {
	return fmt.Sprintf("%s (%s)", t.UTC().Format("2006-01-02 15:04 UTC"), distance(t.Sub(now)))
}

func distance(d time.Duration) string {
	if d < 0 {
		return span(-d) + " ago"
	}
	return "in " + span(d)
}

// span words a duration, rounded to minutes from one minute on: "59 min", "8 h", "90 days".
func span(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d/time.Second))
	}
	d = d.Round(time.Minute)
	h, m := int(d/time.Hour), int(d%time.Hour/time.Minute)
	switch {
	case h == 0:
		return fmt.Sprintf("%d min", m)
	case h >= 48:
		return fmt.Sprintf("%d days", (h+12)/24)
	case m == 0:
		return fmt.Sprintf("%d h", h)
	}
	return fmt.Sprintf("%d h %d min", h, m)
}
