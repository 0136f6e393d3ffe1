// Package login is the commands login and callback.
package login

import (
	"context"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/interactive"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/upgrade"
	"github.com/spf13/cobra"
)

type options struct {
	App        *app.App
	ssoSession string
	interactive.Flags
	force   bool
	explain bool
}

func New(a *app.App) *cobra.Command {
	o := &options{App: a}
	cmd := &cobra.Command{
		Use:     "login",
		GroupID: app.GroupSignIn,
		Short:   "Sign in, renew, or say that there is nothing to do",
		Long: app.Lines(
			"Signs you in to a session of the AWS config file and stores the token where the AWS CLI and every SDK look",
			"for it. With a token that is still good it says until when and does nothing; one that can be renewed is renewed",
			"without a browser; --force signs in again. A failed attempt leaves the old token as it was.",
			"",
			"Which session: --sso-session; else that of the profile (--profile, AWS_PROFILE, AWS_DEFAULT_PROFILE,",
			"HOMING_PROFILE); else that of [default]; else the only one there is.",
			"",
			"How: a browser redirect (PKCE) where it comes back by itself (on this machine, or through a desktop editor), else a",
			"device code where policy permits, else a redirect that is brought back by hand. --explain says what is chosen here",
			"and why, and signs in to nothing. Either way the token can be renewed. While it waits on a terminal, d switches to a",
			"device code, p to a redirect, ? lists what can be done here, and the address of a page that failed to load can be",
			"pasted. Another login of the session meanwhile joins this one, and --force takes over from it. --json prints one",
			"event a line: environment, authorize, device_code, hint, signed_in, error.",
		),
		Example: app.Lines(
			"  homing login",
			"  homing login --sso-session dev --no-browser",
			"  homing login --profile dev --use-device-code",
			"  homing login --profile legacy --keep-fresh",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.Validate(cmd); err != nil {
				return err
			}
			if o.explain {
				return o.runExplain(cmd.Context())
			}
			return a.Report(o.run(cmd.Context()))
		},
	}
	cmd.Flags().StringVar(&o.ssoSession, "sso-session", "", "`name` of the [sso-session] to sign in to")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.CompleteSessions)
	o.Register(cmd)
	o.RegisterKeepFresh(cmd)
	cmd.Flags().BoolVar(&o.explain, "explain", false, "say how it would sign in here and why, and do nothing")
	cmd.Flags().BoolVar(&o.force, "force", false, "sign in even if the token is good, and take over from a login that waits")
	return cmd
}

func (o *options) run(ctx context.Context) error {
	t, err := o.App.Target(ctx, o.ssoSession)
	if err != nil {
		return err
	}
	if o.KeepFreshInVain(t.Session) {
		o.App.Remark("--keep-fresh is needed for legacy profiles only: the token of %s can be renewed anyway.", t.Session.InWords())
	}
	result, err := interactive.SignIn(ctx, o.App, t.Session, o.Flags, o.force)
	if err != nil {
		return err
	}
	t, said, err := upgrade.TakeAlong(ctx, o.App, t)
	if err != nil {
		return err
	}
	if result.Channel != session.Cached && !said {
		interactive.SayNext(o.App, t)
	}
	interactive.WarnStaticKeys(o.App)
	return nil
}
