//go:build unix

package interop

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/testtools"
)

func init() {
	clients["java"] = func(t *testing.T) ([]string, []string) { return []string{testtools.JavaClient(t)}, nil }
}

// tokenFile is a token file that differs from a good one, and what a client makes of it.
type tokenFile struct {
	prefix string         // before the JSON
	set    map[string]any // nil removes the field
	want   string         // in the error; "" where the file serves
}

// readsTokenFiles holds what a client's notes say about token files against the client.
func readsTokenFiles(t *testing.T, client string, files map[string]tokenFile) {
	clients[client](t)
	w := newWorld(t, checked)
	w.config(false)
	w.signIn(false)
	good := map[string]any{}
	for name, value := range w.token(false) {
		good[name] = value
	}
	p := w.start(client)
	for name, file := range files {
		fields := maps.Clone(good)
		for field, value := range file.set {
			if fields[field] = value; value == nil {
				delete(fields, field)
			}
		}
		text, err := json.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		w.write(w.tokenPath(false), file.prefix+string(text))
		a := p.ask(map[string]string{"do": "token", "profile": "dev"})
		if file.want == "" && a.Expires == "" || file.want != "" && !strings.Contains(a.Error+": "+a.Message,
			file.want) {
			t.Errorf("%s: got %+v, want error %q", name, a, file.want)
		}
	}
	if got := w.refreshes(); got != 0 {
		t.Errorf("%d refreshes", got)
	}
}

// profile is a config file, what is asked with its profile dev, and what a client makes of it.
type profile struct{ config, do, want string }

// readsProfiles holds what a client's notes say about profiles against the client. A client may keep the file it read
// first, so each gets a new process.
func readsProfiles(t *testing.T, client string, profiles func(good string) map[string]profile) {
	clients[client](t)
	w := newWorld(t, checked)
	w.config(false)
	w.signIn(false)
	for name, c := range profiles(w.read(w.path(".aws", "config"))) {
		w.write(w.path(".aws", "config"), c.config)
		p := w.start(client)
		a := p.ask(map[string]string{"do": c.do, "profile": "dev"})
		if (a.Error == "") != (c.want == "") || !strings.Contains(a.Error+": "+a.Message, c.want) {
			t.Errorf("%s: got %+v, want error %q", name, a, c.want)
		}
		_ = p.in.Close()
	}
}

func inOneHour(suffix string) string {
	return time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05") + suffix
}

// null is a JSON null, which is not a field that is missing.
var null = json.RawMessage("null")

func TestJavaReadsTokenFiles(t *testing.T) {
	t.Parallel()
	past := "2026-01-01T00:00:00Z"
	readsTokenFiles(t, "java", map[string]tokenFile{
		"as homing writes it": {},
		"fractions":           {set: map[string]any{"expiresAt": inOneHour(".123456789Z")}},
		"nulls":               {set: map[string]any{"refreshToken": null, "clientId": null}},
		"unknown fields":      {set: map[string]any{"later": map[string]any{"a": []int{1}}}},
		"without region":      {set: map[string]any{"region": nil}},
		"without start URL":   {set: map[string]any{"startUrl": nil}},
		"offset":              {set: map[string]any{"expiresAt": inOneHour("-05:00")}},
		"registration offset": {set: map[string]any{"registrationExpiresAt": inOneHour("-05:00")}},
		"the suffix UTC":      {set: map[string]any{"expiresAt": inOneHour("UTC")}, want: "DateTimeParseException"},
		"expiry as a number": {set: map[string]any{"expiresAt": time.Now().Unix() + 3600},
			want: "DateTimeParseException"},
		"a byte order mark": {prefix: "\ufeff", want: "UncheckedIOException"},
		"no refresh token": {set: map[string]any{"refreshToken": nil, "expiresAt": past},
			want: "Token is expired"},
		"expired, no start URL": {set: map[string]any{"startUrl": nil, "expiresAt": past}, want: "startUrl is null"},
	})
}

func TestJavaReadsProfiles(t *testing.T) {
	t.Parallel()
	readsProfiles(t, "java", func(good string) map[string]profile {
		both := strings.Replace(good, "sso_session = ", "sso_region = us-east-1\nsso_session = ", 1)
		other := strings.Replace(both, "us-east-1", "eu-west-1", 1)
		return map[string]profile{
			"session":                     {good, "identity", ""},
			"session and the same region": {both, "identity", ""},
			"session and another region":  {other, "identity", "different sso_region"},
			"account without role": {strings.Replace(good, "sso_role_name", "y", 1), "identity",
				"Unable to load credentials from any of the providers"},
			"session without account, role": {strings.NewReplacer("sso_account_id", "x", "sso_role_name",
				"y").Replace(good), "token", ""},
			"a line that is nothing": {good + "nothing\n", "identity", "Expected an '=' sign"},
			"the same section and key twice": {good + "[profile dev]\nregion = us-west-2\nregion = us-west-2\n",
				"identity", ""},
			"a comment after a value": {strings.Replace(good, "sso_session = "+sessionName,
				"sso_session = "+sessionName+" # mine", 1), "identity", ""},
			"a quoted name": {strings.Replace(good, "[profile dev]", `[profile "dev"]`, 1), "identity",
				"Unable to load region"},
			"a byte order mark": {"\ufeff" + good, "identity", "Expected a profile definition on line 1"},
		}
	})
}

// writes renews a token with a client and returns the file before and after, and its fields after.
func writes(t *testing.T, client string) (before, after os.FileInfo, fields map[string]string) {
	clients[client](t)
	w := newWorld(t, checked)
	w.config(false)
	w.signIn(false)
	w.expire(false)
	path := w.tokenPath(false)
	w.write(path, strings.Replace(w.read(path), "{", `{"more":"of ours",`, 1))
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	stat := func() os.FileInfo {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	before = stat()
	w.renewedBy(client, func() { w.wantIdentity(client) })
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("beside the token file: %v, %v", entries, err)
	}
	return before, stat(), w.token(false)
}

// TestJavaWritesTokenFiles shows what the SDK makes of a token file when it renews the token.
func TestJavaWritesTokenFiles(t *testing.T) {
	t.Parallel()
	before, after, fields := writes(t, "java")
	if os.SameFile(before, after) || after.Mode().Perm() != 0o600 {
		t.Errorf("same file: %v, mode %v; want a new file of the owner's alone", os.SameFile(before, after),
			after.Mode())
	}
	if fields["more"] != "" || !regexp.MustCompile(`\.\d+Z$`).MatchString(fields["expiresAt"]) {
		t.Errorf("unknown field %q, expiresAt %q; want none, and fractions", fields["more"], fields["expiresAt"])
	}
}
