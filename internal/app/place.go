package app

import (
	"context"
	"path/filepath"
	"runtime"

	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/hostenv"
)

// Where is the place that this run is in, and the editor around it.
type Where struct {
	hostenv.Place

	Window *editor.Window // of the editor that the terminal belongs to; nil when none answers
	Tries  []editor.Try   // the sockets that were looked at
}

// Here finds out where this run is, once. An editor that does not answer costs a second.
func (a *App) Here(ctx context.Context) Where {
	if a.place != nil {
		return *a.place
	}
	var w Where
	facts := hostenv.Facts{
		Getenv: a.Env.Getenv, GOOS: runtime.GOOS, Exists: a.Env.Exists, ReadFile: a.Env.ReadFile,
		HostName: a.Env.HostName,
	}
	if a.Env.Tmux != nil {
		facts.Tmux = func(name string) (string, bool) { return a.Env.Tmux(ctx, name) }
	}
	if a.Env.FindEditor != nil {
		found, tries, ok := a.Env.FindEditor(ctx)
		if ok {
			w.Window = &found
		}
		w.Tries = tries
		facts.Window, facts.Tries = w.Window, tries
	}
	if a.Env.CanOpen != nil {
		facts.Opens = func() bool { return a.Env.CanOpen(ctx, w.Window) }
	}
	w.Place = hostenv.Detect(facts)
	a.UI.Debug("place %s: %s", w.Name, w.Reason)
	a.place = &w
	return w
}

// StateDir returns the user's folder for facts about this machine. homing works without them.
func (a *App) StateDir() (string, error) {
	home, err := a.Env.HomeDir()
	if err != nil {
		return "", err
	}
	return stateDir(a.Env, home), nil
}

// RendezvousDir returns the folder in which a waiting sign-in can be found by callback.
func (a *App) RendezvousDir() (string, error) {
	dir, err := a.StateDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "waiting"), nil
}
