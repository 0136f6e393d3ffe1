package awsconfig

import (
	"testing"

	"github.com/homing-cli/homing/internal/configtest"
	"github.com/homing-cli/homing/internal/fault"
)

// write is configtest.Write.
func write(t testing.TB, config string, credentials ...string) Paths {
	t.Helper()
	configFile, credentialsFile := configtest.Write(t, config, credentials...)
	return Paths{Config: configFile, Credentials: credentialsFile}
}

func load(t testing.TB, config string, credentials ...string) *Config {
	t.Helper()
	c, err := Load(write(t, config, credentials...))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const example = configtest.Example

func TestRead(t *testing.T) {
	c := load(t, example, "[dev]\nregion = from-credentials\n[keys]\naws_access_key_id = AKIAEXAMPLE\n")
	if err := c.CLIError(); err != nil {
		t.Fatal(err)
	}
	p, ok := c.Profile("dev")
	if !ok || p.Get("region") != "from-credentials" || p.Get("sso_account_id") != "012345678901" {
		t.Errorf("dev = %v %q %q", ok, p.Get("region"), p.Get("sso_account_id"))
	}
	if v, ok := p.Sub("s3", "max_queue_size"); !ok || v != "10" {
		t.Errorf("nested value = %q, %v", v, ok)
	}
	got, err := c.SSO("chained")
	if err != nil {
		t.Fatal(err)
	}
	if got.Profile != "dev" || got.Session.Name != "corp" || got.Region != "us-west-2" || len(got.Via) != 2 ||
		len(got.Session.Scopes) != 2 {
		t.Errorf("chained = %+v", got)
	}
	if s := c.Sessions(); len(s) != 2 || s[0].Name != "corp" || s[1].StartURL != "https://old.awsapps.com/start#" {
		t.Errorf("sessions = %+v", s)
	}
	if ps := c.ProfilesOf(got.Session); len(ps) != 1 || ps[0].Profile != "dev" {
		t.Errorf("profiles of corp = %+v", ps)
	}
	if _, err := c.SSO("keys"); fault.KindOf(err) != fault.Config {
		t.Errorf("keys: %v", err)
	}
}
