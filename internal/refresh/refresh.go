// Package refresh knows when and how the token of a session is renewed: under its lock, after another look at the
// file, with the place for the new token made first, and with patience for a service that stumbles. Files are left to
// internal/store, the call to internal/idc, and starting a new sign-in to internal/signin.
//
// The one rule: nothing here takes a token away from a person. A refusal, a full disk or a dead network leaves the
// file as it was. What the service refused is recorded beside it, so that not everybody asks again.
package refresh

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

const (
	// margin is the remaining life below which an access token is renewed, if it lives that long at all: see lead.
	// botocore insists on a renewal from ten minutes on.
	margin = 10 * time.Minute
	// legacyMargin is the same for a legacy profile that is kept fresh. SDKs do not renew its token, and refuse it
	// early: JavaScript and Java do 15 minutes before its end. Five more serve callers that look only now and then.
	legacyMargin = 15*time.Minute + 5*time.Minute
	// patience is how long to retry. An SDK kills a credential_process after 60 seconds.
	patience = 30 * time.Second
	// mostWait bounds a whole call of Token, with the waits for the lock and for a slow answer, below those 60 s.
	mostWait = 50 * time.Second
	// servingWait bounds a call to the service while a caller waits whose token still serves. It is not shorter,
	// because an answer that comes too late holds the only refresh token.
	servingWait = 15 * time.Second
	// personWait bounds the wait for the lock if a person waits, who can sign in instead. An attempt that took as
	// long met a silent network, and is not repeated.
	personWait = 10 * time.Second
	// shortWait bounds the wait for the lock while the token at hand still serves.
	shortWait = 5 * time.Second
	// grace is how long an exchange goes on after its caller is interrupted: the answer may hold the only token.
	grace = 5 * time.Second
)

// Service spends a refresh token for a new access token (idc.Client does).
type Service interface {
	TokenByRefresh(ctx context.Context, clientID string, clientSecret, refreshToken session.Secret) (idc.Grant, error)
}

// Renewer returns valid tokens, and renews them in time. It is safe for concurrent use, in one process and in many:
// of all callers at one time, one spends the refresh token and the others take the result.
type Renewer struct {
	Store *store.Store // required
	// Connect returns the service for a session, in the session's Region: the one that issued the token. It is called
	// only when a token must be renewed. Required.
	Connect func(ctx context.Context, s session.Session) (Service, error)
	Profile func(session.Session) string // a profile of a legacy session, for hints; nil or "" = none known
	// Instead returns what helps where only a sign-in seems to; nil means nothing does.
	Instead  func(session.Session) fault.Remedy
	Now      func() time.Time // nil = time.Now
	Patience time.Duration    // how long to retry; 0 = 30 s
}

// Token returns a token of s that is valid now, renewed when less than Margin is left and it can be. What cannot be
// renewed, or not at the moment, is returned while it lasts: after 15 s at most when the service is silent. Without
// one it gives up after 50 s, or when ctx ends; an exchange under way then gets 5 s more.
//
// Errors are *fault.Error: SignInNeeded when only a person can help (the hint is the command), Unavailable when the
// service cannot be reached, Config when a new token could not be stored, in which case none was asked for.
func (r *Renewer) Token(ctx context.Context, s session.Session) (session.Token, error) {
	t, _, err := r.obtain(ctx, s, want{})
	return t, err
}

// Renew does what Token does for a person who asks to sign in: a token that is about to end and cannot be renewed,
// because the session is over or has no refresh token, is SignInNeeded even while it lasts. renewed reports whether
// this call spent the refresh token. It is done after 10 s where another process holds the lock, and 15 s where the
// service is silent; *store.Locked in the chain of an error tells the first. A token that stays is also made readable
// for every SDK, if another program wrote it in a way that some refuse: they would go on asking for a sign-in that
// finds nothing to do.
func (r *Renewer) Renew(ctx context.Context, s session.Session) (t session.Token, renewed bool, err error) {
	t, renewed, err = r.obtain(ctx, s, want{lasting: true})
	if err == nil && !renewed {
		healing, cancel := context.WithTimeout(ctx, shortWait)
		defer cancel()
		_, _ = r.Store.HealToken(healing, s.CacheKey()) // best effort: the token is good either way
	}
	return t, renewed, err
}

// Ahead is Token for a renewal ahead of time: it renews if less than lead is left, and does not hide why it could
// not. Beside an error of kind Unavailable or Config it returns the token at hand, if that still serves; a
// refusal is SignInNeeded even while the token lasts. renewed reports whether this call spent the refresh token. What
// cannot be renewed at all is returned while it lasts.
func (r *Renewer) Ahead(ctx context.Context, s session.Session,
	lead time.Duration) (t session.Token, renewed bool, err error) {
	return r.obtain(ctx, s, want{ahead: max(lead, 1)})
}

// Replace returns a token of s other than rejected, an access token that the service refused although it should be
// valid: the one in the file when another process has renewed it, else a renewed one. Errors are those of Token.
// After an error of kind SignInNeeded it is on record that the token was rejected, so Renew will not return it.
func (r *Renewer) Replace(ctx context.Context, s session.Session, rejected session.Secret) (session.Token, error) {
	t, _, err := r.obtain(ctx, s, want{not: rejected})
	if err != nil && fault.KindOf(err) == fault.SignInNeeded {
		r.note(ctx, s, rejected)
	}
	return t, err
}

// Ended is the error for a session that the service no longer knows: what a person reads, and what to type. rejected
// is the access token that was refused; it is recorded as after Replace.
func (r *Renewer) Ended(ctx context.Context, s session.Session, rejected session.Secret, cause error) error {
	r.note(ctx, s, rejected)
	return r.ended(s, cause)
}

// want is what a caller accepts.
type want struct {
	lasting bool           // nothing that ends within the margin, unless it is the network that fails
	ahead   time.Duration  // what must be left, in place of the margin, and failures are told; 0 = neither
	not     session.Secret // the access token that was refused
}

// serves reports whether t can be used at all.
func (w want) serves(t session.Token, now time.Time) bool {
	return !t.Expired(now) && (w.not.IsZero() || !t.AccessToken.Equal(w.not))
}

// good reports whether t, the token in the file of s, needs no renewal.
func (r *Renewer) good(s session.Session, w want, t session.Token) bool {
	return w.serves(t, r.now()) && t.ExpiresAt.Sub(r.now()) >= r.lead(s, w, t)
}

// Margin is how long before its end the token of s is renewed, if it lives twice that long at all.
func Margin(s session.Session) time.Duration {
	if s.Legacy() {
		return legacyMargin
	}
	return margin
}

// lead is how long before its end t is renewed: Margin, or half its life where it was issued for less than twice
// that. A token near the end of the portal session lives that short, and would be renewed at each use otherwise. When
// it was issued only the file's time tells. Where that is wrong (a copied file, a clock that is off) t is renewed
// earlier, by Margin, or later, but never after half of what was left at that time. A sign-in renews whenever it can.
func (r *Renewer) lead(s session.Session, w want, t session.Token) time.Duration {
	if w.ahead > 0 {
		return w.ahead
	}
	most := Margin(s)
	if w.lasting || t.ExpiresAt.Sub(r.now()) >= most {
		return most
	}
	life := t.ExpiresAt.Sub(r.Store.Written(s.CacheKey()))
	if life <= 0 {
		return most
	}
	return min(most, life/2)
}

func (r *Renewer) obtain(ctx context.Context, s session.Session, w want) (session.Token, bool, error) {
	t, err := r.accept(s)(r.Store.Token(s.CacheKey()))
	if err != nil {
		return t, false, err
	}
	if w.lasting && r.portalRefused(ctx, s, t) {
		w.not = t.AccessToken
	}
	switch {
	case r.good(s, w, t):
		return t, false, nil
	case !t.Renewable(r.now()):
		return r.unrenewable(s, t, w)
	}
	return r.renew(ctx, s, w, t)
}

// accept returns the check that a token file is this session's, and puts its absence into words.
func (r *Renewer) accept(s session.Session) func(session.Token, error) (session.Token, error) {
	return func(t session.Token, err error) (session.Token, error) {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return session.Token{}, r.signInNeeded(s, "not signed in to "+s.InWords(), err)
		case fault.KindOf(err) == fault.SignInNeeded && err != nil: // the file names no session; r.login does
			return session.Token{}, r.signInNeeded(s, err.Error(), err)
		case err != nil:
			return session.Token{}, err
		case t.StartURL != "" && !sameURL(t.StartURL, s.StartURL):
			return session.Token{}, r.foreign(s, "the start URL", t.StartURL, s.StartURL)
		case t.Region != "" && t.Region != s.Region && !ownRegion(s.StartURL, t.Region):
			return session.Token{}, r.foreign(s, "region", t.Region, s.Region)
		}
		return t, nil
	}
}

// foreign is the error for a token that was issued for what the config no longer says: the name of the file does not
// tell the difference, and using it would act on the wrong instance, or fail in every other program.
func (r *Renewer) foreign(s session.Session, what, has, configured string) error {
	return r.signInNeeded(s,
		fmt.Sprintf("the token of %s belongs to %s %q, but the config says %q", s.InWords(), what, has, configured),
		nil)
}

// ownRegion reports whether a start URL may lead to another region than sso_region: the host names it, or it is an
// organisation's own and a redirect does.
func ownRegion(startURL, region string) bool {
	if of := idc.RegionOf(startURL); of != "" {
		return of == region
	}
	return !idc.AWSHost(startURL) && strings.HasPrefix(startURL, "https:")
}

// sameURL compares start URLs as the service does: "/start", "/start/" and "/start/#" are one.
func sameURL(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/#"), strings.TrimRight(b, "/#"))
}

// unrenewable returns t while it serves, else says why nothing but a sign-in helps.
func (r *Renewer) unrenewable(s session.Session, t session.Token, w want) (session.Token, bool, error) {
	now := r.now()
	if w.serves(t, now) && !w.lasting {
		return t, false, nil
	}
	var msg string
	switch {
	case !t.RegistrationExpiresAt.IsZero() && !t.RefreshToken.IsZero() && !now.Before(t.RegistrationExpiresAt):
		msg = "the token of " + s.InWords() + " can no longer be renewed: its client registration expired at " + clock(
			t.RegistrationExpiresAt,
		)
	case t.Expired(now):
		msg = s.InWords() + " expired at " + clock(t.ExpiresAt)
	case w.lasting && w.not.IsZero():
		msg = s.InWords() + " expires at " + clock(t.ExpiresAt) + " and cannot be renewed"
	default: // refused before its time
		return session.Token{}, false, r.ended(s, nil)
	}
	return session.Token{}, false, r.signInNeeded(s, msg, nil)
}

func (r *Renewer) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}

// signInNeeded is the error for a session that only a sign-in helps.
func (r *Renewer) signInNeeded(s session.Session, msg string, cause error) error {
	return &fault.Error{Kind: fault.SignInNeeded, Msg: msg, Remedy: r.login(s), Err: cause}
}

// login signs in to s, or does what Instead knows. If the last token of a legacy session could be renewed, the next
// one is asked for alike.
func (r *Renewer) login(s session.Session) fault.Remedy {
	if r.Instead != nil {
		if instead := r.Instead(s); instead != nil {
			return instead
		}
	}
	if !s.Legacy() {
		return fault.Login{Session: s.Name}
	}
	var login fault.Login
	if r.Profile != nil {
		login.Profile = r.Profile(s)
	}
	t, err := r.Store.Token(s.CacheKey())
	login.KeepFresh = err == nil && !t.RefreshToken.IsZero()
	return login
}
