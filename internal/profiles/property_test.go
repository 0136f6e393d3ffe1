package profiles

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// world makes accounts, files, options and what people do to files, from few names, so that everything meets
// everything.
type world struct{ r *rand.Rand }

func (w world) pick(from ...string) string { return from[w.r.IntN(len(from))] }
func (w world) chance(n int) bool          { return w.r.IntN(n) == 0 }

func (w world) id() string {
	return w.pick("111111111111", "222222222222", "333333333333", "444444444444")
}
func (w world) role() string { return w.pick("Admin", "admin", "Read", "x=y", "x,y") }

// grants are some of all there are. An account has the same name all the time, mostly.
func (w world) grants() []Grant {
	names := map[string]string{
		"111111111111": "prod",
		"222222222222": "Prod",
		"333333333333": "prod-admin",
		"444444444444": "本番",
	}
	if w.chance(6) {
		names[w.id()] = w.pick("prod", "test", "default", "", "prod-Admin-111111111111", "a\n[profile x]")
	}
	var all []Grant
	for id, name := range names {
		for _, role := range []string{"Admin", "Read", "x=y", "x,y"} {
			if !w.chance(3) {
				all = append(all, grant(id, name, role))
			}
		}
	}
	return all
}

func (w world) options() Options {
	o := Options{Session: corp, Program: "/usr/local/bin/homing"}
	if w.chance(3) {
		o.Template = w.pick("{{.AccountName}}", "{{.RoleName}}", "{{.AccountID}}-{{.RoleName}}",
			"{{.AccountName|slug}}.{{.Region}}", "fixed", "{{.AccountEmail}}")
	}
	if w.chance(3) {
		o.Form = Form(w.pick(string(FormSession), string(FormLegacy), string(FormProcess)))
	}
	for w.chance(4) {
		o.Select.Accounts = append(o.Select.Accounts, w.pick("prod", "2*", "*", "444444444444"))
	}
	for w.chance(5) {
		o.Select.Roles = append(o.Select.Roles, w.pick("Admin", "x*"))
	}
	for w.chance(4) {
		o.Select.Exclude = append(o.Select.Exclude, w.pick("111*", "*/Read", "prod*/x?y"))
	}
	for w.chance(3) {
		o.Defaults = append(
			o.Defaults,
			Default{
				w.pick("*", "prod", "*/Admin", "prod*"),
				w.pick("", "eu-west-2", "us-east-1"),
				w.pick("", "json", "text"),
			},
		)
	}
	for w.chance(4) {
		o.Unknown = append(o.Unknown, w.id())
	}
	for w.chance(5) {
		o.Taken = append(o.Taken, w.pick("prod-Admin", "PROD-READ", "fixed"))
	}
	o.Prune, o.Rename = w.chance(2), w.chance(3)
	return o
}

// profile is one that a person writes.
func (w world) profile(name string) string {
	header := "[profile " + name + "]\n"
	if name == "default" {
		header = "[default]\n"
	}
	switch w.r.IntN(6) {
	case 0:
		return header + "sso_session = corp\nsso_account_id = " + w.id() + "\nsso_role_name = " + w.role() + "\n"
	case 1:
		return header + "# mine\nregion=eu-central-1\nsso_start_url = " + corp.StartURL + "\nsso_region = eu-west-1\nsso_account_id = " + w.id() + "\nsso_role_name = " + w.role() + "\n; end\n"
	case 2:
		return header + "credential_process = '/opt/x y/homing' credentials --sso-session=corp --account-id " + w.id() + " --role-name " + w.role() + "\n"
	case 3:
		return header + "role_arn = arn:aws:iam::1:role/a#b\nsource_profile = " + w.name() + "\n"
	case 4:
		return header + "s3 =\n  max_queue_size = 10\n  # nested\n  x = y\n"
	}
	return header + "region = us-east-1\n"
}

func (w world) name() string {
	return w.pick("prod-Admin", "Prod-Read", "prod-admin-x-y", "default", "mine", "prod-Admin-111111111111",
		"222222222222-Read", "fixed", "prod")
}

// meddle is what a person or another program does to the file between two runs.
func (w world) meddle(src string) string {
	add := func(section string) string {
		header, _, _ := strings.Cut(section, "\n")
		if strings.Contains(src, header) {
			return src
		}
		return src + "\n" + section
	}
	lines := strings.SplitAfter(src, "\n")
	var marked, keys []int
	for i, l := range lines {
		if strings.HasPrefix(l, "# homing") {
			marked = append(marked, i)
		} else if strings.Contains(l, "sso_") || strings.HasPrefix(l, "region") {
			keys = append(keys, i)
		}
	}
	at := func(list []int) int { return list[w.r.IntN(len(list))] }
	switch w.r.IntN(9) {
	case 0, 1:
		return add(w.profile(w.name()))
	case 2: // a value is changed
		if len(keys) > 0 {
			i := at(keys)
			if strings.HasPrefix(lines[i], "region") {
				lines[i] = "region = ap-south-1\n"
			} else if strings.HasPrefix(lines[i], keyAccount) {
				lines[i] = keyAccount + " = " + w.id() + "\n"
			}
		}
	case 3: // a comment goes into a section
		if len(keys) > 0 {
			lines = slices.Insert(lines, at(keys), "# a note\n")
		}
	case 4: // a mark goes
		if len(marked) > 0 {
			i := at(marked)
			lines = slices.Delete(lines, i, i+1)
		}
	case 5: // a mark is copied above a profile of a person
		if len(marked) > 0 {
			return strings.TrimRight(add(lines[at(marked)]+w.profile(w.pick("copied", "copied2"))), "\n") + "\n"
		}
	case 6: // a section is copied under another name, with its mark
		if len(marked) > 0 {
			i := at(marked)
			j := i + 2
			for j < len(lines) && strings.TrimSpace(lines[j]) != "" {
				j++
			}
			copied := strings.Join(lines[i:j], "")
			name := fmt.Sprintf("[profile copy%d]", w.r.IntN(3))
			if !strings.Contains(src, name) {
				header := lines[i+1]
				return src + "\n" + strings.Replace(copied, header, name+"\n", 1)
			}
		}
	case 7: // another session's
		if len(marked) > 0 {
			i := at(marked)
			lines[i] = strings.Replace(lines[i], "(corp)", "(other)", 1)
		}
	}
	text := strings.Join(lines, "")
	if awsconfig.Parse("config", []byte(text)).CLIError() != nil || !strings.HasPrefix(text, "[sso-session corp]\n") {
		return src
	}
	if _, err := awsconfig.Parse("config", []byte(text)).Session("corp"); err != nil ||
		!strings.Contains(text, corpSection) {
		return src
	}
	return text
}

// sections are the bytes from each header to its last key, by header. Only for files of this test.
func sections(text string) map[string]string {
	found := map[string]string{}
	header, body := "", ""
	flush := func() {
		if header != "" {
			found[header] = body
		}
	}
	pending := ""
	for line := range strings.Lines(text) {
		switch trimmed := strings.TrimSpace(line); {
		case strings.HasPrefix(line, "["):
			flush()
			header, body, pending = trimmed, line, ""
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
			pending += line
		default:
			body, pending = body+pending+line, ""
		}
	}
	flush()
	return found
}

func headerOf(profile string) string {
	if profile == "default" {
		return "[default]"
	}
	return "[profile " + profile + "]"
}

// Files, people and runs in any order: what a person wrote or changed stays byte for byte, names are unique and stay,
// only what may go goes, the next run finds nothing to do.
func TestAnyHistory(t *testing.T) {
	t.Parallel()
	kinds := map[Kind]int{}
	for seed := range uint64(300) {
		w := world{rand.New(rand.NewPCG(seed, 7))}
		src := corpSection
		for step := range 8 {
			for w.chance(2) {
				src = w.meddle(src)
			}
			src = w.step(t, src, kinds)
			if t.Failed() {
				t.Fatalf("seed %d, step %d", seed, step)
			}
		}
	}
	for _, k := range []Kind{Add, Update, Rename, Remove, Keep, Covered, Changed, Stale} {
		if kinds[k] < 20 {
			t.Errorf("%d times %s: too few to show anything", kinds[k], k)
		}
	}
}

func (w world) step(t *testing.T, src string, kinds map[Kind]int) string {
	t.Helper()
	grants, o := w.grants(), w.options()
	plan, out := planned(t, src, grants, o)
	for _, c := range plan.Changes {
		kinds[c.Kind]++
	}
	before, after := awsconfig.Parse("config", []byte(src)), awsconfig.Parse("config", []byte(out))
	was, is := sections(src), sections(out)
	marks, marksAfter := before.Marks(), after.Marks()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf(format+"\n%+v\n%s\nbefore:\n%s\nafter:\n%s", append(args, o, told(plan), src, out)...)
	}
	if after.CLIError() != nil {
		fail("the file is broken: %v", after.CLIError())
	}

	// What is a person's, or another session's.
	lowerBefore := map[string]bool{}
	for p := range before.Profiles() {
		lowerBefore[strings.ToLower(p.Name)] = true
		if m := marks[p.Name]; m.Intact && m.Owner == "corp" {
			continue
		}
		if h := headerOf(p.Name); was[h] == "" || was[h] != is[h] {
			fail("%s was %q and is %q", h, was[h], is[h])
		}
	}
	for line := range strings.Lines(src) { // comments of people stay, wherever they are
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# homing") &&
			strings.Count(src, line) > strings.Count(out, line) {
			fail("the comment %q is gone", line)
		}
	}

	r := reader{corp}
	stands := map[key][]string{} // intact managed profiles by what they give access to
	for p := range before.Profiles() {
		if m := marks[p.Name]; m.Intact && m.Owner == "corp" {
			stands[r.read(p).key] = append(stands[r.read(p).key], p.Name)
		}
	}
	granted := map[key]Grant{}
	for _, g := range grants {
		granted[key{g.Account.ID, g.Role}] = g
	}
	pick := newPicker(o)

	// What goes, and where to.
	gone := map[string]bool{}
	for p := range before.Profiles() {
		if _, ok := after.Profile(p.Name); !ok {
			gone[p.Name] = true
		}
	}
	for _, c := range plan.Changes {
		switch c.Kind {
		case Remove:
			k := key{c.Grant.Account.ID, c.Grant.Role}
			_, still := granted[k]
			_, excluded := pick.selects(c.Grant)
			twice := len(stands[k]) > 1 ||
				slices.ContainsFunc(plan.Changes,
					func(d Change) bool { return d.Kind == Changed && d.Grant.Role == k.role })
			if !o.Prune || len(grants) == 0 || !still && slices.Contains(o.Unknown, k.account) ||
				still && !excluded && !twice {
				fail("%s is removed", c.Profile)
			}
			if !gone[c.Profile] {
				fail("%s is said to be removed", c.Profile)
			}
			delete(gone, c.Profile)
		case Rename:
			if !o.Rename || !gone[c.Was] {
				fail("%s is renamed", c.Was)
			}
			delete(gone, c.Was)
		}
	}
	if len(gone) > 0 {
		fail("%v are gone unsaid", slices.Collect(maps.Keys(gone)))
	}
	for p := range after.Profiles() {
		if source := p.Get("source_profile"); source != "" {
			_, had := before.Profile(source)
			if _, has := after.Profile(source); had && !has {
				fail("source_profile %s of %s is gone", source, p.Name)
			}
		}
	}

	// Names.
	lower := map[string]string{}
	for p := range after.Profiles() {
		l := strings.ToLower(p.Name)
		if other := lower[l]; other != "" && !(marks[p.Name].Owner == "" && marks[other].Owner == "") &&
			marksAfter[p.Name] != marks[p.Name] {
			fail("%s and %s", other, p.Name)
		}
		lower[l] = p.Name
		if _, had := before.Profile(p.Name); !had {
			if err := configedit.ValidName(p.Name); err != nil || p.Name == "default" ||
				slices.Contains(o.Taken, p.Name) ||
				marksAfter[p.Name] == (awsconfig.Mark{}) {
				fail("the new name %q: %v", p.Name, err)
			}
		}
	}
	for k, names := range stands {
		g, ok := granted[k]
		selected := false
		if ok {
			selected, _ = pick.selects(g)
		}
		if selected && !o.Rename && len(names) == 1 {
			if _, ok := after.Profile(names[0]); !ok {
				fail("%s is another one's or gone", names[0])
			}
		}
	}

	// What is wanted is there, by both readers' lights, and intact.
	covering := Covering(after, corp)
	for k, g := range granted {
		if selected, _ := pick.selects(g); selected && len(covering[[2]string{k.account, k.role}]) == 0 {
			fail("nothing covers %v", k)
		}
	}
	for _, c := range plan.Changes {
		if m := marksAfter[c.Profile]; (c.Kind == Add || c.Kind == Update || c.Kind == Rename) &&
			(!m.Intact || m.Owner != "corp") {
			fail("the mark of %s: %+v", c.Profile, m)
		}
	}
	return out
}

// Any file at all: a plan is made and applied, or refused with a reason, and nobody's profile changes.
func FuzzMake(f *testing.F) {
	f.Add(corpSection, uint64(1))
	f.Add(people, uint64(2))
	f.Add(corpSection+"region = x\n[DEFAULT]\noutput = json\nsso_start_url = x\n", uint64(3))
	f.Add(corpSection+"[profile a]\n  region = x\n   output = y\n", uint64(4))
	f.Add(strings.ReplaceAll(people, "\n", "\r\n"), uint64(5))
	f.Add(
		corpSection+"[ profile prod-Admin ]\n[profile \"prod-Read\"]\n[prod]\n[profile 'x y']\nregion = x # y",
		uint64(6),
	)
	w := world{rand.New(rand.NewPCG(9, 9))}
	src := corpSection
	for range 4 {
		src = w.meddle(w.meddle(src))
		if plan, err := Make(awsconfig.Parse("config", []byte(src)), w.grants(), w.options()); err == nil {
			if out, err := configedit.Apply([]byte(src), plan.Edits...); err == nil {
				src = string(out)
			}
		}
		f.Add(src, uint64(7))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64) {
		w := world{rand.New(rand.NewPCG(seed, 1))}
		before := awsconfig.Parse("config", []byte(text))
		grants, o := w.grants(), w.options()
		if s, err := before.Session("corp"); err == nil {
			o.Session = s
		} else if w.chance(2) {
			o.Session = session.Session{StartURL: "https://x.awsapps.com/start", Region: "eu-west-1"}
			if o.Form != "" {
				o.Form = FormLegacy
			}
		}
		plan, err := Make(before, grants, o)
		if err != nil {
			if fault.KindOf(err) == fault.Bug || fault.RemedyOf(err) == nil || !plan.Empty() {
				t.Errorf("%v (%v)", err, fault.RemedyOf(err))
			}
			return
		}
		out, err := configedit.Apply([]byte(text), plan.Edits...)
		if err != nil {
			if fault.KindOf(err) == fault.Bug {
				t.Errorf("%v", err)
			}
			return
		}
		after := awsconfig.Parse("config", out)
		marks := before.Marks()
		for p := range before.Profiles() {
			if m := marks[p.Name]; m.Intact &&
				(m.Owner == o.Session.CacheKey() || !slices.Contains(before.SessionNames(), m.Owner)) {
				continue
			}
			now, ok := after.Profile(p.Name)
			if !ok {
				t.Errorf("profile %q is gone", p.Name)
				continue
			}
			for _, key := range p.Keys() {
				was, _ := p.Lookup(key)
				if is, _ := now.Lookup(key); is != was {
					t.Errorf("%s of %q was %q and is %q", key, p.Name, was, is)
				}
			}
		}
		again, err := Make(after, grants, o)
		if err != nil || !again.Empty() {
			t.Errorf("the second plan: %v, %v", again.Edits, err)
		}
	})
}
