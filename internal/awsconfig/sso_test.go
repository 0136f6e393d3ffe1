package awsconfig

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/configtest"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

const corp = "[sso-session corp]\nsso_start_url = https://c.awsapps.com/start\nsso_region = us-east-1\n"

// Every way in which a profile cannot be signed in with: what is said and what to do about it. CONFIG stands
// for the path of the file.
func TestSSOErrors(t *testing.T) {
	for _, tt := range []struct {
		name, profile, config, says string
		want                        fault.Remedy
	}{
		{"no file at all", "dev", "", `profile "dev" is not in "CONFIG"`, fault.ConfigureSSO{Profile: "dev"}},
		{"a typing mistake", "dve", "[profile dev]\n", `profile "dve" is not in "CONFIG"`, fault.Preface{Words: `did you mean "dev"? else`, Then: fault.ConfigureSSO{Profile: "dve"}}},
		{"no sso keys", "dev", "[profile dev]\nregion = r\n", `profile "dev" does not use IAM Identity Center: it has neither sso_session nor sso_start_url`, fault.ConfigureSSO{Profile: "dev"}},
		{"other credentials", "dev", "[profile dev]\ncredential_process = x\n", `it has neither sso_session nor sso_start_url but credential_process`, fault.Preface{Words: "for a profile of another name,", Then: fault.ConfigureSSO{Profile: "NAME"}}},
		{"a process for a profile", "dev", "[profile dev]\ncredential_process = homing credentials --profile 'a b'\n[profile 'a b']\n", `but credential_process`, fault.Preface{Words: "use the profile that its credential_process names:", Then: fault.Run{"--profile", "a b"}}},
		{"a process for itself", "dev", "[profile dev]\ncredential_process = homing credentials --profile=dev\n", `but credential_process`, fault.Preface{Words: "for a profile of another name,", Then: fault.ConfigureSSO{Profile: "NAME"}}},
		{"a process for nobody", "dev", "[profile dev]\ncredential_process = x --profile nosuch\n", `but credential_process`, fault.Preface{Words: "for a profile of another name,", Then: fault.ConfigureSSO{Profile: "NAME"}}},
		{"unknown session", "dev", "[profile dev]\nsso_session = crop\n" + corp, `profile "dev" names sso-session "crop" ("CONFIG" line 2), which the file does not have`, fault.Preface{Words: `did you mean "corp"? else`, Then: fault.ConfigureSession{Session: "crop"}}},
		{"session without start url", "dev", "[profile dev]\nsso_session = s\n[sso-session s]\nsso_region = r\n", `sso-session "s" has no sso_start_url`, fault.ConfigureSession{Session: "s"}},
		{"session without region", "dev", "[profile dev]\nsso_session = s\n[sso-session s]\nsso_start_url = u\nsso_region =\n", `sso-session "s" has no sso_region`, fault.ConfigureSession{Session: "s"}},
		{"empty session", "dev", "[profile dev]\nsso_session = s\n[sso-session s]\n", `sso-session "s" has neither sso_start_url nor sso_region`, fault.ConfigureSession{Session: "s"}},
		{"legacy without region", "dev", "[profile dev]\nsso_start_url = u\nsso_account_id = 1\nsso_role_name = R\n", `profile "dev" has no sso_region`, fault.ConfigureSSO{Profile: "dev"}},
		{"legacy without start url", "dev", "[profile dev]\nsso_account_id = 1\nsso_role_name = R\nsso_region = r\n", `profile "dev" has no sso_start_url`, fault.ConfigureSSO{Profile: "dev"}},
		{"role without account", "dev", "[profile dev]\nsso_session = corp\nsso_role_name = R\n" + corp, `profile "dev" has sso_role_name but no sso_account_id`, fault.ConfigureSSO{Profile: "dev"}},
		{"account without role", "dev", "[profile dev]\nsso_session = corp\nsso_account_id = 1\n" + corp, `profile "dev" has sso_account_id but no sso_role_name`, fault.ConfigureSSO{Profile: "dev"}},
		{"any key that both have", "dev", "[profile dev]\nsso_session = corp\nregion = a\n" + corp + "region = b\n", `profile "dev" and sso-session "corp" disagree about region (lines 3 and 7), which the AWS CLI refuses`, fault.Edit{File: "CONFIG", Line: 3}},
		{"comment behind the session", "dev", "[profile dev]\nsso_session = corp # work\n" + corp, `"CONFIG": line 2: sso_session has a comment behind it, which the AWS CLI takes for a part of the value; give the comment a line of its own`, fault.Edit{File: "CONFIG", Line: 2}},
		{"comment behind the start url", "dev", "[profile dev]\nsso_session = s\n[sso-session s]\nsso_start_url = u ; x\nsso_region = r\n", `"CONFIG": line 4: sso_start_url has a comment behind it`, fault.Edit{File: "CONFIG", Line: 4}},
		{"value in quotes", "dev", "[profile dev]\nsso_session = \"corp\"\n" + corp, `"CONFIG": line 2: sso_session stands in quotes`, fault.Edit{File: "CONFIG", Line: 2}},
		{"key swallowed by the one above", "dev", "[profile dev]\nsso_session = corp\n  region = r\n" + corp, `"CONFIG": line 2: sso_session goes on in the next line`, fault.Edit{File: "CONFIG", Line: 2}},
		{"nested where a value belongs", "dev", "[profile dev]\nsso_start_url = u\nsso_region =\n  a = b\n", `"CONFIG": line 3: sso_region is a nested block, not a value`, fault.Edit{File: "CONFIG", Line: 3}},
		{"source without a profile", "dev", "[profile dev]\nrole_arn = a\nsource_profile = base\n", `profile "dev" names source_profile "base", which is not in "CONFIG"`, fault.ConfigureSSO{Profile: "base"}},
		{"circle", "a", "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\nrole_arn = r\nsource_profile = a\n", `profiles "a" -> "b" -> "a" name each other as source_profile in a circle`, fault.Edit{File: "CONFIG", Line: 6}},
		{"end of the chain without sso", "a", "[profile a]\nrole_arn = r\nsource_profile = b\n[profile b]\naws_access_key_id = x\n", `profile "b" does not use IAM Identity Center: it has neither sso_session nor sso_start_url but aws_access_key_id`, fault.Preface{Words: "for a profile of another name,", Then: fault.ConfigureSSO{Profile: "NAME"}}},
		{"control characters stay in the file", "dev", "[profile dev]\nsso_session = a\x1b[31mb\n", `profile "dev" names sso-session "a\x1b[31mb"`, fault.ConfigureSession{Session: "a\x1b[31mb"}},
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
			says, remedy := strings.ReplaceAll(err.Error(), paths.Config, "CONFIG"), fault.RemedyOf(err)
			if e, ok := remedy.(fault.Edit); ok && e.File == paths.Config {
				remedy = fault.Edit{File: "CONFIG", Line: e.Line}
			}
			if !strings.HasPrefix(says, tt.says) && !strings.HasSuffix(says, tt.says) {
				t.Errorf("says   %s\nwanted %s", says, tt.says)
			}
			if !reflect.DeepEqual(remedy, tt.want) {
				t.Errorf("remedy %#v\nwanted %#v", remedy, tt.want)
			}
			if strings.ContainsAny(says, "\x1b\n\r") {
				t.Errorf("control characters in %q", says)
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
			SSOProfile{Profile: "dev", Via: []string{"dev"}, Session: session.Session{Name: "s", StartURL: "u",
				Region: "r", Scopes: []string{"a", "b"}, UseDeviceCode: true}}},
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
	return a.Profile == b.Profile && a.AccountID == b.AccountID && a.RoleName == b.RoleName && a.Region == b.Region &&
		a.Output == b.Output &&
		slices.Equal(a.Via, b.Via) && a.Session.Name == b.Session.Name && a.Session.StartURL == b.Session.StartURL &&
		a.Session.Region == b.Session.Region &&
		a.Session.UseDeviceCode == b.Session.UseDeviceCode &&
		slices.Equal(a.Session.Scopes, b.Session.Scopes) &&
		(a.Session.Scopes == nil) == (b.Session.Scopes == nil)
}

func TestSession(t *testing.T) {
	c := load(t, corp+"[sso-session half]\nsso_region = r\n")
	if s, err := c.Session("corp"); err != nil || s.Region != "us-east-1" {
		t.Errorf("%+v, %v", s, err)
	}
	_, err := c.Session("cor")
	configtest.CheckFault(t, err, `sso-session "cor" is not in `)
	want := fault.Preface{Words: `did you mean "corp"? else`, Then: fault.ConfigureSession{Session: "cor"}}
	if got := fault.RemedyOf(err); got != want {
		t.Errorf("remedy %#v", got)
	}
	_, err = c.Session("half")
	configtest.CheckFault(t, err, `sso-session "half" has no sso_start_url`)
	if got := c.Sessions(); len(got) != 1 || got[0].Name != "corp" {
		t.Errorf("sessions %+v", got)
	}
	if got := c.SessionNames(); !slices.Equal(got, []string{"corp", "half"}) {
		t.Errorf("names %v", got)
	}
}

func TestProfilesOf(t *testing.T) {
	c := load(
		t,
		corp+"[profile a]\nsso_session = corp\n[profile b]\nsso_start_url = https://x\nsso_region = r\n[profile c]\nrole_arn = a\nsource_profile = a\n"+
			"[profile d]\nsso_start_url = https://x/\nsso_region = r\n[default]\nsso_session = corp\n[profile e]\nsso_start_url = https://x\nsso_region = r2\n",
	)
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
	c := load(
		t,
		"[profile a]\nservices = s\nendpoint_url = http://all\n[profile b]\nendpoint_url = http://b # x\n[profile c]\nservices = none\n"+
			"[services s]\nsso =\n  endpoint_url = http://sso\nsso_oidc =\n  other = x\n",
	)
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
