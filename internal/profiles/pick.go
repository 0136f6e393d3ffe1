package profiles

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/homing-cli/homing/internal/session"
)

// Account reports whether a run is about an account, as far as that can be told without its roles. What Exclude says
// is not looked at: a profile of an excluded account is not wanted, and that has to be known.
func (s Selection) Account(a session.Account) bool {
	p := newPicker(Options{Select: Selection{Accounts: s.Accounts}})
	return p.account(a).selected
}

// Match reports whether a run is about a grant.
func (s Selection) Match(g Grant) bool {
	p := newPicker(Options{Select: s})
	selected, _ := p.selects(g)
	return selected
}

// Unmatched returns the patterns that match none of grants.
func (s Selection) Unmatched(grants []Grant) []string {
	p := newPicker(Options{Select: s})
	for _, g := range grants {
		p.selects(g)
	}
	return p.unmatched()
}

// pattern is a glob in lower case.
type pattern struct {
	text    string // as it was written
	lower   string
	matched bool
}

// patterns are several, with those that are plain text found at once: somebody may list thousands of numbers.
type patterns struct {
	all   []*pattern
	plain map[string][]int
	globs []int
}

func newPatterns(texts []string) patterns {
	p := patterns{plain: map[string][]int{}}
	for i, text := range texts {
		lower := strings.ToLower(strings.TrimSpace(text))
		p.all = append(p.all, &pattern{text: text, lower: lower})
		if strings.ContainsAny(lower, "*?") {
			p.globs = append(p.globs, i)
		} else {
			p.plain[lower] = append(p.plain[lower], i)
		}
	}
	return p
}

// match reports whether one of them matches one of texts, which are in lower case. All are tried, so that those that
// never match are known. hits, where it is not nil, gets true at the place of each that matches.
func (p *patterns) match(hits []bool, texts ...string) bool {
	found := false
	hit := func(i int) {
		found, p.all[i].matched = true, true
		if hits != nil {
			hits[i] = true
		}
	}
	for _, text := range texts {
		if text == "" {
			continue
		}
		for _, i := range p.plain[text] {
			hit(i)
		}
		for _, i := range p.globs {
			if glob(p.all[i].lower, text) {
				hit(i)
			}
		}
	}
	return found
}

// picker applies the selection and the defaults. It remembers what it found out about an account and a role: there
// are many more grants.
type picker struct {
	accounts, roles patterns
	exclude, pairs  patterns // pairs are those of exclude with a "/" in them
	matches         patterns // of defaults
	defaults        []Default
	ofAccount       map[session.Account]*picked
	ofRole          map[string]*picked
}

// picked is what is known of an account or a role alone.
type picked struct {
	texts              []string // in lower case
	selected, excluded bool
	defaults           []bool // which match
}

func newPicker(o Options) *picker {
	pairs := slices.DeleteFunc(slices.Clone(o.Select.Exclude), func(s string) bool { return !strings.Contains(s, "/") })
	matches := make([]string, len(o.Defaults))
	for i, d := range o.Defaults {
		matches[i] = d.Match
	}
	return &picker{
		accounts: newPatterns(
			o.Select.Accounts,
		), roles: newPatterns(o.Select.Roles), exclude: newPatterns(o.Select.Exclude),
		pairs: newPatterns(pairs), matches: newPatterns(matches), defaults: o.Defaults,
		ofAccount: map[session.Account]*picked{}, ofRole: map[string]*picked{},
	}
}

func (p *picker) account(a session.Account) *picked {
	if p.ofAccount[a] == nil {
		p.ofAccount[a] = p.look(&p.accounts, a.ID, strings.ToLower(a.Name), strings.ToLower(a.Email))
	}
	return p.ofAccount[a]
}

func (p *picker) role(name string) *picked {
	if p.ofRole[name] == nil {
		p.ofRole[name] = p.look(&p.roles, strings.ToLower(name))
	}
	return p.ofRole[name]
}

func (p *picker) look(by *patterns, texts ...string) *picked {
	found := &picked{texts: texts, defaults: make([]bool, len(p.defaults))}
	found.selected = by.match(nil, texts...) || len(by.all) == 0
	found.excluded = p.exclude.match(nil, texts...)
	p.matches.match(found.defaults, texts...)
	return found
}

// selects reports whether a run is about g, and whether g is not wanted at all.
func (p *picker) selects(g Grant) (selected, excluded bool) {
	account, role := p.account(g.Account), p.role(g.Role)
	excluded = account.excluded || role.excluded
	if len(p.pairs.all) > 0 && p.pairs.match(nil, both(account, role)...) {
		excluded = true
	}
	return account.selected && role.selected && !excluded, excluded
}

// concerns reports whether a run is about a role that can no longer be used. Of an account that is gone the number
// alone is known: where accounts are selected by their names, the run is not about it.
func (p *picker) concerns(g Grant) bool {
	return p.account(g.Account).selected && p.role(g.Role).selected
}

// both are an account and a role as a pattern with a "/" sees them.
func both(account, role *picked) []string {
	texts := make([]string, 0, len(account.texts))
	for _, a := range account.texts {
		if a != "" {
			texts = append(texts, a+"/"+role.texts[0])
		}
	}
	return texts
}

// unmatched lists the patterns that match nothing.
func (p *picker) unmatched() []string {
	var none []string
	for _, list := range []patterns{p.accounts, p.roles, p.exclude} {
		for _, one := range list.all {
			in := func(pair *pattern) bool { return pair.matched && pair.text == one.text }
			if !one.matched && !slices.ContainsFunc(p.pairs.all, in) {
				none = append(none, one.text)
			}
		}
	}
	return none
}

// defaultsFor returns the region and the output that are set for a grant; "" where none is. profile is "" while it
// has no name.
func (p *picker) defaultsFor(g Grant, profile string) (region, output string) {
	if len(p.defaults) == 0 {
		return "", ""
	}
	account, role := p.account(g.Account), p.role(g.Role)
	profile = strings.ToLower(profile)
	var pairs []string
	for i, d := range p.defaults {
		if region != "" && output != "" {
			break
		}
		hit := account.defaults[i] || role.defaults[i]
		if lower := p.matches.all[i].lower; !hit {
			hit = profile != "" && glob(lower, profile)
			if !hit && strings.Contains(lower, "/") {
				if pairs == nil {
					pairs = both(account, role)
				}
				hit = slices.ContainsFunc(pairs, func(text string) bool { return glob(lower, text) })
			}
		}
		if hit && region == "" {
			region = d.Region
		}
		if hit && output == "" {
			output = d.Output
		}
	}
	return region, output
}

// glob reports whether the whole of text matches pattern: "*" is any text, "?" is one character, everything else is
// itself. Its time is at most the product of the two lengths.
func glob(pattern, text string) bool {
	next := func(j int) int {
		if text[j] < utf8.RuneSelf {
			return j + 1
		}
		_, size := utf8.DecodeRuneInString(text[j:])
		return j + size
	}
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(text) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, mark = i, j
			i++
		case i < len(pattern) && pattern[i] == '?':
			i, j = i+1, next(j)
		case i < len(pattern) && pattern[i] == text[j]:
			i, j = i+1, j+1
		case star >= 0:
			mark = next(mark)
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}
