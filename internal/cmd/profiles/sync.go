package profiles

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/answer"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/naming"
	"github.com/homing-cli/homing/internal/profiles"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

type syncOptions struct {
	reach
	exclude                      []string
	template, form, output, from string
	prune, rename, dryRun, yes   bool

	portal    answer.SessionFlags // of a session that may not be configured yet
	unwritten bool                // it is not, and is written with the profiles
}

// profileForms are the values of --form.
var profileForms = []string{string(profiles.FormSession), string(profiles.FormLegacy), string(profiles.FormProcess)}

func newSync(a *app.App) *cobra.Command {
	o := &syncOptions{reach: reach{App: a}}
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Write a profile for every account and role you may use",
		Long: app.Lines(
			"Writes a profile to the AWS config file for every account of the session and every role in it, or for those that are",
			"selected. On a terminal the change is shown as a diff and asked about; --dry-run only shows it, --yes makes it. A second",
			"run changes nothing. The AWS CLI and the SDKs read these profiles by themselves.",
			"",
			"A comment above each header marks what is managed. Only that is ever changed, and removed only with --prune: profiles",
			"that you wrote are left alone, and so is a managed one that you changed since. What is not selected is left alone, too;",
			"what is excluded is not wanted, and --prune removes it. A name that is taken gets the account's number behind it. A",
			"profile keeps its name when its account gets another one, unless --rename is given.",
			"",
			"Names are made by a template of {{.AccountName}}, {{.AccountID}}, {{.AccountEmail}}, {{.RoleName}}, {{.Session}} and",
			"{{.Region}}, each with helpers behind it: slug, lower, upper, trim \"PREFIX\", replace \"OLD\" \"NEW\", regex \"EXPR\" \"NEW\" and",
			"default \"TEXT\", as in {{.AccountName | trim \"acme-\" | slug}}.",
			"",
			"Settings come from the table [profiles] of config.toml, over them from a file that a team shares (--from, a path or an",
			"https address; only names, filters, regions and output formats are taken from it), over both from flags.",
			"",
			"With --form legacy a profile holds the start URL itself, for programs that know no sso-session. Such profiles have a",
			"sign-in of their own, one for all of them: homing login --profile NAME with any of them.",
			"",
			"A session that is not configured yet can be described by flags: --sso-start-url and --sso-region, with --sso-session for",
			"its name, which is otherwise made of the start URL. It is written together with the profiles, or not at all. One that",
			"is configured with other values is an error.",
		),
		Example: app.Lines(
			"  homing profiles sync --dry-run",
			"  homing profiles sync --sso-session dev --account 'prod*' --role ReadOnly --region eu-west-1",
			"  homing profiles sync --login --yes --prune --from https://example.com/team.toml",
			"  homing profiles sync --login --yes --sso-session dev --sso-start-url https://d-1234567890.awsapps.com/start \\",
			"    --sso-region us-east-1",
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
	flags.StringArrayVar(&o.exclude, "exclude", nil, "no profiles for what matches this `pattern` of accounts, roles or account/role, besides what the settings exclude; may be repeated")
	flags.StringVar(&o.template, "template", "", "`template` of the names (default {{.AccountName | slug}}-{{.RoleName}})")
	flags.StringVar(&o.form, "form", "", "`form` of the profiles: "+strings.Join(profileForms, ", ")+" (default sso-session)")
	flags.StringVar(&o.output, "output", "", "output `format` of the profiles: "+strings.Join(answer.OutputFormats, ", "))
	flags.StringVar(&o.from, "from", "", "`file` of settings that a team shares, or its https address")
	flags.BoolVar(&o.prune, "prune", false, "remove managed profiles whose role is gone or excluded")
	flags.BoolVar(&o.rename, "rename", false, "rename managed profiles that the template now names differently")
	flags.BoolVar(&o.dryRun, "dry-run", false, "show what would change, and change nothing")
	flags.BoolVar(&o.yes, "yes", false, "change the file without asking")
	app.CompleteFixed(cmd, "form", profileForms...)
	app.CompleteFixed(cmd, "output", answer.OutputFormats...)
	_ = cmd.RegisterFlagCompletionFunc("from", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault))
	return cmd
}

// validate refuses what no run can use. Without a terminal that is said before minutes were spent on a list.
func (o *syncOptions) validate(cmd *cobra.Command) error {
	for _, f := range []struct{ flag, value string }{
		{"from", o.from}, {"template", o.template}, {"form", o.form}, {"output", o.output}, {"region", o.App.Flags.Region}, {"sso-session", o.ssoSession},
	} {
		if cmd.Flags().Changed(f.flag) && strings.TrimSpace(f.value) == "" { // a variable that is not set
			return fault.New(fault.Usage, "give it a value, or leave it out", "--%s is empty", f.flag)
		}
	}
	if o.form != "" && !slices.Contains(profileForms, o.form) {
		return fault.New(fault.Usage, "use one of: "+strings.Join(profileForms, ", "), "--form %q is not a form", o.form)
	}
	if _, err := naming.Parse(cmp.Or(o.template, naming.Default)); err != nil {
		return err
	}
	if problem := answer.CheckOutput(o.output); problem != "" {
		return fault.New(fault.Usage, "use one of: "+strings.Join(answer.OutputFormats, ", "), "--output %q is not an output format", o.output)
	}
	if region := o.App.Flags.Region; region != "" && answer.CheckRegion(region) != "" {
		return fault.New(fault.Usage, "give a region such as: --region eu-west-1", "--region %q is not a region", region)
	}
	if err := o.reach.validate(cmd, o.exclude...); err != nil {
		return err
	}
	if !o.yes && !o.dryRun && !o.App.Interactive() {
		return fault.New(fault.Usage, "to see the change, add the flag: --dry-run; to make it: --yes", "there is no terminal to ask on, so nothing was changed")
	}
	return nil
}

func (o *syncOptions) run(ctx context.Context) error {
	a := o.App
	t, err := o.find(ctx)
	if err != nil {
		return err
	}
	want, err := o.options(ctx, t.Session) // before anybody signs in: a team's file may be wrong
	if err != nil {
		return err
	}
	if !o.dryRun { // nor is a list fetched for minutes that cannot be written
		if err := awsconfig.Editable(a.Loaded.ConfigPath()); err != nil {
			return err
		}
	}
	if err := o.signIn(ctx, t); err != nil {
		return o.again(err)
	}
	aside := map[string]bool{} // accounts that are not selected: nothing is known of their roles
	l, done, err := lister(a, t.Session, func(account session.Account) bool {
		yes := want.Select.Account(account)
		if !yes && !aside[account.ID] {
			aside[account.ID] = true
			want.Unknown = append(want.Unknown, account.ID)
		}
		return yes
	})
	if err != nil {
		return err
	}
	l.Keep = true // until the question is answered
	result, err := list(ctx, a, l, done)
	if err != nil {
		return o.again(err)
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
		a.UI.Notes(unlistedNotes(unlisted(result)))
	}
	if len(grants)+len(want.Unknown) == 0 {
		l.Finish()
		return nothingAssigned(t.Session)
	}
	out := outcome{o: o, session: t.Session, unlisted: unlisted(result), finish: l.Finish}
	err = o.apply(ctx, &out, func(src []byte) (profiles.Plan, error) {
		src, first, err := o.withSession(a.Loaded.ConfigPath(), src, t.Session)
		if err != nil {
			return profiles.Plan{}, err
		}
		plan, err := profiles.Make(awsconfig.Parse(a.Loaded.ConfigPath(), src), grants, want)
		plan.Edits = slices.Concat(first, plan.Edits)
		for i, c := range plan.Changes {
			if c.Kind == profiles.Keep && aside[c.Grant.Account.ID] {
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

// apply plans, shows, asks and writes.
func (o *syncOptions) apply(ctx context.Context, out *outcome, plan func(src []byte) (profiles.Plan, error)) error {
	a := o.App
	path := a.Loaded.ConfigPath()
	src, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return &fault.Error{Kind: fault.Config, Msg: err.Error(), Remedy: fault.Run{"ls", "-l", path}, Err: err}
	}
	if out.plan, err = plan(src); err != nil {
		return err
	}
	if err := o.matches(out.plan); err != nil && len(out.unlisted) == 0 {
		return err
	}
	if out.plan.Empty() {
		return out.report(ctx)
	}
	if !o.yes || o.dryRun {
		after, err := awsconfig.Preview(path, src, out.plan.Edits...)
		if err != nil {
			return err
		}
		out.diff = ui.UnifiedDiff(ui.Clean(path), string(src), string(after))
	}
	if o.dryRun {
		return out.report(ctx)
	}
	if !o.yes {
		if yes, err := out.ask(ctx); !yes || err != nil {
			return err
		}
	}
	shown := out.plan
	err = awsconfig.UpdateFunc(ctx, path, func(now []byte) ([]awsconfig.Edit, error) {
		if out.plan, err = plan(now); err != nil {
			return nil, err
		}
		if !o.yes && !sameEdits(out.plan.Edits, shown.Edits) {
			return nil, fault.New(fault.Config, "type the command again",
				"%q was changed by another program meanwhile, and what is to be done to it is not what was shown, so nothing was changed", path)
		}
		return out.plan.Edits, nil
	})
	if err != nil {
		return err
	}
	out.changed = !out.plan.Empty()
	return out.report(ctx)
}

// matches refuses patterns on the command line that match nothing: they are misspelt. One that a setting holds may well
// match for others of the team, and the number of an account that is gone matches its profiles.
func (o *syncOptions) matches(plan profiles.Plan) error {
	none := slices.DeleteFunc(slices.Clone(plan.Unmatched), func(pattern string) bool {
		return slices.ContainsFunc(plan.Changes, func(c profiles.Change) bool {
			return c.Kind != profiles.Keep && c.Grant.Account.ID == strings.TrimSpace(pattern)
		})
	})
	before := ""
	if o.prune {
		before = "an account that is gone has no name any more, so give its number; "
	}
	return o.matched(none, before)
}
