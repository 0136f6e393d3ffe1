package connect

import (
	"context"
	"errors"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// Verification is the service's answer about a token.
type Verification struct {
	Accepted bool   `json:"accepted"`
	Renewed  bool   `json:"renewed"` // the token was renewed for it
	Error    string `json:"error,omitempty"`
	Kind     string `json:"kind,omitempty"` // of the error, as in docs/errors.md
	// Our clock against the service's, negative when behind; 0 within 5 s.
	ClockAhead *int `json:"clock_ahead_seconds,omitempty"`
}

// clockNoise is how far two clocks may seem apart because of the time that an answer takes, and because the service
// tells whole seconds.
const clockNoise = 5 * time.Second

// Verify uses the token of s for the smallest question there is, as any other use would: a token that is about to
// end, or that the portal refuses before its time, is renewed where it can be. The error is the one in the
// verification.
func Verify(ctx context.Context, a *app.App, st *store.Store, s session.Session) (Verification, error) {
	v, r := Verification{}, Renewer(a, st)
	whole := ctx
	ctx, cancel := WithPatience(ctx, a.Patience)
	defer cancel()
	r.Patience = GlancePatience
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
		err = TooLong(ctx, err)
	}
	if err != nil {
		f := a.UI.Describe(err)
		v.Error, v.Kind = f.Msg, f.Kind.String()
	}
	return v, err
}

// ask makes the call, and notes how far the clocks are apart.
func (v *Verification) ask(ctx context.Context, a *app.App, s session.Session, t session.Token) error {
	if t.Region != "" {
		s.Region = t.Region
	}
	c, err := To(ctx, a, s)
	if err != nil {
		return err
	}
	date, err := c.Client.Check(ctx, t.AccessToken)
	if !date.IsZero() {
		ahead := a.Env.Time().Sub(date)
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
