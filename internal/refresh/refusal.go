package refresh

import (
	"context"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// rereads are the waits before each new look at the file after a refusal: a program that does not know our lock (the
// AWS CLI, every SDK) may have spent the same refresh token and be about to write what it got.
var rereads = []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second, 2 * time.Second}

// look is how often a caller looks who was not refused itself, but found that another was: for as long as all rereads
// together, or until the other has settled it.
const look = 100 * time.Millisecond

// refreshPrint is the fingerprint of what a refresh offers: the token, and the client it was issued to.
func refreshPrint(t session.Token) string {
	return store.Fingerprint("refresh", t.ClientID, t.ClientSecret.Reveal(), t.RefreshToken.Reveal())
}

func accessPrint(access session.Secret) string { return store.Fingerprint("access", access.Reveal()) }

// by is the fingerprint of whom a refusal came from, or would come from: a service that an endpoint override leads to
// decides nothing about the tokens of another. ok is false where there is none to ask.
func (r *Renewer) by(ctx context.Context, s session.Session, t session.Token) (print string, ok bool) {
	service, err := r.service(ctx, s, t)
	if err != nil {
		return "", false
	}
	address := ""
	if a, ok := service.(interface{ Address() string }); ok {
		address = a.Address()
	}
	return store.Fingerprint("by", address), true
}

// known returns what is recorded about the refresh token of t: that the service one would ask has refused it.
func (r *Renewer) known(ctx context.Context, s session.Session, t session.Token) (store.Refusal, bool) {
	rec := r.Store.Refusal(s.CacheKey())
	if rec.Refresh == "" || rec.Refresh != refreshPrint(t) || !refuses(idc.Code(rec.Code)) {
		return store.Refusal{}, false
	}
	by, ok := r.by(ctx, s, t)
	return rec, ok && rec.By == by
}

// portalRefused reports whether it is recorded that the portal has refused the access token of t.
func (r *Renewer) portalRefused(ctx context.Context, s session.Session, t session.Token) bool {
	rec := r.Store.Refusal(s.CacheKey())
	if rec.Access == "" || rec.Access != accessPrint(t.AccessToken) {
		return false
	}
	by, ok := r.by(ctx, s, t)
	return ok && rec.By == by
}

// note records that the portal has refused an access token before its time. Else a sign-in, which asks nobody while a
// token looks good, would find nothing to do. The token file stays as it is: the portal may have been the wrong one.
func (r *Renewer) note(ctx context.Context, s session.Session, rejected session.Secret) {
	t, err := r.Store.Token(s.CacheKey())
	if err != nil || !t.AccessToken.Equal(rejected) {
		return // no lock is made on the way
	}
	by, ok := r.by(ctx, s, t)
	if !ok {
		return
	}
	r.record(ctx, s, func(rec store.Refusal) (store.Refusal, bool) {
		if rec.By != by {
			rec = store.Refusal{By: by}
		}
		if rec.Access == accessPrint(rejected) {
			return rec, false
		}
		rec.Access = accessPrint(rejected)
		return rec, true
	})
}

// refuse records, under the lock, that the service has refused the refresh token of t with err. It keeps what is
// recorded of the access token, and that an earlier refusal of the same token is settled.
func (r *Renewer) refuse(ctx context.Context, u *store.TokenUpdate, s session.Session, t session.Token, err error) {
	by, ok := r.by(ctx, s, t)
	if !ok {
		return
	}
	rec := r.Store.Refusal(s.CacheKey())
	if rec.By != by {
		rec = store.Refusal{By: by}
	}
	if rec.Refresh != refreshPrint(t) {
		rec.Refresh, rec.Settled = refreshPrint(t), false
	}
	rec.Code = string(idc.CodeOf(err))
	_ = u.Refused(rec) // best effort: without it everybody asks
}

// settle records that nobody had replaced the refused token of t when the time for it was over.
func (r *Renewer) settle(ctx context.Context, s session.Session, t session.Token) {
	r.record(ctx, s, func(rec store.Refusal) (store.Refusal, bool) {
		if rec.Settled || rec.Refresh != refreshPrint(t) {
			return rec, false
		}
		rec.Settled = true
		return rec, true
	})
}

// record is best effort: what is not recorded is found out again.
func (r *Renewer) record(ctx context.Context, s session.Session, change func(store.Refusal) (store.Refusal, bool)) {
	ctx, cancel := context.WithTimeout(ctx, shortWait)
	defer cancel()
	_ = r.Store.Refused(ctx, s.CacheKey(), change)
}

// reread looks at the file after a refusal until it holds another token than the one that was tried, or the refusal is
// settled. asked tells whether the refusal was this caller's own.
func (r *Renewer) reread(ctx context.Context, s session.Session, tried session.Token, asked bool) (other session.Token, ok bool) {
	pauses := rereads
	if !asked {
		pauses = nil
		for _, p := range rereads {
			for range p / look {
				pauses = append(pauses, look)
			}
		}
	}
	for _, pause := range pauses {
		select {
		case <-ctx.Done():
			return session.Token{}, false
		case <-time.After(pause):
		}
		t, err := r.accept(s)(r.Store.Token(s.CacheKey()))
		if err == nil && !(t.AccessToken.Equal(tried.AccessToken) && t.RefreshToken.Equal(tried.RefreshToken)) {
			return t, true
		}
		if rec := r.Store.Refusal(s.CacheKey()); rec.Settled && rec.Refresh == refreshPrint(tried) {
			return session.Token{}, false
		}
	}
	r.settle(ctx, s, tried)
	return session.Token{}, false
}

// refused reports whether the service has answered that it will not exchange the token: it is spent, the session is
// over, the client is, or may not renew. A fault of the instance's own (its encryption key) is not about the token.
func refused(err error) bool {
	return fault.KindOf(err) != fault.Unavailable && refuses(idc.CodeOf(err)) || idc.CodeOf(err) == idc.CodeUnsupportedGrant
}

// refuses reports whether an answer of this code is about the token, rather than the moment.
func refuses(code idc.Code) bool {
	switch code {
	case idc.CodeInvalidGrant, idc.CodeExpiredToken, idc.CodeInvalidRequest, idc.CodeInvalidClient, idc.CodeUnauthorizedClient,
		idc.CodeUnsupportedGrant:
		return true
	}
	return false
}

// again is a refusal that was recorded, as an error like the service's own.
func again(rec store.Refusal) error {
	return &fault.Error{
		Kind: fault.SignInNeeded, Msg: "the service has refused the refresh token before",
		Err: &idc.Error{Op: "CreateToken", Code: idc.Code(rec.Code), Description: "as recorded, without asking again"},
	}
}

// refusal is the error after a refusal that stands.
func (r *Renewer) refusal(s session.Session, err error) error {
	var why string
	switch idc.CodeOf(err) {
	case idc.CodeInvalidClient:
		why = "the service does not accept its client registration"
	case idc.CodeUnauthorizedClient, idc.CodeUnsupportedGrant:
		why = "the service does not allow it"
	default:
		return r.ended(s, err)
	}
	return r.signInNeeded(s, "the token of "+s.InWords()+" can no longer be renewed: "+why, err)
}

// ended is the error for a session that is over at the service.
func (r *Renewer) ended(s session.Session, cause error) error {
	return r.signInNeeded(s, s.InWords()+" has ended", cause)
}
