package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/spf13/cobra"
)

// upgradeOptions is configure sso --upgrade: legacy profiles become profiles of an [sso-session].
type upgradeOptions struct {
	app        *app
	ssoSession string // "" finds or makes a name
	yes        bool
	again      int // how often the file was changed by others
}

// upgradeGroup are the profiles of one start URL and region.
type upgradeGroup struct {
	from     session.Session // what they stand on, or stood on
	to       session.Session
	fresh    bool // to is to be made
	profiles []awsconfig.SSOProfile
	unasked  error // why the service could not say whether the token of to is still good; nil = it was asked, or need not be
}

func (o *configureSSOOptions) registerUpgrade(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.upgrade, "upgrade", false, "turn the legacy profiles that are named as arguments into profiles of an [sso-session]")
	cmd.Flags().BoolVar(&o.yes, "yes", false, "with --upgrade: change the file without asking")
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if o.upgrade {
			return nil
		}
		return noArgs(cmd, args)
	}
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		cfg, err := o.app.config()
		if err != nil || !o.upgrade {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return legacyProfiles(cfg), cobra.ShellCompDirectiveNoFileComp
	}
}

// runUpgrade checks the command line and upgrades.
func (o *configureSSOOptions) runUpgrade(cmd *cobra.Command, profiles []string) error {
	for _, name := range []string{
		"sso-start-url", "sso-region", "sso-registration-scopes", "sso-account-id", "sso-role-name", "output",
		"flow", "use-device-code", "no-browser", "redirect-port",
	} {
		if o.given(name) {
			return fault.New(fault.Usage, helpHint(cmd), "--%s and --upgrade contradict each other: the profile keeps what it has, and nobody signs in", name)
		}
	}
	u := upgradeOptions{app: o.app, ssoSession: o.ssoSession, yes: o.yes}
	return u.run(cmd.Context(), profiles)
}

// legacyProfiles are those that can be upgraded, the ones in the credentials file not among them.
func legacyProfiles(cfg *awsconfig.Config) (names []string) {
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

func (o *upgradeOptions) run(ctx context.Context, names []string) error {
	a := o.app
	cfg, err := a.config()
	if err != nil {
		return err
	}
	if name, _ := a.activeProfile(); len(names) == 0 && name != "" {
		names = []string{name}
	}
	if len(names) == 0 {
		legacy := legacyProfiles(cfg)
		if len(legacy) == 0 {
			return fault.New(fault.Usage, "run: homing configure sso --upgrade PROFILE", "--upgrade needs the name of a profile, and %q has no legacy ones", a.configFile())
		}
		hint := "run: homing configure sso --upgrade"
		for _, name := range legacy {
			hint += " " + argument(name)
		}
		return fault.New(fault.Usage, hint, "--upgrade needs the names of the profiles to upgrade")
	}
	path := cfg.ConfigPath()
	src, err := os.ReadFile(path)
	if err != nil {
		return &fault.Error{Kind: fault.Config, Msg: err.Error(), Hint: "run: ls -l " + argument(path), Err: err}
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
		if !a.ui.json {
			_, _ = fmt.Fprint(a.ui.out, unifiedDiff(clean(path), string(src), string(out)))
		}
		if yes, err := o.agreed(ctx, path); !yes || err != nil {
			return err
		}
	}
	st, err := a.store()
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
			if o.again++; err == nil && o.yes && o.again < 5 { // nobody has been asked: another upgrade, mostly
				a.ui.say("%q was changed by another program meanwhile; looking again.\n", clean(path))
				a.cfg = nil
				locks.Release()
				return o.run(ctx, names)
			}
			return &fault.Error{
				Kind: fault.Config, Msg: fmt.Sprintf("%q was changed by another program meanwhile, so nothing was changed", path),
				Hint: "type the command again", Err: err,
			}
		}
		if err := awsconfig.Update(ctx, path, edits...); err != nil {
			return err
		}
		a.cfg = nil
		if cfg, err = a.config(); err != nil {
			return err
		}
	}
	return o.conclude(ctx, cfg, st, locks, groups)
}

// agreed asks whether the file may be changed.
func (o *upgradeOptions) agreed(ctx context.Context, path string) (bool, error) {
	a := o.app
	if o.yes {
		return true, nil
	}
	if !a.interactive() {
		return false, fault.New(fault.Usage, "to make this change, add the flag: --yes", "there is no terminal to ask on, so nothing was changed")
	}
	answer, err := a.ask(ctx, question{
		text: fmt.Sprintf("Change %q like this? (yes or no)", clean(path)), current: "no", flag: "--yes",
		check: func(answer string) string {
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
		a.ui.say("Nothing was changed.\n")
	}
	return yes, nil
}

// groups sorts profiles by what they sign in to and finds the session of each group. file is the config file alone.
// A profile that has a session already is in the group too, without needing an edit: an earlier upgrade may have been
// interrupted before the token was moved.
func (o *upgradeOptions) groups(ctx context.Context, cfg, file *awsconfig.Config, names []string) ([]*upgradeGroup, error) {
	var groups []*upgradeGroup
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			continue
		}
		p, err := cfg.SSO(name)
		if err != nil {
			return nil, err
		}
		if p.Profile != name {
			return nil, fault.New(fault.Usage, "run: homing configure sso --upgrade "+argument(p.Profile),
				"profile %q signs in through profile %q, which is the one to upgrade", name, p.Profile)
		}
		legacy := session.Session{StartURL: p.Session.StartURL, Region: p.Session.Region}
		if !p.Session.Legacy() {
			o.app.ui.say("Profile %q uses session %q already.\n", name, p.Session.Name)
			groups = append(groups, &upgradeGroup{from: legacy, to: p.Session})
			continue
		}
		if here, ok := file.Profile(name); !ok || here.Get("sso_start_url") != p.Session.StartURL || here.Get("sso_region") != p.Session.Region {
			where, line := mustProfile(cfg, name).Where("sso_start_url")
			return nil, fault.New(fault.Config, fmt.Sprintf("move the settings of profile %q to %q", name, cfg.ConfigPath()),
				"profile %q has its sso_start_url or sso_region from elsewhere (%q line %d), where it is not changed", name, where, line)
		}
		i := slices.IndexFunc(groups, func(g *upgradeGroup) bool {
			return len(g.profiles) > 0 && g.from.StartURL == legacy.StartURL && g.from.Region == legacy.Region
		})
		if i < 0 {
			i = len(groups)
			groups = append(groups, &upgradeGroup{from: legacy})
		}
		groups[i].profiles = append(groups[i].profiles, p)
	}
	taken := cfg.SessionNames()
	named := false
	for _, g := range groups {
		if len(g.profiles) == 0 {
			continue
		}
		if o.ssoSession != "" && named {
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
func (o *upgradeOptions) choose(ctx context.Context, cfg *awsconfig.Config, g *upgradeGroup, taken []string) error {
	name := o.ssoSession
	if name == "" {
		alike := slices.DeleteFunc(cfg.Sessions(), func(s session.Session) bool {
			return s.Legacy() || !sameStart(s.StartURL, g.from.StartURL) || s.Region != g.from.Region
		})
		if len(alike) > 0 {
			st, err := o.app.store()
			if err != nil {
				return err
			}
			looks := o.app.onlooker(st)
			live := slices.IndexFunc(alike, func(s session.Session) bool { return looks.Outlook(ctx, s).Next != refresh.NextSignIn })
			g.to = alike[max(live, 0)]
			return nil
		}
		name = sessionName(g.from, taken)
	}
	if slices.Contains(taken, name) {
		s, err := cfg.Session(name)
		if err != nil {
			return err
		}
		if !sameStart(s.StartURL, g.from.StartURL) || s.Region != g.from.Region {
			return fault.New(fault.Usage, "give another name: --sso-session NAME", "session %q has start URL %q in %s, not %q in %s as profile %q",
				name, s.StartURL, s.Region, g.from.StartURL, g.from.Region, g.profiles[0].Profile)
		}
		g.to = s
		return nil
	}
	if problem := checkName(name); problem != "" {
		return fault.New(fault.Usage, "give another name: --sso-session NAME", "--sso-session %q: %s", name, lowerFirst(problem))
	}
	g.fresh = true
	g.to = session.Session{Name: name, StartURL: g.from.StartURL, Region: g.from.Region, Scopes: []string{session.DefaultScope}}
	return nil
}

// editsOf are the changes to the config file.
func editsOf(groups []*upgradeGroup) (edits []awsconfig.Edit) {
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
			edits = append(edits, sessionEdit(g.to))
		}
	}
	return edits
}

// verify reads the result as it will be read: each profile must have its session, and the role it had.
func (o *upgradeOptions) verify(after *awsconfig.Config, groups []*upgradeGroup) error {
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
				Kind: fault.Config, Hint: "name another session: --sso-session NAME", Err: err,
				Msg: fmt.Sprintf("profile %q cannot use session %q: %s", p.Profile, g.to.Name, why),
			}
		}
	}
	return nil
}
