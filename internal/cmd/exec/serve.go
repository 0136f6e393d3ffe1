package exec

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/credserver"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

type serveOptions struct {
	App      *app.App
	profiles []string
	format   string
	port     int
}

// serveJSON is what serve --json prints. The names stay as they are.
type serveJSON struct {
	Port     int            `json:"port"`
	Token    string         `json:"token"`
	Profiles []serveProfile `json:"profiles"`
}

type serveProfile struct {
	Profile string `json:"profile"`
	URL     string `json:"url"`
}

func NewServe(a *app.App) *cobra.Command {
	o := &serveOptions{App: a}
	cmd := &cobra.Command{
		Use:     "serve [PROFILE...]",
		GroupID: app.GroupUse,
		Short:   "Serve role credentials to AWS SDKs on loopback",
		Long: app.Lines(
			"Serves role credentials to programs on this machine until Ctrl-C, as a container-credentials endpoint, and renews",
			"them ahead of time. It prints the two variables that lead an SDK there, and says where each profile is. Without",
			"PROFILE it serves the active one.",
			"",
			"Who has the token has the credentials. Only 127.0.0.1 is listened on; a request without the token, from a web page or",
			"for another Host is refused. An SDK asks an endpoint last: keys or AWS_PROFILE in its environment, and a [default]",
			"that leads to credentials, come first. homing exec --renew sees to that.",
		),
		Example: app.Lines(
			"  homing serve dev prod",
			"  (umask 077; homing serve dev >~/.homing-endpoint)   # then in another terminal: . ~/.homing-endpoint",
			"  homing serve --profile dev --format powershell --port 9911",
		),
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: a.CompleteProfiles,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.profiles = args
			if err := o.valid(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.format, "format", "env", "`format` of the variables: "+strings.Join(ui.ShellFormats, ", "))
	cmd.Flags().IntVar(&o.port, "port", 0, "`port` to listen on; 0 is any that is free")
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(ui.ShellFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *serveOptions) valid(cmd *cobra.Command) error {
	if _, ok := ui.AssignmentOf(o.format); !ok {
		return fault.New(fault.Usage, app.HelpHint(cmd), "--format %q is not a format", o.format)
	}
	if o.App.UI.JSON && cmd.Flags().Changed("format") {
		return fault.New(fault.Usage, app.HelpHint(cmd), "--json and --format %s contradict each other", o.format)
	}
	if o.port < 0 || o.port > 65535 {
		return fault.New(fault.Usage, "use a number from 1024 to 65535, or 0 for any", "--port %d is not a port", o.port)
	}
	if len(o.profiles) > 0 && o.App.Flags.Profile != "" {
		return fault.New(fault.Usage, app.HelpHint(cmd), "--profile %s and profiles as arguments contradict each other", o.App.Flags.Profile)
	}
	return nil
}

func (o *serveOptions) run(ctx context.Context) error {
	a := o.App
	if err := o.resolve(ctx); err != nil {
		return err
	}
	server := credentialServer(a, o.profiles)
	l, port, err := credserver.Listen(ctx, o.port)
	if err != nil {
		return err
	}
	server.Port = port
	if err := o.print(port, server.Token.Reveal()); err != nil {
		return err
	}
	for _, profile := range o.profiles {
		a.UI.Say("Serving profile %q at %s\n", profile, credserver.URL(port, credserver.Path(profile)))
	}
	o.warn()
	a.UI.Say("Until Ctrl-C.\n")
	go func() { // so that the first to ask need not wait, and who is to sign in hears of it
		for _, profile := range o.profiles {
			_, _ = server.Get(ctx, profile) // Trouble says why not
		}
	}()
	return server.Serve(ctx, l, lookEvery(a))
}

// resolve finds the profiles to serve; that each has a role is found out now rather than when somebody asks.
func (o *serveOptions) resolve(ctx context.Context) error {
	if len(o.profiles) == 0 {
		profile, _, err := o.App.RoleInUse(ctx, "serve")
		o.profiles = []string{profile}
		return err
	}
	var profiles []string
	for _, profile := range o.profiles {
		o.App.Flags.Profile = profile
		if _, _, err := o.App.RoleInUse(ctx, "serve"); err != nil {
			return err
		}
		if !slices.Contains(profiles, profile) {
			profiles = append(profiles, profile)
		}
	}
	o.profiles = profiles
	o.App.Flags.Profile = ""
	return nil
}

// print writes what leads an SDK to the first profile, or under --json to all.
func (o *serveOptions) print(port int, token string) error {
	if o.App.UI.JSON {
		d := serveJSON{Port: port, Token: token}
		for _, profile := range o.profiles {
			d.Profiles = append(d.Profiles, serveProfile{profile, credserver.URL(port, credserver.Path(profile))})
		}
		return o.App.UI.Document(d)
	}
	f, _ := ui.AssignmentOf(o.format)
	_, err := io.WriteString(o.App.UI.Out, f.Lines(endpointVariables(credserver.URL(port, credserver.Path(o.profiles[0])), token)))
	return err
}

func endpointVariables(url, token string) [][2]string {
	return [][2]string{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", token}}
}

// warn names what programs started from the same place would take before the endpoint.
func (o *serveOptions) warn() {
	a := o.App
	var set []string
	for _, name := range foreignVariables {
		if a.Env.Getenv(name) != "" && !strings.HasPrefix(name, "AWS_CONTAINER_AUTHORIZATION_TOKEN") && name != "AWS_CONTAINER_CREDENTIALS_FULL_URI" {
			set = append(set, name)
		}
	}
	if len(set) > 0 {
		a.UI.Say("warning: programs take what these say before they ask here: %s\n", strings.Join(set, ", "))
	}
	if file, found := botoKeys(a); found {
		a.UI.Say("warning: boto3 takes the keys in %q before it asks here. For such programs: export %s=%s\n", file, varBoto, os.DevNull)
	}
	if p, ok := a.Loaded.Profile("default"); ok && awsconfig.GivesCredentials(p) {
		a.UI.Say("warning: programs take the credentials of [default] in %q before they ask here\n", a.ConfigFile())
	}
}
