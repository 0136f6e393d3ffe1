package upgrade

import (
	"context"
	"fmt"
	"slices"

	"github.com/homing-cli/homing/internal/answer"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
)

// group holds the profiles of one start URL and region, which get the same session.
type group struct {
	legacy   session.Session // what the profiles sign in to before the upgrade
	target   session.Session
	create   bool                   // target is not in the config file yet
	profiles []awsconfig.SSOProfile // those to edit; empty if an earlier upgrade has edited them
	// unverified is why the service could not say whether the token of target is still good. It is nil if the service
	// has answered, or was not asked.
	unverified error
}

// groupProfiles groups the profiles by start URL and region, and chooses a session for each group. file is the config
// file without the credentials file.
//
// A profile that already has a session gets a group without profiles: an earlier upgrade may have been interrupted
// before it moved the token.
func (o *Options) groupProfiles(ctx context.Context, cfg, file *awsconfig.Config, names []string) ([]*group, error) {
	var groups []*group
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		p, err := cfg.SSO(name)
		if err != nil {
			return nil, err
		}
		if p.Profile != name {
			return nil, fault.Suggest(fault.Usage, fault.Upgrade{p.Profile},
				"profile %q signs in through profile %q, which is the one to upgrade", name, p.Profile)
		}
		legacy := session.Session{StartURL: p.Session.StartURL, Region: p.Session.Region}
		if !p.Session.Legacy() {
			o.App.UI.Say("Profile %q already uses session %q.\n", name, p.Session.Name)
			groups = append(groups, &group{legacy: legacy, target: p.Session})
			continue
		}
		own, ok := file.Profile(name)
		if !ok || own.Get("sso_start_url") != legacy.StartURL || own.Get("sso_region") != legacy.Region {
			path, line := startURLSource(cfg, name)
			return nil, fault.New(fault.Config,
				fmt.Sprintf("move the settings of profile %q to %q", name, cfg.ConfigPath()),
				"profile %q has its sso_start_url or sso_region in another file (%q line %d), "+
					"which --upgrade does not edit", name, path, line)
		}
		i := slices.IndexFunc(groups, func(g *group) bool {
			return len(g.profiles) > 0 && g.legacy.StartURL == legacy.StartURL && g.legacy.Region == legacy.Region
		})
		if i < 0 {
			i = len(groups)
			groups = append(groups, &group{legacy: legacy})
		}
		groups[i].profiles = append(groups[i].profiles, p)
	}
	return groups, o.chooseSessions(ctx, cfg, groups)
}

// chooseSessions sets the session of every group with profiles.
func (o *Options) chooseSessions(ctx context.Context, cfg *awsconfig.Config, groups []*group) error {
	taken := cfg.SessionNames()
	chosen := false
	for _, g := range groups {
		if len(g.profiles) == 0 {
			continue
		}
		if o.SSOSession != "" && chosen {
			return fault.New(fault.Usage, "upgrade them one by one, or leave the flag out",
				"--sso-session names one session, but the profiles have different start URLs or regions")
		}
		chosen = true
		if err := o.chooseSession(ctx, cfg, g, taken); err != nil {
			return err
		}
		if g.create {
			taken = append(taken, g.target.Name)
		}
	}
	return nil
}

// chooseSession sets the session of g: the one that o names; else, of those with the same start URL and region, the
// first that needs no sign-in, or just the first; else a new one with a name that is not taken.
func (o *Options) chooseSession(ctx context.Context, cfg *awsconfig.Config, g *group, taken []string) error {
	matches := func(s session.Session) bool {
		return !s.Legacy() && app.SamePortal(s.StartURL, g.legacy.StartURL) && s.Region == g.legacy.Region
	}
	name := o.SSOSession
	if name == "" {
		matching := slices.DeleteFunc(cfg.Sessions(), func(s session.Session) bool { return !matches(s) })
		if len(matching) > 0 {
			st, err := o.App.Store()
			if err != nil {
				return err
			}
			onlooker := connect.Onlooker(o.App, st)
			live := slices.IndexFunc(matching, func(s session.Session) bool {
				return onlooker.Outlook(ctx, s).Next != refresh.NextSignIn
			})
			g.target = matching[max(live, 0)]
			return nil
		}
		name = answer.SessionName(g.legacy, taken)
	}
	const hint = "give another name: --sso-session NAME"
	if slices.Contains(taken, name) {
		s, err := cfg.Session(name)
		if err != nil {
			return err
		}
		if !matches(s) {
			return fault.New(fault.Usage, hint, "session %q has start URL %q in %s, but profile %q has %q in %s",
				name, s.StartURL, s.Region, g.profiles[0].Profile, g.legacy.StartURL, g.legacy.Region)
		}
		g.target = s
		return nil
	}
	if problem := answer.CheckName(name); problem != "" {
		return fault.New(fault.Usage, hint, "--sso-session %q: %s", name, ui.LowerFirst(problem))
	}
	g.create = true
	g.target = session.Session{
		Name: name, StartURL: g.legacy.StartURL, Region: g.legacy.Region, Scopes: []string{session.DefaultScope},
	}
	return nil
}
