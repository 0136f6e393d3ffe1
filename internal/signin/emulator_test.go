package signin_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/store"
)

const startURL = "https://d-1234567890.awsapps.com/start"

// world is a person's machine and an Identity Center, the service called without sockets.
type world struct {
	t       *testing.T
	emu     *emulator.Server
	store   *store.Store
	session session.Session
	login   signin.Login
	via     http.RoundTripper // to the service

	mu     sync.Mutex
	events []signin.Event
}

func newWorld(t *testing.T, emu *emulator.Server) *world {
	t.Helper()
	emu.StartURL = startURL
	w := &world{
		t: t, emu: emu,
		store:   &store.Store{AWSDir: filepath.Join(t.TempDir(), ".aws")},
		session: session.Session{Name: "dev", StartURL: startURL, Region: "us-east-1"},
		via:     emu.Transport(),
	}
	connect := func() *idc.Client {
		return idc.New(idc.Options{Region: "us-east-1", HTTPClient: &http.Client{Transport: w.via}})
	}
	w.login = signin.Login{
		InWords: inWords,
		Store:   w.store,
		Renewer: &refresh.Renewer{
			Store: w.store,
			Connect: func(context.Context, session.Session) (refresh.Service, error) {
				return connect(), nil
			},
		},
		Connect: func(context.Context, session.Session) (signin.Connection, error) {
			return signin.Connection{Service: connect()}, nil
		},
		Notify: func(e signin.Event) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.events = append(w.events, e)
		},
	}
	return w
}

// inWords stands in for a renderer of remedies.
func inWords(r fault.Remedy) (words, command string) { return "run:", fmt.Sprintf("%#v", r) }

func (w *world) run(ctx context.Context, flow session.Flow, more ...func(*signin.Login)) (signin.Result, error) {
	l := w.login
	l.Session, l.Environment.Name, l.Environment.Flow = w.session, "test", flow
	for _, f := range more {
		f(&l)
	}
	return l.Run(ctx)
}

// browse makes a person with a browser the opener.
func (w *world) browse(p *emulator.Person) {
	w.login.OpenBrowser = func(ctx context.Context, url string) error { return p.Open(ctx, url) }
}

// kinds lists the kinds of the events so far.
func (w *world) kinds() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var kinds []string
	for _, e := range w.events {
		kinds = append(kinds, strings.ToLower(strings.TrimPrefix(reflect.TypeOf(e).String(), "signin.")))
	}
	return kinds
}

func eventOf[E signin.Event](w *world) E {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.events {
		if e, ok := e.(E); ok {
			return e
		}
	}
	w.t.Fatalf("no %T in %v", *new(E), w.events)
	panic("unreachable")
}

// checkStored fails unless the file holds exactly what the sign-in gave.
func (w *world) checkStored(got signin.Result) {
	w.t.Helper()
	tok, err := w.store.Token(w.session.CacheKey())
	if err != nil {
		w.t.Fatal(err)
	}
	if !tok.AccessToken.Equal(got.Token.AccessToken) || tok.ExpiresAt.Sub(got.Token.ExpiresAt).Abs() >= time.Second ||
		tok.AccessToken.IsZero() {
		w.t.Error("the stored token is not the one that was issued")
	}
	if tok.StartURL != w.session.StartURL || tok.Region != w.session.Region {
		w.t.Errorf("stored for %q in %q", tok.StartURL, tok.Region)
	}
}

// checkClean fails if the cache folder holds anything but JSON files and locks, which are empty JSON objects.
func (w *world) checkClean() {
	w.t.Helper()
	entries, err := os.ReadDir(filepath.Join(w.store.AWSDir, "sso", "cache"))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			w.t.Fatal(err)
		}
		if ext := filepath.Ext(e.Name()); ext != ".json" && (ext != ".lock" || info.Size() != int64(len("{}"))) {
			w.t.Errorf("%s was left behind", e.Name())
		}
	}
}

func TestPKCE(t *testing.T) {
	t.Parallel()
	emu := &emulator.Server{}
	w := newWorld(t, emu)
	person := emu.Person()
	w.browse(person)
	before := time.Now()
	got, err := w.run(t.Context(), session.PKCE)
	if err != nil {
		t.Fatal(err)
	}
	if got.Channel != session.Loopback {
		t.Errorf("channel %q", got.Channel)
	}
	if d := got.Token.ExpiresAt.Sub(before); d < 59*time.Minute || d > 61*time.Minute {
		t.Errorf("expires in %v", d)
	}
	if !got.Token.Renewable(time.Now()) {
		t.Error("cannot be renewed")
	}
	w.checkStored(got)
	w.checkClean()
	if want := []string{"environment", "authorize", "signedin"}; !reflect.DeepEqual(w.kinds(), want) {
		t.Errorf("events %q, want %q", w.kinds(), want)
	}
	if e := eventOf[signin.Authorize](w); !e.Opening || e.ExpiresIn != 10*time.Minute ||
		!strings.Contains(e.URL, "state=") {
		t.Errorf("%+v", e)
	}
	if e := eventOf[signin.SignedIn](w); e.Session != "dev" || !e.Refreshable || e.Channel != session.Loopback ||
		!e.ExpiresAt.Equal(got.Token.ExpiresAt) {
		t.Errorf("%+v", e)
	}
	var ops []string
	for _, r := range emu.Requests() {
		if r.Client != "homing-dev" && r.Client != "" {
			t.Errorf("client name %q", r.Client)
		}
		if r.Status < 400 && r.Op != "" {
			ops = append(ops, r.Op)
		}
	}
	if ops[0] != emulator.OpRegisterClient || ops[len(ops)-1] != emulator.OpCreateToken {
		t.Errorf("requests %q", ops)
	}
	if bad := emu.Unexpected(); len(bad) > 0 {
		t.Errorf("unexpected requests: %+v", bad)
	}
}

func TestPKCEDeniedLeavesTheOldToken(t *testing.T) {
	t.Parallel()
	emu := &emulator.Server{}
	w := newWorld(t, emu)
	w.browse(emu.Person())
	old, err := w.run(t.Context(), session.PKCE)
	if err != nil {
		t.Fatal(err)
	}
	// Without it the consent page would be skipped: this client has been allowed before.
	if err := w.store.DropRegistration(t.Context(), store.RegistrationKey{Session: w.session, PKCE: true}); err != nil {
		t.Fatal(err)
	}
	refuser := emu.Person()
	refuser.Deny = true
	w.browse(refuser)
	_, err = w.run(t.Context(), session.PKCE, force)
	if fault.KindOf(err) != fault.Denied ||
		fault.RemedyOf(err) != (fault.Preface{Words: "to try again,", Then: fault.Login{Session: "dev"}}) {
		t.Errorf("got %v (%v), remedy %#v", err, fault.KindOf(err), fault.RemedyOf(err))
	}
	w.checkStored(old)
	w.checkClean()
}

func force(r *signin.Login) { r.Force = true }

func TestWrongStartURL(t *testing.T) {
	t.Parallel()
	for _, flow := range []session.Flow{session.PKCE, session.Device} {
		w := newWorld(t, &emulator.Server{})
		w.session.StartURL = "https://d-0000000000.awsapps.com/start"
		_, err := w.run(t.Context(), flow)
		if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), w.session.StartURL) ||
			!strings.Contains(err.Error(), "us-east-1") {
			t.Errorf("%s: got %v (%v), want a configuration error that names start URL and region", flow, err,
				fault.KindOf(err))
		}
		if want := []string{"environment"}; !reflect.DeepEqual(w.kinds(), want) {
			t.Errorf("%s: events %q: the person was asked for something that cannot work", flow, w.kinds())
		}
	}
}

// TestDevicePolls shows the wait before every poll, with the fifth that is added for fast clocks.
func TestDevicePolls(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for _, tt := range []struct {
		name    string
		emu     *emulator.Server
		approve time.Duration
		want    []time.Duration
	}{
		{"every interval", &emulator.Server{}, 3 * s, []time.Duration{1200e6, 2400e6, 3600e6}},
		{"the interval of the answer", &emulator.Server{Interval: 5 * s}, 10 * s, []time.Duration{6 * s, 12 * s}},
		{"slow_down, once and for all", &emulator.Server{SlowDowns: 1}, 20 * s, []time.Duration{1200e6, 8400e6, 15600e6, 22800e6}},
		{"slow_down twice", &emulator.Server{SlowDowns: 2}, 25 * s, []time.Duration{1200e6, 8400e6, 21600e6, 34800e6}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, tt.emu)
				go func() {
					time.Sleep(tt.approve)
					if err := tt.emu.Approve(t.Context()); err != nil {
						t.Error(err)
					}
				}()
				got, err := w.run(t.Context(), session.Device)
				if err != nil {
					t.Fatal(err)
				}
				if polls := tt.emu.PollTimes(); !reflect.DeepEqual(polls, tt.want) {
					t.Errorf("polled at %v, want %v", polls, tt.want)
				}
				if got.Channel != session.DeviceCode || !got.Token.Renewable(time.Now()) {
					t.Errorf("channel %q, renewable %v", got.Channel, got.Token.Renewable(time.Now()))
				}
				if d := time.Until(got.Token.ExpiresAt); d <= 59*time.Minute || d > time.Hour {
					t.Errorf("expires in %v", d)
				}
				w.checkStored(got)
				w.checkClean()
			})
		})
	}
}

func TestDeviceLapsesByOurClock(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{CodeLife: time.Minute}
		w := newWorld(t, emu)
		begin := time.Now()
		_, err := w.run(t.Context(), session.Device)
		if fault.KindOf(err) != fault.TimedOut || time.Since(begin) != time.Minute {
			t.Errorf("got %v (%v) after %v", err, fault.KindOf(err), time.Since(begin))
		}
		if n := len(emu.PollTimes()); n != 49 { // every 1.2 s, and none when the code is over
			t.Errorf("polled %d times", n)
		}
		w.checkClean()
		if _, err := os.Stat(w.store.TokenPath("dev")); err == nil {
			t.Error("there is a token")
		}
	})
}

// TestDeviceLapsesByTheService: the service calls a lapsed code an invalid grant, "Invalid device code provided".
func TestDeviceLapsesByTheService(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "ExpiredTokenException"} {
		synctest.Test(t, func(t *testing.T) {
			emu := &emulator.Server{}
			w := newWorld(t, emu)
			go func() {
				time.Sleep(30 * time.Second)
				if name != "" {
					emu.Fail(emulator.OpCreateToken, 1, emulator.Fault{Error: name})
				}
				emu.Advance(10 * time.Minute)
			}()
			begin := time.Now()
			_, err := w.run(t.Context(), session.Device)
			if fault.KindOf(err) != fault.TimedOut || time.Since(begin) > 32*time.Second {
				t.Errorf("got %v (%v) after %v", err, fault.KindOf(err), time.Since(begin))
			}
		})
	}
}

func TestDeviceDenied(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		go func() {
			time.Sleep(3 * time.Second)
			if err := emu.Deny(t.Context()); err != nil {
				t.Error(err)
			}
		}()
		_, err := w.run(t.Context(), session.Device)
		if fault.KindOf(err) != fault.Denied {
			t.Errorf("got %v (%v)", err, fault.KindOf(err))
		}
		w.checkClean()
	})
}

// TestDevicePollsThroughAnOutage: RFC 8628 3.5 asks for exponential back-off when the connection fails.
func TestDevicePollsThroughAnOutage(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]emulator.Fault{
		"network":   {Drop: emulator.DropBefore},
		"server":    {Error: "InternalServerException"},
		"throttled": {Error: "TooManyRequestsException"},
		"gateway":   {Status: 502, Body: "<html>Bad Gateway</html>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				emu := &emulator.Server{}
				w := newWorld(t, emu)
				emu.Fail(emulator.OpCreateToken, 3, f)
				go func() {
					time.Sleep(10 * time.Second)
					if err := emu.Approve(t.Context()); err != nil {
						t.Error(err)
					}
				}()
				begin := time.Now()
				if _, err := w.run(t.Context(), session.Device); err != nil {
					t.Fatal(err)
				}
				var polls []time.Duration
				for _, r := range emu.Requests() {
					if r.Op == emulator.OpCreateToken {
						polls = append(polls, r.Time.Sub(begin))
					}
				}
				// 1.2, then 2.4, 4.8 and 9.6 more.
				if want := []time.Duration{1200e6, 3600e6, 8400e6, 18 * time.Second}; !reflect.DeepEqual(polls, want) {
					t.Errorf("polled at %v, want %v", polls, want)
				}
				if want := []string{"environment", "devicecode", "stilltrying", "signedin"}; !reflect.DeepEqual(
					w.kinds(),
					want,
				) {
					t.Errorf("events %q, want %q", w.kinds(), want)
				}
			})
		})
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	for _, flow := range []session.Flow{session.PKCE, session.Device} {
		w := newWorld(t, &emulator.Server{})
		ctx, cancel := context.WithCancel(t.Context())
		notify := w.login.Notify
		w.login.Notify = func(e signin.Event) {
			notify(e)
			switch e.(type) {
			case signin.Authorize, signin.DeviceCode:
				cancel()
			}
		}
		_, err := w.run(ctx, flow)
		if fault.KindOf(err) != fault.Interrupted || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v (%v)", flow, err, fault.KindOf(err))
		}
		w.checkClean()
	}
}

func TestLegacySession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		w.session.Name = ""
		go func() { _ = emu.Approve(t.Context()) }()
		got, err := w.run(t.Context(), session.Device)
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Until(got.Token.ExpiresAt).Round(time.Minute); d != 8*time.Hour ||
			got.Token.Renewable(time.Now()) {
			t.Errorf("expires in %v, renewable %v", d, got.Token.Renewable(time.Now()))
		}
		w.checkStored(got)
	})
}

func TestCachedAndRefresh(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		go func() { _ = emu.Approve(t.Context()) }()
		first, err := w.run(t.Context(), session.Device)
		if err != nil {
			t.Fatal(err)
		}
		asked := len(emu.Requests())
		second, err := w.run(t.Context(), session.Device)
		if err != nil || second.Channel != session.Cached || !second.Token.AccessToken.Equal(first.Token.AccessToken) {
			t.Errorf("got channel %q, %v", second.Channel, err)
		}
		if len(emu.Requests()) != asked {
			t.Error("a good token was asked about")
		}
		time.Sleep(55 * time.Minute)
		third, err := w.run(t.Context(), session.Device)
		if err != nil || third.Channel != session.Renewed || third.Token.AccessToken.Equal(first.Token.AccessToken) {
			t.Errorf("got channel %q, %v", third.Channel, err)
		}
		w.checkStored(third)
		go func() { _ = emu.Approve(t.Context()) }()
		fourth, err := w.run(t.Context(), session.Device, force)
		if err != nil || fourth.Channel != session.DeviceCode {
			t.Errorf("forced: channel %q, %v", fourth.Channel, err)
		}
		emu.EndSession("")
		time.Sleep(55 * time.Minute)
		go func() { _ = emu.Approve(t.Context()) }()
		fifth, err := w.run(t.Context(), session.Device)
		if err != nil || fifth.Channel != session.DeviceCode {
			t.Errorf("after the session ended: channel %q, %v", fifth.Channel, err)
		}
		go func() { _ = emu.Approve(t.Context()) }()
		w.session.StartURL += "/"
		sixth, err := w.run(t.Context(), session.Device)
		if err != nil || sixth.Channel != session.DeviceCode {
			t.Errorf("another start URL: channel %q, %v", sixth.Channel, err)
		}
	})
}
