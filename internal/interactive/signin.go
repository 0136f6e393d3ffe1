// Package interactive signs a person in, from the flags of a command to the stored token. Every command that may open
// a browser or show a code goes through SignIn. How a sign-in proceeds is left to internal/signin, its words to
// internal/ui.
package interactive

import (
	"context"
	"strings"
	"sync"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

// Flags are the flags of every command that may sign a person in.
type Flags struct {
	flow          string // a session.Flow; "" leaves the choice to settings
	useDeviceCode bool
	noBrowser     bool
	redirectPort  int
	keepFresh     *bool // nil: the setting decides
}

// Register adds the flags to cmd, all but --keep-fresh.
func (f *Flags) Register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.flow, "flow", "", "`flow` to sign in by: auto, pkce or device (also: HOMING_FLOW; default auto)")
	flags.BoolVar(&f.useDeviceCode, "use-device-code", false, "short for --flow device")
	flags.BoolVar(&f.noBrowser, "no-browser", false, "print the address instead of opening a browser")
	flags.IntVar(&f.redirectPort, "redirect-port", 0,
		"`port` the browser comes back to (also: HOMING_REDIRECT_PORT; default 14664, else a free one)")
	_ = cmd.RegisterFlagCompletionFunc("flow", cobra.FixedCompletions(
		[]cobra.Completion{"auto", "pkce", "device"}, cobra.ShellCompDirectiveNoFileComp))
}

// Validate refuses values that no run can use.
func (f *Flags) Validate(cmd *cobra.Command) error {
	if f.flow != "" && !session.Flow(f.flow).Known() {
		return fault.Suggest(fault.Usage, fault.Login{Flow: session.Auto}, "--flow %q is not a flow", f.flow)
	}
	if f.useDeviceCode && session.Flow(f.flow) == session.PKCE {
		return fault.New(fault.Usage, app.HelpHint(cmd), "--use-device-code and --flow pkce contradict each other")
	}
	if f.redirectPort < 0 || f.redirectPort > 65535 {
		return fault.New(fault.Usage, "use a port from 1024 to 65535", "--redirect-port %d is not a port",
			f.redirectPort)
	}
	return nil
}

// SignIn signs in to s, or finds that nothing needs to be done, and tells the person about it. force signs in however
// good the token is, and takes over from a login that waits.
func SignIn(ctx context.Context, a *app.App, s session.Session, f Flags, force bool) (signin.Result, error) {
	c, err := Decide(ctx, a, s, f)
	if err != nil {
		return signin.Result{}, err
	}
	return c.signIn(ctx, a, force)
}

func (c Choice) signIn(ctx context.Context, a *app.App, force bool) (signin.Result, error) {
	st, err := a.Store()
	if err != nil {
		return signin.Result{}, err
	}
	rendezvous, err := a.RendezvousDir()
	if err != nil {
		return signin.Result{}, err
	}
	p := &peers{app: a, choice: c, dir: rendezvous, force: force}
	p.talk = &ui.SignIn{UI: a.UI, Session: c.session, Again: c.command(a), Watched: c.watched(a), Now: a.Env.Time}
	p.inputs = func() (<-chan signin.Input, func()) { return attend(ctx, a) }
	if !c.noBrowser {
		p.openBrowser = a.Opener(ctx, c.Place.Window)
	}
	login := signin.Login{
		Store: st, Renewer: connect.Renewer(a, st), OpenBrowser: p.openBrowser, Notify: p.notify, Peers: p,
		Now: a.Env.Time,
		Connect: func(ctx context.Context, s session.Session) (signin.Connection, error) {
			if err := c.RefuseInCI(a); err != nil {
				return signin.Connection{}, err
			}
			conn, err := connect.To(ctx, a, s)
			return signin.Connection{
				Service: conn.Client, StartURL: conn.StartURL, Region: conn.Region, Known: conn.Known,
			}, err
		},
		InWords: func(r fault.Remedy) (string, string) { return ui.Parts(r, a.UI.Shell) },
		Session: c.session, Profile: c.profile(a), Environment: c.Environment(), Roles: a.RolesOf(c.session),
		Force: force, Renewable: c.renewable, Fallback: c.Answer.Fallback, Insist: c.insists(),
		Ports: c.Ports(), Hosts: c.Place.Origins, Ways: c.ways, RendezvousDir: rendezvous, Inputs: p.inputs,
	}
	result, err := login.Run(ctx)
	if err == nil && !p.joined {
		c.remember(a, result)
	}
	return result, c.withCommand(a, c.aboutPort(err))
}

// profile returns the profile that uses a legacy session; "" is the default profile.
func (c Choice) profile(a *app.App) string {
	if profile := a.ProfileOf(c.session); profile != "default" {
		return profile
	}
	return ""
}

// RefuseInCI ends a sign-in in a CI job without a terminal, unless its flow was asked for: nobody would complete it.
func (c Choice) RefuseInCI(a *app.App) error {
	if c.Place.Name != "ci" || c.Answer.Asked != "" || a.Env.Terminal.Stderr {
		return nil
	}
	return fault.Suggest(fault.SignInNeeded, fault.Preface{
		Words: "let the job assume a role through OIDC federation; if somebody watches the job,",
		Then:  fault.Login{Flow: session.Device},
	}, "nobody can sign in to %s from a CI job", c.session.InWords())
}

// attend reads keys and pastes from the terminal until stop; the channel is nil if nobody can type, or in a
// background job. Lines that cannot be for the sign-in, but were typed ahead for the questions of a wizard, are kept
// for these.
func attend(ctx context.Context, a *app.App) (<-chan signin.Input, func()) {
	if !a.Interactive() || a.Env.Terminal.Inputs == nil {
		return nil, nil
	}
	from, restore, err := a.Env.Terminal.Inputs(ctx)
	if err != nil {
		a.UI.Debug("no keys: %v", err)
		return nil, nil
	}
	to, done := make(chan signin.Input), make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		for in := range from {
			text := in.Text.Reveal()
			if a.AsksLater && text != "" && !strings.Contains(text, "=") && !strings.Contains(text, "://") {
				a.Lines.TypedAhead(text)
				continue
			}
			select {
			case to <- signin.Input{Key: in.Key, Text: text}:
			case <-done:
				return
			}
		}
	})
	return to, func() {
		close(done)
		restore()
		reader.Wait()
	}
}

// withCommand gives a refusal of the service a remedy for this session, whose name is only known here. A remedy that
// says more than to sign in stays.
func (c Choice) withCommand(a *app.App, err error) error {
	remedy := fault.RemedyOf(err)
	switch code := idc.CodeOf(err); {
	case code == idc.CodeInvalidRequest && fault.KindOf(err) == fault.Config:
		remedy = a.Configure(c.session)
	case fault.KindOf(err) == fault.SignInNeeded && code != idc.CodeOther && remedy == fault.Remedy(fault.Login{}):
		remedy = app.Target{Session: c.session, Profile: a.ProfileOf(c.session)}.Login()
	default:
		return err
	}
	return fault.WithRemedy(err, remedy)
}

// SignInOnStderr signs in to s for a command whose stdout is for its own answer: everything is said on stderr, to
// people.
func SignInOnStderr(ctx context.Context, a *app.App, s session.Session) error {
	whole := *a.UI
	a.UI.Out, a.UI.JSON = a.UI.Err, false
	defer func() { a.UI.Out, a.UI.JSON = whole.Out, whole.JSON }()
	_, err := SignIn(ctx, a, s, Flags{}, false)
	return err
}
