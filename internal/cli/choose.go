package cli

import (
	"context"
	"runtime"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/flow"
	"github.com/homing-cli/homing/internal/hostenv"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/settings"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/term"
)

// choice is how a sign-in will go, and what it was chosen from.
type choice struct {
	session   session.Session
	place     where
	settings  settings.Settings // of the session
	answer    flow.Answer
	worked    *flow.Worked // nil when nothing is known
	port      int          // that somebody fixed; 0 is any
	noBrowser bool
}

// decide chooses how to sign in to s here.
func (a *app) decide(ctx context.Context, s session.Session, f flowFlags) (choice, error) {
	all, err := a.userSettings()
	if err != nil {
		return choice{}, err
	}
	c := choice{session: s, place: a.here(ctx), settings: all.For(s.Name), port: f.redirectPort}
	c.noBrowser = f.noBrowser || c.settings.NoBrowser.Value
	dir, err := a.stateDir()
	if err != nil {
		return choice{}, err
	}
	if c.worked, err = flow.Remembered(dir, c.place.Name, s); err != nil {
		a.ui.debug("what worked last is not known: %v", err)
	}
	q := flow.Question{
		Place: c.place.Place, Session: s, Worked: c.worked, Settings: c.settings, Policy: c.settings.Policy,
		Flag: f.flow, DeviceFails: a.deviceFails(s),
	}
	if f.useDeviceCode {
		q.Flag, q.FlagName = settings.Device, "--use-device-code"
	}
	if f.redirectPort != 0 {
		q.FixedPort, q.FixedPortOrigin = f.redirectPort, "--redirect-port"
	} else if p := c.settings.RedirectPort; p.IsSet() {
		c.port = p.Value
	}
	c.answer, err = flow.Choose(q)
	return c, err
}

// userSettings reads config.toml, the HOMING_ variables and the policy.
func (a *app) userSettings() (settings.Settings, error) {
	home, err := a.env.home()
	if err != nil {
		return settings.Settings{}, err
	}
	return settings.Load(settings.Options{
		ConfigFile: settings.ConfigFile(a.env.Getenv, home, runtime.GOOS), PolicyFile: a.env.PolicyFile, Getenv: a.env.Getenv,
	})
}

// deviceFails says why device codes are known to fail for s, as far as can be told without asking anybody.
func (a *app) deviceFails(s session.Session) string {
	e, err := idc.ResolveEndpoints(a.settings(), s.StartURL)
	if err != nil {
		return "" // connect says it
	}
	return e.DeviceGrantFails(s.StartURL)
}

// event is what --json says first.
func (c choice) event() signin.Environment {
	channels := c.place.Channels
	if c.answer.Flow == flow.PKCE && c.port != 0 && !slices.Contains(channels, hostenv.Loopback) {
		channels = append([]string{hostenv.Loopback}, channels...) // by the forward that the port was fixed for
	}
	if !c.mayCode() {
		channels = []string{hostenv.DeviceCode}
	}
	if !c.may(signin.FlowDevice) {
		channels = slices.DeleteFunc(slices.Clone(channels), func(ch string) bool { return ch == hostenv.DeviceCode })
	}
	return signin.Environment{Name: c.place.Name, Flow: signin.Flow(c.answer.Flow), Channels: channels, Reason: c.answer.Reason}
}

// mayCode reports whether a browser redirect is possible at all: a legacy profile knows none.
func (c choice) mayCode() bool { return c.may(signin.FlowPKCE) && !c.session.Legacy() }

// may reports whether policy lets the sign-in go by flow.
func (c choice) may(f signin.Flow) bool { return c.settings.Policy.Allows(string(f)) }

// insists reports whether PKCE or its port was asked for by name.
func (c choice) insists() bool {
	return c.port != 0 || c.answer.Asked != "" && c.answer.Flow == flow.PKCE
}

// comesBack reports whether the redirect is expected here without anybody's doing.
func (c choice) comesBack() bool { return c.place.Flow == flow.PKCE || c.port != 0 }

// ports are those to listen on: the one somebody fixed, else the one that worked last, else the usual ones.
func (c choice) ports() []int {
	switch {
	case c.port != 0 || c.settings.RedirectPort.IsSet(): // to 0: any
		return []int{c.port}
	case c.worked != nil && c.worked.Port != 0 && !slices.Contains(callback.DefaultPorts, c.worked.Port):
		return append([]int{c.worked.Port}, callback.DefaultPorts...)
	}
	return callback.DefaultPorts
}

// ways are what a person can do to bring the redirect here.
func (c choice) ways(port int) []signin.Way {
	var ways []signin.Way
	for _, w := range c.place.Ways(port) {
		ways = append(ways, signin.Way(w))
	}
	return ways
}

// remember keeps how a person signed in, for the next time. What a flag or a variable asked for once says nothing about
// the next time, but for a redirect that came back: there is a way for it. Nor is a device code remembered where a
// redirect comes back by itself: one press of d on a laptop should not last.
func (a *app) remember(c choice, s session.Session, r signin.Result) {
	switch {
	case r.Channel == signin.Cached, r.Channel == signin.Refresh:
		return
	case c.answer.Asked != "" && r.Channel != signin.Loopback:
		return
	case r.Channel == signin.Device && c.place.Flow == flow.PKCE:
		return
	}
	w := flow.Worked{Flow: flow.PKCE, Channel: string(r.Channel), Port: r.Port, At: a.env.now()}
	if r.Channel == signin.Device {
		w.Flow, w.Port = flow.Device, 0
	}
	dir, err := a.stateDir()
	if err == nil {
		err = flow.Remember(dir, c.place.Name, s, w)
	}
	if err != nil {
		a.ui.debug("how it worked is not remembered: %v", err)
	}
}

// talkOf is who tells the person what happens.
func (a *app) talkOf(s session.Session, c choice) *loginTalk {
	t := &loginTalk{
		ui: a.ui, session: s, asked: c.answer.Asked, now: a.env.now,
		comesBack: c.comesBack(), mayDevice: c.may(signin.FlowDevice), mayCode: c.may(signin.FlowPKCE),
	}
	if c.place.Flow != flow.PKCE {
		t.fixed = c.port
	}
	if c.place.Remote && c.place.Name != "unknown" {
		t.here = c.place.Title
	}
	if c.worked != nil && c.worked.Channel == string(signin.Loopback) {
		t.lastTime = c.worked.Port
	}
	if a.env.Terminal.Stderr && a.env.Getenv("TERM") != "dumb" {
		t.width, t.height = a.env.Terminal.Width, a.env.Terminal.Height
		t.links = term.Hyperlinks(a.env.Getenv)
	}
	return t
}

// aboutPort gives a fixed port that is in use the hint that undoes its fixing.
func (c choice) aboutPort(err error) error {
	if fault.KindOf(err) != fault.Usage || !strings.Contains(fault.HintOf(err), "--redirect-port") {
		return err
	}
	var hint string
	switch p := c.settings.RedirectPort; {
	case !p.IsSet() || p.Value != c.port:
		return err // by the flag, as the hint has it
	case p.FromEnv():
		hint = "to take any free port, run: unset " + p.Origin
	default:
		hint = "to take any free port, remove redirect_port from " + p.Where()
	}
	return &fault.Error{Kind: fault.Usage, Msg: err.Error(), Hint: hint, Err: err}
}
