package configedit

import (
	"testing"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/awsconfig/grammar"
)

// trap is a text that the two readers, or people, understand differently. want lists SECTION TYPE NAME KEY lookups as
// "profile dev region" with the value that the AWS CLI and the SDKs read; "-" is a value that is not there.
type trap struct {
	name, text string
	broken     int // the line that stops the AWS CLI, 0 for none
	want       []trapValue
}

type trapValue struct {
	kind, name, key string
	cli, sdk        string
}

var traps = []trap{
	{
		"quoted name",
		"[profile \"p\"]\nregion = r\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "region", "r", "-"}, {grammar.KindProfile, `"p"`, "region", "-", "r"}},
	},
	{
		"name with a space in quotes",
		"[profile 'my prof']\nregion = r\n",
		0,
		[]trapValue{{grammar.KindProfile, "my prof", "region", "r", "-"}},
	},
	{
		"name with a space",
		"[profile my prof]\nregion = r\n",
		0,
		[]trapValue{{grammar.KindProfile, "my prof", "region", "-", "r"}},
	},
	{
		"two spaces in a header",
		"[profile  p]\nregion = r\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "region", "r", "r"}},
	},
	{"padded header", "[ profile p ]\nregion = r\n", 0, []trapValue{{grammar.KindProfile, "p", "region", "-", "r"}}},
	{
		"backslash in a name",
		"[profile a\\b]\nregion = r\n",
		0,
		[]trapValue{{grammar.KindProfile, "ab", "region", "r", "-"}, {grammar.KindProfile, `a\b`, "region", "-", "r"}},
	},
	{
		"section twice",
		"[profile p]\nregion = a\n[profile p]\noutput = b\n",
		3,
		[]trapValue{{grammar.KindProfile, "p", "region", "-", "a"}, {grammar.KindProfile, "p", "output", "-", "b"}},
	},
	{
		"key twice in two letter cases",
		"[profile p]\nregion = a\nREGION = b\n",
		3,
		[]trapValue{{grammar.KindProfile, "p", "region", "-", "b"}},
	},
	{
		"garbage line",
		"[profile p]\nregion = a\ngarbage\n",
		3,
		[]trapValue{{grammar.KindProfile, "p", "region", "-", "a"}},
	},
	{
		"key before the first header",
		"region = a\n[profile p]\nregion = b\n",
		1,
		[]trapValue{{grammar.KindProfile, "p", "region", "-", "b"}},
	},
	{
		"byte order mark",
		"\ufeff[profile p]\nregion = a\n[default]\nregion = b\n",
		1,
		[]trapValue{
			{grammar.KindProfile, "p", "region", "-", "-"},
			{grammar.KindProfile, "default", "region", "-", "b"},
		},
	},
	{
		"inline comment",
		"[profile p]\nsso_session = s1 # x\nregion = r\t; y\n",
		0,
		[]trapValue{
			{grammar.KindProfile, "p", "sso_session", "s1 # x", "s1"},
			{grammar.KindProfile, "p", "region", "r\t; y", "r"},
		},
	},
	{
		"hash glued to a value",
		"[profile p]\nsso_start_url = https://x.awsapps.com/start/#/\n",
		0,
		[]trapValue{
			{
				grammar.KindProfile,
				"p",
				"sso_start_url",
				"https://x.awsapps.com/start/#/",
				"https://x.awsapps.com/start/#/",
			},
		},
	},
	{
		"indented header",
		"[profile a]\nregion = r\n  [profile p]\nregion2 = x\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "region2", "-", "x"}, {grammar.KindProfile, "a", "region2", "x", "-"}},
	},
	{
		"key indented deeper",
		"[profile p]\nregion = r\n  output = json\n",
		0,
		[]trapValue{
			{grammar.KindProfile, "p", "region", "r\noutput = json", "r"},
			{grammar.KindProfile, "p", "output", "-", "json"},
		},
	},
	{
		"uniform indentation",
		"[profile p]\n  region = r\n  output = json\n",
		0,
		[]trapValue{
			{grammar.KindProfile, "p", "region", "r", "r"},
			{grammar.KindProfile, "p", "output", "json", "json"},
		},
	},
	{
		"indented comment",
		"[profile p]\nregion = r\n  # note\n  ; note\noutput = json\n",
		0,
		[]trapValue{
			{grammar.KindProfile, "p", "region", "r", "r"},
			{grammar.KindProfile, "p", "output", "json", "json"},
		},
	},
	{"bad nested block", "[profile p]\ns3 =\n  a = b\n  c\n", 4, nil},
	{
		"DEFAULT is inherited",
		"[DEFAULT]\nregion = r\n[profile p]\noutput = json\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "region", "r", "-"}},
	},
	{
		"default with and without prefix, prefix first",
		"[profile default]\nregion = a\n[default]\nregion = b\noutput = c\n",
		0,
		[]trapValue{
			{grammar.KindProfile, "default", "region", "b", "a"},
			{grammar.KindProfile, "default", "output", "c", "-"},
		},
	},
	{
		"default with and without prefix, prefix last",
		"[default]\nregion = b\n[profile default]\nregion = a\n",
		0,
		[]trapValue{{grammar.KindProfile, "default", "region", "a", "a"}},
	},
	{"section without a prefix", "[p]\nregion = r\n", 0, []trapValue{{grammar.KindProfile, "p", "region", "-", "-"}}},
	{"crlf", "[profile p]\r\nregion = r\r\n", 0, []trapValue{{grammar.KindProfile, "p", "region", "r", "r"}}},
	{"colon", "[profile p]\nregion: r\n", 0, []trapValue{{grammar.KindProfile, "p", "region", "r", "r"}}},
	{
		"quoted value",
		"[profile p]\nregion = \"r\"\noutput = 'json'\n",
		0,
		[]trapValue{
			{grammar.KindProfile, "p", "region", `"r"`, "r"},
			{grammar.KindProfile, "p", "output", "'json'", "json"},
		},
	},
	{
		"letter case of keys",
		"[profile p]\nSSO_Session = s\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "sso_session", "s", "s"}},
	},
	{
		"header prefix without a space",
		"[profilex p]\nregion = r\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "region", "r", "-"}},
	},
	{
		"comment behind a header",
		"[profile p]# c\nregion = r\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "region", "r", "r"}},
	},
	{
		"comment with brackets behind a header",
		"[profile p] # see [docs]\nregion = r\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "region", "-", "r"}},
	},
	{
		"value that is one quote",
		"[profile p]\nca_bundle = '\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "ca_bundle", "'", "'"}},
	}, // the Go SDK 1.33 panics
	{
		"carriage return alone",
		"[profile p]\rregion = r\r",
		0,
		[]trapValue{{grammar.KindProfile, "p", "region", "r", "-"}},
	},
	{"services", "[services s]\nsso_oidc =\n  endpoint_url = http://localhost:1\n", 0, nil},
	{
		"credential_process with quotes",
		"[profile p]\ncredential_process = \"/a b/c\" --d \"#\" ';' x#y\n",
		0,
		[]trapValue{
			{
				grammar.KindProfile,
				"p",
				"credential_process",
				"\"/a b/c\" --d \"#\" ';' x#y",
				"\"/a b/c\" --d \"#\" ';' x#y",
			},
		},
	},
	{
		"role with a hash",
		"[profile p]\nrole_arn = arn:aws:iam::123456789012:role/a#b\n",
		0,
		[]trapValue{
			{
				grammar.KindProfile,
				"p",
				"role_arn",
				"arn:aws:iam::123456789012:role/a#b",
				"arn:aws:iam::123456789012:role/a#b",
			},
		},
	},
	{
		"credentials beside source_profile",
		"[profile q]\ncredential_process = c\n[profile p]\nrole_arn = x\nsource_profile = q\nsso_role_name = Read\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "sso_role_name", "Read", "Read"}},
	},
	{
		"percent is nothing special",
		"[profile p]\nrole_session_name = %(region)s %\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "role_session_name", "%(region)s %", "%(region)s %"}},
	},
	{"bad block in a DEFAULT that nobody inherits", "[DEFAULT]\ns3 =\n  x\n", 0, nil},
	{"bad block in a DEFAULT that is hidden", "[DEFAULT]\ns3 =\n  x\n[profile p]\ns3 = y\n", 0, nil},
	{
		"separator character around a key",
		"[profile p]\n\x1cregion\x1c=\x1cr\x1c\n",
		0,
		[]trapValue{
			{grammar.KindProfile, "p", "region", "r", "-"},
			{grammar.KindProfile, "p", "\x1cregion\x1c", "-", "\x1cr\x1c"},
		},
	},
	{
		"key that Python lowers to two characters",
		"[profile p]\nİ = r\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "i̇", "r", "-"}},
	},
	{
		"backslashes inside quotes",
		"[profile \"a\\zb\\\"c\"]\nregion = r\n[profile 'a\\b']\nregion = q\n",
		0,
		[]trapValue{
			{grammar.KindProfile, `a\zb"c`, "region", "r", "-"},
			{grammar.KindProfile, `a\b`, "region", "q", "-"},
		},
	},
	{
		"empty name in quotes",
		"[profile '']\nregion = r\n",
		0,
		[]trapValue{{grammar.KindProfile, "", "region", "r", "-"}},
	},
	{
		"letter case of default",
		"[Default]\nregion = r\n[DEFAULT]\noutput = o\n",
		0,
		[]trapValue{
			{grammar.KindProfile, "Default", "region", "-", "r"},
			{grammar.KindProfile, "default", "region", "-", "-"},
			{grammar.KindProfile, "DEFAULT", "output", "-", "o"},
		},
	},
	{
		"DEFAULT in two parts",
		"[DEFAULT]\na = 1\n[profile p]\n[DEFAULT]\nb = 2\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "a", "1", "-"}, {grammar.KindProfile, "p", "b", "2", "-"}},
	},
	{"key twice in two parts of DEFAULT", "[DEFAULT]\na = 1\n[profile p]\n[DEFAULT]\nA = 2\n", 5, nil},
	{
		"continuation lines keep their comments",
		"[profile p]\nrole_session_name = a # c\n  b # d\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "role_session_name", "a # c\nb # d", "a\nb # d"}},
	},
	{
		"session with a key of the profile",
		"[sso-session s]\nsso_region = r1\nregion = r2\n[profile p]\nsso_session = s\nregion = r3\n",
		0,
		[]trapValue{{grammar.KindSession, "s", "region", "r2", "r2"}, {grammar.KindProfile, "p", "region", "r3", "r3"}},
	},
	{
		"session and legacy keys in one profile",
		"[sso-session s]\nsso_region = r1\nsso_start_url = https://a\n[profile p]\nsso_session = s\nsso_start_url = https://b\nsso_region = r1\n",
		0,
		[]trapValue{
			{grammar.KindProfile, "p", "sso_start_url", "https://b", "https://b"},
			{grammar.KindSession, "s", "sso_start_url", "https://a", "https://a"},
		},
	},
	{
		"scopes",
		"[sso-session s]\nsso_registration_scopes = a:b , ,c,\n",
		0,
		[]trapValue{{grammar.KindSession, "s", "sso_registration_scopes", "a:b , ,c,", "a:b , ,c,"}},
	},
	{
		"three styles of credentials",
		"[profile p]\nsso_session = s\ncredential_process = x\naws_access_key_id = AKIAEXAMPLE\n",
		0,
		[]trapValue{
			{grammar.KindProfile, "p", "credential_process", "x", "x"},
			{grammar.KindProfile, "p", "aws_access_key_id", "AKIAEXAMPLE", "AKIAEXAMPLE"},
		},
	},
	{
		"account with leading zeros",
		"[profile p]\nsso_account_id = 000000000012\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "sso_account_id", "000000000012", "000000000012"}},
	},
	{
		"text behind a header",
		"[profile p] x = y\nregion = r\n",
		0,
		[]trapValue{{grammar.KindProfile, "p", "region", "r", "-"}},
	},
	{
		"what the AWS CLI writes for a name with a space, beside what people write",
		"[profile \"my p\"]\nregion = a\n[profile 'my p']\nregion = b\n",
		0,
		[]trapValue{{grammar.KindProfile, "my p", "region", "b", "-"}},
	},
	{
		"header with leading spaces, which the AWS CLI's editor does not find",
		" [profile p]\nregion = r\n[profile p]\nregion = q\n",
		3,
		[]trapValue{{grammar.KindProfile, "p", "region", "-", "q"}},
	},
	{"bad block in a DEFAULT", "[DEFAULT]\ns3 =\n  x\n[profile p]\n", 3, nil},
}

// TestTraps states what each reader makes of every trap, and asks the real readers whether that is so.
func TestTraps(t *testing.T) {
	for _, tt := range traps {
		t.Run(tt.name, func(t *testing.T) {
			cli, sdk := grammar.ParseCLI(tt.text), grammar.ParseSDK(tt.text)
			switch {
			case tt.broken == 0 && cli.Broken != nil:
				t.Errorf("the AWS CLI's rules stop at line %d: %s", cli.Broken.Line, cli.Broken.Cause)
			case tt.broken != 0 && (cli.Broken == nil || cli.Broken.Line != tt.broken):
				t.Errorf("stopped by %+v, want line %d", cli.Broken, tt.broken)
			}
			check := func(who string, d *grammar.Document, v trapValue, want string) {
				p := must(awsconfig.ReadingOf(d).Section(v.kind, v.name))
				got, ok := p.Lookup(v.key)
				if !ok {
					got = "-"
				}
				if got != want {
					t.Errorf("%s read %q for %s of %s %q, want %q", who, got, v.key, v.kind, v.name, want)
				}
			}
			for _, v := range tt.want {
				if tt.broken == 0 {
					check("the AWS CLI's rules", cli, v, v.cli)
				}
				check("the SDKs' rules", sdk, v, v.sdk)
			}
		})
	}
	t.Run("oracles", func(t *testing.T) {
		o := askable(t)
		for _, tt := range traps {
			o.checkCLI(t, tt.text)
			o.checkSDK(t, tt.text)
		}
	})
}
