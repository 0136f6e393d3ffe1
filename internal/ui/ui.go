// Package ui prints answers to stdout and everything else to stderr, for people or as JSON. It words errors, next
// steps and sign-ins; each command words the rest of its output.
package ui

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
	"github.com/homing-cli/homing/internal/quote"
)

// IssuesURL is where to report bugs.
const IssuesURL = "https://github.com/homing-cli/homing/issues"

// UI prints everything that homing says: the answer to Out, the rest to Err. Its methods remove control characters
// from their arguments, so text from the service, a proxy or a file cannot move the cursor or fake a line. Formats
// must be constants.
type UI struct {
	Out, Err  io.Writer
	JSON      bool // answers are JSON; login prints events
	Color     bool // Err understands bold
	Debugging bool
	Terminal  bool // err is a terminal
	Width     int  // its columns; 0 wraps nothing
	Height    int  // its rows; 0 shows no picture
	Links     bool // it shows hyperlinks (OSC 8)
	Shell     quote.Shell
}

// Logger returns a logger for other packages. It prints debug lines to stderr under --debug, and nothing otherwise.
func (u *UI) Logger() *slog.Logger {
	if !u.Debugging {
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

// debugWriter prints log lines with UI.Debug.
type debugWriter struct{ ui *UI }

func (w debugWriter) Write(p []byte) (int, error) {
	w.ui.Debug("%s", p)
	return len(p), nil
}

// Answers is stdout. It records the first error, since UI.Answer returns none.
type Answers struct {
	W    io.Writer
	Lost error // the first error of a write
}

func (a *Answers) Write(p []byte) (int, error) {
	n, err := a.W.Write(p)
	if err != nil && a.Lost == nil {
		a.Lost = err
	}
	return n, err
}

// Answer writes to stdout. If that fails, the command ends with the error that Answers has recorded.
func (u *UI) Answer(format string, args ...any) {
	_, _ = fmt.Fprintf(u.Out, format, CleanArgs(args)...)
}

// Say writes to stderr, wrapped at spaces.
func (u *UI) Say(format string, args ...any) {
	_, _ = io.WriteString(u.Err, wrap(fmt.Sprintf(format, CleanArgs(args)...), u.Width))
}

// Strong writes text to stderr, bold if the terminal can. text must be a constant, and clear without bold.
func (u *UI) Strong(text string) {
	if u.Color {
		text = "\x1b[1m" + text + "\x1b[0m"
	}
	_, _ = io.WriteString(u.Err, text)
}

// Debug writes a line to stderr under --debug. Never pass a secret that is not a session.Secret.
func (u *UI) Debug(format string, args ...any) {
	if u.Debugging {
		text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
		for line := range strings.SplitSeq(text, "\n") {
			_, _ = fmt.Fprintf(u.Err, "debug: %s\n", Clean(line)) // not wrapped, for searching
		}
	}
}

// Event writes v as one line of JSON to stdout.
func (u *UI) Event(v any) error {
	enc := json.NewEncoder(u.Out)
	enc.SetEscapeHTML(false) // keep & in URLs, for copying
	return enc.Encode(v)
}

// Document writes v as indented JSON to stdout.
func (u *UI) Document(v any) error {
	enc := json.NewEncoder(u.Out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// Table writes rows to stdout in aligned columns under header.
func (u *UI) Table(header []string, rows [][]string) error {
	w := tabwriter.NewWriter(u.Out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			cells[i] = Clean(cell)
		}
		if _, err := fmt.Fprintln(w, strings.Join(cells, "\t")); err != nil {
			return err
		}
	}
	return w.Flush()
}

// Fail prints an error and its hint, and returns the exit code.
func (u *UI) Fail(err error) int {
	for cause := errors.Unwrap(err); cause != nil; cause = errors.Unwrap(cause) {
		u.Debug("cause: %s", Clean(cause.Error()))
	}
	f := u.Describe(err)
	u.Say("homing: %s\n", f.Msg)
	if f.Hint != "" {
		u.Say("hint: %s\n", f.Hint)
	}
	return f.Kind.ExitCode()
}

// Failure is an error in the words that a person sees.
type Failure struct {
	Kind      fault.Kind
	Msg, Hint string
}

// Describe returns the sentence, the hint and the kind that a person sees for err.
func (u *UI) Describe(err error) Failure {
	f := Failure{Kind: fault.KindOf(err), Msg: err.Error(), Hint: Hint(err, u.Shell)}
	switch {
	case f.Kind == fault.Bug && errors.Is(err, context.Canceled):
		f = Failure{Kind: fault.Interrupted, Msg: "interrupted"}
	case f.Kind == fault.Bug && unwritten(err) != nil:
		f = Failure{
			Kind: fault.Config,
			Msg:  "the answer cannot be written: " + unwritten(err).Error(),
			Hint: "write it to another place",
		}
	case f.Kind == fault.Bug && f.Hint == "":
		f.Hint = "this should not happen: run it again with --debug and report what it prints at " + IssuesURL
	}
	return f
}

// Command returns the command line of r, for the shell in use.
func (u *UI) Command(r fault.Remedy) string { return Command(r, u.Shell) }

// unwritten is why the answer could not be written, as to a disk that is full; nil where that is not what went wrong.
// Package os calls standard output so on every system.
func unwritten(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok && p.Op == "write" && p.Path == "/dev/stdout" {
		return p.Err
	}
	return nil
}

// CleanArgs returns args with strings, errors and Stringers cleaned; a session.Secret stays hidden.
func CleanArgs(args []any) []any {
	out := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case string:
			out[i] = Clean(v)
		case error:
			out[i] = Clean(v.Error())
		case fmt.Formatter: // session.Secret, which hides its value
			out[i] = v
		case fmt.Stringer:
			out[i] = Clean(v.String())
		default:
			out[i] = v
		}
	}
	return out
}

// Clean returns untrusted text as one line without control characters.
func Clean(s string) string { return plain.Line(s, 0) }

// Moment returns a time for people, with its distance from now: "2026-03-02 16:12 UTC (in 59 min)".
func Moment(t, now time.Time) string {
	return fmt.Sprintf("%s (%s)", t.UTC().Format("2006-01-02 15:04 UTC"), Distance(t.Sub(now)))
}

// Distance returns a duration from now for people: "in 59 min", "8 h ago".
func Distance(d time.Duration) string {
	if d < 0 {
		return Span(-d) + " ago"
	}
	return "in " + Span(d)
}

// Span returns a duration for people, rounded to minutes if it is a minute or more: "59 min", "8 h", "90 days".
func Span(d time.Duration) string {
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
