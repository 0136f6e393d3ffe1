package refresh

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

func TestWhoseTokenItIs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		configured, region, has, hasRegion string
		ok                                 bool
	}{
		{startURL, "us-east-1", startURL, "us-east-1", true},
		{startURL, "us-east-1", startURL + "/", "us-east-1", true},
		{startURL, "us-east-1", startURL + "/#", "us-east-1", true},
		{startURL + "#", "us-east-1", "HTTPS://d-1234567890.AWSAPPS.com/start", "us-east-1", true},
		{startURL, "us-east-1", "", "", true}, // written by a program that leaves them out
		{startURL, "us-east-1", "https://d-1234567891.awsapps.com/start", "us-east-1", false},
		{startURL, "us-east-1", startURL, "us-west-2", false},
		{"https://ssoins-1.portal.eu-west-1.app.aws", "us-east-1", "https://ssoins-1.portal.eu-west-1.app.aws", "eu-west-1", true},
		{"https://ssoins-1.portal.eu-west-1.app.aws", "us-east-1", "https://ssoins-1.portal.eu-west-1.app.aws", "us-west-2", false},
		{"https://sso.example.com", "us-east-1", "https://sso.example.com", "eu-west-1", true}, // leads to any region
		{"http://127.0.0.1:8080/start", "us-east-1", "http://127.0.0.1:8080/start", "eu-west-1", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &service{}
			tok := token(-time.Minute)
			tok.StartURL, tok.Region = tt.has, tt.hasRegion
			s := session.Session{Name: "dev", StartURL: tt.configured, Region: tt.region}
			r := newRenewer(t, f, s, tok)
			_, err := r.Token(t.Context(), s)
			if (err == nil) != tt.ok || err != nil && fault.KindOf(err) != fault.SignInNeeded {
				t.Errorf("%v: %v", tt, err)
			}
			if want := tt.hasRegion; tt.ok && want != "" && f.regions[0] != want {
				t.Errorf("%v: asked region %s", tt, f.regions[0])
			}
		})
	}
}
