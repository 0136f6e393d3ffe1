// Package profiles decides which profiles ~/.aws/config should hold for the accounts and roles a person may use, as
// the difference to what it holds.
//
// It reads no file and asks no service: Make takes both answers and returns edits for internal/awsconfig. The one
// rule: a profile that a person wrote or changed is never in the edits. See docs/adr/0019-profiles-of-a-session.md.
package profiles

import (
	"cmp"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// Grant is a role in an account that the person may use.
type Grant struct {
	Account session.Account
	Role    string
}

// Form is how a profile gets its credentials.
type Form string

// The forms of a profile.
const (
	FormSession Form = "sso-session"        // names an [sso-session]: read by the AWS CLI and every current SDK
	FormLegacy  Form = "legacy"             // holds the start URL itself: for programs without sso-session support
	FormProcess Form = "credential_process" // runs homing: for programs that do not support Identity Center
)

// Options say which profiles are wanted, and how they are written.
type Options struct {
	Session  session.Session // whose profiles; its name, else its start URL, is the owner in the mark above each
	Template string          // of the names, see internal/naming; "" is naming.Default
	// "" leaves a profile its form; a new one gets FormSession, or FormLegacy for a legacy session.
	Form     Form
	Select   Selection
	Defaults []Default // for each key the first one that matches and has it; what none has stays as it is
	Prune    bool      // remove intact managed profiles of roles that can no longer be used or are excluded
	Rename   bool      // give a new name to intact managed profiles whose name the template no longer makes
	Program  string    // the absolute path of homing, for FormProcess
	Unknown  []string  // the accounts, by number, whose roles could not be listed: nothing of theirs is removed
	// More names that are not free: awsconfig.Config.CredentialsNames, where Make gets a config without them.
	Taken []string
}

// Selection says which accounts and roles a run is about. The zero value is all. A pattern matches whole words in any
// letter case; "*" stands for any text and "?" for one character.
type Selection struct {
	Accounts []string // number, name or email; none is all
	Roles    []string // none is all
	// Role, account, or account/role such as "sandbox-*/Admin": not wanted, whatever the other two say.
	Exclude []string
}

// Default sets keys of the profiles that Match matches: account, role, account/role, or the name of the profile.
type Default struct{ Match, Region, Output string }

// Kind is what happens to a profile.
type Kind string

// The kinds of a Change. Those of the first four come with an edit.
const (
	Add     Kind = "add"
	Update  Kind = "update"
	Rename  Kind = "rename"
	Remove  Kind = "remove"
	Keep    Kind = "keep"    // it is as it should be, or this run is not about it
	Covered Kind = "covered" // a profile that a person wrote is what is wanted, name and all
	Changed Kind = "changed" // a managed profile that a person has changed: left alone
	Stale   Kind = "stale"   // a managed profile that nothing stands for any more, and that is not removed
	Skipped Kind = "skipped" // an account or role that no profile can be written for
)

// Change says what happens to one profile, and why where that is not plain.
type Change struct {
	Kind    Kind
	OldName bool   // for Keep: the template makes another name by now, Reason says which
	Profile string // its name; "" for Skipped
	Was     string // its name until now, for Rename
	Reason  string // half a sentence for a person; may be empty
	Grant   Grant  // what it stands for; the account's name and email are empty where it is no longer known
}

// Plan is the difference between the config file and what it should hold.
type Plan struct {
	Edits     []configedit.Edit // for configedit.Update; none when nothing is to be done
	Changes   []Change          // first what is wanted, by account and role, then what is in the way or left over
	Unmatched []string          // patterns of the selection that match nothing that the person may use
}

// Empty reports whether the file is as it should be.
func (p Plan) Empty() bool { return len(p.Edits) == 0 }

// Count returns how many changes are of a kind.
func (p Plan) Count(k Kind) int {
	n := 0
	for _, c := range p.Changes {
		if c.Kind == k {
			n++
		}
	}
	return n
}

// Make plans. grants are all that the person may use, selected or not, in any order: two accounts of one name are
// told apart by what is there, not by what is selected, and what is not there counts as lost. The plan depends on
// cfg, grants and options alone. After its edits another one with the same grants and options is empty.
//
// Errors are *fault.Error: of kind Usage for a template or an option that does not fit, of kind Config for a file
// that the AWS CLI cannot load or that has another session of this name.
func Make(cfg *awsconfig.Config, grants []Grant, o Options) (Plan, error) {
	m, err := newMaker(cfg, o)
	if err != nil {
		return Plan{}, err
	}
	m.present()
	m.wanted(grants)
	m.name()
	m.write()
	m.leftOver()
	return m.plan, nil
}

// maker is one Make.
type maker struct {
	cfg   *awsconfig.Config
	o     Options
	owner string
	forms forms
	namer namer
	pick  *picker

	mine    []*present          // managed profiles of this owner, and intact ones of sessions that are gone
	people  map[string][]access // what the other profiles of a name, in lower case, give access to
	taken   map[string]bool     // names in lower case that are not free
	shared  map[string]int      // how many grants the template gives a name, in lower case
	sources map[string]string   // a profile that another one names as its source_profile: the other one

	accounts map[string]session.Account // by number, those that have a role that can be used
	unknown  map[string]bool            // Options.Unknown

	all   map[key]*want
	wants []*want // in the order of the plan
	plan  Plan
}

// key tells grants apart.
type key struct{ account, role string }

// want is a grant and the profile for it.
type want struct {
	Grant
	names    [levels]string
	profile  string   // its name, once that is known
	has      *present // the managed profile that stands for it already
	covered  bool     // by a profile that a person wrote
	selected bool
	excluded bool
}

func (w *want) key() key { return key{w.Account.ID, w.Role} }

// present is a managed profile of the file.
type present struct {
	awsconfig.Profile
	access access
	owner  string // in its mark: of this run, or of a session that is gone
	intact bool
	stands bool // for a want
}

// wanted takes the grants over: each once, sorted, selected.
func (m *maker) wanted(grants []Grant) {
	grants = slices.Clone(grants)
	slices.SortFunc(grants, func(a, b Grant) int { // what the portal's order is must not matter
		return cmp.Or(strings.Compare(strings.ToLower(a.Account.Name), strings.ToLower(b.Account.Name)),
			strings.Compare(a.Account.ID, b.Account.ID), strings.Compare(a.Role, b.Role),
			strings.Compare(a.Account.Name, b.Account.Name), strings.Compare(a.Account.Email, b.Account.Email))
	})
	m.all, m.accounts = make(map[key]*want, len(grants)), make(map[string]session.Account)
	for _, g := range grants {
		w := &want{Grant: g}
		if m.all[w.key()] != nil {
			continue
		}
		m.all[w.key()], m.accounts[g.Account.ID] = w, g.Account
		w.selected, w.excluded = m.pick.selects(g)
		if why := impossible(g); why != "" {
			if w.selected {
				m.add(Change{Kind: Skipped, Reason: why, Grant: g})
			}
			w.selected = false
			continue
		}
		m.wants = append(m.wants, w)
	}
	m.plan.Unmatched = m.pick.unmatched()
}

func (m *maker) add(c Change) { m.plan.Changes = append(m.plan.Changes, c) }

// impossible says why no profile can be written for a grant; "" when one can. What the service hands out passes.
func impossible(g Grant) string {
	digits := func(r rune) bool { return '0' <= r && r <= '9' }
	if n := len(g.Account.ID); n == 0 || n > 20 ||
		strings.ContainsFunc(g.Account.ID, func(r rune) bool { return !digits(r) }) {
		return "the number of the account is not one"
	}
	bad := func(r rune) bool { // the pattern of permission sets is [\w+=,.@-]+, 32 characters at most
		return !digits(r) && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune("_+=,.@-", r)
	}
	if n := len(g.Role); n == 0 || n > 64 || strings.ContainsFunc(g.Role, bad) {
		return "the name of the role has characters in it that no role has"
	}
	return ""
}

// newMaker checks what Make is given.
func newMaker(cfg *awsconfig.Config, o Options) (*maker, error) {
	if err := cfg.CLIError(); err != nil {
		return nil, err
	}
	m := &maker{cfg: cfg, o: o, owner: o.Session.CacheKey(), unknown: make(map[string]bool, len(o.Unknown))}
	for _, id := range o.Unknown {
		m.unknown[id] = true
	}
	if m.owner == "" {
		return nil, fault.New(fault.Usage, "name a session: --sso-session NAME",
			"there is no session to make profiles for")
	}
	var err error
	if m.namer, err = newNamer(o); err != nil {
		return nil, err
	}
	m.pick = newPicker(o)
	m.forms, err = newForms(cfg, o)
	return m, err
}
