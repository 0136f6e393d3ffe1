//go:build unix

package interop

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
)

// pass lets time go by: at the service by its clock, and here by what the token file says of itself and when it was
// written.
func (w *world) pass(d time.Duration) {
	w.Helper()
	w.emu.Advance(d)
	path, was := w.tokenPath(true), w.token(true)["expiresAt"]
	expires, err := time.Parse(time.RFC3339, was)
	if err != nil {
		w.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		w.Fatal(err)
	}
	w.write(path, strings.Replace(w.read(path), was, expires.Add(-d).UTC().Format(time.RFC3339), 1))
	if err := os.Chtimes(path, time.Time{}, info.ModTime().Add(-d)); err != nil {
		w.Fatal(err)
	}
}

// usesToken has a new process of the client use the profile, and reports whether it got role credentials with the
// token in the file. What it does with them does not count: it signs with our clock, which is not the service's any
// more.
func (w *world) usesToken(client string) bool {
	w.Helper()
	before := w.calls(emulator.OpGetRoleCredentials)
	w.dropRoleCredentials()
	w.identity(client)
	w.dropRoleCredentials()
	return w.calls(emulator.OpGetRoleCredentials) == before+1
}

// keepUntilRenewed runs homing keep until it has renewed the token, and ends it.
func (w *world) keepUntilRenewed() {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), homing(w.T), "keep", "--json")
	cmd.Env, cmd.Dir = w.env(), w.home
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		w.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		w.Fatal(err)
	}
	giveUp := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer giveUp.Stop()
	renewed := false
	var said strings.Builder
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), `"event":"renewed"`) {
			renewed = true
			_ = cmd.Process.Signal(os.Interrupt)
		}
	}
	if err := cmd.Wait(); err != nil || !renewed {
		w.Fatalf("homing keep: %v\n%s%s", err, said.String(), stderr.String())
	}
}

// TestLegacyKeptFresh shows that a legacy profile signed in to with --keep-fresh serves programs that know nothing of
// it, and renew nothing, for hours past its first hour, whoever of homing renews it; and that they leave the file
// alone.
func TestLegacyKeptFresh(t *testing.T) {
	t.Parallel()
	renewers := map[string]func(*world){
		"credentials": (*world).homingCredentials,
		"keep":        (*world).keepUntilRenewed,
	}
	for _, client := range []string{"botocore", "aws-cli", "js"} {
		for by, renew := range renewers {
			t.Run(client+"/"+by, func(t *testing.T) {
				t.Parallel()
				clients[client](t) // ends the test where its tools are missing
				w := newWorld(t, checked)
				w.config(true)
				w.login(ways[2], homing(t), "login", "--profile", "dev", "--keep-fresh")
				for _, field := range []string{"startUrl", "region", "accessToken", "expiresAt", "clientId",
					"clientSecret", "refreshToken", "registrationExpiresAt"} {
					if w.token(true)[field] == "" {
						t.Errorf("%s is not in the token file", field)
					}
				}
				use := func() {
					t.Helper()
					if !w.usesToken(client) {
						t.Errorf("%s got nothing with the token that is good until %s", client,
							w.token(true)["expiresAt"])
					}
				}
				w.wantIdentity(client)
				for round := range 5 {
					use()
					w.pass(40 * time.Minute) // 20 are left, and some refuse a legacy token from 15 on
					text := w.read(w.tokenPath(true))
					use()
					if w.read(w.tokenPath(true)) != text {
						t.Errorf("round %d: %s changed the token file", round, client)
					}
					w.pass(10 * time.Minute)
					renew(w)
					if got := w.refreshes(); got != round+1 {
						t.Fatalf("round %d: %d refreshes", round, got)
					}
					expires, err := time.Parse(time.RFC3339, w.token(true)["expiresAt"])
					if err != nil || time.Until(expires) < 59*time.Minute {
						t.Errorf("round %d: the token is good until %v (%v)", round, expires, err)
					}
				}
				use()
				if got := w.refreshes(); got != 5 {
					t.Errorf("%d refreshes: %s renews after all", got, client)
				}
				// and that it was the renewals that did it
				w.pass(61 * time.Minute)
				if w.usesToken(client) {
					t.Error("without a renewal the profile is good all the same")
				}
			})
		}
	}
}

// TestUpgradedProfile shows that a profile of which configure sso --upgrade made one of an [sso-session] needs no new
// sign-in: every client uses the token that was moved, and renews it by itself.
func TestUpgradedProfile(t *testing.T) {
	t.Parallel()
	for _, client := range []string{"botocore", "aws-cli", "js", "go"} {
		t.Run(client, func(t *testing.T) {
			t.Parallel()
			clients[client](t) // ends the test where its tools are missing
			w := newWorld(t, checked)
			w.config(true)
			w.login(ways[2], homing(t), "login", "--profile", "dev", "--keep-fresh")
			w.wantIdentity(client)
			w.run(w.env(), []int{0}, homing(t), "configure", "sso", "--upgrade", "dev", "--sso-session", sessionName,
				"--yes")
			if _, err := os.Stat(w.tokenPath(true)); !os.IsNotExist(err) {
				t.Errorf("the token is still under the start URL: %v", err)
			}
			w.dropRoleCredentials()
			w.wantIdentity(client)
			w.expire(false)
			w.renewedBy(client, func() { w.wantIdentity(client) })
			w.expire(false)
			w.renewedBy("homing", w.homingCredentials)
			if got := w.granted("device_code"); got != 1 {
				t.Errorf("%d sign-ins", got)
			}
		})
	}
}
