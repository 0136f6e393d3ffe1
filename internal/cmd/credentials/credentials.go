// Package credentials implements the commands credentials and env. Quick answers most calls from the cache, so the
// package must stay cheap to start.
package credentials

import (
	"cmp"
	"context"
	"io"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

type options struct {
	app.RoleFlags
	app    *app.App
	name   string // of the command, for hints; "" means credentials
	format string
	minTTL time.Duration
}

// New returns the command credentials.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:     "credentials",
		GroupID: app.GroupUse,
		Short:   "Print role credentials, for programs and shells",
		Long: app.Lines(
			"Prints the credentials of the profile's role, from the cache if they are still valid. It renews the",
			"token if it can, and never opens a browser: without a usable token the exit code is 4.",
			"",
			"stdout gets the credentials or nothing. As credential_process of a profile:",
			"",
			"    credential_process = homing credentials --profile dev",
			"",
			"The profile is that of --profile, AWS_PROFILE, AWS_DEFAULT_PROFILE or HOMING_PROFILE (which homing",
			"exec sets); else [default] if it has a role; else the only profile; else, on a terminal, the one you",
			"pick.",
		),
		Example: app.Lines(
			"  homing credentials --profile dev",
			"  homing credentials --profile dev --format powershell | Invoke-Expression",
			"  homing credentials --sso-session dev --account-id 111122223333 --role-name Admin",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.validateAndRun(cmd)
		},
	}
	o.register(cmd, "process")
	return cmd
}

// NewEnv returns the command env.
func NewEnv(a *app.App) *cobra.Command {
	o := &options{app: a, name: "env"}
	cmd := &cobra.Command{
		Use:     "env",
		GroupID: app.GroupUse,
		Short:   "Print role credentials as export lines",
		Long:    "Prints the lines that set role credentials in a shell, as credentials --format env does.",
		Example: app.Lines(
			`  eval "$(homing env --profile dev)"`,
			"  homing env --profile dev --format fish | source",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.validateAndRun(cmd)
		},
	}
	o.register(cmd, "env")
	return cmd
}

func (o *options) register(cmd *cobra.Command, format string) {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	flags := cmd.Flags()
	flags.StringVar(&o.format, "format", format, "`format` of the output: "+strings.Join(names, ", "))
	flags.DurationVar(&o.minTTL, "min-ttl", 0,
		"minimum `time` that cached credentials must have left (default 15m, for shell formats 30m)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	o.RegisterRole(cmd, o.app)
}

// flagsGiven says which flags were given, for those whose default differs from leaving them out.
type flagsGiven struct{ format, minTTL bool }

func (o *options) validateAndRun(cmd *cobra.Command) error {
	flags := cmd.Flags()
	set := flagsGiven{flags.Changed("format"), flags.Changed("min-ttl")}
	if err := o.validate(set, app.HelpHint(cmd)); err != nil {
		return err
	}
	return o.run(cmd.Context())
}

// validate completes the options and refuses contradictions. help is the hint that names the help page.
func (o *options) validate(set flagsGiven, help string) error {
	if o.app.UI.JSON && !set.format {
		o.format = "json"
	}
	if _, ok := formatOf(o.format); !ok {
		return fault.New(fault.Usage, help, "--format %q is not a format", o.format)
	}
	if o.app.UI.JSON && o.format != "json" && o.format != "process" { // both are JSON
		return fault.New(fault.Usage, help, "--json and --format %s contradict each other", o.format)
	}
	if o.minTTL < 0 {
		return fault.New(fault.Usage, "use a duration such as 30m", "--min-ttl %s is negative", o.minTTL)
	}
	if set.minTTL && o.minTTL == 0 {
		o.minTTL = 1 // anything still valid; zero means the default
	}
	return o.Valid()
}

func (o *options) run(ctx context.Context) error {
	key, err := o.role(ctx)
	if err != nil {
		return err
	}
	creds, err := connect.RoleCredentials(ctx, o.app, key, o.ttl())
	if o.forShell() && o.minTTL == 0 {
		creds, err = connect.OrShorter(o.app, key, creds, err)
	}
	if err != nil {
		return err
	}
	text, err := o.render(creds, key)
	if err != nil {
		return err
	}
	_, err = io.WriteString(o.app.UI.Out, text)
	return err
}

// forShell reports whether the format sets variables, which nothing renews when they expire.
func (o *options) forShell() bool {
	_, ok := ui.AssignmentOf(o.format)
	return ok
}

// ttl returns how long cached credentials must still be valid.
func (o *options) ttl() time.Duration {
	if o.minTTL == 0 && o.forShell() {
		return connect.ShellTTL
	}
	return connect.MinTTL(o.minTTL)
}

// render returns credentials in the format asked for.
func (o *options) render(creds session.RoleCredentials, key store.RoleKey) (string, error) {
	format, _ := formatOf(o.format)
	return format.render(creds, key)
}

// role returns the role that the flags and the config name.
func (o *options) role(ctx context.Context) (store.RoleKey, error) {
	// The format process is for programs, which cannot answer a question unless stdout is a terminal.
	mayAsk := o.format != "process" || o.app.Env.Terminal.Stdout
	return o.app.Role(ctx, o.RoleFlags, cmp.Or(o.name, "credentials"), mayAsk)
}
