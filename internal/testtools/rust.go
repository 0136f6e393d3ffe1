package testtools

import "testing"

// RustClient returns the program interop/rust as `make setup` built it with the AWS SDK for Rust.
func RustClient(t testing.TB) string {
	t.Helper()
	return tool(t, "the AWS SDK for Rust", "rust", "client")
}
