package e2e

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
)

// signIn signs in to the session dev; the emulator's person approves at once.
func (h *home) signIn() {
	h.t.Helper()
	r := h.start("login", "--sso-session", "dev", "--use-device-code", "--no-browser", "--json")
	r.event("device_code")
	if err := h.emu.Approve(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
	r.exit(0)
}

// answers counts the answers to an operation by their status.
func (h *home) answers(op string) map[int]int {
	n := map[int]int{}
	for _, r := range h.emu.Requests() {
		if r.Op == op {
			n[r.Status]++
		}
	}
	return n
}

// accessKey returns the access key that a credentials process has printed.
func (r *run) accessKey() string {
	r.t.Helper()
	r.exit(0)
	var out struct {
		AccessKeyID string `json:"AccessKeyId"`
	}
	if err := json.Unmarshal(r.stdout.Bytes(), &out); err != nil || out.AccessKeyID == "" {
		r.t.Errorf("stdout: %v\n%s", err, r.stdout.Bytes())
	}
	return out.AccessKeyID
}

// Sixteen processes ask for sixteen roles at once, of a portal that serves four calls a second: all are served, each
// with a role's own credentials, and soon enough for an SDK, which waits for 60 s.
func TestSixteenRolesAtOnce(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	directory := emulator.GenerateDirectory(1, 16)
	h.emu.Change(func(s *emulator.Server) { s.Directory = directory })
	h.signIn()
	h.emu.Change(func(s *emulator.Server) { s.PortalRate = 4 })
	account := directory.Accounts[0]
	h.emu.ForgetRequests()
	start := time.Now()
	var runs []*run
	for _, role := range account.Roles {
		runs = append(runs, h.start("credentials", "--sso-session", "dev", "--account-id", account.ID, "--role-name",
			role.Name))
	}
	keys := map[string]bool{}
	for _, r := range runs {
		keys[r.accessKey()] = true
	}
	took, answers := time.Since(start), h.answers(emulator.OpGetRoleCredentials)
	if len(keys) != 16 || answers[http.StatusOK] != 16 || took > 45*time.Second {
		t.Errorf("%d different credentials in %v, answers by status: %v", len(keys), took, answers)
	}
	if answers[http.StatusTooManyRequests] == 0 {
		t.Error("the portal refused nobody, so nothing was shown")
	}
	t.Logf("%v, answers by status: %v", took.Round(time.Millisecond), answers)

	// From now on no request reaches the service.
	h.emu.ForgetRequests()
	for i, role := range account.Roles {
		if key := h.start("credentials", "--sso-session", "dev", "--account-id", account.ID, "--role-name",
			role.Name).accessKey(); !keys[key] {
			t.Errorf("role %d: other credentials than before", i)
		}
	}
	if n := len(h.emu.Requests()); n != 0 {
		t.Errorf("%d requests for what is in the cache", n)
	}
}

// Sixteen processes that ask for one role make one request.
func TestOneRoleForSixteen(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.signIn()
	h.emu.ForgetRequests()
	var runs []*run
	for range 16 {
		runs = append(runs, h.start("credentials", "--profile", "dev"))
	}
	keys := map[string]bool{}
	for _, r := range runs {
		keys[r.accessKey()] = true
	}
	if answers := h.answers(emulator.OpGetRoleCredentials); len(keys) != 1 || answers[http.StatusOK] != 1 ||
		len(answers) != 1 {
		t.Errorf("%d different credentials, answers by status: %v", len(keys), answers)
	}
}
