// Package login holds the commands login and callback: the second hands a redirect to the first.
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
	app        *app.App
	ssoSession string
	interactive.Flags
	force   bool
	explain bool
}

// New returns the command login.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:     "login",
		GroupID: app.GroupSignIn,
		Short:   "Sign in, or renew the current session",
		Long: app.Lines(
			"Signs you in to a session of the AWS config file and stores the token where the AWS CLI and every SDK",
			"look for it. If the token is still valid, login says until when and does nothing else. If it can be",
			"renewed, login renews it without a browser. --force signs in again. A sign-in that fails leaves the old",
			"token alone.",
			"",
			"Which session: --sso-session; else that of the profile (--profile, AWS_PROFILE, AWS_DEFAULT_PROFILE,",
			"HOMING_PROFILE); else that of [default]; else the only one there is.",
			"",
			"How: a browser redirect (PKCE) if it reaches this machine by itself, as on a laptop or through a desktop",
			"editor; else a device code if policy allows; else a redirect that you bring back by hand. Each gives a",
			"token that can be renewed. --explain shows the choice and its reason, and does not sign in. While login",
			"waits on a terminal, press d for a device code, p for a redirect or ? for what else you can do, or paste",
			"the address of a page that failed to load. Another login of the same session joins this one; with",
			"--force it takes over. --json prints one event a line: environment, authorize, device_code, hint,",
			"signed_in, error.",
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
	cmd.Flags().BoolVar(&o.explain, "explain", false, "show how login would sign in here and why, then exit")
	cmd.Flags().BoolVar(&o.force, "force", false,
		"sign in even if the token is valid, and take over from a waiting login")
	return cmd
}

func (o *options) run(ctx context.Context) error {
	t, err := o.app.Target(ctx, o.ssoSession)
	if err != nil {
		return err
	}
	if o.KeepFreshInVain(t.Session) {
		o.app.Remark("--keep-fresh is needed for legacy profiles only: the token of %s can be renewed anyway.",
			t.Session.InWords())
	}
	result, err := interactive.SignIn(ctx, o.app, t.Session, o.Flags, o.force)
	if err != nil {
		return err
	}
	t, told, err := upgrade.Follow(ctx, o.app, t)
	if err != nil {
		return err
	}
	if result.Channel != session.Cached && !told {
		interactive.SayNext(o.app, t)
	}
	interactive.WarnStaticKeys(o.app)
	return nil
}
