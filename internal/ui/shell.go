package ui

import (
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/session"
)

// ShellFormats are the names of the formats that set variables of a shell.
var ShellFormats = []string{"env", "env-no-export", "powershell", "windows-cmd", "fish"}

// assignment is how a shell sets a variable: before, name, between, value, after.
type assignment struct{ before, between, after string }

// Lines returns a line for each variable. The values need no quoting: see rolecreds.WellFormed.
func (f assignment) Lines(variables [][2]string) string {
	var b strings.Builder
	for _, v := range variables {
		b.WriteString(f.before + v[0] + f.between + v[1] + f.after + "\n")
	}
	return b.String()
}

// AssignmentOf returns how a format sets a variable, and false if the format is not one of ShellFormats.
func AssignmentOf(format string) (assignment, bool) {
	switch format {
	case "env":
		return assignment{"export ", "=", ""}, true
	case "env-no-export":
		return assignment{"", "=", ""}, true
	case "powershell":
		return assignment{"$Env:", `="`, `"`}, true
	case "windows-cmd":
		return assignment{"set ", "=", ""}, true
	case "fish":
		return assignment{"set -gx ", ` "`, `"`}, true
	}
	return assignment{}, false
}

// CredentialVariables returns the variables, as name and value, that aws configure export-credentials exports.
func CredentialVariables(c session.RoleCredentials) [][2]string {
	return [][2]string{
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey.Reveal()},
		{"AWS_SESSION_TOKEN", c.SessionToken.Reveal()},
		{"AWS_CREDENTIAL_EXPIRATION", Expiration(c)},
	}
}

// Expiration returns when credentials expire, in the format of AWS_CREDENTIAL_EXPIRATION.
func Expiration(c session.RoleCredentials) string { return c.Expiration.UTC().Format(time.RFC3339) }
