package awsconfig

import "iter"

// Profiles returns every profile, in the order of ProfileNames. It is for the callers that look at all of them: each is
// found in an index, which Profile does not build.
func (c *Config) Profiles() iter.Seq[Profile] {
	return func(yield func(Profile) bool) {
		find := c.indexed(kindProfile)
		for _, name := range c.ProfileNames() {
			if p, ok := find(name); ok && !yield(p) {
				return
			}
		}
	}
}

// SessionSection returns the keys of the [sso-session] of that name, whatever they are worth: see Session for the
// checked values.
func (c *Config) SessionSection(name string) (Profile, bool) { return c.sessionSection(name) }
