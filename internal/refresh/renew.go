package refresh

import (
	"context"
	"errors"
	"net/http/httptrace"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/retry"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// renew spends the refresh token of t, unless it finds under the lock that another process has done so, or that the
// service has refused the token before.
func (r *Renewer) renew(ctx context.Context, s session.Session, w want, t session.Token) (session.Token, bool, error) {
	start := r.now()
	for round := 1; ; round++ {
		got, tried, err := r.try(ctx, s, w, t, start)
		if tried.RefreshToken.IsZero() { // decided without the service, or it gave a token
			return got.token, got.renewed, err
		}
		tells := w.lasting || w.ahead > 0
		if w.serves(tried, r.now()) && !(tells && refused(err)) && ctx.Err() == nil {
			if w.ahead > 0 {
				return tried, false, r.failed(ctx, s, err)
			}
			return tried, false, nil
		}
		if !refused(err) {
			return session.Token{}, false, r.failed(ctx, s, err)
		}
		if got.settled {
			return session.Token{}, false, r.refusal(s, err)
		}
		// The lock is free again: all processes that wait behind us learn of the refusal at once, not one by one.
		other, ok := r.reread(ctx, s, tried, got.asked)
		switch {
		case ctx.Err() != nil:
			return session.Token{}, false, interrupted(ctx)
		case ok && r.good(s, w, other):
			return other, false, nil
		case ok && round == 1 && other.Renewable(r.now()):
		case ok && w.serves(other, r.now()) && !w.lasting:
			return other, false, nil
		default:
			return session.Token{}, false, r.refusal(s, err)
		}
		t = other
	}
}

// outcome is the result of try.
type outcome struct {
	token   session.Token
	renewed bool
	asked   bool // the service was asked
	settled bool // the refusal is final: nothing to wait for
}

// try makes one attempt at a new token. If a token was offered and not exchanged, it returns it as tried with the
// service's error, which may be an earlier one on record. If nothing was offered, tried is zero and the outcome
// final. It releases the lock.
//
// A person who signs in is worth a call even after a recorded refusal, in case the record is wrong.
func (r *Renewer) try(
	ctx context.Context, s session.Session, w want, t session.Token, start time.Time,
) (got outcome, tried session.Token, err error) {
	if !w.lasting {
		if rec, ok := r.known(ctx, s, t); ok {
			return outcome{settled: rec.Settled}, t, recorded(rec)
		}
	}
	wait := mostWait - r.now().Sub(start)
	if w.lasting {
		wait = personWait - r.now().Sub(start)
	}
	if w.serves(t, r.now()) {
		wait = shortWait
	}
	locking, cancel := context.WithTimeout(ctx, max(wait, shortWait))
	defer cancel()
	u, err := r.Store.LockToken(locking, s.CacheKey())
	if err != nil {
		if held, ok := errors.AsType[*store.Locked](err); ok { // our limit or the caller's has passed
			err = r.behind(s, r.now().Sub(start), held)
		}
		return r.keep(ctx, w, t, err)
	}
	defer u.Abort()
	seen := t
	t, err = r.accept(s)(u.Current())
	switch {
	case err != nil:
		return outcome{}, session.Token{}, err
	case r.good(s, w, t), w.serves(t, r.now()) && !t.AccessToken.Equal(seen.AccessToken):
		return outcome{token: t}, session.Token{}, nil // another process was faster, even if its token is short
	case !t.Renewable(r.now()):
		t, _, err := r.unrenewable(s, t, w)
		return outcome{token: t}, session.Token{}, err
	}
	rec, refusedBefore := r.known(ctx, s, t)
	if refusedBefore && !w.lasting {
		return outcome{settled: rec.Settled}, t, recorded(rec)
	}
	if err := u.Prepare(); err != nil {
		return r.keep(ctx, w, t, err)
	}
	u.Hold(ctx)
	before := r.now()
	grant, err := r.exchange(ctx, s, w, t, start)
	if err != nil {
		if refused(err) {
			r.refuse(ctx, u, s, t, err)
		}
		return outcome{asked: true, settled: refusedBefore && rec.Settled}, t, err
	}
	fresh := merge(t, s, grant, before)
	// A token that cannot be stored now is still good; the next caller finds it in the draft.
	_ = u.Renewed(fresh)
	return outcome{token: fresh, renewed: true}, session.Token{}, nil
}

// keep falls back on a token that still serves if files or locks keep it from being renewed. A renewal ahead of time
// gets the error.
func (r *Renewer) keep(ctx context.Context, w want, t session.Token, err error) (outcome, session.Token, error) {
	switch {
	case ctx.Err() != nil || !w.serves(t, r.now()):
		return outcome{}, session.Token{}, err
	case w.ahead > 0:
		return outcome{token: t}, session.Token{}, err
	}
	return outcome{token: t}, session.Token{}, nil
}

// merge returns the token that a refresh of t gave. before is the time of the request: better too short than too
// long. An answer without a refresh token means that the old one stays good; botocore drops it, and the session with
// it.
func merge(t session.Token, s session.Session, g idc.Grant, before time.Time) session.Token {
	t.AccessToken, t.ExpiresAt = g.AccessToken, before.Add(g.ExpiresIn)
	if !g.RefreshToken.IsZero() {
		t.RefreshToken = g.RefreshToken
	}
	if t.StartURL == "" {
		t.StartURL = s.StartURL
	}
	if t.Region == "" {
		t.Region = s.Region
	}
	return t
}

// service returns the service in the region that issued t.
func (r *Renewer) service(ctx context.Context, s session.Session, t session.Token) (Service, error) {
	if t.Region != "" {
		s.Region = t.Region
	}
	return r.Connect(ctx, s)
}

// exchange asks the service for a new token. It retries while another call may help and t no longer serves.
func (r *Renewer) exchange(
	ctx context.Context, s session.Session, w want, t session.Token, start time.Time,
) (idc.Grant, error) {
	service, err := r.service(ctx, s, t)
	if err != nil {
		return idc.Grant{}, err
	}
	var took time.Duration // by the last call
	patient := retry.Patient(func() time.Duration { return r.now().Sub(start) }, r.patience())
	policy := func(attempt int, err error) (time.Duration, bool) {
		if ctx.Err() != nil || w.serves(t, r.now()) || w.lasting && took >= personWait {
			return 0, false
		}
		return patient(attempt, err)
	}
	return retry.Do(ctx, policy, func(int) (idc.Grant, error) {
		if ctx.Err() != nil {
			return idc.Grant{}, ctx.Err()
		}
		limit := max(mostWait-r.now().Sub(start), shortWait)
		if w.lasting || w.ahead == 0 && w.serves(t, r.now()) { // nobody waits for a renewal ahead of time
			limit = min(limit, servingWait)
		}
		began := r.now()
		g, err := spend(ctx, service, t, limit)
		took = r.now().Sub(began)
		return g, err
	})
}

// Spend renews t, a token that is no longer in a file, and stores nothing. It serves a caller that is about to end
// the session. It retries as Token does, and returns the same errors.
func (r *Renewer) Spend(ctx context.Context, s session.Session, t session.Token) (session.Secret, error) {
	g, err := r.exchange(ctx, s, want{}, t, r.now())
	switch {
	case err == nil:
		return g.AccessToken, nil
	case refused(err):
		return session.Secret{}, r.refusal(s, err)
	}
	return session.Secret{}, r.failed(ctx, s, err)
}

// spend makes one call. After an interrupt it goes on for a moment: once the request is sent, the refresh token may
// be spent, and only the answer holds the new one. Until the connection is there, nothing is sent.
func spend(ctx context.Context, service Service, t session.Token, limit time.Duration) (idc.Grant, error) {
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	var connecting atomic.Bool
	call = httptrace.WithClientTrace(call, &httptrace.ClientTrace{
		GetConn: func(string) { connecting.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connecting.Store(false) }, // through proxies and TLS
	})
	stop := context.AfterFunc(ctx, func() {
		if connecting.Load() {
			cancel()
			return
		}
		timer := time.NewTimer(grace)
		defer timer.Stop()
		select {
		case <-call.Done():
		case <-timer.C:
			cancel()
		}
	})
	defer stop()
	return service.TokenByRefresh(call, t.ClientID, t.ClientSecret, t.RefreshToken)
}

func (r *Renewer) patience() time.Duration {
	if r.Patience > 0 {
		return r.Patience
	}
	return patience
}

// failed returns the error for a service that could not be asked, or gave no useful answer.
func (r *Renewer) failed(ctx context.Context, s session.Session, err error) error {
	if ctx.Err() != nil {
		return interrupted(ctx)
	}
	kind := fault.KindOf(err)
	if kind == fault.TimedOut { // the limit of one call, not a person's
		kind = fault.Unavailable
	}
	return &fault.Error{Kind: kind, Msg: "cannot renew the token of " + s.InWords() + ": " + err.Error(), Err: err}
}

// interrupted returns the error for a caller's context that ended: its cause, if that is a *fault.Error.
func interrupted(ctx context.Context) error {
	var f *fault.Error
	if cause := context.Cause(ctx); errors.As(cause, &f) {
		return cause
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &fault.Error{
			Kind: fault.TimedOut, Msg: "the time allowed has passed", Remedy: fault.Advice("try again"), Err: ctx.Err(),
		}
	}
	return &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: ctx.Err()}
}

// behind returns the error after a vain wait for another process that holds the lock. It does not blame that process,
// which may wait for the same silent network; its calls end by themselves unless it is stopped.
func (r *Renewer) behind(s session.Session, waited time.Duration, held *store.Locked) error {
	return &fault.Error{
		Kind: fault.Unavailable, Err: held,
		Msg: "cannot renew the token of " + s.InWords() + ": another process has been at it for " +
			waited.Round(time.Second).
				String() +
			" and is not done (it holds " + strconv.Quote(
			held.Path,
		) + ")",
		Remedy: fault.Advice("check the network and the proxy settings (HTTPS_PROXY), then try again; " +
			"a homing that was stopped is shown by: ps -ef | grep homing"),
	}
}
