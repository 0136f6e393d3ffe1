package hostenv

import (
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/session"
)

// row is one place. It matches if at least one sign of every group is seen, and none of the absent ones. A row holds
// all that is known about its place; nothing else in this package names a place.
type row struct {
	name  string // stable, for programs
	title string // with its article: it follows "this is"
	goos  string // "" is any

	signs  [][]sign // all known signs, so that a missing variable does not hide the place
	absent []sign

	flow    session.Flow // PKCE or Device
	remote  bool
	tunnels bool   // a desktop editor's window here forwards the port in redirect_uri, and makes the flow PKCE
	window  bool   // the reason says what the editor's window is
	unseen  bool   // the reason says that no window of the editor answers, even without signs of an editor
	why     string // the rest of the reason, after the title
	bare    bool   // the reason leaves the title out
	browser string // how one opens without an editor and $BROWSER; "" means not at all

	ways    []line   // before those that every place has; best first
	alone   bool     // has only its own ways
	origins []string // templates of the address that leads here; the first one with all names known counts

	certain certainty
	source  string // of what the row claims
	notes   string // for the page: what a reader may ask; "" is nothing
}

// certainty says how well a row is known: as well as its weakest claim.
type certainty string

const (
	observed   certainty = "observed"   // by us, on the real thing
	documented certainty = "documented" // by its maker, or in its source
	reported   certainty = "reported"   // by its users, in issues or in programs
	assumed    certainty = "assumed"    // common knowledge, not shown yet
)

// sign is one fact that identifies a place. Exactly one of name, file, window and headless is set.
type sign struct {
	name  string // a variable
	value string // of the variable, in any case; "" is any value except those that mean no
	holds string // or what its value contains

	file string // a file that exists
	text string // and contains this, in any case; "" is anything

	window   editor.Client // the editor's window answers as this client, or as any
	headless bool          // a system where programs draw through DISPLAY or WAYLAND_DISPLAY, with neither
}

const anyClient editor.Client = "any"

// vars returns a sign for each variable that only needs to be set.
func vars(names ...string) []sign {
	signs := make([]sign, len(names))
	for i, name := range names {
		signs[i] = sign{name: name}
	}
	return signs
}

// matches returns what was seen: the first sign of every group. The outcome is a sentence for --explain.
func (r row) matches(f Facts) (seen []string, ok bool, outcome string) {
	if r.goos != "" && r.goos != f.GOOS {
		return nil, false, "no: this is not " + r.goos
	}
	var all []string
	for _, group := range r.signs {
		found := false
		for _, s := range group {
			if what, ok := s.seen(f); ok {
				if all = append(all, what); !found {
					seen = append(seen, what)
				}
				found = true
			}
		}
		if !found {
			return nil, false, "no: " + missing(group)
		}
	}
	for _, s := range r.absent {
		if what, ok := s.seen(f); ok {
			return nil, false, "no: " + what
		}
	}
	if len(all) == 0 {
		return nil, true, "yes: nothing says otherwise"
	}
	return seen, true, "yes: " + strings.Join(all, "; ")
}

func missing(group []sign) string {
	var names []string
	for _, s := range group {
		names = append(names, s.String())
	}
	if len(names) == 1 {
		return "not seen: " + names[0]
	}
	return "none seen of " + strings.Join(names, ", ")
}

// seen reports whether s is there, in words without values other than those in the table.
func (s sign) seen(f Facts) (string, bool) {
	switch {
	case s.headless:
		return "neither DISPLAY nor WAYLAND_DISPLAY is set", !f.drawn() &&
			!slices.Contains([]string{"darwin", "windows", "ios", "android"}, f.GOOS)
	case s.window != "":
		return windowSeen(f), f.Window != nil && (s.window == anyClient || f.Window.Client == s.window)
	case s.file != "" && s.text != "":
		return s.file + " says " + s.text, strings.Contains(strings.ToLower(f.ReadFile(s.file)),
			strings.ToLower(s.text))
	case s.file != "":
		return s.file + " exists", f.Exists(s.file)
	}
	v, where := f.lookup(s.name)
	switch {
	case s.value != "":
		return s.name + "=" + s.value + where, strings.EqualFold(v, s.value)
	case s.holds != "":
		return s.name + " names " + s.holds + where, strings.Contains(v, s.holds)
	}
	switch strings.ToLower(v) {
	case "", "0", "false", "no":
		return "", false
	}
	return s.name + " is set" + where, true
}

// String names the sign, for --explain and the page.
func (s sign) String() string {
	switch {
	case s.headless:
		return "neither DISPLAY nor WAYLAND_DISPLAY"
	case s.window == editor.Desktop:
		return "an editor's window that answers as a desktop program"
	case s.window == editor.Web:
		return "an editor's window that answers from a browser"
	case s.window != "":
		return "an editor's window that answers"
	case s.text != "":
		return s.file + " that says " + s.text
	case s.file != "":
		return s.file
	case s.value != "":
		return s.name + "=" + s.value
	case s.holds != "":
		return s.name + " that names " + s.holds
	}
	return s.name
}
