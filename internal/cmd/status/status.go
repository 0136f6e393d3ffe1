// Package status holds the command status. It reads files only, unless --verify asks the service.
package status

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

type options struct {
	app        *app.App
	ssoSession string
	check      bool
	verify     bool
	min        time.Duration
}

// New returns the command status.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:     "status",
		GroupID: app.GroupSignIn,
		Short:   "Show sessions and how long their tokens are valid",
		Long: app.Lines(
			"Shows every session of the AWS config file and what its next use does: it uses the token as is, renews",
			"it without a browser, or needs a person. A single session (the only one, or that of --profile or",
			"--sso-session) is shown in full. status also lists tokens in the folder that belong to no session,",
			"whichever program wrote them. It changes nothing and does not call the service, which may have ended a",
			"session before its token expires and never says when it will end one.",
			"",
			"--verify asks the service whether it accepts the token, and for the time. Like any other use, this",
			"renews a token that is about to expire if it can be renewed. Tokens that belong to no session are left",
			"alone. A session that has ended is an answer: the exit code is 0, or 4 with --check. Exit code 6 means",
			"no answer within 10 s.",
			"",
			"--check prints nothing if the token is good or can be renewed, and exits with code 4 otherwise. Which",
			"session it checks: --sso-session; else that of the profile; else that of [default]; else the only one",
			"there is.",
		),
		Example: app.Lines(
			"  homing status",
			"  homing status --sso-session dev --verify",
			"  homing status --check --min 30m || homing login --force",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.min != 0 && !o.check {
				return fault.New(fault.Usage, "add the flag: --check", "--min needs --check")
			}
			if o.min < 0 {
				return fault.New(fault.Usage, "use a duration such as 30m", "--min %s is negative", o.min)
			}
			if o.check {
				return o.runCheck(cmd.Context())
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.ssoSession, "sso-session", "", "`name` of the [sso-session] to show or check")
	cmd.Flags().BoolVar(&o.check, "check", false, "report by the exit code whether the token is good")
	cmd.Flags().DurationVar(&o.min, "min", 0,
		"with --check: minimum `time` left on a token that cannot be renewed, such as 30m")
	cmd.Flags().BoolVar(&o.verify, "verify", false,
		"ask the service whether it accepts the token, and compare the clocks")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.CompleteSessions)
	return cmd
}

func (o *options) run(ctx context.Context) error {
	a := o.app
	if _, err := a.Config(); err != nil {
		return err
	}
	f, err := newFacts(a)
	if err != nil {
		return err
	}
	sessions, single := f.cfg.Sessions(), false
	if o.ssoSession != "" || a.Flags.Profile != "" { // not AWS_PROFILE: it says what to use, not what to show
		t, err := a.Target(ctx, o.ssoSession)
		if err != nil {
			return err
		}
		sessions, single = []session.Session{t.Session}, true
	}
	doc := f.newDocument()
	var unverified error
	for _, s := range sessions {
		row, err := o.row(ctx, f, s)
		if unverified == nil {
			unverified = err
		}
		doc.Sessions = append(doc.Sessions, row)
	}
	if !single {
		if doc.Others, err = f.others(); err != nil {
			return err
		}
		doc.Problems = f.problems()
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if a.UI.JSON {
		err = a.UI.Document(doc)
	} else {
		err = (&text{app: a, cache: filepath.Dir(f.store.TokenPath("")), now: a.Env.Time()}).render(doc)
	}
	if err != nil {
		return err
	}
	return unverified
}

// row returns the status of s. With --verify it asks the service; the error says why the service gave no answer.
func (o *options) row(ctx context.Context, f *facts, s session.Session) (sessionStatus, error) {
	row := f.status(ctx, s)
	if !o.verify || !row.hasToken() {
		return row, nil
	}
	v, err := connect.Verify(ctx, o.app, f.store, s)
	row = f.status(ctx, s) // Verify may have renewed the token, or recorded that the session has ended
	row.setVerified(v)
	if err != nil && fault.KindOf(err) == fault.SignInNeeded {
		return row, nil // the service answered: the session has ended
	}
	return row, err
}

// runCheck returns nil if the session's token can be renewed or is good for at least o.min.
func (o *options) runCheck(ctx context.Context) error {
	a := o.app
	t, err := a.Target(ctx, o.ssoSession)
	if err != nil {
		return err
	}
	f, err := newFacts(a)
	if err != nil {
		return err
	}
	row, unverified := o.row(ctx, f, t.Session)
	if a.UI.JSON {
		doc := f.newDocument()
		doc.Sessions = append(doc.Sessions, row)
		if err := a.UI.Document(doc); err != nil {
			return err
		}
	}
	if unverified != nil {
		return unverified
	}
	now := a.Env.Time()
	if row.NextUse == nextFail {
		return row.why
	}
	if row.NextUse != nextSignIn && (row.Refreshable || row.expires.Sub(now) >= o.min) {
		return nil // the next use needs no person
	}
	if row.NextUse == nextSignIn && row.why != nil { // as the next use would say it
		return &fault.Error{Kind: fault.SignInNeeded, Remedy: row.signIn, Msg: row.why.Error(), Err: row.why}
	}
	remedy := row.signIn
	if login, ok := remedy.(fault.Login); ok && row.expires.Sub(now) >= refresh.Margin(t.Session) {
		login.Force = true // without it, login would not renew yet
		remedy = login
	}
	return &fault.Error{
		Kind: fault.SignInNeeded, Remedy: remedy,
		Msg: fmt.Sprintf("the token of %s is valid for only %s, less than %s",
			t.Session.InWords(), ui.Span(row.expires.Sub(now)), ui.Span(o.min)),
	}
}
