// Package hostenv knows where this shell is: a laptop, a codespace, an SSH host, and so on, and which ways of signing in
// that place allows. The places are rows of a table (places.go), and this file is what matches them.
//
// It looks at variables and at the existence of files, and asks nobody. What a caller does with a Place is its own affair.
package hostenv

import (
	"os"
	"runtime"
	"strings"
)

// Flows, as --flow names them.
const (
	PKCE   = "pkce"
	Device = "device"
)

// Ways for the redirect of a sign-in to reach this shell, and the device code, which needs none.
const (
	Loopback   = "loopback" // the browser runs here
	DeviceCode = "device"
)

// Place is where we are.
type Place struct {
	Name     string   // the row's name, such as "codespaces"; stable, for programs
	Flow     string   // PKCE or Device
	Reason   string   // why this flow, in one sentence without a full stop; names what was seen
	Remote   bool     // a browser, if there is one, runs on another machine or in another network
	Channels []string // the ways that exist here, best first
}

// Facts are what can be seen from here. Zero functions see nothing.
type Facts struct {
	Getenv func(string) string
	GOOS   string                 // as in runtime.GOOS; "" is this program's
	Exists func(path string) bool // follows links
}

// OS returns the facts of this machine, with variables looked up by getenv.
func OS(getenv func(string) string) Facts {
	return Facts{Getenv: getenv, GOOS: runtime.GOOS, Exists: func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	}}
}

// Detect returns the first place of the table that matches. There is always one.
func Detect(f Facts) Place {
	if f.Getenv == nil {
		f.Getenv = func(string) string { return "" }
	}
	if f.Exists == nil {
		f.Exists = func(string) bool { return false }
	}
	if f.GOOS == "" {
		f.GOOS = runtime.GOOS
	}
	for _, r := range rows {
		seen, ok := r.matches(f)
		if !ok {
			continue
		}
		p := Place{Name: r.name, Flow: r.flow, Reason: r.reason, Remote: r.remote}
		if seen != "" {
			p.Reason += " (" + seen + ")"
		}
		p.Channels = []string{DeviceCode}
		if r.flow == PKCE {
			p.Channels = []string{Loopback, DeviceCode}
		}
		return p
	}
	panic("hostenv: the last row must match everything") // TestLastRowMatches
}

// row is one place: it matches when one of its signs is seen, on one of its systems, and without any of the absent.
type row struct {
	name   string
	goos   string   // "" is any
	signs  []sign   // any of them; none is a match without a sign
	absent []string // variables all of which must be unset
	flow   string
	remote bool
	reason string
}

// sign is a variable or a file that gives a place away.
type sign struct {
	name  string // of a variable
	value string // it must have, in any case of letters; "" is any value but those that mean no
	file  string // or a file that must exist
}

func (r row) matches(f Facts) (seen string, ok bool) {
	if r.goos != "" && r.goos != f.GOOS {
		return "", false
	}
	for _, name := range r.absent {
		if f.Getenv(name) != "" {
			return "", false
		}
	}
	if len(r.signs) == 0 {
		return "", true
	}
	for _, s := range r.signs {
		if seen, ok := s.seen(f); ok {
			return seen, true
		}
	}
	return "", false
}

// seen returns what a reader of the reason is shown: a value only where the table itself names it.
func (s sign) seen(f Facts) (string, bool) {
	if s.file != "" {
		return s.file + " exists", f.Exists(s.file)
	}
	v := f.Getenv(s.name)
	if s.value != "" {
		return s.name + "=" + s.value, strings.EqualFold(v, s.value)
	}
	switch strings.ToLower(v) {
	case "", "0", "false", "no":
		return "", false
	}
	return s.name + " is set", true
}
