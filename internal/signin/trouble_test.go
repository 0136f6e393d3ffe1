package signin_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/store"
)

// ops lists the operations the emulator was asked for.
func (w *world) ops() []string {
	var list []string
	for _, r := range w.emu.Requests() {
		list = append(list, r.Op)
	}
	return list
}

func TestUnwritableHomeSpendsNothing(t *testing.T) {
	t.Parallel()
	for _, flow := range []session.Flow{session.PKCE, session.Device} {
		w := newWorld(t, &emulator.Server{})
		if err := os.WriteFile(w.store.AWSDir, nil, 0o600); err != nil { // a file where the folder should be
			t.Fatal(err)
		}
		_, err := w.run(t.Context(), flow)
		if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), w.store.AWSDir) {
			t.Errorf("%s: got %v (%v)", flow, err, fault.KindOf(err))
		}
		if ops := w.ops(); len(ops) != 0 {
			t.Errorf("%s: asked for %q", flow, ops)
		}
		if want := []string{"environment"}; !reflect.DeepEqual(w.kinds(), want) {
			t.Errorf("%s: events %q", flow, w.kinds())
		}
	}
}

// TestHomeThatBecomesUnwritable: the room for the token is made before each request that could bring it.
func TestHomeThatBecomesUnwritable(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("an open folder cannot be replaced")
	}
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		go func() {
			time.Sleep(3 * time.Second)
			if err := os.RemoveAll(w.store.AWSDir); err != nil {
				t.Error(err)
			}
			if err := os.WriteFile(w.store.AWSDir, nil, 0o600); err != nil {
				t.Error(err)
			}
			if err := emu.Approve(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		_, err := w.run(t.Context(), session.Device)
		if fault.KindOf(err) != fault.Config {
			t.Errorf("got %v (%v)", err, fault.KindOf(err))
		}
		if n := len(emu.PollTimes()); n != 2 {
			t.Errorf("polled %d times: the approved code was spent with no place for its token", n)
		}
	})
}

// TestNobodyIsKeptWaiting: while a person acts, another process can renew the session's token.
func TestNobodyIsKeptWaiting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &emulator.Server{})
		go func() {
			time.Sleep(500 * time.Millisecond) // between the start and the first poll
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			u, err := w.store.BeginToken(ctx, w.session.CacheKey())
			if err != nil {
				t.Errorf("the lock is held while a person is asked: %v", err)
			} else {
				u.Abort()
			}
			if err := w.emu.Approve(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		if _, err := w.run(t.Context(), session.Device); err != nil {
			t.Error(err)
		}
	})
}

// TestRegistration: reused by the next sign-in of its kind, and replaced when the service does not know it.
func TestRegistration(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		registered := func() (n int) {
			for _, op := range w.ops() {
				if op == emulator.OpRegisterClient {
					n++
				}
			}
			return n
		}
		signIn := func() {
			t.Helper()
			go func() { _ = emu.Approve(t.Context()) }()
			if _, err := w.run(t.Context(), session.Device, force); err != nil {
				t.Fatal(err)
			}
		}
		signIn()
		signIn()
		if registered() != 1 {
			t.Errorf("registered %d times", registered())
		}
		emu.Fail(emulator.OpStartDeviceAuthorization, 1, emulator.Fault{Error: "InvalidClientException"})
		signIn()
		if registered() != 2 {
			t.Errorf("registered %d times after the client was refused", registered())
		}
		time.Sleep(90 * 24 * time.Hour)
		signIn()
		if registered() != 3 {
			t.Errorf("registered %d times after 90 days", registered())
		}
	})
}

// stubborn is a store that forgets no registration.
type stubborn struct{ *store.Store }

func (stubborn) DropRegistration(context.Context, store.RegistrationKey) error {
	return errors.New("read-only")
}

func TestRegistrationThatCannotBeForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		w.login.Store = stubborn{w.store}
		go func() { _ = emu.Approve(t.Context()) }()
		if _, err := w.run(t.Context(), session.Device); err != nil {
			t.Fatal(err)
		}
		emu.Fail(emulator.OpStartDeviceAuthorization, 2, emulator.Fault{Error: "InvalidClientException"})
		if _, err := w.run(t.Context(), session.Device, force); err == nil {
			t.Error("signed in by a client that the service refused twice")
		}
		if n := len(emu.Requests()); n > 6 {
			t.Errorf("%d requests", n)
		}
	})
}

// TestLeavesNothingRunning: the bubble fails when a goroutine of the sign-in outlives it.
func TestLeavesNothingRunning(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		w.login.OpenBrowser = func(context.Context, string) error { return nil }
		go func() { _ = emu.Approve(t.Context()) }()
		if _, err := w.run(context.WithoutCancel(t.Context()), session.Device); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNewSignInDropsRoleCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		other := session.Session{Name: "other", StartURL: startURL, Region: "us-east-1"}
		keys := []store.RoleKey{
			{Session: w.session, AccountID: "111111111111", RoleName: "Known"},
			{Session: other, AccountID: "111111111111", RoleName: "Known"},
			{Session: w.session, AccountID: "222222222222", RoleName: "OfTheConfigFile"},
		}
		for _, k := range keys {
			if err := w.store.SaveRoleCredentials(t.Context(), k, session.RoleCredentials{
				AccountID: k.AccountID, AccessKeyID: "AKIA", SecretAccessKey: session.NewSecret("s"),
				SessionToken: session.NewSecret("t"), Expiration: time.Now().Add(time.Hour),
			}); err != nil {
				t.Fatal(err)
			}
		}
		has := func() (list []bool) {
			for _, k := range keys {
				_, err := w.store.RoleCredentials(k)
				list = append(list, err == nil)
			}
			return list
		}
		go func() { _ = emu.Deny(t.Context()) }()
		if _, err := w.run(t.Context(), session.Device); fault.KindOf(err) != fault.Denied {
			t.Error(err)
		}
		if got := has(); !reflect.DeepEqual(got, []bool{true, true, true}) {
			t.Errorf("after a denied sign-in: %v", got)
		}
		go func() { _ = emu.Approve(t.Context()) }()
		_, err := w.run(t.Context(), session.Device, func(r *signin.Login) { r.Roles = keys[2:] })
		if err != nil {
			t.Fatal(err)
		}
		if got := has(); !reflect.DeepEqual(got, []bool{false, true, false}) {
			t.Errorf("after a new sign-in: %v", got)
		}
	})
}

func TestClockSkew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{ClockSkew: -2 * time.Hour}
		w := newWorld(t, emu)
		go func() { _ = emu.Approve(t.Context()) }()
		got, err := w.run(t.Context(), session.Device)
		if err != nil {
			t.Fatal(err)
		}
		if off := eventOf[signin.ClockOff](w).Ahead; off.Round(time.Minute) != 2*time.Hour {
			t.Errorf("ahead by %v", off)
		}
		if d := time.Until(got.Token.ExpiresAt).Round(time.Minute); d != time.Hour {
			t.Errorf("expires in %v by our clock", d)
		}
	})
}

// TestSecretsStayInside: no event and no error holds what the emulator marks as secret.
func TestSecretsStayInside(t *testing.T) {
	t.Parallel()
	for _, flow := range []session.Flow{session.PKCE, session.Device} {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		w.browse(emu.Person())
		if _, err := w.run(t.Context(), flow); err != nil {
			t.Fatal(err)
		}
		for _, e := range w.events {
			if text := fmt.Sprintf("%+v", e); strings.Contains(text, emulator.SecretMarker) {
				t.Error(text)
			}
		}
		token, err := os.ReadFile(w.store.TokenPath(w.session.CacheKey()))
		if err != nil || !strings.Contains(string(token), emulator.SecretMarker) {
			t.Errorf("the marker is not where it belongs: this test could not fail (%v)", err)
		}
	}
}

func TestTokenFileMode(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no file modes")
	}
	emu := &emulator.Server{}
	w := newWorld(t, emu)
	w.browse(emu.Person())
	if _, err := w.run(t.Context(), session.PKCE); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{
		w.store.TokenPath("dev"): 0o600, filepath.Dir(w.store.TokenPath("dev")): 0o700 | os.ModeDir,
	} {
		info, err := os.Stat(path)
		if err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v (%v), want %v", path, info.Mode(), err, want)
		}
	}
}

// busy answers the first poll with 429 and a Retry-After.
type busy struct {
	http.RoundTripper
	done bool
}

func (b *busy) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.done || r.URL.Path != "/token" {
		return b.RoundTripper.RoundTrip(r)
	}
	b.done = true
	return &http.Response{
		StatusCode: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"15"}, "Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader("{}")), Request: r,
	}, nil
}

// TestRetryAfter: the service may ask for more patience than the back-off has.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		w.via = &busy{RoundTripper: emu.Transport()}
		go func() { _ = emu.Approve(t.Context()) }()
		begin := time.Now()
		if _, err := w.run(t.Context(), session.Device); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begin); d != 16200*time.Millisecond {
			t.Errorf("signed in after %v, want 1.2s and the 15s that were asked for", d)
		}
	})
}

// TestTwoAtOnce: two processes sign in to one session. Both succeed, and the file holds one whole token.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{}
		a := newWorld(t, emu)
		b := newWorld(t, emu)
		b.store.AWSDir = a.store.AWSDir
		results := make(chan signin.Result, 2)
		for _, w := range []*world{a, b} {
			go func() {
				got, err := w.run(t.Context(), session.Device)
				if err != nil {
					t.Error(err)
				}
				results <- got
			}()
		}
		time.Sleep(5 * time.Second)
		for range 2 {
			if err := emu.Approve(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		first, second := <-results, <-results
		tok, err := a.store.Token("dev")
		if err != nil ||
			!tok.AccessToken.Equal(first.Token.AccessToken) && !tok.AccessToken.Equal(second.Token.AccessToken) {
			t.Errorf("the file holds neither token (%v)", err)
		}
		a.checkClean()
	})
}

// TestRegistrationBelongsToARegion: a start URL may carry another region than the config file.
func TestRegistrationBelongsToARegion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		w.session.Region = "eu-west-1"
		connect := w.login.Connect
		w.login.Connect = func(ctx context.Context, s session.Session) (signin.Connection, error) {
			c, err := connect(ctx, s)
			c.Region = "us-east-1"
			return c, err
		}
		go func() { _ = emu.Approve(t.Context()) }()
		got, err := w.run(t.Context(), session.Device)
		if err != nil {
			t.Fatal(err)
		}
		if got.Token.Region != "us-east-1" {
			t.Errorf("token for region %q", got.Token.Region)
		}
		of := w.session
		if _, err := w.store.Registration(store.RegistrationKey{Session: of}); err == nil {
			t.Error("the client is kept for a region that does not know it")
		}
		of.Region = "us-east-1"
		if reg, err := w.store.Registration(store.RegistrationKey{Session: of}); err != nil ||
			reg.ClientID != got.Token.ClientID {
			t.Errorf("the client is not kept for its region: %v", err)
		}
	})
}

func TestDeviceCodesNotAllowed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		mayPKCE bool
		remedy  fault.Remedy
	}{
		{"dev", true, fault.Login{Session: "dev", Flow: "pkce"}},
		{"dev", false, fault.Advice("ask the administrator of IAM Identity Center, or who forbids a browser redirect on this machine")},
		{"", true, fault.Preface{Words: "to give the session a name, so that a browser redirect works,", Then: fault.ConfigureSSO{}}},
	} {
		w := newWorld(t, &emulator.Server{DeviceGrantRefused: true})
		w.session.Name = tt.name
		_, err := w.run(t.Context(), session.Device, func(r *signin.Login) { r.Environment.MayPKCE = tt.mayPKCE })
		if fault.KindOf(err) != fault.Denied || fault.RemedyOf(err) != tt.remedy {
			t.Errorf("session %q: got %v (%v), remedy %#v", tt.name, err, fault.KindOf(err), fault.RemedyOf(err))
		}
	}
}
