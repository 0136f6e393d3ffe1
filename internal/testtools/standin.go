package testtools

import "testing"

// PortalStandin returns the program interop/standin as `make setup` compiled it with winterbaume-sso: an access
// portal by other people, on loopback. Its source says how it is spoken to.
func PortalStandin(t testing.TB) string {
	t.Helper()
	return tool(t, "the access portal of winterbaume-sso", "standin", "standin")
}
