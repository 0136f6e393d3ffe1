package emulator_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/emulator"
)

func TestPersonCode(t *testing.T) {
	t.Parallel()
	s := &emulator.Server{}
	rp := registerCode(t, http.DefaultClient, serve(t, s), "botocore-client-dev")
	ada := &emulator.Person{UserName: "ada"}

	if err := ada.Open(t.Context(), rp.authorizeURL("one")); err != nil {
		t.Fatal(err)
	}
	rp.redeem("one")
	wantSteps(t, ada, "sign-in", "consent", "redirect")

	// Warm session, same registration: redirected at once.
	if err := ada.Open(t.Context(), rp.authorizeURL("two")); err != nil {
		t.Fatal(err)
	}
	rp.redeem("two")
	wantSteps(t, ada, "sign-in", "consent", "redirect", "redirect")

	// Warm session, other registration: the consent page alone.
	other := registerCode(t, http.DefaultClient, rp.base, "other")
	ada.Deny = true
	if err := ada.Open(t.Context(), other.authorizeURL("three")); err != nil {
		t.Fatal(err)
	}
	q := <-other.callbacks
	if q.Get("error") != "access_denied" || q.Get("state") != "three" || q.Has("code") {
		t.Errorf("a denied sign-in came back with error %q, state %q, code %v", q.Get("error"), q.Get("state"),
			q.Has("code"))
	}
	wantSteps(t, ada, "sign-in", "consent", "redirect", "redirect", "consent", "redirect")
}

func TestPersonDevice(t *testing.T) {
	t.Parallel()
	base := serve(t, &emulator.Server{})
	rp := registerDevice(t, http.DefaultClient, base, "botocore-client-dev", "sso:account:access")

	for name, tc := range map[string]struct {
		url   func() string
		who   *emulator.Person
		steps []string
		poll  string
		err   string
	}{
		"complete URL": {func() string { return rp.complete }, &emulator.Person{UserName: "ada", Deny: true},
			[]string{"device", "sign-in", "consent", "denied"}, "access_denied", ""},
		"no code": {func() string { return rp.verifyURI }, &emulator.Person{UserName: "ada"}, []string{"device"},
			"authorization_pending", "set Person.UserCode"},
		"wrong code": {func() string { return rp.complete }, &emulator.Person{UserName: "ada", UserCode: "BBBB-BBBB"},
			[]string{"device", "device"}, "authorization_pending", "This code is not valid."},
		"wrong user": {func() string { return rp.complete }, &emulator.Person{UserName: "eve"}, []string{"device",
			"sign-in", "sign-in"}, "authorization_pending", "The user name or the password is wrong."},
		"portal": {func() string { return base + "/start/" }, &emulator.Person{UserName: "ada"},
			[]string{"portal", "device"}, "authorization_pending", "set Person.UserCode"},
		"fragment": {func() string { return base + "/start/#/device?user_code=" + rp.userCode },
			&emulator.Person{UserName: "ada", Deny: true}, []string{"portal", "device", "sign-in", "consent", "denied"},
			"access_denied", ""},
	} {
		t.Run(name, func(t *testing.T) {
			rp.startDevice()
			err := tc.who.Open(t.Context(), tc.url())
			if (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("Open: %v, want %q", err, tc.err)
			}
			wantSteps(t, tc.who, tc.steps...)
			if got := rp.poll(); got != tc.poll {
				t.Errorf("poll: %q, want %q", got, tc.poll)
			}
		})
	}

	rp.startDevice()
	typed := &emulator.Person{UserName: "ada", UserCode: strings.ToLower(strings.ReplaceAll(rp.userCode, "-", " "))}
	if err := typed.Open(t.Context(), rp.verifyURI); err != nil {
		t.Fatal(err)
	}
	wantSteps(t, typed, "device", "sign-in", "consent", "approved")
	if got := rp.poll(); got != "" {
		t.Errorf("poll after approval: %q", got)
	}
}

// TestPersonInBubble runs both flows with no socket at all, while time stands still.
func TestPersonInBubble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &emulator.Server{}
		hc := &http.Client{Transport: s.Transport()}
		rp := registerDevice(t, hc, "http://127.0.0.1:4000", "device")
		began := time.Now()
		rp.startDevice()
		ada := s.Person()
		go func() {
			time.Sleep(time.Minute)
			if err := ada.Open(t.Context(), rp.complete); err != nil {
				t.Error(err)
			}
		}()
		for rp.poll() == "authorization_pending" {
			time.Sleep(time.Second)
		}
		if took := time.Since(began); took < time.Minute || took > time.Minute+time.Second {
			t.Errorf("the device sign-in took %v, want a minute", took)
		}

		code := &relyingParty{t: t, http: hc, base: "http://127.0.0.1:4000", callbacks: make(chan url.Values, 1),
			listener: "http://127.0.0.1:5000/oauth/callback"}
		code.register(map[string]any{"clientName": "code", "clientType": "public",
			"grantTypes":   []string{"authorization_code", "refresh_token"},
			"redirectUris": []string{"http://127.0.0.1/oauth/callback"}, "issuerUrl": emulator.DefaultStartURL, "scopes": []string{"sso:account:access"}})
		ada.Redirect = loopbackOf(code)
		if err := ada.Open(t.Context(), code.authorizeURL("s")); err != nil {
			t.Fatal(err)
		}
		code.redeem("s")
		wantSteps(t, ada, "device", "sign-in", "consent", "approved", "consent", "redirect")
	})
}

func TestPersonSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	s := &emulator.Server{}
	base := serve(t, s)
	rp := registerCode(t, http.DefaultClient, base, "c")

	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no", http.StatusBadRequest)
	}))
	t.Cleanup(refusing.Close)
	gone := httptest.NewServer(nil)
	gone.Close()
	loop := httptest.NewServer(http.RedirectHandler("/", http.StatusFound))
	t.Cleanup(loop.Close)

	at := func(listener string) string {
		p := *rp
		p.listener = listener
		return p.authorizeURL("s")
	}
	for name, tc := range map[string]struct{ url, want string }{
		"no URL":           {"http://a b/", "invalid character"},
		"unknown client":   {base + "/authorize?client_id=x", "Invalid client provided"},
		"listener says no": {at(refusing.URL + "/oauth/callback"), "answers 400"},
		"listener gone":    {at(gone.URL + "/oauth/callback"), "refused"},
		"for ever":         {loop.URL, "too many redirects"},
		"other page":       {rp.listener, "not a page of the emulator"},
	} {
		ada := &emulator.Person{UserName: "ada"}
		err := ada.Open(t.Context(), tc.url)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", name, err, tc.want)
		}
		if err != nil && strings.Contains(err.Error(), emulator.SecretMarker) {
			t.Errorf("%s: the error holds a secret: %v", name, err)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Person().Open(ctx, base+"/device"); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
}

func wantSteps(t *testing.T, p *emulator.Person, want ...string) {
	t.Helper()
	if got := p.Steps(); !slices.Equal(got, want) {
		t.Errorf("steps %q, want %q", got, want)
	}
}
