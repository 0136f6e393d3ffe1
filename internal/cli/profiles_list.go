package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/profiles"
	"github.com/homing-cli/homing/internal/roster"
	"github.com/homing-cli/homing/internal/session"
	"github.com/spf13/cobra"
)

type profilesListOptions struct {
	reach
}

func newProfilesListCmd(a *app) *cobra.Command {
	o := &profilesListOptions{reach{app: a}}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the accounts and roles you may use, with the profiles that exist for them",
		Long: lines(
			"Lists every account of the session and every role in it, with the profiles of the AWS config file that lead to it.",
			"On a terminal the list narrows as you type, and Enter prints what is left of it.",
			"",
			"Patterns hold * for any text and ? for one character, in any letter case. A list that was interrupted goes on where",
			"it was when the command is repeated.",
		),
		Example: lines(
			"  homing profiles list",
			"  homing profiles list --sso-session dev --account 'prod*' --role '*Admin*'",
			"  homing profiles list --json | jq -r '.roles[] | select(.profiles == []) | .account_name'",
		),
		Args: noArgs,
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

func (o *profilesListOptions) run(ctx context.Context) error {
	a := o.app
	t, err := a.target(ctx, o.ssoSession)
	if err != nil {
		return err
	}
	if err := o.signIn(ctx, t); err != nil {
		return err
	}
	cfg, err := a.config()
	if err != nil {
		return err
	}
	selected := profiles.Selection{Accounts: o.accounts, Roles: o.roles}
	l, done, err := a.lister(t.session, selected.Account)
	if err != nil {
		return err
	}
	result, err := a.list(ctx, l, done)
	if err != nil {
		return err
	}
	if len(result.Accounts) == 0 && len(o.accounts) == 0 {
		return nothingAssigned(t.session)
	}
	covering := profiles.Covering(cfg, t.session)
	doc := listDocument{Session: t.session.Name, StartURL: t.session.StartURL, Roles: []grantDocument{}, Unlisted: unlisted(result)}
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
	if a.ui.json {
		return a.ui.document(doc)
	}
	return o.print(ctx, t.session, doc)
}

// print shows the list: what a person narrows it down to, or all of it.
func (o *profilesListOptions) print(ctx context.Context, s session.Session, doc listDocument) error {
	a := o.app
	a.ui.notes(unlistedNotes(doc.Unlisted))
	if len(doc.Roles) == 0 {
		if len(o.accounts)+len(o.roles) == 0 {
			return nothingAssigned(s)
		}
		a.ui.say("Nothing that you may use through %s matches.\n", s.InWords())
		return nil
	}
	rows := make([][]string, len(doc.Roles))
	for i, g := range doc.Roles {
		rows[i] = []string{orDash(g.AccountName), orDash(g.AccountID), orDash(g.RoleName), orDash(strings.Join(g.Profiles, ", ")), orDash(g.AccountEmail)}
	}
	if a.narrows() && len(rows) > 1 {
		left, err := a.narrow(ctx, aligned(rows))
		if err != nil {
			return err
		}
		kept := make([][]string, len(left))
		for i, at := range left {
			kept[i] = rows[at]
		}
		rows = kept
	}
	for _, line := range a.fitting(append([][]string{{"ACCOUNT", "ID", "ROLE", "PROFILE", "EMAIL"}}, rows...)) {
		if _, err := fmt.Fprintln(a.ui.out, line); err != nil {
			return err
		}
	}
	return nil
}

// fitting aligns a table. On a terminal that is too narrow for it the last column is left out: lines that wrap are no table
// any more, and --json and a pipe have it.
func (a *app) fitting(rows [][]string) []string {
	lines := aligned(rows)
	if width := a.columns(); a.env.Terminal.Stdout && slices.ContainsFunc(lines, func(line string) bool { return columns(line) > width }) {
		for i, row := range rows {
			rows[i] = row[:len(row)-1]
		}
		return aligned(rows)
	}
	return lines
}

func orDash(s string) string { return cmp.Or(clean(s), "-") }

// byName sorts accounts as people look for them.
func byName(accounts []roster.Account) []roster.Account {
	return slices.SortedFunc(slices.Values(accounts), func(a, b roster.Account) int {
		return cmp.Or(foldCompare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
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
			widths[i] = max(widths[i], columns(cell))
		}
	}
	out := make([]string, len(rows))
	var b strings.Builder
	for i, row := range rows {
		b.Reset()
		for j, cell := range row {
			b.WriteString(cell)
			if j < len(row)-1 {
				b.WriteString(strings.Repeat(" ", widths[j]-columns(cell)+2))
			}
		}
		out[i] = b.String()
	}
	return out
}

func unlisted(result roster.Result) []unlistedDocument {
	out := []unlistedDocument{}
	for _, r := range result.Refused {
		out = append(out, unlistedDocument{r.Account.ID, r.Account.Name, clean(r.Err.Error())})
	}
	return out
}

func unlistedNotes(list []unlistedDocument) (notes []string) {
	for _, u := range list {
		notes = append(notes, "The roles of account "+u.AccountID+" are not known: "+u.Error)
	}
	return notes
}
