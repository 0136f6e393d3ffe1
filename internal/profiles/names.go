package profiles

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/homing-cli/homing/internal/naming"
)

// levels is how many names there are for a grant: what the template makes; with the account's number behind it; with
// number and role; with number and a hash.
const levels = 4

type namer struct {
	template *naming.Template
	session  string
}

func newNamer(o Options) (namer, error) {
	t, err := naming.Parse(o.Template)
	return namer{template: t, session: o.Session.Name}, err
}

// names returns the names for a grant, the best first. They depend on the grant alone.
func (n namer) names(g Grant, region string) [levels]string {
	base, err := n.template.Name(naming.Fields{
		AccountName: g.Account.Name, AccountID: g.Account.ID, AccountEmail: g.Account.Email, RoleName: g.Role,
		Session: n.session, Region: region,
	})
	if err != nil { // the template makes nothing of this account, which is no reason to leave it without a profile
		base = g.Account.ID + "-" + naming.Clean(g.Role)
	}
	numbered := base + "-" + g.Account.ID
	sum := sha256.Sum256([]byte(g.Account.ID + "/" + g.Role))
	return [levels]string{
		base,
		numbered,
		strings.TrimRight(numbered+"-"+naming.Clean(g.Role), "-"),
		numbered + "-" + hex.EncodeToString(sum[:4]),
	}
}

// name gives every want its profile.
//
// A managed profile keeps its name, so that no account that comes or goes changes the name of another one. Names are
// compared in lower case. Of the grants that are left, those whose name nobody else would have get it; all others,
// both of two with the same name, get the next longer one.
func (m *maker) name() {
	var counts [levels]map[string]int
	for l := range counts {
		counts[l] = make(map[string]int, len(m.wants))
	}
	for _, w := range m.wants {
		region, _ := m.pick.defaultsFor(w.Grant, "")
		w.names = m.namer.names(w.Grant, region)
		for l, name := range w.names {
			counts[l][strings.ToLower(name)]++
		}
	}
	m.shared = counts[0]
	m.stand()
	var open []*want
	for _, w := range m.wants {
		switch {
		case !w.selected:
		case w.has != nil && !m.renames(w):
			w.profile = w.has.Name
		case w.has == nil && m.cover(w):
		default:
			open = append(open, w)
		}
	}
	for l := range levels {
		left := open[:0]
		for _, w := range open {
			name := w.names[l]
			lower := strings.ToLower(name)
			own := w.has != nil && strings.ToLower(w.has.Name) == lower // another spelling of the present name
			switch {
			case counts[l][lower] == 1 && (!m.taken[lower] || own):
				w.profile, m.taken[lower] = name, true
			default:
				left = append(left, w)
			}
		}
		open = left
	}
	for _, w := range open { // the name with the hash is taken too: somebody plays a game
		for n := 2; w.profile == ""; n++ {
			if name := w.names[levels-1] + "-" + strconv.Itoa(n); !m.taken[strings.ToLower(name)] {
				w.profile, m.taken[strings.ToLower(name)] = name, true
			}
		}
	}
}

// stand finds the managed profile for each want: one of this owner before one of a session that is gone, which is
// taken over; an intact one before a changed one, one with the best name before the others, the first by name.
func (m *maker) stand() {
	rank := func(w *want, p *present) int {
		r := 0
		if !p.intact {
			r += 2
		}
		if p.owner != m.owner {
			r += 4
		}
		if p.Name != w.names[0] {
			r++
		}
		return r
	}
	for _, p := range m.mine { // sorted by name
		w := m.all[p.access.key]
		if w == nil || !w.selected || !p.access.direct {
			continue
		}
		if w.has == nil || rank(w, p) < rank(w, w.has) {
			w.has = p
		}
	}
	for _, w := range m.wants {
		if w.has != nil {
			w.has.stands = true
		}
	}
}

// fits reports whether the name of the profile that stands for w is one that the template makes.
func (w *want) fits() bool {
	for _, name := range w.names {
		if w.has.Name == name {
			return true
		}
	}
	n, ok := strings.CutPrefix(w.has.Name, w.names[levels-1]+"-")
	_, err := strconv.Atoi(n)
	return ok && err == nil
}

// renames reports whether the profile that stands for w gets a new name.
func (m *maker) renames(w *want) bool {
	return m.o.Rename && w.has.intact && !w.fits() && m.sources[w.has.Name] == ""
}

// cover looks for a profile that a person wrote for this grant under one of its names. It counts under the longer
// ones too: whether the short one is free changes from run to run.
func (m *maker) cover(w *want) bool {
	for _, name := range w.names {
		for _, a := range m.people[strings.ToLower(name)] {
			if a.direct && a.ours && a.key == w.key() {
				w.profile, w.covered = a.profile, true
				return true
			}
		}
	}
	return false
}
