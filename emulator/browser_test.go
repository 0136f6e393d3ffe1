package emulator_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/browsertest"
)

// TestBrowser clicks and types through both flows in a real Chromium.
func TestBrowser(t *testing.T) {
	t.Parallel()
	chromium := browsertest.New(t)
	base := serve(t, &emulator.Server{})

	t.Run("code", func(t *testing.T) {
		b := chromium.Fresh(t)
		rp := registerCode(t, http.DefaultClient, base, "botocore-client-dev")
		b.Open(rp.authorizeURL("one"))
		b.WaitHeading("Sign in")
		b.Screenshot("1-sign-in")
		if !strings.HasPrefix(b.URL(), "http://localhost:") || !strings.HasPrefix(base, "http://127.0.0.1:") {
			t.Errorf("the identity provider's form is at %s, want another origin than %s", b.URL(), base)
		}
		b.SignIn("ada")
		b.WaitHeading("Allow access?")
		for _, want := range []string{"botocore-client-dev asks to act for you, ada", "AWS accounts and roles",
			"sso:account:access"} {
			b.WaitText(want)
		}
		b.Screenshot("2-consent")
		b.Allow()
		b.WaitHeading("Back at the client")
		rp.redeem("one")

		t.Run("warm session and same client: at once", func(t *testing.T) {
			b.Open(rp.authorizeURL("two"))
			b.WaitHeading("Back at the client")
			rp.redeem("two")
		})
		t.Run("warm session and other client: consent alone, denied", func(t *testing.T) {
			other := registerCode(t, http.DefaultClient, base, "other-client")
			b.Open(other.authorizeURL("three"))
			b.WaitHeading("Allow access?")
			b.WaitText("other-client asks")
			b.Deny()
			b.WaitHeading("Back at the client")
			if q := <-other.callbacks; q.Get("error") != "access_denied" || q.Get("state") != "three" || q.Has("code") {
				t.Errorf("the listener got error %q, state %q, code %v", q.Get("error"), q.Get("state"), q.Has("code"))
			}
		})
	})

	t.Run("cold session and same client: sign-in alone", func(t *testing.T) {
		rp := registerCode(t, http.DefaultClient, base, "botocore-client-dev")
		if err := (&emulator.Person{UserName: "ada"}).Open(t.Context(), rp.authorizeURL("one")); err != nil {
			t.Fatal(err)
		}
		rp.redeem("one")
		b := chromium.Fresh(t)
		b.Open(rp.authorizeURL("two"))
		b.SignIn("ada") // and over two origins to the listener at once: form-action must let it through
		b.WaitHeading("Back at the client")
		rp.redeem("two")
	})

	t.Run("device, code typed", func(t *testing.T) {
		b := chromium.Fresh(t)
		rp := registerDevice(t, http.DefaultClient, base, "botocore-client-dev", "sso:account:access")
		rp.startDevice()
		b.Open(rp.verifyURI)
		b.WaitHeading("Enter the code")
		if f := b.Focused(); f.Name != "Code" {
			t.Errorf("the keyboard is at %+v, want the field Code", f)
		}
		b.Screenshot("1-enter")

		b.TypeCode("BBBB-BBBB")
		b.Node("alert", "")
		b.WaitText("Error: This code is not valid.")
		field := b.Node("textbox", "Code")
		if !field.Invalid || !field.Focused || !strings.Contains(field.Description, "This code is not valid.") ||
			field.Value != "BBBB-BBBB" {
			t.Errorf("after a wrong code the field is %+v", field)
		}
		b.Screenshot("2-wrong")
		if got := rp.poll(); got != "authorization_pending" {
			t.Errorf("poll after a wrong code: %q", got)
		}

		b.TypeCode(strings.ToLower(rp.userCode)) // as a person may type it
		b.WaitHeading("Sign in")
		b.SignIn("nobody")
		b.WaitText("Error: The user name or the password is wrong.")
		b.Screenshot("3-wrong-user")
		b.SignIn("ada")
		b.WaitHeading("Allow access?")
		b.WaitText("the code " + rp.userCode)
		b.Screenshot("4-consent")
		b.Allow()
		b.WaitHeading("Request approved")
		b.WaitText("You can close this window and return to your terminal.")
		b.Screenshot("5-approved")
		if got := rp.poll(); got != "" {
			t.Errorf("poll after approval: %q", got)
		}
	})

	t.Run("device, code confirmed, denied", func(t *testing.T) {
		b := chromium.Fresh(t)
		rp := registerDevice(t, http.DefaultClient, base, "botocore-client-1") // legacy: no scopes
		rp.startDevice()
		b.Open(rp.complete)
		b.WaitHeading("Confirm the code")
		if v := b.Node("textbox", "Code").Value; v != rp.userCode {
			t.Errorf("the field holds %q, want %q", v, rp.userCode)
		}
		b.Screenshot("1-confirm")
		b.TypeCode("")
		b.SignIn("ada")
		b.WaitText("No scope was asked for.")
		b.Screenshot("2-consent-legacy")
		b.Deny()
		b.WaitHeading("Request denied")
		b.Screenshot("3-denied")
		if got := rp.poll(); got != "access_denied" {
			t.Errorf("poll after denial: %q", got)
		}

		// The same browser, a second request: two clicks, no sign-in.
		rp.startDevice()
		b.Open(rp.complete)
		b.TypeCode("")
		b.Allow()
		b.WaitHeading("Request approved")
		if got := rp.poll(); got != "" {
			t.Errorf("poll after approval: %q", got)
		}

		b.Open(base + "/consent?request=unknown")
		b.WaitHeading("This sign-in is over")
		b.Node("alert", "")
		b.Screenshot("4-over")
	})

	t.Run("session ended on the consent page", func(t *testing.T) {
		s := &emulator.Server{}
		base := serve(t, s)
		b := chromium.Fresh(t)
		rp := registerCode(t, http.DefaultClient, base, "botocore-client-dev")
		b.Open(rp.authorizeURL("one"))
		b.SignIn("ada")
		b.WaitHeading("Allow access?")
		s.EndSession("")
		b.Allow()
		b.WaitHeading("Sign in")
		b.SignIn("ada")
		b.Allow()
		b.WaitHeading("Back at the client")
		rp.redeem("one")
	})
}

// TestBrowserVerificationForms opens each form of the verification URL in Chromium.
func TestBrowserVerificationForms(t *testing.T) {
	t.Parallel()
	chromium := browsertest.New(t)
	for _, form := range []emulator.VerificationForm{emulator.VerificationDevice, emulator.VerificationFragment,
		emulator.VerificationOpaque} {
		t.Run(string(form), func(t *testing.T) {
			b := chromium.Fresh(t)
			rp := registerDevice(t, http.DefaultClient, serve(t, &emulator.Server{Verification: form}),
				"botocore-client-dev", "sso:account:access")
			rp.startDevice()
			b.Open(rp.complete)
			b.WaitHeading("Confirm the code")
			b.TypeCode("")
			b.SignIn("ada")
			b.Allow()
			b.WaitHeading("Request approved")
			if got := rp.poll(); got != "" {
				t.Errorf("poll after approval: %q", got)
			}
		})
	}
	t.Run("fragment without JavaScript", func(t *testing.T) {
		b := chromium.Fresh(t)
		b.NoJavaScript()
		rp := registerDevice(t, http.DefaultClient, serve(t,
			&emulator.Server{Verification: emulator.VerificationFragment}), "c", "sso:account:access")
		rp.startDevice()
		b.Open(rp.complete)
		b.WaitHeading("Your access portal")
		b.Screenshot("portal")
		b.Fill("Code", rp.userCode)
		b.Press("Continue")
		b.WaitHeading("Confirm the code")
		b.TypeCode("")
		b.SignIn("ada")
		b.Allow()
		b.WaitHeading("Request approved")
	})
}

// TestBrowserKeyboard signs in without a mouse: Tab and Enter alone, and the focus goes through each page in order.
func TestBrowserKeyboard(t *testing.T) {
	t.Parallel()
	chromium := browsertest.New(t)
	base := serve(t, &emulator.Server{})
	b := chromium.Fresh(t)
	rp := registerDevice(t, http.DefaultClient, base, "botocore-client-dev", "sso:account:access")
	rp.startDevice()

	b.Open(rp.verifyURI)
	b.WaitHeading("Enter the code")
	b.Keys(rp.userCode) // the field has the keyboard from the start
	wantFocusOrder(t, b, "textbox Code", "button Confirm and continue")
	b.KeysLeave(kb.Enter)

	b.WaitHeading("Sign in")
	wantFocusOrder(t, b, "textbox User name", "textbox Password (optional here)", "button Sign in")
	b.KeysLeave(kb.Enter)

	b.WaitHeading("Allow access?")
	wantFocusOrder(t, b, "button Allow access", "button Deny access")
	b.KeysLeave(kb.Enter) // deny
	b.WaitHeading("Request denied")
	if got := rp.poll(); got != "access_denied" {
		t.Errorf("poll: %q", got)
	}

	code := registerCode(t, http.DefaultClient, base, "code")
	b.Open(code.authorizeURL("s"))
	b.WaitHeading("Allow access?")
	b.Keys(kb.Tab)
	b.KeysLeave(kb.Enter) // allow
	b.WaitHeading("Back at the client")
	code.redeem("s")
}

// wantFocusOrder goes through the page with Tab, from the first field or button to the last, and leaves the keyboard
// there. Each one must show that it has the keyboard.
func wantFocusOrder(t *testing.T, b *browsertest.Browser, want ...string) {
	t.Helper()
	var got []string
	if b.Focused() == (browsertest.Node{}) {
		b.Keys(kb.Tab)
	}
	for range want {
		if len(got) > 0 {
			b.Keys(kb.Tab)
		}
		n := b.Focused()
		got = append(got, n.Role+" "+n.Name)
		if ring := browsertest.Eval[string](b,
			`getComputedStyle(document.activeElement).outlineStyle + " " + `+
				`getComputedStyle(document.activeElement).outlineWidth`); ring != "solid 3px" {
			t.Errorf("%s %q has the keyboard but outline %q", n.Role, n.Name, ring)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("Tab goes through %q, want %q", got, want)
	}
}
