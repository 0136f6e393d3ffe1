package testtools

import (
	"strings"
	"testing"
)

func TestMissingOldClients(t *testing.T) {
	t.Setenv("HOMING_TOOLS", t.TempDir())
	for name, find := range map[string]func(testing.TB) string{
		"AWS CLI 2.23":     AWSCLIStable,
		"AWS CLI 1":        AWSCLI1,
		"botocore 1.29.10": PythonOld,
		"aws2-wrap":        AWS2Wrap,
	} {
		for ci, want := range map[string]string{"": "skip: ", "true": "fail: "} {
			t.Setenv("CI", ci)
			said := ended(func(t testing.TB) { find(t) })
			if !strings.HasPrefix(said, want) || !strings.Contains(said, name) || !strings.Contains(said,
				"make setup") {
				t.Errorf("CI=%q: got %q, want %q naming %s and make setup", ci, said, want, name)
			}
		}
	}
}
