// Package status is the command status.
package status

import (
	"context"
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
	App        *app.App
	ssoSession string
	check      bool
	Verify     bool
	min        time.Duration
}

func New(a *app.App) *cobra.Command {
	o := &options{App: a}
	cmd := &cobra.Command{
		Use:     "status",
		GroupID: app.GroupSignIn,
		Short:   "Show the sessions, who is signed in and until when",
		Long: app.Lines(
			"Shows every session of the AWS config file and what its next use does: whether the token is used as it is,",
			"renewed without a browser, or needs a person. One session, be it the only one or that of --profile or",
			"--sso-session, is shown in full. Tokens in the folder that belong to no session are named, whichever program",
			"wrote them. Nothing is asked and nothing changed: the service may have ended a session earlier than its token",
			"says, and never tells when it will.",
			"",
			"With --verify the service is asked whether it knows the token, and what time it is. That is a use like any",
			"other: a token that is about to end is renewed where it can be. Tokens of no session are left alone. That a session",
			"has ended is an answer, so the exit code is 0; with --check as well it is 4. Where there is none within 10 s, it is 6.",
			"",
			"With --check nothing is printed for a token that is good or can be renewed; anything else is exit code 4. Which",
			"session is checked: --sso-session; else that of the profile; else that of [default]; else the only one there is.",
		),
		Example: app.Lines(
			"  homing status",
			"  homing status --sso-session dev --verify",
			"  homing status --check --min 30m || homing login --force",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.min != 0 && !o.check {
				return fault.New(fault.Usage, "add the flag: --check", "--min is of no use without --check")
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
	cmd.Flags().BoolVar(&o.check, "check", false, "say by the exit code whether the token is good")
	cmd.Flags().DurationVar(&o.min, "min", 0, "with --check: the least `time` a token that cannot be renewed must have left, such as 30m")
	cmd.Flags().BoolVar(&o.Verify, "verify", false, "ask the service whether it knows the token, and compare the clocks")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.CompleteSessions)
	return cmd
}

func (o *options) run(ctx context.Context) error {
	a := o.App
	if _, err := a.Config(); err != nil {
		return err
	}
	f, err := newFacts(a)
	if err != nil {
		return err
	}
	sessions, one := f.cfg.Sessions(), false
	if o.ssoSession != "" || a.Flags.Profile != "" { // AWS_PROFILE says what to use, not what to show
		t, err := a.Target(ctx, o.ssoSession)
		if err != nil {
			return err
		}
		sessions, one = append(sessions[:0:0], t.Session), true
	}
	doc := document{Sessions: []sessionStatus{}, Others: []otherToken{}, Problems: []sessionProblem{}, Keep: f.keeper()}
	var unverified error
	for _, s := range sessions {
		row, err := o.row(ctx, f, s)
		if unverified == nil {
			unverified = err
		}
		doc.Sessions = append(doc.Sessions, row)
	}
	if !one {
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
		err = (&text{App: a, cache: filepath.Dir(f.store.TokenPath("")), now: a.Env.Time()}).render(doc)
	}
	if err != nil {
		return err
	}
	return unverified
}

// row gathers what is known of s, and asks the service if it is to. The error is why the service gave no answer.
func (o *options) row(ctx context.Context, f *facts, s session.Session) (sessionStatus, error) {
	row := f.of(ctx, s)
	if !o.Verify || !row.askable() {
		return row, nil
	}
	v, err := connect.Verify(ctx, o.App, f.store, s)
	row = f.of(ctx, s) // the token may be another by now, or known to be over
	row.verified(v)
	if err != nil && fault.KindOf(err) == fault.SignInNeeded {
		return row, nil // an answer
	}
	return row, err
}

// runCheck ends without an error when the session's token can be renewed, or is good for at least o.min.
func (o *options) runCheck(ctx context.Context) error {
	a := o.App
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
		doc := document{Sessions: []sessionStatus{row}, Others: []otherToken{}, Problems: []sessionProblem{}, Keep: f.keeper()}
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
		return nil // whoever uses it next renews it without a person
	}
	if row.NextUse == nextSignIn && row.why != nil { // in the words that the next use would have
		return &fault.Error{Kind: fault.SignInNeeded, Remedy: row.signIn, Msg: row.why.Error(), Err: row.why}
	}
	remedy := row.signIn
	if login, ok := remedy.(fault.Login); ok && row.expires.Sub(now) >= refresh.Margin(t.Session) {
		login.Force = true // for login there is nothing to do yet
		remedy = login
	}
	return &fault.Error{
		Kind: fault.SignInNeeded, Remedy: remedy,
		Msg: "the token of " + t.Session.InWords() + " is valid for " + ui.Span(row.expires.Sub(now)) + " only, less than " + ui.Span(o.min),
	}
}
