//go:build unix

package profiles

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/configedit"
)

// cpuTime is what this process has used of the processor, so that a busy machine does not count.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// many are accounts with three roles each; every tenth has the name of its neighbour.
func many(accounts int) []Grant {
	var all []Grant
	for i := range accounts {
		name := fmt.Sprintf("Acme Team %d (Prod)", i-i%10/9)
		for _, role := range []string{"AdministratorAccess", "ReadOnly", "Billing"} {
			all = append(all, grant(fmt.Sprintf("%012d", i), name, role))
		}
	}
	return all
}

// TestCost: 15,000 profiles are planned in well under a second, for a new file and for one that holds them, and each
// costs as much as one of few.
func TestCost(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector is what would be measured")
	}
	o := Options{
		Session:  corp,
		Template: "{{.AccountName | slug | regex `^acme-` ``}}-{{.RoleName}}",
		Prune:    true,
		Rename:   true,
	}
	for i := range 20 {
		o.Defaults = append(o.Defaults, Default{fmt.Sprintf("*-%d-*", i), "us-east-1", ""},
			Default{fmt.Sprintf("%012d/Admin*", i), "", "json"})
		o.Select.Exclude = append(o.Select.Exclude, fmt.Sprintf("nobody-%d*", i), fmt.Sprintf("*/nothing-%d", i))
	}
	for i := range 1000 {
		o.Select.Accounts = append(o.Select.Accounts, fmt.Sprintf("%012d", i*7))
	}
	o.Select.Accounts = append(o.Select.Accounts, "acme*")
	each := map[string]time.Duration{}
	for _, accounts := range []int{500, 5000} {
		grants := many(accounts)
		src := []byte(corpSection)
		plan, err := Make(awsconfig.Parse("config", src), grants, o)
		if err != nil || plan.Count(Add) != len(grants) {
			t.Fatalf("%d of %d added, %v", plan.Count(Add), len(grants), err)
		}
		full, err := configedit.Apply(src, plan.Edits...)
		if err != nil {
			t.Fatal(err)
		}
		for name, run := range map[string]func() Plan{
			"new file":    func() Plan { p, _ := Make(awsconfig.Parse("config", src), grants, o); return p },
			"nothing new": func() Plan { p, _ := Make(awsconfig.Parse("config", full), grants, o); return p },
			"half goes":   func() Plan { p, _ := Make(awsconfig.Parse("config", full), grants[:len(grants)/2], o); return p },
			"all renamed": func() Plan {
				o := o
				o.Template = "{{.RoleName}}.{{.AccountID}}"
				p, _ := Make(awsconfig.Parse("config", full), grants, o)
				return p
			},
		} {
			least := time.Hour
			for range 2 {
				start := cpuTime()
				if p := run(); p.Empty() != (name == "nothing new") {
					t.Fatalf("%s: %d edits", name, len(p.Edits))
				}
				least = min(least, cpuTime()-start)
			}
			t.Logf("%s, %d profiles: %s of processor time", name, len(grants), least)
			if before := each[name]; before > 0 {
				if least > 2*time.Second { // 0.3 to 0.6 s on a slow machine
					t.Errorf("%s: %d profiles take %s", name, len(grants), least)
				}
				if per := least / time.Duration(len(grants)); per > 4*before {
					t.Errorf("%s: one of %d takes %s, one of few %s", name, len(grants), per, before)
				}
			}
			each[name] = least / time.Duration(len(grants))
		}
	}
}
