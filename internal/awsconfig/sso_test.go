package awsconfig

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

const corp = "[sso-session corp]\nsso_start_url = https://c.awsapps.com/start\nsso_region = us-east-1\n"

// Every way in which a profile cannot be signed in with: what is said and which command comes with it. CONFIG stands
// for the path of the file.
func TestSSOErrors(t *testing.T) {
	for _, tt := range []struct{ name, profile, config, says, hint string }{
		{"no file at all", "dev", "", `profile "dev" is not in "CONFIG"`, "run: homing configure sso --profile dev"},
		{"a typing mistake", "dve", "[profile dev]\n", `profile "dve" is not in "CONFIG"`, `did you mean "dev"? else run: homing configure sso --profile dve`},
		{"no sso keys", "dev", "[profile dev]\nregion = r\n", `profile "dev" does not use IAM Identity Center: it has neither sso_session nor sso_start_url`, "run: homing configure sso --profile dev"},
		{"other credentials", "dev", "[profile dev]\ncredential_process = x\n", `it has neither sso_session nor sso_start_url but credential_process`, "for a profile of another name, run: homing configure sso --profile NAME"},
		{"a process for a profile", "dev", "[profile dev]\ncredential_process = homing credentials --profile 'a b'\n[profile 'a b']\n", `but credential_process`, "use the profile that its credential_process names: --profile 'a b'"},
		{"a process for itself", "dev", "[profile dev]\ncredential_process = homing credentials --profile=dev\n", `but credential_process`, "for a profile of another name, run: homing configure sso --profile NAME"},
		{"a process for nobody", "dev", "[profile dev]\ncredential_process = x --profile nosuch\n", `but credential_process`, "for a profile of another name, run: homing configure sso --profile NAME"},
		{"unknown session", "dev", "[profile dev]\nsso_session = crop\n" + corp, `profile "dev" names sso-session "crop" ("CONFIG" line 2), which the file does not have`, `did you mean "corp"? else run: homing configure sso-session --sso-session crop`},
		{"session without start url", "dev", "[profile dev]\nsso_session = s\n[sso-session s]\nsso_region = r\n", `sso-session "s" has no sso_start_url`, "run: homing configure sso-session --sso-session s"},
		{"session without region", "dev", "[profile dev]\nsso_session = s\n[sso-session s]\nsso_start_url = u\nsso_region =\n", `sso-session "s" has no sso_region`, "run: homing configure sso-session --sso-session s"},
		{"empty session", "dev", "[profile dev]\nsso_session = s\n[sso-session s]\n", `sso-session "s" has no sso_start_url and no sso_region`, "run: homing configure sso-session --sso-session s"},
		{"legacy without region", "dev", "[profile dev]\nsso_start_url = u\nsso_account_id = 1\nsso_role_name = R\n", `profile "dev" has no sso_region`, "run: homing configure sso --profile dev"},
		{"legacy without start url", "dev", "[profile dev]\nsso_account_id = 1\nsso_role_name = R\nsso_region = r\n", `profile "dev" has no sso_start_url`, "run: homing configure sso --profile dev"},
		{"role without account", "dev", "[profile dev]\nsso_session = corp\nsso_role_name = R\n" + corp, `profile "dev" has sso_role_name but no sso_account_id`, "run: homing configure sso --profile dev"},
		{"account without role", "dev", "[profile dev]\nsso_session = corp\nsso_account_id = 1\n" + corp, `profile "dev" has sso_account_id but no sso_role_name`, "run: homing configure sso --profile dev"},
		{"any key that both have", "dev", "[profile dev]\nsso_session = corp\nregion = a\n" + corp + "region = b\n", `profile "dev" and sso-session "corp" disagree about region (lines 3 and 7), which the AWS CLI refuses`, "run: ${EDITOR:-vi} +3 CONFIG"},
		{"comment behind the session", "dev", "[profile dev]\nsso_session = corp # work\n" + corp, `"CONFIG": line 2: sso_session has a comment behind it, which the AWS CLI takes for a part of the value; give the comment a line of its own`, "run: ${EDITOR:-vi} +2 CONFIG"},
		{"comment behind the start url", "dev", "[profile dev]\nsso_session = s\n[sso-session s]\nsso_start_url = u ; x\nsso_region = r\n", `"CONFIG": line 4: sso_start_url has a comment behind it`, "run: ${EDITOR:-vi} +4 CONFIG"},
		{"value in quotes", "dev", "[profile dev]\nsso_session = \"corp\"\n" + corp, `"CONFIG": line 2: sso_session stands in quotes`, "run: ${EDITOR:-vi} +2 CONFIG"},
		{"key swallowed by the one above", "dev", "[profile dev]\nsso_session = corp\n  region = r\n" + corp, `"CONFIG": line 2: sso_session goes on in the next line`, "run: ${EDITOR:-vi} +2 CONFIG"},
		{"nested where a value belongs", "dev", "[profile dev]\nsso_start_url = u\nsso_region =\n  a = b\n", `"CONFIG": line 3: sso_region is a nested block, not a value`, "run: ${EDITOR:-vi} +3 CONFIG"},
		{"source without a profile", "dev", "[profile dev]\nrole_arn = a\nsource_profile = base\n", `profile "dev" names source_profile "base", which is not in "CONFIG"`, "run: homing configure sso --profile base"},
		{"circle", "a", "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a\n", `profiles "a" -> "b" -> "a" name each other as source_profile in a circle`, "run: ${EDITOR:-vi} +6 CONFIG"},
		{"end of the chain without sso", "a", "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\naws_access_key_id = x\n", `profile "b" does not use IAM Identity Center: it has neither sso_session nor sso_start_url but aws_access_key_id`, "for a profile of another name, run: homing configure sso --profile NAME"},
		{"control characters stay in the file", "dev", "[profile dev]\nsso_session = a\x1b[31mb\n", `profile "dev" names sso-session "a\x1b[31mb"`, `run: homing configure sso-session --sso-session $'a\x1b[31mb'`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			paths := write(t, tt.config)
			c, err := Load(paths)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.SSO(tt.profile)
			if err == nil || fault.KindOf(err) != fault.Config {
				t.Fatalf("error %v", err)
			}
			says, hint := strings.ReplaceAll(err.Error(), paths.Config, "CONFIG"), strings.ReplaceAll(fault.HintOf(err), paths.Config, "CONFIG")
			if !strings.HasPrefix(says, tt.says) && !strings.HasSuffix(says, tt.says) {
				t.Errorf("says   %s\nwanted %s", says, tt.says)
			}
			if !strings.HasPrefix(hint, tt.hint) {
				t.Errorf("hint   %s\nwanted %s", hint, tt.hint)
			}
			if strings.ContainsAny(says+hint, "\x1b\n\r") {
				t.Errorf("control characters in %q, %q", says, hint)
			}
		})
	}
}

func TestSSO(t *testing.T) {
	for _, tt := range []struct {
		name, profile, config string
		want                  SSOProfile
	}{
		{"session", "dev", "[profile dev]\nsso_session = corp\nsso_account_id = 012345678901\nsso_role_name = R\nregion = r # note\noutput = json\n" + corp,
			SSOProfile{Profile: "dev", AccountID: "012345678901", RoleName: "R", Region: "r", Output: "json", Via: []string{"dev"},
				Session: session.Session{Name: "corp", StartURL: "https://c.awsapps.com/start", Region: "us-east-1"}}},
		{"session wins over a start url of the profile", "dev", "[profile dev]\nsso_session = corp\nsso_start_url = https://c.awsapps.com/start\n" + corp,
			SSOProfile{Profile: "dev", Via: []string{"dev"}, Session: session.Session{Name: "corp", StartURL: "https://c.awsapps.com/start", Region: "us-east-1"}}},
		{"legacy, scopes ignored", "default", "[default]\nsso_start_url = https://x/start#\nsso_region = eu-west-1\nsso_registration_scopes = a\n",
			SSOProfile{Profile: "default", Via: []string{"default"}, Session: session.Session{StartURL: "https://x/start#", Region: "eu-west-1"}}},
		{"chain", "c", "[profile c]\nrole_arn = a\nsource_profile = b\nregion = r1\n[profile b]\nrole_arn = a\nsource_profile = dev\n[profile dev]\nsso_session = corp\nregion = r2\n" + corp,
			SSOProfile{Profile: "dev", Region: "r1", Via: []string{"c", "b", "dev"}, Session: session.Session{Name: "corp", StartURL: "https://c.awsapps.com/start", Region: "us-east-1"}}},
		{"a profile that is its own source", "dev", "[profile dev]\nrole_arn = a\nsource_profile = dev\nsso_session = corp\n" + corp,
			SSOProfile{Profile: "dev", Via: []string{"dev"}, Session: session.Session{Name: "corp", StartURL: "https://c.awsapps.com/start", Region: "us-east-1"}}},
		{"source_profile without a role is not followed", "dev", "[profile dev]\nsource_profile = x\nsso_session = corp\n" + corp,
			SSOProfile{Profile: "dev", Via: []string{"dev"}, Session: session.Session{Name: "corp", StartURL: "https://c.awsapps.com/start", Region: "us-east-1"}}},
		{"scopes and device code", "dev", "[profile dev]\nsso_session = s\n[sso-session s]\nsso_start_url = u\nsso_region = r\nsso_registration_scopes = a, b ,,\nsso_use_device_code = True\n",
			SSOProfile{Profile: "dev", Via: []string{"dev"}, Session: session.Session{Name: "s", StartURL: "u", Region: "r", Scopes: []string{"a", "b"}, UseDeviceCode: true}}},
		{"read as the SDKs do when the AWS CLI cannot", "dev", "[profile dev]\nsso_session = corp # c\n[profile dev]\nsso_account_id = 1\nsso_role_name = 'R'\n" + corp,
			SSOProfile{Profile: "dev", AccountID: "1", RoleName: "R", Via: []string{"dev"}, Session: session.Session{Name: "corp", StartURL: "https://c.awsapps.com/start", Region: "us-east-1"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := load(t, tt.config).SSO(tt.profile)
			if err != nil {
				t.Fatal(err)
			}
			if !equalSSO(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if (got.NeedRole() == nil) != (tt.want.AccountID != "") {
				t.Errorf("NeedRole = %v", got.NeedRole())
			}
		})
	}
}

func equalSSO(a, b SSOProfile) bool {
	return a.Profile == b.Profile && a.AccountID == b.AccountID && a.RoleName == b.RoleName && a.Region == b.Region && a.Output == b.Output &&
		slices.Equal(a.Via, b.Via) && a.Session.Name == b.Session.Name && a.Session.StartURL == b.Session.StartURL &&
		a.Session.Region == b.Session.Region && a.Session.UseDeviceCode == b.Session.UseDeviceCode &&
		slices.Equal(a.Session.Scopes, b.Session.Scopes) && (a.Session.Scopes == nil) == (b.Session.Scopes == nil)
}

func TestSession(t *testing.T) {
	c := load(t, corp+"[sso-session half]\nsso_region = r\n")
	if s, err := c.Session("corp"); err != nil || s.Region != "us-east-1" {
		t.Errorf("%+v, %v", s, err)
	}
	_, err := c.Session("cor")
	checkFault(t, err, `sso-session "cor" is not in `)
	if hint := fault.HintOf(err); hint != `did you mean "corp"? else run: homing configure sso-session --sso-session cor` {
		t.Error(hint)
	}
	_, err = c.Session("half")
	checkFault(t, err, `sso-session "half" has no sso_start_url`)
	if got := c.Sessions(); len(got) != 1 || got[0].Name != "corp" {
		t.Errorf("sessions %+v", got)
	}
	if got := c.SessionNames(); !slices.Equal(got, []string{"corp", "half"}) {
		t.Errorf("names %v", got)
	}
}

func TestProfilesOf(t *testing.T) {
	c := load(t, corp+"[profile a]\nsso_session = corp\n[profile b]\nsso_start_url = https://x\nsso_region = r\n[profile c]\nrole_arn = a\nsource_profile = a\n"+
		"[profile d]\nsso_start_url = https://x/\nsso_region = r\n[default]\nsso_session = corp\n[profile e]\nsso_start_url = https://x\nsso_region = r2\n")
	names := func(ps []SSOProfile) (names []string) {
		for _, p := range ps {
			names = append(names, p.Profile)
		}
		return names
	}
	if got := names(c.ProfilesOf(session.Session{Name: "corp"})); !slices.Equal(got, []string{"a", "default"}) {
		t.Errorf("of corp: %v", got)
	}
	if got := names(c.ProfilesOf(session.Session{StartURL: "https://x"})); !slices.Equal(got, []string{"b", "e"}) {
		t.Errorf("of https://x: %v", got)
	}
	var keys []string
	for _, s := range c.Sessions() {
		keys = append(keys, s.CacheKey())
	}
	if !slices.Equal(keys, []string{"corp", "https://x", "https://x/"}) {
		t.Errorf("sessions %v", keys)
	}
}

func TestService(t *testing.T) {
	c := load(t, "[profile a]\nservices = s\nendpoint_url = http://all\n[profile b]\nendpoint_url = http://b # x\n[profile c]\nservices = none\n"+
		"[services s]\nsso =\n  endpoint_url = http://sso\nsso_oidc =\n  other = x\n")
	for _, tt := range []struct{ profile, service, want string }{
		{"a", "sso", "http://sso"}, {"a", "sso_oidc", "http://all"}, {"a", "sts", "http://all"}, {"a", "", "http://all"},
		{"b", "sso", "http://b"}, {"c", "sso", ""}, {"nobody", "sso", ""},
	} {
		if got := c.Service(tt.profile, tt.service); got != tt.want {
			t.Errorf("%s of %s = %q, want %q", tt.service, tt.profile, got, tt.want)
		}
	}
}

func TestPathsFromEnv(t *testing.T) {
	env := map[string]string{"HERE": "/h"}
	getenv := func(k string) string { return env[k] }
	home := filepath.FromSlash("/home/a")
	for value, want := range map[string]string{
		"":              filepath.Join(home, ".aws", "config"),
		"~":             home,
		"~/x/c":         filepath.Join(home, "x", "c"),
		"$HERE/c":       "/h/c",
		"${HERE}/c$":    "/h/c$",
		"/a/$UNKNOWN/c": "/a/$UNKNOWN/c",
		"/a/${UN":       "/a/${UN",
		"~other/c":      "~other/c",
		"rel":           "rel",
	} {
		env["AWS_CONFIG_FILE"] = value
		if got := PathsFromEnv(getenv, home).Config; got != want {
			t.Errorf("%q gives %q, want %q", value, got, want)
		}
	}
	env["AWS_SHARED_CREDENTIALS_FILE"] = "~/creds"
	if got := PathsFromEnv(getenv, home).Credentials; got != filepath.Join(home, "creds") {
		t.Error(got)
	}
}
