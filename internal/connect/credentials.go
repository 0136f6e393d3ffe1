package connect

import (
	"context"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/rolecreds"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/ui"
)

// RoleCredentials returns the credentials of a role, from the cache where they live for ttl; 0 is the default.
func RoleCredentials(ctx context.Context, a *app.App, k store.RoleKey,
	ttl time.Duration) (session.RoleCredentials, error) {
	return RoleCredentialsWarning(ctx, a, k, ttl, warnOnce(a))
}

// RoleCredentialsWarning is RoleCredentials that tells warn what could not be cached.
func RoleCredentialsWarning(ctx context.Context, a *app.App, k store.RoleKey, ttl time.Duration,
	warn func(error)) (session.RoleCredentials, error) {
	st, err := a.Store()
	if err != nil {
		return session.RoleCredentials{}, err
	}
	ttl = MinTTL(ttl)
	old, lasts := cached(a, st, k, ttl)
	if lasts {
		freshen(ctx, a, st, k.Session)
		return old, nil
	}
	fetcher := rolecreds.Fetcher{
		Store: st, Tokens: Renewer(a, st), Now: a.Env.Time,
		Warn: warn,
		Connect: func(ctx context.Context, s session.Session) (rolecreds.Portal, error) {
			c, err := To(ctx, a, s)
			return c.Client, err
		},
	}
	return fetcher.Fetch(ctx, k, ttl, old)
}

// cached is rolecreds.Cached, unless the quick path has read the file already.
func cached(a *app.App, st *store.Store, k store.RoleKey, ttl time.Duration) (session.RoleCredentials, bool) {
	if a.Looked != nil && a.Looked.File == st.RolePath(k) {
		return a.Looked.Credentials, rolecreds.Lasts(a.Looked.Credentials, ttl, a.Env.Time())
	}
	return rolecreds.Cached(st, k, ttl)
}

// ShellTTL is what cached credentials must have left for an environment. A program that asks for credentials asks
// again before they lapse; nobody replaces what is in an environment. Half of the hour that they last as a rule, so
// that not each command fetches some.
const ShellTTL = 30 * time.Minute

// OrShorter returns cached credentials of less than ShellTTL in place of a sign-in that would be needed for others.
func OrShorter(a *app.App, k store.RoleKey, c session.RoleCredentials, err error) (session.RoleCredentials, error) {
	if fault.KindOf(err) != fault.SignInNeeded {
		return c, err
	}
	st, storeErr := a.Store()
	if storeErr != nil {
		return c, err
	}
	last, ok := cached(a, st, k, rolecreds.DefaultMinTTL)
	if !ok {
		return c, err
	}
	f := a.UI.Describe(err)
	a.UI.Say("warning: %s; the credentials lapse at %s\n", f.Msg, ui.Moment(last.Expiration, a.Env.Time()))
	if f.Hint != "" {
		a.UI.Say("hint: %s\n", f.Hint)
	}
	return last, nil
}

// MinTTL is what cached credentials must have left; 0 asks for the default.
func MinTTL(asked time.Duration) time.Duration {
	if asked == 0 {
		return rolecreds.DefaultMinTTL
	}
	return asked
}

// warnOnce returns what says a warning, and does not repeat it: lock and cache of a role fail for one reason.
func warnOnce(a *app.App) func(error) {
	said := map[string]bool{}
	return func(err error) {
		if !said[err.Error()] {
			said[err.Error()] = true
			a.UI.Say("warning: %s\n", err)
		}
	}
}
