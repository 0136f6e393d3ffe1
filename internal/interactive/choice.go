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
)

// Choice is how a sign-in will proceed, and what that was chosen from.
type Choice struct {
	Place    app.Where
	Settings settings.Settings // of the session
	Answer   flow.Answer

	session     session.Session
	worked      *flow.Worked // nil if nothing is known
	port        int          // that somebody fixed; 0 is any
	noBrowser   bool
	renewable   bool // only a token that can be renewed will do
	freshByFlag bool // a flag decided whether a legacy token can be renewed
}

// Decide chooses how to sign in to s here. It asks nobody.
func Decide(ctx context.Context, a *app.App, s session.Session, f Flags) (Choice, error) {
	all, err := a.UserSettings()
	if err != nil {
		return Choice{}, err
	}
	c := Choice{session: s, Place: a.Here(ctx), Settings: all.For(s.Name), port: f.redirectPort}
	c.noBrowser = f.noBrowser || c.Settings.NoBrowser.Value
	c.keepFresh(f)
	dir, err := a.StateDir()
	if err != nil {
		return Choice{}, err
	}
	if c.worked, err = flow.Remembered(dir, c.Place.Name, c.session); err != nil {
		a.UI.Debug("what worked last is not known: %v", err)
	}
	q := flow.Question{
		Place: c.Place.Place, Session: c.session, Worked: c.worked, Settings: c.Settings,
		Flag: session.Flow(f.flow), DeviceFails: c.deviceFails(a),
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

// deviceFails returns why device codes are known to fail for the session, or "".
func (c Choice) deviceFails(a *app.App) string {
	e, err := idc.ResolveEndpoints(a.Settings(), c.session.StartURL)
	if err != nil {
		return "" // connect says it
	}
	return e.DeviceGrantFails(c.session.StartURL)
}

// Environment describes the choice to the person, and to programs.
func (c Choice) Environment() signin.Environment {
	e := signin.Environment{
		Name: c.Place.Name, Flow: c.Answer.Flow, Channels: c.channels(), Reason: c.Answer.Reason, Asked: c.Answer.Asked,
		MayPKCE: c.may(session.PKCE), MayDevice: c.may(session.Device), Manual: !c.comesBack(),
	}
	if c.Place.Flow != session.PKCE {
		e.FixedPort = c.port
	}
	if c.Place.Remote && c.Place.Name != "unknown" {
		e.Title = c.Place.Title
	}
	if c.worked != nil && c.worked.Channel == session.Loopback {
		e.LastPort = c.worked.Port
	}
	return e
}

// channels returns the return channels that exist here and are allowed, best first.
func (c Choice) channels() []session.Channel {
	channels := c.Place.Channels
	if c.Answer.Flow == session.PKCE && c.port != 0 && !slices.Contains(channels, session.Loopback) {
		// The port was fixed for a forward.
		channels = append([]session.Channel{session.Loopback}, channels...)
	}
	if !c.MayCode() {
		channels = []session.Channel{session.DeviceCode}
	}
	if !c.may(session.Device) {
		channels = slices.DeleteFunc(slices.Clone(channels),
			func(ch session.Channel) bool { return ch == session.DeviceCode })
	}
	return channels
}

// MayCode reports whether a browser redirect is possible: policy allows it, and s is no legacy session.
func (c Choice) MayCode() bool { return c.may(session.PKCE) && !c.session.Legacy() }

// may reports whether policy allows flow f.
func (c Choice) may(f session.Flow) bool { return c.Settings.Policy.Allows(f) }

// insists reports whether somebody asked for PKCE or its port by name.
func (c Choice) insists() bool {
	return c.port != 0 || c.Answer.Asked != "" && c.Answer.Flow == session.PKCE
}

// comesBack reports whether the redirect should reach the listener by itself.
func (c Choice) comesBack() bool { return c.Place.Flow == session.PKCE || c.port != 0 }

// Ports returns the ports to listen on: the one somebody fixed, else the one that worked last before the usual ones.
func (c Choice) Ports() []int {
	switch {
	case c.port != 0 || c.Settings.RedirectPort.IsSet(): // to 0: any
		return []int{c.port}
	case c.worked != nil && c.worked.Port != 0 && !slices.Contains(callback.DefaultPorts, c.worked.Port):
		return append([]int{c.worked.Port}, callback.DefaultPorts...)
	}
	return callback.DefaultPorts
}

// ways returns what a person can do to bring the redirect to port.
func (c Choice) ways(port int) []signin.Way {
	var ways []signin.Way
	for _, w := range c.Place.Ways(port) {
		ways = append(ways, signin.Way(w))
	}
	return ways
}

// remember keeps how a person signed in for the next time. What a flag or a variable asked for once is not
// remembered, unless a redirect came back: then there is a way for it. Nor is a device code where a redirect comes
// back by itself: one press of d on a laptop should not last.
func (c Choice) remember(a *app.App, r signin.Result) {
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
		err = flow.Remember(dir, c.Place.Name, c.session, w)
	}
	if err != nil {
		a.UI.Debug("how it worked is not remembered: %v", err)
	}
}

// aboutPort gives the error of a fixed port that is in use the remedy that unfixes it.
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
