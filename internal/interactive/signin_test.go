package interactive

import (
	"testing"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

// What a use case suggests is what the page in the browser shows: the terminal keeps it. A sign-in to no session in
// particular becomes one to this very session.
func TestWithCommand(t *testing.T) {
	t.Parallel()
	dev := session.Session{Name: "dev", StartURL: "https://x.awsapps.com/start", Region: "us-east-1"}
	for given, want := range map[fault.Remedy]fault.Remedy{
		fault.Login{}:                            fault.Login{Session: "dev"},
		fault.Login{Session: "dev", Force: true}: fault.Login{Session: "dev", Force: true},
	} {
		err := error(
			&fault.Error{
				Kind:   fault.SignInNeeded,
				Msg:    "no",
				Remedy: given,
				Err:    &idc.Error{Code: idc.CodeInvalidGrant},
			},
		)
		if got := fault.RemedyOf((Choice{session: dev}).withCommand(&app.App{}, err)); got != want {
			t.Errorf("%#v became %#v, want %#v", given, got, want)
		}
	}
}
