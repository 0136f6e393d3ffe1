// Package testtools finds the programs that some tests need beyond Go: the AWS CLI, Python with botocore, Node with
// the AWS SDK for JavaScript, Chromium. `make setup` puts them into one folder outside the checkout; this package
// only looks there. It is for tests and installs nothing.
//
// The one rule: ask for a tool through its function and let it end the test. A tool that is missing skips the test by
// name, and fails it where CI=true, because there "skipped" would mean "never ran" without anybody noticing.
package testtools

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Dir returns the folder that `make setup` fills: $HOMING_TOOLS, else homing-tools in the user's cache folder, else
// "" when neither is known. scripts/tools-dir has the same rule.
func Dir() string {
	if dir := os.Getenv("HOMING_TOOLS"); dir != "" {
		return dir
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "homing-tools")
}

// CI reports whether a missing tool is a failure: CI=true, as most continuous integration services set it.
func CI() bool { return os.Getenv("CI") == "true" }

// Missing ends the test because what is not there: t.Skip, or t.Fatal where CI is true. how says how to get it, such
// as "make setup".
func Missing(t testing.TB, what, how string) {
	t.Helper()
	if CI() {
		t.Fatalf("%s is missing, and CI=true makes that a failure; to get it: %s", what, how)
	}
	t.Skipf("%s is missing; to get it: %s", what, how)
}

// AWSCLI returns the path of a script that runs the AWS CLI 2.38, unmodified, from its cached Debian root. The script
// changes no environment variable, so HOME, terminals, signals and children such as $BROWSER are the caller's own.
func AWSCLI(t testing.TB) string {
	t.Helper()
	return tool(t, "the AWS CLI 2.38", "awscli", "aws")
}

// Python returns the python of a virtual environment that holds botocore and boto3 in the versions of
// interop/versions.
func Python(t testing.TB) string {
	t.Helper()
	return tool(t, "Python with botocore", "python", "bin", "python")
}

// Node returns the node binary and a folder whose node_modules holds the packages of the AWS SDK for JavaScript. A
// script finds them by path, require.resolve with that folder in paths, or by running in it; NODE_PATH does not serve
// for ES modules.
func Node(t testing.TB) (node, dir string) {
	t.Helper()
	dir = filepath.Dir(filepath.Dir(tool(t, "the AWS SDK for JavaScript", "node", "node_modules", "@aws-sdk")))
	node, err := exec.LookPath("node")
	if err != nil {
		Missing(t, "node", "install Node.js 20 or newer")
	}
	return node, dir
}

// Chromium returns the path of a Chromium or Chrome that can run headless.
func Chromium(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Missing(t, "Chromium", "make setup, as root")
	return ""
}

// Program returns the path of a system program such as ip or sshd; some live in folders that PATH lacks for anybody
// but root. pkg is the package that holds it, where scripts/setup.d installs it.
func Program(t testing.TB, name, pkg string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, dir := range []string{"/usr/sbin", "/sbin"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path
		}
	}
	Missing(t, name+" (package "+pkg+")", "make setup, as root")
	return ""
}

// BotocoreData returns the folder of the service models that botocore ships, one folder for each service.
func BotocoreData(t testing.TB) string {
	t.Helper()
	tool(t, "Python with botocore", "python", "bin", "python")
	found, err := filepath.Glob(filepath.Join(Dir(), "python", "lib", "python3*", "site-packages", "botocore", "data"))
	if err != nil || len(found) == 0 {
		Missing(t, "botocore", "make setup")
	}
	return found[len(found)-1]
}

func tool(t testing.TB, what string, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{Dir()}, elem...)...)
	if _, err := os.Stat(path); err != nil || Dir() == "" {
		if _, err := os.Stat(filepath.Join(Dir(), elem[0]+".unexpected")); err == nil {
			t.Skipf("%s is not expected on this machine: make setup found no toolchain for it", what)
		}
		Missing(t, what, "make setup")
	}
	return path
}
