//go:build unix

package interop

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/awsmodel"
)

// patience is how long a client may take for a step. It is far above what any needs, so that it only ends tests that
// hang.
const patience = 3 * time.Minute

const (
	sessionName = "my-sso"
	accountID   = "123456789012"
	roleName    = "Admin"
	region      = "eu-central-1" // the profile's, unlike the service's
)

// world is an Identity Center, a home folder, and a person with a browser.
type world struct {
	*testing.T
	emu  *emulator.Server
	url  string // of the emulator, for all three services
	home string

	version string // what the client said it is, for the matrix
	note    string // what the matrix says in place of "yes"

	mu      sync.Mutex
	arrived chan struct{} // see nextRefresh
}

// newWorld starts an emulator over a socket. Every request and every answer is held against the published models.
func newWorld(t *testing.T, checks awsmodel.Checks) *world {
	t.Helper()
	emu := &emulator.Server{Directory: &emulator.Directory{
		Users: []emulator.User{{Name: "ada"}},
		Accounts: []emulator.Account{
			{ID: accountID, Name: "Engine", Roles: []emulator.Role{{Name: roleName}}},
		},
	}}
	w := &world{T: t, emu: emu, home: t.TempDir()}
	srv := httptest.NewServer(w.announce(awsmodel.Handler(t, emu, checks)))
	w.url = srv.URL
	t.Cleanup(func() {
		srv.Close()
		for _, r := range emu.Unexpected() {
			t.Errorf("a request that the service has no operation for: %s %s from %s", r.Method, r.Path, r.UserAgent)
		}
		if t.Failed() {
			for _, r := range emu.Requests() {
				t.Logf("%s %s %d %s %s", r.Op, r.Grant, r.Status, r.Error, r.UserAgent)
			}
		}
	})
	return w
}

// env is the environment of a client: the emulator's endpoints, a home of its own, no way out to the internet, and a
// PATH without homing.
func (w *world) env(extra ...string) []string {
	return append([]string{
		"HOME=" + w.home,
		"PATH=/usr/bin:/bin",
		"LC_ALL=C.UTF-8",
		"TERM=xterm-256color",
		"AWS_ENDPOINT_URL_SSO_OIDC=" + w.url,
		"AWS_ENDPOINT_URL_SSO=" + w.url,
		"AWS_ENDPOINT_URL_STS=" + w.url,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_MAX_ATTEMPTS=1",
		"AWS_PAGER=",
		"HTTP_PROXY=http://127.0.0.1:9", "HTTPS_PROXY=http://127.0.0.1:9", "http_proxy=http://127.0.0.1:9", "https_proxy=http://127.0.0.1:9",
		"NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost",
		"PROMPT_TOOLKIT_NO_CPR=1", // the AWS CLI's prompts ask a terminal for its cursor position otherwise
	}, extra...)
}

func (w *world) path(elem ...string) string {
	return filepath.Join(append([]string{w.home}, elem...)...)
}

func (w *world) write(path, text string) {
	w.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
}

func (w *world) read(path string) string {
	w.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		w.Fatal(err)
	}
	return string(b)
}

// config writes a config file with the profile "dev", in the session format or the legacy one.
func (w *world) config(legacy bool) {
	w.Helper()
	profile := fmt.Sprintf("sso_account_id = %s\nsso_role_name = %s\nregion = %s\n", accountID, roleName, region)
	settings := fmt.Sprintf("sso_start_url = %s\nsso_region = %s\n", emulator.DefaultStartURL, emulator.DefaultRegion)
	text := "[profile dev]\nsso_session = " + sessionName + "\n" + profile +
		"[sso-session " + sessionName + "]\n" + settings + "sso_registration_scopes = sso:account:access\n"
	if legacy {
		text = "[profile dev]\n" + settings + profile
	}
	w.write(w.path(".aws", "config"), text)
}

// key is what the token file is named after.
func key(legacy bool) string {
	if legacy {
		return emulator.DefaultStartURL
	}
	return sessionName
}

func (w *world) tokenPath(legacy bool) string {
	sum := sha1.Sum([]byte(key(legacy)))
	return w.path(".aws", "sso", "cache", hex.EncodeToString(sum[:])+".json")
}

// token is the token file's text fields. A null reads as "".
func (w *world) token(legacy bool) map[string]string {
	w.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(w.read(w.tokenPath(legacy))), &fields); err != nil {
		w.Fatalf("token file: %v", err)
	}
	text := map[string]string{}
	for name, v := range fields {
		if s, ok := v.(string); ok {
			text[name] = s
		} else if v != nil {
			w.Errorf("token file: %s is not text", name)
		}
	}
	return text
}

// expire makes the token look expired to whoever reads the file, and takes away the role credentials that the AWS CLI
// keeps, so that the next use must renew the token.
func (w *world) expire(legacy bool) {
	w.Helper()
	w.expireIn(legacy, -time.Minute)
}

// expireIn does so after a while.
func (w *world) expireIn(legacy bool, d time.Duration) {
	w.Helper()
	fields := w.token(legacy)
	fields["expiresAt"] = time.Now().Add(d).UTC().Format(time.RFC3339)
	text, err := json.Marshal(fields)
	if err != nil {
		w.Fatal(err)
	}
	w.write(w.tokenPath(legacy), string(text))
	w.dropRoleCredentials()
}

func (w *world) dropRoleCredentials() {
	w.Helper()
	if err := os.RemoveAll(w.path(".aws", "cli", "cache")); err != nil {
		w.Fatal(err)
	}
}

// renewedBy checks that do renews the token: one refresh that the service granted, and a token file with everything
// needed for the next.
func (w *world) renewedBy(who string, do func()) {
	w.Helper()
	before, seen := w.token(false), w.refreshes()
	do()
	after := w.token(false)
	if got := w.refreshes() - seen; got != 1 {
		w.Errorf("%s: %d refreshes, want 1", who, got)
	}
	for _, field := range []string{"startUrl", "region", "accessToken", "expiresAt", "clientId", "clientSecret",
		"refreshToken", "registrationExpiresAt"} {
		if after[field] == "" {
			w.Errorf("%s: field %s is gone from the token file", who, field)
		}
	}
	if after["accessToken"] == before["accessToken"] || after["refreshToken"] == before["refreshToken"] {
		w.Errorf("%s: the token file still holds the old tokens", who)
	}
	if expires, err := time.Parse(time.RFC3339, after["expiresAt"]); err != nil ||
		time.Until(expires) < 30*time.Minute {
		w.Errorf("%s: expiresAt is %q: %v", who, after["expiresAt"], err)
	}
}

func (w *world) refreshes() (n int) {
	for _, r := range w.emu.Requests() {
		if r.Op == emulator.OpCreateToken && r.Grant == "refresh_token" && r.Status == http.StatusOK {
			n++
		}
	}
	return n
}

// signIn leaves the token file that a device-code sign-in by the AWS CLI would leave, field by field.
func (w *world) signIn(legacy bool) {
	w.Helper()
	registration := map[string]any{"clientName": "interop", "clientType": "public"}
	if !legacy {
		registration["scopes"] = []string{"sso:account:access"}
	}
	client := w.post("/client/register", registration)
	device := w.post("/device_authorization", map[string]any{"clientId": client["clientId"],
		"clientSecret": client["clientSecret"], "startUrl": emulator.DefaultStartURL})
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	if err := w.emu.Approve(ctx); err != nil {
		w.Fatal(err)
	}
	grant := w.post("/token", map[string]any{"clientId": client["clientId"], "clientSecret": client["clientSecret"],
		"deviceCode": device["deviceCode"], "grantType": "urn:ietf:params:oauth:grant-type:device_code"})
	lifetime := time.Duration(grant["expiresIn"].(float64)) * time.Second
	token := map[string]any{
		"startUrl": emulator.DefaultStartURL, "region": emulator.DefaultRegion,
		"accessToken": grant["accessToken"],
		"expiresAt":   time.Now().Add(lifetime).UTC().Format(time.RFC3339),
		"clientId":    client["clientId"], "clientSecret": client["clientSecret"],
		"registrationExpiresAt": time.Unix(int64(client["clientSecretExpiresAt"].(float64)),
			0).UTC().Format(time.RFC3339),
	}
	if r := grant["refreshToken"]; r != nil {
		token["refreshToken"] = r
	}
	text, err := json.Marshal(token)
	if err != nil {
		w.Fatal(err)
	}
	w.write(w.tokenPath(legacy), string(text))
}

func (w *world) post(path string, body map[string]any) map[string]any {
	w.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		w.Fatal(err)
	}
	resp, err := http.Post(w.url+path, "application/json", bytes.NewReader(text))
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || resp.StatusCode != http.StatusOK {
		w.Fatalf("%s: %s %v", path, resp.Status, err)
	}
	return answer
}

// browser returns the BROWSER variable of a client; person visits every URL that the client opens with it. The
// returned channel receives a value after each visit. A visit that fails fails the test.
func (w *world) browser(person *emulator.Person) (variable string, visits <-chan struct{}) {
	w.Helper()
	pipe, script := w.path("opened"), w.path("browser")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		w.Fatal(err)
	}
	w.write(script, "#!/bin/sh\necho \"$1\" >'"+pipe+"'\n")
	if err := os.Chmod(script, 0o700); err != nil {
		w.Fatal(err)
	}
	opened, err := os.OpenFile(pipe, os.O_RDWR, 0) // not waiting for the other end
	if err != nil {
		w.Fatal(err)
	}
	done := make(chan struct{}, 10)
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for lines := bufio.NewScanner(opened); lines.Scan(); {
			if err := person.Open(w.Context(), lines.Text()); err != nil {
				w.Errorf("the person's visit: %v", err) // now: the client may wait for ever
			}
			done <- struct{}{}
		}
	}()
	w.Cleanup(func() {
		_ = opened.Close()
		<-finished
	})
	return "BROWSER=" + script, done
}

// visited waits for the person to come to the end of a visit.
func (w *world) visited(visits <-chan struct{}) {
	w.Helper()
	select {
	case <-visits:
	case <-time.After(patience):
		w.Fatal("the client opened no browser")
	}
}

// run runs a command in the world and returns what it printed. The exit code must be one of those given.
func (w *world) run(env []string, exits []int, name string, args ...string) (stdout, stderr string) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env, cmd.Dir = env, w.home
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if cmd.ProcessState == nil || !slices.Contains(exits, cmd.ProcessState.ExitCode()) {
		w.Fatalf("%s %s: %v\nstdout: %s\nstderr: %s", filepath.Base(name), strings.Join(args, " "), err, out.String(),
			errs.String())
	}
	return out.String(), errs.String()
}

// arn is the identity that sts get-caller-identity reports for the profile.
var arn = "arn:aws:sts::" + accountID + ":assumed-role/AWSReservedSSO_" + roleName
