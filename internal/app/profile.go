package app

import (
	"context"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/store"
	"github.com/spf13/cobra"
)

// RoleFlags name a role by session, account and name instead of by a profile.
type RoleFlags struct {
	SSOSession string
	AccountID  string
	RoleName   string
}

// RegisterRole adds the flags to cmd.
func (r *RoleFlags) RegisterRole(cmd *cobra.Command, a *App) {
	flags := cmd.Flags()
	flags.StringVar(&r.SSOSession, "sso-session", "",
		"`name` of the [sso-session], with --account-id and --role-name instead of a profile")
	flags.StringVar(&r.AccountID, "account-id", "", "`number` of the account")
	flags.StringVar(&r.RoleName, "role-name", "", "`name` of the role (permission set)")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.CompleteSessions)
	_ = cmd.RegisterFlagCompletionFunc("account-id", a.CompleteAccounts)
	_ = cmd.RegisterFlagCompletionFunc("role-name", a.CompleteRoles)
}

// Valid refuses flags that do not name a role.
func (r *RoleFlags) Valid() error {
	if (r.AccountID == "") != (r.RoleName == "") {
		return fault.New(fault.Usage, "give both: --account-id NUMBER --role-name NAME",
			"--account-id and --role-name belong together")
	}
	if r.AccountID != "" && !isAccountID(r.AccountID) {
		return fault.New(fault.Usage, "give its number: --account-id 111122223333",
			"--account-id %q is not a number of 12 digits", r.AccountID)
	}
	if r.SSOSession != "" && r.AccountID == "" {
		return fault.New(fault.Usage, "add the flags: --account-id NUMBER --role-name NAME",
			"--sso-session names no role by itself")
	}
	return nil
}

// isAccountID reports whether s has the form of an AWS account ID.
func isAccountID(s string) bool {
	return len(s) == 12 && strings.Trim(s, "0123456789") == ""
}

// RoleProfile returns the profile whose role a command is about: the active profile; else [default] if it leads to a
// role; else the only profile with a role, if there is no [default]; else the one the person picks, if mayAsk. That
// profile is the active one from then on. It may assume a role over another profile (Via), or lack a role (NeedRole).
func (a *App) RoleProfile(ctx context.Context, mayAsk bool) (awsconfig.SSOProfile, error) {
	cfg, err := a.Config()
	if err != nil {
		return awsconfig.SSOProfile{}, err
	}
	if name, _ := a.ActiveProfile(); name != "" {
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
		a.Flags.Profile = choices[0].Profile
		return choices[0], nil
	case len(choices) == 0 || !mayAsk || !a.Interactive():
		return awsconfig.SSOProfile{}, noProfile(cfg, exists, len(choices))
	}
	a.UI.Say("Which profile?\n")
	i, err := a.Choose(ctx, profileLabels(choices), "--profile NAME")
	if err != nil {
		return awsconfig.SSOProfile{}, err
	}
	a.Flags.Profile = choices[i].Profile
	return choices[i], nil
}

// Role returns the role that r names, or else that of RoleProfile. command is the name of the command that needs it,
// for hints. It refuses a profile that assumes a role over another one.
func (a *App) Role(ctx context.Context, r RoleFlags, command string, mayAsk bool) (store.RoleKey, error) {
	if r.AccountID != "" {
		t, err := a.Target(ctx, r.SSOSession)
		return store.RoleKey{Session: t.Session, AccountID: r.AccountID, RoleName: r.RoleName}, err
	}
	p, err := a.RoleProfile(ctx, mayAsk)
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

// RoleInUse is Role for a command without RoleFlags. It returns the name of the profile too.
func (a *App) RoleInUse(ctx context.Context, command string) (profile string, key store.RoleKey, err error) {
	key, err = a.Role(ctx, RoleFlags{}, command, true)
	profile, _ = a.ActiveProfile()
	if profile == "" {
		profile = "default"
	}
	return profile, key, err
}

// noProfile is the error if no profile is named and homing cannot choose one of choices.
func noProfile(cfg *awsconfig.Config, exists bool, choices int) error {
	var remedy fault.Remedy = fault.Advice("add the flag: --profile NAME")
	if choices == 0 {
		remedy = fault.ConfigureSSO{}
		if len(cfg.SessionNames()) > 0 {
			remedy = fault.Preface{Words: "to write profiles,", Then: fault.SyncProfiles{}}
		}
	}
	if !exists {
		return fault.Suggest(fault.Usage, remedy, "no profile is named, and there is no [default]")
	}
	return fault.Suggest(fault.Usage, remedy, "no profile is named, and [default] has no role of IAM Identity Center")
}

// withRoles returns the profiles with a role of their own, in the order of the files.
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

// profileLabels returns the lines of the list to pick a profile from.
func profileLabels(profiles []awsconfig.SSOProfile) []string {
	labels := make([]string, len(profiles))
	for i, p := range profiles {
		labels[i] = p.Profile + " (" + roleInWords(p.AccountID, p.RoleName) + ")"
	}
	return labels
}

// standsOn refuses a profile that assumes a role over another one: the portal gives the credentials of that other
// profile, which have other permissions. The AWS CLI and the SDKs assume the role themselves.
func standsOn(p awsconfig.SSOProfile, command string) error {
	if len(p.Via) < 2 {
		return nil
	}
	asked, on := p.Via[0], p.Profile
	instead := fault.UseProfile{Command: command, Profile: on}
	return fault.Suggest(fault.Config, fault.Preface{Words: "for the credentials it starts from,", Then: instead},
		"profile %q assumes a role over profile %q, which the AWS CLI and the SDKs do by themselves: "+
			"give them the profile as it is", asked, on)
}
