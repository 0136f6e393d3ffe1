package rolecreds

import (
	"context"
	"fmt"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/retry"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

const (
	// patience is how long to retry: an SDK kills a credential_process after 60 seconds.
	patience = 30 * time.Second
	// mostWait bounds a whole call of Get. A renewal under way then gets 5 s more to take its answer, which is still
	// less than those 60 s.
	mostWait = 50 * time.Second
	// shortWait bounds it while cached credentials still serve. A fetch that had to wait for another process gets as
	// much again, since a renewal that is cut short may lose the session.
	shortWait = 10 * time.Second
	// serving is the life that such credentials must have left.
	serving = time.Minute
	// politeWait is how long to wait for another process that fetches the same role with a valid token. After that, a
	// second call is better: the other process may be stopped (Ctrl-Z) and never release the lock.
	politeWait = 10 * time.Second
)

// Tokens returns the access token of a session (refresh.Renewer does).
type Tokens interface {
	// Token returns a valid token, renewed if need be.
	Token(ctx context.Context, s session.Session) (session.Token, error)
	// Replace returns a token other than the rejected one.
	Replace(ctx context.Context, s session.Session, rejected session.Secret) (session.Token, error)
	// Ended records that the rejected token is over, and returns the error that asks a person to sign in again.
	Ended(ctx context.Context, s session.Session, rejected session.Secret, cause error) error
}

// Portal issues role credentials (idc.Client does). Its errors may have the methods that package retry asks for.
type Portal interface {
	RoleCredentials(ctx context.Context, token session.Secret,
		accountID, roleName string) (session.RoleCredentials, error)
}

// Fetcher gets role credentials that are not in the cache. It is safe for concurrent use, in one process and in many.
type Fetcher struct {
	Store  *store.Store // required
	Tokens Tokens       // required
	// Connect returns the portal for a session, in the session's Region: the one that issued the token. It is called
	// only if credentials must be fetched. Required.
	Connect  func(ctx context.Context, s session.Session) (Portal, error)
	Now      func() time.Time // nil = time.Now
	Patience time.Duration    // how long to retry; 0 = 30 s
	Warn     func(error)      // gets the error if credentials cannot be cached; nil drops it
}

// Get returns the credentials for k from the cache if they last longer than minTTL, and Fetch's otherwise.
func (f *Fetcher) Get(ctx context.Context, k store.RoleKey, minTTL time.Duration) (session.RoleCredentials, error) {
	old, lasts := Cached(f.Store, k, minTTL)
	if lasts {
		return old, nil
	}
	return f.Fetch(ctx, k, minTTL, old)
}

// Fetch returns credentials for k from the portal, or those that another process cached meanwhile if they last longer
// than minTTL. old is what Cached returned. Of many callers one fetches, and the others take what it got. It takes 55
// s at most, 25 s while old still serves.
//
// Errors are *fault.Error: SignInNeeded if the session is over, Denied if it has no access to the role, Unavailable
// if the portal cannot be reached and the cache holds nothing that is still valid.
func (f *Fetcher) Fetch(ctx context.Context, k store.RoleKey, minTTL time.Duration, old session.RoleCredentials) (
	session.RoleCredentials, error,
) {
	c, err := f.obtain(ctx, k, minTTL, Lasts(old, serving, f.now()))
	if err != nil && fault.KindOf(err) == fault.Unavailable {
		if old, ok := Cached(f.Store, k, 0); ok {
			return old, nil // short, but what there is
		}
	}
	return c, err
}

// obtain fetches credentials for k, or takes those that another process has fetched meanwhile. serves says that the
// cached ones still serve for a while.
func (f *Fetcher) obtain(
	ctx context.Context, k store.RoleKey, minTTL time.Duration, serves bool,
) (session.RoleCredentials, error) {
	start, wait := f.now(), mostWait
	if serves {
		wait = shortWait
	}
	unlock, err := f.lock(ctx, k, wait)
	if err != nil {
		return session.RoleCredentials{}, err
	}
	defer unlock()
	if c, ok := Cached(f.Store, k, minTTL); ok {
		return c, nil
	}
	if !serves {
		wait = mostWait - f.now().Sub(start)
	}
	fetching, cancel := context.WithTimeoutCause(ctx, wait, silence(k, ""))
	defer cancel()
	c, err := f.fetch(fetching, k, start)
	late := fetching.Err() != nil && ctx.Err() == nil
	if kind := fault.KindOf(err); late && (kind == fault.Interrupted || kind == fault.TimedOut) {
		return c, context.Cause(fetching) // the limit is ours, not the caller's
	}
	return c, err
}

// silence returns the error for a time that is up. The service may be silent, or the network, or another process that
// waits for them.
func silence(k store.RoleKey, also string) error {
	return &fault.Error{
		Kind: fault.Unavailable, Remedy: fault.Advice("check the network, then try again"),
		Msg: fmt.Sprintf("no credentials in time for role %q in account %q through %s: the service does not answer%s",
			k.RoleName, k.AccountID, k.Session.InWords(), also),
	}
}

// lock takes the role's lock. It does without if the file system has no locks, or if another process has held it for
// politeWait with a valid token.
func (f *Fetcher) lock(ctx context.Context, k store.RoleKey, wait time.Duration) (unlock func(), err error) {
	silent := silence(k, ", or not to another process that asks for the same")
	locking, cancel := context.WithTimeoutCause(ctx, wait, silent)
	defer cancel()
	for {
		valid := f.valid(k.Session)
		polite, stop := context.WithTimeoutCause(locking, politeWait, silent)
		unlock, err = f.Store.LockRole(polite, k)
		late := err != nil && polite.Err() != nil && locking.Err() == nil && wait > politeWait
		stop()
		switch {
		case late && valid:
			return func() {}, nil
		case late:
			continue // the other process may renew the token first, which is worth the wait
		case err != nil && fault.KindOf(err) == fault.Config:
			f.warn(err)
			return func() {}, nil
		}
		return unlock, err
	}
}

// valid reports whether the token of s needs no renewal.
func (f *Fetcher) valid(s session.Session) bool {
	t, err := f.Store.Token(s.CacheKey())
	return err == nil && !t.Expired(f.now())
}

// fetch asks the portal with the session's token, and caches the answer. It renews once a token that the portal
// refuses before it expires.
func (f *Fetcher) fetch(ctx context.Context, k store.RoleKey, start time.Time) (session.RoleCredentials, error) {
	t, err := f.Tokens.Token(ctx, k.Session)
	if err != nil {
		return session.RoleCredentials{}, err
	}
	for replaced := false; ; {
		c, err := f.ask(ctx, k, t, start)
		switch {
		case err == nil && !f.current(k.Session, t):
			// Somebody has signed out or in meanwhile, perhaps another person: cache nothing of the old session.
			next, err := f.Tokens.Token(ctx, k.Session)
			if err != nil || replaced {
				return c, nil //nolint:nilerr // they were requested before, and are good
			}
			t, replaced = next, true
		case err == nil:
			if err := f.Store.SaveRoleCredentials(ctx, k, c); err != nil {
				f.warn(err)
			}
			return c, nil
		case retry.Code(err) == "unauthorized" && !replaced:
			if t, err = f.Tokens.Replace(ctx, k.Session, t.AccessToken); err != nil {
				return session.RoleCredentials{}, err
			}
			replaced = true
		case retry.Code(err) == "unauthorized":
			return session.RoleCredentials{}, f.Tokens.Ended(ctx, k.Session, t.AccessToken, err)
		default:
			return session.RoleCredentials{}, f.explain(k, err)
		}
	}
}

// current reports whether t is still the token of s.
func (f *Fetcher) current(s session.Session, t session.Token) bool {
	now, err := f.Store.Token(s.CacheKey())
	return err == nil && now.AccessToken.Equal(t.AccessToken)
}

// ask calls the portal, and retries while patience lasts.
func (f *Fetcher) ask(
	ctx context.Context, k store.RoleKey, t session.Token, start time.Time,
) (session.RoleCredentials, error) {
	s := k.Session
	if t.Region != "" {
		s.Region = t.Region
	}
	portal, err := f.Connect(ctx, s)
	if err != nil {
		return session.RoleCredentials{}, err
	}
	spent := func() time.Duration { return f.now().Sub(start) }
	c, err := retry.Do(ctx, retry.Patient(spent, f.patience()), func(int) (session.RoleCredentials, error) {
		return portal.RoleCredentials(ctx, t.AccessToken, k.AccountID, k.RoleName)
	})
	if err != nil {
		return c, err
	}
	if c.AccountID == "" {
		c.AccountID = k.AccountID
	}
	if err := WellFormed(c); err != nil {
		return session.RoleCredentials{}, err // and nothing of them reaches the cache
	}
	return c, nil
}

// explain names the role if the service only says no.
func (f *Fetcher) explain(k store.RoleKey, err error) error {
	if retry.Code(err) != "forbidden" && fault.KindOf(err) != fault.Denied {
		return err
	}
	return &fault.Error{
		Kind: fault.Denied, Err: err,
		Msg: fmt.Sprintf("no access to role %q in account %q through %s", k.RoleName, k.AccountID,
			k.Session.InWords()),
		Remedy: fault.Preface{Words: "see what you may use:", Then: fault.ListProfiles{Session: k.Session.Name}},
	}
}

func (f *Fetcher) warn(err error) {
	if f.Warn != nil {
		f.Warn(err)
	}
}

func (f *Fetcher) now() time.Time {
	if f.Now != nil {
		return f.Now()
	}
	return time.Now()
}

func (f *Fetcher) patience() time.Duration {
	if f.Patience > 0 {
		return f.Patience
	}
	return patience
}
