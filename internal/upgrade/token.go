package upgrade

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/ui"
)

// signedIn reports whether, according to the files, s needs no sign-in: its next use succeeds, or fails only because a
// renewed token cannot be stored here.
func signedIn(ctx context.Context, a *app.App, st *store.Store, s session.Session) bool {
	o := connect.Onlooker(a, st).Outlook(ctx, s)
	return o.Next == refresh.NextUse || o.Next == refresh.NextRenew || o.Next == refresh.NextFail && o.Unstorable != nil
}

// movable reports whether the legacy token of g is worth moving. Profiles outside g may still need it.
func (o *Options) movable(ctx context.Context, st *store.Store, g *group) bool {
	// The token file alone is not enough: Outlook also knows whether the service has refused to renew the token.
	return connect.Scoped(g.target) && connect.Onlooker(o.App, st).Outlook(ctx, g.legacy).Renewable
}

// verifyTarget asks the service about the token of g's session if a legacy token could replace it: the service may
// have ended the session unnoticed. Like any other use, this may renew the token, and records a refusal.
func (o *Options) verifyTarget(ctx context.Context, cfg *awsconfig.Config, st *store.Store, g *group) {
	a := o.App
	needed := slices.ContainsFunc(cfg.ProfilesOf(g.legacy), func(p awsconfig.SSOProfile) bool {
		return !slices.ContainsFunc(g.profiles, func(own awsconfig.SSOProfile) bool { return own.Profile == p.Profile })
	})
	if g.create || needed || !o.movable(ctx, st, g) || !signedIn(ctx, a, st, g.target) {
		return
	}
	done := make(chan error, 1)
	go func() {
		_, err := connect.Verify(ctx, a, st, g.target)
		done <- err
	}()
	timer := time.NewTimer(2 * time.Second)
	defer timer.Stop()
	var err error
	select {
	case err = <-done:
	case <-timer.C:
		a.UI.Say("Asking IAM Identity Center whether %s is still signed in …\n", g.target.InWords())
		err = <-done
	}
	if err != nil && fault.KindOf(err) != fault.SignInNeeded {
		g.unverified = err
	}
}

// lockWait bounds the wait for the locks of the tokens to move.
const lockWait = 10 * time.Second

// lockTokens takes the locks of the tokens that may move.
func (o *Options) lockTokens(ctx context.Context, st *store.Store, groups []*group) (store.Moving, error) {
	var keys []string
	for _, g := range groups {
		if o.movable(ctx, st, g) {
			keys = append(keys, g.legacy.CacheKey(), g.target.CacheKey())
		}
	}
	waiting, cancel := context.WithTimeout(ctx, min(lockWait, o.App.Patience))
	defer cancel()
	m, err := st.LockTokens(waiting, keys...)
	if err != nil && fault.KindOf(err) != fault.Interrupted {
		err = &fault.Error{
			Kind: fault.KindOf(err), Msg: "nothing was changed: " + err.Error(), Remedy: fault.RemedyOf(err), Err: err,
		}
	}
	return m, err
}

// moveTokens reports each upgraded profile and moves the tokens. It continues after a failure.
func (o *Options) moveTokens(
	ctx context.Context, cfg *awsconfig.Config, st *store.Store, locks store.Moving, groups []*group,
) error {
	u := o.App.UI
	var failed []error
	for _, g := range groups {
		for _, p := range g.profiles {
			if u.JSON {
				failed = append(failed, u.Event(ui.Configured{
					Event: "configured", Profile: p.Profile, SSOSession: g.target.Name,
					AccountID: p.AccountID, RoleName: p.RoleName, Region: p.Region,
				}))
				continue
			}
			u.Answer("Profile %q now uses session %q.\n", p.Profile, g.target.Name)
		}
		failed = append(failed, o.moveToken(ctx, cfg, st, locks, g))
	}
	return errors.Join(failed...)
}

// moveToken moves the legacy token of g to its session, unless other profiles still need it, and says what became of
// it. locks holds the locks of every token that may move.
func (o *Options) moveToken(
	ctx context.Context, cfg *awsconfig.Config, st *store.Store, locks store.Moving, g *group,
) error {
	a := o.App
	remaining := cfg.ProfilesOf(g.legacy)
	now := a.Env.Time()
	tok, err := st.Token(g.legacy.CacheKey())
	// Profiles of one start URL share a token file even if their regions differ.
	has := err == nil && (tok.Region == "" || tok.Region == g.legacy.Region || !idc.AWSHost(g.legacy.StartURL))
	renewable := connect.Onlooker(a, st).Outlook(ctx, g.legacy).Renewable
	moved := false
	if has && len(remaining) == 0 && renewable && connect.Scoped(g.target) {
		replace := func() bool { return !signedIn(ctx, a, st, g.target) }
		if moved, err = locks.Move(g.legacy.CacheKey(), g.target.CacheKey(), replace); err != nil {
			return &fault.Error{
				Kind: fault.KindOf(err), Err: err,
				Msg:    "the config file is changed, but the token was not moved: " + err.Error(),
				Remedy: fault.Preface{Words: "to try again,", Then: resumeRemedy(cfg, g)},
			}
		}
	}
	o.dropRoles(st, g, remaining)
	if len(g.profiles) == 0 && !moved {
		return nil
	}
	needsLogin := !moved && !signedIn(ctx, a, st, g.target)
	switch {
	case moved:
		a.Remark("You stay signed in: the token now belongs to session %q.", g.target.Name)
	case !needsLogin && g.unverified != nil:
		a.Remark("Session %q is already signed in, according to its token file. "+
			"If it has ended (%s), replace its token with the legacy one: %s",
			g.target.Name, g.unverified, a.UI.Command(resumeRemedy(cfg, g)))
	case !needsLogin:
		a.Remark("Session %q is already signed in.", g.target.Name)
	case has && renewable && len(remaining) > 0:
		other := remaining[0].Profile
		a.Remark("The token stays with profile %q, which has the same start URL. "+
			"To move it too, run: %s", other, a.UI.Command(fault.Upgrade{other}))
		needsLogin = false
	case has && renewable:
		a.Remark("The token stays where it is: session %q asks for other scopes than the token has.", g.target.Name)
	case has && !tok.Expired(now):
		a.Remark("The legacy token cannot be renewed, so it does not move. It stays until %s.",
			ui.Moment(tok.ExpiresAt, now))
	}
	if needsLogin {
		a.Remark("Next: %s", a.UI.Command(fault.Login{Session: g.target.Name}))
	}
	return nil
}

// Follow moves the token of a finished sign-in to t if, during the sign-in, the legacy profile of t was upgraded: its
// token is no longer looked for under the start URL. Follow returns what t is now, and whether it has told the
// person.
func Follow(ctx context.Context, a *app.App, t app.Target) (now app.Target, told bool, err error) {
	if !t.Session.Legacy() || t.Profile == "" {
		return t, false, nil
	}
	before := a.Loaded
	a.Loaded = nil
	cfg, err := a.Config()
	if err != nil {
		a.Loaded = before
		return t, false, nil // the sign-in itself has worked
	}
	p, err := cfg.SSO(t.Profile)
	if err != nil || p.Session.Legacy() ||
		!app.SamePortal(p.Session.StartURL, t.Session.StartURL) || p.Session.Region != t.Session.Region {
		return t, false, nil
	}
	st, err := a.Store()
	if err != nil {
		return t, false, err
	}
	a.Remark("Profile %q was upgraded during the sign-in: it now uses session %q.", p.Profile, p.Session.Name)
	o := &Options{App: a}
	g := &group{
		legacy: session.Session{StartURL: t.Session.StartURL, Region: t.Session.Region},
		target: p.Session, profiles: []awsconfig.SSOProfile{p},
	}
	o.verifyTarget(ctx, cfg, st, g)
	locks, err := o.lockTokens(ctx, st, []*group{g})
	if err != nil {
		return t, false, err
	}
	defer locks.Release()
	err = o.moveToken(ctx, cfg, st, locks, g)
	return app.Target{Session: p.Session, Profile: p.Profile}, true, err
}

// resumeRemedy returns the remedy that finishes the upgrade of g.
func resumeRemedy(cfg *awsconfig.Config, g *group) fault.Remedy {
	for _, p := range cfg.ProfilesOf(g.target) {
		return fault.Upgrade{p.Profile}
	}
	return fault.Upgrade{}
}

// dropRoles removes the role credentials that homing and the AWS CLI keep under the start URL, except those that the
// remaining legacy profiles use. The upgraded profiles fetch theirs again under the session's name.
func (o *Options) dropRoles(st *store.Store, g *group, remaining []awsconfig.SSOProfile) {
	var keys []store.RoleKey
	for _, p := range g.profiles {
		keys = append(keys, store.RoleKey{Session: g.legacy, AccountID: p.AccountID, RoleName: p.RoleName})
	}
	if len(remaining) == 0 {
		keys = append(keys, st.RoleKeys(g.legacy)...)
	}
	keys = slices.DeleteFunc(keys, func(k store.RoleKey) bool {
		return k.AccountID == "" || slices.ContainsFunc(remaining, func(p awsconfig.SSOProfile) bool {
			return p.AccountID == k.AccountID && p.RoleName == k.RoleName
		})
	})
	if err := st.DropRoleCredentials(keys); err != nil {
		o.App.UI.Debug("role credentials: %v", err)
	}
}
