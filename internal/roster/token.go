package roster

import (
	"context"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

const (
	// ahead is how long before its end the token is renewed: a minute before `homing keep` begins to, so that in a
	// long list the renewal is ours and known to be one.
	ahead = 21 * time.Minute
	// seldom is the least time between two renewals, however short the tokens live.
	seldom = 30 * time.Second
)

// renewal is what came of asking for another token.
type renewal struct {
	token    session.Token
	same     bool // it is of the same sign-in as the one before, as far as can be told
	rejected bool // the one before was refused
	err      error
}

// use makes t the token of the calls to come.
func (r *run) use(ctx context.Context, t session.Token) error {
	s := r.Session
	if t.Region != "" {
		s.Region = t.Region
	}
	if r.portal == nil || s.Region != r.region {
		portal, err := r.Connect(ctx, s)
		if err != nil {
			return err
		}
		r.portal, r.region = portal, s.Region
	}
	first := r.token.AccessToken.IsZero()
	r.token, r.proven, r.replaced, r.renewAt = t, false, false, time.Time{}
	if now := r.now(); t.Renewable(now) {
		left := t.ExpiresAt.Sub(now)
		r.renewAt = t.ExpiresAt.Add(-min(ahead, left/3))
		if !first && r.renewAt.Before(now.Add(seldom)) {
			r.renewAt = now.Add(seldom)
		}
	}
	return nil
}

// renewAhead renews the token while it still serves; calls go on meanwhile.
func (r *run) renewAhead(ctx context.Context) {
	old, lead := r.token, r.token.ExpiresAt.Sub(r.now())+time.Second
	r.renewing, r.renewAt = true, time.Time{}
	go func() {
		t, renewed, err := r.Tokens.Ahead(ctx, r.Session, lead)
		r.renewals <- renewal{token: t, same: sameSignIn(old, t, renewed), err: err}
	}()
}

// rejected has another token fetched in place of one that the portal refused. No call is made meanwhile.
func (r *run) rejected(ctx context.Context, a answer) error {
	if !a.token.Equal(r.token.AccessToken) || r.holding {
		return nil // of calls made before, or known already
	}
	if r.replaced && !r.proven {
		return r.Tokens.Ended(ctx, r.Session, a.token, a.err)
	}
	r.holding = true
	if r.renewing {
		return nil // a renewal under way brings another token; if it fails the next refusal comes here again
	}
	old := r.token
	r.renewing = true
	go func() {
		t, renewed, err := r.Tokens.Ahead(ctx, r.Session, 0)
		held := err == nil && t.AccessToken.Equal(old.AccessToken)
		if err != nil || held {
			t, err = r.Tokens.Replace(ctx, r.Session, old.AccessToken)
		}
		r.renewals <- renewal{token: t, same: sameSignIn(old, t, held || renewed), rejected: true, err: err}
	}()
	return nil
}

// sameSignIn reports whether next is known to come of the same sign-in as old: the service left the refresh token as
// it was, or we renewed it ourselves. A token that another program put in the file may be another person's.
func sameSignIn(old, next session.Token, ours bool) bool {
	if old.ClientID != next.ClientID {
		return false
	}
	return ours || !old.RefreshToken.IsZero() && old.RefreshToken.Equal(next.RefreshToken)
}

// renewed continues with another token. If that may be somebody else's, the list starts over.
func (r *run) renewed(ctx context.Context, n renewal) error {
	r.renewing, r.holding = false, false
	switch {
	case n.err != nil && n.rejected:
		return n.err
	case n.err != nil: // the token at hand still serves
		if fault.KindOf(n.err) != fault.SignInNeeded {
			r.renewAt = r.now().Add(time.Minute)
		}
		return nil
	case n.token.AccessToken.Equal(r.token.AccessToken):
		return nil // it cannot be renewed
	}
	if err := r.use(ctx, n.token); err != nil {
		return err
	}
	r.replaced = n.rejected
	if n.same {
		if r.saved != nil {
			r.saved.renewed(n.token)
		}
		return nil
	}
	r.fetched = nil
	r.Finish()
	if r.Dir != "" {
		r.saved, _ = openSaved(r.Dir, r.Session, n.token, r.now())
	}
	r.begin()
	return nil
}
