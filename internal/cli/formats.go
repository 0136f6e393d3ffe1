package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// credentialFormat is one way to write credentials. The names and texts are those of aws configure
// export-credentials, which has all but json.
type credentialFormat struct {
	name   string
	render func(session.RoleCredentials, store.RoleKey) (string, error)
}

var credentialFormats = []credentialFormat{
	{"process", renderProcess},
	{"env", variables("env")},
	{"env-no-export", variables("env-no-export")},
	{"powershell", variables("powershell")},
	{"windows-cmd", variables("windows-cmd")},
	{"fish", variables("fish")},
	{"json", renderJSON},
}

// shellFormats are the names of the formats that set the variables of a shell.
var shellFormats = []string{"env", "env-no-export", "powershell", "windows-cmd", "fish"}

// formatOf returns the format of that name.
func formatOf(name string) (credentialFormat, bool) {
	for _, f := range credentialFormats {
		if f.name == name {
			return f, true
		}
	}
	return credentialFormat{}, false
}

// assignment is how a shell sets a variable: before NAME between VALUE after.
type assignment struct{ before, between, after string }

// lines sets one variable a line. The values need no quoting: see rolecreds.WellFormed.
func (f assignment) lines(variables [][2]string) string {
	var b strings.Builder
	for _, v := range variables {
		b.WriteString(f.before + v[0] + f.between + v[1] + f.after + "\n")
	}
	return b.String()
}

// assignmentOf returns how the shell of a format sets a variable, false for a format that is no shell's.
func assignmentOf(format string) (assignment, bool) {
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

// variables renders credentials as the assignments of a shell.
func variables(format string) func(session.RoleCredentials, store.RoleKey) (string, error) {
	return func(c session.RoleCredentials, _ store.RoleKey) (string, error) {
		f, _ := assignmentOf(format)
		return f.lines(credentialVariables(c)), nil
	}
}

// credentialVariables are what aws configure export-credentials exports.
func credentialVariables(c session.RoleCredentials) [][2]string {
	return [][2]string{
		{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
		{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey.Reveal()},
		{"AWS_SESSION_TOKEN", c.SessionToken.Reveal()},
		{"AWS_CREDENTIAL_EXPIRATION", expiration(c)},
	}
}

func expiration(c session.RoleCredentials) string { return c.Expiration.UTC().Format(time.RFC3339) }

// renderProcess writes what credential_process prints. It is the format of nearly every call, and encoding/json would
// take a good part of the time to find out about the fields. The values need no escaping (rolecreds.WellFormed).
func renderProcess(c session.RoleCredentials, _ store.RoleKey) (string, error) {
	return `{
  "Version": 1,
  "AccessKeyId": "` + c.AccessKeyID + `",
  "SecretAccessKey": "` + c.SecretAccessKey.Reveal() + `",
  "SessionToken": "` + c.SessionToken.Reveal() + `",
  "Expiration": "` + expiration(c) + `"
}
`, nil
}

func renderJSON(c session.RoleCredentials, k store.RoleKey) (string, error) {
	return document(struct {
		AccessKeyID     string `json:"access_key_id"`
		SecretAccessKey string `json:"secret_access_key"`
		SessionToken    string `json:"session_token"`
		ExpiresAt       string `json:"expires_at"`
		AccountID       string `json:"account_id"`
		RoleName        string `json:"role_name"`
	}{c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal(), expiration(c), k.AccountID, k.RoleName})
}

func document(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.String(), err
}
