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
		Region: dev.Region, Endpoints: idc.Endpoints{OIDC: base, Portal: base}, HTTPClient: &http.Client{Transport: transport},
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
		StartURL: dev.StartURL, Region: dev.Region, AccessToken: grant.AccessToken, ExpiresAt: time.Now().Add(grant.ExpiresIn),
		RefreshToken: grant.RefreshToken, ClientID: reg.ClientID, ClientSecret: reg.ClientSecret, RegistrationExpiresAt: reg.ExpiresAt,
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
				e := &emulator.Server{Directory: emulator.GenerateDirectory(tt.accounts, 3), Latency: 60 * time.Millisecond}
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
