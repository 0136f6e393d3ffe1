package testtools

import "testing"

// Ruby returns a ruby that finds the AWS SDK for Ruby, both from Debian's packages in a folder of their own. It
// changes no environment variable and has no RubyGems.
func Ruby(t testing.TB) string {
	t.Helper()
	return tool(t, "the AWS SDK for Ruby", "ruby", "ruby")
}
