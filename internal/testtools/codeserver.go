package testtools

import "testing"

// CodeServer returns a script that runs code-server, VS Code as a web server, with a Node.js of its own. It changes
// no environment variable; without --config and --user-data-dir it writes into the caller's home folder.
func CodeServer(t testing.TB) string {
	t.Helper()
	return tool(t, "code-server", "codeserver", "code-server")
}
