package cli

import (
	"context"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/session"
	"github.com/spf13/cobra"
)

type configureSessionOptions struct {
	app *app
	sessionAnswers
}

func newConfigureSSOSessionCmd(a *app) *cobra.Command {
	o := &configureSessionOptions{app: a}
	cmd := &cobra.Command{
		Use:   "sso-session",
		Short: "Write an [sso-session] by answering a few questions",
		Long: lines(
			"Asks what aws configure sso-session asks, with present values in brackets, and writes the [sso-session].",
			"Every answer is also a flag, so it runs without a terminal.",
		),
		Example: lines(
			"  homing configure sso-session",
			"  homing configure sso-session --sso-session dev --sso-start-url https://d-1234567890.awsapps.com/start \\",
			"    --sso-region us-east-1",
		),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.reporting(o.run(cmd.Context())) },
	}
	o.register(cmd, a)
	return cmd
}

func (o *configureSessionOptions) run(ctx context.Context) error {
	a := o.app
	cfg, err := a.config()
	if err != nil {
		return err
	}
	name, err := a.answer(ctx, o.given("sso-session"), o.ssoSession, question{
		text: "SSO session name", bare: true, flag: "--sso-session NAME", check: checkName,
	})
	if err != nil {
		return err
	}
	current, err := cfg.Session(name)
	if err != nil {
		current = session.Session{} // new, or incomplete: the questions complete it
	}
	s := session.Session{Name: name}
	if s.StartURL, err = a.askStartURL(ctx, &o.sessionAnswers, current.StartURL); err != nil {
		return err
	}
	if s.Region, err = a.askSSORegion(ctx, &o.sessionAnswers, s.StartURL, current.Region); err != nil {
		return err
	}
	if s.Scopes, err = a.askScopes(ctx, &o.sessionAnswers, current.Scopes); err != nil {
		return err
	}
	paths, err := a.paths()
	if err != nil {
		return err
	}
	if err := awsconfig.Update(ctx, paths.Config, sessionEdit(s)); err != nil {
		return err
	}
	if a.ui.json {
		return a.ui.event(configured{Event: "configured", SSOSession: s.Name})
	}
	a.ui.answer("\nCompleted configuring SSO session: %s\nRun the following to login and refresh access token for this session:\n\n"+
		"homing login --sso-session %s\n", s.Name, s.Name)
	return nil
}

// configured is the event that ends both wizards under --json.
type configured struct {
	Event      string `json:"event"`
	Profile    string `json:"profile,omitempty"`
	SSOSession string `json:"sso_session,omitempty"`
	StartURL   string `json:"start_url,omitempty"`
	AccountID  string `json:"account_id,omitempty"`
	RoleName   string `json:"role_name,omitempty"`
	Region     string `json:"region,omitempty"`
}
