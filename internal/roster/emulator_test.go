package roster_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/roster"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

const address = "http://127.0.0.1:4000"

var dev = session.Session{Name: "dev", StartURL: emulator.DefaultStartURL, Region: emulator.DefaultRegion}

// world is a person who has signed in to an emulator, and a lister of what she may use.
type world struct {
	*emulator.Server
	roster.Lister
	store  *store.Store
	client *idc.Client
}

// newWorld signs in to e, which transport reaches at base.
func newWorld(t testing.TB, e *emulator.Server, base string, transport http.RoundTripper) *world {
	t.Helper()
	e.BaseURL = base
	client := idc.New(idc.Options{
		Region: dev.Region, Endpoints: idc.Endpoints{OIDC: base, Portal: base},
		HTTPClient: &http.Client{Transport: transport},
	})
	w := &world{Server: e, store: &store.Store{AWSDir: filepath.Join(t.TempDir(), ".aws")}, client: client}
	w.Lister = roster.Lister{
		Session: dev, Dir: filepath.Join(t.TempDir(), "state"),
		Tokens: &refresh.Renewer{
			Store:   w.store,
			Connect: func(context.Context, session.Session) (refresh.Service, error) { return client, nil },
		},
		Connect: func(context.Context, session.Session) (roster.Portal, error) { return client, nil },
	}
	w.signIn(t)
	e.ForgetRequests()
	return w
}

func (w *world) signIn(t testing.TB) {
	t.Helper()
	ctx := t.Context()
	reg, err := w.client.Register(ctx, idc.RegisterRequest{ClientName: "homing", Scopes: dev.RegistrationScopes()})
	if err != nil {
		t.Fatal(err)
	}
	device, err := w.client.StartDevice(ctx, reg, dev.StartURL)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Approve(ctx); err != nil {
		t.Fatal(err)
	}
	u, err := w.store.BeginToken(ctx, dev.CacheKey())
	if err != nil {
		t.Fatal(err)
	}
	defer u.Abort()
	grant, err := w.client.TokenByDevice(ctx, reg, device.DeviceCode)
	if err != nil {
		t.Fatal(err)
	}
	err = u.Commit(session.Token{
		StartURL: dev.StartURL, Region: dev.Region, AccessToken: grant.AccessToken,
		ExpiresAt:    time.Now().Add(grant.ExpiresIn),
		RefreshToken: grant.RefreshToken, ClientID: reg.ClientID, ClientSecret: reg.ClientSecret,
		RegistrationExpiresAt: reg.ExpiresAt,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestSpeed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		accounts    int
		rate        int
		least, most time.Duration
	}{
		{"300 accounts", 300, 0, 0, 2500 * time.Millisecond},
		{"300 accounts, 20 calls a second", 300, 20, 14 * time.Second, 303 * time.Second * 115 / 100 / 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := &emulator.Server{
					Directory: emulator.GenerateDirectory(tt.accounts, 3),
					Latency:   60 * time.Millisecond,
				}
				w := newWorld(t, e, address, e.Transport())
				e.Change(func(s *emulator.Server) { s.PortalRate = tt.rate })
				start := time.Now()
				result, err := w.List(t.Context())
				took := time.Since(start)
				if err != nil {
					t.Fatal(err)
				}
				if len(result.Accounts) != tt.accounts {
					t.Errorf("%d accounts", len(result.Accounts))
				}
				for _, a := range result.Accounts {
					if len(a.Roles) != 3 || a.Name == "" {
						t.Errorf("%+v", a)
					}
				}
				if took < tt.least || took > tt.most {
					t.Errorf("took %v, want %v to %v", took, tt.least, tt.most)
				}
				if share := float64(result.Throttled) / float64(result.Calls); share > 0.15 {
					t.Errorf("%d of %d calls were throttled", result.Throttled, result.Calls)
				}
				t.Logf("%v, %d calls, %d throttled", took, result.Calls, result.Throttled)
				if odd := e.Unexpected(); len(odd) > 0 {
					t.Errorf("unknown requests: %v", odd)
				}
				if files, _ := filepath.Glob(filepath.Join(w.Dir, "*.jsonl")); len(files) > 0 {
					t.Errorf("left behind: %s", strings.Join(files, " "))
				}
			})
		})
	}
}

// A list of five minutes with tokens of two: each is renewed before it ends, and no call is refused for it. The
// service may end the old token at once when it gives the new one; then some calls are made again.
func TestRenewalsDuringAList(t *testing.T) {
	t.Parallel()
	for _, ends := range []bool{false, true} {
		t.Run(map[bool]string{false: "the old token lives on", true: "the old token ends"}[ends], func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := &emulator.Server{
					Directory: emulator.GenerateDirectory(1500,
						2), Latency: 60 * time.Millisecond, AccessTokenLife: 2 * time.Minute,
					Switches: emulator.Switches{RefreshEndsAccess: ends},
				}
				w := newWorld(t, e, address, e.Transport())
				e.Change(func(s *emulator.Server) { s.PortalRate = 5 })
				result, err := w.List(t.Context())
				if err != nil || len(result.Accounts) != 1500 || len(result.Refused) > 0 {
					t.Fatalf("%d accounts, %v", len(result.Accounts), err)
				}
				renewals, refused, served := 0, 0, 0
				for _, r := range e.Requests() {
					switch {
					case r.Grant == "refresh_token":
						renewals++
					case r.Error == "UnauthorizedException":
						refused++
					case r.Op == emulator.OpListAccountRoles && r.Error == "":
						served++
					}
				}
				if renewals < 2 || renewals > 6 || served != 1500 || refused > 0 && !ends || refused > 2*renewals {
					t.Errorf("%d renewals, %d accounts told, %d calls refused", renewals, served, refused)
				}
			})
		})
	}
}

// An administrator ends the session in the middle: exit code 4. The next sign-in, which may be another person's, does
// not use what was fetched.
func TestSessionEndsDuringAList(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := &emulator.Server{Directory: emulator.GenerateDirectory(300, 2), Latency: 60 * time.Millisecond}
		w := newWorld(t, e, address, e.Transport())
		e.Change(func(s *emulator.Server) { s.PortalRate = 20 })
		time.AfterFunc(5*time.Second, func() { e.EndSession("") })
		_, err := w.List(t.Context())
		if fault.KindOf(err) != fault.SignInNeeded || fault.RemedyOf(err) != (fault.Login{Session: "dev"}) {
			t.Fatalf("error = %v, remedy %#v", err, fault.RemedyOf(err))
		}
		e.Change(func(s *emulator.Server) { s.PortalRate = 0 })
		w.signIn(t)
		result, err := w.List(t.Context())
		if err != nil || result.Resumed != 0 || len(result.Accounts) != 300 {
			t.Errorf("%d resumed, %d accounts, %v", result.Resumed, len(result.Accounts), err)
		}
	})
}

// What the network and the service can do to single calls.
func TestFaultsOfTheEmulator(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		n     int
		fault emulator.Fault
	}{
		{"internal errors", 7, emulator.Fault{Error: "InternalServerException"}},
		{"lost before", 7, emulator.Fault{Drop: emulator.DropBefore}},
		{"lost after", 7, emulator.Fault{Drop: emulator.DropAfter}},
		{"throttled", 40, emulator.Fault{Error: "TooManyRequestsException"}},
		{"gateway page", 5, emulator.Fault{Status: 503, Body: "<html>busy</html>"}},
		{"the token is forgotten for a moment", 1, emulator.Fault{Error: "UnauthorizedException"}},
		{"slow", 5, emulator.Fault{Latency: 5 * time.Second}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				e := &emulator.Server{Directory: emulator.GenerateDirectory(100, 2), Latency: 60 * time.Millisecond}
				w := newWorld(t, e, address, e.Transport())
				time.AfterFunc(200*time.Millisecond, func() { e.Fail(emulator.OpListAccountRoles, tt.n, tt.fault) })
				start := time.Now()
				result, err := w.List(t.Context())
				if err != nil || len(result.Accounts) != 100 || len(result.Refused) > 0 {
					t.Errorf("%d accounts, %v, %v", len(result.Accounts), result.Refused, err)
				}
				if took := time.Since(start); took > 20*time.Second {
					t.Errorf("took %v", took)
				}
				for _, a := range result.Accounts {
					if len(a.Roles) != 2 {
						t.Errorf("%+v", a)
					}
				}
			})
		})
	}
}
