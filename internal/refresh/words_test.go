package refresh

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

func wantFault(t *testing.T, err error, kind fault.Kind, msg string, remedy fault.Remedy) {
	t.Helper()
	if fault.KindOf(err) != kind || err.Error() != msg || fault.RemedyOf(err) != remedy {
		t.Errorf("got  %v: %v\n%#v\nwant %v: %s\n%#v", fault.KindOf(err), err, fault.RemedyOf(err), kind, msg, remedy)
	}
}

func TestWhatAPersonReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // the clock stands at 2000-01-01 00:00:00 UTC
		login, oldLogin := fault.Login{Session: "dev"}, fault.Login{Profile: "old"}
		over := token(-time.Minute)
		over.RegistrationExpiresAt = time.Now().Add(-time.Hour)
		moved, elsewhere := token(time.Hour), token(time.Hour)
		moved.StartURL = "https://other.awsapps.com/start"
		elsewhere.Region = "eu-west-1"
		for _, tt := range []struct {
			name  string
			s     session.Session
			tok   *session.Token
			file  string
			msg   string
			login fault.Login
		}{
			{"no token", dev, nil, "", `not signed in to session "dev"`, login},
			{"no token, legacy", legacy, nil, "", `not signed in to ` + startURL + ``, oldLogin},
			{"expired, legacy", legacy, new(unrenewable(-time.Hour)), "", `` + startURL + ` expired at 1999-12-31 23:00 UTC`, oldLogin},
			{"registration over, legacy", legacy, &over, "", `the token of ` + startURL + ` can no longer be renewed: its client registration expired at 1999-12-31 23:00 UTC`, fault.Login{Profile: "old", KeepFresh: true}},
			{"registration over", dev, &over, "", `the token of session "dev" can no longer be renewed: its client registration expired at 1999-12-31 23:00 UTC`, login},
			{"another start URL", dev, &moved, "", `the token of session "dev" belongs to the start URL "https://other.awsapps.com/start", but the config says "` + startURL + `"`, login},
			{"another region", dev, &elsewhere, "", `the token of session "dev" belongs to region "eu-west-1", but the config says "us-east-1"`, login},
			{"corrupt", legacy, nil, "{", `the token file "PATH" holds no usable token`, oldLogin},
		} {
			f := &service{}
			r := newRenewer(t, f, session.Session{Name: "unrelated"}, token(0))
			r.Profile = func(session.Session) string { return "old" }
			path := r.Store.TokenPath(tt.s.CacheKey())
			switch {
			case tt.tok != nil:
				save(t, r.Store, tt.s, *tt.tok)
			case tt.file != "":
				if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := r.Token(t.Context(), tt.s)
			t.Log(tt.name)
			wantFault(t, err, fault.SignInNeeded, strings.ReplaceAll(tt.msg, "PATH", path), tt.login)
			if len(f.calls) != 0 {
				t.Errorf("%d calls", len(f.calls))
			}
		}
		f := &service{fail: times(1, broken(idc.CodeInvalidClient, fault.SignInNeeded))}
		r := newRenewer(t, f, dev, token(-time.Minute))
		_, err := r.Token(t.Context(), dev)
		wantFault(t, err, fault.SignInNeeded,
			`the token of session "dev" can no longer be renewed: the service does not accept its client registration`,
			login)
	})
}
