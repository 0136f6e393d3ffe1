package interactive

import (
	"context"
	"errors"
	"slices"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/flow"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/settings"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/term"
	"github.com/homing-cli/homing/internal/ui"
)

// Choice is how a sign-in will go, and what it was chosen from.
type Choice struct {
	session   session.Session
	Place     app.Where
	Settings  settings.Settings // of the session
	Answer    flow.Answer
	worked    *flow.Worked // nil when nothing is known
	port      int          // that somebody fixed; 0 is any
	noBrowser bool
}

// Decide chooses how to sign in to s here.
func Decide(ctx context.Context, a *app.App, s session.Session, f Flags) (Choice, error) {
	all, err := a.UserSettings()
	if err != nil {
		return Choice{}, err
	}
	c := Choice{session: s, Place: a.Here(ctx), Settings: all.For(s.Name), port: f.redirectPort}
	c.noBrowser = f.noBrowser || c.Settings.NoBrowser.Value
	dir, err := a.StateDir()
	if err != nil {
		return Choice{}, err
	}
	if c.worked, err = flow.Remembered(dir, c.Place.Name, s); err != nil {
		a.UI.Debug("what worked last is not known: %v", err)
	}
	q := flow.Question{
		Place: c.Place.Place, Session: s, Worked: c.worked, Settings: c.Settings, Policy: c.Settings.Policy,
		Flag: session.Flow(f.flow), DeviceFails: deviceFails(a, s),
	}
	if f.useDeviceCode {
		q.Flag, q.FlagName = session.Device, "--use-device-code"
	}
	if f.redirectPort != 0 {
		q.FixedPort, q.FixedPortOrigin = f.redirectPort, "--redirect-port"
	} else if p := c.Settings.RedirectPort; p.IsSet() {
		c.port = p.Value
	}
	c.Answer, err = flow.Choose(q)
	return c, err
}

// deviceFails says why device codes are known to fail for s, as far as can be told without asking anybody.
func deviceFails(a *app.App, s session.Session) string {
	e, err := idc.ResolveEndpoints(a.Settings(), s.StartURL)
	if err != nil {
		return "" // connect says it
	}
	return e.DeviceGrantFails(s.StartURL)
}

// Event is what --json says first.
func (c Choice) Event() signin.Environment {
	channels := c.Place.Channels
	if c.Answer.Flow == session.PKCE && c.port != 0 && !slices.Contains(channels, session.Loopback) {
		channels = append([]session.Channel{session.Loopback}, channels...) // by the forward that the port was fixed for
	}
	if !c.MayCode() {
		channels = []session.Channel{session.DeviceCode}
	}
	if !c.may(session.Device) {
		channels = slices.DeleteFunc(slices.Clone(channels), func(ch session.Channel) bool { return ch == session.DeviceCode })
	}
	return signin.Environment{Name: c.Place.Name, Flow: c.Answer.Flow, Channels: channels, Reason: c.Answer.Reason}
}

// MayCode reports whether a browser redirect is possible at all: a legacy profile knows none.
func (c Choice) MayCode() bool { return c.may(session.PKCE) && !c.session.Legacy() }

// may reports whether policy lets the sign-in go by flow.
func (c Choice) may(f session.Flow) bool { return c.Settings.Policy.Allows(f) }

// insists reports whether PKCE or its port was asked for by name.
func (c Choice) insists() bool {
	return c.port != 0 || c.Answer.Asked != "" && c.Answer.Flow == session.PKCE
}

// comesBack reports whether the redirect is expected here without anybody's doing.
func (c Choice) comesBack() bool { return c.Place.Flow == session.PKCE || c.port != 0 }

// Ports are those to listen on: the one somebody fixed, else the one that worked last, else the usual ones.
func (c Choice) Ports() []int {
	switch {
	case c.port != 0 || c.Settings.RedirectPort.IsSet(): // to 0: any
		return []int{c.port}
	case c.worked != nil && c.worked.Port != 0 && !slices.Contains(callback.DefaultPorts, c.worked.Port):
		return append([]int{c.worked.Port}, callback.DefaultPorts...)
	}
	return callback.DefaultPorts
}

// ways are what a person can do to bring the redirect here.
func (c Choice) ways(port int) []signin.Way {
	var ways []signin.Way
	for _, w := range c.Place.Ways(port) {
		ways = append(ways, signin.Way(w))
	}
	return ways
}

// remember keeps how a person signed in, for the next time. What a flag or a variable asked for once says nothing
// about the next time, but for a redirect that came back: there is a way for it. Nor is a device code remembered
// where a redirect comes back by itself: one press of d on a laptop should not last.
func remember(a *app.App, c Choice, s session.Session, r signin.Result) {
	switch {
	case r.Channel == session.Cached, r.Channel == session.Renewed:
		return
	case c.Answer.Asked != "" && r.Channel != session.Loopback:
		return
	case r.Channel == session.DeviceCode && c.Place.Flow == session.PKCE:
		return
	}
	w := flow.Worked{Flow: session.PKCE, Channel: r.Channel, Port: r.Port, At: a.Env.Time()}
	if r.Channel == session.DeviceCode {
		w.Flow, w.Port = session.Device, 0
	}
	dir, err := a.StateDir()
	if err == nil {
		err = flow.Remember(dir, c.Place.Name, s, w)
	}
	if err != nil {
		a.UI.Debug("how it worked is not remembered: %v", err)
	}
}

// talkOf is who tells the person what happens.
func talkOf(a *app.App, s session.Session, c Choice) *ui.SignIn {
	t := &ui.SignIn{
		UI: a.UI, Session: s, Asked: c.Answer.Asked, Now: a.Env.Time,
		ComesBack: c.comesBack(), MayDevice: c.may(session.Device), MayCode: c.may(session.PKCE),
	}
	if c.Place.Flow != session.PKCE {
		t.Fixed = c.port
	}
	if c.Place.Remote && c.Place.Name != "unknown" {
		t.Here = c.Place.Title
	}
	if c.worked != nil && c.worked.Channel == session.Loopback {
		t.LastTime = c.worked.Port
	}
	if a.Env.Terminal.Stderr && a.Env.Getenv("TERM") != "dumb" {
		t.Width, t.Height = a.Env.Terminal.Width, a.Env.Terminal.Height
		t.Links = term.Hyperlinks(a.Env.Getenv)
	}
	return t
}

// aboutPort gives a fixed port that is in use the remedy that undoes its fixing.
func (c Choice) aboutPort(err error) error {
	if !errors.Is(err, callback.ErrPortTaken) {
		return err
	}
	var remedy fault.Remedy
	switch p := c.Settings.RedirectPort; {
	case !p.IsSet() || p.Value != c.port:
		return err // by the flag, as its remedy has it
	case p.FromEnv():
		remedy = fault.Preface{Words: "to take any free port,", Then: fault.Setenv{Name: p.Origin}}
	default:
		remedy = fault.Advice("to take any free port, remove redirect_port from " + p.Where())
	}
	return &fault.Error{Kind: fault.Usage, Msg: err.Error(), Remedy: remedy, Err: err}
}
