package configedit

import (
	"maps"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/configtest"
)

// mine is an edit of a managed profile.
func mine(name, owner string, settings ...KeyValue) Edit {
	return Edit{Section: Section{grammar.KindProfile, name}, Set: settings, Owner: owner}
}

func removal(name, owner string) Edit {
	return Edit{Section: Section{grammar.KindProfile, name}, Remove: true, Owner: owner}
}

func applied(t testing.TB, src string, edits ...Edit) string {
	t.Helper()
	out, err := Apply([]byte(src), edits...)
	if err != nil {
		t.Fatalf("%v\n%q", err, src)
	}
	return string(out)
}

func marksOf(text string) map[string]awsconfig.Mark {
	return awsconfig.Parse("config", []byte(text)).Marks()
}

var work = []KeyValue{{"sso_session", "corp"}, {"region", "r1"}}

// TestMarkText: the one form that files hold. Another one would orphan every profile that was ever written.
func TestMarkText(t *testing.T) {
	const want = "# homing profiles sync (corp) a9e70e5f360503ce\n[profile a]\nsso_session = corp\nregion = r1\n"
	if got := applied(t, "", mine("a", "corp", work...)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, owner := range []string{"corp", "https://d-1.awsapps.com/start#/?a=b", "a:b+c/d@e%f", "my session", "é)(", "%41"} {
		text := applied(t, "", mine("a", owner, work...))
		mark, _, _ := strings.Cut(text, "\n")
		if strings.ContainsAny(mark, ":=[]") || strings.Count(mark, "#") != 1 {
			t.Errorf("%q: other programs would take this for more than a comment", mark)
		}
		if m := marksOf(text)["a"]; m != (awsconfig.Mark{Owner: owner, Intact: true, Line: 1}) {
			t.Errorf("%q: %+v", owner, m)
		}
	}
}

// TestAddAndRemove: what was added and is removed again leaves the bytes as they were.
func TestAddAndRemove(t *testing.T) {
	for _, text := range []string{
		"", "# only a comment\n", "[profile x]\na=1", "[profile x]\na=1\n", "[profile x]\r\na=1\r\n", "[profile x]\r\na=1", example,
		"# c\n[profile x]\ns3 =\n  a = b\n\t# c\n", " [profile x]\n  a = 1\n  # c",
	} {
		edits := []Edit{mine("new1", "corp", work...), mine("new2", "corp", work...), mine("new3", "corp", work...)}
		added := applied(t, text, edits...)
		if again := applied(t, added, edits...); again != added {
			t.Errorf("a second time\n%q\n%q", added, again)
		}
		for _, order := range [][]string{{"new1", "new2", "new3"}, {"new3", "new1", "new2"}, {"new2", "new3", "new1"}} {
			got, all := added, []Edit(nil)
			for _, name := range order {
				got = applied(t, got, removal(name, "corp"))
				all = append(all, removal(name, "corp"))
			}
			if got != text {
				t.Errorf("one by one: got %q\nwant %q", got, text)
			}
			if got := applied(t, added, all...); got != text {
				t.Errorf("all at once: got %q\nwant %q", got, text)
			}
		}
	}
}

// marked is a managed profile as it was written.
func marked(name, owner string) string {
	s := "[profile " + name + "]\nsso_session = corp\nregion = r1\n"
	return grammar.NewMark(owner, s) + "\n" + s
}

var markTests = []struct {
	name, text string
	want       map[string]awsconfig.Mark
}{
	{"none", example, nil},
	{
		"two owners",
		marked("a", "corp") + "\n" + marked("b", "https://x/start#"),
		map[string]awsconfig.Mark{
			"a": {Owner: "corp", Intact: true, Line: 1},
			"b": {Owner: "https://x/start#", Intact: true, Line: 6},
		},
	},
	{
		"default",
		"\n\n" + grammar.NewMark("corp", "[default]") + "\n[default]",
		map[string]awsconfig.Mark{"default": {Owner: "corp", Intact: true, Line: 3}},
	},
	{
		"without a blank line between",
		marked("a", "corp") + marked("b", "corp"),
		map[string]awsconfig.Mark{
			"a": {Owner: "corp", Intact: true, Line: 1},
			"b": {Owner: "corp", Intact: true, Line: 5},
		},
	},
	{
		"CRLF from an editor",
		strings.ReplaceAll(marked("a", "corp"), "\n", "\r\n"),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: true, Line: 1}},
	},
	{
		"white space at the ends",
		strings.ReplaceAll(marked("a", "corp"), "\n", " \t\n"),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: true, Line: 1}},
	},
	{
		"comments and blank lines behind the last key",
		marked("a", "corp") + "\n# mine\n\n; c\n",
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: true, Line: 1}},
	},
	{
		"nested block",
		grammar.NewMark("corp", "[profile a]\ns3 =\n  a = b") + "\n[profile a]\ns3 =\n  a = b\n",
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: true, Line: 1}},
	},
	{
		"nested value changed",
		grammar.NewMark("corp", "[profile a]\ns3 =\n  a = b") + "\n[profile a]\ns3 =\n  a = c\n",
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 1}},
	},
	{
		"value changed",
		strings.Replace(marked("a", "corp"), "r1", "r2", 1),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 1}},
	},
	{
		"key added",
		marked("a", "corp") + "\n# why\noutput = json\n",
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 1}},
	},
	{
		"key removed",
		strings.Replace(marked("a", "corp"), "region = r1\n", "", 1),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 1}},
	},
	{
		"key commented out",
		strings.Replace(marked("a", "corp"), "region", "#region", 1),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 1}},
	},
	{
		"comment inside",
		strings.Replace(marked("a", "corp"), "region", "# mine\nregion", 1),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 1}},
	},
	{
		"blank line inside",
		strings.Replace(marked("a", "corp"), "region", "\nregion", 1),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 1}},
	},
	{
		"other order",
		strings.Replace(marked("a", "corp"), "sso_session = corp\nregion = r1\n", "region = r1\nsso_session = corp\n",
			1),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 1}},
	},
	{
		"indented",
		strings.Replace(marked("a", "corp"), "\n", "\n  ", 3),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 1}},
	},
	{
		"comment behind the header",
		strings.Replace(marked("a", "corp"), "]", "] # mine", 1),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 1}},
	},
	{
		"renamed",
		strings.Replace(marked("a", "corp"), "[profile a]", "[profile b]", 1),
		map[string]awsconfig.Mark{"b": {Owner: "corp", Intact: false, Line: 1}},
	},
	{
		"given to another owner",
		strings.Replace(marked("a", "corp"), "(corp)", "(dev)", 1),
		map[string]awsconfig.Mark{"a": {Owner: "dev", Intact: false, Line: 1}},
	},
	{"hash cut off", strings.Replace(marked("a", "corp"), ") ", ")\n#", 1), nil},
	{
		"hash missing",
		"# homing profiles sync (corp)\n[profile a]\n",
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 1}},
	},
	{"comment between mark and header", strings.Replace(marked("a", "corp"), "\n", "\n# mine\n", 1), nil},
	{"blank line between mark and header", strings.Replace(marked("a", "corp"), "\n", "\n\n", 1), nil},
	{
		"two marks",
		grammar.NewMark("dev", "x") + "\n" + marked("a", "corp"),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 2}},
	},
	{
		"the same mark twice",
		grammar.NewMark("corp", "[profile a]") + "\n" + grammar.NewMark("corp", "[profile a]") + "\n[profile a]\n",
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 2}},
	},
	{
		"two marks apart",
		grammar.NewMark("dev", "x") + "\n\n" + marked("a", "corp"),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: true, Line: 3}},
	},
	{
		"copied above a second header",
		marked("a", "corp") + strings.Replace(marked("a", "corp"), "[profile a]", "[profile b]", 1),
		map[string]awsconfig.Mark{
			"a": {Owner: "corp", Intact: true, Line: 1},
			"b": {Owner: "corp", Intact: false, Line: 5},
		},
	},
	{"above a session", grammar.NewMark("corp", "[sso-session a]") + "\n[sso-session a]\n", nil},
	{"above no section of ours", grammar.NewMark("corp", "[preview]") + "\n[preview]\n", nil},
	{"above a key", "[profile a]\n" + grammar.NewMark("corp", "k = v") + "\nk = v\n", nil},
	{
		"words of a person",
		"# homing profiles sync writes these\n[profile a]\n# homing profiles sync (\n[profile b]\n# homing profiles sync () 0\n[profile c]\n# homing profiles sync (%zz) 0\n[profile d]\n",
		nil,
	},
	{
		"profile in two spellings",
		marked("a", "corp") + "[profile \"a\"]\n",
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 1}},
	},
	{
		"profile in two spellings, the mark above the second",
		"[profile \"a\"]\n" + marked("a", "corp"),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: false, Line: 2}},
	},
	{
		"read by the SDKs' rules",
		marked("a", "corp") + "garbage\n" + marked("b", "corp") + marked("b", "corp"),
		map[string]awsconfig.Mark{
			"a": {Owner: "corp", Intact: false, Line: 1},
			"b": {Owner: "corp", Intact: false, Line: 10},
		},
	},
	{
		"last line without an end",
		strings.TrimSuffix(marked("a", "corp"), "\n"),
		map[string]awsconfig.Mark{"a": {Owner: "corp", Intact: true, Line: 1}},
	},
}

func TestMarks(t *testing.T) {
	for _, tt := range markTests {
		if got := marksOf(tt.text); !maps.Equal(got, tt.want) {
			t.Errorf("%s: %+v, want %+v\n%s", tt.name, got, tt.want, tt.text)
		}
	}
}

var removeTests = []struct {
	name, before string
	edits        []Edit
	after        string
}{
	{
		"first of two",
		"[profile dev]\na = 1\n\n[profile x]\nb = 2\n",
		[]Edit{removal("dev", "")},
		"[profile x]\nb = 2\n",
	},
	{"last of two", "[profile dev]\na = 1\n\n[profile x]\nb = 2\n", []Edit{removal("x", "")}, "[profile dev]\na = 1\n"},
	{"all", "[profile dev]\na = 1\n\n[profile x]\nb = 2\n", []Edit{removal("x", ""), removal("dev", "")}, ""},
	{
		"one blank line, not two",
		"[profile dev]\na = 1\n\n\n[profile x]\nb = 2\n\n\n[profile y]\n",
		[]Edit{removal("x", "")},
		"[profile dev]\na = 1\n\n\n\n[profile y]\n",
	},
	{
		"no blank line",
		"[profile dev]\na = 1\n[profile x]\nb = 2\n[profile y]\n",
		[]Edit{removal("x", "")},
		"[profile dev]\na = 1\n[profile y]\n",
	},
	{
		"comments stay",
		"# one\n\n# two\n[profile dev] # three\n# four\na = 1 # five\n  # six\n\n# seven\n[profile x]\n",
		[]Edit{removal("dev", "")},
		"# one\n\n# two\n# four\n  # six\n\n# seven\n[profile x]\n",
	},
	{
		"mark goes, the one of the next stays",
		"[profile dev]\n\n" + marked("a", "corp") + marked("b", "corp"),
		[]Edit{removal("a", "corp")},
		"[profile dev]\n" + marked("b", "corp"),
	},
	{"mark without an owner in the edit", marked("a", "corp"), []Edit{removal("a", "")}, ""},
	{
		"changed mark without an owner in the edit",
		"# homing profiles sync (corp) 0\n[profile a]\n",
		[]Edit{removal("a", "")},
		"",
	},
	{
		"nested blocks, continuation lines",
		"[profile dev]\ns3 =\n  a = b\n\n  c = d\nk = v\n  more\n\n[profile x]\n",
		[]Edit{removal("dev", "")},
		"\n\n[profile x]\n",
	},
	{
		"CRLF",
		"[profile dev]\r\na = 1\r\n\r\n[profile x]\r\nb = 2\r\n",
		[]Edit{removal("x", "")},
		"[profile dev]\r\na = 1\r\n",
	},
	{
		"last line without an end",
		"[profile dev]\na = 1\n\n[profile x]\nb = 2",
		[]Edit{removal("x", "")},
		"[profile dev]\na = 1",
	},
	{
		"CRLF, last line without an end",
		"[profile dev]\r\na = 1\r\n\r\n[profile x]\r\nb = 2",
		[]Edit{removal("x", "")},
		"[profile dev]\r\na = 1",
	},
	{"comment at the end without an end", "[profile dev]\na = 1\n# c", []Edit{removal("dev", "")}, "# c"},
	{
		"blank line below the header, last line without an end",
		"[profile x]\r\nb = 2\r\n\r\n[profile dev]\r\n\r\na = 1",
		[]Edit{removal("dev", "")},
		"[profile x]\r\nb = 2\r\n\r\n",
	},
	{
		"white space below the header, last line without an end",
		"[profile x]\nb = 2\n\n[profile dev]\n \t\na = 1",
		[]Edit{removal("dev", "")},
		"[profile x]\nb = 2\n \t",
	},
	{"blank lines alone, last line without an end", "\n\n[profile dev]\na = 1", []Edit{removal("dev", "")}, "\n"},
	{
		"quoted and padded headers",
		"[profile \"dev\"]\na = 1\n[ profile x ]\nb = 2\n[profile y]\n",
		[]Edit{removal("dev", ""), removal("x", "")},
		"[profile y]\n",
	},
	{
		"sessions and services",
		"[sso-session dev]\na = 1\n[services dev]\ns3 =\n  a = b\n[profile dev]\n",
		[]Edit{
			{Section: Section{grammar.KindSession, "dev"}, Remove: true},
			{Section: Section{grammar.KindServices, "dev"}, Remove: true},
		},
		"[profile dev]\n",
	},
	{"[default]", "[default]\na = 1\n[profile x]\n", []Edit{removal("default", "")}, "[profile x]\n"},
	{"what is not there", "[profile x]\n", []Edit{removal("dev", ""), removal("y", "corp")}, "[profile x]\n"},
	{"twice", "[profile x]\n[profile dev]\n", []Edit{removal("dev", ""), removal("dev", "")}, "[profile x]\n"},
	{"moved", marked("a", "corp"), []Edit{removal("a", "corp"), mine("b", "corp", work...)}, marked("b", "corp")},
	{
		"beside an insertion and another mark",
		"[profile dev]\na = 1\n" + marked("x", "corp") + marked("y", "corp"),
		[]Edit{mine("y", "corp", KeyValue{"region", "r2"}), removal("x", "corp"), set1(dev, "b", "2")},
		"[profile dev]\na = 1\nb = 2\n" + grammar.NewMark("corp",
			"[profile y]\nsso_session = corp\nregion = r2") + "\n[profile y]\nsso_session = corp\nregion = r2\n",
	},
	{
		"insertion in front of a mark",
		"[profile dev]\na = 1\n" + marked("x", "corp"),
		[]Edit{mine("x", "corp", KeyValue{"region", "r1"}), set1(dev, "b", "2")},
		"[profile dev]\na = 1\nb = 2\n" + marked("x", "corp"),
	},
	{
		"comment of a marked header",
		grammar.NewMark("corp", "[profile a] # see [docs]") + "\n[profile a] # see [docs]\n",
		[]Edit{mine("a", "corp", KeyValue{"region", "r1"})},
		"# see [docs]\n" + grammar.NewMark("corp", "[profile a]\nregion = r1") + "\n[profile a]\nregion = r1\n",
	},
	{
		"a changed one is taken back",
		strings.Replace(marked("a", "corp"), "r1", "r2", 1),
		[]Edit{mine("a", "corp", work...)},
		marked("a", "corp"),
	},
	{
		"the same mark copied above another",
		strings.Replace(marked("dev", "corp"), "\n",
			"\n[profile x]\na = 1\n"+strings.SplitAfter(marked("dev", "corp"), "\n")[0], 1),
		[]Edit{mine("x", "corp", KeyValue{"a", "2"})},
		grammar.NewMark("corp", "[profile x]\na = 2") + "\n[profile x]\na = 2\n" + marked("dev", "corp"),
	},
	{
		"an edit of a person leaves the mark",
		marked("a", "corp"),
		[]Edit{set1(Section{grammar.KindProfile, "a"}, "region", "r2")},
		strings.Replace(marked("a", "corp"), "r1", "r2", 1),
	},
	{"another owner", marked("a", "corp"), []Edit{mine("a", "dev", work...)}, marked("a", "dev")},
	{
		"keys unset",
		marked("a", "corp"),
		[]Edit{{Section: Section{grammar.KindProfile, "a"}, Unset: []string{"sso_session"}, Owner: "corp"}},
		grammar.NewMark("corp", "[profile a]\nregion = r1") + "\n[profile a]\nregion = r1\n",
	},
	{
		"an indented mark",
		"  " + strings.Replace(marked("a", "corp"), "\n", "  \n", 1),
		[]Edit{mine("a", "corp", KeyValue{"region", "r2"})},
		"  " + grammar.NewMark("corp",
			"[profile a]\nsso_session = corp\nregion = r2") + "  \n[profile a]\nsso_session = corp\nregion = r2\n",
	},
}

func TestRemoveAndMark(t *testing.T) {
	o := askable(t)
	for _, tt := range removeTests {
		t.Run(tt.name, func(t *testing.T) {
			if got := applied(t, tt.before, tt.edits...); got != tt.after {
				t.Errorf("got  %q\nwant %q", got, tt.after)
			}
			if made, _ := o.checkEdit(t, tt.before, tt.edits); !made {
				t.Error("refused")
			}
		})
	}
}

func TestManagedRefuses(t *testing.T) {
	changed := strings.Replace(marked("dev", "corp"), "r1", "r2", 1)
	for _, tt := range []struct {
		name, before string
		edit         Edit
		says         string
	}{
		{"a person's profile", "\n[profile dev]\n", mine("dev", "corp", work...), `line 2: profile "dev" was written by a person`},
		{"a person's profile, in another spelling", "[profile 'dev']\n", mine("dev", "corp", work...), `line 1: profile "dev" was written by a person`},
		{"remove a person's profile", "[profile dev]\n", removal("dev", "corp"), `line 1: profile "dev" was written by a person`},
		{"remove a changed one", changed, removal("dev", "corp"), `line 2: profile "dev" was changed by a person`},
		{"remove another's", marked("dev", "corp"), removal("dev", "other"), `line 2: profile "dev" is managed for "corp"`},
		{"two marks", grammar.NewMark("corp", "x") + "\n" + marked("dev", "corp"), mine("dev", "corp", KeyValue{"region", "r2"}), `line 3: the mark above profile "dev" would not hold`},
		{"removal would let the next header be swallowed", "[profile a]\nx = 1\n[profile dev]\n  y = 1\n  [profile c]\n  z = 1\n", removal("dev", ""), "line 5: this header would not be one any more"},
		{"removal of what has another section inside", "[profile dev]\nb = 2\n  [profile x]\n  c = 3\n", removal("dev", ""), "line 3: the SDKs take this for a header"},
		{"removal of one of two defaults", "[profile default]\na=1\n[default]\na=2\n", removal("default", ""), "more than once, on lines 1 and 3"},
		{"removal of one of two spellings", "[profile dev]\na=1\n[profile \"dev\"]\na=2\n", removal("dev", ""), "more than once, on lines 1 and 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Apply([]byte(tt.before), tt.edit)
			configtest.CheckFault(t, err, tt.says)
			if got != nil {
				t.Errorf("bytes came with the error: %q", got)
			}
		})
	}
	for name, edits := range map[string][]Edit{
		"owner of a session":      {{Section: Section{grammar.KindSession, "s"}, Owner: "corp", Set: work}},
		"removed and set":         {{Section: dev, Remove: true, Set: work}},
		"set, then removed":       {set1(dev, "a", "b"), removal("dev", "")},
		"removed, then unset":     {removal("dev", ""), {Section: dev, Unset: []string{"a"}}},
		"removed with a bad name": {removal("a b", "")},
	} {
		if _, err := Apply([]byte(example), edits...); err == nil {
			t.Errorf("%s: nothing was said", name)
		}
	}
}
