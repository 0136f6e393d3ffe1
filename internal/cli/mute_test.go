package cli

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/store"
)

// muteHome is a home with the sessions dev, signed in, and a token that no session explains, expired and renewable.
// The returned service accepts every connection and never answers; asked is closed at the first one.
func muteHome(t *testing.T) (env app.Env, st *store.Store, out *bytes.Buffer, asked chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	asked = make(chan struct{})
	go func() {
		for first := true; ; first = false {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			if first {
				close(asked)
			}
		}
	}()
	home := t.TempDir()
	st = &store.Store{AWSDir: filepath.Join(home, ".aws")}
	const startURL = "https://d-1234567890.awsapps.com/start"
	for path, text := range map[string]string{
		filepath.Join(home, ".aws", "config"): "[sso-session dev]\nsso_start_url = " + startURL + "\nsso_region = us-east-1\n",
		st.TokenPath("dev"):                   `{"startUrl": "` + startURL + `", "region": "us-east-1", "accessToken": "a", "expiresAt": "2096-01-01T00:00:00Z"}`,
		st.TokenPath("gone"): `{"startUrl": "` + startURL + `", "region": "us-east-1", "accessToken": "b", "expiresAt": "2001-01-01T00:00:00Z",` +
			` "clientId": "c", "clientSecret": "s", "registrationExpiresAt": "2096-01-01T00:00:00Z", "refreshToken": "r"}`,
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	transport := &http.Transport{DialContext: (&onlyTo{l.Addr().String()}).dial}
	out = &bytes.Buffer{}
	return app.Env{
		Stdin:     strings.NewReader(""),
		Stdout:    out,
		Stderr:    out,
		Home:      home,
		Transport: transport,
	}, st, out, asked
}

// onlyTo leads every connection to one address.
type onlyTo struct{ address string }

func (o *onlyTo) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	return (&net.Dialer{}).DialContext(ctx, network, o.address)
}

// Where the service is mute, what is here goes all the same, after a bounded wait or an interrupt, and it says so.
func TestLogoutOfAMuteService(t *testing.T) {
	t.Parallel()
	for _, stopped := range []bool{false, true} {
		env, st, out, asked := muteHome(t)
		env.Args = []string{"logout", "--all"}
		a := app.New(env)
		a.Patience = 300 * time.Millisecond
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		want := "signed out of session \"dev\" here, but not at the service: IAM Identity Center gave no answer within 300ms"
		if stopped {
			a.Patience = time.Hour
			want = "signed out of session \"dev\" here, but not at the service: interrupted"
			go func() { <-asked; cancel() }()
		}
		start := time.Now()
		err := newRootCmd(a).ExecuteContext(ctx)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("interrupted %v: it took %v", stopped, took)
		}
		if stopped && !errors.Is(err, context.Canceled) || !stopped && fault.KindOf(err) != fault.Unavailable {
			t.Errorf("interrupted %v: %v", stopped, err)
		}
		if !strings.Contains(out.String(), want) {
			t.Errorf("interrupted %v: it printed\n%s", stopped, out)
		}
		for _, key := range []string{"dev", "gone"} {
			if _, err := os.Stat(st.TokenPath(key)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("interrupted %v: the token of %s is there (%v)", stopped, key, err)
			}
		}
	}
}

func TestVerifyOfAMuteService(t *testing.T) {
	t.Parallel()
	env, _, out, _ := muteHome(t)
	env.Args = []string{"status", "--verify"}
	a := app.New(env)
	a.Patience = 200 * time.Millisecond
	err := newRootCmd(a).ExecuteContext(t.Context())
	if fault.KindOf(err) != fault.Unavailable ||
		!strings.Contains(out.String(), "service:   IAM Identity Center gave no answer within 200ms") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A process that holds the token's lock for good, stopped or on a mute network, does not block a sign-out: after half
// of the patience it removes what is here without the lock, and names the lock.
func TestLogoutBesideAStoppedHolder(t *testing.T) {
	t.Parallel()
	for _, answers := range []bool{true, false} {
		env, st, out, _ := muteHome(t)
		env.Args = []string{"logout", "--sso-session", "dev"}
		if answers {
			env.Transport = roundTrip(func(r *http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: http.StatusOK,
					ProtoMajor: 1,
					ProtoMinor: 1,
					Request:    r,
					Header:     http.Header{},
					Body:       http.NoBody,
				}, nil
			})
		}
		holder, err := st.LockToken(t.Context(), "dev")
		if err != nil {
			t.Fatal(err)
		}
		a := app.New(env)
		a.Patience = time.Second
		start := time.Now()
		err = newRootCmd(a).ExecuteContext(t.Context())
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("it took %v", took)
		}
		holder.Abort()
		if answers && err != nil || !answers && fault.KindOf(err) != fault.Unavailable {
			t.Errorf("the service answers %v: %v", answers, err)
		}
		lock := strings.TrimSuffix(st.TokenPath("dev"), ".json") + ".lock"
		if want := "warning: another process holds " + lock + ". If it continues,"; !strings.Contains(out.String(),
			want) {
			t.Errorf("the service answers %v: it printed\n%s", answers, out)
		}
		if _, err := os.Stat(st.TokenPath("dev")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the token is there (%v)", err)
		}
	}
}

// It is not the service that status --verify waited for when another process held the lock.
func TestVerifyBesideAStoppedHolder(t *testing.T) {
	t.Parallel()
	env, st, out, _ := muteHome(t)
	expired, err := os.ReadFile(st.TokenPath("gone"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(st.TokenPath("dev"), expired, 0o600); err != nil {
		t.Fatal(err)
	}
	holder, err := st.LockToken(t.Context(), "dev")
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Abort()
	env.Args = []string{"status", "--verify"}
	a := app.New(env)
	a.Patience = 300 * time.Millisecond
	err = newRootCmd(a).ExecuteContext(t.Context())
	lock := strings.TrimSuffix(st.TokenPath("dev"), ".json") + ".lock"
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), lock) ||
		strings.Contains(out.String(), "IAM Identity Center") {
		t.Errorf("%v\n%s", err, out)
	}
}

// An upgrade beside a process that holds the lock of the token changes nothing, and names the lock.
func TestUpgradeBesideAStoppedHolder(t *testing.T) {
	t.Parallel()
	env, st, out, _ := muteHome(t)
	expired, err := os.ReadFile(st.TokenPath("gone"))
	if err != nil {
		t.Fatal(err)
	}
	const startURL = "https://d-1234567890.awsapps.com/start"
	const config = "[profile old]\nsso_start_url = " + startURL + "\nsso_region = us-east-1\n"
	for path, text := range map[string]string{st.TokenPath(startURL): string(expired), filepath.Join(env.Home, ".aws",
		"config"): config} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	holder, err := st.LockToken(t.Context(), startURL)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Abort()
	env.Args = []string{"configure", "sso", "--upgrade", "old", "--yes"}
	a := app.New(env)
	a.Patience = 300 * time.Millisecond
	err = newRootCmd(a).ExecuteContext(t.Context())
	want := "nothing was changed: another process holds \"" + strings.TrimSuffix(st.TokenPath(startURL),
		".json") + ".lock\""
	if fault.KindOf(err) != fault.Unavailable || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v, want %s\n%s", err, want, out)
	}
	if now, err := os.ReadFile(filepath.Join(env.Home, ".aws", "config")); err != nil || string(now) != config {
		t.Errorf("the config was changed: %s (%v)", now, err)
	}
}
