package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/flow"
	"github.com/homing-cli/homing/internal/hostenv"
)

// explanation is what --explain prints under --json. The names stay as they are.
type explanation struct {
	Place    string   `json:"place"`
	Title    string   `json:"title"`
	Remote   bool     `json:"remote"`
	Wrapped  string   `json:"wrapped,omitempty"`
	Flow     string   `json:"flow"`
	Reason   string   `json:"reason"`
	Channels []string `json:"channels"`
	Browser  string   `json:"browser"`
	Port     int      `json:"port"`              // 0 is any
	Refuses  bool     `json:"refuses,omitempty"` // a CI job without a terminal: login ends at once when a person is needed

	Windows []explainedTry  `json:"editor_windows"`
	Weighed []explainedRow  `json:"places"`
	Steps   []explainedStep `json:"sources"`
	Ways    []explainedWay  `json:"ways"`
}

type (
	explainedTry struct {
		Socket  string `json:"socket"`
		From    string `json:"from"`
		Outcome string `json:"outcome"`
	}
	explainedRow struct {
		Place   string `json:"place"`
		Outcome string `json:"outcome"`
	}
	explainedStep struct {
		Source  string `json:"source"`
		Said    string `json:"said"`
		Outcome string `json:"outcome"`
	}
	explainedWay struct {
		Channel string `json:"channel"`
		Text    string `json:"text"`
		Command string `json:"command,omitempty"`
	}
)

// runExplain prints how login would sign in here, and what that was weighed from. It asks nobody and writes nothing.
func (o *loginOptions) runExplain(ctx context.Context) error {
	t, err := o.app.target(ctx, o.ssoSession)
	if err != nil {
		return err
	}
	c, err := o.app.decide(ctx, t.session, o.flowFlags)
	if err != nil {
		return err
	}
	e := explain(c)
	e.Refuses = o.app.refuseInCI(c, t.session) != nil
	if o.app.ui.json {
		return o.app.ui.document(e)
	}
	return o.app.sayExplanation(t.session.InWords(), e)
}

func explain(c choice) explanation {
	event := c.event()
	e := explanation{
		Place: c.place.Name, Title: c.place.Title, Remote: c.place.Remote, Wrapped: c.place.Wrapped,
		Flow: c.answer.Flow, Reason: c.answer.Reason, Channels: event.Channels, Browser: c.place.Browser, Port: c.ports()[0],
		Windows: []explainedTry{}, Weighed: []explainedRow{}, Steps: []explainedStep{}, Ways: []explainedWay{},
	}
	for _, t := range c.place.tries {
		e.Windows = append(e.Windows, explainedTry{t.Path, t.From, t.Outcome})
	}
	for _, w := range c.place.Weighed {
		e.Weighed = append(e.Weighed, explainedRow{w.Name, w.Outcome})
	}
	for _, s := range c.answer.Steps {
		e.Steps = append(e.Steps, explainedStep(s))
	}
	example := e.Port
	if example == 0 {
		example = callback.DefaultPorts[0]
	}
	for _, w := range c.place.Ways(example) {
		if w.Channel == hostenv.DeviceCode && c.settings.Policy.Allows(flow.Device) || w.Channel != hostenv.DeviceCode && c.mayCode() {
			e.Ways = append(e.Ways, explainedWay(w))
		}
	}
	return e
}

// sayExplanation is the answer in words: what, then why, then everything that was looked at.
func (a *app) sayExplanation(session string, e explanation) error {
	flowName := map[string]string{flow.PKCE: "a browser redirect (PKCE)", flow.Device: "a device code"}[e.Flow]
	title := e.Title
	if e.Wrapped != "" {
		title += ", inside " + e.Wrapped
	}
	a.ui.answer("homing login would sign in to %s with %s.\n", session, flowName)
	a.ui.answer("Why: %s.\n", e.Reason)
	if e.Refuses {
		a.ui.answer("Here it would not: nobody sits at this job, so it ends with exit code 4 when a person is needed.\n")
	}
	a.ui.answer("\n")
	facts := [][]string{
		{"place", fmt.Sprintf("%s (%s)", title, e.Place)},
		{"browser", e.Browser},
		{"ways back", strings.Join(e.Channels, ", ")},
		{"port", fmt.Sprint(e.Port)},
	}
	example := ""
	if e.Port == 0 {
		facts[3][1] = "any free one"
		example = fmt.Sprintf(" (were the port %d)", callback.DefaultPorts[0])
	}
	for _, f := range facts {
		a.ui.answer("%-10s %s\n", f[0], f[1])
	}
	if len(e.Windows) > 0 {
		a.ui.answer("\nWindows of an editor that were asked:\n")
		for _, w := range e.Windows {
			a.ui.answer("  %s (%s): %s\n", w.Socket, w.From, w.Outcome)
		}
	}
	a.ui.answer("\nPlaces, from the first to the one that matched:\n")
	for _, w := range e.Weighed {
		a.ui.answer("  %-26s %s\n", w.Place, w.Outcome)
	}
	a.ui.answer("\nWhat was weighed, weakest first:\n")
	for _, s := range e.Steps {
		if s.Outcome == "" {
			a.ui.answer("  %-22s %s\n", s.Source, s.Said)
		} else {
			a.ui.answer("  %-22s %s: %s\n", s.Source, s.Said, s.Outcome)
		}
	}
	if len(e.Ways) > 0 {
		a.ui.answer("\nWhat can be done while it waits, best first" + example + ":\n")
		for _, w := range e.Ways {
			a.ui.answer("  - %s\n", w.Text)
			if w.Command != "" {
				a.ui.answer("      %s\n", w.Command)
			}
		}
	}
	return nil
}
