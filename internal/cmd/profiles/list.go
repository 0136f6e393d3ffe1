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
	reach
}

func newList(a *app.App) *cobra.Command {
	o := &listOptions{reach{App: a}}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts and roles you may use, with the profiles that exist for them",
		Long: app.Lines(
			"Lists every account of the session and every role in it, with the profiles of the AWS config file that lead to it.",
			"On a terminal the list narrows as you type, and Enter prints what is left of it.",
			"",
			"Patterns hold * for any text and ? for one character, in any letter case. A list that was interrupted goes on where",
			"it was when the command is repeated.",
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

// grantDocument is a role that a person may use, under --json.
type grantDocument struct {
	AccountID    string   `json:"account_id"`
	AccountName  string   `json:"account_name"`
	AccountEmail string   `json:"account_email"`
	RoleName     string   `json:"role_name"`
	Profiles     []string `json:"profiles"`
}

// unlistedDocument is an account whose roles the service did not tell.
type unlistedDocument struct {
	AccountID   string `json:"account_id"`
	AccountName string `json:"account_name"`
	Error       string `json:"error"`
}

type listDocument struct {
	Session  string             `json:"session"`
	StartURL string             `json:"start_url"`
	Roles    []grantDocument    `json:"roles"`
	Unlisted []unlistedDocument `json:"unlisted"`
}

func (o *listOptions) run(ctx context.Context) error {
	a := o.App
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
	l, done, err := lister(a, t.Session, selected.Account)
	if err != nil {
		return err
	}
	result, err := list(ctx, a, l, done)
	if err != nil {
		return err
	}
	if len(result.Accounts) == 0 && len(o.accounts) == 0 {
		return nothingAssigned(t.Session)
	}
	covering := profiles.Covering(cfg, t.Session)
	doc := listDocument{Session: t.Session.Name, StartURL: t.Session.StartURL, Roles: []grantDocument{}, Unlisted: unlisted(result)}
	var grants []profiles.Grant
	for _, account := range byName(result.Accounts) {
		for _, role := range account.Roles {
			grants = append(grants, profiles.Grant{Account: account.Account, Role: role})
			if !selected.Match(grants[len(grants)-1]) {
				continue
			}
			doc.Roles = append(doc.Roles, grantDocument{
				AccountID: account.ID, AccountName: account.Name, AccountEmail: account.Email, RoleName: role,
				Profiles: append([]string{}, covering[[2]string{account.ID, role}]...),
			})
		}
	}
	if len(doc.Unlisted) == 0 {
		if err := o.matched(selected.Unmatched(grants), ""); err != nil {
			return err
		}
	}
	if a.UI.JSON {
		return a.UI.Document(doc)
	}
	return o.print(ctx, t.Session, doc)
}

// print shows the list: what a person narrows it down to, or all of it.
func (o *listOptions) print(ctx context.Context, s session.Session, doc listDocument) error {
	a := o.App
	a.UI.Notes(unlistedNotes(doc.Unlisted))
	if len(doc.Roles) == 0 {
		if len(o.accounts)+len(o.roles) == 0 {
			return nothingAssigned(s)
		}
		a.UI.Say("Nothing that you may use through %s matches.\n", s.InWords())
		return nil
	}
	rows := make([][]string, len(doc.Roles))
	for i, g := range doc.Roles {
		rows[i] = []string{ui.OrDash(g.AccountName), ui.OrDash(g.AccountID), ui.OrDash(g.RoleName), ui.OrDash(strings.Join(g.Profiles, ", ")), ui.OrDash(g.AccountEmail)}
	}
	if prompt.CanNarrow(a) && len(rows) > 1 {
		left, err := prompt.Narrow(ctx, a, aligned(rows))
		if err != nil {
			return err
		}
		kept := make([][]string, len(left))
		for i, at := range left {
			kept[i] = rows[at]
		}
		rows = kept
	}
	for _, line := range fitting(a, append([][]string{{"ACCOUNT", "ID", "ROLE", "PROFILE", "EMAIL"}}, rows...)) {
		if _, err := fmt.Fprintln(a.UI.Out, line); err != nil {
			return err
		}
	}
	return nil
}

// fitting aligns a table. On a terminal that is too narrow for it the last column is left out: lines that wrap are no table
// any more, and --json and a pipe have it.
func fitting(a *app.App, rows [][]string) []string {
	lines := aligned(rows)
	if width := prompt.Columns(a); a.Env.Terminal.Stdout && slices.ContainsFunc(lines, func(line string) bool { return ui.Columns(line) > width }) {
		for i, row := range rows {
			rows[i] = row[:len(row)-1]
		}
		return aligned(rows)
	}
	return lines
}

// byName sorts accounts as people look for them.
func byName(accounts []roster.Account) []roster.Account {
	return slices.SortedFunc(slices.Values(accounts), func(a, b roster.Account) int {
		return cmp.Or(plain.FoldCompare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
}

// aligned writes rows as lines whose columns stand below each other.
func aligned(rows [][]string) []string {
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

func unlisted(result roster.Result) []unlistedDocument {
	out := []unlistedDocument{}
	for _, r := range result.Refused {
		out = append(out, unlistedDocument{r.Account.ID, r.Account.Name, ui.Clean(r.Err.Error())})
	}
	return out
}

func unlistedNotes(list []unlistedDocument) (notes []string) {
	for _, u := range list {
		notes = append(notes, "The roles of account "+u.AccountID+" are not known: "+u.Error)
	}
	return notes
}
