package profiles

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/answer"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/naming"
	"github.com/homing-cli/homing/internal/profiles"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

type syncOptions struct {
	commonOptions
	exclude                      []string
	template, form, output, from string
	prune, rename, dryRun, yes   bool

	portal    answer.SessionFlags // describe a session that may not be configured yet
	unwritten bool                // the session is not configured: write it together with the profiles
}

// profileForms are the values of --form.
var profileForms = []string{string(profiles.FormSession), string(profiles.FormLegacy), string(profiles.FormProcess)}

func newSync(a *app.App) *cobra.Command {
	o := &syncOptions{commonOptions: commonOptions{app: a}}
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Write a profile for every account and role you may use",
		Long: app.Lines(
			"Writes a profile to the AWS config file for every account and role of the session, or for the selected",
			"ones. It shows the change as a diff and asks before it writes; --dry-run only shows it, --yes does not",
			"ask. A comment marks each managed profile. Your own profiles, managed ones that you have edited and",
			"ones that are not selected stay as they are; only --prune removes profiles, and only --rename renames",
			"them.",
			"",
			"Flags override a team's file (--from), which overrides the table [profiles] of config.toml. A name",
			"template uses {{.AccountName}}, {{.AccountID}}, {{.AccountEmail}}, {{.RoleName}}, {{.Session}} and",
			"{{.Region}} with helpers, as in {{.AccountName | trim \"acme-\" | slug}}. If a name is taken, the",
			"account ID is appended. More: docs/profiles.md.",
			"",
			"With --sso-start-url and --sso-region it also configures the session, if that does not exist yet; it",
			"writes the session and the profiles together. With --form legacy the profiles share a sign-in of their",
			"own: homing login --profile NAME.",
		),
		Example: app.Lines(
			"  homing profiles sync --dry-run",
			"  homing profiles sync --sso-session dev --account 'prod*' --role ReadOnly --region eu-west-1",
			"  homing profiles sync --login --yes --prune --from https://example.com/team.toml",
			"  homing profiles sync --login --yes --sso-session dev \\",
			"    --sso-start-url https://d-1234567890.awsapps.com/start --sso-region us-east-1",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	o.register(cmd)
	o.registerPortal(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&o.exclude, "exclude", nil,
		"also exclude accounts, roles or account/role that match this `pattern`; may be repeated")
	flags.StringVar(&o.template, "template", "",
		"`template` of the names (default {{.AccountName | slug}}-{{.RoleName}})")
	flags.StringVar(&o.form, "form", "",
		"`form` of the profiles: "+strings.Join(profileForms, ", ")+" (default sso-session)")
	flags.StringVar(&o.output, "output", "",
		"output `format` of the profiles: "+strings.Join(answer.OutputFormats, ", "))
	flags.StringVar(&o.from, "from", "", "`file` of settings that a team shares, a path or an https address")
	flags.BoolVar(&o.prune, "prune", false, "remove managed profiles whose role no longer exists or is excluded")
	flags.BoolVar(&o.rename, "rename", false, "rename managed profiles that the template now names differently")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show the change without making it")
	flags.BoolVar(&o.yes, "yes", false, "change the file without asking")
	app.CompleteFixed(cmd, "form", profileForms...)
	app.CompleteFixed(cmd, "output", answer.OutputFormats...)
	_ = cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault))
	return cmd
}

// validate refuses unusable options before the run spends minutes on the list.
func (o *syncOptions) validate(cmd *cobra.Command) error {
	for _, f := range []struct{ flag, value string }{
		{"from", o.from}, {"template", o.template}, {"form", o.form}, {"output", o.output},
		{"region", o.app.Flags.Region}, {"sso-session", o.ssoSession},
	} {
		if cmd.Flags().Changed(f.flag) && strings.TrimSpace(f.value) == "" { // likely an unset shell variable
			return fault.New(fault.Usage, "give it a value, or leave it out", "--%s is empty", f.flag)
		}
	}
	if o.form != "" && !slices.Contains(profileForms, o.form) {
		return fault.New(fault.Usage, "use one of: "+strings.Join(profileForms, ", "), "--form %q is not a form",
			o.form)
	}
	if _, err := naming.Parse(cmp.Or(o.template, naming.Default)); err != nil {
		return err
	}
	if err := answer.RefuseOutput(o.output); err != nil {
		return err
	}
	if err := answer.RefuseRegion(o.app.Flags.Region); err != nil {
		return err
	}
	if err := o.commonOptions.validate(cmd, o.exclude...); err != nil {
		return err
	}
	if !o.yes && !o.dryRun && !o.app.Interactive() {
		return fault.New(fault.Usage, "to see the change, add the flag: --dry-run; to make it: --yes",
			"there is no terminal to ask on, so nothing was changed")
	}
	return nil
}

func (o *syncOptions) run(ctx context.Context) error {
	a := o.app
	t, err := o.target(ctx)
	if err != nil {
		return err
	}
	// Check the team's file and the config file before a sign-in and a list that may take minutes.
	want, err := o.planOptions(ctx, t.Session)
	if err != nil {
		return err
	}
	if !o.dryRun {
		if err := configedit.Editable(a.Loaded.ConfigPath()); err != nil {
			return err
		}
	}
	if err := o.signIn(ctx, t); err != nil {
		return o.retryRemedy(err)
	}
	unselected := map[string]bool{} // account IDs; their roles are not listed
	l, clearLine, err := newLister(a, t.Session, func(account session.Account) bool {
		selected := want.Select.Account(account)
		if !selected && !unselected[account.ID] {
			unselected[account.ID] = true
			want.Unknown = append(want.Unknown, account.ID)
		}
		return selected
	})
	if err != nil {
		return err
	}
	l.Keep = true // until the person has answered
	result, err := listRoles(ctx, a, l, clearLine)
	if err != nil {
		return o.retryRemedy(err)
	}
	var grants []profiles.Grant
	for _, account := range result.Accounts {
		for _, role := range account.Roles {
			grants = append(grants, profiles.Grant{Account: account.Account, Role: role})
		}
	}
	for _, refused := range result.Refused {
		want.Unknown = append(want.Unknown, refused.Account.ID)
	}
	if !a.UI.JSON {
		a.UI.Notes(unlistedNotes(unlistedAccounts(result)))
	}
	if len(grants)+len(want.Unknown) == 0 {
		l.Finish()
		return errNoRoles(t.Session)
	}
	out := outcome{o: o, session: t.Session, unlisted: unlistedAccounts(result), finish: l.Finish}
	err = o.apply(ctx, &out, func(src []byte) (profiles.Plan, error) {
		src, first, err := o.addSession(a.Loaded.ConfigPath(), src, t.Session)
		if err != nil {
			return profiles.Plan{}, err
		}
		plan, err := profiles.Make(awsconfig.Parse(a.Loaded.ConfigPath(), src), grants, want)
		plan.Edits = slices.Concat(first, plan.Edits)
		for i, c := range plan.Changes {
			if c.Kind == profiles.Keep && unselected[c.Grant.Account.ID] {
				plan.Changes[i].Reason = "it is not selected"
			}
		}
		return plan, err
	})
	if err == nil {
		l.Finish()
	}
	return err
}

// apply plans the change, shows it, asks and writes. It plans again from the locked file; if that gives another
// change than the person has seen, it writes nothing.
func (o *syncOptions) apply(ctx context.Context, out *outcome, plan func(src []byte) (profiles.Plan, error)) error {
	a := o.app
	path := a.Loaded.ConfigPath()
	src, err := configedit.Read(ctx, path)
	if err != nil {
		return err
	}
	if out.plan, err = plan(src); err != nil {
		return err
	}
	if err := o.checkUnmatched(out.plan); err != nil && len(out.unlisted) == 0 {
		return err
	}
	if out.plan.Empty() {
		return out.report(ctx)
	}
	if !o.yes || o.dryRun {
		after, err := configedit.Preview(path, src, out.plan.Edits...)
		if err != nil {
			return err
		}
		out.diff = ui.UnifiedDiff(ui.Clean(path), string(src), string(after))
	}
	if o.dryRun {
		return out.report(ctx)
	}
	if !o.yes {
		if yes, err := out.confirm(ctx); !yes || err != nil {
			return err
		}
	}
	shown := out.plan
	err = configedit.UpdateFunc(ctx, path, func(now []byte) ([]configedit.Edit, error) {
		next, err := plan(now)
		switch {
		case err != nil:
			return nil, err
		case next.Empty(): // the change is in the file already, ours if this is not the first call
			if !out.changed {
				out.plan = next
			}
			return nil, nil
		case !o.yes && !equalEdits(next.Edits, shown.Edits):
			return nil, fault.New(fault.Config, "run the command again",
				"another program changed %q in the meantime, so the change no longer applies; nothing was changed",
				path)
		}
		out.plan, out.changed = next, true
		return next.Edits, nil
	})
	if err != nil {
		return err
	}
	return out.report(ctx)
}

// checkUnmatched refuses patterns on the command line that match nothing. It accepts patterns of the settings, which
// may match for others of the team, and the ID of an account that no longer exists, which matches its profiles.
func (o *syncOptions) checkUnmatched(plan profiles.Plan) error {
	unmatched := slices.DeleteFunc(slices.Clone(plan.Unmatched), func(pattern string) bool {
		return slices.ContainsFunc(plan.Changes, func(c profiles.Change) bool {
			return c.Kind != profiles.Keep && c.Grant.Account.ID == strings.TrimSpace(pattern)
		})
	})
	before := ""
	if o.prune {
		before = "if the account no longer exists, use its ID instead of its name; "
	}
	return o.checkPatterns(unmatched, before)
}
