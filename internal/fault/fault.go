// Package fault is the error type of homing: what failed, with which thing, and what to type next.
//
// A use case returns *Error for everything a person can meet. Plain errors (fmt.Errorf, errors.New) that reach the
// top are bugs and end with exit code 1. Wrapping adds a fact and keeps the kind of the innermost *Error.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what sort of thing went wrong and decides the exit code. The zero value is a bug.
type Kind uint8

// The kinds, in the order of their exit codes. docs/errors.md lists what belongs to each.
const (
	Bug          Kind = iota // 1: homing is wrong
	Usage                    // 2: the command line is wrong
	Config                   // 3: a file, a setting, or the place it lives in is wrong
	SignInNeeded             // 4: there is no usable token (none, ended, corrupt)
	Denied                   // 5: a person or a policy said no
	Unavailable              // 6: network, throttling, the service, a proxy that answers nonsense
	TimedOut                 // 7: the time allowed for an answer has passed
	Interrupted              // 130: Ctrl-C
)

var kinds = [...]struct {
	name string
	exit int
}{
	Bug:          {"bug", 1},
	Usage:        {"usage", 2},
	Config:       {"configuration", 3},
	SignInNeeded: {"sign_in_needed", 4},
	Denied:       {"denied", 5},
	Unavailable:  {"unavailable", 6},
	TimedOut:     {"timed_out", 7},
	Interrupted:  {"interrupted", 130},
}

// String returns the kind's name in --json output, such as "sign_in_needed".
func (k Kind) String() string { return kinds[k].name }

// ExitCode returns the exit code of a program that ends with an error of this kind.
func (k Kind) ExitCode() int { return kinds[k].exit }

// Error is a failure a person can act on.
type Error struct {
	Kind   Kind   // decides the exit code
	Msg    string // what failed and with which thing: lower case, no full stop, names and paths in quotes
	Remedy Remedy // what to do next; nil only where nothing helps
	Err    error  // the cause, for errors.Is and --debug; it is not part of what Error returns
}

// Error returns Msg: one sentence that stands alone. The cause is reached through Unwrap.
func (e *Error) Error() string { return e.Msg }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an *Error without a cause. Its remedy is plain words.
func New(kind Kind, advice, format string, args ...any) *Error {
	e := &Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
	if advice != "" {
		e.Remedy = Advice(advice)
	}
	return e
}

// Suggest returns an *Error without a cause that suggests a remedy.
func Suggest(kind Kind, remedy Remedy, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...), Remedy: remedy}
}

// KindOf returns the kind of the outermost *Error in err's chain; Bug when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Bug
}
