// Package credentials is the commands credentials and env, and their quick path.
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
	App    *app.App
	name   string // of the command, for hints; "" is credentials
	format string
	minTTL time.Duration
}

func New(a *app.App) *cobra.Command {
	o := &options{App: a}
	cmd := &cobra.Command{
		Use:     "credentials",
		GroupID: app.GroupUse,
		Short:   "Print role credentials, for programs and shells",
		Long: app.Lines(
			"Prints the credentials of the profile's role, from the cache where they are still good. It renews the token",
			"where it can, and never opens a browser: without a usable token it ends with exit code 4.",
			"",
			"stdout holds the credentials or nothing. As credential_process of a profile:",
			"",
			"    credential_process = homing credentials --profile dev",
			"",
			"Which profile: --profile, AWS_PROFILE, AWS_DEFAULT_PROFILE, HOMING_PROFILE (the one of homing exec around this); else",
			"[default] where it has a role; else the only one there is; else the one you pick, at a terminal.",
		),
		Example: app.Lines(
			"  homing credentials --profile dev",
			"  homing credentials --profile dev --format powershell | Invoke-Expression",
			"  homing credentials --sso-session dev --account-id 111122223333 --role-name Admin",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.validated(cmd)
		},
	}
	o.register(cmd, "process")
	return cmd
}

func NewEnv(a *app.App) *cobra.Command {
	o := &options{App: a, name: "env"}
	cmd := &cobra.Command{
		Use:     "env",
		GroupID: app.GroupUse,
		Short:   "Print role credentials as export lines",
		Long:    "Short for credentials --format env: prints the lines that put role credentials into the environment of a shell.",
		Example: app.Lines(
			`  eval "$(homing env --profile dev)"`,
			"  homing env --profile dev --format fish | source",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.validated(cmd)
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
	flags.DurationVar(&o.minTTL, "min-ttl", 0, "fetch new ones unless the cached have at least this much `time` left (default 15m, in the formats of shells 30m)")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp))
	o.RegisterRole(cmd, o.App)
}

// given says which flags were given, of those whose default is not what their absence means.
type given struct{ format, minTTL bool }

func (o *options) validated(cmd *cobra.Command) error {
	flags := cmd.Flags()
	if err := o.valid(given{flags.Changed("format"), flags.Changed("min-ttl")}, app.HelpHint(cmd)); err != nil {
		return err
	}
	return o.run(cmd.Context())
}

// valid completes the options and refuses those that make no sense. help is the command that lists them.
func (o *options) valid(set given, help string) error {
	if o.App.UI.JSON && !set.format {
		o.format = "json"
	}
	if _, ok := formatOf(o.format); !ok {
		return fault.New(fault.Usage, help, "--format %q is not a format", o.format)
	}
	if o.App.UI.JSON && o.format != "json" && o.format != "process" { // both are JSON
		return fault.New(fault.Usage, help, "--json and --format %s contradict each other", o.format)
	}
	if o.minTTL < 0 {
		return fault.New(fault.Usage, "use a duration such as 30m", "--min-ttl %s is negative", o.minTTL)
	}
	if set.minTTL && o.minTTL == 0 {
		o.minTTL = 1 // whatever is still good, which is not the default
	}
	return o.RoleFlags.Valid()
}

func (o *options) run(ctx context.Context) error {
	key, err := o.role(ctx)
	if err != nil {
		return err
	}
	creds, err := connect.RoleCredentials(ctx, o.App, key, o.ttl())
	if o.forShell() && o.minTTL == 0 {
		creds, err = connect.OrShorter(o.App, key, creds, err)
	}
	if err != nil {
		return err
	}
	text, err := o.render(creds, key)
	if err != nil {
		return err
	}
	_, err = io.WriteString(o.App.UI.Out, text)
	return err
}

// forShell reports whether the format sets variables, which nobody replaces when they lapse.
func (o *options) forShell() bool {
	_, ok := ui.AssignmentOf(o.format)
	return ok
}

// ttl is what cached credentials must have left.
func (o *options) ttl() time.Duration {
	if o.minTTL == 0 && o.forShell() {
		return connect.ShellTTL
	}
	return connect.MinTTL(o.minTTL)
}

// render writes credentials in the format asked for.
func (o *options) render(creds session.RoleCredentials, key store.RoleKey) (string, error) {
	format, _ := formatOf(o.format)
	return format.render(creds, key)
}

// role finds which role of which session is asked for.
func (o *options) role(ctx context.Context) (store.RoleKey, error) {
	// The format process is for programs. One that has no screen of its own to show a question on should not wait for an answer.
	return o.App.Role(ctx, o.RoleFlags, cmp.Or(o.name, "credentials"), o.format != "process" || o.App.Env.Terminal.Stdout)
}
