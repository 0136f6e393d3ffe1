//go:build unix

package interop

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/testtools"
)

func init() {
	clients["rust"] = func(t *testing.T) ([]string, []string) { return []string{testtools.RustClient(t)}, nil }
}

// TestRustReadsTokenFiles holds rust/NOTES.md against the SDK: which token files it reads.
func TestRustReadsTokenFiles(t *testing.T) {
	t.Parallel()
	testtools.RustClient(t)
	w := newWorld(t, checked)
	w.config(false)
	w.signIn(false)
	good := map[string]any{}
	for name, value := range w.token(false) {
		good[name] = value
	}
	later := time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05")
	p := w.start("rust")
	for name, c := range map[string]struct {
		prefix string         // before the JSON
		set    map[string]any // fields that differ from a good file's
		want   string         // in the error's text; "" where the file serves
	}{
		"as homing writes it": {},
		"fractions":           {set: map[string]any{"expiresAt": later + ".123456789Z"}},
		"nulls":               {set: map[string]any{"refreshToken": nil, "clientId": nil}},
		"unknown fields":      {set: map[string]any{"later": map[string]any{"a": []int{1}}}},
		"offset": {set: map[string]any{"expiresAt": later + "+00:00"},
			want: "Smithy does not support timezone offsets"},
		"registration offset": {set: map[string]any{"registrationExpiresAt": later + "+00:00"},
			want: "Smithy does not support timezone offsets"},
		"the suffix UTC": {set: map[string]any{"expiresAt": later + "UTC"}, want: `"expiresAt"`},
		"expiry as a number": {set: map[string]any{"expiresAt": time.Now().Unix() + 3600},
			want: `MissingField("expiresAt")`},
		"a byte order mark": {prefix: "\ufeff", want: "JsonError"},
		"without registration": {set: map[string]any{"registrationExpiresAt": nil, "expiresAt": "2026-01-01T00:00:00Z"},
			want: "ExpiredToken"},
	} {
		fields := maps.Clone(good)
		maps.Copy(fields, c.set)
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		w.write(w.tokenPath(false), c.prefix+string(text))
		a := p.ask(map[string]string{"do": "token", "profile": "dev"})
		if c.want == "" && a.Expires == "" || c.want != "" && !strings.Contains(a.Message, c.want) {
			t.Errorf("%s: got %+v, want error %q", name, a, c.want)
		}
	}
	if got := w.refreshes(); got != 0 {
		t.Errorf("%d refreshes", got)
	}
}

// TestRustUsesWhatHasExpired holds rust/NOTES.md against the SDK: where it leaves the expiry to the service.
func TestRustUsesWhatHasExpired(t *testing.T) {
	t.Parallel()
	testtools.RustClient(t)
	for _, legacy := range []bool{false, true} {
		t.Run(map[bool]string{false: "session", true: "legacy"}[legacy], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, checked)
			w.config(legacy)
			w.signIn(legacy)
			w.expire(legacy)
			if legacy {
				w.wantIdentity("rust")
			}
			w.emu.EndSession("")
			if !legacy {
				a := w.start("rust").ask(map[string]string{"do": "token", "profile": "dev"})
				if expires, err := time.Parse(time.RFC3339, a.Expires); err != nil || time.Until(expires) > 0 {
					t.Errorf("a token that cannot be renewed: %+v", a)
				}
			}
			if a := w.identity("rust"); !strings.Contains(a.Message, "UnauthorizedException") {
				t.Errorf("after the session's end: %+v", a)
			}
		})
	}
}

// TestRustReadsProfiles holds rust/NOTES.md against the SDK: which profiles it takes.
func TestRustReadsProfiles(t *testing.T) {
	t.Parallel()
	testtools.RustClient(t)
	w := newWorld(t, checked)
	w.config(false)
	w.signIn(false)
	good := w.read(w.path(".aws", "config"))
	both := strings.Replace(good, "sso_session = ", "sso_region = us-east-1\nsso_session = ", 1)
	p := w.start("rust")
	for name, c := range map[string]struct {
		config, do, want string // want is in the error's text; "" where the profile serves
	}{
		"session":                {good, "identity", ""},
		"session and sso_region": {both, "identity", "can only be specified in the [sso-session] config"},
		"session without account, role": {strings.NewReplacer("sso_account_id", "x", "sso_role_name",
			"y").Replace(good), "token", ""},
		"account without role": {strings.Replace(good, "sso_role_name", "y", 1), "identity",
			"must also be set"},
		"a line that is nothing": {good + "nothing\n", "identity", "could not parse profile file"},
		"the same section and key twice": {good + "[profile dev]\nregion = us-west-2\nregion = us-west-2\n",
			"identity", ""},
		"a comment after a value": {strings.Replace(good, "sso_session = "+sessionName,
			"sso_session = "+sessionName+" # mine", 1), "identity", ""},
		"a section with a quoted name": {strings.Replace(good, "[profile dev]", `[profile "dev"]`, 1), "identity",
			"no credentials found in chain"},
		"legacy, and a bearer token of it": {strings.Replace(both, "sso_session = "+sessionName, "sso_start_url = https://e.awsapps.com/start", 1), "token", "panicked"},
	} {
		w.write(w.path(".aws", "config"), c.config)
		a := p.ask(map[string]string{"do": c.do, "profile": "dev"})
		if (a.Error == "") != (c.want == "") || !strings.Contains(a.Message, c.want) {
			t.Errorf("%s: got %+v, want error %q", name, a, c.want)
		}
	}
}
