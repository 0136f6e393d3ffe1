package refresh

import (
	"context"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// rereads are the waits before each new look at the file after a refusal: a program that ignores our lock (the AWS
// CLI, every SDK) may have spent the same refresh token, and be about to write the new one.
var rereads = []time.Duration{100 * time.Millisecond, 300 * time.Millisecond, time.Second, 2 * time.Second}

// look is how often a caller looks that found another's refusal: for as long as all rereads take, or until the other
// caller has settled it.
const look = 100 * time.Millisecond

// refreshPrint is the fingerprint of what a refresh offers: the token, and the client it was issued to.
func refreshPrint(t session.Token) string {
	return store.Fingerprint("refresh", t.ClientID, t.ClientSecret.Reveal(), t.RefreshToken.Reveal())
}

func accessPrint(access session.Secret) string { return store.Fingerprint("access", access.Reveal()) }

// by is the fingerprint of the service that refused, or would refuse: a service behind an endpoint override says
// nothing about another's tokens. ok is false if there is no service to ask.
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

// known returns the recorded refusal of the refresh token of t by the service that would be asked.
func (r *Renewer) known(ctx context.Context, s session.Session, t session.Token) (store.Refusal, bool) {
	rec := r.Store.Refusal(s.CacheKey())
	if rec.Refresh == "" || rec.Refresh != refreshPrint(t) || !refuses(idc.Code(rec.Code)) {
		return store.Refusal{}, false
	}
	by, ok := r.by(ctx, s, t)
	return rec, ok && rec.By == by
}

// portalRefused reports whether the record says that the portal has refused the access token of t.
func (r *Renewer) portalRefused(ctx context.Context, s session.Session, t session.Token) bool {
	rec := r.Store.Refusal(s.CacheKey())
	if rec.Access == "" || rec.Access != accessPrint(t.AccessToken) {
		return false
	}
	by, ok := r.by(ctx, s, t)
	return ok && rec.By == by
}

// note records that the portal has refused an access token before its end. Otherwise a sign-in, which makes no
// request while the token looks good, would find nothing to do. The token file stays: it may have been the wrong
// portal.
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

// refuse records, under the lock, that the service has refused the refresh token of t with err. It keeps the record
// of the access token, and whether an earlier refusal of the same token is settled.
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
	_ = u.Refused(rec) // best effort: without it every process asks
}

// settle records that no other process replaced the refused token of t in time.
func (r *Renewer) settle(ctx context.Context, s session.Session, t session.Token) {
	r.record(ctx, s, func(rec store.Refusal) (store.Refusal, bool) {
		if rec.Settled || rec.Refresh != refreshPrint(t) {
			return rec, false
		}
		rec.Settled = true
		return rec, true
	})
}

// record is best effort: without the record, the next call asks the service again.
func (r *Renewer) record(ctx context.Context, s session.Session, change func(store.Refusal) (store.Refusal, bool)) {
	ctx, cancel := context.WithTimeout(ctx, shortWait)
	defer cancel()
	_ = r.Store.Refused(ctx, s.CacheKey(), change)
}

// reread looks at the file after a refusal until it holds a token other than the one tried, or the refusal is
// settled. asked says whether this caller was refused itself.
func (r *Renewer) reread(ctx context.Context, s session.Session, tried session.Token,
	asked bool) (other session.Token, ok bool) {
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

// refused reports whether the service will not exchange the token: it is spent, the session or the client has ended,
// or the client may not renew. A fault of the instance itself (its encryption key) is not about the token.
func refused(err error) bool {
	return fault.KindOf(err) != fault.Unavailable && refuses(idc.CodeOf(err)) ||
		idc.CodeOf(err) == idc.CodeUnsupportedGrant
}

// refuses reports whether an answer of this code is about the token, rather than the moment.
func refuses(code idc.Code) bool {
	switch code {
	case idc.CodeInvalidGrant,
		idc.CodeExpiredToken,
		idc.CodeInvalidRequest,
		idc.CodeInvalidClient,
		idc.CodeUnauthorizedClient,
		idc.CodeUnsupportedGrant:
		return true
	}
	return false
}

// recorded returns a refusal on record as an error like the service's own.
func recorded(rec store.Refusal) error {
	return &fault.Error{
		Kind: fault.SignInNeeded, Msg: "the service has refused the refresh token before",
		Err: &idc.Error{Op: "CreateToken", Code: idc.Code(rec.Code), Description: "as recorded, without asking again"},
	}
}

// refusal returns the error after a final refusal.
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

// ended returns the error for a session that is over at the service.
func (r *Renewer) ended(s session.Session, cause error) error {
	return r.signInNeeded(s, s.InWords()+" has ended", cause)
}
