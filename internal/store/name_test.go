package store

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/session"
)

const startURL = "https://d-1234567890.awsapps.com/start"

// The digests come from the AWS CLI and botocore, not from this code.
func TestFileNamesAreTheAWSCLIs(t *testing.T) {
	t.Parallel()
	named := session.Session{
		Name:     "my-sso",
		StartURL: startURL,
		Region:   "us-east-1",
		Scopes:   []string{"sso:account:access"},
	}
	legacy := session.Session{StartURL: startURL, Region: "us-east-1"}
	odd := session.Session{
		Name: `zurück-🏠 "x"`, StartURL: startURL, Region: "eu-central-1", Scopes: []string{"sso:account:access", "codewhisperer:completions"},
	}
	for _, tt := range []struct{ what, got, want string }{
		{"token of a session", sha1Hex(named.CacheKey()), "0ad374308c5a4e22f723adf10145eafad7c4031c"},
		{"token of a start URL", sha1Hex(legacy.CacheKey()), "7487b5b67d5fa1132cf33fa93ae51ef38cc37752"},
		{"registration of a session", registrationName(named, "botocore"), "a8343d65418848d0bc13a5f25cbb32508ceec5d1"},
		{"registration of a start URL", registrationName(legacy, "botocore"), "365414a68be7c9bfc776c660981dbdbd942acea4"},
		{
			"role credentials", roleName(RoleKey{named, "123456789012", "Admin"}),
			"c30b99aca80d8f5b3178e353f05b2abcc9a4ccd3",
		},
		// Printed by Python's hashlib and json.
		{"token of an awkward name", sha1Hex(odd.CacheKey()), "56b19a18fe398a381b42c25dac4af0f3aa8e4e66"},
		{"registration of an awkward name", registrationName(odd, tool), "aa0f13ac94242ac811e3c219cc0720d1a21ca27f"},
		{
			"role credentials of a start URL", roleName(RoleKey{session.Session{StartURL: startURL + "#"}, "012345678901", "Ädmin"}),
			"b70b02c3ec486ba889f89dd8de8121775c372bb0",
		},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: name %s, want %s", tt.what, tt.got, tt.want)
		}
	}
	if registrationName(named, tool) == registrationName(named, "botocore") {
		t.Error("our registration has the AWS CLI's name: the consent page would name the wrong program")
	}
}

func TestFilesStandBelowTheAWSFolder(t *testing.T) {
	t.Parallel()
	s := &Store{AWSDir: filepath.FromSlash("/h/.aws")}
	k := session.Session{Name: "my-sso"}
	for got, want := range map[string]string{
		s.TokenPath("my-sso"):                           "/h/.aws/sso/cache/0ad374308c5a4e22f723adf10145eafad7c4031c.json",
		s.RolePath(RoleKey{k, "123456789012", "Admin"}): "/h/.aws/cli/cache/c30b99aca80d8f5b3178e353f05b2abcc9a4ccd3.json",
	} {
		if got != filepath.FromSlash(want) {
			t.Errorf("path %s, want %s", got, want)
		}
	}
	if !strings.HasPrefix(s.RegistrationPath(RegistrationKey{Session: k}), filepath.FromSlash("/h/.aws/homing/")) {
		t.Error("the registration is not in the token folder")
	}
}

// The right column was printed by Python's json.dumps.
func TestStringsAsPythonWritesThem(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                   `""`,
		"plain /~!":          `"plain /~!"`,
		"\"\\":               `"\"\\"`,
		"\n\r\t\f\b":         `"\n\r\t\f\b"`,
		"\x00\x1f\x7f":       `"\u0000\u001f\u007f"`,
		"<>&'":               `"<>&'"`,
		"zurück":             `"zur\u00fcck"`,
		"日本\u2028":           `"\u65e5\u672c\u2028"`,
		"🏠":                  `"\ud83c\udfe0"`,
		"\xff":               `"\udcff"`,
		"\ufffd":             `"\ufffd"`,
		"https://x/start#/?": `"https://x/start#/?"`,
	} {
		if got := pyString(in); got != want {
			t.Errorf("pyString(%q) = %s, want %s", in, got, want)
		}
	}
}
