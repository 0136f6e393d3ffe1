// Package exec is the commands exec and serve.
package exec

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

// What a shell ends with for a command that it cannot run.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// CommandEnded is how a command that homing ran ended: homing ends the same way. With err it did not run.
type CommandEnded struct {
	Code int
	Err  error
}

func (e *CommandEnded) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("the command ended with %d", e.Code)
}

func (e *CommandEnded) Unwrap() error { return e.Err }

type options struct {
	App     *app.App
	renew   bool
	command []string // empty is a shell
}

func New(a *app.App) *cobra.Command {
	o := &options{App: a}
	cmd := &cobra.Command{
		Use:     "exec [flags] [--] [COMMAND [ARG...]]",
		GroupID: app.GroupUse,
		Short:   "Run a command with role credentials, or a shell",
		Long: app.Lines(
			"Runs the command as the role of the profile: with its credentials and region in the environment, and without the",
			"variables of others that would win over them (--debug names those). homing becomes the command, where the system",
			"allows: signals and the exit code are the command's. Without a command it is your shell.",
			"",
			"Credentials in an environment last as long as they last: 30 minutes to an hour as a rule. With --renew the command",
			"gets the address of an endpoint instead, which homing serves while it runs: AWS SDKs fetch new ones there in time.",
			"",
			"Ends with 127 when there is no such command, with 126 when it cannot be run.",
		),
		Example: app.Lines(
			"  homing exec --profile dev -- terraform plan",
			"  homing exec --profile dev --renew -- ./a-job-of-many-hours",
			"  homing exec --profile dev",
		),
		Args: cobra.ArbitraryArgs,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.command = args
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().SetInterspersed(false) // what is behind the command's name is the command's
	cmd.Flags().BoolVar(&o.renew, "renew", false, "give the command an endpoint that renews, instead of keys")
	return cmd
}

func (o *options) run(ctx context.Context) error {
	a := o.App
	profile, key, err := a.RoleInUse(ctx, "exec")
	if err != nil {
		return o.misplaced(err)
	}
	if len(o.command) == 0 {
		o.command = []string{shell(a.Env.Getenv)}
	}
	path, err := findProgram(a.Env.Getenv, o.command[0])
	if err != nil {
		return cannotRun(o.command[0], err)
	}
	if o.renew {
		return o.runRenewing(ctx, path, profile, key)
	}
	creds, err := connect.RoleCredentials(ctx, a, key, connect.ShellTTL)
	if creds, err = connect.OrShorter(a, key, creds, err); err != nil {
		return err
	}
	c := command(a, path, o.command, profile)
	c.setSettings(profile)
	for _, v := range ui.CredentialVariables(creds) {
		c.set(v[0], v[1])
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.become()
}

// misplaced gives the error that no profile is named another hint where one is, behind the command: that flag is the
// command's.
func (o *options) misplaced(err error) error {
	isFlag := func(arg string) bool { return arg == "--profile" || strings.HasPrefix(arg, "--profile=") }
	if name, _ := o.App.ActiveProfile(); name != "" || fault.KindOf(err) != fault.Usage || !slices.ContainsFunc(o.command, isFlag) {
		return err
	}
	return &fault.Error{
		Kind: fault.Usage, Msg: err.Error() + "; the --profile behind the command is the command's", Err: err,
		Remedy: fault.Preface{
			Words: "put the flag in front of it:", Then: fault.Run{"homing", "exec", "--profile", "NAME", "--", o.command[0]},
		},
	}
}

// cannotRun words why a command does not run, with the exit code that a shell has for it.
func cannotRun(name string, err error) error {
	code, why := exitNotExecutable, "cannot be run"
	remedy := fault.Preface{Words: "see what it is:", Then: fault.Run{"ls", "-l", name}}
	switch {
	case errors.Is(err, exec.ErrNotFound):
		code, why = exitNotFound, "is not in PATH"
		remedy = fault.Preface{Words: "check its spelling:", Then: fault.Run{"type", name}}
	case errors.Is(err, fs.ErrNotExist):
		code, why = exitNotFound, "does not exist, or the interpreter that it names does not"
		remedy.Words = "see what is there:"
	case errors.Is(err, errFolder):
		why = "is a folder"
	case errors.Is(err, fs.ErrPermission):
		why = "must not be run"
		remedy = fault.Preface{Words: "allow it:", Then: fault.Run{"chmod", "+x", name}}
	default:
		why += ": " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return &CommandEnded{code, &fault.Error{Kind: fault.Usage, Msg: fmt.Sprintf("%q %s", name, why), Remedy: remedy, Err: err}}
}

var errFolder = errors.New("is a folder")
