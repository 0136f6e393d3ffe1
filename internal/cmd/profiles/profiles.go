// Package profiles implements the commands profiles list and profiles sync. internal/profiles decides what changes.
package profiles

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/interactive"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/roster"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

// New returns the command profiles.
func New(a *app.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "profiles",
		GroupID: app.GroupUse,
		Short:   "List your accounts and roles, and write profiles for them",
		Args:    cobra.ArbitraryArgs,
		RunE:    app.NeedsSubcommand,
	}
	cmd.AddCommand(newList(a), newSync(a))
	return cmd
}

// commonOptions are the options of both commands: the session, and which of its accounts and roles.
type commonOptions struct {
	app             *app.App
	ssoSession      string
	accounts, roles []string
	login           bool
}

func (r *commonOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&r.ssoSession, "sso-session", "", "`name` of the [sso-session]")
	flags.StringArrayVar(&r.accounts, "account", nil,
		"only accounts whose ID, name or email matches this `pattern`, such as prod*; may be repeated")
	flags.StringArrayVar(&r.roles, "role", nil, "only roles whose name matches this `pattern`; may be repeated")
	flags.BoolVar(&r.login, "login", false, "sign in first if that is needed")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", r.app.CompleteSessions)
	_ = cmd.RegisterFlagCompletionFunc("account", r.app.CompleteAccounts)
	_ = cmd.RegisterFlagCompletionFunc("role", r.app.CompleteRoles)
}

// validate refuses empty patterns.
func (r *commonOptions) validate(cmd *cobra.Command, more ...string) error {
	if slices.ContainsFunc(slices.Concat(r.accounts, r.roles, more),
		func(pattern string) bool { return strings.TrimSpace(pattern) == "" }) {
		return fault.New(fault.Usage, app.HelpHint(cmd), "a pattern is empty and matches nothing")
	}
	return nil
}

// checkPatterns refuses --account and --role patterns that are in unmatched: they are likely misspelt. before
// precedes the hint.
func (r *commonOptions) checkPatterns(unmatched []string, before string) error {
	for _, list := range []struct {
		flag     string
		patterns []string
	}{{"--account", r.accounts}, {"--role", r.roles}} {
		for _, pattern := range list.patterns {
			if slices.Contains(unmatched, pattern) {
				return fault.Suggest(fault.Usage, fault.Preface{
					Words: before + "see what there is:", Then: fault.ListProfiles{Session: r.ssoSession},
				}, "%s %q matches nothing that you may use", list.flag, pattern)
			}
		}
	}
	return nil
}

// signIn signs the person in if --login is given and neither the token nor a renewal of it will do.
func (r *commonOptions) signIn(ctx context.Context, t app.Target) error {
	if !r.login {
		return nil
	}
	st, err := r.app.Store()
	if err != nil {
		return err
	}
	if connect.Onlooker(r.app, st).Outlook(ctx, t.Session).Next != refresh.NextSignIn {
		return nil
	}
	return interactive.SignInOnStderr(ctx, r.app, t.Session)
}

// newLister returns a lister of the accounts and roles of s that shows its progress on the terminal, and a function
// that clears the progress line.
func newLister(a *app.App, s session.Session, wanted func(session.Account) bool) (*roster.Lister, func(), error) {
	st, err := a.Store()
	if err != nil {
		return nil, nil, err
	}
	dir, err := a.StateDir()
	if err != nil {
		return nil, nil, err
	}
	line := a.UI.Progress(a.Env.Time)
	return &roster.Lister{
		Session: s, Tokens: connect.Renewer(a, st), Wanted: wanted, Dir: dir, Now: a.Env.Time,
		Progress: func(p roster.Progress) { line.Show(progressText(p)) },
		Connect: func(ctx context.Context, s session.Session) (roster.Portal, error) {
			c, err := connect.To(ctx, a, s)
			return c.Client, err
		},
	}, line.Clear, nil
}

// listRoles runs l, then clears its progress line.
func listRoles(ctx context.Context, a *app.App, l *roster.Lister, clearLine func()) (roster.Result, error) {
	began := a.Env.Time()
	result, err := l.List(ctx)
	clearLine()
	if err != nil {
		return result, err
	}
	a.UI.Debug("%d accounts listed in %s: %d calls, of which %d throttled; %d accounts from an interrupted run",
		len(result.Accounts), a.Env.Time().Sub(began).Round(time.Millisecond), result.Calls, result.Throttled,
		result.Resumed)
	if result.Resumed > 0 {
		a.UI.Say("The roles of %s are from an earlier run that was interrupted.\n", ui.Count(result.Resumed, "account"))
	}
	return result, nil
}

// progressText returns the progress line: accounts done, calls a second, time left.
func progressText(p roster.Progress) string {
	if p.Total == 0 {
		return "Listing accounts"
	}
	var b strings.Builder
	b.WriteString("Listing roles: ")
	atLeast := ""
	if p.Counting {
		atLeast = "at least "
	}
	fmt.Fprintf(&b, "%d of %s%d accounts", p.Done, atLeast, p.Total)
	if p.Rate > 0 {
		fmt.Fprintf(&b, ", %s/s", ui.Count(int(max(p.Rate, 1)+0.5), "call"))
	}
	if p.Left > 0 && !p.Counting {
		fmt.Fprintf(&b, ", %s left", ui.Span(max(p.Left.Round(time.Second), time.Second)))
	}
	if p.Waiting {
		b.WriteString("; the service asks for a pause")
	} else if p.Throttled > 0 {
		b.WriteString("; at the pace the service allows")
	}
	return b.String()
}

// errNoRoles returns the error for a person without any role.
func errNoRoles(s session.Session) error {
	return fault.New(fault.Denied, "ask your administrator to assign you a permission set in an account",
		"no AWS account is available to you through %s", s.InWords())
}

// pager writes long text page by page.
type pager struct {
	out  io.Writer
	rest []string // lines
	rows int      // of a page; 0 puts everything on one page
}

// writePage writes the next page and returns how many lines are left.
func (p *pager) writePage() int {
	n := len(p.rest)
	if p.rows > 0 {
		n = min(n, p.rows)
	}
	_, _ = io.WriteString(p.out, strings.Join(p.rest[:n], ""))
	p.rest = p.rest[n:]
	return len(p.rest)
}
