package fault

import (
	"context"
	"errors"
)

// Stopped returns the error for a context that ended: its cause if that is an *Error; else one of kind TimedOut, with
// the given words and remedy, if its time has passed; else one of kind Interrupted.
func Stopped(ctx context.Context, late string, remedy Remedy) error {
	cause := context.Cause(ctx)
	var f *Error
	switch {
	case errors.As(cause, &f):
		return cause
	case errors.Is(cause, context.DeadlineExceeded):
		return &Error{Kind: TimedOut, Msg: late, Remedy: remedy, Err: cause}
	}
	return &Error{Kind: Interrupted, Msg: "interrupted", Err: cause}
}
