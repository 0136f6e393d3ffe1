package settings

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/session"
)

// said is what profiles settings say, one word a value, with the lines.
func said(p Profiles) string {
	var b strings.Builder
	one := func(name, value string, line int) {
		if value != "" {
			fmt.Fprintf(&b, "%s=%s:%d ", name, value, line)
		}
	}
	one("template", p.Template.Value, p.Template.Line)
	one("form", p.Form.Value, p.Form.Line)
	one("accounts", strings.Join(p.Accounts.Value, ","), p.Accounts.Line)
	one("roles", strings.Join(p.Roles.Value, ","), p.Roles.Line)
	one("exclude", strings.Join(p.Exclude.Value, ","), p.Exclude.Line)
	for _, d := range p.Defaults {
		one("match", d.Match, 0)
		one("region", d.Region.Value, d.Region.Line)
		one("output", d.Output.Value, d.Output.Line)
	}
	return strings.TrimSpace(b.String())
}

const profilesTOML = `[profiles]
template = "{{.AccountName | slug}}-{{.RoleName}}"
form = "legacy"
accounts = ["prod-*", "111122223333"]
exclude = ["*/Billing"]
region = "eu-west-1"

[[profiles.defaults]]
match = "*-us"
region = "us-gov-west-1"

[[profiles.defaults]]
match = "Admin"
output = "yaml-stream"

[session.dev.profiles]
form = "credential_process"
roles = ["Admin"]
output = "json"

[session.dev]
flow = "device"
`

func TestProfiles(t *testing.T) {
	t.Parallel()
	s, err := Load(Options{ConfigFile: write(t, "config.toml", profilesTOML)})
	if err != nil {
		t.Fatal(err)
	}
	const file = "template={{.AccountName | slug}}-{{.RoleName}}:2 form=legacy:3 accounts=prod-*,111122223333:4 exclude=*/Billing:5 " +
		"match=*-us:0 region=us-gov-west-1:10 match=Admin:0 output=yaml-stream:14 match=*:0 region=eu-west-1:6"
	if got := said(s.Profiles); got != file {
		t.Errorf("of the file:\n%s\n%s", got, file)
	}
	const dev = "template={{.AccountName | slug}}-{{.RoleName}}:2 form=credential_process:17 accounts=prod-*,111122223333:4 roles=Admin:18 " +
		"exclude=*/Billing:5 match=*:0 output=json:19 match=*-us:0 region=us-gov-west-1:10 match=Admin:0 output=yaml-stream:14 match=*:0 region=eu-west-1:6"
	got := s.For("dev")
	if said(got.Profiles) != dev || got.Flow.Value != session.Device {
		t.Errorf("of the session:\n%s\n%s", said(got.Profiles), dev)
	}
	if b := got.Profiles.Form.Beats; b == nil || b.Line != 3 {
		t.Errorf("the form of the session beats %v", b)
	}
	if got := said(s.For("other").Profiles); got != file {
		t.Errorf("of another session: %s", got)
	}
}

func TestTeam(t *testing.T) {
	t.Parallel()
	text := strings.Replace(profilesTOML[:strings.Index(profilesTOML, "[session")], `form = "legacy"`, "", 1)
	p, err := Team("team.toml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	const want = "template={{.AccountName | slug}}-{{.RoleName}}:2 accounts=prod-*,111122223333:4 exclude=*/Billing:5 " +
		"match=*-us:0 region=us-gov-west-1:10 match=Admin:0 output=yaml-stream:14 match=*:0 region=eu-west-1:6"
	if said(p) != want || p.Template.Where() != "team.toml:2" {
		t.Errorf("%s from %s", said(p), p.Template.Where())
	}
	mine := Profiles{
		Exclude:  Value[[]string]{Value: []string{"x"}, Origin: "--exclude"},
		Defaults: []ProfileDefaults{{Match: "*"}},
	}
	over := mine.Over(p)
	if over.Exclude.Value[0] != "x" || over.Exclude.Beats == nil || len(over.Defaults) != 4 ||
		over.Defaults[0].Match != "*" ||
		!over.Accounts.IsSet() {
		t.Errorf("laid over: %s", said(over))
	}
	for _, empty := range []string{"", "# nothing\n", "[profiles]\n"} {
		if p, err := Team("team.toml", strings.NewReader(empty)); err != nil || said(p) != "" {
			t.Errorf("%q: %s, %v", empty, said(p), err)
		}
	}
}

// What a team's file must not say is refused by name and line, and with the reason.
func TestTeamRefuses(t *testing.T) {
	t.Parallel()
	list := `["` + strings.Repeat(`a","`, maxList) + `a"]`
	for _, tt := range []struct{ text, want, remedy string }{
		{"[profiles]\nform = \"credential_process\"", "team.toml:2: profiles.form is not taken from a team's file: how profiles get their credentials", "remove the line"},
		{"[profiles]\nform = \"sso-session\"", "team.toml:2: profiles.form is not taken", ""},
		{"[profiles]\n\ncredential_process = \"sh -c id\"", "team.toml:3: profiles.credential_process is not taken from a team's file: it would run", ""},
		{"[profiles]\nCredential-Process = \"sh -c id\"", "team.toml:2: profiles.Credential-Process is not taken", ""},
		{"credential_process = \"sh -c id\"", "team.toml:1: credential_process is not taken", ""},
		{"[profiles]\nprogram = \"/tmp/x\"", "team.toml:2: profiles.program is not taken", ""},
		{"[profiles]\nsso_start_url = \"https://evil.example\"", "team.toml:2: profiles.sso_start_url is not taken from a team's file: where to sign in is yours", ""},
		{"[profiles]\nendpoint_url = \"https://evil.example\"", "team.toml:2: profiles.endpoint_url is not taken from a team's file: it would send", ""},
		{"[[profiles.defaults]]\nmatch = \"*\"\nregion = \"eu-west-1\"\nendpoint_url = \"x\"", "team.toml:4: profiles.defaults.endpoint_url is not taken", ""},
		{"[[profiles.defaults]]\nmatch = \"*\"\ncredential_process = \"x\"", "team.toml:3: profiles.defaults.credential_process is not taken", ""},
		{"[[profiles.defaults]]\nmatch = \"*\"\nregio = \"eu-west-1\"", "team.toml:3: unknown key profiles.defaults.regio", "did you mean region?"},
		{"[profiles]\nprune = true", "team.toml:2: profiles.prune is not taken", ""},
		{"flow = \"device\"", "team.toml:1: flow is not taken", ""},
		{"[session.dev.profiles]\nregion = \"eu-west-1\"", "session is not taken from a team's file", ""},
		{"[profiles]\nregion = \"evil.example/\"", "team.toml:2: profiles.region takes a region", "tell who keeps"},
		{"[profiles]\nregion = \"evil.example#-a-1\"", "team.toml:2: profiles.region takes a region", ""},
		{"[profiles]\nregion = \"us-east-1\\n[profile x]\\ncredential_process = sh\"", "team.toml:2: profiles.region takes a region", ""},
		{"[profiles]\nregion = \"us-east-1 # x\"", "profiles.region takes a region", ""},
		{"[profiles]\noutput = \"json\\n[profile x]\"", "team.toml:2: profiles.output takes an output", ""},
		{"[profiles]\noutput = \"bogus\"", "team.toml:2: profiles.output takes an output: json, text, table, yaml, yaml-stream, off", ""},
		{"# ours\n\n[session.dev.profiles]\nregion = \"eu-west-1\"", "team.toml:3: session is not taken from a team's file", ""},
		{"[profiles]\ntemplate = \"{{.Home}}\"", "team.toml:2: template \"{{.Home}}\", column 3: there is no field \".Home\"", "fields: .AccountName"},
		{"[profiles]\ntemplate = \"{{.RoleName | exec \\\"id\\\"}}\"", "there is no helper \"exec\"", ""},
		{"[profiles]\nrolls = [\"x\"]", "team.toml:2: unknown key profiles.rolls", "did you mean roles?"},
		{"[profiles]\naccounts = \"x\"", "team.toml:2: profiles.accounts takes a list", ""},
		{"[profiles]\naccounts = [1]", "team.toml:2: profiles.accounts takes a list", ""},
		{"[profiles]\naccounts = [\"\"]", "team.toml:2: profiles.accounts takes a list", ""},
		{"[profiles]\naccounts = " + list, "team.toml:2: profiles.accounts takes a list of patterns", ""},
		{"[profiles]\naccounts = [\"" + strings.Repeat("*", maxPattern+1) + "\"]", "team.toml:2: profiles.accounts takes a list", ""},
		{strings.Repeat("[[profiles.defaults]]\nmatch=\"a\"\noutput=\"json\"\n", maxDefaults+1), "more than 200 defaults", ""},
		{"[[profiles.defaults]]\nregion = \"eu-west-1\"", "team.toml:2: [[profiles.defaults]] takes match", ""},
		{"[[profiles.defaults]]\nmatch = \"*\"", "team.toml:2: [[profiles.defaults]] takes match", ""},
		{"[profiles.defaults]\nmatch = \"*\"", "[[profiles.defaults]] takes match", ""},
		{"profiles = 7", "team.toml:1: profiles takes a table: [profiles]", ""},
		{"[[profiles]]\nregion = \"eu-west-1\"", "team.toml:1: profiles takes a table", ""},
		{"template = \"x\"", "team.toml:1: template stands outside of [profiles]", "put the line [profiles] above it"},
		{"[teams]\nx = 1", "unknown key teams", "known keys: [profiles]"},
		{"<!DOCTYPE html>", "team.toml:1: ", "tell who keeps"},
		{strings.Repeat("# much\n", 40_000), "team.toml is larger than 256 KiB", "tell who keeps"},
		{"profiles = " + strings.Repeat("[", 250_000), "team.toml:1: ", ""},
		{strings.Repeat("[a.", 80_000), "team.toml:1: ", ""},
		{"\"\x1b[2J\" = 1", "team.toml:1: ", ""},
	} {
		p, err := Team("team.toml", strings.NewReader(tt.text))
		short := tt.text[:min(80, len(tt.text))]
		if err == nil {
			t.Errorf("%q is taken", short)
			continue
		}
		if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), tt.want) ||
			!strings.Contains(fmt.Sprint(fault.RemedyOf(err)), tt.remedy) ||
			fault.RemedyOf(err) == nil {
			t.Errorf("%q: %v\nremedy: %#v", short, err, fault.RemedyOf(err))
		}
		if !plain.IsLine(err.Error()) || said(p) != "" {
			t.Errorf("%q: %q, %s", short, err, said(p))
		}
	}
}

// A file made to take long takes no longer than others.
func TestTeamIsReadSoon(t *testing.T) {
	t.Parallel()
	var many strings.Builder
	for i := 0; many.Len() < maxTeam/4; i++ {
		fmt.Fprintf(&many, "a%d=1\n", i)
	}
	var dotted strings.Builder
	for i := 0; dotted.Len() < maxTeam/4; i++ {
		fmt.Fprintf(&dotted, "a%d%s=1\n", i, strings.Repeat(".b", 2_000))
	}
	deep := strings.Repeat(`.b`, maxDots+1)
	for _, text := range []string{
		"a" + deep + "=1", "[a" + deep + "]", "x={a" + deep + "=1}", "x={s=\"\"\"\n\"\"\",a" + deep + "=1}", "x={s='''\n''',a" + deep + "=1}",
		"x={s=\"\"\"a\"\"\"\",a" + deep + "=1}", "x={s=\"\"\"a\"\"\"\"\",a" + deep + "=1}",
		"x=\"a\\\"\"\na" + deep + "=1", "x='a\\'\na" + deep + "=1", "x=\"\"\"a\\\"\"\"\"\na" + deep + "=1", "x=1 # \"\na" + deep + "=1", "\"=\"" + strings.Repeat(`."="`, maxDots+1) + "=1",
	} {
		if deepKey([]byte(text)) == 0 {
			t.Errorf("%q: the deep key is not found", text)
		}
	}
	for _, text := range []string{
		"x=\"" + deep + "\"", "x=\"\\\"" + deep + "\"", "x='" + deep + "'", "x=\"\"\"\n\"\"" + deep + "\n\"\"\"", "# \"" + deep, "x=[" + strings.Repeat("1.5,", 99) + "]",
	} {
		if line := deepKey([]byte(text)); line != 0 {
			t.Errorf("%q: line %d", text, line)
		}
	}
	for _, text := range []string{
		many.String(), "[profiles]\n" + many.String(), "[[profiles.defaults]]\n" + many.String(), strings.Repeat("[[profiles.defaults]]\n", 3_000),
		"[profiles]\na." + strings.Repeat("b.", 120_000) + "c=1", strings.Repeat("[a"+strings.Repeat(".b", 2_000)+"]\n", 60), dotted.String(),
		"[profiles]\naccounts=[" + strings.Repeat("\"\",", 20_000) + "]",
		"[profiles]\ndefaults=[" + strings.Repeat("{match='a',output='off'},", 2_500) + "]",
	} {
		start := time.Now()
		_, err := Team("team.toml", strings.NewReader(text))
		if err == nil {
			t.Errorf("%q is taken", text[:60])
		}
		// It takes less than one second, and once took more than ten for a quarter of such a file.
		if d := time.Since(start); d > 10*time.Second {
			t.Errorf("%q: %v", text[:60], d)
		}
	}
}

// What is refused in a team's file is refused in config.toml too, but for the form.
func TestProfilesThatAreWrong(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want, remedy string }{
		{"[profiles]\nform = \"process\"", "PATH:2: profiles.form takes \"sso-session\", \"legacy\" or \"credential_process\"", "{PATH 2}"},
		{"[profiles]\ntemplate = \"{{.RoleName\"", "PATH:2: template \"{{.RoleName\", column 1: \"{{\" is not closed", "fields: .AccountName"},
		{"[profiles]\nregion = \"EU\"", "PATH:2: profiles.region takes a region", ""},
		{"[profiles]\nprune = true", "PATH:2: unknown key profiles.prune", "known keys: template, accounts, roles, exclude, region, output, defaults, form"},
		{"[session.dev.profiles]\nprune = true", "PATH:2: unknown key session.dev.profiles.prune", ""},
		{"[session.dev]\nprofiles = 1", "PATH:2: session.dev.profiles takes a table: [session.dev.profiles]", ""},
		{"[profile]\nform = \"legacy\"", "PATH:1: unknown key profile", "did you mean profiles?"},
		{"[[profiles.defaults]]\nmatch = \"x\"\noutput = \"a b\"", "PATH:3: profiles.defaults.output takes an output", ""},
	} {
		file := filepath.Join(t.TempDir(), "config.toml")
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Load(Options{ConfigFile: file})
		if err == nil {
			t.Errorf("%q is taken", tt.text)
			continue
		}
		msg, remedy := strings.ReplaceAll(err.Error(), file,
			"PATH"), strings.ReplaceAll(fmt.Sprint(fault.RemedyOf(err)), file, "PATH")
		if fault.KindOf(err) != fault.Config || !strings.Contains(msg, tt.want) ||
			!strings.Contains(remedy, tt.remedy) {
			t.Errorf("%q: %s\nremedy: %s", tt.text, msg, remedy)
		}
	}
}

func TestIsRegion(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"us-east-1", "ap-southeast-12", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1", "cn-north-1"} {
		if !IsRegion(good) {
			t.Errorf("%q is refused", good)
		}
	}
	for _, bad := range []string{"", "us", "us-east", "us-east-", "us--1", "US-EAST-1", "us-east-1a", "us-east-1.evil.example", "a-b/c-1", "us-east-１", strings.Repeat("a", 40) + "-b-1"} {
		if IsRegion(bad) {
			t.Errorf("%q is taken", bad)
		}
	}
}

// Whatever a team's file says, it is understood or refused in one visible line, and what comes out of it holds names,
// regions, outputs and patterns alone.
func FuzzTeam(f *testing.F) {
	f.Add(profilesTOML)
	f.Add(profilesTOML[:strings.Index(profilesTOML, "[session")])
	f.Add("[profiles]\ncredential_process = \"id\"")
	f.Add("[profiles]\nregion = \"us-east-1\\n[profile x]\"")
	f.Add("profiles.defaults = [{match = \"*\", region = \"eu-west-1\"}, {match = 'a', output = 'json'}]")
	f.Add("[profiles]\ntemplate = '{{.AccountName | replace \"a\" \"aaaa\" | regex \"(a*)*\" \"$1$1\"}}'")
	f.Add("[[profiles]]\n[[profiles.defaults]]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Team("team.toml", strings.NewReader(text))
		if err != nil {
			if fault.KindOf(err) != fault.Config || !strings.HasPrefix(err.Error(), "team.toml") ||
				fault.RemedyOf(err) == nil ||
				said(p) != "" {
				t.Errorf("%v (%v) %s", err, fault.RemedyOf(err), said(p))
			}
			if !plain.IsLine(err.Error()) || !plain.IsLine(fmt.Sprint(fault.RemedyOf(err))) {
				t.Errorf("not one visible line: %q, %q", err, fault.RemedyOf(err))
			}
			return
		}
		if p.Form.IsSet() {
			t.Error("a form from a team's file")
		}
		for _, d := range p.Defaults {
			if d.Match == "" || d.Region.IsSet() && !IsRegion(d.Region.Value) ||
				d.Output.IsSet() && !isOutput(d.Output.Value) {
				t.Errorf("%+v", d)
			}
			if strings.ContainsAny(d.Region.Value+d.Output.Value, " \n\r\t./:[]=#") {
				t.Errorf("%+v", d)
			}
		}
	})
}
