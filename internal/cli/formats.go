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
	{"env", variables("export ", "=", "")},
	{"env-no-export", variables("", "=", "")},
	{"powershell", variables("$Env:", `="`, `"`)},
	{"windows-cmd", variables("set ", "=", "")},
	{"fish", variables("set -gx ", ` "`, `"`)},
	{"json", renderJSON},
}

// formatOf returns the format of that name.
func formatOf(name string) (credentialFormat, bool) {
	for _, f := range credentialFormats {
		if f.name == name {
			return f, true
		}
	}
	return credentialFormat{}, false
}

// variables renders one variable a line: before NAME between VALUE after. The values need no quoting (printable).
func variables(before, between, after string) func(session.RoleCredentials, store.RoleKey) (string, error) {
	return func(c session.RoleCredentials, _ store.RoleKey) (string, error) {
		var b strings.Builder
		for _, v := range [...][2]string{
			{"AWS_ACCESS_KEY_ID", c.AccessKeyID},
			{"AWS_SECRET_ACCESS_KEY", c.SecretAccessKey.Reveal()},
			{"AWS_SESSION_TOKEN", c.SessionToken.Reveal()},
			{"AWS_CREDENTIAL_EXPIRATION", expiration(c)},
		} {
			b.WriteString(before + v[0] + between + v[1] + after + "\n")
		}
		return b.String(), nil
	}
}

func expiration(c session.RoleCredentials) string { return c.Expiration.UTC().Format(time.RFC3339) }

// renderProcess writes what credential_process prints. It is the format of nearly every call, and encoding/json would
// take a good part of the time to find out about the fields. The values need no escaping (printable).
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
