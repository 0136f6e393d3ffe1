package configedit

import (
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/configtest"
)

// dev is the section most rows edit.
var dev = Section{grammar.KindProfile, "dev"}

func set1(s Section, key, value string) Edit {
	return Edit{Section: s, Set: []KeyValue{{key, value}}}
}

var applyTests = []struct {
	name, before string
	edits        []Edit
	after        string
}{
	{
		"empty file",
		"",
		[]Edit{
			{Section: dev, Set: []KeyValue{{"sso_session", "corp"}, {"region", "eu-west-1"}}},
			set1(Section{grammar.KindSession, "corp"}, "sso_region", "us-east-1"),
		},
		"[profile dev]\nsso_session = corp\nregion = eu-west-1\n\n[sso-session corp]\nsso_region = us-east-1\n",
	},
	{
		"default has no prefix",
		"",
		[]Edit{set1(Section{grammar.KindProfile, "default"}, "region", "r1")},
		"[default]\nregion = r1\n",
	},
	{
		"default with a prefix is found",
		"[profile default]\nregion = r0\n",
		[]Edit{set1(Section{grammar.KindProfile, "default"}, "region", "r1")},
		"[profile default]\nregion = r1\n",
	},
	{
		"value only, spacing kept",
		"[profile dev]\n\tRegion   :   r0   \n",
		[]Edit{set1(dev, "region", "r1")},
		"[profile dev]\n\tRegion   :   r1   \n",
	},
	{
		"no spaces around =",
		"[profile dev]\nregion=r0\n",
		[]Edit{set1(dev, "REGION", "r1")},
		"[profile dev]\nregion=r1\n",
	},
	{
		"empty value",
		"[profile dev]\nregion =\noutput=\n",
		[]Edit{{Section: dev, Set: []KeyValue{{"region", "r1"}, {"output", "json"}}}},
		"[profile dev]\nregion = r1\noutput=json\n",
	},
	{
		"same value, nothing to do",
		"[profile dev]\nregion=r0",
		[]Edit{set1(dev, "region", "r0")},
		"[profile dev]\nregion=r0",
	},
	{
		"last newline stays missing",
		"[profile dev]\nregion=r0",
		[]Edit{set1(dev, "region", "r1")},
		"[profile dev]\nregion=r1",
	},
	{
		"insert behind the last option without a newline",
		"[profile dev]\nregion=r0",
		[]Edit{{Section: dev, Set: []KeyValue{{"a", "1"}, {"b", "2"}}}},
		"[profile dev]\nregion=r0\na = 1\nb = 2",
	},
	{"insert below a header without a newline", "[profile dev]", []Edit{set1(dev, "a", "1")}, "[profile dev]\na = 1"},
	{
		"replace the last line by another key",
		"[profile dev]\na=1\nb=2",
		[]Edit{{Section: dev, Set: []KeyValue{{"c", "3"}}, Unset: []string{"b"}}},
		"[profile dev]\na=1\nc = 3",
	},
	{
		"unset the last line below an empty one",
		"[profile dev]\n\na=1",
		[]Edit{{Section: dev, Unset: []string{"a"}}},
		"[profile dev]\n\n",
	},
	{
		"insert above trailing comments and blank lines",
		"[profile dev]\na=1\n\n# next one\n[profile x]\n",
		[]Edit{set1(dev, "b", "2")},
		"[profile dev]\na=1\nb = 2\n\n# next one\n[profile x]\n",
	},
	{
		"crlf",
		"[profile dev]\r\na=1\r\n\r\n[profile x]\r\nb=2\r\n",
		[]Edit{
			{Section: dev, Set: []KeyValue{{"a", "3"}, {"c", "4"}}},
			set1(Section{grammar.KindSession, "s"}, "k", "v"),
		},
		"[profile dev]\r\na=3\r\nc = 4\r\n\r\n[profile x]\r\nb=2\r\n\r\n[sso-session s]\r\nk = v\r\n",
	},
	{
		"new section behind a last line without a newline",
		"[profile x]\na=1",
		[]Edit{set1(dev, "b", "2")},
		"[profile x]\na=1\n\n[profile dev]\nb = 2",
	},
	{
		"no second blank line",
		"[profile x]\na=1\n  \n",
		[]Edit{set1(dev, "b", "2")},
		"[profile x]\na=1\n  \n[profile dev]\nb = 2\n",
	},
	{"tabs in the header", "[profile\t dev]\na=1\n", []Edit{set1(dev, "b", "2")}, "[profile\t dev]\na=1\nb = 2\n"},
	{
		"quoted name",
		"[profile \"dev\"]  # mine\na=1\n",
		[]Edit{set1(dev, "b", "2")},
		"[profile dev]  # mine\na=1\nb = 2\n",
	},
	{"quoted name, nothing else to do", "[profile 'dev']\na=1\n", []Edit{set1(dev, "a", "1")}, "[profile dev]\na=1\n"},
	{"padded header", "[ profile dev ]\na=1\n", []Edit{set1(dev, "b", "2")}, "[profile dev]\na=1\nb = 2\n"},
	{
		"comment with brackets behind a header",
		"[profile dev] # see [docs]\na=1\n",
		[]Edit{set1(dev, "a", "2")},
		"# see [docs]\n[profile dev]\na=2\n",
	},
	{
		"inline comment moves",
		"[profile dev]\n  region = r0 # work; mostly\n  a = 1\n",
		[]Edit{set1(dev, "region", "r1")},
		"[profile dev]\n  # work; mostly\n  region = r1\n  a = 1\n",
	},
	{
		"value is all comment",
		"[profile dev]\nregion = # later\n",
		[]Edit{set1(dev, "region", "r1")},
		"[profile dev]\n# later\nregion = r1\n",
	},
	{
		"hash inside a value is no comment",
		"[profile dev]\nrole_arn = arn:aws:iam::1:role/a#b;c\n",
		[]Edit{set1(dev, "role_arn", "arn:aws:iam::1:role/x#y;z")},
		"[profile dev]\nrole_arn = arn:aws:iam::1:role/x#y;z\n",
	},
	{
		"quotes inside a value",
		"[profile dev]\ncredential_process = \"/opt/a b/x\" --y \"#\" ';'\n",
		[]Edit{set1(dev, "region", "r1")},
		"[profile dev]\ncredential_process = \"/opt/a b/x\" --y \"#\" ';'\nregion = r1\n",
	},
	{
		"insert behind a nested block",
		"[profile dev]\ns3 =\n  a = b\n  # why\n  c = d\n\n[profile x]\n",
		[]Edit{set1(dev, "region", "r1")},
		"[profile dev]\ns3 =\n  a = b\n  # why\n  c = d\nregion = r1\n\n[profile x]\n",
	},
	{
		"indented section is followed",
		"[profile dev]\n    a = 1\n    b = 2\n",
		[]Edit{set1(dev, "c", "3")},
		"[profile dev]\n    a = 1\n    b = 2\n    c = 3\n",
	},
	{
		"indented section that ends in a nested block",
		"[profile dev]\n  a = 1\n  s3 =\n    b = c\n",
		[]Edit{set1(dev, "d", "3")},
		"[profile dev]\n  a = 1\n  s3 =\n    b = c\nd = 3\n",
	},
	{
		"indented headers",
		"[profile dev]\n a = 1\n [profile x]\n b = 2\n",
		[]Edit{set1(dev, "c", "3")},
		"[profile dev]\n a = 1\n c = 3\n [profile x]\n b = 2\n",
	},
	{
		"empty section above an indented header",
		"[profile dev]\n  [profile x]\n  b = 2\n",
		[]Edit{set1(dev, "c", "3")},
		"[profile dev]\n  c = 3\n  [profile x]\n  b = 2\n",
	},
	{
		"unset a nested block, comments stay",
		"[profile dev]\ns3 =\n  a = b\n  # why\n  c = d\nz = 1\n",
		[]Edit{{Section: dev, Unset: []string{"S3"}}},
		"[profile dev]\n  # why\nz = 1\n",
	},
	{
		"replace a value of several lines",
		"[profile dev]\nx = 1\n  2\n\n  3\nz = 1\n",
		[]Edit{set1(dev, "x", "4")},
		"[profile dev]\nx = 4\n\nz = 1\n",
	},
	{
		"unset what is not there",
		"[profile dev]\na=1\n",
		[]Edit{
			{Section: dev, Unset: []string{"b"}},
			{Section: Section{grammar.KindProfile, "nobody"}, Unset: []string{"b"}},
		},
		"[profile dev]\na=1\n",
	},
	{
		"last word counts",
		"[profile dev]\na=1\n",
		[]Edit{
			set1(dev, "a", "2"),
			{Section: dev, Set: []KeyValue{{"b", "1"}}, Unset: []string{"a"}},
			set1(dev, "b", "3"),
		},
		"[profile dev]\nb = 3\n",
	},
	{
		"keys swallowed by the one above",
		"[profile dev]\n region = r0\n\n  # c\n\t output : json\n  sso_region=r\n\n[profile x]\na = 1\n  output = json\n",
		[]Edit{set1(dev, "region", "r1")},
		"[profile dev]\n region = r1\n\n  # c\n output : json\n sso_region=r\n\n[profile x]\na = 1\n  output = json\n",
	},
	{
		"only what is in the way",
		"[profile dev]\nrole_arn = a\n  external_id = b\nregion = r0 # c\n  output = json\n",
		[]Edit{set1(dev, "region", "r1")},
		"[profile dev]\nrole_arn = a\n  external_id = b\n# c\nregion = r1\noutput = json\n",
	},
	{
		"a bare comment mark behind the value to change",
		"[profile dev]\nregion:x ;\n  output = json\n",
		[]Edit{set1(dev, "region", "r1")},
		"[profile dev]\n;\nregion:r1\noutput = json\n",
	},
	{
		"swallowed key below a quoted header",
		"[profile \"dev\"]\nregion = r0\n  output = json\n",
		[]Edit{set1(dev, "region", "r1")},
		"[profile dev]\nregion = r1\noutput = json\n",
	},
	{
		"swallowed key to unset",
		"[profile dev]\nregion = r0\n  sso_start_url = https://x\n  sso_region = r2\n",
		[]Edit{{Section: dev, Set: []KeyValue{{"sso_session", "s"}}, Unset: []string{"sso_start_url", "sso_region"}}},
		"[profile dev]\nregion = r0\nsso_session = s\n",
	},
	{
		"swallowed key beside another",
		"[profile dev]\nregion = r0\n  output = json\n",
		[]Edit{set1(dev, "sso_session", "s")},
		"[profile dev]\nregion = r0\n  output = json\nsso_session = s\n",
	},
	{
		"credentials beside source_profile",
		"[profile q]\ncredential_process = c\n[profile dev]\nrole_arn = x\nsource_profile = q\nsso_role_name = Read\n",
		[]Edit{set1(dev, "sso_role_name", "Admin")},
		"[profile q]\ncredential_process = c\n[profile dev]\nrole_arn = x\nsource_profile = q\nsso_role_name = Admin\n",
	},
	{
		"DEFAULT stays apart",
		"[DEFAULT]\noutput = json\n[default]\nregion = r0\n",
		[]Edit{set1(Section{grammar.KindProfile, "default"}, "region", "r1")},
		"[DEFAULT]\noutput = json\n[default]\nregion = r1\n",
	},
}

func TestApply(t *testing.T) {
	for _, tt := range applyTests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Apply([]byte(tt.before), tt.edits...)
			if err != nil {
				t.Fatalf("%v\n%s", err, tt.before)
			}
			if string(got) != tt.after {
				t.Errorf("got  %q\nwant %q", got, tt.after)
			}
			if again, err := Apply(got, tt.edits...); err != nil || string(again) != string(got) {
				t.Errorf("a second time: %v, %q", err, again)
			}
		})
	}
}

// TestApplyHolds asks both real readers about every row.
func TestApplyHolds(t *testing.T) {
	o := askable(t)
	for _, tt := range applyTests {
		t.Run(tt.name, func(t *testing.T) {
			if made, _ := o.checkEdit(t, tt.before, tt.edits); !made {
				t.Error("refused")
			}
		})
	}
}

// Files that no edit may touch, and the line and words that the person is told.
var refusedTests = []struct {
	name, before string
	edit         Edit
	says         string
}{
	{
		"byte order mark",
		"\ufeff[profile dev]\n",
		set1(dev, "a", "1"),
		"line 1: the AWS CLI cannot load this file: a byte order mark",
	},
	{
		"text before a header",
		"# x\na = 1\n",
		set1(dev, "a", "1"),
		"line 2: the AWS CLI cannot load this file: there is text before",
	},
	{"garbage", "[profile dev]\na = 1\n<<<<<<< HEAD\n", set1(dev, "a", "2"), "line 3: "},
	{
		"section twice",
		"[profile dev]\n\n[profile dev]\n",
		set1(dev, "a", "1"),
		"line 3: the AWS CLI cannot load this file: section [profile dev] is already on line 1",
	},
	{
		"key twice",
		"[profile dev]\na = 1\nA : 1\n",
		set1(dev, "a", "1"),
		`line 3: the AWS CLI cannot load this file: key "a" is already on line 2`,
	},
	{
		"nested block",
		"[profile x]\ns3 =\n  a = b\n  c\n",
		set1(dev, "a", "1"),
		`line 4: the AWS CLI cannot load this file: it belongs to the block of "s3"`,
	},
	{"not text", "[profile x]\na = \xff\n", set1(dev, "a", "1"), "line 2: "},
	{
		"two spellings, SDKs read the first",
		"[profile dev]\na=1\n[profile \"dev\"]\na=2\n",
		set1(dev, "a", "3"),
		"more than once, on lines 1 and 3",
	},
	{
		"two defaults, the AWS CLI reads the last",
		"[profile default]\na=1\n[default]\na=2\n",
		set1(Section{grammar.KindProfile, "default"}, "a", "3"),
		"more than once, on lines 1 and 3",
	},
	{
		"a quoted spelling and a swallowed one, which the SDKs would merge",
		"[profile x]\nb=1\n  [profile dev]\n  a=1\n[profile 'dev']\na=2\n",
		set1(dev, "b", "3"),
		"more than once, on lines 3 and 5",
	},
	{
		"a quoted default would hide the other",
		"[default]\na=1\n[profile \"default\"]\na=2\n",
		set1(Section{grammar.KindProfile, "default"}, "b", "3"),
		"more than once, on lines 1 and 3",
	},
	{
		"a header for the SDKs alone and a swallowed one, which they would merge",
		"[profile x]\nb=1\n  [default]\n  a=1\n[\u00a0profile default]\nc=2\n",
		set1(Section{grammar.KindProfile, "default"}, "b", "3"),
		"more than once, on lines 3 and 5",
	},
	{
		"line swallowed by the key above that may be a part of it",
		"[profile dev]\ncredential_process = /opt/x\n  --y=z\n",
		set1(dev, "credential_process", "p"),
		`line 3: the AWS CLI takes this indented line for a part of "credential_process" above it`,
	},
	{
		"key swallowed by the one above, with a comment",
		"[profile dev]\nregion = r0\n  output = json # c\n",
		set1(dev, "region", "r1"),
		"line 3: ",
	},
	{
		"key swallowed by the one above, in quotes",
		"[profile dev]\nregion = r0\n  output = 'json'\n",
		set1(dev, "region", "r1"),
		"line 3: ",
	},
	{
		"key to unset swallowed by one that has a comment",
		"[profile dev]\nregion = r0 # c\n  output = json\n",
		Edit{Section: dev, Unset: []string{"output"}},
		"line 3: profile \"dev\" gets \"output\" from here as well",
	},
	{
		"key swallowed by the one above that is there already",
		"[profile dev]\noutput = text\nregion = r0\n  output = json\n",
		set1(dev, "region", "r1"),
		"line 4: ",
	},
	{
		"key swallowed by the one above that is swallowed once more",
		"[profile dev]\nrole_arn = r\n  region = r0\noutput = json\n  region = r1\n",
		set1(dev, "role_arn", "x"),
		"line 3: the AWS CLI takes this indented line for a part of \"role_arn\" above it",
	},
	{
		"key swallowed by one that has another name for the SDKs",
		"[profile dev]\n\u0130 = x\n  output = json\n",
		Edit{Section: dev, Unset: []string{"output"}},
		"line 3: profile \"dev\" gets \"output\" from here as well",
	},
	{
		"header swallowed by the key above",
		"[profile x]\na = 1\n  [profile dev]\n  b = 2\n",
		set1(dev, "b", "3"),
		"line 3: the SDKs take this for a header",
	},
	{
		"header inside the value to replace",
		"[profile dev]\nb = 2\n  [profile x]\n  c = 3\n",
		set1(dev, "b", "3"),
		"line 3: the SDKs take this for a header and the AWS CLI for a part of the value above it",
	},
	{
		"header above the place for a new key",
		"[profile dev]\nb = 2\n  []\n",
		set1(dev, "c", "3"),
		"line 3: the SDKs take this for a header and the AWS CLI for a part of the value above it",
	},
	{
		"unset what everybody inherits",
		"[DEFAULT]\nregion = r0\n[profile dev]\nregion = r1\n",
		Edit{Section: dev, Unset: []string{"region"}},
		"line 2: ",
	},
	{"bare carriage return", "[profile dev]\ra = 1\n", set1(dev, "a", "2"), "line 1: a carriage return stands alone"},
}

func TestApplyRefuses(t *testing.T) {
	for _, tt := range refusedTests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Apply([]byte(tt.before), tt.edit)
			configtest.CheckFault(t, err, tt.says)
			if got != nil {
				t.Errorf("bytes came with the error: %q", got)
			}
		})
	}
}

func TestRefusedWords(t *testing.T) {
	for value, says := range map[string]string{
		"":                "is empty",
		"a\nb":            "has a line break",
		"a\rb":            "has a line break",
		"a\u2028b":        "has a line break",
		"a\x1b[31mb":      "control character in it (U+001B)",
		"a\x00b":          "control character in it (U+0000)",
		"a\u202eb":        "reorders the text",
		"a\xffb":          "not UTF-8",
		" a":              "white space",
		"a\u00a0":         "white space",
		"a #b":            "see a comment",
		"a\t;b":           "control character", // the tab
		"#a":              "see a comment",
		`"a b"`:           "in quotes",
		`"/a b/c" -d "e"`: "in quotes",
		"'":               "in quotes",
	} {
		_, err := Apply(nil, set1(dev, "k", value))
		configtest.CheckFault(t, err, says)
		if value != "" && len(value) > 3 && strings.Contains(err.Error(), value) {
			t.Errorf("the value is in the message: %v", err)
		}
	}
	for name, says := range map[string]string{
		"": "empty", "a b": "space", "a\tb": "space", `a"b`: "quote", "a'b": "quote", "a\nb": "control character", "a]b": "has ']' in it",
		"é": "has 'é' in it", "a#b": "has '#' in it", "a\\b": `has '\\' in it`, "DEFAULT": "taken", strings.Repeat("a", 300): "300 characters",
	} {
		configtest.CheckFault(t, ValidName(name), says)
		_, err := Apply(nil, set1(Section{grammar.KindProfile, name}, "k", "v"))
		configtest.CheckFault(t, err, says)
	}
	for _, key := range []string{"", "a b", "a=b", "a\nb", "[a", "#a", "é"} {
		if _, err := Apply(nil, set1(dev, key, "v")); err == nil {
			t.Errorf("key %q was accepted", key)
		}
	}
	for _, name := range []string{"dev", "a.b-c_d/e%f@g:h+1", "0"} {
		if err := ValidName(name); err != nil {
			t.Error(err)
		}
	}
}

// The check before writing sees every kind of harm, should an edit ever do one.
func TestVerify(t *testing.T) {
	const before = "[profile dev]\na = 1\nb = 2\n\n[profile x]\nc = 3\ns3 =\n  k = v\n"
	for name, out := range map[string]string{
		"another section changed":   "[profile dev]\na = 9\nb = 2\n\n[profile x]\nc = 4\ns3 =\n  k = v\n",
		"another key changed":       "[profile dev]\na = 9\nb = 3\n\n[profile x]\nc = 3\ns3 =\n  k = v\n",
		"a key gone":                "[profile dev]\na = 9\n\n[profile x]\nc = 3\ns3 =\n  k = v\n",
		"a key more":                "[profile dev]\na = 9\nb = 2\nd = 3\n\n[profile x]\nc = 3\ns3 =\n  k = v\n",
		"a section gone":            "[profile dev]\na = 9\nb = 2\n",
		"a section more":            "[profile dev]\na = 9\nb = 2\n\n[profile x]\nc = 3\ns3 =\n  k = v\n[y]\n",
		"a header changed":          "[profile dev]\na = 9\nb = 2\n\n[profile y]\nc = 3\ns3 =\n  k = v\n",
		"sections in other order":   "[profile x]\nc = 3\ns3 =\n  k = v\n[profile dev]\na = 9\nb = 2\n",
		"a nested value changed":    "[profile dev]\na = 9\nb = 2\n\n[profile x]\nc = 3\ns3 =\n  k = w\n",
		"the value not set":         before,
		"another value set":         "[profile dev]\na = 8\nb = 2\n\n[profile x]\nc = 3\ns3 =\n  k = v\n",
		"another value for one":     "[profile dev]\na = 9\nb = 2 # x\n\n[profile x]\nc = 3\ns3 =\n  k = v\n",
		"a value for one reader":    "[profile dev]\na = 9 # x\nb = 2\n\n[profile x]\nc = 3\ns3 =\n  k = v\n",
		"not loadable":              "[profile dev]\na = 9\na = 9\nb = 2\n\n[profile x]\nc = 3\ns3 =\n  k = v\n",
		"the section under no name": "[dev]\na = 9\nb = 2\n\n[profile x]\nc = 3\ns3 =\n  k = v\n",
	} {
		changes, err := joinEdits([]Edit{set1(dev, "a", "9")})
		if err != nil {
			t.Fatal(err)
		}
		e := &editor{
			path:    "config",
			text:    before,
			changes: changes,
			cli:     grammar.ParseCLI(before),
			sdk:     grammar.ParseSDK(before),
		}
		if err := e.locate(); err != nil {
			t.Fatal(err)
		}
		if err := e.verify("[profile dev]\na = 9\nb = 2\n\n[profile x]\nc = 3\ns3 =\n  k = v\n"); err != nil {
			t.Fatalf("the right result: %v", err)
		}
		if err := e.verify(out); err == nil {
			t.Errorf("%s: nothing was said", name)
		}
		// Each reading on its own sees what both can see.
		if strings.Contains(name, "for one") || name == "not loadable" {
			continue
		}
		for _, read := range []func(string) *grammar.Document{grammar.ParseCLI, grammar.ParseSDK} {
			d := read(before)
			targets := map[int]*change{0: changes[0]}
			if e.compare(d, read(out), targets) == nil && e.intended(awsconfig.ReadingOf(read(out))) == nil {
				t.Errorf("%s: one reading did not see it", name)
			}
		}
	}
}

// What takes indentation away sees when that was more than indentation.
func TestStraight(t *testing.T) {
	const text = "[profile dev]\nregion = r\n  output = json\n[profile x]\n"
	e, err := newEditor("config", text, []Edit{region})
	if err != nil {
		t.Fatal(err)
	}
	if out, ok := e.unindent(); !ok || out != "[profile dev]\nregion = r\noutput = json\n[profile x]\n" {
		t.Errorf("%q, %v", out, ok)
	}
	for _, out := range []string{
		"[profile dev]\nregion = r\noutput = text\n[profile x]\n", "[profile dev]\nregion = r\n[profile x]\n",
		"[profile dev]\nregion = r\noutput = json\n[profile y]\n", "[profile dev]\nregion = r\noutput = json\n",
	} {
		if e.sameForSDKs(out) {
			t.Errorf("%q passed", out)
		}
	}
}
