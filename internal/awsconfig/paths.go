package awsconfig

import (
	"path/filepath"
	"strings"
)

// Paths are the two files that describe profiles. An empty path is a file that is not there.
type Paths struct{ Config, Credentials string }

// PathsFromEnv returns where the files are: AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE, else ~/.aws. As in the
// AWS CLI, "~" at the start and $VAR or ${VAR} anywhere are replaced (unknown variables stay as they are).
func PathsFromEnv(getenv func(string) string, home string) Paths {
	path := func(variable, name string) string {
		if p := getenv(variable); p != "" {
			return expand(p, getenv, home)
		}
		return filepath.Join(home, ".aws", name)
	}
	return Paths{
		Config:      path("AWS_CONFIG_FILE", "config"),
		Credentials: path("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
	}
}

func expand(path string, getenv func(string) string, home string) string {
	path = expandVariables(path, getenv)
	if path == "~" {
		return home
	}
	if strings.HasPrefix(path, "~/") || filepath.Separator == '\\' && strings.HasPrefix(path, `~\`) {
		return filepath.Join(home, path[2:])
	}
	return path
}

// expandVariables is Python's os.path.expandvars: names are letters, digits and underscores, or stand in braces.
func expandVariables(s string, getenv func(string) string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		s = s[i:]
		name, length := "", 1
		if strings.HasPrefix(s, "${") {
			if j := strings.IndexByte(s, '}'); j > 0 {
				name, length = s[2:j], j+1
			}
		} else {
			for length < len(s) && wordByte(s[length]) {
				length++
			}
			name = s[1:length]
		}
		value := ""
		if name != "" {
			value = getenv(name)
		}
		if value == "" {
			value = s[:length]
		}
		b.WriteString(value)
		s = s[length:]
	}
}

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}
