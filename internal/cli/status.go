package cli

import (
	"context"
	"path/filepath"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/spf13/cobra"
)

type statusOptions struct {
	app        *app
	ssoSession string
	check      bool
	verify     bool
	min        time.Duration
}

func newStatusCmd(a *app) *cobra.Command {
	o := &statusOptions{app: a}
	cmd := &cobra.Command{
		Use:     "status",
		GroupID: groupSignIn,
		Short:   "Show the sessions, who is signed in and until when",
		Long: lines(
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
		Example: lines(
			"  homing status",
			"  homing status --sso-session dev --verify",
			"  homing status --check --min 30m || homing login --force",
		),
		Args: noArgs,
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
	cmd.Flags().BoolVar(&o.verify, "verify", false, "ask the service whether it knows the token, and compare the clocks")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.completeSessions)
	return cmd
}

func (o *statusOptions) run(ctx context.Context) error {
	a := o.app
	if _, err := a.config(); err != nil {
		return err
	}
	f, err := newFacts(a)
	if err != nil {
		return err
	}
	sessions, one := f.cfg.Sessions(), false
	if o.ssoSession != "" || a.flags.profile != "" { // AWS_PROFILE says what to use, not what to show
		t, err := a.target(ctx, o.ssoSession)
		if err != nil {
			return err
		}
		sessions, one = append(sessions[:0:0], t.session), true
	}
	doc := statusDocument{Sessions: []sessionStatus{}, Others: []otherToken{}, Problems: []sessionProblem{}, Keep: f.keeper()}
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
	if a.ui.json {
		err = a.ui.document(doc)
	} else {
		err = (&statusText{app: a, cache: filepath.Dir(f.store.TokenPath("")), now: a.env.now()}).render(doc)
	}
	if err != nil {
		return err
	}
	return unverified
}

// row gathers what is known of s, and asks the service if it is to. The error is why the service gave no answer.
func (o *statusOptions) row(ctx context.Context, f *facts, s session.Session) (sessionStatus, error) {
	row := f.of(ctx, s)
	if !o.verify || !row.askable() {
		return row, nil
	}
	v, err := verify(ctx, o.app, f.store, s)
	row = f.of(ctx, s) // the token may be another by now, or known to be over
	row.verified(v)
	if err != nil && fault.KindOf(err) == fault.SignInNeeded {
		return row, nil // an answer
	}
	return row, err
}

// runCheck ends without an error when the session's token can be renewed, or is good for at least o.min.
func (o *statusOptions) runCheck(ctx context.Context) error {
	a := o.app
	t, err := a.target(ctx, o.ssoSession)
	if err != nil {
		return err
	}
	f, err := newFacts(a)
	if err != nil {
		return err
	}
	row, unverified := o.row(ctx, f, t.session)
	if a.ui.json {
		doc := statusDocument{Sessions: []sessionStatus{row}, Others: []otherToken{}, Problems: []sessionProblem{}, Keep: f.keeper()}
		if err := a.ui.document(doc); err != nil {
			return err
		}
	}
	if unverified != nil {
		return unverified
	}
	now := a.env.now()
	if row.NextUse == nextFail {
		return row.why
	}
	if row.NextUse != nextSignIn && (row.Refreshable || row.expires.Sub(now) >= o.min) {
		return nil // whoever uses it next renews it without a person
	}
	if row.NextUse == nextSignIn && row.why != nil { // in the words that the next use would have
		return &fault.Error{Kind: fault.SignInNeeded, Hint: "run: " + row.SignIn, Msg: row.why.Error(), Err: row.why}
	}
	command := row.SignIn
	if row.expires.Sub(now) >= refresh.Margin(t.session) { // for login there is nothing to do yet
		command += " --force"
	}
	return &fault.Error{
		Kind: fault.SignInNeeded, Hint: "run: " + command,
		Msg: "the token of " + t.session.InWords() + " is valid for " + span(row.expires.Sub(now)) + " only, less than " + span(o.min),
	}
}

// loginCommand is the command that signs in to t.
func loginCommand(t target) string {
	switch {
	case !t.session.Legacy():
		return "homing login --sso-session " + argument(t.session.Name)
	case t.profile != "":
		return "homing login --profile " + argument(t.profile)
	}
	return "homing login"
}
