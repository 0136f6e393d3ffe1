package settings

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/session"
)

// configKeys are the keys of config.toml and of each [session.NAME] in it; globalKeys those of the file alone:
// keep_fresh is about legacy profiles, whose sessions have no name.
var (
	configKeys = []string{"flow", "no_browser", "redirect_port"}
	globalKeys = []string{"keep_fresh"}
)

// loadConfig reads config.toml: what counts for every session, and what for one.
func loadConfig(file string) (layer, map[string]layer, error) {
	t, err := open(file)
	if t == nil || err != nil {
		return layer{}, nil, err
	}
	if err := t.check(slices.Concat(configKeys, globalKeys), "profiles", "session"); err != nil {
		return layer{}, nil, err
	}
	top, err := t.layer()
	if err != nil {
		return layer{}, nil, err
	}
	if top.keepFresh, err = t.truth("keep_fresh"); err != nil {
		return layer{}, nil, err
	}
	tables, err := t.tables("session")
	if err != nil {
		return layer{}, nil, err
	}
	sessions := map[string]layer{}
	for _, name := range sorted(tables) { // of several mistakes the same one is told every time
		sub := tables[name]
		if err := sub.check(configKeys, "profiles"); err != nil {
			return layer{}, nil, err
		}
		if sessions[name], err = sub.layer(); err != nil {
			return layer{}, nil, err
		}
	}
	return top, sessions, nil
}

func sorted(tables map[string]*table) []string {
	names := make([]string, 0, len(tables))
	for name := range tables {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// layer reads the keys of config.toml from a table.
func (t *table) layer() (l layer, err error) {
	if l.flow, err = decode(t, "flow", `"auto", "pkce" or "device"`, session.Flow.Known); err != nil {
		return l, err
	}
	if l.redirectPort, err = t.port("redirect_port"); err != nil {
		return l, err
	}
	if l.noBrowser, err = t.truth("no_browser"); err != nil {
		return l, err
	}
	l.profiles, err = t.profiles("form")
	return l, err
}

func (t *table) truth(key string) (Value[bool], error) {
	return decode(t, key, "true or false", func(bool) bool { return true })
}

func (t *table) port(key string) (Value[int], error) {
	v, err := decode(t, key, "a port, a whole number from 0 (any free one) to 65535", isPort)
	return Value[int]{Value: int(v.Value), Origin: v.Origin, Line: v.Line}, err
}

// ConfigFile returns the path of config.toml: $XDG_CONFIG_HOME/homing, else ~/.config/homing, on macOS too;
// %AppData%\homing on Windows. "" when there is no home. A relative $XDG_CONFIG_HOME is ignored, as its specification
// asks.
func ConfigFile(getenv func(string) string, home, goos string) string {
	if goos == "windows" {
		switch dir := getenv("AppData"); {
		case dir != "":
			return windowsPath(dir, "homing", "config.toml")
		case home != "":
			return windowsPath(home, "AppData", "Roaming", "homing", "config.toml")
		}
		return ""
	}
	if dir := getenv("XDG_CONFIG_HOME"); strings.HasPrefix(dir, "/") {
		return filepath.Join(dir, "homing", "config.toml")
	}
	if home == "" {
		return ""
	}
	return filepath.Join(home, ".config", "homing", "config.toml")
}

// windowsPath joins as filepath.Join does on Windows, on any system, so that it can be tested.
func windowsPath(parts ...string) string {
	parts[0] = strings.TrimRight(parts[0], `\/`)
	return strings.Join(parts, `\`)
}
