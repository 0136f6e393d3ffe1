package profiles

import (
	"path"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/session"
)

// access is what a profile gives access to.
type access struct {
	key
	profile string // its name
	form    Form
	direct  bool   // by itself; false for a profile that assumes another role, has keys, or is no SSO profile at all
	session string // the sso-session that it names; "" for form legacy
	ours    bool   // by the session in question, or the same start URL where one of the two is legacy
}

// reader understands profiles.
type reader struct{ session session.Session }

// read says what a profile gives access to.
func (r reader) read(p awsconfig.Profile) access {
	if p.Get("role_arn") != "" || p.Get("aws_access_key_id") != "" {
		return access{}
	}
	name, url := p.Get(keySession), p.Get(keyURL)
	process := p.Get(keyProcess)
	switch {
	case name != "" || url != "":
		a := access{form: FormLegacy, key: key{p.Get(keyAccount), p.Get(keyRole)}, session: name}
		if name != "" {
			a.form = FormSession
		}
		a.direct = a.account != "" && a.role != ""
		// Two sessions of one start URL are two sign-ins, maybe of two people.
		a.ours = name != "" && name == r.session.Name || name == "" && samePortal(url, r.session.StartURL)
		return a
	case process != "":
		return r.readProcess(process)
	}
	return access{}
}

// samePortal compares start URLs as addresses: "/" and "#" at the end say nothing.
func samePortal(a, b string) bool {
	return a != "" && strings.EqualFold(strings.TrimRight(a, "/#"), strings.TrimRight(b, "/#"))
}

// readProcess understands a credential_process that runs homing with a session, an account and a role.
func (r reader) readProcess(line string) access {
	words := split(line)
	if len(words) < 2 || words[1] != "credentials" {
		return access{}
	}
	program := strings.ToLower(path.Base(strings.ReplaceAll(words[0], `\`, "/")))
	if strings.TrimSuffix(program, ".exe") != "homing" {
		return access{}
	}
	flags := map[string]string{}
	for i := 2; i < len(words); i++ {
		flag, value, ok := strings.Cut(words[i], "=")
		if !ok && i+1 < len(words) {
			i++
			value = words[i]
		}
		flags[flag] = value
	}
	a := access{form: FormProcess, key: key{flags["--account-id"], flags["--role-name"]}}
	a.session = flags["--sso-session"]
	a.direct = a.account != "" && a.role != "" && a.session != ""
	a.ours = a.session != "" && a.session == r.session.Name
	return a
}

// split takes a command line apart as a shell does; nil where it has no end.
func split(line string) []string {
	var words []string
	var word strings.Builder
	in, quote, windows := false, rune(0), windowsPath(strings.TrimLeft(line, `"`))
	escaped := false
	for _, r := range line {
		switch {
		case escaped:
			word.WriteRune(r)
			escaped = false
		case r == '\\' && quote != '\'' && !windows:
			in, escaped = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'' && !windows:
			in, quote = true, r
		case r == ' ' || r == '\t':
			if in {
				words = append(words, word.String())
			}
			word.Reset()
			in = false
		default:
			in = true
			word.WriteRune(r)
		}
	}
	if quote != 0 || escaped {
		return nil
	}
	if in {
		words = append(words, word.String())
	}
	return words
}

// present reads the profiles of the file.
func (m *maker) present() {
	marks := m.cfg.Marks()
	r := reader{m.o.Session}
	m.people, m.taken, m.sources = map[string][]access{}, map[string]bool{}, map[string]string{}
	for p := range m.cfg.Profiles() {
		if source := p.Get("source_profile"); source != "" && source != p.Name {
			m.sources[source] = p.Name
		}
		a := r.read(p)
		a.profile = p.Name
		if mark, ok := marks[p.Name]; ok && (mark.Owner == m.owner || m.orphan(mark, a)) {
			m.mine = append(m.mine, &present{Profile: p, access: a, owner: mark.Owner, intact: mark.Intact})
			continue
		}
		lower := strings.ToLower(p.Name)
		m.people[lower] = append(m.people[lower], a)
	}
	slices.SortFunc(m.mine, func(a, b *present) int { return strings.Compare(a.Name, b.Name) })
	for _, name := range slices.Concat(m.cfg.ProfileNamesInUse(), m.o.Taken, []string{"default"}) {
		m.taken[strings.ToLower(name)] = true
	}
}

// orphan reports whether a managed profile, as it was written, belongs to a session that the file no longer has: one
// that was renamed or removed. Nobody else would ever look after it. One of form legacy needs no session, so it has
// to be of the same start URL.
func (m *maker) orphan(mark awsconfig.Mark, a access) bool {
	if !mark.Intact || !a.direct || strings.Contains(mark.Owner, "://") ||
		slices.Contains(m.cfg.SessionNames(), mark.Owner) {
		return false
	}
	return a.session == mark.Owner || a.session == "" && a.ours
}

// Covering returns the profiles that give access to each account and role of a session, by account number and role,
// in the order of the file. Only those count that do so by themselves, whoever wrote them and in whatever form: by
// the session's name, also in a credential_process that runs homing, or as a legacy profile by its start URL.
func Covering(cfg *awsconfig.Config, s session.Session) map[[2]string][]string {
	found := map[[2]string][]string{}
	r := reader{s}
	for p := range cfg.Profiles() {
		if a := r.read(p); a.direct && a.ours {
			k := [2]string{a.account, a.role}
			found[k] = append(found[k], p.Name)
		}
	}
	return found
}
