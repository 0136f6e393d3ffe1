package app

import (
	"runtime"

	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/settings"
)

// Settings returns the settings that decide the endpoints of the service, read as the AWS CLI does: from the
// environment, then from the active profile.
func (a *App) Settings() idc.Settings {
	s := idc.Settings{Getenv: a.ownVariable}
	if a.Loaded == nil {
		return s
	}
	name, _ := a.ActiveProfile()
	if name == "" {
		name = "default"
	}
	s.Profile = func(key string) string {
		p, ok := a.Loaded.Profile(name)
		if !ok {
			return ""
		}
		return p.Get(key)
	}
	s.Service = func(service string) string { return a.Loaded.Service(name, service) }
	return s
}

// UserSettings reads config.toml, the HOMING_ variables and the organisation's policy.
func (a *App) UserSettings() (settings.Settings, error) {
	home, err := a.Env.HomeDir()
	if err != nil {
		return settings.Settings{}, err
	}
	return settings.Load(settings.Options{
		ConfigFile: settings.ConfigFile(a.Env.Getenv, home, runtime.GOOS),
		PolicyFile: a.Env.PolicyFile,
		Getenv:     a.Env.Getenv,
	})
}
