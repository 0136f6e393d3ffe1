package rolecreds_test

import (
	"context"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/rolecreds"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// world is a person who has signed in to the emulator, and everything that serves her role credentials.
type world struct {
	*emulator.Server
	rolecreds.Fetcher
	key store.RoleKey
}

func (w *world) get(ctx context.Context) (session.RoleCredentials, error) {
	return w.Get(ctx, w.key, rolecreds.DefaultMinTTL)
}

// count returns how often an operation was called, or a grant of CreateToken.
func (w *world) count(op string) (n int) {
	for _, r := range w.Requests() {
		if r.Op == op || r.Grant == op {
			n++
		}
	}
	return n
}

func newWorld(t *testing.T, e *emulator.Server) *world {
	t.Helper()
	const address = "http://127.0.0.1:4000"
	e.BaseURL = address
	s := session.Session{Name: "dev", StartURL: emulator.DefaultStartURL, Region: emulator.DefaultRegion}
	client := idc.New(idc.Options{
		Region: s.Region, Endpoints: idc.Endpoints{OIDC: address, Portal: address},
		HTTPClient: &http.Client{Transport: e.Transport()},
	})
	st := &store.Store{AWSDir: filepath.Join(t.TempDir(), ".aws")}
	w := &world{Server: e, key: store.RoleKey{Session: s}}
	w.Fetcher = rolecreds.Fetcher{
		Store: st,
		Tokens: &refresh.Renewer{
			Store:   st,
			Connect: func(context.Context, session.Session) (refresh.Service, error) { return client, nil },
		},
		Connect: func(context.Context, session.Session) (rolecreds.Portal, error) { return client, nil },
	}

	ctx := t.Context()
	reg, err := client.Register(ctx, idc.RegisterRequest{ClientName: "homing", Scopes: s.RegistrationScopes()})
	if err != nil {
		t.Fatal(err)
	}
	device, err := client.StartDevice(ctx, reg, s.StartURL)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Approve(ctx); err != nil {
		t.Fatal(err)
	}
	u, err := st.BeginToken(ctx, s.CacheKey())
	if err != nil {
		t.Fatal(err)
	}
	grant, err := client.TokenByDevice(ctx, reg, device.DeviceCode)
	if err != nil {
		t.Fatal(err)
	}
	err = u.Commit(session.Token{
		StartURL: s.StartURL, Region: s.Region, AccessToken: grant.AccessToken,
		ExpiresAt:    time.Now().Add(grant.ExpiresIn),
		RefreshToken: grant.RefreshToken, ClientID: reg.ClientID, ClientSecret: reg.ClientSecret,
		RegistrationExpiresAt: reg.ExpiresAt,
	})
	if err != nil {
		t.Fatal(err)
	}
	accounts, err := client.Accounts(ctx, grant.AccessToken)
	if err != nil || len(accounts) == 0 {
		t.Fatalf("%d accounts, %v", len(accounts), err)
	}
	roles, err := client.Roles(ctx, grant.AccessToken, accounts[0].ID)
	if err != nil || len(roles) == 0 {
		t.Fatalf("%d roles, %v", len(roles), err)
	}
	w.key.AccountID, w.key.RoleName = accounts[0].ID, roles[0].Name
	e.ForgetRequests()
	return w
}

// A working day of calls every ten minutes. Credentials live for an hour and are fetched again when no more than
// fifteen minutes are left, so every 50 minutes. At every second of these fetches the token has expired and is
// renewed; at the others it has its ten minutes still. The end of the portal session is said in words.
func TestADayAgainstTheEmulator(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &emulator.Server{})
		start := time.Now()
		for time.Since(start) < 8*time.Hour-time.Minute {
			if _, err := w.get(t.Context()); err != nil {
				t.Fatalf("after %v: %v", time.Since(start), err)
			}
			time.Sleep(10 * time.Minute)
		}
		if r, f := w.count("refresh_token"), w.count(emulator.OpGetRoleCredentials); r != 4 || f != 10 {
			t.Errorf("%d refreshes and %d fetches in eight hours, want 4 and 10", r, f)
		}
		time.Sleep(2 * time.Hour)
		_, err := w.get(t.Context())
		if fault.KindOf(err) != fault.SignInNeeded || err.Error() != `session "dev" has ended` ||
			fault.RemedyOf(err) != (fault.Login{Session: "dev"}) {
			t.Errorf("after the session: %v, remedy %#v", err, fault.RemedyOf(err))
		}
		if odd := w.Unexpected(); len(odd) > 0 {
			t.Errorf("unknown requests: %v", odd)
		}
	})
}

func TestManyCallersAgainstTheEmulator(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, &emulator.Server{Latency: 2 * time.Second})
		time.Sleep(2 * time.Hour)
		w.ForgetRequests()
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				if _, err := w.get(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if r, f := w.count("refresh_token"), w.count(emulator.OpGetRoleCredentials); r != 1 || f != 1 {
			t.Errorf("%d refreshes and %d fetches, want one of each", r, f)
		}
	})
}

func TestTroubleFromTheEmulator(t *testing.T) {
	t.Parallel()
	login := fault.Login{Session: "dev"}
	for _, tt := range []struct {
		name    string
		trouble func(w *world)
		kind    fault.Kind // fault.Bug = none: credentials come
		msg     string
		remedy  fault.Remedy
	}{
		{"throttled seven times", func(w *world) {
			w.Fail(emulator.OpGetRoleCredentials, 7, emulator.Fault{Error: "TooManyRequestsException"})
		}, fault.Bug, "", nil},
		{"internal error seven times, at the token", func(w *world) {
			time.Sleep(2 * time.Hour)
			w.Fail(emulator.OpCreateToken, 7, emulator.Fault{Error: "InternalServerException"})
		}, fault.Bug, "", nil},
		{"connection dropped before the request, at the token", func(w *world) {
			time.Sleep(2 * time.Hour)
			w.Fail(emulator.OpCreateToken, 3, emulator.Fault{Drop: emulator.DropBefore})
		}, fault.Bug, "", nil},
		{"portal forgets the token", func(w *world) {
			w.Fail(emulator.OpGetRoleCredentials, 1, emulator.Fault{Error: "UnauthorizedException"})
		}, fault.Bug, "", nil},
		{"session revoked", func(w *world) { w.EndSession("") }, fault.SignInNeeded, `session "dev" has ended`, login},
		{"role not assigned", func(w *world) { w.key.RoleName = "Nobody" }, fault.Denied, "",
			fault.Preface{Words: "see what you may use:", Then: fault.ListProfiles{Session: "dev"}}},
		{"HTML from a proxy", func(w *world) {
			w.Fail(emulator.OpGetRoleCredentials, -1, emulator.Fault{Body: "<html>sign in to the Wi-Fi</html>"})
		}, fault.Unavailable, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, &emulator.Server{})
				tt.trouble(w)
				start := time.Now()
				c, err := w.get(t.Context())
				if took := time.Since(start); took > 40*time.Second {
					t.Errorf("took %v", took)
				}
				if tt.kind == fault.Bug {
					if err != nil || c.AccessKeyID == "" {
						t.Errorf("got %v", err)
					}
					return
				}
				if err == nil || fault.KindOf(err) != tt.kind || tt.msg != "" && err.Error() != tt.msg ||
					fault.RemedyOf(err) == nil ||
					tt.remedy != nil && fault.RemedyOf(err) != tt.remedy {
					t.Errorf("got %v: %v\nremedy: %#v", fault.KindOf(err), err, fault.RemedyOf(err))
				}
			})
		})
	}
}
