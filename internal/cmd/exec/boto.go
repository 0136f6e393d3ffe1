package exec

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/homing-cli/homing/internal/app"
)

// varBoto names the file of the SDK before boto3. What it names is instead of ~/.boto and /etc/boto.cfg.
const varBoto = "BOTO_CONFIG"

// botoKeys returns a file of the SDK before boto3 that has AWS keys: botocore takes them before it asks an endpoint, to this
// day. Without such keys the file is of no matter here, and gsutil, which reads it for Google's, should find it.
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

// botoFiles are the files that botocore looks at.
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
		return []string{value} // also where it is empty
	}
	files := []string{"/etc/boto.cfg"}
	if err == nil {
		files = append(files, filepath.Join(home, ".boto"))
	}
	return files
}
