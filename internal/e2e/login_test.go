package e2e

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/browsertest"
)

// TestLoginPKCE signs in through the identity provider, the consent page and homing's own last page.
func TestLoginPKCE(t *testing.T) {
	t.Parallel()
	b := browsertest.New(t)
	h := newHome(t)

	r := h.start("login", "--sso-session", "dev", "--flow", "pkce", "--no-browser", "--json")
	b.Open(text(t, r.event("authorize"), "url"))
	b.SignIn("ada")
	b.WaitText("homing-dev asks to act for you")
	b.Allow()
	b.WaitHeading("You are signed in")
	wantLastPage(t, b)
	if u, err := url.Parse(b.URL()); err != nil || u.Hostname() != "127.0.0.1" || u.RawQuery != "" || u.Fragment != "" {
		t.Errorf("the address bar holds %q, want 127.0.0.1 and no query", b.URL())
	}
	b.Screenshot("signed-in")
	if signedIn := r.event("signed_in"); signedIn["channel"] != "loopback" || signedIn["refreshable"] != true {
		t.Errorf("signed_in: %v", signedIn)
	}
	r.exit(0)
	if n := h.tokens(); n != 1 {
		t.Errorf("%d token files, want 1", n)
	}
	h.wantCredentials("dev")

	// The same browser, signed in already: nothing to click.
	r = h.start("login", "--sso-session", "dev", "--flow", "pkce", "--no-browser", "--json", "--force")
	b.Open(text(t, r.event("authorize"), "url"))
	b.WaitHeading("You are signed in")
	r.exit(0)
	h.wantCredentials("dev")
}

// TestLoginPKCEOpensBrowser leaves it to homing to open the browser, which $BROWSER names.
func TestLoginPKCEOpensBrowser(t *testing.T) {
	t.Parallel()
	b := browsertest.New(t)
	h := newHome(t)
	opened := filepath.Join(h.dir, "opened")
	script := filepath.Join(h.dir, "browser")
	// Renamed into place, so that the file is there in full or not at all.
	shell := "#!/bin/sh\nprintf %s \"$1\" >'" + opened + ".part' && mv '" + opened + ".part' '" + opened + "'\n"
	if err := os.WriteFile(script, []byte(shell), 0o755); err != nil { //nolint:gosec // a script has to be executable
		t.Fatal(err)
	}
	h.env["BROWSER"] = script

	r := h.start("login", "--profile", "dev", "--flow", "pkce", "--json")
	authorize := text(t, r.event("authorize"), "url")
	if got := waitForFile(t, r, opened); got != authorize {
		t.Errorf("the browser was told %q, the event says %q", got, authorize)
	}
	b.Open(authorize)
	b.SignIn("ada")
	b.Allow()
	b.WaitHeading("You are signed in")
	r.exit(0)
	h.wantCredentials("dev")
}

// TestLoginPKCEDenied denies in the browser: the page says what the terminal says, and nothing is stored.
func TestLoginPKCEDenied(t *testing.T) {
	t.Parallel()
	b := browsertest.New(t)
	h := newHome(t)

	r := h.start("login", "--sso-session", "dev", "--flow", "pkce", "--no-browser", "--json")
	b.Open(text(t, r.event("authorize"), "url"))
	b.SignIn("ada")
	b.Deny()
	failed := r.event("error")
	if failed["kind"] != "denied" {
		t.Errorf("error: %v", failed)
	}
	b.WaitText(text(t, failed, "message"))
	_, command, found := strings.Cut(text(t, failed, "hint"), "run: ") // the page makes a sentence of the words before
	if !found {
		t.Errorf("the hint names no command: %v", failed)
	}
	b.WaitText(command)
	wantLastPage(t, b)
	b.Screenshot("denied")
	r.exit(5)
	if n := h.tokens(); n != 0 {
		t.Errorf("%d token files, want none", n)
	}
}

// TestLoginPKCETokenRefused has the browser return a good code that the service then refuses to exchange:
// the page must not say that the sign-in succeeded.
func TestLoginPKCETokenRefused(t *testing.T) {
	t.Parallel()
	b := browsertest.New(t)
	h := newHome(t)
	h.emu.Fail(emulator.OpCreateToken, -1, emulator.Fault{Error: "InvalidGrantException",
		Text: "Invalid grant provided"})

	r := h.start("login", "--sso-session", "dev", "--flow", "pkce", "--no-browser", "--json")
	b.Open(text(t, r.event("authorize"), "url"))
	b.SignIn("ada")
	b.Allow()
	failed := r.event("error")
	b.WaitText(text(t, failed, "message"))
	if said := b.Text(); strings.Contains(said, "You are signed in") {
		t.Errorf("the page says: %s", said)
	}
	wantLastPage(t, b)
	b.Screenshot("refused")
	<-r.done
	if r.code == 0 {
		t.Error("exit code 0")
	}
	if n := h.tokens(); n != 0 {
		t.Errorf("%d token files, want none", n)
	}
}

// TestLoginPKCEStranger has requests come to the listener that are not the one it waits for: each gets a page that
// says so, and the sign-in continues.
func TestLoginPKCEStranger(t *testing.T) {
	t.Parallel()
	b := browsertest.New(t)
	h := newHome(t)

	r := h.start("login", "--sso-session", "dev", "--flow", "pkce", "--no-browser", "--json")
	authorize := r.event("authorize")
	listener := text(t, authorize, "redirect_uri")
	for name, query := range map[string]string{
		"no query": "", "other state": "?code=abc&state=abc",
		"error with other state": "?error=access_denied&state=abc",
		"markup":                 "?state=%3Cscript%3Ealert(1)%3C/script%3E&error=%3Cb%3Ex",
	} {
		b.Open(listener + query)
		if said := b.Text(); said == "" || strings.Contains(said, "You are signed in") || strings.Contains(said,
			"alert(1)") {
			t.Errorf("%s: the page says %q", name, said)
		}
		select {
		case <-r.done:
			t.Fatalf("%s: ended the sign-in", name)
		default:
		}
	}
	b.Screenshot("stranger")

	b.Open(text(t, authorize, "url"))
	b.SignIn("ada")
	b.Allow()
	b.WaitHeading("You are signed in")
	r.exit(0)
	h.wantCredentials("dev")
}

// TestLoginDevice signs in with a device code: a wrong one typed first, then the right one.
func TestLoginDevice(t *testing.T) {
	t.Parallel()
	b := browsertest.New(t)
	h := newHome(t)

	r := h.start("login", "--sso-session", "dev", "--use-device-code", "--no-browser", "--json")
	code := r.event("device_code")
	b.Open(text(t, code, "verification_uri"))
	b.TypeCode("BBBB-BBBB")
	b.WaitText("This code is not valid.")
	b.TypeCode(text(t, code, "user_code"))
	b.SignIn("ada")
	b.WaitText("homing-dev asks to act for you")
	b.WaitText(text(t, code, "user_code"))
	b.Allow()
	b.WaitHeading("Request approved")
	if signedIn := r.event("signed_in"); signedIn["channel"] != "device" || signedIn["refreshable"] != true {
		t.Errorf("signed_in: %v", signedIn)
	}
	r.exit(0)
	h.wantCredentials("dev")

	// A legacy profile, by the complete address: no scopes, so nothing that could be renewed.
	r = h.start("login", "--profile", "old", "--no-browser", "--json")
	b.Open(text(t, r.event("device_code"), "verification_uri_complete"))
	b.WaitHeading("Confirm the code")
	b.TypeCode("")
	b.WaitText("No scope was asked for.")
	b.Allow()
	b.WaitHeading("Request approved")
	if signedIn := r.event("signed_in"); signedIn["channel"] != "device" || signedIn["refreshable"] != false {
		t.Errorf("signed_in: %v", signedIn)
	}
	r.exit(0)
	if n := h.tokens(); n != 2 {
		t.Errorf("%d token files, want 2", n)
	}
	h.wantCredentials("old")
}

// TestLoginDeviceDenied denies a device sign-in in the browser.
func TestLoginDeviceDenied(t *testing.T) {
	t.Parallel()
	b := browsertest.New(t)
	h := newHome(t)

	r := h.start("login", "--sso-session", "dev", "--flow", "device", "--no-browser")
	p, err := h.emu.Pending(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b.Open(h.base + "/device")
	b.TypeCode(strings.ToLower(p.UserCode))
	b.SignIn("ada")
	b.Deny()
	b.WaitHeading("Request denied")
	r.exit(5)
	for _, want := range []string{p.UserCode, "denied", "\nhint: "} {
		if !strings.Contains(r.said(), want) {
			t.Errorf("stderr lacks %q", want)
		}
	}
	if n := h.tokens(); n != 0 {
		t.Errorf("%d token files, want none", n)
	}
}

// wantLastPage checks homing's own page: a screen reader gets the language, one heading and a main part.
func wantLastPage(t *testing.T, b *browsertest.Browser) {
	t.Helper()
	if lang := browsertest.Eval[string](b, `document.documentElement.lang`); lang != "en" {
		t.Errorf("the page's language is %q", lang)
	}
	heading := 0
	for _, n := range b.Nodes() {
		if n.Role == "heading" {
			heading++
		}
	}
	if heading != 1 {
		t.Errorf("the page has %d headings, want 1:\n%s", heading, b.Outline())
	}
	b.Node("main", "")
}

// waitForFile waits until the file is there and returns its content.
func waitForFile(t *testing.T, r *run, name string) string {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if content, err := os.ReadFile(name); err == nil {
			return string(content)
		}
		select {
		case <-tick.C:
		case <-r.done:
			t.Fatalf("homing ended with %d and wrote no %q", r.code, filepath.Base(name))
		}
	}
}
