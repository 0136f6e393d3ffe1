package profiles

import (
	"reflect"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/session"
)

// Two sessions of one start URL are two sign-ins: a profile of the one is none of the other, in any form but legacy.
func TestAnotherSessionOfThePortal(t *testing.T) {
	t.Parallel()
	second := session.Session{Name: "second", StartURL: corp.StartURL, Region: corp.Region}
	src := people + "\n[sso-session second]\nsso_start_url = " + second.StartURL + "\nsso_region = " + second.Region + "\n"
	grants := []Grant{
		grant("111111111111", "prod", "Admin"),
		grant("222222222222", "test", "Admin"),
		grant("222222222222", "test", "Read"),
	}
	plan, _ := planned(t, src, grants, Options{Session: second})
	same(t, "plan", told(plan), "add prod-Admin-111111111111 = 111111111111/Admin (the name prod-Admin is taken)\n"+
		"add test-Admin-222222222222 = 222222222222/Admin (the name test-Admin is taken)\nadd test-Read = 222222222222/Read\n")
	want := map[[2]string][]string{{"222222222222", "Read"}: {"old"}}
	if got := Covering(awsconfig.Parse("config", []byte(src)), second); !reflect.DeepEqual(got, want) {
		t.Errorf("covering: %v", got)
	}
}

// A session is renamed, or removed: its managed profiles are dead, and nobody else ever looks after them. Those that
// are wanted are taken over under their names, the others can be pruned; what a person changed stays.
func TestProfilesOfASessionThatIsGone(t *testing.T) {
	t.Parallel()
	renamed := session.Session{Name: "acme", StartURL: corp.StartURL, Region: corp.Region}
	const gone = `session "corp", which it was written for, is no longer in the file`
	for _, form := range []Form{FormSession, FormProcess, FormLegacy} {
		_, src := planned(t, corpSection, []Grant{
			grant("111111111111", "prod",
				"Admin"), grant("222222222222", "test", "Admin"), grant("222222222222", "test", "Read"),
		}, Options{Session: corp, Form: form, Program: "/bin/homing"})
		src = strings.Replace(src, "[sso-session corp]", "[sso-session acme]", 1)
		src = strings.Replace(src, "sso_role_name = Read\n", "sso_role_name = Read\noutput = text\n", 1)
		grants := []Grant{grant("111111111111", "production", "Admin")} // its account has another name, too
		o := Options{Session: renamed, Program: "/bin/homing"}
		plan, out := planned(t, src, grants, o)
		read := "" // in form credential_process it has no key sso_role_name, and nobody changed it
		if form == FormProcess {
			read = "stale test-Read = 222222222222/Read (" + gone + ")\n"
		}
		same(t, string(form), told(plan), "update prod-Admin = 111111111111/Admin ("+gone+")\n"+
			"stale test-Admin = 222222222222/Admin ("+gone+")\n"+read)
		if mark := awsconfig.Parse("config", []byte(out)).Marks()["prod-Admin"]; mark.Owner != "acme" || !mark.Intact {
			t.Errorf("%s: %+v", form, mark)
		}
		if strings.Contains(out[:strings.Index(out, "test-Admin]")], "sso_session = corp") {
			t.Errorf("%s: names the session that is gone:\n%s", form, out)
		}
		o.Prune = true
		plan, out = planned(t, src, grants, o)
		same(
			t,
			string(form)+", pruned",
			strings.ReplaceAll(told(plan), "remove", "stale"),
			"update prod-Admin = 111111111111/Admin ("+gone+")\n"+
				"stale test-Admin = 222222222222/Admin ("+gone+")\n"+read,
		)
		if strings.Contains(out, "test-Admin]") || form != FormProcess && !strings.Contains(out, "test-Read]") {
			t.Errorf("%s:\n%s", form, out)
		}
		// where the session is still there, they are its own
		plan, _ = planned(t, src+"\n"+corpSection, []Grant{grant("333333333333", "other", "Admin")}, o)
		same(t, string(form)+", there", told(plan), "add other-Admin = 333333333333/Admin\n")
		// what is not selected is left alone
		o.Select.Accounts = []string{"production"}
		plan, _ = planned(t, src, grants, o)
		if plan.Count(Remove) > 0 || plan.Count(Update) != 1 {
			t.Errorf("%s, one account selected:\n%s", form, told(plan))
		}
	}
	// one of the session itself is the one that stays
	grants := []Grant{grant("111111111111", "prod", "Admin")}
	_, dead := planned(t, corpSection, grants, Options{Session: corp})
	dead = strings.Replace(dead, "[sso-session corp]", "[sso-session acme]", 1)
	_, own := planned(t, strings.Replace(corpSection, "corp]", "acme]", 1), grants,
		Options{Session: renamed, Template: "mine"})
	both := dead + own[strings.Index(own, "\n#"):]
	plan, _ := planned(t, both, grants, Options{Session: renamed})
	same(t, "both", told(plan), "keep mine = 111111111111/Admin (it keeps its name; the template makes prod-Admin)\n"+
		"stale prod-Admin = 111111111111/Admin ("+gone+")\n")
	// a legacy one of another start URL works as it is
	_, src := planned(t, corpSection, []Grant{grant("111111111111", "prod", "Admin")},
		Options{Session: corp, Form: FormLegacy})
	src = strings.Replace(
		src,
		corpSection,
		"[sso-session x]\nsso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n",
		1,
	)
	x := session.Session{Name: "x", StartURL: "https://x.awsapps.com/start", Region: "us-east-1"}
	plan, _ = planned(t, src, []Grant{grant("999999999999", "x", "Admin")}, Options{Session: x, Prune: true})
	same(t, "of another start URL", told(plan), "add x-Admin = 999999999999/Admin\n")
}
