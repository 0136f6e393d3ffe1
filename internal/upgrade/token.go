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

// signedIn reports whether the next use of s asks nobody, as far as the files tell.
func signedIn(ctx context.Context, a *app.App, st *store.Store, s session.Session) bool {
	o := connect.Onlooker(a, st).Outlook(ctx, s)
	return o.Next == refresh.NextUse || o.Next == refresh.NextRenew || o.Next == refresh.NextFail && o.Unstorable != nil
}

// movable reports whether the legacy token of g is one to take along, other profiles aside.
func (o *Options) movable(ctx context.Context, st *store.Store, g *group) bool {
	// What can be renewed is more than what the file says: nobody has refused it.
	return connect.Scoped(g.to) && connect.Onlooker(o.App, st).Outlook(ctx, g.from).Renewable
}

// check asks the service about the token of g.to, where one that could take its place would be left behind for it: it may
// have ended the session, and nobody knows. That is a use like any other, and goes on record.
func (o *Options) check(ctx context.Context, cfg *awsconfig.Config, st *store.Store, g *group) {
	a := o.App
	needed := slices.ContainsFunc(cfg.ProfilesOf(g.from), func(p awsconfig.SSOProfile) bool {
		return !slices.ContainsFunc(g.profiles, func(of awsconfig.SSOProfile) bool { return of.Profile == p.Profile })
	})
	if g.unasked = nil; g.fresh || needed || !o.movable(ctx, st, g) || !signedIn(ctx, a, st, g.to) {
		return
	}
	done := make(chan error, 1)
	go func() {
		_, err := connect.Verify(ctx, a, st, g.to)
		done <- err
	}()
	timer := time.NewTimer(2 * time.Second)
	defer timer.Stop()
	var err error
	select {
	case err = <-done:
	case <-timer.C:
		a.UI.Say("Asking IAM Identity Center whether %s is still signed in …\n", g.to.InWords())
		err = <-done
	}
	if err != nil && fault.KindOf(err) != fault.SignInNeeded {
		g.unasked = err
	}
}

// moveWait is how long the locks of the tokens that are to be moved are waited for.
const moveWait = 10 * time.Second

// lock takes the locks of the tokens that may move.
func (o *Options) lock(ctx context.Context, st *store.Store, groups []*group) (store.Moving, error) {
	var keys []string
	for _, g := range groups {
		if o.movable(ctx, st, g) {
			keys = append(keys, g.from.CacheKey(), g.to.CacheKey())
		}
	}
	waiting, cancel := context.WithTimeout(ctx, min(moveWait, o.App.Patience))
	defer cancel()
	m, err := st.LockTokens(waiting, keys...)
	if err != nil && fault.KindOf(err) != fault.Interrupted {
		err = &fault.Error{Kind: fault.KindOf(err), Msg: "nothing was changed: " + err.Error(), Remedy: fault.RemedyOf(err), Err: err}
	}
	return m, err
}

// conclude takes the tokens along and says what came of it.
func (o *Options) conclude(ctx context.Context, cfg *awsconfig.Config, st *store.Store, locks store.Moving, groups []*group) error {
	a := o.App
	var failed []error
	for _, g := range groups {
		for _, p := range g.profiles {
			if a.UI.JSON {
				failed = append(failed, a.UI.Event(ui.Configured{
					Event: "configured", Profile: p.Profile, SSOSession: g.to.Name, AccountID: p.AccountID, RoleName: p.RoleName, Region: p.Region,
				}))
				continue
			}
			a.UI.Answer("Profile %q uses session %q now.\n", p.Profile, g.to.Name)
		}
		failed = append(failed, o.carry(ctx, cfg, st, locks, g))
	}
	return errors.Join(failed...)
}

// carry gives the session the token of the legacy profiles, unless other profiles still need it there. locks has those of
// the tokens that may move.
func (o *Options) carry(ctx context.Context, cfg *awsconfig.Config, st *store.Store, locks store.Moving, g *group) error {
	a := o.App
	left := cfg.ProfilesOf(g.from)
	now := a.Env.Time()
	tok, err := st.Token(g.from.CacheKey())
	moved := false
	// One start URL may stand in profiles of two regions, and they have one token file.
	has := err == nil && (tok.Region == "" || tok.Region == g.from.Region || !idc.AWSHost(g.from.StartURL))
	renewable := connect.Onlooker(a, st).Outlook(ctx, g.from).Renewable
	if has && len(left) == 0 && o.movable(ctx, st, g) {
		over := func() bool { return !signedIn(ctx, a, st, g.to) }
		if moved, err = locks.Move(g.from.CacheKey(), g.to.CacheKey(), over); err != nil {
			return &fault.Error{
				Kind: fault.KindOf(err), Err: err, Msg: "the config file is changed, but the token was not moved: " + err.Error(),
				Remedy: fault.Preface{Words: "to try that again,", Then: o.remedy(cfg, g)},
			}
		}
	}
	o.dropRoles(st, g, left)
	if len(g.profiles) == 0 && !moved {
		return nil
	}
	next := !moved && !signedIn(ctx, a, st, g.to)
	switch {
	case moved:
		a.Remark("You stay signed in: the token is the one of session %q now.", g.to.Name)
	case !next && g.unasked != nil:
		a.Remark("Session %q is signed in already, as far as its file tells. Should it have ended (%s), the token of the legacy format can take its place: %s",
			g.to.Name, g.unasked, a.UI.Command(o.remedy(cfg, g)))
	case !next:
		a.Remark("Session %q is signed in already.", g.to.Name)
	case has && renewable && len(left) > 0:
		a.Remark("The token stays with profile %q, which has the same start URL. To move it as well, run: %s",
			left[0].Profile, a.UI.Command(fault.Upgrade{left[0].Profile}))
		next = false
	case has && renewable:
		a.Remark("The token stays where it is: session %q asks for other scopes than it has.", g.to.Name)
	case has && !tok.Expired(now):
		a.Remark("The token of the legacy format cannot be renewed and is not taken along. It stays until %s.", ui.Moment(tok.ExpiresAt, now))
	}
	if next {
		a.Remark("Next: %s", a.UI.Command(fault.Login{Session: g.to.Name}))
	}
	return nil
}

// TakeAlong gives the token of a sign-in to a legacy profile to the session that the profile was upgraded to while a person
// acted: nobody looks for it under the old name any more. done says that all is said.
func TakeAlong(ctx context.Context, a *app.App, t app.Target) (now app.Target, done bool, err error) {
	if !t.Session.Legacy() || t.Profile == "" {
		return t, false, nil
	}
	before := a.Loaded
	a.Loaded = nil
	cfg, err := a.Config()
	if err != nil {
		a.Loaded = before
		return t, false, nil // what was signed in to is signed in to
	}
	p, err := cfg.SSO(t.Profile)
	if err != nil || p.Session.Legacy() || !app.SamePortal(p.Session.StartURL, t.Session.StartURL) || p.Session.Region != t.Session.Region {
		return t, false, nil // likewise
	}
	st, err := a.Store()
	if err != nil {
		return t, false, err
	}
	a.Remark("Profile %q was upgraded meanwhile: it uses session %q now.", p.Profile, p.Session.Name)
	from := session.Session{StartURL: t.Session.StartURL, Region: t.Session.Region}
	o := &Options{App: a}
	g := &group{from: from, to: p.Session, profiles: []awsconfig.SSOProfile{p}}
	o.check(ctx, cfg, st, g)
	locks, err := o.lock(ctx, st, []*group{g})
	if err != nil {
		return t, false, err
	}
	defer locks.Release()
	err = o.carry(ctx, cfg, st, locks, g)
	return app.Target{Session: p.Session, Profile: p.Profile}, true, err
}

// remedy finishes an upgrade that was interrupted.
func (o *Options) remedy(cfg *awsconfig.Config, g *group) fault.Remedy {
	for _, p := range cfg.ProfilesOf(g.to) {
		return fault.Upgrade{p.Profile}
	}
	return fault.Upgrade{}
}

// dropRoles removes the role credentials that the AWS CLI and homing keep under the start URL and that no profile looks
// for any more. They are fetched anew under the session's name.
func (o *Options) dropRoles(st *store.Store, g *group, left []awsconfig.SSOProfile) {
	var keys []store.RoleKey
	for _, p := range g.profiles {
		keys = append(keys, store.RoleKey{Session: g.from, AccountID: p.AccountID, RoleName: p.RoleName})
	}
	if len(left) == 0 {
		keys = append(keys, st.RoleKeys(g.from)...)
	}
	keys = slices.DeleteFunc(keys, func(k store.RoleKey) bool {
		return k.AccountID == "" || slices.ContainsFunc(left, func(p awsconfig.SSOProfile) bool {
			return p.AccountID == k.AccountID && p.RoleName == k.RoleName
		})
	})
	if err := st.DropRoleCredentials(keys); err != nil {
		o.App.UI.Debug("role credentials: %v", err)
	}
}
