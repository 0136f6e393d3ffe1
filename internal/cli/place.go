package cli

import (
	"context"
	"path/filepath"
	"runtime"

	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/hostenv"
)

// where is the place this run is in.
type where struct {
	hostenv.Place

	window *editor.Window // of the editor that the terminal belongs to; nil when none answers
	tries  []editor.Try   // the sockets that were looked at
}

// here looks around, once a run. An editor's window that does not answer costs a second.
func (a *app) here(ctx context.Context) where {
	if a.place != nil {
		return *a.place
	}
	var w where
	facts := hostenv.Facts{
		Getenv: a.env.Getenv, GOOS: runtime.GOOS, Exists: a.env.Exists, ReadFile: a.env.ReadFile, HostName: a.env.HostName,
	}
	if a.env.Tmux != nil {
		facts.Tmux = func(name string) (string, bool) { return a.env.Tmux(ctx, name) }
	}
	if a.env.FindEditor != nil {
		found, tries, ok := a.env.FindEditor(ctx)
		if ok {
			w.window = &found
		}
		w.tries = tries
		facts.Window, facts.Tries = w.window, tries
	}
	if a.env.CanOpen != nil {
		facts.Opens = func() bool { return a.env.CanOpen(ctx, w.window) }
	}
	w.Place = hostenv.Detect(facts)
	a.ui.debug("place %s: %s", w.Name, w.Reason)
	a.place = &w
	return w
}

// stateDir is the user's folder for what is worth keeping and can be lost.
func (a *app) stateDir() (string, error) {
	home, err := a.env.home()
	if err != nil {
		return "", err
	}
	return lockDir(a.env, home), nil
}

// rendezvousDir is where a sign-in that waits leaves word for homing callback.
func (a *app) rendezvousDir() (string, error) {
	dir, err := a.stateDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "waiting"), nil
}
