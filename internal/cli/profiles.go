package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/roster"
	"github.com/homing-cli/homing/internal/session"
	"github.com/spf13/cobra"
)

func newProfilesCmd(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "profiles",
		GroupID: groupUse,
		Short:   "List the accounts and roles you may use, and write a profile for each",
		Args:    cobra.ArbitraryArgs,
		RunE:    needsSubcommand,
	}
	cmd.AddCommand(newProfilesListCmd(a), newProfilesSyncCmd(a))
	return cmd
}

// reach says whose accounts and roles a command is about, and which of them.
type reach struct {
	app             *app
	ssoSession      string
	accounts, roles []string
	login           bool
}

func (r *reach) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&r.ssoSession, "sso-session", "", "`name` of the [sso-session]")
	flags.StringArrayVar(&r.accounts, "account", nil, "only accounts whose number, name or email matches this `pattern`, such as prod*; may be repeated")
	flags.StringArrayVar(&r.roles, "role", nil, "only roles whose name matches this `pattern`; may be repeated")
	flags.BoolVar(&r.login, "login", false, "sign in first where that is needed")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", r.app.completeSessions)
	_ = cmd.RegisterFlagCompletionFunc("account", r.app.completeAccounts)
	_ = cmd.RegisterFlagCompletionFunc("role", r.app.completeRoles)
}

// validate refuses patterns that can match nothing.
func (r *reach) validate(cmd *cobra.Command, more ...string) error {
	if slices.ContainsFunc(slices.Concat(r.accounts, r.roles, more), func(pattern string) bool { return strings.TrimSpace(pattern) == "" }) {
		return fault.New(fault.Usage, helpHint(cmd), "a pattern is empty and matches nothing")
	}
	return nil
}

// matched refuses patterns on the command line that match nothing: they are misspelt. before stands before the hint.
func (r *reach) matched(unmatched []string, before string) error {
	for _, list := range []struct {
		flag     string
		patterns []string
	}{{"--account", r.accounts}, {"--role", r.roles}} {
		for _, pattern := range list.patterns {
			if slices.Contains(unmatched, pattern) {
				return fault.New(fault.Usage, before+"see what there is: homing profiles list"+r.sessionFlag(), "%s %q matches nothing that you may use", list.flag, pattern)
			}
		}
	}
	return nil
}

// sessionFlag repeats --sso-session in a command for a hint.
func (r *reach) sessionFlag() string {
	if r.ssoSession == "" {
		return ""
	}
	return " --sso-session " + argument(r.ssoSession)
}

// signIn signs the person in where --login asks for that and nothing else helps.
func (r *reach) signIn(ctx context.Context, t target) error {
	if !r.login {
		return nil
	}
	st, err := r.app.store()
	if err != nil {
		return err
	}
	if r.app.onlooker(st).Outlook(ctx, t.session).Next != refresh.NextSignIn {
		return nil
	}
	return r.app.signInAside(ctx, t.session)
}

// signInAside signs in to s for a command whose answer is another: everything is said to people, on stderr.
func (a *app) signInAside(ctx context.Context, s session.Session) error {
	whole := *a.ui
	a.ui.out, a.ui.json = a.ui.err, false
	defer func() { a.ui.out, a.ui.json = whole.out, whole.json }()
	_, err := a.signIn(ctx, s, flowFlags{}, false)
	return err
}

// lister returns what lists the accounts and roles of s and says how far it is. The second result takes the last word
// of that from the terminal.
func (a *app) lister(s session.Session, wanted func(session.Account) bool) (*roster.Lister, func(), error) {
	st, err := a.store()
	if err != nil {
		return nil, nil, err
	}
	dir, err := a.stateDir()
	if err != nil {
		return nil, nil, err
	}
	line := a.ui.progress(a.env.now)
	return &roster.Lister{
		Session: s, Tokens: a.renewer(st), Wanted: wanted, Dir: dir, Now: a.env.now,
		Progress: func(p roster.Progress) { line.show(listingWords(p)) },
		Connect: func(ctx context.Context, s session.Session) (roster.Portal, error) {
			c, err := a.connect(ctx, s)
			return c.client, err
		},
	}, line.clear, nil
}

// list asks the service for the accounts and roles of s.
func (a *app) list(ctx context.Context, l *roster.Lister, done func()) (roster.Result, error) {
	began := a.env.now()
	result, err := l.List(ctx)
	done()
	if err != nil {
		return result, err
	}
	a.ui.debug("%d accounts listed in %s: %d calls, of which %d throttled; %d accounts from an interrupted run",
		len(result.Accounts), a.env.now().Sub(began).Round(time.Millisecond), result.Calls, result.Throttled, result.Resumed)
	if result.Resumed > 0 {
		a.ui.say("The roles of %s are from an earlier run that was interrupted.\n", count(result.Resumed, "account"))
	}
	return result, nil
}

// listingWords is the line of progress: how far, how fast, how long still.
func listingWords(p roster.Progress) string {
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
		fmt.Fprintf(&b, ", %s/s", count(int(max(p.Rate, 1)+0.5), "call"))
	}
	if p.Left > 0 && !p.Counting {
		fmt.Fprintf(&b, ", %s left", span(max(p.Left.Round(time.Second), time.Second)))
	}
	if p.Waiting {
		b.WriteString("; the service asks for a pause")
	} else if p.Throttled > 0 {
		b.WriteString("; at the pace the service allows")
	}
	return b.String()
}

// count words a number of things.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// nothingAssigned is the error for a person who may use nothing at all.
func nothingAssigned(s session.Session) error {
	return fault.New(fault.Denied, "ask your administrator to assign you a permission set in an account", "no AWS account is available to you through %s", s.InWords())
}

// noteLimit is how many notes of one kind are printed; --json has all.
const noteLimit = 20

// notes prints the first of many lines to stderr.
func (u *ui) notes(lines []string) {
	for i, line := range lines {
		if i == noteLimit {
			u.say("… and %d more such notes; --json has all\n", len(lines)-i)
			return
		}
		u.say("%s\n", line)
	}
}

// pages writes long text a screenful at a time.
type pages struct {
	out  io.Writer
	rest []string // lines
	rows int      // of a page; 0 is endless
}

// next writes the next page and returns how many lines are left.
func (p *pages) next() int {
	n := len(p.rest)
	if p.rows > 0 {
		n = min(n, p.rows)
	}
	_, _ = io.WriteString(p.out, strings.Join(p.rest[:n], ""))
	p.rest = p.rest[n:]
	return len(p.rest)
}
