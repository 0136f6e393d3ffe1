package profiles

import (
	"fmt"
	"strings"

	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/session"
)

// write plans the profile of every want.
func (m *maker) write() {
	for _, w := range m.wants {
		switch {
		case !w.selected:
		case w.covered:
			m.add(
				Change{
					Kind:    Covered,
					Profile: w.profile,
					Grant:   w.Grant,
					Reason:  "a profile of yours is this one already",
				},
			)
		case w.has == nil:
			m.edit(w, m.keys(w), nil)
			m.add(Change{Kind: Add, Profile: w.profile, Grant: w.Grant, Reason: m.whyThisName(w)})
		case !w.has.intact:
			m.add(Change{Kind: Changed, Profile: w.profile, Grant: w.Grant, Reason: "you changed it"})
		case w.profile != w.has.Name:
			m.plan.Edits = append(m.plan.Edits,
				configedit.Edit{Section: section(w.has.Name), Remove: true, Owner: w.has.owner})
			m.edit(w, m.keys(w), nil)
			m.add(Change{Kind: Rename, Profile: w.profile, Was: w.has.Name, Grant: w.Grant})
		default:
			set, unset := difference(w.has.Profile, m.keys(w))
			c := Change{Kind: Keep, Profile: w.profile, Grant: w.Grant, Reason: m.whyThisName(w)}
			c.OldName = c.Reason != ""
			switch gone := w.has.owner != m.owner; {
			case gone:
				m.edit(w, set, unset) // with nothing to set, it gets the mark of its new owner
				c.Kind, c.Reason = Update, fmt.Sprintf(
					"session %q, which it was written for, is no longer in the file",
					w.has.owner,
				)
			case len(set)+len(unset) > 0:
				m.edit(w, set, unset)
				c.Kind, c.Reason = Update, changes(set, unset)
			}
			m.add(c)
		}
	}
}

func section(profile string) configedit.Section {
	return configedit.Section{Type: "profile", Name: profile}
}

func (m *maker) edit(w *want, set []configedit.KeyValue, unset []string) {
	m.plan.Edits = append(m.plan.Edits,
		configedit.Edit{Section: section(w.profile), Set: set, Unset: unset, Owner: m.owner})
}

func (m *maker) keys(w *want) []configedit.KeyValue {
	region, output := m.pick.defaultsFor(w.Grant, w.profile)
	return m.forms.keys(w.Grant, w.has, region, output)
}

// whyThisName says why a profile is not called what the template makes.
func (m *maker) whyThisName(w *want) string {
	switch {
	case w.profile == w.names[0]:
		return ""
	case w.has == nil && m.shared[strings.ToLower(w.names[0])] > 1:
		return w.names[0] + " would be the name of more than one role"
	case w.has == nil:
		return "the name " + w.names[0] + " is taken"
	case w.fits():
		return ""
	case m.o.Rename && m.sources[w.has.Name] != "":
		return "it keeps its name, because profile " + m.sources[w.has.Name] + " names it as source_profile"
	}
	return "it keeps its name; the template makes " + w.names[0]
}

// changes lists the keys of an update.
func changes(set []configedit.KeyValue, unset []string) string {
	text := ""
	for _, kv := range set {
		text += ", " + kv.Key
	}
	for _, key := range unset {
		text += ", " + key
	}
	return text[len(", "):]
}

// leftOver plans the managed profiles that stand for nothing that is wanted.
func (m *maker) leftOver() {
	for _, p := range m.mine {
		if p.stands {
			continue
		}
		account, known := m.accounts[p.access.account]
		if !known {
			account = session.Account{ID: p.access.account}
		}
		c := Change{Profile: p.Name, Grant: Grant{Account: account, Role: p.access.role}}
		c.Kind, c.Reason = m.fate(p, c.Grant)
		if c.Kind == Remove {
			m.plan.Edits = append(m.plan.Edits, configedit.Edit{Section: section(p.Name), Remove: true, Owner: p.owner})
		}
		m.add(c)
	}
}

// fate says what becomes of a managed profile that stands for no want.
func (m *maker) fate(p *present, g Grant) (Kind, string) {
	var why string
	switch w := m.all[p.access.key]; {
	case !p.intact:
		return Changed, "you changed it"
	case w == nil && m.unknown[p.access.account]:
		return Keep, "the roles of its account could not be listed"
	case w == nil && !m.pick.concerns(g):
		return Keep, "it is not selected"
	case p.owner != m.owner && (w == nil || w.excluded || w.selected):
		why = fmt.Sprintf("session %q, which it was written for, is no longer in the file", p.owner)
	case w == nil:
		why = "you can no longer use its role"
	case w.excluded:
		why = "it is excluded"
	case !w.selected:
		return Keep, "it is not selected"
	default:
		why = "another profile is for the same role"
	}
	switch {
	case !m.o.Prune:
		return Stale, why
	case len(m.all)+len(m.unknown) == 0:
		return Stale, why + "; as nothing at all was listed, nothing is removed"
	case m.sources[p.Name] != "":
		return Stale, why + "; it stays, because profile " + m.sources[p.Name] + " names it as source_profile"
	}
	return Remove, why
}
