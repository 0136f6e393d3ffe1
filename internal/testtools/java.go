package testtools

import "testing"

// JavaClient returns the program interop/java as `make setup` compiled it with the AWS SDK for Java.
func JavaClient(t testing.TB) string {
	t.Helper()
	return tool(t, "the AWS SDK for Java", "java", "client")
}
