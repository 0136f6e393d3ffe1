package exec

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/homing-cli/homing/internal/app"
)

// varBoto names the configuration file of boto, the SDK before boto3. It replaces ~/.boto and /etc/boto.cfg.
const varBoto = "BOTO_CONFIG"

// botoKeys returns a boto configuration file that has AWS keys: botocore still prefers them to an endpoint. Without
// these keys the file does not matter, and gsutil, which keeps Google's keys there, should find it.
func botoKeys(a *app.App) (path string, found bool) {
	for _, path := range botoFiles(a) {
		text, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(strings.ToLower(strings.TrimSpace(line)), "aws_access_key_id") {
				return path, true
			}
		}
	}
	return "", false
}

// botoFiles returns the boto configuration files that botocore reads.
func botoFiles(a *app.App) []string {
	home, err := a.Env.HomeDir()
	var vars []string
	if a.Env.Environ != nil {
		vars = a.Env.Environ()
	}
	for _, v := range vars {
		name, value, _ := strings.Cut(v, "=")
		if variableName(name) != varBoto {
			continue
		}
		value = os.Expand(value, a.Env.Getenv)
		if rest, ok := strings.CutPrefix(value, "~"); ok && err == nil && (rest == "" || os.IsPathSeparator(rest[0])) {
			value = filepath.Join(home, rest)
		}
		return []string{value} // even if empty
	}
	files := []string{"/etc/boto.cfg"}
	if err == nil {
		files = append(files, filepath.Join(home, ".boto"))
	}
	return files
}
