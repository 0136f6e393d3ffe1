package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// globalFlags are the flags of every command. Their names are the AWS CLI's where it has the same thing.
type globalFlags struct {
	profile, region      string
	debug, json, noColor bool
}

// The groups of the help page.
const (
	groupSignIn = "sign-in"
	groupUse    = "use"
	groupTry    = "try"
)

func newRootCmd(a *app) *cobra.Command {
	a.choose = func(ctx context.Context, items []string, flag string) (int, error) { return a.pick(ctx, items, flag) }
	root := &cobra.Command{
		Use:   "homing",
		Short: "Sign in to AWS IAM Identity Center from wherever your shell runs",
		Long: "homing signs you in to AWS IAM Identity Center (AWS SSO) from wherever your shell runs: a codespace, a dev\n" +
			"container, an SSH host, a laptop. It writes the files that the AWS CLI and every AWS SDK already read.\n\n" +
			"Start with:  homing configure sso\n" +
			"Look first:  homing demo",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(cmd *cobra.Command, args []string) error {
			return unknownCommand(cmd, args)
		},
		RunE:             func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRun: func(*cobra.Command, []string) { a.configureUI() },
	}
	root.SetArgs(nonNil(a.env.Args))
	root.SetIn(a.env.Stdin)
	root.SetOut(a.ui.out)
	root.SetErr(a.env.Stderr)
	root.SetFlagErrorFunc(flagError)

	flags := root.PersistentFlags()
	flags.StringVar(&a.flags.profile, "profile", "", "`profile` of the AWS config file (default: AWS_PROFILE, AWS_DEFAULT_PROFILE, HOMING_PROFILE)")
	flags.StringVar(&a.flags.region, "region", "", "client `region` that configure sso and profiles sync write, exec sets and console opens; signing in uses sso_region")
	flags.BoolVar(&a.flags.debug, "debug", false, "say on stderr what is done, without secrets")
	flags.BoolVar(&a.flags.json, "json", false, "print JSON for machines on stdout")
	flags.BoolVar(&a.flags.noColor, "no-color", false, "no bold text or colours (also: NO_COLOR)")
	_ = root.RegisterFlagCompletionFunc("profile", a.completeProfiles)
	_ = root.RegisterFlagCompletionFunc("region", a.completeRegions)

	root.AddGroup(
		&cobra.Group{ID: groupSignIn, Title: "Sign in:"},
		&cobra.Group{ID: groupUse, Title: "Use what you may:"},
		&cobra.Group{ID: groupTry, Title: "Try it without an AWS account:"},
	)
	root.AddCommand(
		newLoginCmd(a), newCallbackCmd(a), newLogoutCmd(a), newStatusCmd(a), newKeepCmd(a), newConfigureCmd(a),
		newProfilesCmd(a), newCredentialsCmd(a), newEnvCmd(a), newExecCmd(a), newConsoleCmd(a), newServeCmd(a),
		newEmulatorCmd(a), newDemoCmd(a, run),
		newVersionCmd(a),
	)
	finishCompletion(root, a.env.Args)
	return root
}

// nonNil keeps cobra from falling back to os.Args.
func nonNil(args []string) []string {
	if args == nil {
		return []string{}
	}
	return args
}

func flagError(cmd *cobra.Command, err error) error {
	f := &fault.Error{Kind: fault.Usage, Msg: err.Error(), Hint: helpHint(cmd), Err: err}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		what := map[string]string{"int": "a number", "duration": "a time such as 30m", "bool": "true or false"}[invalid.GetFlag().Value.Type()]
		if what == "" {
			what = "a valid value"
		}
		f.Msg = fmt.Sprintf("--%s %q is not %s", invalid.GetFlag().Name, invalid.GetValue(), what)
	}
	return f
}

func helpHint(cmd *cobra.Command) string { return "run: " + cmd.CommandPath() + " --help" }

// unknownCommand refuses arguments where only a command's name can stand.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := helpHint(cmd)
	cmd.SuggestionsMinimumDistance = 2
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = "did you mean: " + cmd.CommandPath() + " " + near[0]
	}
	return fault.New(fault.Usage, hint, "unknown command %q for %q", args[0], cmd.CommandPath())
}

// noArgs refuses arguments of a command that takes none.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fault.New(fault.Usage, helpHint(cmd), "%q takes no argument, got %q", cmd.CommandPath(), args[0])
}

// needsSubcommand is the run of a command that only groups others.
func needsSubcommand(cmd *cobra.Command, args []string) error {
	if err := unknownCommand(cmd, args); err != nil {
		return err
	}
	var names []string
	for _, sub := range cmd.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return fault.New(fault.Usage, helpHint(cmd), "%q needs one of: %s", cmd.CommandPath(), strings.Join(names, ", "))
}

// lines joins an example or a description written line by line.
func lines(ls ...string) string { return strings.Join(ls, "\n") }
