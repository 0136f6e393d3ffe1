// Package configtest serves the tests of those who read and edit AWS config files.
package configtest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
)

// Write puts a config file (and, when given, a credentials file) in a new folder and returns their paths.
func Write(t testing.TB, config string, credentials ...string) (configFile, credentialsFile string) {
	t.Helper()
	dir := t.TempDir()
	configFile, credentialsFile = filepath.Join(dir, "config"), filepath.Join(dir, "credentials")
	if err := os.WriteFile(configFile, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range credentials {
		if err := os.WriteFile(credentialsFile, []byte(c), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return configFile, credentialsFile
}

// Example is a config file with each kind of profile.
const Example = `# my accounts
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

// CheckFault checks that err is a *fault.Error that says what, in one line, and has a remedy.
func CheckFault(t *testing.T, err error, says string) {
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
