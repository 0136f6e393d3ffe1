package credentials

import (
	"bytes"
	"encoding/json"

	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/ui"
)

// format is a way to write credentials. Names and texts are those of aws configure export-credentials, which has all
// but json.
type format struct {
	name   string
	render func(session.RoleCredentials, store.RoleKey) (string, error)
}

var formats = []format{
	{"process", renderProcess},
	{"env", variables("env")},
	{"env-no-export", variables("env-no-export")},
	{"powershell", variables("powershell")},
	{"windows-cmd", variables("windows-cmd")},
	{"fish", variables("fish")},
	{"json", renderJSON},
}

// formatOf returns the format called name.
func formatOf(name string) (format, bool) {
	for _, f := range formats {
		if f.name == name {
			return f, true
		}
	}
	return format{}, false
}

// variables returns a function that renders credentials as assignments of a shell.
func variables(format string) func(session.RoleCredentials, store.RoleKey) (string, error) {
	return func(c session.RoleCredentials, _ store.RoleKey) (string, error) {
		f, _ := ui.AssignmentOf(format)
		return f.Lines(ui.CredentialVariables(c)), nil
	}
}

// renderProcess writes the document of credential_process. Nearly every call uses it, and reflection in encoding/json
// would cost much of the time of a call. The values need no escaping (rolecreds.WellFormed).
func renderProcess(c session.RoleCredentials, _ store.RoleKey) (string, error) {
	return `{
  "Version": 1,
  "AccessKeyId": "` + c.AccessKeyID + `",
  "SecretAccessKey": "` + c.SecretAccessKey.Reveal() + `",
  "SessionToken": "` + c.SessionToken.Reveal() + `",
  "Expiration": "` + ui.Expiration(c) + `"
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
	}{c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal(), ui.Expiration(c), k.AccountID, k.RoleName})
}

func document(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return b.String(), err
}
