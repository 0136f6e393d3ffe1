package profiles

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/configedit"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

var (
	corp   = session.Session{Name: "corp", StartURL: "https://corp.awsapps.com/start", Region: "eu-west-1"}
	legacy = session.Session{StartURL: "https://old.awsapps.com/start#", Region: "us-east-1"}
)

const corpSection = `[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-west-1
`

func grant(id, name, role string) Grant {
	return Grant{
		Account: session.Account{ID: id, Name: name, Email: strings.ToLower(name) + "@acme.example"},
		Role:    role,
	}
}

// planned plans, checks what holds for every plan, and returns the plan with the text that it makes.
func planned(t testing.TB, src string, grants []Grant, o Options) (Plan, string) {
	t.Helper()
	plan, err := Make(awsconfig.Parse("config", []byte(src)), grants, o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := configedit.Apply([]byte(src), plan.Edits...)
	if err != nil {
		t.Fatalf("%v\nedits %v\nof\n%s", err, plan.Edits, src)
	}
	if plan.Empty() != (string(out) == src) {
		t.Errorf("an empty plan: %v, and the file is the same: %v", plan.Empty(), string(out) == src)
	}
	again, err := Make(awsconfig.Parse("config", out), grants, o)
	if err != nil || !again.Empty() {
		t.Fatalf("the second plan has %v, %v\nof\n%s", again.Edits, err, out)
	}
	shuffled := slices.Clone(grants)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	other, err := Make(awsconfig.Parse("config", []byte(src)), append(shuffled, shuffled...), o)
	if err != nil || !reflect.DeepEqual(other, plan) {
		t.Fatalf("in another order: %v\n%s", err, cmp.Diff(plan, other))
	}
	return plan, string(out)
}

// told are the changes of a plan in short.
func told(p Plan) string {
	var b strings.Builder
	for _, c := range p.Changes {
		fmt.Fprintf(&b, "%s %s", c.Kind, c.Profile)
		if c.Was != "" {
			fmt.Fprintf(&b, " was %s", c.Was)
		}
		fmt.Fprintf(&b, " = %s/%s", c.Grant.Account.ID, c.Grant.Role)
		if c.Reason != "" {
			fmt.Fprintf(&b, " (%s)", c.Reason)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// unmarked is text without what is different in every mark.
func unmarked(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "# homing profiles sync (") {
			lines[i] = l[:strings.Index(l, ")")+1]
		}
	}
	return strings.Join(lines, "\n")
}

func same(t testing.TB, what, got, want string) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (- wanted, + is):\n%s", what, d)
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	grants := []Grant{
		grant("222222222222", "Acme Test", "Read"),
		grant("111111111111", "Acme Prod", "Admin"),
		grant("111111111111", "Acme Prod", "Read"),
	}
	for _, tt := range []struct {
		name, src string
		o         Options
		want      string
	}{
		{"sso-session", corpSection, Options{Session: corp}, corpSection + `
# homing profiles sync (corp)
[profile acme-prod-Admin]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = Admin
region = eu-west-1

# homing profiles sync (corp)
[profile acme-prod-Read]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = Read
region = eu-west-1

# homing profiles sync (corp)
[profile acme-test-Read]
sso_session = corp
sso_account_id = 222222222222
sso_role_name = Read
region = eu-west-1
`},
		{"legacy", corpSection, Options{Session: corp, Form: FormLegacy, Select: Selection{Roles: []string{"admin"}}}, corpSection + `
# homing profiles sync (corp)
[profile acme-prod-Admin]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 111111111111
sso_role_name = Admin
region = eu-west-1
`},
		{"legacy session", "", Options{Session: legacy, Select: Selection{Accounts: []string{"*TEST"}}}, `# homing profiles sync (https%3A//old.awsapps.com/start%23)
[profile acme-test-Read]
sso_start_url = https://old.awsapps.com/start#
sso_region = us-east-1
sso_account_id = 222222222222
sso_role_name = Read
region = us-east-1
`},
		{"credential_process", corpSection, Options{
			Session: corp, Form: FormProcess, Program: "/opt/my tools/homing", Template: "{{.AccountID}}/{{.RoleName | lower}}",
			Select: Selection{Exclude: []string{"*/read"}}, Defaults: []Default{{Match: "*", Output: "json"}},
		}, corpSection + `
# homing profiles sync (corp)
[profile 111111111111/admin]
credential_process = '/opt/my tools/homing' credentials --sso-session corp --account-id 111111111111 --role-name Admin
region = eu-west-1
output = json
`},
	} {
		_, out := planned(t, tt.src, grants, tt.o)
		same(t, tt.name, unmarked(out), tt.want)
	}
}

// A profile that is there in one form becomes one of another, with nothing of the first left.
func TestAnotherForm(t *testing.T) {
	t.Parallel()
	grants := []Grant{grant("111111111111", "Prod", "Admin")}
	forms := []Form{FormSession, FormLegacy, FormProcess, FormSession, FormProcess, FormLegacy, FormSession}
	src := corpSection
	made := map[Form]string{}
	for _, form := range forms {
		plan, out := planned(
			t,
			src,
			grants,
			Options{
				Session:  corp,
				Form:     form,
				Program:  "/usr/bin/homing",
				Defaults: []Default{{"*", "eu-west-2", "json"}},
			},
		)
		keys := map[string]bool{}
		for p := range awsconfig.Parse("config", []byte(out)).Profiles() {
			for _, key := range p.Keys() {
				keys[key] = true
			}
		}
		if keys[keyProcess] && len(keys) != 3 || keys[keySession] && keys[keyURL] || !keys[keyRegion] ||
			!keys[keyOutput] {
			t.Errorf("%s holds %v", form, keys)
		}
		if m := awsconfig.Parse("config", []byte(out)).Marks()["prod-Admin"]; !m.Intact {
			t.Errorf("after %s the mark is not intact", form)
		}
		if made[form] == "" {
			made[form] = out
		}
		if len(plan.Changes) != 1 {
			t.Errorf("%s", told(plan))
		}
		// What nobody says stays as it is.
		if plan, err := Make(awsconfig.Parse("config", []byte(out)), grants, Options{Session: corp, Program: "/usr/bin/homing"}); err != nil ||
			!plan.Empty() {
			t.Errorf("%s without a form: %v, %v", form, plan.Edits, err)
		}
		src = out
	}
	if len(made) != 3 {
		t.Fatal("no forms were tried")
	}
}

func TestNamesThatCollide(t *testing.T) {
	t.Parallel()
	team := func(id string) Grant { return grant(id, "Team", "Admin") }
	one, two, three := team(
		"111111111111",
	), grant("222222222222", "team", "Admin"), grant("333333333333", "TEAM", "Admin")
	o := Options{Session: corp}

	plan, alone := planned(t, corpSection, []Grant{one}, o)
	same(t, "one", told(plan), "add team-Admin = 111111111111/Admin\n")
	plan, both := planned(t, alone, []Grant{one, two}, o)
	same(t, "the second one", told(plan), "keep team-Admin = 111111111111/Admin\n"+
		"add team-Admin-222222222222 = 222222222222/Admin (team-Admin would be the name of more than one role)\n")
	plan, left := planned(t, both, []Grant{two}, Options{Session: corp, Prune: true})
	same(t, "the first one goes", told(plan), "keep team-Admin-222222222222 = 222222222222/Admin\n"+
		"remove team-Admin = 111111111111/Admin (you can no longer use its role)\n")
	plan, _ = planned(t, left, []Grant{one, two, three}, o)
	same(
		t,
		"it comes back, with a third",
		told(plan),
		"add team-Admin-111111111111 = 111111111111/Admin (team-Admin would be the name of more than one role)\n"+
			"keep team-Admin-222222222222 = 222222222222/Admin\nadd team-Admin-333333333333 = 333333333333/Admin (team-Admin would be the name of more than one role)\n",
	)

	// All at once: none gets the short name, so that which one is the first does not matter. Selected or not, they
	// are there.
	plan, _ = planned(t, corpSection, []Grant{one, two, three},
		Options{Session: corp, Select: Selection{Accounts: []string{"222222222222"}}})
	same(t, "at once", told(plan),
		"add team-Admin-222222222222 = 222222222222/Admin (team-Admin would be the name of more than one role)\n")

	// Roles of one account whose template does not tell them apart, and names that are the next choice of another.
	plan, _ = planned(t, corpSection, []Grant{
		grant("111111111111", "a", "x=y"), grant("111111111111", "a", "x,y"), grant("111111111111", "a", "z"),
		grant("222222222222", "a-111111111111", "z"), grant("333333333333", "a-111111111111-z", "z"),
	}, Options{Session: corp, Template: "{{.AccountName}}"})
	same(
		t,
		"without the role",
		told(plan),
		"add a-111111111111-13840e7e = 111111111111/x,y (a would be the name of more than one role)\n"+
			"add a-111111111111-ae03c503 = 111111111111/x=y (a would be the name of more than one role)\n"+
			"add a-111111111111-e84e092f = 111111111111/z (a would be the name of more than one role)\n"+
			"add a-111111111111 = 222222222222/z\nadd a-111111111111-z = 333333333333/z\n",
	)

	// The profile of commands that are told none is never made.
	plan, _ = planned(t, corpSection, []Grant{grant("111111111111", "Default", "Admin")},
		Options{Session: corp, Template: "{{.AccountName}}"})
	same(t, "default", told(plan), "add Default-111111111111 = 111111111111/Admin\n")

	// A name of the credentials file is not free, whatever the letter case, nor one that only the SDKs read.
	plan, _ = planned(t, corpSection+"[ profile sdk-Admin ]\nregion = x\n",
		[]Grant{grant("111111111111", "Keys", "Admin"), grant("222222222222", "SDK", "Admin")},
		Options{Session: corp, Taken: []string{"KEYS-Admin"}})
	same(t, "taken", told(plan), "add keys-Admin-111111111111 = 111111111111/Admin (the name keys-Admin is taken)\n"+
		"add sdk-Admin-222222222222 = 222222222222/Admin (the name sdk-Admin is taken)\n")
}

const people = corpSection + `
[profile prod-Admin]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = Admin
region = us-east-1
# mine

[profile Prod-Read]
sso_session = corp
sso_account_id = 999999999999
sso_role_name = Read

[profile test-Admin]
credential_process = homing credentials --sso-session corp --account-id 222222222222 --role-name Admin

[profile old]
sso_start_url = https://corp.awsapps.com/start/#/
sso_region = eu-west-1
sso_account_id = 222222222222
sso_role_name = Read

[profile chained]
role_arn = arn:aws:iam::111111111111:role/x
source_profile = prod-Admin
`

// What a person wrote stays as it is: where it is what is wanted, and where it has a name that is wanted.
func TestWhatAPersonWrote(t *testing.T) {
	t.Parallel()
	grants := []Grant{
		grant("111111111111", "prod", "Admin"), grant("111111111111", "prod", "Read"),
		grant("222222222222", "test", "Admin"), grant("222222222222", "test", "Read"),
	}
	for _, o := range []Options{{Session: corp}, {Session: corp, Prune: true, Rename: true, Form: FormLegacy}} {
		plan, out := planned(t, people, grants, o)
		same(
			t,
			"plan",
			told(plan),
			"covered prod-Admin = 111111111111/Admin (a profile of yours is this one already)\n"+
				"add prod-Read-111111111111 = 111111111111/Read (the name prod-Read is taken)\n"+
				"covered test-Admin = 222222222222/Admin (a profile of yours is this one already)\nadd test-Read = 222222222222/Read\n",
		)
		if !strings.HasPrefix(out, people) {
			t.Errorf("what was there is changed:\n%s", out)
		}
	}
	want := map[[2]string][]string{
		{"111111111111", "Admin"}: {"prod-Admin"}, {"999999999999", "Read"}: {"Prod-Read"},
		{"222222222222", "Admin"}: {"test-Admin"}, {"222222222222", "Read"}: {"old"},
	}
	if got := Covering(awsconfig.Parse("config", []byte(people)), corp); !reflect.DeepEqual(got, want) {
		t.Errorf("covering: %v", got)
	}
	if got := Covering(awsconfig.Parse("config", []byte(people)), session.Session{Name: "other", StartURL: "https://x"}); len(
		got,
	) != 0 {
		t.Errorf("of another session: %v", got)
	}
}

// managedFile is a file with three managed profiles.
func managedFile(t *testing.T) string {
	t.Helper()
	_, out := planned(t, corpSection, []Grant{
		grant("111111111111", "prod",
			"Admin"), grant("222222222222", "test", "Admin"), grant("222222222222", "test", "Read"),
	}, Options{Session: corp, Defaults: []Default{{Match: "*", Region: "eu-west-2"}}})
	return out
}

func TestPrune(t *testing.T) {
	t.Parallel()
	src := managedFile(t)
	still := grant("111111111111", "prod", "Admin")
	edited := strings.Replace(src, "sso_role_name = Read\nregion = eu-west-2",
		"sso_role_name = Read\nregion = us-east-1", 1)
	another := strings.Replace(src, "(corp)", "(other)", 2)
	if edited == src || another == src {
		t.Fatal("nothing was replaced")
	}
	source := src + "\n[profile mine]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = test-Admin\n"
	for _, tt := range []struct {
		name, src string
		grants    []Grant
		o         Options
		want      string
	}{
		{"not asked for", src, []Grant{still}, Options{}, "keep prod-Admin = 111111111111/Admin\n" +
			"stale test-Admin = 222222222222/Admin (you can no longer use its role)\nstale test-Read = 222222222222/Read (you can no longer use its role)\n"},
		{"asked for", src, []Grant{still}, Options{Prune: true}, "keep prod-Admin = 111111111111/Admin\n" +
			"remove test-Admin = 222222222222/Admin (you can no longer use its role)\nremove test-Read = 222222222222/Read (you can no longer use its role)\n"},
		{"one was changed", edited, []Grant{still}, Options{Prune: true, Rename: true}, "keep prod-Admin = 111111111111/Admin\n" +
			"remove test-Admin = 222222222222/Admin (you can no longer use its role)\nchanged test-Read = 222222222222/Read (you changed it)\n"},
		{"the account could not be listed", src, []Grant{still}, Options{Prune: true, Unknown: []string{"222222222222"}}, "keep prod-Admin = 111111111111/Admin\n" +
			"keep test-Admin = 222222222222/Admin (the roles of its account could not be listed)\nkeep test-Read = 222222222222/Read (the roles of its account could not be listed)\n"},
		{"nothing was listed", src, nil, Options{Prune: true}, "stale prod-Admin = 111111111111/Admin (you can no longer use its role; as nothing at all was listed, nothing is removed)\n" +
			"stale test-Admin = 222222222222/Admin (you can no longer use its role; as nothing at all was listed, nothing is removed)\n" +
			"stale test-Read = 222222222222/Read (you can no longer use its role; as nothing at all was listed, nothing is removed)\n"},
		{"of another session", another, []Grant{still}, Options{Prune: true}, "covered prod-Admin = 111111111111/Admin (a profile of yours is this one already)\n" +
			"remove test-Read = 222222222222/Read (you can no longer use its role)\n"},
		{"another profile stands on it", source, []Grant{still}, Options{Prune: true}, "keep prod-Admin = 111111111111/Admin\n" +
			"stale test-Admin = 222222222222/Admin (you can no longer use its role; it stays, because profile mine names it as source_profile)\n" +
			"remove test-Read = 222222222222/Read (you can no longer use its role)\n"},
		{"not selected", src, []Grant{still, grant("222222222222", "test", "Admin")}, Options{Prune: true, Select: Selection{Accounts: []string{"prod"}}}, "keep prod-Admin = 111111111111/Admin\n" +
			"keep test-Admin = 222222222222/Admin (it is not selected)\nkeep test-Read = 222222222222/Read (it is not selected)\n"},
		{"selected by name, and one role is lost", src, []Grant{still, grant("222222222222", "test", "Admin")}, Options{Prune: true, Select: Selection{Accounts: []string{"tes?"}}}, "keep test-Admin = 222222222222/Admin\n" +
			"keep prod-Admin = 111111111111/Admin (it is not selected)\nremove test-Read = 222222222222/Read (you can no longer use its role)\n"},
		{"a lost account has no name to be selected by", src, []Grant{still}, Options{Prune: true, Select: Selection{Accounts: []string{"*t*"}}}, "" +
			"keep prod-Admin = 111111111111/Admin (it is not selected)\nkeep test-Admin = 222222222222/Admin (it is not selected)\nkeep test-Read = 222222222222/Read (it is not selected)\n"},
		{"excluded", src, []Grant{still, grant("222222222222", "test", "Admin"), grant("222222222222", "test",
			"Read")}, Options{Prune: true, Select: Selection{Exclude: []string{"test/read"}}}, "" +
			"keep prod-Admin = 111111111111/Admin\nkeep test-Admin = 222222222222/Admin\nremove test-Read = 222222222222/Read (it is excluded)\n"},
	} {
		tt.o.Session = corp
		plan, out := planned(t, tt.src, tt.grants, tt.o)
		same(t, tt.name, told(plan), tt.want)
		if plan.Count(Remove)+plan.Count(Add) == 0 && out != tt.src {
			t.Errorf("%s: the file is changed", tt.name)
		}
	}
	_, out := planned(t, src, []Grant{still}, Options{Session: corp, Prune: true})
	_, alone := planned(t, corpSection, []Grant{still},
		Options{Session: corp, Defaults: []Default{{Match: "*", Region: "eu-west-2"}}})
	same(t, "what is left", out, alone)
}

// An account with another name keeps its profile's name; --rename gives it the new one.
func TestRename(t *testing.T) {
	t.Parallel()
	src := managedFile(t)
	grants := []Grant{
		grant("111111111111", "Production", "Admin"),
		grant("222222222222", "Test", "Admin"),
		grant("222222222222", "test", "Read"),
	}
	plan, _ := planned(t, src, grants, Options{Session: corp})
	same(
		t,
		"kept",
		told(plan),
		"keep prod-Admin = 111111111111/Admin (it keeps its name; the template makes production-Admin)\n"+
			"keep test-Admin = 222222222222/Admin\nkeep test-Read = 222222222222/Read\n",
	)
	plan, out := planned(t, src, grants, Options{Session: corp, Rename: true})
	same(t, "renamed", told(plan), "rename production-Admin was prod-Admin = 111111111111/Admin\n"+
		"keep test-Admin = 222222222222/Admin\nkeep test-Read = 222222222222/Read\n")
	if p, ok := awsconfig.Parse("config", []byte(out)).Profile("production-Admin"); !ok ||
		p.Get("region") != "eu-west-2" ||
		strings.Contains(out, "prod-Admin") {
		t.Errorf("the renamed profile:\n%s", out)
	}
	// Only the letter case: a name of its own is free.
	plan, _ = planned(t, src, grants[:1], Options{Session: corp, Rename: true, Template: "Prod-{{.RoleName}}"})
	same(t, "spelling", told(plan)[:strings.Index(told(plan), "\n")],
		"rename Prod-Admin was prod-Admin = 111111111111/Admin")
	// Names that others had until now are not reused in the same run: scripts would land in another account.
	swapped := []Grant{
		grant("111111111111", "test", "Admin"),
		grant("222222222222", "prod", "Admin"),
		grant("222222222222", "prod", "Read"),
	}
	plan, _ = planned(t, src, swapped, Options{Session: corp, Rename: true})
	same(
		t,
		"swapped",
		told(plan),
		"rename prod-Admin-222222222222 was test-Admin = 222222222222/Admin\nrename prod-Read was test-Read = 222222222222/Read\n"+
			"rename test-Admin-111111111111 was prod-Admin = 111111111111/Admin\n",
	)
	mine := src + "[profile mine]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = prod-Admin\n"
	plan, _ = planned(t, mine, grants, Options{Session: corp, Rename: true})
	if plan.Changes[0].Kind != Keep ||
		!strings.Contains(plan.Changes[0].Reason, "because profile mine names it as source_profile") {
		t.Errorf("%s", told(plan))
	}
	edited := strings.Replace(src, "sso_role_name = Admin\n", "sso_role_name = Admin\n# mine\n", 1)
	plan, out = planned(t, edited, grants, Options{Session: corp, Rename: true, Prune: true, Form: FormLegacy})
	if plan.Changes[0].Kind != Changed ||
		!strings.Contains(
			out,
			"[profile prod-Admin]\nsso_session = corp\nsso_account_id = 111111111111\nsso_role_name = Admin\n# mine\n",
		) {
		t.Errorf("%s\n%s", told(plan), out)
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	grants := []Grant{
		grant("111111111111", "prod-us", "Admin"),
		grant("222222222222", "prod-eu", "Admin"),
		grant("222222222222", "prod-eu", "Billing"),
	}
	regions := func(src string, defaults ...Default) (string, string) {
		_, out := planned(t, src, grants, Options{Session: corp, Defaults: defaults})
		var b strings.Builder
		for p := range awsconfig.Parse("config", []byte(out)).Profiles() {
			fmt.Fprintf(&b, "%s %s|", p.Get("region"), p.Get("output"))
		}
		return b.String(), out
	}
	for _, tt := range []struct {
		defaults []Default
		want     string // prod-eu-Admin, prod-eu-Billing, prod-us-Admin
	}{
		{nil, "eu-west-1 |eu-west-1 |eu-west-1 |"},
		{[]Default{{"*-us", "us-east-1", ""}, {"*", "eu-north-1", "json"}}, "eu-north-1 json|eu-north-1 json|us-east-1 json|"},
		{[]Default{{"*", "eu-north-1", ""}, {"*-us", "us-east-1", "text"}}, "eu-north-1 |eu-north-1 |eu-north-1 text|"},
		{[]Default{{"billing", "us-east-1", ""}}, "eu-west-1 |us-east-1 |eu-west-1 |"},
		{[]Default{{"222222222222/Admin", "us-east-1", ""}}, "us-east-1 |eu-west-1 |eu-west-1 |"},
		{[]Default{{"prod-eu/bill*", "us-east-1", ""}}, "eu-west-1 |us-east-1 |eu-west-1 |"},
		{[]Default{{"prod-eu-billing", "us-east-1", ""}}, "eu-west-1 |us-east-1 |eu-west-1 |"},
		{[]Default{{"PROD-US@acme.example", "us-east-1", ""}}, "eu-west-1 |eu-west-1 |us-east-1 |"},
	} {
		if got, _ := regions(corpSection, tt.defaults...); got != tt.want {
			t.Errorf("%v: %s, not %s", tt.defaults, got, tt.want)
		}
	}
	got, out := regions(corpSection, Default{"*-us", "us-east-1", "text"})
	if again, _ := regions(out); again != got { // a run that says nothing changes nothing
		t.Errorf("%s, then %s", got, again)
	}
	if again, _ := regions(out, Default{"*", "ap-south-1", ""}); again != "ap-south-1 |ap-south-1 |ap-south-1 text|" {
		t.Errorf("another region: %s", again)
	}
	// A region that the session itself has must be that of its profiles.
	if again, _ := regions(corpSection+"region = us-west-2\n", Default{"*", "ap-south-1", ""}); again != "us-west-2 |us-west-2 |us-west-2 |" {
		t.Errorf("the session's own: %s", again)
	}
}

func TestUnmatchedAndSkipped(t *testing.T) {
	t.Parallel()
	grants := []Grant{
		grant("111111111111", "prod", "Admin"), grant("12 34", "bad", "Admin"), grant("222222222222", "bad", "a b"),
		grant("333333333333", "bad", "x\nsso_session = evil"), grant("", "bad", "Admin"),
		grant("444444444444", "bad", ""), grant("555555555555", "bad", "x;rm -rf /"),
	}
	plan, out := planned(
		t,
		corpSection,
		grants,
		Options{Session: corp, Form: FormProcess, Program: "/usr/bin/homing", Select: Selection{
			Accounts: []string{
				"prd*",
				"prod",
				"bad",
				"1*",
				"2*",
			}, Roles: []string{"*"}, Exclude: []string{"nobody", "prod/nothing", "*/a b", "12 34/Admin"},
		}},
	)
	if plan.Count(Add) != 1 || plan.Count(Skipped) != 3 || strings.Contains(out, "rm -rf") ||
		strings.Contains(out, "evil") {
		t.Errorf("%s\n%s", told(plan), out)
	}
	if want := []string{"prd*", "nobody", "prod/nothing"}; !slices.Equal(plan.Unmatched, want) {
		t.Errorf("unmatched: %v", plan.Unmatched)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	grants := []Grant{grant("111111111111", "prod", "Admin")}
	for _, tt := range []struct {
		name, src string
		o         Options
		kind      fault.Kind
		want      string
	}{
		{"no session", "", Options{}, fault.Usage, "there is no session"},
		{"the session is not there", "", Options{Session: corp}, fault.Config, `sso-session "corp" is not in "config"`},
		{"it is another one", strings.Replace(corpSection, "corp.aws", "evil.aws", 1), Options{Session: corp}, fault.Config, `sso-session "corp" in "config" is another one by now`},
		{"it holds an account", corpSection + "sso_account_id = 1\n", Options{Session: corp}, fault.Config, `line 4: sso-session "corp" has sso_account_id`},
		{"a broken file", corpSection + "garbage\n", Options{Session: corp}, fault.Config, "line 4"},
		{"a form", corpSection, Options{Session: corp, Form: "x"}, fault.Usage, `there is no form "x"`},
		{"a form that needs a name", "", Options{Session: legacy, Form: FormProcess, Program: "/bin/homing"}, fault.Usage, "is a start URL"},
		{"a form that needs a name", "", Options{Session: legacy, Form: FormSession}, fault.Usage, "is a start URL"},
		{"a template", corpSection, Options{Session: corp, Template: "{{.X}}"}, fault.Usage, "there is no field"},
		{"no program", corpSection, Options{Session: corp, Form: FormProcess}, fault.Usage, "the path of this program"},
		{"a relative program", corpSection, Options{Session: corp, Form: FormProcess, Program: "bin/homing"}, fault.Usage, "the path of this program"},
		{"a program with a line break", corpSection, Options{Session: corp, Form: FormProcess, Program: "/a\nb"}, fault.Usage, "the path of this program"},
	} {
		plan, err := Make(awsconfig.Parse("config", []byte(tt.src)), grants, tt.o)
		if err == nil {
			t.Errorf("%s: %s", tt.name, told(plan))
			continue
		}
		if fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.want) || fault.RemedyOf(err) == nil ||
			!plan.Empty() {
			t.Errorf("%s: %v (%v)", tt.name, err, fault.RemedyOf(err))
		}
	}
}
