// Package flow knows how to choose the flow of a sign-in: a browser redirect (PKCE) or a device code. Choose weighs
// what the place allows, what worked last, what a person asked for and what the organisation permits, and says why.
// Others find these facts; this package only keeps what worked last, in a small file.
//
// The one rule: a flag or HOMING_FLOW is obeyed, or refused with the reason. It is never overruled silently.
package flow

import (
	"fmt"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/hostenv"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/settings"
)

// Question holds what the choice depends on. Place, Session and Settings.Policy are required; other zero fields say
// nothing.
type Question struct {
	Place    hostenv.Place
	Session  session.Session
	Worked   *Worked           // what worked last, from Remembered
	Settings settings.Settings // those of the session (Settings.For)

	Flag     session.Flow // session.Auto, session.PKCE or session.Device, if a flag asks for it
	FlagName string       // as typed: "--use-device-code"; "" means "--flow " and Flag

	// FixedPort is the listener's port if it is fixed, and FixedPortOrigin says by what: "--redirect-port", a
	// variable, a file. Without them, those of Settings count. In a remote place a fixed port means that a forward
	// leads to it.
	FixedPort       int
	FixedPortOrigin string

	DeviceFails string // why the device grant is known to fail at this portal, a clause: "its address is dual-stack"
}

// Answer is the chosen flow.
type Answer struct {
	Flow     session.Flow // session.PKCE or session.Device
	Reason   string       // why, in one sentence without a full stop
	Asked    string       // what asked for it: "--flow device", "HOMING_FLOW=pkce", "FILE:3"; "" if nothing did
	Fallback bool         // Flow is session.Device, and PKCE may start if the service refuses the device grant
	Steps    []Step       // everything that was weighed, weakest first
}

// Step is one source that was weighed.
type Step struct {
	Source  string // "place", "config.toml", "HOMING_FLOW", "policy", …
	Said    string // "device: this is an SSH session", "not set"
	Outcome string // Decides, Agrees, Leaves, "overruled by …", "dropped by --flow auto"; "" if it said nothing
}

// Outcomes of a step.
const (
	Decides = "decides"
	Agrees  = "agrees"
	Leaves  = "leaves it open" // auto
)

// ask is a step that may want a flow.
type ask struct {
	Step
	flow   session.Flow // "" says nothing, session.Auto drops every weaker ask
	reason string       // for Answer.Reason, if it decides
	asked  string       // for Answer.Asked; "" if it is not an explicit wish
	strict bool         // meant for this run: overruling it is an error
	fact   bool         // a fact rather than a wish: auto does not drop it
}

// Choose chooses the flow. From weakest to strongest: the place; what worked last; config.toml; sso_use_device_code
// of the session; HOMING_FLOW; flags; then what no wish changes: a legacy profile has only the device code, a device
// grant that is known to fail yields to PKCE (unless a flag or HOMING_FLOW asks for it), and the policy. A port that
// is fixed in a remote place asks for PKCE, as strongly as the setting that fixes it.
//
// "auto" in HOMING_FLOW or a flag drops all weaker wishes and what worked last: place and fixed port decide. In
// config.toml it says nothing.
//
// Errors are *fault.Error: Denied if the policy forbids every flow, or the one that a flag or HOMING_FLOW asks for;
// Usage if a flag or HOMING_FLOW asks for PKCE with a legacy profile.
func Choose(q Question) (Answer, error) {
	asks, err := wishes(q)
	if err != nil {
		return Answer{}, err
	}
	c := choice{q: q, asks: asks}
	c.weigh()
	if err := c.format(); err != nil {
		return Answer{}, err
	}
	c.grant()
	if err := c.policy(); err != nil {
		return Answer{}, err
	}
	return c.answer(), nil
}

// wishes lists whatever can ask for a flow, weakest first.
func wishes(q Question) ([]ask, error) {
	place := ask{Step: Step{Source: "place"}, flow: session.Device, reason: q.Place.Reason, fact: true}
	if q.Place.Flow == session.PKCE {
		place.flow = session.PKCE
	}
	place.Said = string(place.flow) + ": " + place.reason
	asks := []ask{place, worked(q.Worked)}

	port, portOrigin := q.FixedPort, q.FixedPortOrigin
	if port == 0 && portOrigin == "" {
		port, portOrigin = q.Settings.RedirectPort.Value, q.Settings.RedirectPort.Origin
	}
	var fromPort *ask
	if port != 0 && q.Place.Remote {
		reason := fmt.Sprintf("port %d is fixed by %s, so a forward is taken to lead to it", port, portOrigin)
		fromPort = &ask{
			Step:   Step{Source: "fixed port", Said: string(session.PKCE) + ": " + reason},
			flow:   session.PKCE,
			reason: reason,
			fact:   true,
		}
	}
	portFrom := func(is bool) {
		if fromPort != nil && is {
			asks = append(asks, *fromPort)
		}
	}
	portFromEnv, portFromFlag := strings.HasPrefix(portOrigin, "HOMING_"), strings.HasPrefix(portOrigin, "-")

	var env *settings.Value[session.Flow]
	var file []ask
	for v := &q.Settings.Flow; v != nil && v.IsSet(); v = v.Beats {
		if v.FromEnv() {
			env = v
			continue
		}
		a := ask{
			Step:  Step{Source: "config.toml", Said: string(v.Value) + ", in " + v.Where()},
			flow:  v.Value,
			asked: v.Where(),
		}
		file = append([]ask{a}, file...)
	}
	if len(file) == 0 {
		file = []ask{{Step: Step{Source: "config.toml", Said: "flow is not set"}}}
	}
	portFrom(!portFromEnv && !portFromFlag)
	asks = append(asks, file...)

	useDeviceCode := ask{Step: Step{Source: "sso_use_device_code", Said: "not set for this session"}}
	if q.Session.UseDeviceCode {
		useDeviceCode = ask{
			Step:  Step{Source: "sso_use_device_code", Said: "true"},
			flow:  session.Device,
			asked: "sso_use_device_code",
		}
	}
	asks = append(asks, useDeviceCode)

	portFrom(portFromEnv)
	variable := ask{Step: Step{Source: "HOMING_FLOW", Said: "not set"}}
	if env != nil {
		variable = ask{
			Step:   Step{Source: env.Origin, Said: string(env.Value)},
			flow:   env.Value,
			asked:  env.Origin + "=" + string(env.Value),
			strict: true,
		}
	}
	asks = append(asks, variable)

	portFrom(portFromFlag)
	flag := ask{Step: Step{Source: "flags", Said: "none given"}}
	switch {
	case q.Flag == "":
	case q.Flag.Known():
		name := q.FlagName
		if name == "" {
			name = "--flow " + string(q.Flag)
		}
		flag = ask{Step: Step{Source: "flags", Said: name}, flow: q.Flag, asked: name, strict: true}
	default:
		return nil, fault.Suggest(fault.Usage, fault.Login{Flow: session.Auto}, "--flow %q is not a flow", q.Flag)
	}
	return append(asks, flag), nil
}

const sourceWorked = "what worked last"

// byChannel says how the sign-in was completed.
func byChannel(w Worked) string {
	switch w.Channel {
	case session.Loopback:
		if w.Port != 0 {
			return fmt.Sprintf(": the redirect reached port %d", w.Port)
		}
		return ": the redirect came back"
	case session.Swap:
		return ", with another host in the address bar"
	case session.Paste, session.Callback:
		return ", with the address pasted"
	}
	return ""
}

func worked(w *Worked) ask {
	a := ask{Step: Step{Source: sourceWorked, Said: "nothing is remembered"}}
	if w == nil || w.Flow != session.PKCE && w.Flow != session.Device {
		return a
	}
	a.flow, a.reason = w.Flow, "it worked here last time"
	if w.Channel != "" && w.Channel != session.DeviceCode {
		a.reason = "it worked here last time" + byChannel(*w)
	}
	a.Said = string(a.flow) + ": " + a.reason
	if !w.At.IsZero() {
		a.Said += " (" + w.At.UTC().Format(time.DateOnly) + ")"
	}
	return a
}

// choice is a choice in progress. decider is the index of the ask that wins so far.
type choice struct {
	q       Question
	asks    []ask
	decider int
	auto    int // the index of the strongest ask for auto; 0 is none
}

func (c *choice) flow() session.Flow { return c.asks[c.decider].flow }

// weigh finds the strongest wish.
func (c *choice) weigh() {
	for i, a := range c.asks {
		if a.flow == session.Auto && a.strict {
			c.auto = i
		}
	}
	for i, a := range c.asks {
		switch {
		case a.flow == "", a.flow == session.Auto, i < c.auto && !a.fact:
		case a.asked != "" || a.flow != c.flow(): // an ask that only agrees leaves the reason to the first one
			c.decider = i
		}
	}
	for i := range c.asks {
		if a := &c.asks[i]; a.asked != "" {
			a.reason = a.asked + " asks for it"
		}
	}
}

// overrule appends a step that decides for flow.
func (c *choice) overrule(source string, flow session.Flow, reason string) {
	c.asks = append(c.asks,
		ask{Step: Step{Source: source, Said: string(flow) + ": " + reason}, flow: flow, reason: reason})
	c.decider = len(c.asks) - 1
}

func (c *choice) note(source, said string) {
	c.asks = append(c.asks, ask{Step: Step{Source: source, Said: said}})
}

// format rules out PKCE for a legacy profile.
func (c *choice) format() error {
	now := c.asks[c.decider]
	switch {
	case !c.q.Session.Legacy():
		c.note("format", "an sso-session: either flow")
	case c.q.Settings.Policy.Forbids(session.Device) != "": // policy reports it, whatever was asked for
		c.overrule("format", session.Device, "a legacy profile (without sso_session) allows no other flow")
	case now.flow == session.PKCE && now.strict:
		return fault.Suggest(fault.Usage,
			fault.Preface{Words: "to give the session a name,", Then: fault.ConfigureSSO{}},
			"a legacy profile (without sso_session) can only sign in with a device code")
	case now.strict:
		c.note("format", "a legacy profile: device code only")
	default:
		c.overrule("format", session.Device, "a legacy profile (without sso_session) allows no other flow")
	}
	return nil
}

// grant rules out a device grant that is known to fail, unless it was asked for or is the only way.
func (c *choice) grant() {
	now := c.asks[c.decider]
	switch reason := "a device code does not work at this portal: " + c.q.DeviceFails; {
	case c.q.DeviceFails == "":
		c.note("device grant", "not known to fail at this portal")
	case now.flow == session.Device && !now.strict && !c.q.Session.Legacy():
		c.overrule("device grant", session.PKCE, reason)
	default:
		c.note("device grant", reason)
	}
}

// policy applies what the organisation allows.
func (c *choice) policy() error {
	p, now := c.q.Settings.Policy, c.asks[c.decider]
	forbids := p.Forbids(now.flow)
	if forbids == "" {
		switch {
		case p.File == "":
			c.note("policy", "there is none")
		case p.Allows(session.PKCE) && p.Allows(session.Device):
			c.note("policy", p.File+" allows either flow")
		default:
			c.note("policy", "allows "+string(now.flow)+" ("+p.Forbids(other(now.flow))+")")
		}
		return nil
	}
	instead := other(now.flow)
	legacy := c.q.Session.Legacy()
	switch {
	case !p.Allows(instead):
		return fault.New(fault.Denied, "ask who administers this machine",
			"the policy allows no way to sign in: %s; %s", forbids, p.Forbids(instead))
	case legacy && instead == session.PKCE:
		return fault.Suggest(
			fault.Denied,
			fault.Preface{
				Words: "to give the session a name, so that a browser redirect works,",
				Then:  fault.ConfigureSSO{},
			},
			"a legacy profile (without sso_session) can only sign in with a device code, which the policy forbids: %s",
			forbids,
		)
	case now.strict:
		return fault.Suggest(fault.Denied, fault.Login{Session: c.q.Session.Name, Flow: instead},
			"the policy forbids %s: %s", now.asked, forbids)
	}
	c.overrule("policy", instead, "the policy forbids "+words[now.flow]+" ("+forbids+")")
	return nil
}

var words = map[session.Flow]string{session.PKCE: "a browser redirect", session.Device: "a device code"}

func other(flow session.Flow) session.Flow {
	if flow == session.PKCE {
		return session.Device
	}
	return session.PKCE
}

// answer returns the choice, with the outcome of every step.
func (c *choice) answer() Answer {
	now := c.asks[c.decider]
	a := Answer{Flow: now.flow, Reason: now.reason, Asked: now.asked}
	may := !c.q.Session.Legacy() && c.q.Settings.Policy.Allows(other(now.flow))
	a.Fallback = may && now.flow == session.Device
	for i, s := range c.asks {
		switch {
		case s.flow == "":
		case i == c.decider:
			s.Outcome = Decides
		case i < c.auto && !s.fact:
			s.Outcome = "dropped by " + c.asks[c.auto].title()
		case s.flow == session.Auto && (now.asked == "" || c.decider < i):
			s.Outcome = Leaves
		case s.flow == now.flow:
			s.Outcome = Agrees
		default:
			s.Outcome = "overruled by " + now.title()
		}
		a.Steps = append(a.Steps, s.Step)
	}
	return a
}

// title names a in the outcome of an ask that it overruled.
func (a ask) title() string {
	switch {
	case a.asked != "":
		return a.asked
	case a.Source == sourceWorked:
		return a.Source
	}
	return "the " + a.Source
}
