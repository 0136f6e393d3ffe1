package cli

import (
	"context"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/store"
	"github.com/spf13/cobra"
)

// roleFlags name a role instead of a profile.
type roleFlags struct {
	ssoSession string
	accountID  string
	roleName   string
}

func (r *roleFlags) registerRole(cmd *cobra.Command, a *app) {
	flags := cmd.Flags()
	flags.StringVar(&r.ssoSession, "sso-session", "", "`name` of the [sso-session], with --account-id and --role-name instead of a profile")
	flags.StringVar(&r.accountID, "account-id", "", "`number` of the account")
	flags.StringVar(&r.roleName, "role-name", "", "`name` of the role (permission set)")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.completeSessions)
	_ = cmd.RegisterFlagCompletionFunc("account-id", a.completeAccounts)
	_ = cmd.RegisterFlagCompletionFunc("role-name", a.completeRoles)
}

func (r *roleFlags) valid() error {
	if (r.accountID == "") != (r.roleName == "") {
		return fault.New(fault.Usage, "give both: --account-id NUMBER --role-name NAME", "--account-id and --role-name belong together")
	}
	if r.accountID != "" && !isAccountID(r.accountID) {
		return fault.New(fault.Usage, "give its number: --account-id 111122223333", "--account-id %q is not a number of 12 digits", r.accountID)
	}
	if r.ssoSession != "" && r.accountID == "" {
		return fault.New(fault.Usage, "add the flags: --account-id NUMBER --role-name NAME", "--sso-session names no role by itself")
	}
	return nil
}

// isAccountID reports whether s looks like the number of an AWS account.
func isAccountID(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// roleProfile returns the profile whose role a command is about: the one that is named (--profile, AWS_PROFILE,
// AWS_DEFAULT_PROFILE), or that of the exec around it; else [default] where it leads to a role; else, with mayAsk, the one that a person at this
// terminal picks. Where there is neither a name nor a [default] it is the only one that there is. What was not named is
// the active profile from then on. The profile may assume a role over another (Via), and may lack a role (NeedRole).
func (a *app) roleProfile(ctx context.Context, mayAsk bool) (awsconfig.SSOProfile, error) {
	cfg, err := a.config()
	if err != nil {
		return awsconfig.SSOProfile{}, err
	}
	if name, _ := a.activeProfile(); name != "" {
		return cfg.SSO(name)
	}
	byDefault, exists := cfg.Profile("default")
	if exists {
		p, err := cfg.SSO("default")
		if err == nil && p.NeedRole() == nil || err != nil && usesSSO(byDefault) {
			return p, err
		}
	}
	choices := withRoles(cfg)
	switch {
	case len(choices) == 1 && !exists:
		a.flags.profile = choices[0].Profile
		return choices[0], nil
	case len(choices) == 0 || !mayAsk || !a.interactive():
		return awsconfig.SSOProfile{}, noProfile(cfg, exists, len(choices))
	}
	a.ui.say("Which profile?\n")
	i, err := a.choose(ctx, profileLabels(choices), "--profile NAME")
	if err != nil {
		return awsconfig.SSOProfile{}, err
	}
	a.flags.profile = choices[i].Profile
	return choices[i], nil
}

// role finds the role that the flags r name, else that of the profile in use (roleProfile). command is the name of the
// command that wants it, for hints.
func (a *app) role(ctx context.Context, r roleFlags, command string, mayAsk bool) (store.RoleKey, error) {
	if r.accountID != "" {
		t, err := a.target(ctx, r.ssoSession)
		return store.RoleKey{Session: t.session, AccountID: r.accountID, RoleName: r.roleName}, err
	}
	p, err := a.roleProfile(ctx, mayAsk)
	if err != nil {
		return store.RoleKey{}, err
	}
	if err := standsOn(p, command); err != nil {
		return store.RoleKey{}, err
	}
	if err := p.NeedRole(); err != nil {
		return store.RoleKey{}, err
	}
	return store.RoleKey{Session: p.Session, AccountID: p.AccountID, RoleName: p.RoleName}, nil
}

// roleInUse returns the active profile ([default] where none is named) and its role, for a command of that name.
func (a *app) roleInUse(ctx context.Context, command string) (profile string, key store.RoleKey, err error) {
	key, err = a.role(ctx, roleFlags{}, command, true)
	profile, _ = a.activeProfile()
	if profile == "" {
		profile = "default"
	}
	return profile, key, err
}

// noProfile is the error of a command that needs a role where nobody says whose.
func noProfile(cfg *awsconfig.Config, exists bool, choices int) error {
	hint := "add the flag: --profile NAME"
	if choices == 0 {
		hint = "run: homing configure sso"
		if len(cfg.SessionNames()) > 0 {
			hint = "write profiles with: homing profiles sync; then add the flag: --profile NAME"
		}
	}
	if !exists {
		return fault.New(fault.Usage, hint, "no profile is named, and there is no [default]")
	}
	return fault.New(fault.Usage, hint, "no profile is named, and [default] has no role of IAM Identity Center")
}

// withRoles returns the profiles that have a role of their own, in the order of the files.
func withRoles(cfg *awsconfig.Config) []awsconfig.SSOProfile {
	found := map[string]awsconfig.SSOProfile{}
	for _, s := range cfg.Sessions() {
		for _, p := range cfg.ProfilesOf(s) {
			if p.NeedRole() == nil {
				found[p.Profile] = p
			}
		}
	}
	var list []awsconfig.SSOProfile
	for _, name := range cfg.ProfileNames() {
		if p, ok := found[name]; ok {
			list = append(list, p)
		}
	}
	return list
}

// profileLabels are the lines of the list to pick from.
func profileLabels(profiles []awsconfig.SSOProfile) []string {
	labels := make([]string, len(profiles))
	for i, p := range profiles {
		labels[i] = p.Profile + " (" + roleInWords(p.AccountID, p.RoleName) + ")"
	}
	return labels
}
