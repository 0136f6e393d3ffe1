// Package exec implements the commands exec and serve, which share the endpoint for role credentials.
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

// The exit codes of a shell for a command that it cannot run.
const (
	exitNotExecutable = 126
	exitNotFound      = 127
)

// CommandEnded is the error of a command that homing ran: homing exits with the same code.
type CommandEnded struct {
	Code int
	Err  error // why the command did not run; nil if it did
}

func (e *CommandEnded) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	return fmt.Sprintf("the command ended with %d", e.Code)
}

func (e *CommandEnded) Unwrap() error { return e.Err }

type options struct {
	app     *app.App
	renew   bool
	command []string // empty means a shell
}

// New returns the command exec.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:     "exec [flags] [--] [COMMAND [ARG...]]",
		GroupID: app.GroupUse,
		Short:   "Run a command with role credentials, or a shell",
		Long: app.Lines(
			"Runs the command as the role of the profile: with its credentials and region in the environment, and",
			"without variables that would override them (--debug names those). Where the system allows it, the",
			"command replaces homing, so signals and the exit code are the command's. Without a command it starts",
			"your shell.",
			"",
			"Credentials in the environment expire, usually after 30 minutes to an hour. With --renew the command",
			"gets the address of an endpoint instead, which homing serves while the command runs: AWS SDKs fetch",
			"new credentials there.",
			"",
			"The exit code is 127 if the command does not exist, and 126 if it cannot be run.",
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
	cmd.Flags().SetInterspersed(false) // flags after the command's name are the command's
	cmd.Flags().BoolVar(&o.renew, "renew", false,
		"give the command an endpoint that renews credentials, instead of keys")
	return cmd
}

func (o *options) run(ctx context.Context) error {
	a := o.app
	profile, key, err := a.RoleInUse(ctx, "exec")
	if err != nil {
		return o.explainMisplacedFlag(err)
	}
	if len(o.command) == 0 {
		o.command = []string{shell(a.Env.Getenv)}
	}
	path, err := findProgram(a.Env.Getenv, o.command[0])
	if err != nil {
		return cannotRun(o.command[0], err)
	}
	if o.renew {
		return o.runWithEndpoint(ctx, path, profile, key)
	}
	creds, err := connect.RoleCredentials(ctx, a, key, connect.ShellTTL)
	if creds, err = connect.OrShorter(a, key, creds, err); err != nil {
		return err
	}
	c := newChildCommand(a, path, o.command, profile)
	c.setSettings(profile)
	for _, v := range ui.CredentialVariables(creds) {
		c.set(v[0], v[1])
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return c.replaceProcess()
}

// explainMisplacedFlag returns err, or a better error if --profile comes after the command's name and so belongs to
// the command.
func (o *options) explainMisplacedFlag(err error) error {
	isFlag := func(arg string) bool { return arg == "--profile" || strings.HasPrefix(arg, "--profile=") }
	name, _ := o.app.ActiveProfile()
	if name != "" || fault.KindOf(err) != fault.Usage || !slices.ContainsFunc(o.command, isFlag) {
		return err
	}
	return &fault.Error{
		Kind: fault.Usage, Msg: err.Error() + "; the --profile after the command belongs to the command", Err: err,
		Remedy: fault.Preface{
			Words: "put the flag before the command:", Then: fault.Run{"homing", "exec", "--profile", "NAME", "--",
				o.command[0]},
		},
	}
}

// cannotRun returns the error for a command that does not run, with the exit code of a shell.
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
		why = "is not executable"
		remedy = fault.Preface{Words: "allow it:", Then: fault.Run{"chmod", "+x", name}}
	default:
		why += ": " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return &CommandEnded{
		code,
		&fault.Error{Kind: fault.Usage, Msg: fmt.Sprintf("%q %s", name, why), Remedy: remedy, Err: err},
	}
}

var errFolder = errors.New("is a folder")
