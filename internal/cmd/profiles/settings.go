package profiles

import (
	"bytes"
	"context"
	"slices"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/profiles"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/settings"
)

// options puts together what the profiles of s should be: config.toml, over it a team's file, over both the flags.
func (o *syncOptions) options(ctx context.Context, s session.Session) (profiles.Options, error) {
	user, err := o.App.UserSettings()
	if err != nil {
		return profiles.Options{}, err
	}
	set := user.For(s.Name).Profiles
	if o.from != "" {
		name, text, err := readTeam(ctx, o.App, o.from)
		if err != nil {
			return profiles.Options{}, err
		}
		team, err := settings.Team(name, bytes.NewReader(text))
		if err != nil {
			return profiles.Options{}, err
		}
		set = team.Over(set)
	}
	set = o.flagged().Over(set)
	want := profiles.Options{
		Session: s, Template: set.Template.Value, Form: profiles.Form(set.Form.Value), Prune: o.prune, Rename: o.rename,
		Select:  profiles.Selection{Accounts: set.Accounts.Value, Roles: set.Roles.Value, Exclude: slices.Concat(set.Exclude.Value, o.exclude)},
		Program: o.App.Env.Program, Taken: o.App.Loaded.CredentialsNames(),
	}
	for _, d := range set.Defaults {
		want.Defaults = append(want.Defaults, profiles.Default{Match: d.Match, Region: d.Region.Value, Output: d.Output.Value})
	}
	if want.Form == profiles.FormProcess && want.Program == "" {
		return want, fault.New(fault.Config, "use another form: --form sso-session", "where homing is stored is not known, so no credential_process can name it")
	}
	return want, nil
}

// flagged are the flags as settings. --exclude is not among them: it comes on top of what is excluded already.
func (o *syncOptions) flagged() settings.Profiles {
	p := settings.Profiles{
		Template: flagText("--template", o.template), Form: flagText("--form", o.form),
		Accounts: flagList("--account", o.accounts), Roles: flagList("--role", o.roles),
	}
	region, output := flagText("--region", o.App.Flags.Region), flagText("--output", o.output)
	if region.IsSet() || output.IsSet() {
		p.Defaults = []settings.ProfileDefaults{{Match: "*", Region: region, Output: output}}
	}
	return p
}

func flagText(flag, value string) settings.Value[string] {
	if value == "" {
		return settings.Value[string]{}
	}
	return settings.Value[string]{Value: value, Origin: flag}
}

func flagList(flag string, list []string) settings.Value[[]string] {
	if len(list) == 0 {
		return settings.Value[[]string]{}
	}
	return settings.Value[[]string]{Value: list, Origin: flag}
}
