package profiles

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/profiles"
	"github.com/homing-cli/homing/internal/prompt"
	"github.com/homing-cli/homing/internal/roster"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

type listOptions struct {
	commonOptions
}

func newList(a *app.App) *cobra.Command {
	o := &listOptions{commonOptions{app: a}}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List your accounts and roles, and their profiles",
		Long: app.Lines(
			"Lists every account of the session and every role in it, with the profiles of the AWS config file that",
			"use it. On a terminal the list narrows as you type; Enter prints what is left.",
			"",
			"In patterns, * matches any text and ? one character; letter case does not matter. If a list was",
			"interrupted, the next run resumes it.",
		),
		Example: app.Lines(
			"  homing profiles list",
			"  homing profiles list --sso-session dev --account 'prod*' --role '*Admin*'",
			"  homing profiles list --json | jq -r '.roles[] | select(.profiles == []) | .account_name'",
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
	return cmd
}

// roleJSON is a role that a person may use, under --json.
type roleJSON struct {
	AccountID    string   `json:"account_id"`
	AccountName  string   `json:"account_name"`
	AccountEmail string   `json:"account_email"`
	RoleName     string   `json:"role_name"`
	Profiles     []string `json:"profiles"`
}

// unlistedJSON is an account whose roles the service did not list.
type unlistedJSON struct {
	AccountID   string `json:"account_id"`
	AccountName string `json:"account_name"`
	Error       string `json:"error"`
}

// listJSON is the answer of profiles list --json.
type listJSON struct {
	Session  string         `json:"session"`
	StartURL string         `json:"start_url"`
	Roles    []roleJSON     `json:"roles"`
	Unlisted []unlistedJSON `json:"unlisted"`
}

func (o *listOptions) run(ctx context.Context) error {
	a := o.app
	t, err := a.Target(ctx, o.ssoSession)
	if err != nil {
		return err
	}
	if err := o.signIn(ctx, t); err != nil {
		return err
	}
	cfg, err := a.Config()
	if err != nil {
		return err
	}
	selected := profiles.Selection{Accounts: o.accounts, Roles: o.roles}
	l, clearLine, err := newLister(a, t.Session, selected.Account)
	if err != nil {
		return err
	}
	result, err := listRoles(ctx, a, l, clearLine)
	if err != nil {
		return err
	}
	if len(result.Accounts) == 0 && len(o.accounts) == 0 {
		return errNoRoles(t.Session)
	}
	covering := profiles.Covering(cfg, t.Session)
	doc := listJSON{
		Session:  t.Session.Name,
		StartURL: t.Session.StartURL,
		Roles:    []roleJSON{},
		Unlisted: unlistedAccounts(result),
	}
	var grants []profiles.Grant
	for _, account := range sortByName(result.Accounts) {
		for _, role := range account.Roles {
			grants = append(grants, profiles.Grant{Account: account.Account, Role: role})
			if !selected.Match(grants[len(grants)-1]) {
				continue
			}
			doc.Roles = append(doc.Roles, roleJSON{
				AccountID: account.ID, AccountName: account.Name, AccountEmail: account.Email, RoleName: role,
				Profiles: append([]string{}, covering[[2]string{account.ID, role}]...),
			})
		}
	}
	if len(doc.Unlisted) == 0 {
		if err := o.checkPatterns(selected.Unmatched(grants), ""); err != nil {
			return err
		}
	}
	if a.UI.JSON {
		return a.UI.Document(doc)
	}
	return o.print(ctx, t.Session, doc)
}

// print writes the list as a table, on a terminal after the person has narrowed it.
func (o *listOptions) print(ctx context.Context, s session.Session, doc listJSON) error {
	a := o.app
	a.UI.Notes(unlistedNotes(doc.Unlisted))
	if len(doc.Roles) == 0 {
		if len(o.accounts)+len(o.roles) == 0 {
			return errNoRoles(s)
		}
		a.UI.Say("No account or role of %s matches.\n", s.InWords())
		return nil
	}
	rows := make([][]string, len(doc.Roles))
	for i, g := range doc.Roles {
		row := []string{g.AccountName, g.AccountID, g.RoleName, strings.Join(g.Profiles, ", "), g.AccountEmail}
		for j, cell := range row {
			row[j] = ui.OrDash(cell)
		}
		rows[i] = row
	}
	if prompt.CanNarrow(a) && len(rows) > 1 {
		matches, err := prompt.Narrow(ctx, a, alignColumns(rows))
		if err != nil {
			return err
		}
		narrowed := make([][]string, len(matches))
		for i, at := range matches {
			narrowed[i] = rows[at]
		}
		rows = narrowed
	}
	for _, line := range fitTable(a, append([][]string{{"ACCOUNT", "ID", "ROLE", "PROFILE", "EMAIL"}}, rows...)) {
		if _, err := fmt.Fprintln(a.UI.Out, line); err != nil {
			return err
		}
	}
	return nil
}

// fitTable aligns a table. If the terminal is too narrow it drops the last column, since wrapped lines are no table;
// a pipe and --json always have it.
func fitTable(a *app.App, rows [][]string) []string {
	lines := alignColumns(rows)
	width := prompt.Columns(a)
	tooWide := func(line string) bool { return ui.Columns(line) > width }
	if !a.Env.Terminal.Stdout || !slices.ContainsFunc(lines, tooWide) {
		return lines
	}
	for i, row := range rows {
		rows[i] = row[:len(row)-1]
	}
	return alignColumns(rows)
}

// sortByName sorts accounts by name, ignoring case, then by ID.
func sortByName(accounts []roster.Account) []roster.Account {
	return slices.SortedFunc(slices.Values(accounts), func(a, b roster.Account) int {
		return cmp.Or(plain.FoldCompare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

// alignColumns returns rows as lines with aligned columns.
func alignColumns(rows [][]string) []string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ui.Columns(cell))
		}
	}
	out := make([]string, len(rows))
	var b strings.Builder
	for i, row := range rows {
		b.Reset()
		for j, cell := range row {
			b.WriteString(cell)
			if j < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[j]-ui.Columns(cell)+2))
			}
		}
		out[i] = b.String()
	}
	return out
}

func unlistedAccounts(result roster.Result) []unlistedJSON {
	out := []unlistedJSON{}
	for _, r := range result.Refused {
		out = append(out, unlistedJSON{r.Account.ID, r.Account.Name, ui.Clean(r.Err.Error())})
	}
	return out
}

func unlistedNotes(list []unlistedJSON) (notes []string) {
	for _, u := range list {
		notes = append(notes, "The roles of account "+u.AccountID+" are not known: "+u.Error)
	}
	return notes
}
