package cli

import (
	"cmp"
	"context"
	"errors"
	"io/fs"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/spf13/cobra"
)

type logoutOptions struct {
	app         *app
	ssoSessions []string
	all         bool
}

func newLogoutCmd(a *app) *cobra.Command {
	o := &logoutOptions{app: a}
	cmd := &cobra.Command{
		Use:     "logout",
		GroupID: groupSignIn,
		Short:   "End a session: at the service, and here",
		Long: lines(
			"Ends a session at the service, then removes its token and the role credentials that came of it. Credentials",
			"that a program already holds live on until they expire. Without a flag it is the session that login would use;",
			"--all ends every session that has a token here, also those of the AWS CLI.",
		),
		Example: lines(
			"  homing logout --sso-session dev",
			"  homing logout --all",
		),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.all && len(o.ssoSessions) > 0 {
				return fault.New(fault.Usage, helpHint(cmd), "--all and --sso-session contradict each other")
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringArrayVar(&o.ssoSessions, "sso-session", nil, "`name` of the [sso-session] to end; may be repeated")
	cmd.Flags().BoolVar(&o.all, "all", false, "end every session")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.completeSessions)
	return cmd
}

func (o *logoutOptions) run(ctx context.Context) error {
	st, err := o.app.store()
	if err != nil {
		return err
	}
	if o.all {
		return o.runAll(ctx, st)
	}
	names := o.ssoSessions
	if len(names) == 0 {
		names = []string{""} // the one that login would use
	}
	for _, name := range names {
		t, err := o.app.target(ctx, name)
		if err != nil {
			return err
		}
		if err := o.end(ctx, st, t.session); err != nil {
			return err
		}
	}
	return nil
}

// end ends one session. Where the service cannot be told, what is here goes all the same, and the error says so.
func (o *logoutOptions) end(ctx context.Context, st *store.Store, s session.Session) error {
	a := o.app
	var untold error
	tok, err := st.Token(s.CacheKey())
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case missing:
	case err != nil:
		a.ui.say("The token file of %s cannot be read; it is removed without telling the service.\n", named(s))
	default:
		untold = o.tellService(ctx, st, s, tok)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := st.RemoveToken(ctx, s.CacheKey()); err != nil {
		return err
	}
	if err := st.DropRoleCredentials(append(st.RoleKeys(s), a.rolesOf(s)...)); err != nil {
		return err
	}
	switch {
	case missing:
		a.ui.answer("Not signed in to %s; nothing to end.\n", named(s))
	case untold != nil:
		return halfDone(s, named(s), untold)
	default:
		a.ui.answer("Signed out of %s.\n", named(s))
	}
	return nil
}

// halfDone is the error for a session that was ended here only; what is the session in words.
func halfDone(s session.Session, what string, err error) error {
	return &fault.Error{
		Kind: fault.KindOf(err), Msg: "signed out of " + what + " here, but not at the service: " + err.Error(),
		Hint: "the session ends there by itself; to end it now, sign out at " + s.StartURL, Err: err,
	}
}

// tellService ends the session on the server. An access token that has expired is renewed first, where it can be:
// the portal session behind it may be alive.
func (o *logoutOptions) tellService(ctx context.Context, st *store.Store, s session.Session, tok session.Token) error {
	if tok.Region != "" {
		s.Region = tok.Region
	}
	own, err := st.Token(s.CacheKey()) // what no profile uses stands under a name that nobody knows
	if now := o.app.env.now(); err == nil && own.AccessToken.Equal(tok.AccessToken) && tok.Expired(now) && tok.Renewable(now) {
		renewed, _, err := o.app.renewer(st).Renew(ctx, s)
		switch {
		case err == nil:
			tok = renewed
		case fault.KindOf(err) == fault.SignInNeeded:
			return nil // over already
		default:
			return err
		}
	}
	conn, err := o.app.connect(ctx, s)
	if err != nil {
		return err
	}
	return conn.client.Logout(ctx, tok.AccessToken)
}

// runAll ends every session that has a token here, whichever program signed in. It goes through all of them and
// reports the first that failed.
func (o *logoutOptions) runAll(ctx context.Context, st *store.Store) error {
	a := o.app
	cfg, err := a.config()
	if err != nil {
		return err
	}
	var failed error
	ended := 0
	for _, s := range cfg.Sessions() {
		if _, err := st.Token(s.CacheKey()); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		ended++
		failed = cmp.Or(failed, o.end(ctx, st, s))
	}
	entries, err := st.Tokens()
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Err != nil || entry.Token.Region == "" {
			continue // not a token, or one that no service can be told of
		}
		ended++
		// The sessions of the config file are done. What is left was signed in to under a name that is gone, or by
		// another program.
		s := session.Session{StartURL: entry.Token.StartURL, Region: entry.Token.Region}
		what := "a token that no profile uses (start URL " + s.StartURL + ")"
		untold := o.tellService(ctx, st, s, entry.Token)
		if err := st.RemoveEntry(ctx, entry); err != nil {
			return err
		}
		if untold != nil {
			failed = cmp.Or(failed, halfDone(s, what, untold))
			continue
		}
		a.ui.answer("Signed out of %s.\n", what)
	}
	if err := st.RemoveAllSSORoleCredentials(); err != nil {
		return err
	}
	if ended == 0 {
		a.ui.say("No session has a token here; nothing to end.\n")
	}
	return failed
}
