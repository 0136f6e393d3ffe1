//go:build unix

package interop

import (
	"testing"

	"github.com/homing-cli/homing/internal/testtools"
)

// awsCLI makes a client of an AWS CLI.
func awsCLI(find func(testing.TB) string) func(t *testing.T) (command, env []string) {
	return func(t *testing.T) ([]string, []string) { return []string{build(t, "./awscli"), find(t)}, nil }
}

// tooOld names, for a client whose models are older than the newest, the errors that those do not have. It reports them
// by code and status, without class and reason.
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
