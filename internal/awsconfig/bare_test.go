package awsconfig

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homing-cli/homing/internal/fault"
)

const bareConfig = `# SECRET in a comment
[default]
aws_access_key_id = SECRET-default
aws_secret_access_key = SECRET
region = us-east-1

[DEFAULT]
cli_pager =
role_arn = SECRET-inherited

[sso-session dev]
sso_start_url = https://SECRET.awsapps.com/start
sso_region = us-east-1

[profile dev]
sso_session = dev
SSO_Account_ID = 111122223333
sso_role_name = SECRET
region = eu-west-1
# AWS_SECRET_ACCESS_KEY=SECRET
output: json
services = local
s3 =
  addressing_style = path
  max_concurrent_requests = 20
  aws_access_key_id = SECRET
credential_process = SECRET
    more = SECRET
login_session = SECRET
ca_bundle = /etc/a # b
endpoint_url = http://127.0.0.1:4566/x#y
retry_mode = standard
  sso_session = SECRET-to-the-sdks
` + "\ufeff" + `aws_session_token = SECRET

[profile other]
region = eu-north-1
aws_access_key_id = SECRET

[services local]
dynamodb =
  endpoint_url = http://127.0.0.1:8000
  AWS_Secret_Access_Key = SECRET
  ` + "\ufeff" + `aws_session_token = SECRET

[plugins]
cli_legacy_plugin_path = /opt
`

func TestBare(t *testing.T) {
	t.Parallel()
	const settings = `output: json
services = local
s3 =
  addressing_style = path
  max_concurrent_requests = 20
ca_bundle = /etc/a # b
endpoint_url = http://127.0.0.1:4566/x#y
retry_mode = standard
region=ap-south-1
`
	want := "[default]\n" + settings + "[profile dev]\n" + settings + `[DEFAULT]
cli_pager =
[services local]
dynamodb =
  endpoint_url = http://127.0.0.1:8000
[plugins]
cli_legacy_plugin_path = /opt
`
	for name, ending := range map[string]string{"LF": "\n", "CRLF": "\r\n"} {
		dir := t.TempDir()
		paths := Paths{filepath.Join(dir, "config"), filepath.Join(dir, "credentials")}
		for path, text := range map[string]string{
			paths.Config:      bareConfig,
			paths.Credentials: "[dev]\n  aws_session_token = SECRET\n  region=ap-south-1\n[default]\naws_access_key_id = SECRET\n",
		} {
			if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "\n", ending)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		cfg, err := Load(paths)
		if err != nil {
			t.Fatal(err)
		}
		got, err := cfg.Bare("dev")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		other, err := cfg.Bare("default")
		if err != nil || !strings.HasPrefix(string(other), "[default]\nregion = us-east-1\n[DEFAULT]\n") {
			t.Errorf("%s: default: %v\n%s", name, err, other)
		}
	}
	if _, err := Parse("config", []byte(bareConfig)).Bare("nobody"); fault.KindOf(err) != fault.Config {
		t.Errorf("unknown profile: %v", err)
	}
	if _, err := Parse("config", []byte("[profile a]\nx\n")).Bare("a"); fault.KindOf(err) != fault.Config {
		t.Errorf("broken file: %v", err)
	}
}

// Whoever finds a profile by its name in a file finds it in the copy of that, whatever the name.
func TestBareNames(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{
		"dev": "dev", "a b": `"a b"`, "a  b": `'a  b'`, "it's": `"it's"`, `say "x"`: `'say "x"'`, `a\b`: `'a\b'`, `a'"b\`: `"a'\"b\\"`, "x/y@z": "x/y@z",
	} {
		bare, err := Parse("config", []byte("[profile "+header+"]\nregion = eu-west-1\nsso_session = x\n")).Bare(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for rules, reading := range map[string]*document{"the AWS CLI": parseCLI(string(bare)), "the SDKs": parseSDK(string(bare))} {
			p, ok := configOf(reading).Profile(name)
			region, _ := p.Lookup("region")
			found := ok && region == "eu-west-1"
			if never := reading.sdk && name != "dev" && strings.Contains(name, `\`); !found && !never {
				t.Errorf("%s: not found by %s in\n%s", name, rules, bare)
			}
			if names := configOf(reading).ProfileNames(); !reading.sdk && len(names) != 2 {
				t.Errorf("%s: the AWS CLI finds %q in\n%s", name, names, bare)
			}
		}
	}
}

// FuzzBare: whatever the file, no reader finds a way to credentials in the copy, and what the AWS CLI finds there it had.
func FuzzBare(f *testing.F) {
	texts := append(seeds(), bareConfig)
	if len(texts) < 100 {
		f.Fatal("the seeds are missing")
	}
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cfg := Parse("config", []byte(text))
		if cfg.CLIError() != nil || len(text) > 4096 {
			return
		}
		for _, name := range cfg.ProfileNames() {
			bare, err := cfg.Bare(name)
			if err != nil {
				if fault.KindOf(err) != fault.Config {
					t.Fatal(err)
				}
				continue
			}
			copied := Parse("copy", bare)
			if err := copied.CLIError(); err != nil {
				t.Fatalf("%v in\n%s", err, bare)
			}
			for _, reading := range []*document{parseCLI(string(bare)), parseSDK(string(bare))} {
				for _, p := range configOf(reading).ProfileNames() {
					found, _ := configOf(reading).Profile(p)
					for _, key := range found.Keys() {
						if givesCredentials(key) {
							t.Fatalf("%s in [%s] of\n%s", key, p, bare)
						}
					}
				}
			}
			for line := range strings.Lines(string(bare)) {
				if givesCredentials(keyIn(line)) {
					t.Fatalf("%q in\n%s", line, bare)
				}
			}
			if _, ok := copied.Profile(name); !ok {
				t.Fatalf("no %q in\n%s", name, bare)
			}
			before, _ := cfg.Profile(name)
			after, ok := copied.Profile("default")
			if !ok {
				t.Fatalf("no [default] in\n%s", bare)
			}
			for _, key := range after.Keys() {
				was, ok := before.Lookup(key)
				is, still := after.Lookup(key)
				if ok != still || !strings.HasPrefix(was, is) && !strings.Contains(was, "\n") {
					t.Fatalf("%s was %q and is %q in\n%s", key, was, is, bare)
				}
			}
		}
	})
}
