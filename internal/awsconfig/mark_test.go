package awsconfig

import (
	"strings"
	"testing"
)

// mine is an edit of a managed profile.
func mine(name, owner string, settings ...KeyValue) Edit {
	return Edit{Section: Section{kindProfile, name}, Set: settings, Owner: owner}
}

func removal(name, owner string) Edit {
	return Edit{Section: Section{kindProfile, name}, Remove: true, Owner: owner}
}

func applied(t testing.TB, src string, edits ...Edit) string {
	t.Helper()
	out, err := Apply([]byte(src), edits...)
	if err != nil {
		t.Fatalf("%v\n%q", err, src)
	}
	return string(out)
}

func marksOf(text string) map[string]Mark { return Parse("config", []byte(text)).Marks() }

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
		if m := marksOf(text)["a"]; m != (Mark{owner, true, 1}) {
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
