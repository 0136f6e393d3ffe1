package settings

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/BurntSushi/toml"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/naming"
	"github.com/homing-cli/homing/internal/plain"
)

// Profiles are the settings for the profiles of a session: [profiles] in config.toml, [session.NAME.profiles] for one
// session, [profiles] in a file that a team shares.
type Profiles struct {
	Template Value[string]     // of names, see internal/naming
	Form     Value[string]     // FormSession, FormLegacy or FormProcess; never from a team's file
	Accounts Value[[]string]   // patterns of numbers, names, emails
	Roles    Value[[]string]   // patterns
	Exclude  Value[[]string]   // patterns of roles, accounts, account/role
	Defaults []ProfileDefaults // strongest first: for each key the first one that matches and has it
}

// The forms that a setting can name.
const (
	FormSession = "sso-session"
	FormLegacy  = "legacy"
	FormProcess = "credential_process"
)

// ProfileDefaults are the region and the output of the profiles that Match matches: an account, a role, account/role,
// or a profile's name. Region and output of a whole table are the last of its defaults, with Match "*".
type ProfileDefaults struct {
	Match  string
	Region Value[string]
	Output Value[string]
}

// Over returns p laid over weaker, key by key; of the defaults all count, those of p first.
func (p Profiles) Over(weaker Profiles) Profiles {
	return Profiles{
		Template: p.Template.over(weaker.Template), Form: p.Form.over(weaker.Form),
		Accounts: p.Accounts.over(
			weaker.Accounts,
		), Roles: p.Roles.over(weaker.Roles), Exclude: p.Exclude.over(weaker.Exclude),
		Defaults: slices.Concat(p.Defaults, weaker.Defaults),
	}
}

var (
	profileKeys = []string{"template", "accounts", "roles", "exclude", "region", "output", "defaults"}
	defaultKeys = []string{"match", "region", "output"}
)

// What a file may hold. A team's file comes from the web: its patterns are tried on thousands of accounts.
const (
	maxTeam     = 256 << 10
	maxList     = 2000
	maxPattern  = 256
	maxDefaults = 200
)

// profiles reads the table at key "profiles". A table that is missing sets nothing.
func (t *table) profiles(known ...string) (p Profiles, err error) {
	raw, ok := t.keys["profiles"]
	if !ok {
		return p, nil
	}
	sub := &table{file: t.file, meta: t.meta, prefix: t.prefix + "profiles."}
	if err := t.meta.PrimitiveDecode(raw, &sub.keys); err != nil || sub.keys == nil {
		return p, fileFault(t.file, t.line("profiles"), err, "%s takes a table: [%s]", shown(t.prefix+"profiles"),
			shown(t.prefix+"profiles"))
	}
	if err := sub.check(slices.Concat(profileKeys, known)); err != nil {
		return p, err
	}
	if p.Template, err = sub.template(); err != nil {
		return Profiles{}, err
	}
	if p.Form, err = decode(sub, "form", `"sso-session", "legacy" or "credential_process"`, func(s string) bool {
		return s == FormSession || s == FormLegacy || s == FormProcess
	}); err != nil {
		return Profiles{}, err
	}
	for _, list := range []struct {
		key string
		to  *Value[[]string]
		// In one order: of several mistakes the same one is told every time.
	}{{"accounts", &p.Accounts}, {"roles", &p.Roles}, {"exclude", &p.Exclude}} {
		if *list.to, err = sub.patterns(list.key); err != nil {
			return Profiles{}, err
		}
	}
	if p.Defaults, err = sub.defaults(); err != nil {
		return Profiles{}, err
	}
	return p, nil
}

// template reads the template, and sees to it that it can be used.
func (t *table) template() (Value[string], error) {
	v, err := decode(t, "template", "a template such as "+naming.Default, func(string) bool { return true })
	if err != nil || !v.IsSet() {
		return v, err
	}
	if _, err := naming.Parse(v.Value); err != nil {
		return Value[string]{}, &fault.Error{
			Kind: fault.Config, Msg: at(t.file, v.Line) + ": " + plain.Line(err.Error(), 200),
			Remedy: fault.RemedyOf(err), Err: err,
		}
	}
	return v, nil
}

func (t *table) patterns(key string) (Value[[]string], error) {
	takes := fmt.Sprintf(`a list of patterns such as ["prod-*"], at most %d of at most %d characters`, maxList,
		maxPattern)
	return decode(t, key, takes, func(list []string) bool {
		return len(list) <= maxList && !slices.ContainsFunc(list, func(p string) bool { return !isPattern(p) })
	})
}

// defaults reads [[profiles.defaults]], and region and output of the table itself as the last of them.
func (t *table) defaults() (all []ProfileDefaults, err error) {
	const takes = `[[%sdefaults]] takes match, and region or output or both`
	if raw, ok := t.keys["defaults"]; ok {
		var entries []map[string]toml.Primitive
		if err := t.meta.PrimitiveDecode(raw, &entries); err != nil {
			return nil, fileFault(t.file, t.line("defaults"), err, takes, t.prefix)
		}
		if len(entries) > maxDefaults {
			return nil, fileFault(t.file, t.line("defaults"), nil, "more than %d defaults", maxDefaults)
		}
		for _, keys := range entries {
			sub := &table{file: t.file, meta: t.meta, keys: keys, prefix: t.prefix + "defaults."}
			if err := sub.check(defaultKeys); err != nil {
				return nil, err
			}
			d, err := sub.entry()
			if err != nil {
				return nil, err
			}
			if d.Match == "" || !d.Region.IsSet() && !d.Output.IsSet() {
				return nil, fileFault(t.file, sub.firstLine(), nil, takes, t.prefix)
			}
			all = append(all, d)
		}
	}
	d, err := t.entry()
	if err != nil {
		return nil, err
	}
	if d.Region.IsSet() || d.Output.IsSet() {
		d.Match = "*"
		all = append(all, d)
	}
	return all, nil
}

// entry reads match, region and output.
func (t *table) entry() (d ProfileDefaults, err error) {
	match, err := decode(t, "match", `a pattern such as "prod-*"`, isPattern)
	if err != nil {
		return d, err
	}
	d.Match = match.Value
	if d.Region, err = decode(t, "region", "a region such as eu-west-1", IsRegion); err != nil {
		return d, err
	}
	d.Output, err = decode(t, "output", "an output: "+strings.Join(Outputs(), ", "), isOutput)
	return d, err
}

// firstLine returns the line of the first key of the table, 0 when it has none.
func (t *table) firstLine() int {
	first := 0
	for key := range t.keys {
		if n := t.line(key); n > 0 && (first == 0 || n < first) {
			first = n
		}
	}
	return first
}

func isPattern(s string) bool { return s != "" && len(s) <= maxPattern && utf8.ValidString(s) }

// IsRegion accepts what the names of regions look like in every partition: us-east-1, us-gov-west-1, eusc-de-east-1,
// us-isob-east-1. SDKs put a region into the names of hosts, so that one with a dot or a slash in it would send
// requests elsewhere.
func IsRegion(s string) bool {
	words := strings.Split(s, "-")
	if len(words) < 3 || len(words) > 4 || len(s) > 32 || len(words[0]) < 2 || len(words[0]) > 4 {
		return false
	}
	for i, word := range words {
		digits := i == len(words)-1
		if word == "" || strings.ContainsFunc(word, func(r rune) bool {
			return digits && (r < '0' || r > '9') || !digits && (r < 'a' || r > 'z')
		}) {
			return false
		}
	}
	return true
}

// Outputs are what the AWS CLI 2.38 understands as output.
func Outputs() []string { return []string{"json", "text", "table", "yaml", "yaml-stream", "off"} }

func isOutput(s string) bool { return slices.Contains(Outputs(), s) }

// notFromTeams says why keys that mean something elsewhere are refused in a team's file. Whatever is not known is
// refused as well.
var notFromTeams = map[string]string{
	"form": "how profiles get their credentials is yours to say: a credential_process would run what " +
		"somebody else wrote",
	"credential_process": "it would run what somebody else wrote",
	"program":            "it would run what somebody else wrote",
	"session":            "which sessions there are is yours to say",
	"sso_session":        "which session to sign in to is yours to say",
	"sso_start_url":      "where to sign in is yours to say",
	"sso_region":         "where to sign in is yours to say",
	"endpoint_url":       "it would send requests elsewhere",
	"services":           "it would send requests elsewhere",
	"ca_bundle":          "it would decide which certificates are trusted",
	"role_arn":           "it would decide which role is assumed",
	"source_profile":     "it would decide which role is assumed",
	"flow":               "how to sign in is yours to say",
	"no_browser":         "how to sign in is yours to say",
	"redirect_port":      "how to sign in is yours to say",
	"keep_fresh":         "how to sign in is yours to say",
	"prune":              "what is removed is yours to say",
	"rename":             "what is renamed is yours to say",
}

// Team reads a file that a team shares, which may come from the web: [profiles] with template, accounts, roles,
// exclude, region, output and defaults. Nothing that runs a program, signs in elsewhere or sends requests elsewhere
// can stand in it, and what is not known is refused, with its line. name is what messages call the file.
func Team(name string, r io.Reader) (Profiles, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxTeam+1))
	switch {
	case err != nil:
		return Profiles{}, teamFault(fileFault(name, 0, err, "cannot be read: %v", cause(err)))
	case len(data) > maxTeam:
		return Profiles{}, teamFault(fileFault(name, 0, nil, "is larger than %d KiB", maxTeam>>10))
	}
	t, err := parse(name, data)
	if err != nil {
		return Profiles{}, teamFault(err)
	}
	if err := t.notFromTeams(); err != nil {
		return Profiles{}, err
	}
	if _, ok := t.keys["profiles"]; !ok && len(t.keys) > 0 {
		for _, key := range sortedKeys(t.keys) {
			if slices.Contains(profileKeys, key) {
				err := fileFault(name, t.line(key), nil, "%s stands outside of [profiles]", key)
				err.Remedy = fault.Advice("put the line [profiles] above it")
				return Profiles{}, err
			}
		}
	}
	if err := t.check(nil, "profiles"); err != nil {
		return Profiles{}, teamFault(err)
	}
	p, err := t.profiles()
	if err != nil {
		return Profiles{}, teamFault(err)
	}
	return p, nil
}

// notFromTeams refuses, with the reason, what a team's file must not say: at its top, in [profiles], in its defaults.
func (t *table) notFromTeams() error {
	tables := []*table{t}
	if raw, ok := t.keys["profiles"]; ok {
		sub := &table{file: t.file, meta: t.meta, prefix: "profiles."}
		if t.meta.PrimitiveDecode(raw, &sub.keys) == nil && sub.keys != nil {
			tables = append(tables, sub)
			var entries []map[string]toml.Primitive
			if raw, ok := sub.keys["defaults"]; ok && t.meta.PrimitiveDecode(raw, &entries) == nil {
				for _, keys := range entries {
					tables = append(tables,
						&table{file: t.file, meta: t.meta, keys: keys, prefix: "profiles.defaults."})
				}
			}
		}
	}
	for _, table := range tables {
		for _, key := range sortedKeys(table.keys) {
			if why := notFromTeams[strings.ReplaceAll(strings.ToLower(key), "-", "_")]; why != "" {
				err := fileFault(t.file, table.line(key), nil, "%s is not taken from a team's file: %s",
					shown(table.prefix+key), why)
				err.Remedy = fault.Advice("remove the line from the team's file, or set it in your own config.toml")
				return err
			}
		}
	}
	return nil
}

func sortedKeys(keys map[string]toml.Primitive) []string {
	names := make([]string, 0, len(keys))
	for name := range keys {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// teamFault turns the remedy of err to whoever can act on it: the file may not be on this machine.
func teamFault(err error) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	if _, correct := f.Remedy.(fault.Correct); correct {
		f.Remedy = fault.Advice("tell who keeps the team's file; without --from your own settings count")
	}
	return err
}
