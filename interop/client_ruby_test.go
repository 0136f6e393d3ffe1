//go:build unix

package interop

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/testtools"
)

func init() {
	// Ruby writes times with the offset of where it runs.
	clients["ruby"] = func(t *testing.T) ([]string, []string) {
		return []string{testtools.Ruby(t), abs(t, "ruby", "client.rb")}, []string{"TZ=EST5"}
	}
}

func TestRubyReadsTokenFiles(t *testing.T) {
	t.Parallel()
	past := "2026-01-01T00:00:00Z"
	readsTokenFiles(t, "ruby", map[string]tokenFile{
		"as homing writes it": {},
		"fractions":           {set: map[string]any{"expiresAt": inOneHour(".123456789Z")}},
		"nulls":               {set: map[string]any{"refreshToken": null, "clientId": null}},
		"unknown fields":      {set: map[string]any{"later": map[string]any{"a": []int{1}}}},
		"without region":      {set: map[string]any{"region": nil}},
		"without start URL":   {set: map[string]any{"startUrl": nil}},
		"offset":              {set: map[string]any{"expiresAt": inOneHour("-05:00")}},
		"registration offset": {set: map[string]any{"registrationExpiresAt": inOneHour("-05:00")}},
		"the suffix UTC":      {set: map[string]any{"expiresAt": inOneHour("UTC")}},
		"expiry as a number":  {set: map[string]any{"expiresAt": time.Now().Unix() + 3600}, want: "TypeError"},
		"a byte order mark": {prefix: "\ufeff", want: "InvalidSSOToken: The SSO session associated with this " +
			"profile has expired"},
		"no refresh token": {set: map[string]any{"refreshToken": nil, "expiresAt": past},
			want: "Token is invalid and failed to refresh"},
		"registration over": {set: map[string]any{"registrationExpiresAt": past, "expiresAt": past},
			want: "Token is invalid and failed to refresh"},
	})
}

func TestRubyReadsProfiles(t *testing.T) {
	t.Parallel()
	readsProfiles(t, "ruby", func(good string) map[string]profile {
		both := strings.Replace(good, "sso_session = ", "sso_region = us-east-1\nsso_session = ", 1)
		other := strings.Replace(both, "us-east-1", "eu-west-1", 1)
		legacy := strings.Replace(both, "sso_session = "+sessionName, "sso_start_url = https://e.awsapps.com/start", 1)
		return map[string]profile{
			"session":                     {good, "identity", ""},
			"session and the same region": {both, "identity", ""},
			"session and another region":  {other, "identity", "does not match the profile dev's sso_region"},
			"account without role": {strings.Replace(good, "sso_role_name", "y", 1), "identity",
				"Missing required keys: [:sso_role_name]"},
			"session without account, role": {strings.NewReplacer("sso_account_id", "x", "sso_role_name",
				"y").Replace(good), "token", ""},
			"a line that is nothing": {good + "nothing\n", "identity", ""},
			"the same section and key twice": {good + "[profile dev]\nregion = us-west-2\nregion = us-west-2\n",
				"identity", ""},
			"a comment after a value": {strings.Replace(good, "sso_session = "+sessionName,
				"sso_session = "+sessionName+" # mine", 1), "identity", "must be defined"},
			"a quoted name": {strings.Replace(good, "[profile dev]", `[profile "dev"]`, 1),
				"identity", "No region was provided"},
			"a byte order mark":                {"\ufeff" + good, "identity", "No region was provided"},
			"legacy, and a bearer token of it": {legacy, "token", "NoMethodError"},
		}
	})
}

// TestRubyWritesTokenFiles shows what the SDK makes of a token file when it renews the token.
func TestRubyWritesTokenFiles(t *testing.T) {
	t.Parallel()
	before, after, fields := writes(t, "ruby")
	if !os.SameFile(before, after) || after.Mode().Perm() != 0o600 {
		t.Errorf("same file: %v, mode %v; want the same file, made the owner's alone", os.SameFile(before, after),
			after.Mode())
	}
	if fields["more"] != "of ours" || !strings.HasSuffix(fields["expiresAt"], "-05:00") {
		t.Errorf("unknown field %q, expiresAt %q; want it kept, and an offset", fields["more"], fields["expiresAt"])
	}
}
