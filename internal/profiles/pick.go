package profiles

import "strings"

// pattern is a glob in lower case.
type pattern struct {
	text    string // as it was written
	lower   string
	matched bool
}

func patterns(texts []string) []*pattern {
	all := make([]*pattern, len(texts))
	for i, t := range texts {
		all[i] = &pattern{text: t, lower: strings.ToLower(strings.TrimSpace(t))}
	}
	return all
}

// picker applies the selection and the defaults.
type picker struct {
	accounts, roles, exclude []*pattern
	defaults                 []Default
	matches                  []*pattern // of defaults
}

func newPicker(o Options) picker {
	p := picker{
		accounts: patterns(o.Select.Accounts), roles: patterns(o.Select.Roles), exclude: patterns(o.Select.Exclude), defaults: o.Defaults,
	}
	for _, d := range o.Defaults {
		p.matches = append(p.matches, patterns([]string{d.Match})...)
	}
	return p
}

// selects reports whether a run is about g, and whether g is not wanted at all. Every pattern is tried, so that the
// ones that never match are known.
func (p *picker) selects(g Grant) (selected, excluded bool) {
	s := subjectOf(g)
	account, role := len(p.accounts) == 0, len(p.roles) == 0
	for _, pattern := range p.accounts {
		if pattern.any(s.account[:]) {
			pattern.matched, account = true, true
		}
	}
	for _, pattern := range p.roles {
		if glob(pattern.lower, s.role) {
			pattern.matched, role = true, true
		}
	}
	for _, pattern := range p.exclude {
		if s.matches(pattern.lower) {
			pattern.matched, excluded = true, true
		}
	}
	return account && role && !excluded, excluded
}

// unmatched lists the patterns that selected nothing.
func (p *picker) unmatched() []string {
	var none []string
	for _, list := range [][]*pattern{p.accounts, p.roles, p.exclude} {
		for _, pattern := range list {
			if !pattern.matched {
				none = append(none, pattern.text)
			}
		}
	}
	return none
}

// defaultsFor returns the region and the output that are set for a grant; "" where none is. profile is "" while it has
// no name.
func (p *picker) defaultsFor(g Grant, profile string) (region, output string) {
	if len(p.defaults) == 0 {
		return "", ""
	}
	s := subjectOf(g)
	profile = strings.ToLower(profile)
	for i, d := range p.defaults {
		if region != "" && output != "" {
			break
		}
		if lower := p.matches[i].lower; s.matches(lower) || profile != "" && glob(lower, profile) {
			if region == "" {
				region = d.Region
			}
			if output == "" {
				output = d.Output
			}
		}
	}
	return region, output
}

// subject is what patterns are held against, in lower case.
type subject struct {
	account [3]string // number, name, email
	role    string
}

func subjectOf(g Grant) subject {
	return subject{
		[3]string{g.Account.ID, strings.ToLower(g.Account.Name), strings.ToLower(g.Account.Email)}, strings.ToLower(g.Role),
	}
}

// matches holds a pattern against the role, the account, and both with a "/" between them.
func (s *subject) matches(lower string) bool {
	if glob(lower, s.role) {
		return true
	}
	both := strings.Contains(lower, "/")
	for _, a := range s.account {
		if a != "" && (glob(lower, a) || both && glob(lower, a+"/"+s.role)) {
			return true
		}
	}
	return false
}

func (p *pattern) any(texts []string) bool {
	for _, t := range texts {
		if t != "" && glob(p.lower, t) {
			return true
		}
	}
	return false
}

// glob reports whether the whole of text matches pattern: "*" is any text, "?" is one character, everything else is
// itself. Its time is at most the product of the two lengths.
func glob(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}
