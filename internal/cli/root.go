package cli

import (
	"context"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/cmd/completion"
	"github.com/homing-cli/homing/internal/cmd/configure"
	"github.com/homing-cli/homing/internal/cmd/console"
	"github.com/homing-cli/homing/internal/cmd/credentials"
	"github.com/homing-cli/homing/internal/cmd/emulator"
	"github.com/homing-cli/homing/internal/cmd/exec"
	"github.com/homing-cli/homing/internal/cmd/keep"
	"github.com/homing-cli/homing/internal/cmd/login"
	"github.com/homing-cli/homing/internal/cmd/logout"
	"github.com/homing-cli/homing/internal/cmd/profiles"
	"github.com/homing-cli/homing/internal/cmd/status"
	"github.com/homing-cli/homing/internal/prompt"
	"github.com/spf13/cobra"
)

func newRootCmd(a *app.App) *cobra.Command {
	a.Choose = func(ctx context.Context, items []string, flag string) (int, error) {
		return prompt.Pick(ctx, a, items, flag)
	}
	root := &cobra.Command{
		Use:   "homing",
		Short: "Sign in to AWS IAM Identity Center from wherever your shell runs",
		Long: "homing signs you in to AWS IAM Identity Center (AWS SSO) from wherever your shell runs: a " +
			"codespace, a dev\n" +
			"container, an SSH host, a laptop. It writes the files that the AWS CLI and every AWS SDK already " +
			"read.\n\n" +
			"Start with:                     homing configure sso\n" +
			"Try it without an AWS account:  homing demo",
		Version:       app.Version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			return app.UnknownCommand(cmd, args)
		},
		RunE:             func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRun: func(*cobra.Command, []string) { a.ConfigureUI() },
	}
	root.SetArgs(app.NonNil(a.Env.Args))
	root.SetIn(a.Env.Stdin)
	root.SetOut(a.UI.Out)
	root.SetErr(a.Env.Stderr)
	root.SetFlagErrorFunc(app.FlagError)

	flags := root.PersistentFlags()
	flags.StringVar(&a.Flags.Profile, "profile", "",
		"`profile` of the AWS config file (default: AWS_PROFILE, AWS_DEFAULT_PROFILE, HOMING_PROFILE)")
	flags.StringVar(
		&a.Flags.Region,
		"region",
		"",
		"client `region` that configure sso and profiles sync write, exec sets and console opens; signing in uses "+
			"sso_region",
	)
	flags.BoolVar(&a.Flags.Debug, "debug", false, "say on stderr what is done, without secrets")
	flags.BoolVar(&a.Flags.JSON, "json", false, "print JSON for machines on stdout")
	flags.BoolVar(&a.Flags.NoColor, "no-color", false, "no bold text or colours (also: NO_COLOR)")
	_ = root.RegisterFlagCompletionFunc("profile", a.CompleteProfiles)
	_ = root.RegisterFlagCompletionFunc("region", a.CompleteRegions)

	root.AddGroup(
		&cobra.Group{ID: app.GroupSignIn, Title: "Sign in:"},
		&cobra.Group{ID: app.GroupUse, Title: "Use your roles:"},
		&cobra.Group{ID: app.GroupTry, Title: "Try it without an AWS account:"},
	)
	root.AddCommand(
		login.New(a), login.NewCallback(a), logout.New(a), status.New(a), keep.New(a), configure.New(a),
		profiles.New(a), credentials.New(a), credentials.NewEnv(a), exec.New(a), console.New(a), exec.NewServe(a),
		emulator.New(a), emulator.NewDemo(a, run),
		newVersionCmd(a),
	)
	completion.Finish(root, a.Env.Args)
	return root
}
