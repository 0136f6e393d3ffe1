// Package emulator implements the commands emulator and demo. The emulator itself is the public package of that name.
package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/answer"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

// switchNames returns the names of the emulator's switches. Names of switches that take a text end in "=".
func switchNames() []string {
	var names []string
	for f := range reflect.TypeFor[emulator.Switches]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Type.Kind() == reflect.String {
			name += "="
		}
		names = append(names, name)
	}
	return names
}

type options struct {
	app             *app.App
	listen          string
	startURL        string
	ssoRegion       string
	directory       string
	accounts, roles int
	switches        []string
	verification    string
	log             bool

	autoApprove         bool
	slowDowns           int
	portalRate          int
	latency             time.Duration
	tokenLife           time.Duration
	sessionLife         time.Duration
	refuseDeviceGrant   bool
	unscopedTokenLife   time.Duration
	registrationLife    time.Duration
	clockSkew, codeLife time.Duration
}

// New returns the command emulator.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:     "emulator",
		GroupID: app.GroupTry,
		Short:   "Serve an IAM Identity Center on loopback, for tests and trials",
		Long: app.Lines(
			"Serves SSO-OIDC, the access portal with its pages, and GetCallerIdentity of STS on one loopback",
			"address, until Ctrl-C. It prints export lines that point the AWS CLI, the SDKs and homing to it. The",
			"AWS CLI accepts its start URL; the emulator never calls AWS.",
			"",
			"Sign in as ada with any password. Tests control it over /_emulator/ (docs/emulator.md).",
		),
		Example: app.Lines(
			"  homing emulator",
			"  homing emulator --listen 127.0.0.1:4000 --accounts 300 --roles 4",
			"  homing emulator --auto-approve --switch punish_impatience --slow-downs 1",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 picks a free one")
	flags.StringVar(&o.startURL, "start-url", emulator.DefaultStartURL, "start `URL` of the instance")
	flags.StringVar(&o.ssoRegion, "sso-region", emulator.DefaultRegion, "`region` of the instance")
	flags.StringVar(&o.directory, "directory", "", "JSON `file` of users, accounts and roles")
	flags.IntVar(&o.accounts, "accounts", 0, "generate `N` accounts")
	flags.IntVar(&o.roles, "roles", 2, "generate `N` roles in each account of --accounts")
	flags.StringArrayVar(&o.switches, "switch", nil,
		"`name` of a switch to turn on, such as punish_impatience, or name=text; may be repeated")
	flags.StringVar(&o.verification, "verification", "",
		"`form` of the verification addresses: device, fragment or opaque")
	flags.BoolVar(&o.log, "log", false, "log each request to stderr, without secrets")
	flags.BoolVar(&o.autoApprove, "auto-approve", false, "allow every request as soon as its address is opened")
	flags.IntVar(&o.slowDowns, "slow-downs", 0, "answer the first `N` polls with slow_down")
	flags.IntVar(&o.portalRate, "portal-rate", 0, "portal calls a second before throttling (0: no limit)")
	flags.DurationVar(&o.latency, "latency", 0, "wait before each answer")
	flags.DurationVar(&o.tokenLife, "token-life", 0, "life of an access token (0: 1h)")
	flags.DurationVar(&o.unscopedTokenLife, "unscoped-token-life", 0, "life of an access token without scopes (0: 8h)")
	flags.DurationVar(&o.sessionLife, "session-life", 0, "life of a portal session (0: 8h)")
	flags.DurationVar(&o.registrationLife, "registration-life", 0, "life of a client registration (0: 90 days)")
	flags.DurationVar(&o.codeLife, "code-life", 0, "life of a code (0: 10m)")
	flags.DurationVar(&o.clockSkew, "clock-skew", 0, "how far the service's clock is ahead of this one")
	flags.BoolVar(&o.refuseDeviceGrant, "refuse-device-grant", false, "refuse sign-in by device code")
	app.CompleteFixed(cmd, "switch", switchNames()...)
	app.CompleteFixed(cmd, "verification", verificationForms...)
	app.CompleteFixed(cmd, "sso-region", emulator.DefaultRegion)
	_ = cmd.RegisterFlagCompletionFunc("directory", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveDefault))
	return cmd
}

// verificationForms are the values of --verification.
var verificationForms = []string{
	string(emulator.VerificationDevice), string(emulator.VerificationFragment), string(emulator.VerificationOpaque),
}

// maxRoles bounds a generated directory, which is held in memory with some hundred bytes a role.
const maxRoles = 1_000_000

// validate refuses unusable options.
func (o *options) validate(cmd *cobra.Command) error {
	hint := app.HelpHint(cmd)
	switch {
	case o.accounts < 0, o.roles < 0, o.slowDowns < 0, o.portalRate < 0:
		return fault.New(fault.Usage, hint, "--accounts, --roles, --slow-downs and --portal-rate cannot be negative")
	case o.accounts > maxRoles, o.roles > maxRoles, o.accounts*o.roles > maxRoles:
		return fault.New(fault.Usage, hint, "--accounts and --roles make more than %d roles", maxRoles)
	case o.accounts > 0 && o.roles == 0:
		return fault.New(fault.Usage, hint, "--roles must be at least 1")
	case o.directory != "" && o.accounts > 0:
		return fault.New(fault.Usage, hint, "--directory and --accounts contradict each other")
	case o.latency < 0, o.tokenLife < 0, o.unscopedTokenLife < 0, o.sessionLife < 0, o.registrationLife < 0,
		o.codeLife < 0:
		return fault.New(fault.Usage, hint, "a life or a latency cannot be negative")
	}
	if o.verification != "" && !slices.Contains(verificationForms, o.verification) {
		return fault.New(fault.Usage, hint, "--verification %q is none of %s", o.verification,
			strings.Join(verificationForms, ", "))
	}
	if err := idc.ValidStartURL(o.startURL); err != nil {
		return &fault.Error{Kind: fault.Usage, Msg: "--start-url: " + err.Error(), Remedy: fault.Advice(hint), Err: err}
	}
	if problem := answer.CheckRegion(o.ssoRegion); problem != "" {
		return fault.New(fault.Usage, hint, "--sso-region %q: %s", o.ssoRegion, ui.LowerFirst(problem))
	}
	return nil
}

func (o *options) run(ctx context.Context) error {
	server, err := o.server()
	if err != nil {
		return err
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", o.listen)
	if err != nil {
		return &fault.Error{
			Kind:   fault.Config,
			Msg:    fmt.Sprintf("cannot listen on %q: %v", o.listen, errors.Unwrap(err)),
			Remedy: fault.Advice("choose another address, such as: --listen 127.0.0.1:0"),
			Err:    err,
		}
	}
	o.warnIfReachable(listener.Addr())
	if err := o.announce("http://"+localAddress(listener.Addr()), server); err != nil {
		return errors.Join(err, listener.Close())
	}
	return serve(ctx, listener, server)
}

// localAddress returns the address at which programs on this machine reach a listener: loopback, if it listens on all
// interfaces.
func localAddress(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port)) // "::" accepts IPv4 too
}

// warnIfReachable warns if other machines can reach a listener.
func (o *options) warnIfReachable(addr net.Addr) {
	if tcp, ok := addr.(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
		o.app.UI.Say(
			"warning: --listen %q is not loopback: anybody who can reach this machine can use the emulator.\n",
			o.listen,
		)
	}
}

// serve answers requests on listener until ctx is done.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	srv := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 10 * time.Second, // so that a stuck client does not hold a connection
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// announce prints the address of the emulator, as lines for a shell.
func (o *options) announce(base string, server *emulator.Server) error {
	u := o.app.UI
	if u.JSON {
		return u.Event(struct {
			Event    string `json:"event"`
			URL      string `json:"url"`
			StartURL string `json:"start_url"`
			Region   string `json:"region"`
		}{"emulator", base, server.StartURL, server.Region})
	}
	for _, service := range []string{"SSO_OIDC", "SSO", "STS"} {
		u.Answer("export AWS_ENDPOINT_URL_%s=%s\n", service, base)
	}
	u.Answer("# start URL: %s\n# region:    %s\n", server.StartURL, server.Region)
	u.Say("Serving until Ctrl-C. In another shell, with the lines above:\n"+
		"  homing configure sso --sso-session emulator --sso-start-url %s --sso-region %s\n",
		server.StartURL, server.Region)
	return nil
}

// server returns the emulator that the options describe.
func (o *options) server() (*emulator.Server, error) {
	server := &emulator.Server{
		Region: o.ssoRegion, StartURL: o.startURL, AutoApprove: o.autoApprove, SlowDowns: o.slowDowns,
		PortalRate: o.portalRate, Latency: o.latency, ClockSkew: o.clockSkew, DeviceGrantRefused: o.refuseDeviceGrant,
		AccessTokenLife: o.tokenLife, UnscopedTokenLife: o.unscopedTokenLife, SessionLife: o.sessionLife,
		RegistrationLife: o.registrationLife, CodeLife: o.codeLife,
		Verification: emulator.VerificationForm(o.verification),
	}
	if o.log {
		server.Logger = slog.New(slog.NewTextHandler(o.app.Env.Stderr, nil))
	}
	if err := setSwitches(&server.Switches, o.switches); err != nil {
		return nil, err
	}
	switch {
	case o.directory != "":
		return server, o.readDirectory(server)
	case o.accounts > 0:
		server.Directory = emulator.GenerateDirectory(o.accounts, o.roles)
	}
	return server, nil
}

// setSwitches applies the --switch flags to sw: NAME turns a switch on, NAME=TEXT sets one that takes a text.
func setSwitches(sw *emulator.Switches, flags []string) error {
	for _, flag := range flags {
		name, text, hasText := strings.Cut(flag, "=")
		value := any(true)
		if hasText {
			value = text
		}
		one, err := json.Marshal(map[string]any{name: value})
		if err != nil {
			return err
		}
		decoder := json.NewDecoder(bytes.NewReader(one))
		decoder.DisallowUnknownFields()
		err = decoder.Decode(sw)
		if err == nil {
			continue
		}
		f := &fault.Error{Kind: fault.Usage, Msg: fmt.Sprintf("--switch %q: there is no such switch", flag),
			Remedy: fault.Advice("use one of: " + strings.Join(switchNames(), ", ")), Err: err}
		switch _, wrongType := errors.AsType[*json.UnmarshalTypeError](err); {
		case wrongType && hasText:
			f.Msg, f.Remedy = fmt.Sprintf("--switch %q: this switch takes no text",
				flag), fault.Advice("use the flag: --switch "+name)
		case wrongType:
			f.Msg, f.Remedy = fmt.Sprintf("--switch %q: this switch needs a text",
				flag), fault.Advice("use the flag: --switch "+name+"=TEXT")
		}
		return f
	}
	return nil
}

// readDirectory loads the file of --directory into server.
func (o *options) readDirectory(server *emulator.Server) error {
	f, err := os.Open(o.directory)
	if err != nil {
		return &fault.Error{
			Kind:   fault.Config,
			Msg:    fmt.Sprintf("cannot read --directory %q: %v", o.directory, errors.Unwrap(err)),
			Remedy: fault.Advice("give a JSON file: --directory FILE"),
			Err:    err,
		}
	}
	defer func() { _ = f.Close() }()
	server.Directory, err = emulator.ReadDirectory(f)
	if err != nil {
		return &fault.Error{
			Kind:   fault.Config,
			Msg:    fmt.Sprintf("--directory %q: %v", o.directory, err),
			Remedy: fault.Advice("see docs/emulator.md for the format of the file"),
			Err:    err,
		}
	}
	return nil
}
