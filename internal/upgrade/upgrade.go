// Package upgrade turns legacy profiles into profiles of an [sso-session], and takes their token along.
package upgrade

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/answer"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/prompt"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
)

// Options is configure sso --upgrade: legacy profiles become profiles of an [sso-session].
type Options struct {
	App        *app.App
	SSOSession string // "" finds or makes a name
	Yes        bool
	again      int // how often the file was changed by others
}

// group are the profiles of one start URL and region.
type group struct {
	from     session.Session // what they stand on, or stood on
	to       session.Session
	fresh    bool // to is to be made
	profiles []awsconfig.SSOProfile
	unasked  error // why the service could not say whether the token of to is still good; nil = it was asked, or need not be
}

// LegacyProfiles are those that can be upgraded, the ones in the credentials file not among them.
func LegacyProfiles(cfg *awsconfig.Config) (names []string) {
	for _, s := range cfg.Sessions() {
		if s.Legacy() {
			for _, p := range cfg.ProfilesOf(s) {
				if path, _ := mustProfile(cfg, p.Profile).Where("sso_start_url"); path == cfg.ConfigPath() {
					names = append(names, p.Profile)
				}
			}
		}
	}
	return names
}

func (o *Options) Run(ctx context.Context, names []string) error {
	a := o.App
	cfg, err := a.Config()
	if err != nil {
		return err
	}
	if name, _ := a.ActiveProfile(); len(names) == 0 && name != "" {
		names = []string{name}
	}
	if len(names) == 0 {
		legacy := LegacyProfiles(cfg)
		if len(legacy) == 0 {
			return fault.Suggest(fault.Usage, fault.Upgrade{"PROFILE"}, "--upgrade needs the name of a profile, and %q has no legacy ones", a.ConfigFile())
		}
		return fault.Suggest(fault.Usage, fault.Upgrade(legacy), "--upgrade needs the names of the profiles to upgrade")
	}
	path := cfg.ConfigPath()
	src, err := os.ReadFile(path)
	if err != nil {
		return &fault.Error{Kind: fault.Config, Msg: err.Error(), Remedy: fault.Run{"ls", "-l", path}, Err: err}
	}
	groups, err := o.groups(ctx, cfg, awsconfig.Parse(path, src), names)
	if err != nil {
		return err
	}
	edits := editsOf(groups)
	if len(edits) > 0 {
		out, err := awsconfig.Apply(src, edits...)
		if err != nil {
			return err
		}
		if err := o.verify(awsconfig.Parse(path, out), groups); err != nil {
			return err
		}
		if !a.UI.JSON {
			_, _ = fmt.Fprint(a.UI.Out, ui.UnifiedDiff(ui.Clean(path), string(src), string(out)))
		}
		if yes, err := o.agreed(ctx, path); !yes || err != nil {
			return err
		}
	}
	st, err := a.Store()
	if err != nil {
		return err
	}
	for _, g := range groups {
		o.check(ctx, cfg, st, g)
	}
	// The locks come first: between the change and the move nobody is waited for, and nothing can be interrupted.
	locks, err := o.lock(ctx, st, groups)
	if err != nil {
		return err
	}
	defer locks.Release()
	if len(edits) > 0 {
		// What was looked at is what is changed: a profile that went away meanwhile would be made anew, without its role.
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, src) {
			if o.again++; err == nil && o.Yes && o.again < 5 { // nobody has been asked: another upgrade, mostly
				a.UI.Say("%q was changed by another program meanwhile; looking again.\n", ui.Clean(path))
				a.Loaded = nil
				locks.Release()
				return o.Run(ctx, names)
			}
			return &fault.Error{
				Kind: fault.Config, Msg: fmt.Sprintf("%q was changed by another program meanwhile, so nothing was changed", path),
				Remedy: fault.Advice("type the command again"), Err: err,
			}
		}
		if err := awsconfig.Update(ctx, path, edits...); err != nil {
			return err
		}
		a.Loaded = nil
		if cfg, err = a.Config(); err != nil {
			return err
		}
	}
	return o.conclude(ctx, cfg, st, locks, groups)
}

// agreed asks whether the file may be changed.
func (o *Options) agreed(ctx context.Context, path string) (bool, error) {
	a := o.App
	if o.Yes {
		return true, nil
	}
	if !a.Interactive() {
		return false, fault.New(fault.Usage, "to make this change, add the flag: --yes", "there is no terminal to ask on, so nothing was changed")
	}
	answer, err := prompt.Ask(ctx, a, prompt.Question{
		Text: fmt.Sprintf("Change %q like this? (yes or no)", ui.Clean(path)), Current: "no", Flag: "--yes",
		Check: func(answer string) string {
			if slices.Contains([]string{"y", "yes", "n", "no"}, strings.ToLower(answer)) {
				return ""
			}
			return "Answer yes or no"
		},
	})
	if err != nil {
		return false, err
	}
	yes := strings.HasPrefix(strings.ToLower(answer), "y")
	if !yes {
		a.UI.Say("Nothing was changed.\n")
	}
	return yes, nil
}

// groups sorts profiles by what they sign in to and finds the session of each group. file is the config file alone.
// A profile that has a session already is in the group too, without needing an edit: an earlier upgrade may have been
// interrupted before the token was moved.
func (o *Options) groups(ctx context.Context, cfg, file *awsconfig.Config, names []string) ([]*group, error) {
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
			o.App.UI.Say("Profile %q uses session %q already.\n", name, p.Session.Name)
			groups = append(groups, &group{from: legacy, to: p.Session})
			continue
		}
		if here, ok := file.Profile(name); !ok || here.Get("sso_start_url") != p.Session.StartURL || here.Get("sso_region") != p.Session.Region {
			where, line := mustProfile(cfg, name).Where("sso_start_url")
			return nil, fault.New(fault.Config, fmt.Sprintf("move the settings of profile %q to %q", name, cfg.ConfigPath()),
				"profile %q has its sso_start_url or sso_region from elsewhere (%q line %d), where it is not changed", name, where, line)
		}
		i := slices.IndexFunc(groups, func(g *group) bool {
			return len(g.profiles) > 0 && g.from.StartURL == legacy.StartURL && g.from.Region == legacy.Region
		})
		if i < 0 {
			i = len(groups)
			groups = append(groups, &group{from: legacy})
		}
		groups[i].profiles = append(groups[i].profiles, p)
	}
	taken := cfg.SessionNames()
	named := false
	for _, g := range groups {
		if len(g.profiles) == 0 {
			continue
		}
		if o.SSOSession != "" && named {
			return nil, fault.New(fault.Usage, "upgrade them one by one, or leave the flag out",
				"--sso-session names one session, and the profiles have different start URLs or regions")
		}
		named = true
		if err := o.choose(ctx, cfg, g, taken); err != nil {
			return nil, err
		}
		if g.fresh {
			taken = append(taken, g.to.Name)
		}
	}
	return groups, nil
}

func mustProfile(cfg *awsconfig.Config, name string) awsconfig.Profile {
	p, _ := cfg.Profile(name)
	return p
}

// choose finds the session of a group: the one that is named, else the first one with the same start URL and region that
// needs no sign-in, else the first one, else a new one.
func (o *Options) choose(ctx context.Context, cfg *awsconfig.Config, g *group, taken []string) error {
	name := o.SSOSession
	if name == "" {
		alike := slices.DeleteFunc(cfg.Sessions(), func(s session.Session) bool {
			return s.Legacy() || !app.SamePortal(s.StartURL, g.from.StartURL) || s.Region != g.from.Region
		})
		if len(alike) > 0 {
			st, err := o.App.Store()
			if err != nil {
				return err
			}
			looks := connect.Onlooker(o.App, st)
			live := slices.IndexFunc(alike, func(s session.Session) bool { return looks.Outlook(ctx, s).Next != refresh.NextSignIn })
			g.to = alike[max(live, 0)]
			return nil
		}
		name = answer.SessionName(g.from, taken)
	}
	if slices.Contains(taken, name) {
		s, err := cfg.Session(name)
		if err != nil {
			return err
		}
		if !app.SamePortal(s.StartURL, g.from.StartURL) || s.Region != g.from.Region {
			return fault.New(fault.Usage, "give another name: --sso-session NAME", "session %q has start URL %q in %s, not %q in %s as profile %q",
				name, s.StartURL, s.Region, g.from.StartURL, g.from.Region, g.profiles[0].Profile)
		}
		g.to = s
		return nil
	}
	if problem := answer.CheckName(name); problem != "" {
		return fault.New(fault.Usage, "give another name: --sso-session NAME", "--sso-session %q: %s", name, ui.LowerFirst(problem))
	}
	g.fresh = true
	g.to = session.Session{Name: name, StartURL: g.from.StartURL, Region: g.from.Region, Scopes: []string{session.DefaultScope}}
	return nil
}

// editsOf are the changes to the config file.
func editsOf(groups []*group) (edits []awsconfig.Edit) {
	for _, g := range groups {
		for _, p := range g.profiles {
			edits = append(edits, awsconfig.Edit{
				Section: awsconfig.Section{Type: "profile", Name: p.Profile},
				Set:     []awsconfig.KeyValue{{Key: "sso_session", Value: g.to.Name}},
				// botocore refuses a profile with a value that differs from its session's, scopes among them.
				Unset: []string{"sso_start_url", "sso_region", "sso_registration_scopes"},
			})
		}
		if g.fresh {
			edits = append(edits, answer.SessionEdit(g.to))
		}
	}
	return edits
}

// verify reads the result as it will be read: each profile must have its session, and the role it had.
func (o *Options) verify(after *awsconfig.Config, groups []*group) error {
	for _, g := range groups {
		for _, p := range g.profiles {
			now, err := after.SSO(p.Profile)
			if err == nil && now.Session.Name == g.to.Name && now.AccountID == p.AccountID && now.RoleName == p.RoleName {
				continue
			}
			why := "it would not be read alike by every program"
			if err != nil {
				why = err.Error()
			}
			return &fault.Error{
				Kind: fault.Config, Remedy: fault.Advice("name another session: --sso-session NAME"), Err: err,
				Msg: fmt.Sprintf("profile %q cannot use session %q: %s", p.Profile, g.to.Name, why),
			}
		}
	}
	return nil
}
