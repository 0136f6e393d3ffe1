package cli

import (
	"context"
	"strings"
	"sync"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/spf13/cobra"
)

// flowFlags are the flags of every command that may sign a person in.
type flowFlags struct {
	flow          string
	useDeviceCode bool
	noBrowser     bool
	redirectPort  int
	keepFresh     *bool // nil: the setting decides
}

func (f *flowFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.flow, "flow", "", "`flow` to sign in by: auto, pkce or device (also: HOMING_FLOW; default auto)")
	flags.BoolVar(&f.useDeviceCode, "use-device-code", false, "short for --flow device")
	flags.BoolVar(&f.noBrowser, "no-browser", false, "print the address instead of opening a browser")
	flags.IntVar(&f.redirectPort, "redirect-port", 0, "`port` the browser comes back to (also: HOMING_REDIRECT_PORT; default 14664, else a free one)")
	_ = cmd.RegisterFlagCompletionFunc("flow", cobra.FixedCompletions(
		[]cobra.Completion{"auto", "pkce", "device"}, cobra.ShellCompDirectiveNoFileComp))
}

// validate refuses values that no run can use.
func (f *flowFlags) validate(cmd *cobra.Command) error {
	switch f.flow {
	case "", "auto", "pkce", "device":
	default:
		return fault.New(fault.Usage, "run: homing login --flow auto", "--flow %q is not a flow", f.flow)
	}
	if f.useDeviceCode && f.flow == "pkce" {
		return fault.New(fault.Usage, helpHint(cmd), "--use-device-code and --flow pkce contradict each other")
	}
	if f.redirectPort < 0 || f.redirectPort > 65535 {
		return fault.New(fault.Usage, "use a port from 1024 to 65535", "--redirect-port %d is not a port", f.redirectPort)
	}
	return nil
}

type loginOptions struct {
	app        *app
	ssoSession string
	flowFlags
	force   bool
	explain bool
}

func newLoginCmd(a *app) *cobra.Command {
	o := &loginOptions{app: a}
	cmd := &cobra.Command{
		Use:     "login",
		GroupID: groupSignIn,
		Short:   "Sign in, renew, or say that there is nothing to do",
		Long: lines(
			"Signs you in to a session of the AWS config file and stores the token where the AWS CLI and every SDK look",
			"for it. With a token that is still good it says until when and does nothing; one that can be renewed is renewed",
			"without a browser; --force signs in again. A failed attempt leaves the old token as it was.",
			"",
			"Which session: --sso-session; else that of the profile (--profile, AWS_PROFILE, AWS_DEFAULT_PROFILE,",
			"HOMING_PROFILE); else that of [default]; else the only one there is.",
			"",
			"How: a browser redirect (PKCE) where it comes back by itself (on this machine, or through a desktop editor), else a",
			"device code where policy permits, else a redirect that is brought back by hand. --explain says what is chosen here",
			"and why, and signs in to nothing. Either way the token can be renewed. While it waits on a terminal, d switches to a",
			"device code, p to a redirect, ? lists what can be done here, and the address of a page that failed to load can be",
			"pasted. Another login of the session meanwhile joins this one, and --force takes over from it. --json prints one",
			"event a line: environment, authorize, device_code, hint, signed_in, error.",
		),
		Example: lines(
			"  homing login",
			"  homing login --sso-session dev --no-browser",
			"  homing login --profile dev --use-device-code",
			"  homing login --profile legacy --keep-fresh",
		),
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.validate(cmd); err != nil {
				return err
			}
			if o.explain {
				return o.runExplain(cmd.Context())
			}
			return a.reporting(o.run(cmd.Context()))
		},
	}
	cmd.Flags().StringVar(&o.ssoSession, "sso-session", "", "`name` of the [sso-session] to sign in to")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.completeSessions)
	o.register(cmd)
	o.registerKeepFresh(cmd)
	cmd.Flags().BoolVar(&o.explain, "explain", false, "say how it would sign in here and why, and do nothing")
	cmd.Flags().BoolVar(&o.force, "force", false, "sign in even if the token is good, and take over from a login that waits")
	return cmd
}

func (o *loginOptions) run(ctx context.Context) error {
	t, err := o.app.target(ctx, o.ssoSession)
	if err != nil {
		return err
	}
	result, err := o.app.signIn(ctx, t.session, o.flowFlags, o.force)
	if err != nil {
		return err
	}
	t, said, err := o.app.takeAlong(ctx, t)
	if err != nil {
		return err
	}
	if result.Channel != signin.Cached && !said {
		o.app.sayNext(t)
	}
	o.app.warnStaticKeys()
	return nil
}

// reporting sends the error event that ends a failed command under --json, and passes err on.
func (a *app) reporting(err error) error {
	if err == nil || !a.ui.json {
		return err
	}
	f := describe(err)
	if eventErr := a.ui.event(signin.Failed{Kind: f.Kind, Message: clean(f.Msg), Hint: clean(f.Hint)}); eventErr != nil {
		a.ui.debug("error event: %v", eventErr)
	}
	return err
}

// signIn signs in to s, or finds that nothing needs to be done, and tells the person all along.
func (a *app) signIn(ctx context.Context, s session.Session, f flowFlags, force bool) (signin.Result, error) {
	c, err := a.decide(ctx, s, f)
	if err != nil {
		return signin.Result{}, err
	}
	st, err := a.store()
	if err != nil {
		return signin.Result{}, err
	}
	s, anew := a.keptFresh(s, c, f, st)
	rendezvous, err := a.rendezvousDir()
	if err != nil {
		return signin.Result{}, err
	}
	profile := a.profileOf(s)
	if profile == "default" {
		profile = ""
	}
	req := signin.Request{
		Session: s, Profile: profile, Environment: c.event(), NoBrowser: c.noBrowser, Roles: a.rolesOf(s), Force: force || anew,
		MayPKCE: c.may(signin.FlowPKCE), MayDevice: c.may(signin.FlowDevice), Fallback: c.answer.Fallback, Insist: c.insists(),
		Ports: c.ports(), Hosts: c.place.Origins, Ways: c.ways, WayNow: !c.comesBack(), RendezvousDir: rendezvous,
	}
	talk := a.talkOf(s, c)
	talk.watched = a.watched(s)
	talk.again = loginCommand(target{session: s, profile: a.profileOf(s)}) + f.freshAgain(s)
	req.Inputs = func() (<-chan signin.Input, func()) {
		inputs, stop := a.attend(ctx)
		talk.keys = inputs != nil
		return inputs, stop
	}
	login := signin.Login{
		Store: st, Renewer: a.renewer(st), Notify: talk.notify, Now: a.env.now,
		Connect: func(ctx context.Context, s session.Session) (signin.Connection, error) {
			if err := a.refuseInCI(c, s); err != nil {
				return signin.Connection{}, err
			}
			conn, err := a.connect(ctx, s)
			return signin.Connection{Service: conn.client, StartURL: conn.startURL, Region: conn.region, Known: conn.known}, err
		},
	}
	login.OpenBrowser = a.opener(ctx, c.place.window)
	with := a.together(&login, &req, talk, c, force)
	result, err := login.Run(ctx, req)
	if err == nil && !with.joined {
		a.remember(c, s, result)
	}
	return result, a.withCommand(c.aboutPort(err), s, signin.Flow(c.answer.Flow))
}

// refuseInCI ends a sign-in that nobody would complete: ten minutes of a job that waits for a person help nobody.
func (a *app) refuseInCI(c choice, s session.Session) error {
	if c.place.Name != "ci" || c.answer.Asked != "" || a.env.Terminal.Stderr {
		return nil
	}
	return fault.New(fault.SignInNeeded, "let the job assume a role through OIDC federation; where somebody watches the job: homing login --use-device-code",
		"nobody can sign in to %s from a CI job", s.InWords())
}

// attend reads keys and pastes from the terminal until stop; the channel is nil where nobody can type, or in a background
// job. In a wizard, lines that cannot be meant for the sign-in were typed ahead for the questions after it, and are kept for these.
func (a *app) attend(ctx context.Context) (<-chan signin.Input, func()) {
	if !a.interactive() || a.env.Terminal.Inputs == nil {
		return nil, nil
	}
	from, restore, err := a.env.Terminal.Inputs(ctx)
	if err != nil {
		a.ui.debug("no keys: %v", err)
		return nil, nil
	}
	to, done := make(chan signin.Input), make(chan struct{})
	var reader sync.WaitGroup
	reader.Go(func() {
		for in := range from {
			text := in.Text.Reveal()
			if a.asksLater && text != "" && !strings.Contains(text, "=") && !strings.Contains(text, "://") {
				a.in.typedAhead(text)
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

// withCommand gives what the service refused a hint to type: only here it is known what the session is called. A hint
// that says more than "homing login" stays, as the page in the browser shows it.
func (a *app) withCommand(err error, s session.Session, flow signin.Flow) error {
	hint := ""
	switch code := idc.CodeOf(err); {
	case code == idc.CodeInvalidRequest && fault.KindOf(err) == fault.Config:
		hint = a.configureCommand(s)
	case code == idc.CodeUnauthorizedClient && flow == signin.FlowDevice && strings.Contains(fault.HintOf(err), "--flow pkce"):
		hint = "homing login --flow pkce --sso-session " + s.Name
	case fault.KindOf(err) == fault.SignInNeeded && code != idc.CodeOther && fault.HintOf(err) == "run: homing login":
		hint = loginCommand(target{session: s, profile: a.profileOf(s)})
	default:
		return err
	}
	return &fault.Error{Kind: fault.KindOf(err), Msg: err.Error(), Hint: "run: " + hint, Err: err}
}

// configureCommand is the command that corrects what is configured about s.
func (a *app) configureCommand(s session.Session) string {
	if !s.Legacy() && a.hasSession(s.Name) {
		return "homing configure sso-session --sso-session " + s.Name
	}
	if profile := a.profileOf(s); profile != "" {
		return "homing configure sso --profile " + profile
	}
	return "homing configure sso"
}

// sayNext names a command that uses what the person just signed in to.
func (a *app) sayNext(t target) {
	if a.ui.json || a.cfg == nil {
		return
	}
	profile := ""
	for _, p := range a.cfg.ProfilesOf(t.session) {
		if p.AccountID != "" && p.RoleName != "" && (profile == "" || p.Profile == t.profile) {
			profile = p.Profile
		}
	}
	switch {
	case profile == "" && t.session.Legacy():
		a.ui.say("Next: homing configure sso\n")
	case profile == "":
		a.ui.say("Next: homing profiles sync --sso-session %s\n", argument(t.session.Name))
	default:
		a.ui.say("Next: %s\n", callerIdentity(profile))
	}
}

// callerIdentity is the command that shows that a profile works.
func callerIdentity(profile string) string {
	if profile == "default" {
		return "aws sts get-caller-identity"
	}
	return "aws sts get-caller-identity --profile " + profile
}

// warnStaticKeys says when keys in the environment (typically Codespaces secrets) hide what was signed in to.
func (a *app) warnStaticKeys() {
	if a.env.Getenv("AWS_ACCESS_KEY_ID") == "" {
		return
	}
	const text = "AWS_ACCESS_KEY_ID is set and wins over your profiles in the AWS CLI and the SDKs; to use them: " +
		"unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN"
	if a.ui.json {
		if err := a.ui.event(signin.Hint{Text: text}); err != nil {
			a.ui.debug("hint event: %v", err)
		}
	}
	a.ui.say("warning: %s\n", text)
}
