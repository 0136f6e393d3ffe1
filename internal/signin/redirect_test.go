package signin_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
)

// visitor is a browser that keeps what it was shown last.
type visitor struct {
	status int
	page   string
	done   chan struct{}
}

// redirect makes the opener follow an authorize URL straight to the listener, with the query that back makes.
func (w *world) redirect(back func(state string) url.Values) *visitor {
	v := &visitor{done: make(chan struct{})}
	w.login.OpenBrowser = func(ctx context.Context, raw string) error {
		defer close(v.done)
		u, err := url.Parse(raw)
		if err != nil {
			return err
		}
		q := back(u.Query().Get("state"))
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.Query().Get("redirect_uri")+"?"+q.Encode(), nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		page, err := io.ReadAll(resp.Body)
		v.status, v.page = resp.StatusCode, string(page)
		return err
	}
	return v
}

func TestBrowserIsToldWhatTheTerminalIsTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		back   func(state string) url.Values
		fail   *emulator.Fault
		kind   fault.Kind
		status int
	}{
		{"denied", func(s string) url.Values { return url.Values{"state": {s}, "error": {"access_denied"}} }, nil, fault.Denied, http.StatusForbidden},
		{"a code of nobody", func(s string) url.Values { return url.Values{"state": {s}, "code": {"forged"}} }, nil,
			fault.SignInNeeded, http.StatusBadGateway},
		{"a proxy in between", func(s string) url.Values { return url.Values{"state": {s}, "code": {"x"}} },
			&emulator.Fault{Body: "<html>please sign in</html>"}, fault.Unavailable, http.StatusBadGateway},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			emu := &emulator.Server{}
			w := newWorld(t, emu)
			if tt.fail != nil {
				emu.Fail(emulator.OpCreateToken, -1, *tt.fail)
			}
			v := w.redirect(tt.back)
			_, err := w.run(t.Context(), session.PKCE)
			if fault.KindOf(err) != tt.kind {
				t.Fatalf("got %v (%v), want %v", err, fault.KindOf(err), tt.kind)
			}
			<-v.done
			text := strings.NewReplacer("&#34;", `"`, "&#39;", "'", "&lt;", "<", "&gt;", ">", "&amp;", "&", "<code>", "", "</code>", "").
				Replace(v.page)
			_, command := inWords(fault.RemedyOf(err))
			if v.status != tt.status || !strings.Contains(text, err.Error()) || !strings.Contains(text, command) {
				t.Errorf("status %d, page %s\ndoes not say %q, %q", v.status, text, err, command)
			}
			w.checkClean()
		})
	}
}

// TestForgedRedirectsDoNotEndIt: the listener is bound before the browser opens; strangers come first.
func TestForgedRedirectsDoNotEndIt(t *testing.T) {
	t.Parallel()
	emu := &emulator.Server{}
	w := newWorld(t, emu)
	person := emu.Person()
	w.login.OpenBrowser = func(ctx context.Context, raw string) error {
		u, err := url.Parse(raw)
		if err != nil {
			return err
		}
		back := u.Query().Get("redirect_uri")
		for _, q := range []string{"", "?code=x&state=y", "?error=access_denied&state=y", "?error=access_denied"} {
			resp, err := http.Get(back + q)
			if err != nil {
				return err
			}
			_ = resp.Body.Close()
			if resp.StatusCode != http.StatusBadRequest {
				t.Errorf("%q was answered %d", q, resp.StatusCode)
			}
		}
		return person.Open(ctx, raw)
	}
	if got, err := w.run(t.Context(), session.PKCE); err != nil || got.Channel != session.Loopback {
		t.Errorf("channel %q, %v", got.Channel, err)
	}
}

// TestCodeIsSentAgain: an answer that got lost before the service acted costs a second, not the sign-in.
func TestCodeIsSentAgain(t *testing.T) {
	t.Parallel()
	emu := &emulator.Server{}
	w := newWorld(t, emu)
	w.browse(emu.Person())
	emu.Fail(emulator.OpCreateToken, 1, emulator.Fault{Drop: emulator.DropBefore})
	got, err := w.run(t.Context(), session.PKCE)
	if err != nil {
		t.Fatal(err)
	}
	w.checkStored(got)
}

func TestOpenerThatNeverReturns(t *testing.T) {
	t.Parallel()
	emu := &emulator.Server{}
	w := newWorld(t, emu)
	person := emu.Person()
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	w.login.OpenBrowser = func(ctx context.Context, url string) error {
		err := person.Open(ctx, url)
		<-release
		return err
	}
	if _, err := w.run(t.Context(), session.PKCE); err != nil {
		t.Error(err)
	}
}

func TestOpenerThatFails(t *testing.T) {
	t.Parallel()
	emu := &emulator.Server{}
	w := newWorld(t, emu)
	w.login.OpenBrowser = func(context.Context, string) error { return errors.New("no browser") }
	notify := w.login.Notify
	person := emu.Person()
	var address string
	done := make(chan struct{})
	w.login.Notify = func(e signin.Event) {
		notify(e)
		switch e := e.(type) {
		case signin.Authorize:
			address = e.URL
		case signin.NoBrowser: // the person opens it somewhere
			go func() {
				defer close(done)
				if err := person.Open(t.Context(), address); err != nil {
					t.Error(err)
				}
			}()
		}
	}
	if _, err := w.run(t.Context(), session.PKCE); err != nil {
		t.Fatal(err)
	}
	<-done
}

func TestNoBrowser(t *testing.T) {
	t.Parallel()
	emu := &emulator.Server{}
	w := newWorld(t, emu)
	w.login.OpenBrowser = func(context.Context, string) error {
		t.Error("a browser was opened")
		return nil
	}
	notify := w.login.Notify
	done := make(chan struct{})
	w.login.Notify = func(e signin.Event) {
		notify(e)
		if e, ok := e.(signin.Authorize); ok {
			if e.Opening {
				t.Error("says that a browser is being opened")
			}
			go func() {
				defer close(done)
				if err := emu.Person().Open(t.Context(), e.URL); err != nil {
					t.Error(err)
				}
			}()
		}
	}
	if _, err := w.run(t.Context(), session.PKCE, func(r *signin.Login) { r.OpenBrowser = nil }); err != nil {
		t.Fatal(err)
	}
	<-done
}

// TestHandedOver: the redirect did not arrive, and another shell of the same user hands it to the sign-in that waits.
func TestHandedOver(t *testing.T) {
	t.Parallel()
	for _, deny := range []bool{false, true} {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		dir := filepath.Join(t.TempDir(), "run")
		person := emu.Person()
		person.Deny = deny
		var address string
		person.Redirect = roundTrip(func(r *http.Request) (*http.Response, error) {
			address = r.URL.String()
			return nil, errors.New("refused to connect")
		})
		handed := make(chan error, 1)
		w.login.OpenBrowser = func(ctx context.Context, url string) error {
			_ = person.Open(ctx, url) // it ends where nobody listens
			handed <- callback.Deliver(context.WithoutCancel(ctx), dir, address)
			return nil
		}
		got, err := w.run(t.Context(), session.PKCE, func(r *signin.Login) { r.RendezvousDir = dir })
		if told := <-handed; deny {
			if fault.KindOf(err) != fault.Denied || fault.KindOf(told) != fault.Denied {
				t.Errorf("denied: %v, told %v", err, told)
			}
		} else if err != nil || told != nil || got.Channel != session.Callback || got.Port == 0 {
			t.Errorf("channel %q, port %d, %v; told %v", got.Channel, got.Port, err, told)
		}
		if left, err := filepath.Glob(filepath.Join(dir, "*.json")); err != nil || len(left) > 0 {
			t.Errorf("%q was left behind (%v)", left, err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
