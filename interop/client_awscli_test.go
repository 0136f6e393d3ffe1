//go:build unix

package interop

import (
	"testing"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/testtools"
)

// awsCLI makes a client of an AWS CLI.
func awsCLI(find func(testing.TB) string) func(t *testing.T) (command, env []string) {
	return func(t *testing.T) ([]string, []string) { return []string{build(t, "./awscli"), find(t)}, nil }
}

// tooOld names, for a client whose models are older than the newest, the errors that those do not have. It reports
// them by code and status, without class and reason.
var tooOld = map[string][]string{
	"botocore-1.29.10": {"InvalidRedirectUriException"}, // came with the sign-in by PKCE
}

func init() {
	clients["aws-cli-2.23"] = awsCLI(testtools.AWSCLIStable)
	clients["aws-cli-1"] = awsCLI(testtools.AWSCLI1)
	clients["botocore-1.29.10"] = func(t *testing.T) ([]string, []string) {
		return []string{testtools.PythonOld(t), abs(t, "botocore-old", "client.py")}, nil
	}
}

// TestAWSCLIStableSignsIn lets the AWS CLI of Debian 13 make a profile at a terminal, where it asks in other words
// than the newest, use it, renew its token and log out.
func TestAWSCLIStableSignsIn(t *testing.T) {
	t.Parallel()
	aws := testtools.AWSCLIStable(t)
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, checked)
			browser, visits := w.browser(w.emu.Person())
			x := w.terminal(w.env(browser), aws, append([]string{"configure", "sso"}, way.aws...)...)
			name := sessionName
			if way.legacy {
				name = ""
			}
			x.answer("SSO session name (Recommended):", name)
			x.answer("SSO start URL [None]:", emulator.DefaultStartURL)
			x.answer("SSO region [None]:", emulator.DefaultRegion)
			if !way.legacy {
				x.answer("SSO registration scopes [sso:account:access]:", "")
			}
			w.visited(visits)
			x.expect("The only AWS account available to you is: " + accountID)
			x.expect("The only role available to you is: " + roleName)
			x.answer("CLI default client Region [None]:", region)
			x.answer("CLI default output format [None]:", "json")
			x.answer("CLI profile name ["+roleName+"-"+accountID+"]:", "dev")
			if code, text := x.wait(); code != 0 {
				t.Fatalf("exit code %d:\n%s", code, text)
			}
			if w.granted(way.grant) != 1 {
				t.Errorf("no token was granted for %s", way.grant)
			}
			w.cliIdentity(aws, "dev")
			if !way.legacy {
				w.expire(false)
				w.renewedBy("the AWS CLI 2.23", func() { w.cliIdentity(aws, "dev") })
			}
			w.homingCredentials()
			w.cliLogout(aws, way.legacy)
		})
	}
}
