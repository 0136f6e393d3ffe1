package awsconfig

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/fault"
)

const secretConfig = `# SECRET in a comment
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

func TestWithoutCredentials(t *testing.T) {
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
			paths.Config:      secretConfig,
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
		got, err := cfg.WithoutCredentials("dev")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		other, err := cfg.WithoutCredentials("default")
		if err != nil || !strings.HasPrefix(string(other), "[default]\nregion = us-east-1\n[DEFAULT]\n") {
			t.Errorf("%s: default: %v\n%s", name, err, other)
		}
	}
	if _, err := Parse("config", []byte(secretConfig)).WithoutCredentials("nobody"); fault.KindOf(err) != fault.Config {
		t.Errorf("unknown profile: %v", err)
	}
	if _, err := Parse("config", []byte("[profile a]\nx\n")).WithoutCredentials("a"); fault.KindOf(
		err,
	) != fault.Config {
		t.Errorf("broken file: %v", err)
	}
}

// Whoever finds a profile by its name in a file finds it in the copy of that, whatever the name.
func TestNamesWithoutCredentials(t *testing.T) {
	t.Parallel()
	for name, header := range map[string]string{
		"dev": "dev", "a b": `"a b"`, "a  b": `'a  b'`, "it's": `"it's"`, `say "x"`: `'say "x"'`, `a\b`: `'a\b'`, `a'"b\`: `"a'\"b\\"`, "x/y@z": "x/y@z",
	} {
		bare, err := Parse("config",
			[]byte("[profile "+header+"]\nregion = eu-west-1\nsso_session = x\n")).WithoutCredentials(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for rules, reading := range map[string]*grammar.Document{"the AWS CLI": grammar.ParseCLI(string(bare)),
			"the SDKs": grammar.ParseSDK(string(bare))} {
			p, ok := ReadingOf(reading).Profile(name)
			region, _ := p.Lookup("region")
			found := ok && region == "eu-west-1"
			if never := reading.Sdk && name != "dev" && strings.Contains(name, `\`); !found && !never {
				t.Errorf("%s: not found by %s in\n%s", name, rules, bare)
			}
			if names := ReadingOf(reading).ProfileNames(); !reading.Sdk && len(names) != 2 {
				t.Errorf("%s: the AWS CLI finds %q in\n%s", name, names, bare)
			}
		}
	}
}

// FuzzWithoutCredentials: whatever the file, no reader finds a way to credentials in the copy, and what the AWS CLI
// finds there it had.
func FuzzWithoutCredentials(f *testing.F) {
	b, err := os.ReadFile(filepath.Join("testdata", "seeds.json")) // of the tests of configedit
	if err != nil {
		f.Fatal(err)
	}
	var texts []string
	if err := json.Unmarshal(b, &texts); err != nil {
		f.Fatal(err)
	}
	texts = append(texts, example, secretConfig)
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
			bare, err := cfg.WithoutCredentials(name)
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
			for _, reading := range []*grammar.Document{grammar.ParseCLI(string(bare)),
				grammar.ParseSDK(string(bare))} {
				for _, p := range ReadingOf(reading).ProfileNames() {
					found, _ := ReadingOf(reading).Profile(p)
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
