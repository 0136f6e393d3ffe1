package connect

import (
	"context"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// Renewer renews tokens in st.
func Renewer(a *app.App, st *store.Store) *refresh.Renewer {
	return &refresh.Renewer{
		Store: st, Profile: a.ProfileOf, Now: a.Env.Time,
		Instead: func(s session.Session) fault.Remedy { return UpgradeInstead(a, st, s) },
		Connect: func(ctx context.Context, s session.Session) (refresh.Service, error) {
			c, err := To(ctx, a, s)
			return c.Client, err
		},
	}
}

const (
	// FreshenWait bounds what keeping a legacy token fresh may cost a command that has its answer already. Where the
	// request is out by then the renewal gets 5 s more (internal/refresh): the answer holds the only refresh token.
	FreshenWait = 1500 * time.Millisecond
	// freshenAgain is how long after such a renewal was begun, by whatever process, nobody begins another.
	freshenAgain = time.Minute
)

// Stale reports whether the token of a legacy session that is kept fresh is due, and nobody has just tried that.
func Stale(a *app.App, st *store.Store, s session.Session) bool {
	if !s.Legacy() {
		return false
	}
	now := a.Env.Time()
	t, err := st.Token(s.CacheKey())
	if err != nil || !t.Renewable(now) || t.ExpiresAt.Sub(now) >= refresh.Margin(s) {
		return false
	}
	ago, ok := st.Tried(s.CacheKey())
	return !ok || ago >= freshenAgain
}

// freshen renews the token of a legacy session that is kept fresh, if it is time. The role credentials that were
// asked for come from the cache, so nothing fails here; but the SDKs read that token, and do not renew it.
func freshen(ctx context.Context, a *app.App, st *store.Store, s session.Session) {
	if !Stale(a, st, s) || Onlooker(a, st).Outlook(ctx, s).Next != refresh.NextRenew {
		return
	}
	st.Try(s.CacheKey())
	ctx, cancel := context.WithTimeout(ctx, FreshenWait)
	defer cancel()
	if _, err := Renewer(a, st).Token(ctx, s); err != nil {
		a.UI.Debug("the token is not renewed: %v", err)
	}
}

// Onlooker is a renewer for Outlook, which asks nobody anything.
func Onlooker(a *app.App, st *store.Store) *refresh.Renewer {
	r := Renewer(a, st)
	r.Connect = func(ctx context.Context, s session.Session) (refresh.Service, error) {
		c, err := AsConfigured(ctx, a, s)
		return c.Client, err
	}
	return r
}

// Scoped reports whether s asks for what the token of a legacy profile that is kept fresh has.
func Scoped(s session.Session) bool {
	scopes := s.RegistrationScopes()
	return len(scopes) == 1 && scopes[0] == session.DefaultScope
}

// UpgradeInstead returns the remedy that signs in to s by the token its profile had in the legacy format, because an
// upgrade was interrupted or the service ended s since. It is nil if there is no such token.
func UpgradeInstead(a *app.App, st *store.Store, s session.Session) fault.Remedy {
	if s.Legacy() || a.Loaded == nil || !Scoped(s) {
		return nil
	}
	legacy := session.Session{StartURL: s.StartURL, Region: s.Region}
	if len(a.Loaded.ProfilesOf(legacy)) > 0 || !Onlooker(a, st).Outlook(context.Background(), legacy).Renewable {
		return nil
	}
	name := ""
	for _, p := range a.Loaded.ProfilesOf(s) {
		if active, _ := a.ActiveProfile(); name == "" || p.Profile == active {
			name = p.Profile
		}
	}
	if name == "" {
		return nil
	}
	return fault.Upgrade{name}
}
