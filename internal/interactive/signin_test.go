package interactive

import (
	"testing"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
)

// What a use case says to type is what the page in the browser shows: the terminal keeps it. A bare "homing login"
// becomes the command for this very session.
func TestWithCommand(t *testing.T) {
	t.Parallel()
	dev := session.Session{Name: "dev", StartURL: "https://x.awsapps.com/start", Region: "us-east-1"}
	for given, want := range map[string]string{
		"run: homing login":                           "run: homing login --sso-session dev",
		"run: homing login --sso-session dev --force": "run: homing login --sso-session dev --force",
	} {
		err := error(&fault.Error{Kind: fault.SignInNeeded, Msg: "no", Hint: given, Err: &idc.Error{Code: idc.CodeInvalidGrant}})
		if got := fault.HintOf(withCommand((&app.App{}), err, dev, signin.FlowPKCE)); got != want {
			t.Errorf("%q became %q, want %q", given, got, want)
		}
	}
}
