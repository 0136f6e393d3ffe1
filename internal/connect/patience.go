package connect

import (
	"context"
	"errors"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/store"
)

// GlancePatience is how long a renewal that stumbles is repeated where a person waits and nothing depends on it: to
// see that the service cannot be reached is an answer too.
const GlancePatience = 5 * time.Second

// WithPatience is ctx with the given limit, App.Patience or what is left of it.
func WithPatience(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, &fault.Error{
		Kind:   fault.Unavailable,
		Msg:    "IAM Identity Center gave no answer within " + limit.Round(100*time.Millisecond).String(),
		Remedy: fault.Advice("check the network and the proxy settings (HTTPS_PROXY), then try again"),
	})
}

// TooLong is err, or what ended ctx when its limit did. Where it was not the service that was waited for, err says
// so.
func TooLong(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*store.Locked](err); ok {
		return err
	}
	if cause, ok := errors.AsType[*fault.Error](context.Cause(ctx)); ok && err != nil {
		return &fault.Error{Kind: cause.Kind, Msg: cause.Msg, Remedy: fault.RemedyOf(cause), Err: err}
	}
	return err
}
