// Package upgrade turns legacy profiles into profiles of an [sso-session] and moves their token to that session, so
// that the person stays signed in. It takes the locks of the tokens before it changes the config file.
package upgrade

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/answer"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/prompt"
	"github.com/homing-cli/homing/internal/ui"
)

// maxRetries is how often Run starts again because another program, mostly another upgrade, has changed the file.
const maxRetries = 4

// Options are the arguments of an upgrade.
type Options struct {
	App        *app.App
	SSOSession string // the session to use; "" finds one or makes a name
	Yes        bool   // do not ask before the change
	retries    int
}

// LegacyProfiles returns the profiles that can be upgraded: legacy ones, except those in the credentials file.
func LegacyProfiles(cfg *awsconfig.Config) (names []string) {
	for _, s := range cfg.Sessions() {
		if !s.Legacy() {
			continue
		}
		for _, p := range cfg.ProfilesOf(s) {
			if path, _ := startURLSource(cfg, p.Profile); path == cfg.ConfigPath() {
				names = append(names, p.Profile)
			}
		}
	}
	return names
}

// startURLSource returns the file and line of a profile's start URL.
func startURLSource(cfg *awsconfig.Config, profile string) (path string, line int) {
	p, _ := cfg.Profile(profile)
	return p.Where("sso_start_url")
}

// Run upgrades the profiles of the given names, or the active profile if there are none. It shows the change as a
// diff and, without o.Yes, asks first.
func (o *Options) Run(ctx context.Context, names []string) error {
	a := o.App
	cfg, src, err := o.load(ctx)
	if err != nil {
		return err
	}
	if names, err = o.profileNames(cfg, names); err != nil {
		return err
	}
	path := cfg.ConfigPath()
	groups, err := o.groupProfiles(ctx, cfg, awsconfig.Parse(path, src), names)
	if err != nil {
		return err
	}
	edits := groupEdits(groups)
	if len(edits) > 0 {
		if ok, err := o.preview(ctx, path, src, edits, groups); !ok || err != nil {
			return err
		}
	}
	st, err := a.Store()
	if err != nil {
		return err
	}
	for _, g := range groups {
		o.verifyTarget(ctx, cfg, st, g)
	}
	// Take the locks first: then nothing waits, and nothing can be interrupted, between the edit and the move.
	locks, err := o.lockTokens(ctx, st, groups)
	if err != nil {
		return err
	}
	defer locks.Release()
	if len(edits) > 0 {
		// Edit only the text that was checked: if a profile has been removed since, the edit would add it again,
		// without its role.
		switch err := o.edit(ctx, path, src, edits); {
		case errors.Is(err, errChanged) && o.Yes && o.retries < maxRetries: // nobody has confirmed the diff
			o.retries++
			a.UI.Say("Another program changed %q; checking it again.\n", ui.Clean(path))
			locks.Release()
			return o.Run(ctx, names)
		case errors.Is(err, errChanged):
			return fault.New(fault.Config, "run the command again",
				"another program changed %q, so nothing was upgraded", path)
		case err != nil:
			return err
		}
		a.Loaded = nil
		if cfg, err = a.Config(); err != nil {
			return err
		}
	}
	return o.moveTokens(ctx, cfg, st, locks, groups)
}

// load reads the config once no other program is writing the config file, and returns that file's text too. Two
// readings could differ: another upgrade may end between them.
func (o *Options) load(ctx context.Context) (*awsconfig.Config, []byte, error) {
	paths, err := o.App.Paths()
	if err != nil {
		return nil, nil, err
	}
	src, err := configedit.Read(ctx, paths.Config)
	if err != nil {
		return nil, nil, err
	}
	cfg, err := awsconfig.LoadText(paths, string(src))
	if err == nil {
		err = cfg.CLIError()
	}
	if err != nil {
		return nil, nil, err
	}
	o.App.Loaded = cfg
	return cfg, src, nil
}

var errChanged = errors.New("another program changed the file")

// edit makes the edits, or returns errChanged if the file is not src any more. What other programs write once the edits
// are made is theirs to keep.
func (o *Options) edit(ctx context.Context, path string, src []byte, edits []configedit.Edit) error {
	made := false
	return configedit.UpdateFunc(ctx, path, func(now []byte) ([]configedit.Edit, error) {
		switch {
		case bytes.Equal(now, src):
			made = true
		case !made:
			return nil, errChanged
		}
		return edits, nil
	})
}

// profileNames returns names, or else the active profile. Without either it returns a fault that names the
// candidates.
func (o *Options) profileNames(cfg *awsconfig.Config, names []string) ([]string, error) {
	if len(names) > 0 {
		return names, nil
	}
	if name, _ := o.App.ActiveProfile(); name != "" {
		return []string{name}, nil
	}
	legacy := LegacyProfiles(cfg)
	if len(legacy) == 0 {
		return nil, fault.Suggest(fault.Usage, fault.Upgrade{"PROFILE"},
			"--upgrade needs the name of a legacy profile, and %q has none", o.App.ConfigFile())
	}
	return nil, fault.Suggest(fault.Usage, fault.Upgrade(legacy),
		"--upgrade needs the names of the profiles to upgrade")
}

// preview applies the edits to src in memory, checks the result, shows the diff and asks the person. It reports
// whether the edits may be written.
func (o *Options) preview(
	ctx context.Context, path string, src []byte, edits []configedit.Edit, groups []*group,
) (bool, error) {
	out, err := configedit.Apply(src, edits...)
	if err != nil {
		return false, err
	}
	if err := checkResult(awsconfig.Parse(path, out), groups); err != nil {
		return false, err
	}
	if u := o.App.UI; !u.JSON {
		_, _ = fmt.Fprint(u.Out, ui.UnifiedDiff(ui.Clean(path), string(src), string(out)))
	}
	return o.confirm(ctx, path)
}

// confirm asks the person whether the file may be changed.
func (o *Options) confirm(ctx context.Context, path string) (bool, error) {
	a := o.App
	if o.Yes {
		return true, nil
	}
	if !a.Interactive() {
		return false, fault.New(fault.Usage, "to make this change, add the flag: --yes",
			"there is no terminal to ask on, so nothing was changed")
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

// groupEdits returns the edits of the config file that upgrade the groups.
func groupEdits(groups []*group) (edits []configedit.Edit) {
	for _, g := range groups {
		for _, p := range g.profiles {
			edits = append(edits, configedit.Edit{
				Section: configedit.Section{Type: "profile", Name: p.Profile},
				Set:     []configedit.KeyValue{{Key: "sso_session", Value: g.target.Name}},
				// botocore refuses a profile with a value that differs from its session's, scopes among them.
				Unset: []string{"sso_start_url", "sso_region", "sso_registration_scopes"},
			})
		}
		if g.create {
			edits = append(edits, answer.SessionEdit(g.target))
		}
	}
	return edits
}

// checkResult returns a fault unless each profile of the edited config file has its session and its former role.
func checkResult(edited *awsconfig.Config, groups []*group) error {
	for _, g := range groups {
		for _, before := range g.profiles {
			p, err := edited.SSO(before.Profile)
			if err == nil && p.Session.Name == g.target.Name &&
				p.AccountID == before.AccountID && p.RoleName == before.RoleName {
				continue
			}
			why := "not every program would read it the same way"
			if err != nil {
				why = err.Error()
			}
			return &fault.Error{
				Kind: fault.Config, Remedy: fault.Advice("name another session: --sso-session NAME"), Err: err,
				Msg: fmt.Sprintf("profile %q cannot use session %q: %s", before.Profile, g.target.Name, why),
			}
		}
	}
	return nil
}
