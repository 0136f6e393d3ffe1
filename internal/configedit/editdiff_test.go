package configedit

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	sdkconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/awsconfig/grammar"
	"github.com/homing-cli/homing/internal/fault"
)

// randomEdits are what our commands ask for: a few keys of a profile, a session beside it, managed profiles added,
// renewed and removed.
func randomEdits(r *rand.Rand) []Edit {
	g := generator{r: r}
	var edits []Edit
	for range 1 + r.IntN(3) {
		e := Edit{
			Section: Section{
				g.pick(grammar.KindProfile, grammar.KindProfile, grammar.KindProfile, grammar.KindSession),
				g.pick("dev", "p", "default", "x", "new", "a.b-c_d/e%f@g:h+1"),
			},
		}
		if slices.ContainsFunc(edits,
			func(o Edit) bool { return o.Section == e.Section && (o.Remove || r.IntN(2) == 0) }) {
			continue
		}
		if e.Section.Type == grammar.KindProfile && g.chance(3) {
			e.Owner = g.pick(genOwners...)
		}
		if g.chance(4) && !slices.ContainsFunc(edits, func(o Edit) bool { return o.Section == e.Section }) {
			e.Remove = true
			edits = append(edits, e)
			continue
		}
		for range r.IntN(4) {
			e.Set = append(
				e.Set,
				KeyValue{
					g.pick(fieldNames...),
					g.pick("v1", "https://new.awsapps.com/start#", "a=b:c", "x y \"z\"", "é"),
				},
			)
		}
		for range r.IntN(2) {
			e.Unset = append(e.Unset, g.pick(fieldNames...))
		}
		edits = append(edits, e)
	}
	return edits
}

// asked is what edits ask for: sections to keys to values, nil for a key that must not be there; nil for a section
// that must not be there.
type asked map[Section]map[string]*string

func askedBy(edits []Edit) asked {
	wanted := make(asked)
	for _, e := range edits {
		if e.Remove {
			wanted[e.Section] = nil
			continue
		}
		if wanted[e.Section] == nil {
			wanted[e.Section] = make(map[string]*string)
		}
		for _, kv := range e.Set {
			wanted[e.Section][grammar.Lower(kv.Key)] = &kv.Value
		}
		for _, key := range e.Unset {
			wanted[e.Section][grammar.Lower(key)] = nil
		}
	}
	return wanted
}

func (a asked) removed(s Section) bool {
	keys, ok := a[s]
	return ok && keys == nil
}

// checkEdit applies edits to text and asks both real readers about the result. It returns whether the edit was made.
func (o *oracles) checkEdit(t testing.TB, text string, edits []Edit) (made bool, values int) {
	t.Helper()
	out, err := Apply([]byte(text), edits...)
	if err != nil {
		var f *fault.Error
		if !errors.As(err, &f) || f.Remedy == nil || f.Kind != fault.Config && f.Kind != fault.Usage {
			t.Fatalf("not an error for a person: %v\n%q\n%v", err, text, edits)
		}
		return false, 0
	}
	after := string(out)
	if again, err := Apply(out, edits...); err != nil || string(again) != after {
		t.Fatalf("a second time: %v\n%q\n%q\n%q\n%v", err, text, after, again, edits)
	}
	wanted := askedBy(edits)
	if unindented := withoutIndents(text, edits); unindented != text {
		o.checkUnindented(t, text, unindented, wanted)
		text = unindented
	}
	o.cliAfter(t, text, after, wanted)
	values = o.sdkAfter(t, text, after, wanted)
	bytesAfter(t, text, after, wanted)
	marks := marksOf(after)
	for _, e := range edits {
		_, there := awsconfig.ReadingOf(grammar.ParseCLI(after)).Section(e.Section.Type, e.Section.Name)
		if m := marks[e.Section.Name]; e.Owner != "" && there && (!m.Intact || m.Owner == "") {
			t.Fatalf("the mark of %s is %+v\n%q\n%q", e.Section, m, text, after)
		}
	}
	return true, values
}

// withoutIndents is the text that edits were made to, after they could not be made to text itself.
func withoutIndents(text string, edits []Edit) string {
	e, err := newEditor("config", text, edits)
	if err == nil {
		_, err = e.edit()
	}
	if err == nil {
		return text
	}
	unindented, _ := e.unindent()
	return unindented
}

// checkUnindented: only indentation went, the Go SDK reads what it read, and what botocore reads now that it did not
// read before is what the SDK reads in that section, the keys aside that the edit is about.
func (o *oracles) checkUnindented(t testing.TB, before, after string, wanted asked) {
	t.Helper()
	was, is := strings.Split(before, "\n"), strings.Split(after, "\n")
	for i := range was {
		if len(was) != len(is) ||
			strings.TrimLeftFunc(was[i], grammar.PySpace) != strings.TrimLeftFunc(is[i], grammar.PySpace) {
			t.Fatalf("more than indentation went\n%q\n%q", before, after)
		}
	}
	o.sdkAfter(t, before, after, nil)
	old, now := o.botocore(t, before), o.botocore(t, after)
	cli, sdk := grammar.ParseCLI(after), grammar.ParseSDK(after)
	last := make(map[Section]int) // the one that counts for the AWS CLI
	for i := range cli.Sections {
		if kind, name, ok := grammar.CliID(cli.Sections[i].Name); ok {
			last[Section{kind, name}] = i
		}
	}
	for kind, pair := range map[string][2]map[string]map[string]any{grammar.KindProfile: {old.Profiles, now.Profiles},
		grammar.KindSession: {old.Sessions, now.Sessions}, grammar.KindServices: {old.Services, now.Services}} {
		if len(pair[0]) != len(pair[1]) {
			t.Fatalf("other sections\n%q\n%q", before, after)
		}
		for name, values := range pair[1] {
			i := last[Section{kind, name}]
			section, _ := wanted.named(cli, sdk, i)
			var theirs []grammar.Option
			if j, ok := grammar.SectionAt(sdk, cli.Sections[i].Start); ok {
				theirs = sdk.Options(&sdk.Sections[j])
			}
			for key, value := range values {
				if _, changes := wanted[section][key]; changes || reflect.DeepEqual(pair[0][name][key], value) {
					continue
				}
				if option := grammar.Lookup(theirs, key); option == nil || option.Value != value {
					t.Fatalf("botocore reads %v for %s of %q, the SDKs %v\n%q\n%q", value, key, name, option, before,
						after)
				}
			}
		}
	}
}

// cliAfter asks botocore: the wanted values are there, all else is as before.
func (o *oracles) cliAfter(t testing.TB, before, after string, wanted asked) {
	t.Helper()
	was, is := o.botocore(t, before), o.botocore(t, after)
	if was.Error != "" || is.Error != "" {
		t.Fatalf("edited although botocore says %q, after it %q\n%q\n%q", was.Error, is.Error, before, after)
	}
	for section, keys := range wanted {
		old, now := was.Profiles, is.Profiles
		switch section.Type {
		case grammar.KindSession:
			old, now = was.Sessions, is.Sessions
		case grammar.KindServices:
			old, now = was.Services, is.Services
		}
		if wanted.removed(section) {
			if _, ok := now[section.Name]; ok {
				t.Fatalf("botocore still reads %s\n%q\n%q", section, before, after)
			}
			delete(old, section.Name)
			continue
		}
		values := now[section.Name]
		for key, value := range keys {
			got, ok := values[key]
			if value == nil && ok || value != nil && got != *value {
				t.Fatalf("botocore reads %v for %s of %s\n%q\n%q", got, key, section, before, after)
			}
		}
		rest, restBefore := without(values, keys), without(old[section.Name], keys)
		_, there := old[section.Name]
		if !there && len(values) == len(keys) { // new, with nothing but what was asked for ([DEFAULT] aside)
			delete(now, section.Name)
			continue
		}
		if there && !reflect.DeepEqual(rest, restBefore) {
			t.Fatalf("botocore reads %v in %s, before it read %v\n%q\n%q", rest, section, restBefore, before, after)
		}
		delete(now, section.Name)
		delete(old, section.Name)
	}
	if !reflect.DeepEqual(was, is) {
		t.Fatalf("other sections changed for botocore\n%v\n%v\n%q\n%q", was, is, before, after)
	}
}

func without[V any](m map[string]any, keys map[string]V) map[string]any {
	rest := make(map[string]any)
	for k, v := range m {
		if _, ok := keys[k]; !ok {
			rest[k] = v
		}
	}
	return rest
}

// sdkAfter asks the Go SDK the same. Where it refuses a combination of keys there is nothing to compare.
func (o *oracles) sdkAfter(t testing.TB, before, after string, wanted asked) (values int) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	names := awsconfig.ReadingOf(grammar.ParseSDK(after)).Names(grammar.KindProfile)
	const probe = "\n[profile oracle-probe]\nsso_session = "
	was := make(map[string]map[string]string)
	path := o.file(t, before)
	for _, name := range names {
		if c, panicked, err := o.sdk(path, name); err == nil && !panicked {
			was[name] = make(map[string]string)
			for key, field := range sdkFields {
				was[name][key] = field(&c)
			}
		}
	}
	path = o.file(t, after)
	alike := spellings(before)
	for _, name := range names {
		c, panicked, err := o.sdk(path, name)
		if err != nil || panicked {
			continue
		}
		keys := wanted[Section{grammar.KindProfile, name}]
		for key, field := range sdkFields {
			if cleared(&c, key) {
				continue
			}
			got := field(&c)
			want, asked := keys[key]
			switch _, tolerated := wanted[Section{grammar.KindProfile, alike[name]}][key]; {
			case tolerated && keys == nil: // the edit was to this section if it is the last of that name
			case asked && want != nil && got != *want, asked && want == nil && got != "":
				t.Fatalf("the Go SDK reads %q for %s of profile %q\n%q\n%q", got, key, name, before, after)
			case !asked && was[name] != nil && got != was[name][key]:
				t.Fatalf("the Go SDK reads %q for %s of profile %q, before it read %q\n%q\n%q", got, key, name,
					was[name][key], before, after)
			}
			values++
		}
	}
	for section, keys := range wanted {
		if wanted.removed(section) && section.Type == grammar.KindProfile {
			var missing sdkconfig.SharedConfigProfileNotExistError
			if _, panicked, err := o.sdk(path, section.Name); !panicked && !errors.As(err, &missing) {
				t.Fatalf("the Go SDK still reads %s: %v\n%q\n%q", section, err, before, after)
			}
			values++
		}
		if section.Type != grammar.KindSession || wanted.removed(section) {
			continue
		}
		c, panicked, err := o.sdk(o.file(t, after+probe+section.Name+"\n"), "oracle-probe")
		if panicked || err != nil || c.SSOSession == nil {
			continue
		}
		for key, got := range map[string]string{"sso_region": c.SSOSession.SSORegion, "sso_start_url": c.SSOSession.SSOStartURL} {
			if want, asked := keys[key]; asked && (want != nil && got != *want || want == nil && got != "") {
				t.Fatalf("the Go SDK reads %q for %s of %s\n%q\n%q", got, key, section, before, after)
			}
			values++
		}
	}
	return values
}

// spellings maps the name that the SDKs read in a header to the one that the AWS CLI reads there: 'x' to x.
func spellings(text string) map[string]string {
	names := make(map[string]string)
	cli, sdk := grammar.ParseCLI(text), grammar.ParseSDK(text)
	for i := range sdk.Sections {
		if j, ok := grammar.SectionAt(cli, sdk.Sections[i].Start); ok {
			_, theirs, ok := grammar.SdkID(sdk.Sections[i].Name)
			if kind, name, ok2 := grammar.CliID(cli.Sections[j].Name); ok && ok2 && kind == grammar.KindProfile {
				names[theirs] = name
			}
		}
	}
	return names
}

// bytesAfter checks the bytes: sections that were not named are the same from header to last key, so is every line of
// the named ones that does not belong to a key that changed, and what stands between them stays in its order.
func bytesAfter(t testing.TB, before, after string, wanted asked) {
	t.Helper()
	was, is := grammar.ParseCLI(before), grammar.ParseCLI(after)
	sdkWas := grammar.ParseSDK(before)
	meant := make(map[int]bool) // where the lines start that may go
	removed := 0
	mean := func(start, end int) {
		for lines := grammar.ScanFrom(before[:end], false, start, 1); lines.Scan(); {
			meant[lines.Line.Start] = true
		}
	}
	j := 0
	for i := range was.Sections {
		section, named := wanted.named(was, sdkWas, i)
		if m, ok := was.Mark(&was.Sections[i]); ok && named {
			mean(m.Start, m.End)
		}
		if named && wanted.removed(section) {
			removed++
			lines := grammar.ScanFrom(before[:was.Sections[i].End], false, was.Sections[i].Start, 1)
			for lines.Scan() {
				if !lines.Comment() {
					mean(lines.Line.Start, lines.Line.Next)
				}
			}
			continue
		}
		a := is.Text[is.Sections[j].Start:is.Sections[j].End]
		j++
		if !named {
			if core(is, j-1) != core(was, i) {
				t.Fatalf("bytes of section %d changed\n%q\n%q", i, before, after)
			}
			continue
		}
		keys := wanted[section]
		lines := strings.SplitAfter(a, "\n")
		for _, l := range keptLines(was, i, keys) {
			j := slices.IndexFunc(lines,
				func(s string) bool { return strings.TrimRight(s, "\r\n") == strings.TrimRight(l, "\r\n") })
			if j < 0 {
				t.Fatalf("line %q is gone or moved\n%q\n%q", l, before, after)
			}
			lines = lines[j+1:]
		}
		s := &was.Sections[i]
		mean(s.Start, s.BodyStart)
		for _, o := range was.Options(s) {
			if _, changes := keys[o.Key]; changes {
				mean(o.Start, o.End)
			}
		}
	}
	linesAfter(t, before, after, meant, removed, len(is.Sections)+removed-len(was.Sections))
	if eol := strings.Contains(before, "\r\n"); eol &&
		!strings.Contains(strings.ReplaceAll(before, "\r\n", ""), "\n") &&
		strings.Contains(strings.ReplaceAll(after, "\r\n", ""), "\n") {
		t.Fatalf("line endings are mixed now\n%q\n%q", before, after)
	}
	// Where the last lines go, a blank one may be what is left.
	if ended := strings.HasSuffix(after, "\n"); before != "" && after != "" &&
		strings.HasSuffix(before, "\n") != ended &&
		(!ended || len(meant) == 0) {
		t.Fatalf("the end of the last line changed\n%q\n%q", before, after)
	}
}

// linesAfter checks that all lines but the meant ones are there in their order, and that each section took at most
// one blank line with it or brought one.
func linesAfter(t testing.TB, before, after string, meant map[int]bool, removed, made int) {
	t.Helper()
	bare := func(l string) string { return strings.TrimRight(l, "\r\n") }
	lines, blanks, marks := strings.SplitAfter(after, "\n"), 0, grammar.ParseCLI(before)
	for s := grammar.NewScanner(before, false); s.Scan(); {
		switch {
		case s.Blank():
			blanks++
			continue
		case meant[s.Line.Start] && !s.Comment():
			continue
		case meant[s.Line.Start]:
			if _, _, ok := marks.MarkEndingAt(s.Line.Next); ok {
				continue // not looked for: the same line may stand further down
			}
		}
		l := before[s.Line.Start:s.Line.Next]
		i := slices.IndexFunc(lines, func(s string) bool { return bare(s) == bare(l) })
		if i < 0 {
			t.Fatalf("line %q is gone or moved\n%q\n%q", l, before, after)
		}
		lines = lines[i+1:]
	}
	for l := range strings.SplitAfterSeq(after, "\n") {
		if l != "" && grammar.PyStrip(l) == "" {
			blanks--
		}
	}
	if blanks > removed || -blanks > made {
		t.Fatalf("%d blank lines are gone\n%q\n%q", blanks, before, after)
	}
}

// named says which of the wanted sections a section is for one of the readers.
func (a asked) named(cli, sdk *grammar.Document, i int) (Section, bool) {
	kind, name, _ := grammar.CliID(cli.Sections[i].Name)
	if _, ok := a[Section{kind, name}]; ok {
		return Section{kind, name}, true
	}
	if j, ok := grammar.SectionAt(sdk, cli.Sections[i].Start); ok {
		kind, name, _ = grammar.SdkID(sdk.Sections[j].Name)
		_, ok := a[Section{kind, name}]
		return Section{kind, name}, ok
	}
	return Section{}, false
}

// core is the text of a section from its header to its last key, without the last line ending.
func core(d *grammar.Document, i int) string {
	s := &d.Sections[i]
	end := s.BodyStart
	lines := grammar.ScanFrom(d.Text[:s.End], false, s.BodyStart, 1)
	for lines.Scan() {
		if !lines.Blank() && !lines.Comment() {
			end = lines.Line.Next
		}
	}
	return strings.TrimRight(d.Text[s.Start:end], "\r\n")
}

// keptLines are the lines of a section below its header that an edit of keys has no business with.
func keptLines(d *grammar.Document, i int, keys map[string]*string) (kept []string) {
	s := &d.Sections[i]
	from := s.BodyStart
	for _, o := range d.Options(s) {
		if _, changes := keys[o.Key]; !changes {
			continue
		}
		kept = append(kept, strings.SplitAfter(d.Text[from:o.Start], "\n")...)
		from = o.End
	}
	end := s.Start + len(core(d, i))
	kept = append(kept, strings.SplitAfter(d.Text[min(from, end):end], "\n")...)
	return slices.DeleteFunc(kept, func(l string) bool { return grammar.PyStrip(l) == "" })
}

var quoted = regexp.MustCompile(`(profile |sso-session )?"[^"]*"`)

// TestEditsHold edits generated files and asks both real readers about the result.
func TestEditsHold(t *testing.T) {
	o := askable(t)
	made, refused, values, unindented := 0, 0, 0, 0
	reasons := make(map[string]int)
	generated(t, func(r *rand.Rand, text string) {
		edits := randomEdits(r)
		if grammar.ParseCLI(text).Broken != nil {
			if _, err := Apply([]byte(text), edits...); err == nil {
				t.Fatalf("edited a file that the AWS CLI cannot load\n%q", text)
			}
			return
		}
		ok, n := o.checkEdit(t, text, edits)
		values += n
		if ok {
			if made++; withoutIndents(text, edits) != text {
				unindented++
			}
			return
		}
		refused++
		_, err := Apply([]byte(text), edits...)
		_, why, _ := strings.Cut(err.Error(), "line ")
		reasons[quoted.ReplaceAllString(strings.TrimLeft(why, "0123456789:, and"), "…")]++
	})
	t.Logf(
		"%d edits made, %d of them after indentation went, %d refused, %d values compared with the Go SDK; refused: %v",
		made,
		unindented,
		refused,
		values,
		reasons,
	)
	if made < 30 || refused > made/2 || values < made {
		t.Errorf("too little was edited for this to mean anything")
	}
}
