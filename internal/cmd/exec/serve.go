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
	app      *app.App
	profiles []string
	format   string
	port     int
}

// serveJSON is the answer of serve --json. Its names are stable.
type serveJSON struct {
	Port     int            `json:"port"`
	Token    string         `json:"token"`
	Profiles []serveProfile `json:"profiles"`
}

type serveProfile struct {
	Profile string `json:"profile"`
	URL     string `json:"url"`
}

// NewServe returns the command serve.
func NewServe(a *app.App) *cobra.Command {
	o := &serveOptions{app: a}
	cmd := &cobra.Command{
		Use:     "serve [PROFILE...]",
		GroupID: app.GroupUse,
		Short:   "Serve role credentials to AWS SDKs on loopback",
		Long: app.Lines(
			"Serves role credentials to programs on this machine until Ctrl-C, as a container-credentials endpoint,",
			"and renews them in time. It prints the two variables that an SDK needs, and the address of each",
			"profile. Without PROFILE it serves the active profile.",
			"",
			"Whoever has the token has the credentials. The endpoint listens on 127.0.0.1 only, and refuses",
			"requests without the token, from a web page or for another Host. SDKs try an endpoint last, after",
			"keys, AWS_PROFILE and the credentials of [default]; homing exec --renew keeps these from its command.",
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
			if err := o.validate(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&o.format, "format", "env", "`format` of the variables: "+strings.Join(ui.ShellFormats, ", "))
	cmd.Flags().IntVar(&o.port, "port", 0, "`port` to listen on; 0 picks a free one")
	_ = cmd.RegisterFlagCompletionFunc("format",
		cobra.FixedCompletions(ui.ShellFormats, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (o *serveOptions) validate(cmd *cobra.Command) error {
	if _, ok := ui.AssignmentOf(o.format); !ok {
		return fault.New(fault.Usage, app.HelpHint(cmd), "--format %q is not a format", o.format)
	}
	if o.app.UI.JSON && cmd.Flags().Changed("format") {
		return fault.New(fault.Usage, app.HelpHint(cmd), "--json and --format %s contradict each other", o.format)
	}
	if o.port < 0 || o.port > 65535 {
		return fault.New(fault.Usage, "use a number from 1024 to 65535, or 0 for any", "--port %d is not a port",
			o.port)
	}
	if len(o.profiles) > 0 && o.app.Flags.Profile != "" {
		return fault.New(fault.Usage, app.HelpHint(cmd), "--profile %s and profiles as arguments contradict each other",
			o.app.Flags.Profile)
	}
	return nil
}

func (o *serveOptions) run(ctx context.Context) error {
	a := o.app
	if err := o.resolve(ctx); err != nil {
		return err
	}
	server := newServer(a, o.profiles)
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
	go func() { // fetch now, so that the first request need not wait and a missing sign-in shows at once
		for _, profile := range o.profiles {
			_, _ = server.Get(ctx, profile) // Trouble reports the error
		}
	}()
	return server.Serve(ctx, l, checkEvery(a))
}

// resolve sets the profiles to serve, and checks now that each has a role.
func (o *serveOptions) resolve(ctx context.Context) error {
	if len(o.profiles) == 0 {
		profile, _, err := o.app.RoleInUse(ctx, "serve")
		o.profiles = []string{profile}
		return err
	}
	var profiles []string
	for _, profile := range o.profiles {
		o.app.Flags.Profile = profile
		if _, _, err := o.app.RoleInUse(ctx, "serve"); err != nil {
			return err
		}
		if !slices.Contains(profiles, profile) {
			profiles = append(profiles, profile)
		}
	}
	o.profiles = profiles
	o.app.Flags.Profile = ""
	return nil
}

// print writes the variables for the first profile, or under --json the addresses of all.
func (o *serveOptions) print(port int, token string) error {
	if o.app.UI.JSON {
		d := serveJSON{Port: port, Token: token}
		for _, profile := range o.profiles {
			d.Profiles = append(d.Profiles, serveProfile{profile, credserver.URL(port, credserver.Path(profile))})
		}
		return o.app.UI.Document(d)
	}
	f, _ := ui.AssignmentOf(o.format)
	_, err := io.WriteString(o.app.UI.Out,
		f.Lines(endpointVariables(credserver.URL(port, credserver.Path(o.profiles[0])), token)))
	return err
}

// endpointVariables returns the variables that make an SDK use the endpoint.
func endpointVariables(url, token string) [][2]string {
	return [][2]string{{"AWS_CONTAINER_CREDENTIALS_FULL_URI", url}, {"AWS_CONTAINER_AUTHORIZATION_TOKEN", token}}
}

// warn names the credentials that programs started in this environment would prefer to the endpoint.
func (o *serveOptions) warn() {
	a := o.app
	var set []string
	for _, name := range credentialVariables {
		isEndpoint := name == "AWS_CONTAINER_CREDENTIALS_FULL_URI" ||
			strings.HasPrefix(name, "AWS_CONTAINER_AUTHORIZATION_TOKEN")
		if a.Env.Getenv(name) != "" && !isEndpoint {
			set = append(set, name)
		}
	}
	if len(set) > 0 {
		a.UI.Say("warning: programs prefer these variables to the endpoint: %s\n", strings.Join(set, ", "))
	}
	if file, found := botoKeys(a); found {
		a.UI.Say("warning: boto3 prefers the keys in %q to the endpoint. For such programs: export %s=%s\n",
			file, varBoto, os.DevNull)
	}
	if p, ok := a.Loaded.Profile("default"); ok && awsconfig.GivesCredentials(p) {
		a.UI.Say("warning: programs prefer the credentials of [default] in %q to the endpoint\n", a.ConfigFile())
	}
}
