package testtools

import "testing"

// AWS2Wrap returns the path of aws2-wrap, in the version of interop/versions. It runs the first aws on its PATH.
func AWS2Wrap(t testing.TB) string {
	t.Helper()
	return tool(t, "aws2-wrap", "aws2wrap", "bin", "aws2-wrap")
}
