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

// planOptions returns what the profiles of s should be: config.toml, overridden by a team's file, overridden by
// flags.
func (o *syncOptions) planOptions(ctx context.Context, s session.Session) (profiles.Options, error) {
	user, err := o.app.UserSettings()
	if err != nil {
		return profiles.Options{}, err
	}
	set := user.For(s.Name).Profiles
	if o.from != "" {
		name, text, err := readTeam(ctx, o.app, o.from)
		if err != nil {
			return profiles.Options{}, err
		}
		team, err := settings.Team(name, bytes.NewReader(text))
		if err != nil {
			return profiles.Options{}, err
		}
		set = team.Over(set)
	}
	set = o.flagSettings().Over(set)
	want := profiles.Options{
		Session: s, Template: set.Template.Value, Form: profiles.Form(set.Form.Value), Prune: o.prune, Rename: o.rename,
		Select: profiles.Selection{
			Accounts: set.Accounts.Value, Roles: set.Roles.Value, Exclude: slices.Concat(set.Exclude.Value, o.exclude),
		},
		Program: o.app.Env.Program, Taken: o.app.Loaded.CredentialsNames(),
	}
	for _, d := range set.Defaults {
		want.Defaults = append(want.Defaults,
			profiles.Default{Match: d.Match, Region: d.Region.Value, Output: d.Output.Value})
	}
	if want.Form == profiles.FormProcess && want.Program == "" {
		return want, fault.New(fault.Config, "use another form: --form sso-session",
			"the path of the homing program is not known, so credential_process cannot name it")
	}
	return want, nil
}

// flagSettings returns the flags as settings, without --exclude, which adds to the settings instead of replacing
// them.
func (o *syncOptions) flagSettings() settings.Profiles {
	p := settings.Profiles{
		Template: flagText("--template", o.template), Form: flagText("--form", o.form),
		Accounts: flagList("--account", o.accounts), Roles: flagList("--role", o.roles),
	}
	region, output := flagText("--region", o.app.Flags.Region), flagText("--output", o.output)
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
