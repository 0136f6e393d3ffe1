package awsconfig

import (
	"iter"
	"slices"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
)

// Profiles returns the profiles of the config file in its order, each with what its own sections say: nothing that
// [DEFAULT] hands down, and nothing of the credentials file. It is for the callers that look at all of them: each is
// found in an index, which Profile does not build.
func (c *Config) Profiles() iter.Seq[Profile] {
	return func(yield func(Profile) bool) {
		index := c.index()
		for _, name := range c.ProfileNames() {
			parts := slices.DeleteFunc(slices.Clone(index[sectionKey{grammar.KindProfile, name}]), func(p part) bool {
				return p.file.credentials || !c.sdk && p.section.Name == grammar.DefaultSection
			})
			if p, ok := read(name, parts); ok && !yield(p) {
				return
			}
		}
	}
}

// SessionSection returns the keys of the [sso-session] of that name, whatever they are worth: see Session for the
// checked values.
func (c *Config) SessionSection(name string) (Profile, bool) { return c.sessionSection(name) }

// ProfileNamesInUse lists the names that are not free for a new profile, each once: those of the profiles that either
// rule set finds in either file.
func (c *Config) ProfileNamesInUse() []string {
	names := c.ProfileNames()
	seen := set(names)
	for i := range c.files {
		f := &c.files[i]
		if f.cli == nil {
			continue
		}
		other := grammar.ParseSDK(f.cli.Text)
		for j := range other.Sections {
			header := other.Sections[j].Name
			kind, name, ok := grammar.SdkID(header)
			if f.credentials {
				kind, name, ok = grammar.KindProfile, header, true
			}
			if ok && kind == grammar.KindProfile && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// CredentialsNames lists the profiles that the credentials file holds, in its order. Some programs let their keys
// there win over what the config file says under the same name.
func (c *Config) CredentialsNames() []string {
	var names []string
	f, seen := &c.files[1], make(map[string]bool)
	for i := range f.read.Sections {
		if kind, name, ok := c.id(f, f.read.Sections[i].Name); ok && kind == grammar.KindProfile && !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names
}
