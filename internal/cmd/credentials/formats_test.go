package credentials

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/rolecreds"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/testtools"
)

// awkward returns credentials with every character that rolecreds.WellFormed accepts.
func awkward(t *testing.T) session.RoleCredentials {
	c := session.RoleCredentials{
		AccountID: "111122223333", AccessKeyID: "ASIA0123456789ABCDEF",
		SecretAccessKey: session.NewSecret("-start/with+every=kind:of_character."),
		SessionToken:    session.NewSecret("IQoJb3JpZ2luX2VjE//+==" + strings.Repeat("aZ09/+", 200)),
		Expiration:      time.Date(2026, 3, 2, 16, 0, 0, 999, time.FixedZone("", 3600)),
	}
	if err := rolecreds.WellFormed(c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestProcessFormat decodes the document of credential_process and compares each member.
func TestProcessFormat(t *testing.T) {
	t.Parallel()
	c := awkward(t)
	text, err := renderProcess(c, store.RoleKey{})
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatalf("%v:\n%s", err, text)
	}
	want := map[string]any{
		"Version": 1.0, "AccessKeyId": c.AccessKeyID, "SecretAccessKey": c.SecretAccessKey.Reveal(),
		"SessionToken": c.SessionToken.Reveal(),
		"Expiration":   "2026-03-02T15:00:00Z",
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s = %v, want %v", name, got[name], want[name])
		}
	}
	if len(got) != len(want) {
		t.Errorf("members: %v", got)
	}
	if encoded, err := document(json.RawMessage(text)); err != nil || encoded != text {
		t.Errorf("encoding/json writes it differently: %v\n%s", err, encoded)
	}
}

// TestFormats compares the text of every format. All but json are the AWS CLI's, except that it ends times with
// +00:00 instead of Z (awscli/customizations/configure/exportcreds.py).
func TestFormats(t *testing.T) {
	t.Parallel()
	c := awkward(t)
	c.SessionToken = session.NewSecret("IQoJ//+==")
	names := []string{}
	for _, f := range formats {
		names = append(names, f.name)
		got, err := f.render(c, store.RoleKey{AccountID: "111122223333", RoleName: "Admin"})
		if want := formatTexts[f.name]; err != nil || got != want {
			t.Errorf("%s, %v:\n%s\nwant:\n%s", f.name, err, got, want)
		}
	}
	if len(names) != len(formatTexts) {
		t.Errorf("formats: %q", names)
	}
}

// formatTexts is what TestFormats expects of each format.
var formatTexts = map[string]string{
	"process": `{
  "Version": 1,
  "AccessKeyId": "ASIA0123456789ABCDEF",
  "SecretAccessKey": "-start/with+every=kind:of_character.",
  "SessionToken": "IQoJ//+==",
  "Expiration": "2026-03-02T15:00:00Z"
}
`,
	"env": `export AWS_ACCESS_KEY_ID=ASIA0123456789ABCDEF
export AWS_SECRET_ACCESS_KEY=-start/with+every=kind:of_character.
export AWS_SESSION_TOKEN=IQoJ//+==
export AWS_CREDENTIAL_EXPIRATION=2026-03-02T15:00:00Z
`,
	"env-no-export": `AWS_ACCESS_KEY_ID=ASIA0123456789ABCDEF
AWS_SECRET_ACCESS_KEY=-start/with+every=kind:of_character.
AWS_SESSION_TOKEN=IQoJ//+==
AWS_CREDENTIAL_EXPIRATION=2026-03-02T15:00:00Z
`,
	"powershell": `$Env:AWS_ACCESS_KEY_ID="ASIA0123456789ABCDEF"
$Env:AWS_SECRET_ACCESS_KEY="-start/with+every=kind:of_character."
$Env:AWS_SESSION_TOKEN="IQoJ//+=="
$Env:AWS_CREDENTIAL_EXPIRATION="2026-03-02T15:00:00Z"
`,
	"windows-cmd": `set AWS_ACCESS_KEY_ID=ASIA0123456789ABCDEF
set AWS_SECRET_ACCESS_KEY=-start/with+every=kind:of_character.
set AWS_SESSION_TOKEN=IQoJ//+==
set AWS_CREDENTIAL_EXPIRATION=2026-03-02T15:00:00Z
`,
	"fish": `set -gx AWS_ACCESS_KEY_ID "ASIA0123456789ABCDEF"
set -gx AWS_SECRET_ACCESS_KEY "-start/with+every=kind:of_character."
set -gx AWS_SESSION_TOKEN "IQoJ//+=="
set -gx AWS_CREDENTIAL_EXPIRATION "2026-03-02T15:00:00Z"
`,
	"json": `{
  "access_key_id": "ASIA0123456789ABCDEF",
  "secret_access_key": "-start/with+every=kind:of_character.",
  "session_token": "IQoJ//+==",
  "expires_at": "2026-03-02T15:00:00Z",
  "account_id": "111122223333",
  "role_name": "Admin"
}
`,
}

// TestShellFormats evaluates each format in its shell.
func TestShellFormats(t *testing.T) {
	t.Parallel()
	c := awkward(t)
	const show = `printf '%s\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" "$AWS_SESSION_TOKEN" ` +
		`"$AWS_CREDENTIAL_EXPIRATION"`
	for _, tt := range []struct{ shell, format, script string }{
		{"bash", "env", `eval "$1"; env -0 >/dev/null; bash -c '` + strings.ReplaceAll(show, "'", `'\''`) + `'`},
		{"bash", "env-no-export", `eval "$1"; ` + show},
		{"zsh", "env", `eval "$1"; ` + show},
		{"zsh", "env-no-export", `eval "$1"; ` + show},
		{"dash", "env", `eval "$1"; ` + show},
		{"fish", "fish", `echo $argv[1] | source; ` + show},
	} {
		t.Run(tt.shell+" "+tt.format, func(t *testing.T) {
			t.Parallel()
			shell := testtools.Program(t, tt.shell, tt.shell)
			format, ok := formatOf(tt.format)
			if !ok {
				t.Fatal("no such format")
			}
			text, err := format.render(c, store.RoleKey{})
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"-c", tt.script, "sh", text}
			if tt.shell == "fish" {
				args = []string{"-c", tt.script, text}
			}
			out, err := exec.CommandContext(t.Context(), shell, args...).CombinedOutput()
			want := strings.Join([]string{
				c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal(), "2026-03-02T15:00:00Z", "",
			}, "\n")
			if err != nil || string(out) != want {
				t.Errorf("%v:\n%s\nwant:\n%s", err, out, want)
			}
		})
	}
}
