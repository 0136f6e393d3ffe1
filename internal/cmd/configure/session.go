package configure

import (
	"context"

	"github.com/homing-cli/homing/internal/answer"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/prompt"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

type sessionOptions struct {
	app *app.App
	answer.SessionFlags
}

func newSession(a *app.App) *cobra.Command {
	o := &sessionOptions{app: a}
	cmd := &cobra.Command{
		Use:   "sso-session",
		Short: "Write an [sso-session] by answering a few questions",
		Long: app.Lines(
			"Asks the questions of aws configure sso-session, with current values in brackets, and writes the",
			"[sso-session]. Every answer is also a flag, so the command runs without a terminal.",
		),
		Example: app.Lines(
			"  homing configure sso-session",
			"  homing configure sso-session --sso-session dev \\",
			"    --sso-start-url https://d-1234567890.awsapps.com/start --sso-region us-east-1",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.Report(o.run(cmd.Context())) },
	}
	o.Register(cmd, a)
	return cmd
}

func (o *sessionOptions) run(ctx context.Context) error {
	a := o.app
	cfg, err := a.Config()
	if err != nil {
		return err
	}
	name, err := answer.Get(ctx, a, o.Given("sso-session"), o.SSOSession, prompt.Question{
		Text: "SSO session name", Bare: true, Flag: "--sso-session NAME", Check: answer.CheckName,
	})
	if err != nil {
		return err
	}
	current, err := cfg.Session(name)
	if err != nil {
		current = session.Session{} // new or incomplete: the questions start from nothing
	}
	s := session.Session{Name: name}
	if s.StartURL, err = answer.AskStartURL(ctx, a, &o.SessionFlags, current.StartURL); err != nil {
		return err
	}
	if s.Region, err = answer.AskSSORegion(ctx, a, &o.SessionFlags, s.StartURL, current.Region); err != nil {
		return err
	}
	if s.Scopes, err = answer.AskScopes(ctx, a, &o.SessionFlags, current.Scopes); err != nil {
		return err
	}
	paths, err := a.Paths()
	if err != nil {
		return err
	}
	if err := configedit.Update(ctx, paths.Config, answer.SessionEdit(s)); err != nil {
		return err
	}
	if a.UI.JSON {
		return a.UI.Event(ui.Configured{Event: "configured", SSOSession: s.Name})
	}
	a.UI.Answer("\nCompleted configuring SSO session: %s\n"+
		"Run the following to login and refresh access token for this session:\n\n"+
		"%s\n", s.Name, a.UI.Command(fault.Login{Session: s.Name}))
	return nil
}
