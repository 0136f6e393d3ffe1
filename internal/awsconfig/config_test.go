package awsconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
)

// write puts a config file (and, when given, a credentials file) in a new folder and returns their paths.
func write(t testing.TB, config string, credentials ...string) Paths {
	t.Helper()
	dir := t.TempDir()
	paths := Paths{Config: filepath.Join(dir, "config"), Credentials: filepath.Join(dir, "credentials")}
	if err := os.WriteFile(paths.Config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range credentials {
		if err := os.WriteFile(paths.Credentials, []byte(c), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return paths
}

func load(t testing.TB, config string, credentials ...string) *Config {
	t.Helper()
	c, err := Load(write(t, config, credentials...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const example = `# my accounts
[default]
region = eu-west-1

[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access , x:y,

[profile dev]
sso_session = corp
SSO_Account_Id : 012345678901
sso_role_name = Admin
region = eu-central-1
s3 =
  addressing_style = path
  # a comment
  max_queue_size=10

[profile legacy]
sso_start_url = https://old.awsapps.com/start#
sso_region = us-east-2
sso_account_id = 123456789012
sso_role_name = Read
output = json

[profile chained]
role_arn = arn:aws:iam::123456789012:role/a#b
source_profile = dev
region = us-west-2
`

func TestRead(t *testing.T) {
	c := load(t, example, "[dev]\nregion = from-credentials\n[keys]\naws_access_key_id = AKIAEXAMPLE\n")
	if err := c.CLIError(); err != nil {
		t.Fatal(err)
	}
	p, ok := c.Profile("dev")
	if !ok || p.Get("region") != "from-credentials" || p.Get("sso_account_id") != "012345678901" {
		t.Errorf("dev = %v %q %q", ok, p.Get("region"), p.Get("sso_account_id"))
	}
	if v, ok := p.Sub("s3", "max_queue_size"); !ok || v != "10" {
		t.Errorf("nested value = %q, %v", v, ok)
	}
	got, err := c.SSO("chained")
	if err != nil {
		t.Fatal(err)
	}
	if got.Profile != "dev" || got.Session.Name != "corp" || got.Region != "us-west-2" || len(got.Via) != 2 ||
		len(got.Session.Scopes) != 2 {
		t.Errorf("chained = %+v", got)
	}
	if s := c.Sessions(); len(s) != 2 || s[0].Name != "corp" || s[1].StartURL != "https://old.awsapps.com/start#" {
		t.Errorf("sessions = %+v", s)
	}
	if ps := c.ProfilesOf(got.Session); len(ps) != 1 || ps[0].Profile != "dev" {
		t.Errorf("profiles of corp = %+v", ps)
	}
	if _, err := c.SSO("keys"); fault.KindOf(err) != fault.Config {
		t.Errorf("keys: %v", err)
	}
}

// checkFault checks that err is a *fault.Error that says what, in one line, and has a remedy.
func checkFault(t *testing.T, err error, says string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want %q", says)
		return
	}
	if k := fault.KindOf(err); k != fault.Config && k != fault.Usage {
		t.Errorf("kind %v of %v", k, err)
	}
	if !strings.Contains(err.Error(), says) {
		t.Errorf("error  %v\nwanted %s", err, says)
	}
	if fault.RemedyOf(err) == nil || strings.ContainsAny(err.Error(), "\n\r\x1b") {
		t.Errorf("remedy %#v of %q", fault.RemedyOf(err), err)
	}
}
