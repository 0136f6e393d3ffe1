package login

import (
	"context"
	"fmt"
	"strings"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/interactive"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
)

// explanation is what --explain prints under --json. The names stay as they are.
type explanation struct {
	Place    string            `json:"place"`
	Title    string            `json:"title"`
	Remote   bool              `json:"remote"`
	Wrapped  string            `json:"wrapped,omitempty"`
	Flow     session.Flow      `json:"flow"`
	Reason   string            `json:"reason"`
	Channels []session.Channel `json:"channels"`
	Browser  string            `json:"browser"`
	Port     int               `json:"port"`              // 0 is any
	Refuses  bool              `json:"refuses,omitempty"` // a CI job without a terminal: login ends at once when a person is needed

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
		Channel session.Channel `json:"channel"`
		Text    string          `json:"text"`
		Command string          `json:"command,omitempty"`
	}
)

// runExplain prints how login would sign in here, and what that was weighed from. It asks nobody and writes nothing.
func (o *options) runExplain(ctx context.Context) error {
	t, err := o.App.Target(ctx, o.ssoSession)
	if err != nil {
		return err
	}
	c, err := interactive.Decide(ctx, o.App, t.Session, o.Flags)
	if err != nil {
		return err
	}
	e := explain(o.App.UI, c)
	e.Refuses = c.RefuseInCI(o.App) != nil
	if o.App.UI.JSON {
		return o.App.UI.Document(e)
	}
	return sayExplanation(o.App, t.Session.InWords(), e)
}

func explain(u *ui.UI, c interactive.Choice) explanation {
	event := c.Environment()
	e := explanation{
		Place: c.Place.Name, Title: c.Place.Title, Remote: c.Place.Remote, Wrapped: c.Place.Wrapped,
		Flow: c.Answer.Flow, Reason: c.Answer.Reason, Channels: event.Channels, Browser: c.Place.Browser, Port: c.Ports()[0],
		Windows: []explainedTry{}, Weighed: []explainedRow{}, Steps: []explainedStep{}, Ways: []explainedWay{},
	}
	for _, t := range c.Place.Tries {
		e.Windows = append(e.Windows, explainedTry{t.Path, t.From, t.Outcome})
	}
	for _, w := range c.Place.Weighed {
		e.Weighed = append(e.Weighed, explainedRow{w.Name, w.Outcome})
	}
	for _, s := range c.Answer.Steps {
		e.Steps = append(e.Steps, explainedStep(s))
	}
	example := e.Port
	if example == 0 {
		example = callback.DefaultPorts[0]
	}
	for _, w := range c.Place.Ways(example) {
		if w.Channel == session.DeviceCode && c.Settings.Policy.Allows(session.Device) || w.Channel != session.DeviceCode && c.MayCode() {
			if w.Channel == session.Callback {
				w.Command = u.Command(fault.HandOver{})
			}
			e.Ways = append(e.Ways, explainedWay(w))
		}
	}
	return e
}

// sayExplanation is the answer in words: what, then why, then everything that was looked at.
func sayExplanation(a *app.App, name string, e explanation) error {
	flowName := ui.FlowInWords(e.Flow)
	title := e.Title
	if e.Wrapped != "" {
		title += ", inside " + e.Wrapped
	}
	a.UI.Answer("homing login would sign in to %s with %s.\n", name, flowName)
	a.UI.Answer("Why: %s.\n", e.Reason)
	if e.Refuses {
		a.UI.Answer("Here it would not: nobody sits at this job, so it ends with exit code 4 when a person is needed.\n")
	}
	a.UI.Answer("\n")
	facts := [][]string{
		{"place", fmt.Sprintf("%s (%s)", title, e.Place)},
		{"browser", e.Browser},
		{"ways back", joined(e.Channels)},
		{"port", fmt.Sprint(e.Port)},
	}
	example := ""
	if e.Port == 0 {
		facts[3][1] = "any free one"
		example = fmt.Sprintf(" (were the port %d)", callback.DefaultPorts[0])
	}
	for _, f := range facts {
		a.UI.Answer("%-10s %s\n", f[0], f[1])
	}
	if len(e.Windows) > 0 {
		a.UI.Answer("\nWindows of an editor that were asked:\n")
		for _, w := range e.Windows {
			a.UI.Answer("  %s (%s): %s\n", w.Socket, w.From, w.Outcome)
		}
	}
	a.UI.Answer("\nPlaces, from the first to the one that matched:\n")
	for _, w := range e.Weighed {
		a.UI.Answer("  %-26s %s\n", w.Place, w.Outcome)
	}
	a.UI.Answer("\nWhat was weighed, weakest first:\n")
	for _, s := range e.Steps {
		if s.Outcome == "" {
			a.UI.Answer("  %-22s %s\n", s.Source, s.Said)
		} else {
			a.UI.Answer("  %-22s %s: %s\n", s.Source, s.Said, s.Outcome)
		}
	}
	if len(e.Ways) > 0 {
		a.UI.Answer("\nWhat can be done while it waits, best first" + example + ":\n")
		for _, w := range e.Ways {
			a.UI.Answer("  - %s\n", w.Text)
			if w.Command != "" {
				a.UI.Answer("      %s\n", w.Command)
			}
		}
	}
	return nil
}

func joined(channels []session.Channel) string {
	names := make([]string, len(channels))
	for i, c := range channels {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}
