//go:build unix

package interop

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/testtools"
)

// built holds the programs of this repository that the tests need, each built once.
var built sync.Map

// build returns the program of a package of this repository, built with flags. It is not on the PATH of any client.
func build(t *testing.T, pkg string, flags ...string) string {
	t.Helper()
	name := filepath.Base(pkg) + strings.Join(flags, "")
	once, _ := built.LoadOrStore(name, sync.OnceValues(func() (string, error) {
		path := filepath.Join(scratch, name)
		out, err := exec.Command("go", slices.Concat([]string{"build"}, flags, []string{"-o", path,
			pkg})...).CombinedOutput()
		if err != nil {
			t.Logf("go build %s: %s", pkg, out)
		}
		return path, err
	}))
	path, err := once.(func() (string, error))()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func homing(t *testing.T) string {
	t.Helper()
	return build(t, "../cmd/homing")
}

// way is a way to sign in. After it the token file is there and can be renewed, unless it is the legacy one.
type way struct {
	name   string
	legacy bool
	homing []string // flags of homing login
	aws    []string // flags of aws sso login
	grant  string
}

var ways = []way{
	{"session by PKCE", false, []string{"--flow", "pkce"}, nil, "authorization_code"},
	{"session by device code", false, []string{"--flow", "device"}, []string{"--use-device-code"}, "device_code"},
	{"legacy", true, []string{"--flow", "device"}, nil, "device_code"},
}

// login runs a sign-in of the profile dev, by a program that opens a browser.
func (w *world) login(way way, program string, args ...string) {
	w.Helper()
	browser, visits := w.browser(w.emu.Person())
	w.run(w.env(browser), []int{0}, program, args...)
	w.visited(visits)
	if w.granted(way.grant) != 1 {
		w.Errorf("%s: no token was granted for %s", filepath.Base(program), way.grant)
	}
}

// homingCredentials prints the profile's credentials with homing and checks their shape.
func (w *world) homingCredentials() {
	w.Helper()
	out, _ := w.run(w.env(), []int{0}, homing(w.T), "credentials", "--profile", "dev")
	var creds struct {
		Version      int
		SessionToken string
	}
	if err := json.Unmarshal([]byte(out), &creds); err != nil || creds.Version != 1 || creds.SessionToken == "" {
		w.Errorf("homing credentials printed no credentials: %v", err)
	}
}

func (w *world) calls(op string) (n int) {
	for _, r := range w.emu.Requests() {
		if r.Op == op && r.Status == 200 {
			n++
		}
	}
	return n
}

// afterLogin makes a column: after homing login in one way the client uses the profile and renews its token, homing
// uses what the client wrote, and the client uses what homing wrote.
func afterLogin(way way) func(w *world, client string) {
	return func(w *world, client string) {
		w.config(way.legacy)
		w.login(way, homing(w.T), append([]string{"login", "--profile", "dev"}, way.homing...)...)
		w.wantIdentity(client)
		if way.legacy {
			w.dropRoleCredentials()
			w.homingCredentials()
			w.expire(true)
			_, stderr := w.run(w.env(), []int{4}, homing(w.T), "credentials", "--profile", "dev")
			if !strings.Contains(stderr, "hint: ") {
				w.Errorf("homing says no way out of an expired legacy token: %q", stderr)
			}
			w.emu.EndSession("") // some leave the expiry of a legacy token to the portal
			if a := w.identity(client); a.Error == "" || w.refreshes() != 0 {
				w.Errorf("expired: %+v, %d refreshes", a, w.refreshes())
			}
			return
		}
		w.expire(false)
		w.renewedBy(client, func() { w.wantIdentity(client) })
		w.dropRoleCredentials()
		w.homingCredentials()
		w.expire(false)
		w.renewedBy("homing", w.homingCredentials)
		w.expire(false)
		w.renewedBy(client+" after homing", func() { w.wantIdentity(client) })
	}
}

// credentialProcess is the column "credential_process": homing is the client's source of credentials, and renews.
func credentialProcess(w *world, client string) {
	w.config(false)
	w.signIn(false)
	path := w.path(".aws", "config")
	w.write(path, strings.ReplaceAll(w.read(path), "[profile dev]", "[profile sso]")+
		"[profile dev]\nregion = "+region+"\ncredential_process = "+homing(w.T)+" credentials --profile sso\n")
	w.wantIdentity(client)
	w.expire(false)
	w.renewedBy("homing, asked by "+client+",", func() { w.wantIdentity(client) })
}

// TestHomingAfterAWSLogin is the other direction.
func TestHomingAfterAWSLogin(t *testing.T) {
	t.Parallel()
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			aws := testtools.AWSCLI(t)
			w := newWorld(t, checked)
			w.config(way.legacy)
			w.login(way, aws, append([]string{"sso", "login", "--profile", "dev"}, way.aws...)...)
			w.homingCredentials()

			// homing accepts a good token: it says so and sends no request.
			before := len(w.emu.Requests())
			out, stderr := w.run(w.env(), []int{0}, homing(t), "login", "--profile", "dev", "--json")
			if !strings.Contains(out, `"channel":"cached"`) || len(w.emu.Requests()) != before {
				t.Errorf("homing login with the AWS CLI's good token: %d requests, said\n%s%s",
					len(w.emu.Requests())-before, out, stderr)
			}
			if way.legacy {
				return
			}
			w.expire(false)
			w.renewedBy("homing", w.homingCredentials)
			w.expire(false)
			w.renewedBy("homing login", func() {
				out, _ := w.run(w.env(), []int{0}, homing(t), "login", "--profile", "dev", "--json")
				if !strings.Contains(out, `"channel":"refresh"`) {
					t.Errorf("homing login with an expired token that can be renewed said\n%s", out)
				}
			})
			w.dropRoleCredentials()
			w.cliIdentity(aws, "dev")
			w.cliLogout(aws, false) // sweeps the folders that homing has files of its own in
		})
	}
}

// TestRoleCredentialsAreShared shows that homing and the AWS CLI find each other's role credentials.
func TestRoleCredentialsAreShared(t *testing.T) {
	t.Parallel()
	aws := testtools.AWSCLI(t)
	for _, legacy := range []bool{false, true} {
		name := map[bool]string{false: "session", true: "legacy"}[legacy]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, checked)
			w.config(legacy)
			w.signIn(legacy)
			w.homingCredentials()
			w.cliIdentity(aws, "dev")
			if got := w.calls(emulator.OpGetRoleCredentials); got != 1 {
				t.Errorf("homing, then the AWS CLI: credentials were fetched %d times", got)
			}
			w.dropRoleCredentials()
			w.cliIdentity(aws, "dev")
			w.homingCredentials()
			if got := w.calls(emulator.OpGetRoleCredentials); got != 2 {
				t.Errorf("the AWS CLI, then homing: credentials were fetched %d times", got-1)
			}
		})
	}
}

// TestHomingIsNotOnThePath guards the meaning of the tests above.
func TestHomingIsNotOnThePath(t *testing.T) {
	w := &world{T: t, home: t.TempDir()}
	for _, variable := range w.env() {
		if dirs, ok := strings.CutPrefix(variable, "PATH="); ok {
			for _, dir := range filepath.SplitList(dirs) {
				if path, err := exec.LookPath(filepath.Join(dir, "homing")); err == nil {
					t.Errorf("homing is on the PATH of the clients: %s", path)
				}
			}
			return
		}
	}
	t.Error("the clients have no PATH")
}
