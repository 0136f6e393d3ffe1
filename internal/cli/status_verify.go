package cli

import (
	"context"
	"errors"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// verification is the service's answer about a token.
type verification struct {
	Accepted   bool   `json:"accepted"`
	Renewed    bool   `json:"renewed"` // the token was renewed for it
	Error      string `json:"error,omitempty"`
	Kind       string `json:"kind,omitempty"`                // of the error, as in docs/errors.md
	ClockAhead *int   `json:"clock_ahead_seconds,omitempty"` // our clock against the service's, negative when behind; 0 within 5 s
}

// clockNoise is how far two clocks may seem apart because of the time that an answer takes, and because the service
// tells whole seconds.
const clockNoise = 5 * time.Second

// glancePatience is how long a renewal that stumbles is repeated where a person waits and nothing depends on it: to see
// that the service cannot be reached is an answer too.
const glancePatience = 5 * time.Second

// servicePatience is how long logout and status --verify wait for the service in all, for each session: a network that
// is mute answers nothing, and fails nothing.
const servicePatience = 10 * time.Second

// patiently is ctx with the given limit, app.patience or what is left of it.
func (a *app) patiently(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, limit, &fault.Error{
		Kind: fault.Unavailable, Msg: "IAM Identity Center gave no answer within " + limit.Round(100*time.Millisecond).String(),
		Hint: "check the network and the proxy settings (HTTPS_PROXY), then try again",
	})
}

// tooLong is err, or what ended ctx when its limit did. Where it was not the service that was waited for, err says so.
func tooLong(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*store.Locked](err); ok {
		return err
	}
	if cause, ok := errors.AsType[*fault.Error](context.Cause(ctx)); ok && err != nil {
		return &fault.Error{Kind: cause.Kind, Msg: cause.Msg, Hint: cause.Hint, Err: err}
	}
	return err
}

// verify uses the token of s for the smallest question there is, as any other use would: a token that is about to end,
// or that the portal refuses before its time, is renewed where it can be. The error is the one in the verification.
func verify(ctx context.Context, a *app, st *store.Store, s session.Session) (verification, error) {
	v, r := verification{}, a.renewer(st)
	whole := ctx
	ctx, cancel := a.patiently(ctx, a.patience)
	defer cancel()
	r.Patience = glancePatience
	before, _ := st.Token(s.CacheKey()) // the zero Token when it is gone
	tok, err := r.Token(ctx, s)
	for replaced := false; err == nil; replaced = true {
		err = v.ask(ctx, a, s, tok)
		if idc.CodeOf(err) != idc.CodeUnauthorized {
			break
		}
		if replaced {
			err = r.Ended(ctx, s, tok.AccessToken, err)
			break
		}
		tok, err = r.Replace(ctx, s, tok.AccessToken)
	}
	v.Renewed = !tok.AccessToken.IsZero() && !tok.AccessToken.Equal(before.AccessToken)
	v.Accepted = err == nil
	if whole.Err() == nil {
		err = tooLong(ctx, err)
	}
	if err != nil {
		f := describe(err)
		v.Error, v.Kind = f.Msg, f.Kind.String()
	}
	return v, err
}

// ask makes the call, and notes how far the clocks are apart.
func (v *verification) ask(ctx context.Context, a *app, s session.Session, t session.Token) error {
	if t.Region != "" {
		s.Region = t.Region
	}
	c, err := a.connect(ctx, s)
	if err != nil {
		return err
	}
	date, err := c.client.Check(ctx, t.AccessToken)
	if !date.IsZero() {
		ahead := a.env.now().Sub(date)
		if ahead.Abs() < clockNoise {
			ahead = 0
		}
		v.ClockAhead = new(int(ahead / time.Second))
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
