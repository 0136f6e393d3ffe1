// Package app is one run of homing: its environment, its global flags, and which session or profile is meant.
//
// It wires nothing to the service (internal/connect does) and asks nobody (internal/prompt does). Only Env touches
// the outside: no other package reads the environment, a standard stream or the clock, so a test can run the whole
// program.
package app

import (
	"context"
	"net/http"
	"path/filepath"
	"runtime"
	"time"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/quote"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/term"
	"github.com/homing-cli/homing/internal/ui"
)

// App is one run of homing. Only what its fields say is safe for concurrent use.
type App struct {
	Env    Env
	Flags  Flags // set before a command runs
	UI     *ui.UI
	Lines  *term.LineReader  // what the person types
	Loaded *awsconfig.Config // what Config read; nil before, and to read it again

	// Choose lets the person at the terminal pick one of items, and returns its index. flag names the flag that would
	// have answered. It is called only if Interactive reports true.
	Choose func(ctx context.Context, items []string, flag string) (int, error)

	AsksLater bool          // questions follow the sign-in: a wizard runs
	Patience  time.Duration // how long a person waits for an answer of the service

	// Looked is what the quick path of credentials found in the cache; nil if it did not look.
	Looked *Looked

	HTTP     *http.Client      // of connect.HTTPClient; nil before its first call
	Resolved map[string]string // vanity start URLs that were followed, and where they lead
	place    *Where            // what Here found
}

// Looked is what the cache held for a role a moment ago.
type Looked struct {
	File        string                  // store.RolePath
	Credentials session.RoleCredentials // zero if there were none
}

// New returns a run in env, before its flags are read.
func New(env Env) *App {
	a := &App{
		Env: env,
		UI: &ui.UI{
			Out:   &ui.Answers{W: env.Stdout},
			Err:   env.Stderr,
			Shell: quote.InUse(runtime.GOOS, env.Getenv),
		},
		Lines:    &term.LineReader{R: env.Stdin},
		Patience: servicePatience,
	}
	if env.Terminal.Stderr {
		a.UI.Terminal, a.UI.Width = true, env.Terminal.Width
		if env.Getenv("TERM") != "dumb" {
			a.UI.Height, a.UI.Links = env.Terminal.Height, term.Hyperlinks(env.Getenv)
		}
	}
	return a
}

// Resume returns a new run in env that keeps what the quick path of credentials read.
func Resume(env Env, quick *App) *App {
	a := New(env)
	a.Loaded, a.Looked = quick.Loaded, quick.Looked
	return a
}

// ConfigureUI applies the global flags. Call it once they are parsed.
func (a *App) ConfigureUI() {
	a.UI.JSON = a.Flags.JSON
	a.UI.Debugging = a.Flags.Debug
	a.UI.Color = a.Env.Terminal.Stderr && !a.Flags.NoColor && !term.NoColor(a.Env.Getenv)
}

// Interactive reports whether a person can be asked: there is a keyboard, and a screen for the question.
func (a *App) Interactive() bool {
	return a.Env.Terminal.Stdin && a.Env.Terminal.Stderr && !a.UI.JSON
}

// Paths returns the paths of the AWS config and credentials files.
func (a *App) Paths() (awsconfig.Paths, error) {
	home, err := a.Env.HomeDir()
	if err != nil {
		return awsconfig.Paths{}, err
	}
	if paths, inside := OuterPaths(a.Env.Getenv); inside {
		return paths, nil
	}
	return awsconfig.PathsFromEnv(a.Env.Getenv, home), nil
}

// Config returns the AWS config, which it reads once. A file that the AWS CLI cannot load is an error: homing must
// not do something with it that the AWS CLI does not.
func (a *App) Config() (*awsconfig.Config, error) {
	if a.Loaded != nil {
		return a.Loaded, nil
	}
	paths, err := a.Paths()
	if err != nil {
		return nil, err
	}
	cfg, err := awsconfig.Load(paths)
	if err != nil {
		return nil, err
	}
	if err := cfg.CLIError(); err != nil {
		return nil, err
	}
	if a.UI.Debugging { // listing them takes as long as reading a large file
		a.UI.Debug("config file %s: %d profiles, %d sessions", paths.Config, len(cfg.ProfileNames()),
			len(cfg.SessionNames()))
	}
	a.Loaded = cfg
	return cfg, nil
}

// Store returns the caches in ~/.aws.
func (a *App) Store() (*store.Store, error) {
	home, err := a.Env.HomeDir()
	if err != nil {
		return nil, err
	}
	return &store.Store{AWSDir: filepath.Join(home, ".aws"), Now: a.Env.Time, StateDir: stateDir(a.Env, home)}, nil
}

// stateDir returns the user's folder for facts about this machine, and for what ~/.aws has no room for.
func stateDir(env Env, home string) string {
	if dir := env.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "homing")
	}
	if runtime.GOOS == "windows" {
		if dir := env.Getenv("LOCALAPPDATA"); dir != "" {
			return filepath.Join(dir, "homing")
		}
	}
	return filepath.Join(home, ".local", "state", "homing")
}

// ActiveProfile returns the profile that is named, and the flag or variable that names it: --profile, AWS_PROFILE,
// AWS_DEFAULT_PROFILE, or inside exec the profile of that. Both are empty if none does.
func (a *App) ActiveProfile() (name, origin string) {
	if a.Flags.Profile != "" {
		return a.Flags.Profile, "--profile"
	}
	for _, variable := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", VarProfile} {
		if name := a.Env.Getenv(variable); name != "" {
			return name, variable
		}
	}
	return "", ""
}
