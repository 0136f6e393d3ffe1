// Package settings knows what a person or an organisation has set: config.toml, the HOMING_… variables and
// policy.toml, each value with where it comes from. Which of them wins over a flag is decided by the package that
// uses the value.
//
// The one rule: a file that is there is either understood whole or refused. A misspelt key would otherwise be a
// setting that silently does nothing, and a policy that cannot be read would be no policy.
package settings

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/session"
)

// Value is a setting with where it comes from. The zero Value is unset.
type Value[T any] struct {
	Value  T
	Origin string    // the path of a file, the name of a variable ("HOMING_FLOW") or a flag ("--flow"); "" is unset
	Line   int       // in the file; 0 where there is none
	Beats  *Value[T] // the next weaker one that was set as well; nil when there is none
}

// IsSet reports whether somebody set the value.
func (v Value[T]) IsSet() bool { return v.Origin != "" }

// FromEnv reports whether the value comes from a variable.
func (v Value[T]) FromEnv() bool { return strings.HasPrefix(v.Origin, envPrefix) }

// Where returns the origin as a message shows it: "/home/a/.config/homing/config.toml:3", "HOMING_FLOW", "" when
// unset.
func (v Value[T]) Where() string {
	if v.Line == 0 {
		return v.Origin
	}
	return v.Origin + ":" + strconv.Itoa(v.Line)
}

// over returns v laid over weaker.
func (v Value[T]) over(weaker Value[T]) Value[T] {
	switch {
	case !v.IsSet():
		return weaker
	case weaker.IsSet():
		v.Beats = &weaker
	}
	return v
}

// Settings are the values of one run. The zero Settings are those of a person who has set nothing, under no policy
// that was read: see Policy.
type Settings struct {
	Flow         Value[session.Flow] // Auto asks for nothing: the place decides
	RedirectPort Value[int]          // the port of the listener, 0 any free one
	NoBrowser    Value[bool]         // print the address instead of opening a browser
	// Sign in to legacy profiles such that the token can be renewed; for all sessions alike.
	KeepFresh Value[bool]
	Profiles  Profiles // for profiles sync; For gives those of one session
	Policy    Policy

	file, env layer
	sessions  map[string]layer
}

// layer is what one source says.
type layer struct {
	flow         Value[session.Flow]
	redirectPort Value[int]
	noBrowser    Value[bool]
	keepFresh    Value[bool]
	profiles     Profiles
}

// Options say where to look.
type Options struct {
	ConfigFile string              // "" or a file that is not there: nothing is set
	PolicyFile string              // "" or a file that is not there: everything is allowed
	Getenv     func(string) string // nil sees nothing
}

// Load reads the settings. Weakest first: config.toml, its [session.NAME] tables (see For), the variables
// HOMING_FLOW, HOMING_REDIRECT_PORT, HOMING_NO_BROWSER and HOMING_KEEP_FRESH, of which an empty one is unset. Errors
// are *fault.Error of kind Config that name the file and the line, or the variable; also a policy that is there and
// cannot be read is one.
func Load(o Options) (Settings, error) {
	var s Settings
	var err error
	if s.Policy, err = loadPolicy(o.PolicyFile); err != nil {
		return Settings{}, err
	}
	if s.file, s.sessions, err = loadConfig(o.ConfigFile); err != nil {
		return Settings{}, err
	}
	if s.env, err = fromEnv(o.Getenv); err != nil {
		return Settings{}, err
	}
	return s.merged(layer{}), nil
}

// For returns the settings for the [sso-session] name: what [session.NAME] of config.toml says counts more than the
// rest of that file, and less than a variable. A name without such a table, "" among them, gives s.
func (s Settings) For(session string) Settings { return s.merged(s.sessions[session]) }

// merged lays the variables over session, and session over the rest of the file.
func (s Settings) merged(session layer) Settings {
	s.Flow = s.env.flow.over(session.flow.over(s.file.flow))
	s.RedirectPort = s.env.redirectPort.over(session.redirectPort.over(s.file.redirectPort))
	s.KeepFresh = s.env.keepFresh.over(s.file.keepFresh)
	s.NoBrowser = s.env.noBrowser.over(session.noBrowser.over(s.file.noBrowser))
	s.Profiles = session.profiles.Over(s.file.profiles)
	return s
}

const envPrefix = "HOMING_"

// fromEnv reads the variables.
func fromEnv(getenv func(string) string) (layer, error) {
	var l layer
	if getenv == nil {
		return l, nil
	}
	const flow, port = envPrefix + "FLOW", envPrefix + "REDIRECT_PORT"
	if v := getenv(flow); v != "" {
		name := session.Flow(strings.ToLower(v))
		if !name.Known() {
			return l, fault.Suggest(fault.Config, fault.Setenv{Name: flow, Value: string(session.Auto)},
				"%s=%s is none of auto, pkce, device", flow, shown(v))
		}
		l.flow = Value[session.Flow]{Value: name, Origin: flow}
	}
	if v := getenv(port); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || !isPort(int64(n)) {
			return l, fault.Suggest(fault.Config, fault.Setenv{Name: port}, "%s=%s is not a port (0 to 65535)", port,
				shown(v))
		}
		l.redirectPort = Value[int]{Value: n, Origin: port}
	}
	var err error
	if l.noBrowser, err = flagFromEnv(getenv, envPrefix+"NO_BROWSER"); err != nil {
		return l, err
	}
	l.keepFresh, err = flagFromEnv(getenv, envPrefix+"KEEP_FRESH")
	return l, err
}

// flagFromEnv reads a variable that says yes or no.
func flagFromEnv(getenv func(string) string, name string) (Value[bool], error) {
	v := getenv(name)
	if v == "" {
		return Value[bool]{}, nil
	}
	yes, ok := truth(v)
	if !ok {
		return Value[bool]{}, fault.Suggest(fault.Config, fault.Setenv{Name: name, Value: "1"},
			"%s=%s is neither yes nor no", name, shown(v))
	}
	return Value[bool]{Value: yes, Origin: name}, nil
}

func isPort(n int64) bool { return n >= 0 && n <= 65535 }

// truth reads what people write in a variable for yes and no.
func truth(s string) (yes, ok bool) {
	switch strings.ToLower(s) {
	case "1", "true", "yes", "on", "y", "t":
		return true, true
	case "0", "false", "no", "off", "n", "f":
		return false, true
	}
	return false, false
}

// shown is a value as a message quotes it: short, and without anything that acts on a terminal.
func shown(s string) string {
	const limit = 40
	if r := []rune(s); len(r) > limit {
		s = string(r[:limit]) + "…"
	}
	if s == "" || !plain.IsLine(s) || strings.ContainsAny(s, `"\`) {
		return strconv.QuoteToASCII(s)
	}
	return s
}

// at is the beginning of every message about a line of a file.
func at(file string, line int) string {
	if line <= 0 {
		return file
	}
	return fmt.Sprintf("%s:%d", file, line)
}
