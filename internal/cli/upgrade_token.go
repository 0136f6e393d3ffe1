package cli

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// scoped reports whether s asks for what the token of a legacy profile that is kept fresh has.
func scoped(s session.Session) bool {
	scopes := s.RegistrationScopes()
	return len(scopes) == 1 && scopes[0] == session.DefaultScope
}

// signedIn reports whether the next use of s asks nobody, as far as the files tell.
func (a *app) signedIn(ctx context.Context, st *store.Store, s session.Session) bool {
	o := a.onlooker(st).Outlook(ctx, s)
	return o.Next == refresh.NextUse || o.Next == refresh.NextRenew || o.Next == refresh.NextFail && o.Unstorable != nil
}

// upgradeInstead is the command that signs in to s by the token that its profile had in the legacy format; "" where there
// is none of use: an upgrade was interrupted, or the service has ended s since.
func (a *app) upgradeInstead(st *store.Store, s session.Session) string {
	if s.Legacy() || a.cfg == nil || !scoped(s) {
		return ""
	}
	legacy := session.Session{StartURL: s.StartURL, Region: s.Region}
	if len(a.cfg.ProfilesOf(legacy)) > 0 || !a.onlooker(st).Outlook(context.Background(), legacy).Renewable {
		return ""
	}
	name := ""
	for _, p := range a.cfg.ProfilesOf(s) {
		if active, _ := a.activeProfile(); name == "" || p.Profile == active {
			name = p.Profile
		}
	}
	if name == "" {
		return ""
	}
	return "homing configure sso --upgrade " + argument(name)
}

// movable reports whether the legacy token of g is one to take along, other profiles aside.
func (o *upgradeOptions) movable(ctx context.Context, st *store.Store, g *upgradeGroup) bool {
	// What can be renewed is more than what the file says: nobody has refused it.
	return scoped(g.to) && o.app.onlooker(st).Outlook(ctx, g.from).Renewable
}

// check asks the service about the token of g.to, where one that could take its place would be left behind for it: it may
// have ended the session, and nobody knows. That is a use like any other, and goes on record.
func (o *upgradeOptions) check(ctx context.Context, cfg *awsconfig.Config, st *store.Store, g *upgradeGroup) {
	a := o.app
	needed := slices.ContainsFunc(cfg.ProfilesOf(g.from), func(p awsconfig.SSOProfile) bool {
		return !slices.ContainsFunc(g.profiles, func(of awsconfig.SSOProfile) bool { return of.Profile == p.Profile })
	})
	if g.unasked = nil; g.fresh || needed || !o.movable(ctx, st, g) || !a.signedIn(ctx, st, g.to) {
		return
	}
	done := make(chan error, 1)
	go func() {
		_, err := verify(ctx, a, st, g.to)
		done <- err
	}()
	timer := time.NewTimer(2 * time.Second)
	defer timer.Stop()
	var err error
	select {
	case err = <-done:
	case <-timer.C:
		a.ui.say("Asking IAM Identity Center whether %s is still signed in …\n", g.to.InWords())
		err = <-done
	}
	if err != nil && fault.KindOf(err) != fault.SignInNeeded {
		g.unasked = err
	}
}

// moveWait is how long the locks of the tokens that are to be moved are waited for.
const moveWait = 10 * time.Second

// lock takes the locks of the tokens that may move.
func (o *upgradeOptions) lock(ctx context.Context, st *store.Store, groups []*upgradeGroup) (store.Moving, error) {
	var keys []string
	for _, g := range groups {
		if o.movable(ctx, st, g) {
			keys = append(keys, g.from.CacheKey(), g.to.CacheKey())
		}
	}
	waiting, cancel := context.WithTimeout(ctx, min(moveWait, o.app.patience))
	defer cancel()
	m, err := st.LockTokens(waiting, keys...)
	if err != nil && fault.KindOf(err) != fault.Interrupted {
		err = &fault.Error{Kind: fault.KindOf(err), Msg: "nothing was changed: " + err.Error(), Hint: fault.HintOf(err), Err: err}
	}
	return m, err
}

// conclude takes the tokens along and says what came of it.
func (o *upgradeOptions) conclude(ctx context.Context, cfg *awsconfig.Config, st *store.Store, locks store.Moving, groups []*upgradeGroup) error {
	a := o.app
	var failed []error
	for _, g := range groups {
		for _, p := range g.profiles {
			if a.ui.json {
				failed = append(failed, a.ui.event(configured{
					Event: "configured", Profile: p.Profile, SSOSession: g.to.Name, AccountID: p.AccountID, RoleName: p.RoleName, Region: p.Region,
				}))
				continue
			}
			a.ui.answer("Profile %q uses session %q now.\n", p.Profile, g.to.Name)
		}
		failed = append(failed, o.carry(ctx, cfg, st, locks, g))
	}
	return errors.Join(failed...)
}

// carry gives the session the token of the legacy profiles, unless other profiles still need it there. locks has those of
// the tokens that may move.
func (o *upgradeOptions) carry(ctx context.Context, cfg *awsconfig.Config, st *store.Store, locks store.Moving, g *upgradeGroup) error {
	a := o.app
	left := cfg.ProfilesOf(g.from)
	now := a.env.now()
	tok, err := st.Token(g.from.CacheKey())
	moved := false
	// One start URL may stand in profiles of two regions, and they have one token file.
	has := err == nil && (tok.Region == "" || tok.Region == g.from.Region || !idc.AWSHost(g.from.StartURL))
	renewable := a.onlooker(st).Outlook(ctx, g.from).Renewable
	if has && len(left) == 0 && o.movable(ctx, st, g) {
		over := func() bool { return !a.signedIn(ctx, st, g.to) }
		if moved, err = locks.Move(g.from.CacheKey(), g.to.CacheKey(), over); err != nil {
			return &fault.Error{
				Kind: fault.KindOf(err), Err: err, Msg: "the config file is changed, but the token was not moved: " + err.Error(),
				Hint: "to try that again, run: " + o.command(cfg, g),
			}
		}
	}
	o.dropRoles(st, g, left)
	if len(g.profiles) == 0 && !moved {
		return nil
	}
	next := !moved && !a.signedIn(ctx, st, g.to)
	switch {
	case moved:
		a.remark("You stay signed in: the token is the one of session %q now.", g.to.Name)
	case !next && g.unasked != nil:
		a.remark("Session %q is signed in already, as far as its file tells. Should it have ended (%s), the token of the legacy format can take its place: %s",
			g.to.Name, g.unasked, o.command(cfg, g))
	case !next:
		a.remark("Session %q is signed in already.", g.to.Name)
	case has && renewable && len(left) > 0:
		a.remark("The token stays with profile %q, which has the same start URL. To move it as well, run: homing configure sso --upgrade %s", left[0].Profile, argument(left[0].Profile))
		next = false
	case has && renewable:
		a.remark("The token stays where it is: session %q asks for other scopes than it has.", g.to.Name)
	case has && !tok.Expired(now):
		a.remark("The token of the legacy format cannot be renewed and is not taken along. It stays until %s.", moment(tok.ExpiresAt, now))
	}
	if next {
		a.remark("Next: homing login --sso-session %s", argument(g.to.Name))
	}
	return nil
}

// takeAlong gives the token of a sign-in to a legacy profile to the session that the profile was upgraded to while a person
// acted: nobody looks for it under the old name any more. done says that all is said.
func (a *app) takeAlong(ctx context.Context, t target) (now target, done bool, err error) {
	if !t.session.Legacy() || t.profile == "" {
		return t, false, nil
	}
	before := a.cfg
	a.cfg = nil
	cfg, err := a.config()
	if err != nil {
		a.cfg = before
		return t, false, nil // what was signed in to is signed in to
	}
	p, err := cfg.SSO(t.profile)
	if err != nil || p.Session.Legacy() || !sameStart(p.Session.StartURL, t.session.StartURL) || p.Session.Region != t.session.Region {
		return t, false, nil // likewise
	}
	st, err := a.store()
	if err != nil {
		return t, false, err
	}
	a.remark("Profile %q was upgraded meanwhile: it uses session %q now.", p.Profile, p.Session.Name)
	from := session.Session{StartURL: t.session.StartURL, Region: t.session.Region}
	o := &upgradeOptions{app: a}
	g := &upgradeGroup{from: from, to: p.Session, profiles: []awsconfig.SSOProfile{p}}
	o.check(ctx, cfg, st, g)
	locks, err := o.lock(ctx, st, []*upgradeGroup{g})
	if err != nil {
		return t, false, err
	}
	defer locks.Release()
	err = o.carry(ctx, cfg, st, locks, g)
	return target{session: p.Session, profile: p.Profile}, true, err
}

// command is what finishes an upgrade that was interrupted.
func (o *upgradeOptions) command(cfg *awsconfig.Config, g *upgradeGroup) string {
	command := "homing configure sso --upgrade"
	for _, p := range cfg.ProfilesOf(g.to) {
		return command + " " + argument(p.Profile)
	}
	return command
}

// dropRoles removes the role credentials that the AWS CLI and homing keep under the start URL and that no profile looks
// for any more. They are fetched anew under the session's name.
func (o *upgradeOptions) dropRoles(st *store.Store, g *upgradeGroup, left []awsconfig.SSOProfile) {
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
		o.app.ui.debug("role credentials: %v", err)
	}
}
