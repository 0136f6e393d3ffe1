package testtools

import "testing"

// AWSCLIStable returns the path of a script that runs the AWS CLI 2.23 of Debian 13, as AWSCLI does for the newest.
func AWSCLIStable(t testing.TB) string {
	t.Helper()
	return tool(t, "the AWS CLI 2.23", "awscli-stable", "aws")
}

// AWSCLI1 returns the path of the AWS CLI 1, in the version of interop/versions. It uses and renews sessions; it has
// no commands that sign in.
func AWSCLI1(t testing.TB) string {
	t.Helper()
	return tool(t, "the AWS CLI 1", "awscli1", "bin", "aws")
}

// PythonOld returns the python of a virtual environment that holds the first botocore that knows sso-session.
func PythonOld(t testing.TB) string {
	t.Helper()
	return tool(t, "Python with botocore 1.29.10", "python-old", "bin", "python")
}
