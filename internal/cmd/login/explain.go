package login

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/interactive"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/ui"
)

// explanation is what --explain prints with --json. Other programs read the JSON names, so they never change.
type explanation struct {
	Place    string            `json:"place"`
	Title    string            `json:"title"`
	Remote   bool              `json:"remote"`
	Wrapped  string            `json:"wrapped,omitempty"`
	Flow     session.Flow      `json:"flow"`
	Reason   string            `json:"reason"`
	Channels []session.Channel `json:"channels"`
	Browser  string            `json:"browser"`
	Port     int               `json:"port"` // 0 is any free port
	// Refuses says that login exits at once if it needs a person, as in a CI job without a terminal.
	Refuses bool `json:"refuses,omitempty"`

	Windows []explainedWindow `json:"editor_windows"`
	Places  []explainedPlace  `json:"places"`
	Sources []explainedSource `json:"sources"`
	Ways    []explainedWay    `json:"ways"`
}

type (
	explainedWindow struct {
		Socket  string `json:"socket"`
		From    string `json:"from"`
		Outcome string `json:"outcome"`
	}
	explainedPlace struct {
		Place   string `json:"place"`
		Outcome string `json:"outcome"`
	}
	explainedSource struct {
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

// runExplain prints how login would sign in here, and why. It asks no questions, calls no service and writes no file.
func (o *options) runExplain(ctx context.Context) error {
	t, err := o.app.Target(ctx, o.ssoSession)
	if err != nil {
		return err
	}
	c, err := interactive.Decide(ctx, o.app, t.Session, o.Flags)
	if err != nil {
		return err
	}
	e := explain(o.app.UI, c)
	e.Refuses = c.RefuseInCI(o.app) != nil
	if o.app.UI.JSON {
		return o.app.UI.Document(e)
	}
	renderExplanation(o.app.UI, t.Session.InWords(), e)
	return nil
}

// explain returns the facts behind c. u words a command for this shell.
func explain(u *ui.UI, c interactive.Choice) explanation {
	e := explanation{
		Place: c.Place.Name, Title: c.Place.Title, Remote: c.Place.Remote, Wrapped: c.Place.Wrapped,
		Flow: c.Answer.Flow, Reason: c.Answer.Reason,
		Channels: c.Environment().Channels, Browser: c.Place.Browser, Port: c.Ports()[0],
		Windows: []explainedWindow{}, Places: []explainedPlace{}, Sources: []explainedSource{}, Ways: []explainedWay{},
	}
	for _, t := range c.Place.Tries {
		e.Windows = append(e.Windows, explainedWindow{t.Path, t.From, t.Outcome})
	}
	for _, w := range c.Place.Weighed {
		e.Places = append(e.Places, explainedPlace{w.Name, w.Outcome})
	}
	for _, s := range c.Answer.Steps {
		e.Sources = append(e.Sources, explainedSource(s))
	}
	for _, w := range c.Place.Ways(cmp.Or(e.Port, callback.DefaultPorts[0])) {
		allowed := c.MayCode()
		if w.Channel == session.DeviceCode {
			allowed = c.Settings.Policy.Allows(session.Device)
		}
		if !allowed {
			continue
		}
		if w.Channel == session.Callback {
			w.Command = u.Command(fault.HandOver{})
		}
		e.Ways = append(e.Ways, explainedWay(w))
	}
	return e
}

// renderExplanation prints e for people: the choice, its reason, then everything that was checked. name is the session
// in words.
func renderExplanation(u *ui.UI, name string, e explanation) {
	u.Answer("homing login would sign in to %s with %s.\n", name, ui.FlowInWords(e.Flow))
	u.Answer("Why: %s.\n", e.Reason)
	if e.Refuses {
		u.Answer("This is a CI job without a terminal, so login exits with code 4 if it needs a person.\n")
	}
	u.Answer("\n")
	title := e.Title
	if e.Wrapped != "" {
		title += ", inside " + e.Wrapped
	}
	port, example := fmt.Sprint(e.Port), ""
	if e.Port == 0 {
		port, example = "any free one", fmt.Sprintf(" (with port %d as an example)", callback.DefaultPorts[0])
	}
	for _, f := range [][2]string{
		{"place", fmt.Sprintf("%s (%s)", title, e.Place)},
		{"browser", e.Browser},
		{"ways back", joinChannels(e.Channels)},
		{"port", port},
	} {
		u.Answer("%-10s %s\n", f[0], f[1])
	}
	if len(e.Windows) > 0 {
		u.Answer("\nEditor windows checked:\n")
		for _, w := range e.Windows {
			u.Answer("  %s (%s): %s\n", w.Socket, w.From, w.Outcome)
		}
	}
	u.Answer("\nPlaces checked, up to the match:\n")
	for _, p := range e.Places {
		u.Answer("  %-26s %s\n", p.Place, p.Outcome)
	}
	u.Answer("\nWhat decides the flow, weakest first:\n")
	for _, s := range e.Sources {
		if s.Outcome == "" {
			u.Answer("  %-22s %s\n", s.Source, s.Said)
		} else {
			u.Answer("  %-22s %s: %s\n", s.Source, s.Said, s.Outcome)
		}
	}
	if len(e.Ways) > 0 {
		u.Answer("\nWhat you can do while login waits, best first" + example + ":\n")
		for _, w := range e.Ways {
			u.Answer("  - %s\n", w.Text)
			if w.Command != "" {
				u.Answer("      %s\n", w.Command)
			}
		}
	}
}

func joinChannels(channels []session.Channel) string {
	names := make([]string, len(channels))
	for i, c := range channels {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}
