package awsconfig

import (
	"slices"
	"testing"
)

func TestEachProfile(t *testing.T) {
	t.Parallel()
	c, err := Load(write(t, `[DEFAULT]
output = json
[profile a]
region = r1
[sso-session s]
region = r2
[profile my name]
[ profile sdk ]
[profile b]
[default]
region = r3
`, `[a]
aws_access_key_id = x
[only]
aws_access_key_id = y
[a b]
`))
	if err != nil || c.CLIError() != nil {
		t.Fatal(err, c.CLIError())
	}
	var got []string
	for p := range c.Profiles() {
		got = append(got, p.Name)
		if p.Get("output") != "" || p.Get("aws_access_key_id") != "" {
			t.Errorf("%s has %v", p.Name, p.Keys())
		}
		if want := map[string]string{"a": "r1", "b": "", "default": "r3"}[p.Name]; p.Get("region") != want {
			t.Errorf("the region of %s is %q", p.Name, p.Get("region"))
		}
	}
	if want := []string{"a", "b", "default"}; !slices.Equal(got, want) {
		t.Errorf("profiles: %q", got)
	}
	for range c.Profiles() {
		break // and it ends
	}
	if names, want := c.CredentialsNames(), []string{"a", "only", "a b"}; !slices.Equal(names, want) {
		t.Errorf("of the credentials file: %q", names)
	}
	names := c.ProfileNamesInUse()
	for _, name := range []string{"a", "b", "default", "only", "my name", "sdk"} {
		if n := len(slices.DeleteFunc(slices.Clone(names), func(s string) bool { return s != name })); n != 1 {
			t.Errorf("%q is in use %d times: %q", name, n, names)
		}
	}
	if s, ok := c.SessionSection("s"); !ok || s.Get("region") != "r2" {
		t.Errorf("the section of the session: %v, %v", s, ok)
	}
	if _, ok := c.SessionSection("a"); ok {
		t.Error("a profile counts as a session")
	}
}
