package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/cmd/credentials"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

const quickConfig = `[default]
sso_session = dev
sso_account_id = 111122223333
sso_role_name = Admin

[sso-session dev]
sso_start_url = https://d-9067f00d42.awsapps.com/start
sso_region = us-east-1

[profile dev]
sso_session = dev
sso_account_id = 111122223333
sso_role_name = Admin

[profile uncached]
sso_session = dev
sso_account_id = 111122223333
sso_role_name = Other

[profile short]
sso_session = dev
sso_account_id = 111122223333
sso_role_name = Short

[profile odd]
sso_session = dev
sso_account_id = 111122223333
sso_role_name = Odd

[profile chained]
role_arn = arn:aws:iam::444455556666:role/Deep
source_profile = dev

[profile legacy]
sso_start_url = https://d-9067f00d42.awsapps.com/start
sso_region = us-east-1
sso_account_id = 111122223333
sso_role_name = Admin

[profile keys]
aws_access_key_id = AKIAEXAMPLE

[profile norole]
sso_session = dev
`

var quickNow = time.Date(2026, 3, 2, 16, 0, 0, 0, time.UTC)

// quickHome makes a home with quickConfig, where the credentials of some roles are cached. The network of its Env
// fails the test.
func quickHome(t *testing.T) func(args ...string) (app.Env, *bytes.Buffer, *bytes.Buffer) {
	home := t.TempDir()
	st := &store.Store{AWSDir: filepath.Join(home, ".aws"), Now: func() time.Time { return quickNow }}
	if err := os.MkdirAll(st.AWSDir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(st.AWSDir, "config"), []byte(quickConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := awsconfig.Load(awsconfig.PathsFromEnv(func(string) string { return "" }, home))
	if err != nil {
		t.Fatal(err)
	}
	for profile, c := range map[string]struct {
		key string
		ttl time.Duration
	}{"dev": {"ASIADEV", time.Hour}, "short": {"ASIASHORT", 5 * time.Minute}, "odd": {"ASIA$(reboot)", time.Hour}, "legacy": {"ASIALEGACY", time.Hour}} {
		p, err := cfg.SSO(profile)
		if err != nil {
			t.Fatal(err)
		}
		err = st.SaveRoleCredentials(
			t.Context(),
			store.RoleKey{Session: p.Session, AccountID: p.AccountID, RoleName: p.RoleName},
			session.RoleCredentials{
				AccountID: p.AccountID, AccessKeyID: c.key, SecretAccessKey: session.NewSecret("wJal/x+y="),
				SessionToken: session.NewSecret("IQoJ+/="),
				Expiration:   quickNow.Add(c.ttl),
			},
		)
		if err != nil {
			t.Fatal(err)
		}
	}
	return func(args ...string) (app.Env, *bytes.Buffer, *bytes.Buffer) {
		var out, err bytes.Buffer
		return app.Env{
			Args: args, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &err, Home: home,
			Now: func() time.Time { return quickNow },
			Transport: roundTrip(
				func(*http.Request) (*http.Response, error) { return nil, errors.New("no network here") },
			),
		}, &out, &err
	}
}

// TestQuickFlags runs the same arguments through the short way and through the command library: where the short way
// answers at all, it answers the same, and where it does not it says nothing.
func TestQuickFlags(t *testing.T) {
	t.Parallel()
	env := quickHome(t)
	same := func(args []string) (quickly bool) {
		e, out, errs := env(args...)
		code, done := credentials.Quick(app.New(e))
		if !done {
			if code != 0 || out.Len()+errs.Len() > 0 {
				t.Errorf("%q: nothing is answered, but the code is %d and this is printed: %q %q", args, code, out,
					errs)
			}
			return false
		}
		e, wantOut, wantErrs := env(args...)
		if want := run(context.Background(), e); code != want || out.String() != wantOut.String() ||
			errs.String() != wantErrs.String() {
			t.Errorf("%q:\n short way: %d %q %q\nlong way: %d %q %q", args, code, out, errs, want, wantOut, wantErrs)
		}
		return true
	}
	for _, line := range []string{
		"credentials", "env", "credentials --profile dev", "credentials --profile=dev", "env --profile dev --format fish", "env --json",
		"credentials --json", "credentials --json --format process", "credentials --region x --profile dev",
		"credentials --sso-session dev --account-id 111122223333 --role-name Admin", "credentials --profile legacy",
		"credentials --profile short --min-ttl 4m", "credentials --profile short --min-ttl 0", "credentials --profile uncached --profile dev",
		"credentials --format process", "credentials --format=env", "credentials --format env-no-export", "credentials --format powershell",
		"credentials --format windows-cmd", "credentials --format fish", "credentials --format json", "credentials --profile= --min-ttl=59m",
	} {
		if !same(strings.Fields(line)) {
			t.Errorf("the short way leaves out: %s", line)
		}
	}
	for _, line := range []string{
		"", "version", "credentials --profile", "credentials dev", "credentials -- dev", "credentials --debug", "credentials --json=true",
		"credentials --profile uncached", "credentials --profile short", "credentials --profile odd", "credentials --profile keys",
		"credentials --profile norole", "credentials --profile chained", "credentials --profile nosuch", "credentials --min-ttl -1m", "credentials --min-ttl 2h", "credentials --min-ttl x",
		"credentials --format nosuch", "credentials --json --format env", "credentials --role-name Admin", "credentials --sso-session dev",
		"credentials --account-id 111122223333 --role-name Admin", "credentials --nosuch x", "credentials --help", "--profile dev credentials",
		"credentials --no-color", "credentials -p dev",
	} {
		if same(strings.Fields(line)) {
			t.Errorf("the short way answers: %s", line)
		}
	}
	words := strings.Fields(
		"credentials env --profile --profile=dev dev legacy chained --json --format fish --format=env json --min-ttl 5m 0 " +
			"--min-ttl=1h --sso-session --account-id 111122223333 --role-name Admin --region --debug --no-color --help -- -h --json=false x =",
	)
	random, quickly := rand.New(rand.NewPCG(8, 21)), 0
	for range 3000 {
		args := []string{words[random.IntN(2)]}
		for range random.IntN(7) {
			args = append(args, words[random.IntN(len(words))])
		}
		if same(args) {
			quickly++
		}
	}
	if quickly < 100 {
		t.Errorf("of the made-up command lines only %d are answered the short way", quickly)
	}
}

// Which profile is meant without a word about it depends on the variables, both ways.
func TestQuickProfiles(t *testing.T) {
	t.Parallel()
	env := quickHome(t)
	for _, row := range []struct {
		vars map[string]string
		args []string
		want string
	}{
		{map[string]string{"HOMING_PROFILE": "legacy"}, []string{"env"}, "ASIALEGACY"},
		{map[string]string{"HOMING_PROFILE": "legacy"}, []string{"credentials", "--profile", "dev"}, "ASIADEV"},
		{map[string]string{"HOMING_PROFILE": "legacy", "AWS_PROFILE": "dev"}, []string{"credentials"}, "ASIADEV"},
		{map[string]string{"HOMING_PROFILE": "dev", "AWS_DEFAULT_PROFILE": "legacy"}, []string{"credentials"}, "ASIALEGACY"},
		{map[string]string{"HOMING_PROFILE": ""}, []string{"credentials"}, "ASIADEV"},
	} {
		for _, quickly := range []bool{true, false} {
			e, out, _ := env(row.args...)
			e.LookupEnv = func(name string) (string, bool) { v, ok := row.vars[name]; return v, ok }
			if quickly {
				if _, done := credentials.Quick(app.New(e)); !done {
					t.Errorf("%v %v: the short way does not answer", row.vars, row.args)
				}
			} else {
				run(context.Background(), e)
			}
			if !strings.Contains(out.String(), row.want) {
				t.Errorf("%v %v, the short way: %t: %s", row.vars, row.args, quickly, out)
			}
		}
	}
}

// Nothing on the short way may take the program down: the command that follows knows how to report it.
func TestQuickPanics(t *testing.T) {
	t.Parallel()
	e, out, errs := quickHome(t)("credentials")
	e.LookupEnv = func(string) (string, bool) { panic("the sky fell down") }
	if code, done := credentials.Quick(app.New(e)); done || code != 0 || out.Len()+errs.Len() > 0 {
		t.Errorf("quick = %d, %t; printed %q %q", code, done, out, errs)
	}
}

// The token of a legacy profile that is kept fresh is looked at, since the SDKs read it and do not renew it: see
// freshen.
func TestQuickLeavesRenewals(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]bool{time.Hour: true, 21 * time.Minute: true, 19 * time.Minute: false,
		-time.Minute: false} {
		for _, renewable := range []bool{true, false} {
			env := quickHome(t)
			e, out, _ := env("credentials", "--profile", "legacy")
			token := fmt.Sprintf(
				`{"startUrl": "https://d-9067f00d42.awsapps.com/start", "region": "us-east-1", "accessToken": "a", "expiresAt": %q`,
				stampOf(left),
			)
			if renewable {
				token += fmt.Sprintf(
					`, "refreshToken": "r", "clientId": "c", "clientSecret": "s", "registrationExpiresAt": %q`,
					stampOf(24*time.Hour),
				)
			}
			st := &store.Store{AWSDir: filepath.Join(e.Home, ".aws")}
			path := st.TokenPath("https://d-9067f00d42.awsapps.com/start")
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(token+"}"), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, done := credentials.Quick(app.New(e)); done != (want || !renewable) {
				t.Errorf("token renewable: %t, %v left: answered the short way: %t", renewable, left, done)
			} else if done && !strings.Contains(out.String(), "ASIALEGACY") {
				t.Errorf("answer: %s", out)
			}
		}
	}
}

func stampOf(left time.Duration) string { return quickNow.Add(left).Format(time.RFC3339) }
