package rolecreds

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

const startURL = "https://d-1234567890.awsapps.com/start"

var (
	dev   = session.Session{Name: "dev", StartURL: startURL, Region: "us-east-1"}
	admin = store.RoleKey{Session: dev, AccountID: "123456789012", RoleName: "Admin"}
)

// said is an error as idc makes them.
type said struct {
	code      string
	transient bool
}

func (s said) Error() string       { return s.code }
func (s said) ServiceCode() string { return s.code }
func (s said) Transient() bool     { return s.transient }

func refusal(code string, kind fault.Kind, transient bool) error {
	return &fault.Error{
		Kind:   kind,
		Msg:    "the portal says " + code,
		Remedy: fault.Advice("advice of idc"),
		Err:    said{code, transient},
	}
}

var (
	unauthorized = refusal("unauthorized", fault.SignInNeeded, false)
	forbidden    = refusal("forbidden", fault.Denied, false)
	throttled    = refusal("throttled", fault.Unavailable, true)
	broken       = refusal("server", fault.Unavailable, true)
	unreached    = refusal("network", fault.Unavailable, false)
)

// portal hands out credentials that live for an hour, to the access tokens it knows.
type portal struct {
	mu       sync.Mutex
	known    []string // access tokens
	slow     time.Duration
	lives    time.Duration // 0 = 1 h
	fail     []error       // of the next calls
	calls    int
	perSec   int            // calls it answers in a second, the others are throttled; 0 = all
	window   time.Time      // when the present second began
	inWindow int            //
	during   func(call int) // what happens while it works
}

func (p *portal) RoleCredentials(ctx context.Context, token session.Secret,
	accountID, roleName string) (session.RoleCredentials, error) {
	p.mu.Lock()
	p.calls++
	call := p.calls
	var err error
	if len(p.fail) > 0 {
		err, p.fail = p.fail[0], p.fail[1:]
	}
	if p.perSec > 0 {
		if time.Since(p.window) >= time.Second {
			p.window, p.inWindow = time.Now(), 0
		}
		if p.inWindow++; p.inWindow > p.perSec {
			err = throttled
		}
	}
	known := slices.Contains(p.known, token.Reveal())
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		return session.RoleCredentials{}, &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: ctx.Err()}
	case <-time.After(p.slow):
	}
	if p.during != nil {
		p.during(call)
	}
	switch {
	case err != nil:
		return session.RoleCredentials{}, err
	case !known:
		return session.RoleCredentials{}, unauthorized
	}
	lives := p.lives
	if lives == 0 {
		lives = time.Hour
	}
	return session.RoleCredentials{
		AccountID: accountID, AccessKeyID: fmt.Sprint(roleName, "-", call), SecretAccessKey: session.NewSecret("s"),
		SessionToken: session.NewSecret(
			"of-" + token.Reveal(),
		), Expiration: time.Now().Add(lives).Truncate(time.Second),
	}, nil
}

// tokens stands for the renewer: the token in the file is good, until it is replaced by another.
type tokens struct {
	st       *store.Store
	next     string // the access token that Replace gets; "" = the session has ended
	replaced int
	mu       sync.Mutex
}

func (f *tokens) Token(ctx context.Context, s session.Session) (session.Token, error) {
	t, err := f.st.Token(s.CacheKey())
	if err != nil {
		return t, f.Ended(ctx, s, session.Secret{}, err)
	}
	return t, nil
}

func (f *tokens) Replace(ctx context.Context, s session.Session, rejected session.Secret) (session.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.replaced++
	if f.next == "" {
		return session.Token{}, f.Ended(ctx, s, rejected, nil)
	}
	signIn(f.st, f.next)
	return f.st.Token(s.CacheKey())
}

func (f *tokens) Ended(_ context.Context, s session.Session, _ session.Secret, cause error) error {
	return &fault.Error{Kind: fault.SignInNeeded, Msg: "ended", Remedy: fault.Login{Session: s.Name}, Err: cause}
}

// signIn stores an access token, as a sign-in or a refresh does.
func signIn(st *store.Store, access string) { signInFor(st, access, time.Hour) }

func signInFor(st *store.Store, access string, left time.Duration) {
	u, err := st.BeginToken(context.Background(), dev.CacheKey())
	if err == nil {
		err = u.Commit(
			session.Token{
				StartURL:    startURL,
				Region:      "us-east-1",
				AccessToken: session.NewSecret(access),
				ExpiresAt:   time.Now().Add(left),
			},
		)
	}
	if err != nil {
		panic(err)
	}
}

func newFetcher(t *testing.T, p *portal) *Fetcher {
	t.Helper()
	st := &store.Store{AWSDir: filepath.Join(t.TempDir(), ".aws")}
	signIn(st, "access-1")
	if p.known == nil {
		p.known = []string{"access-1"}
	}
	return &Fetcher{
		Store: st, Tokens: &tokens{st: st},
		Connect: func(_ context.Context, s session.Session) (Portal, error) {
			if s.Region != "us-east-1" {
				return nil, errors.New("wrong region")
			}
			return p, nil
		},
	}
}

func TestCached(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFetcher(t, &portal{})
		if _, ok := Cached(f.Store, admin, DefaultMinTTL); ok {
			t.Error("credentials out of nothing")
		}
		if _, err := f.Get(t.Context(), admin, DefaultMinTTL); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			wait time.Duration // beyond the one before
			ttl  time.Duration
			ok   bool
		}{
			{0, DefaultMinTTL, true},
			{45*time.Minute - time.Second, DefaultMinTTL, true},
			{time.Second, DefaultMinTTL, false},
			{0, 5 * time.Minute, true},
			{14*time.Minute + 59*time.Second, 0, true},
			{time.Second, 0, false},
			{time.Second, -time.Hour, false},
		} {
			time.Sleep(tt.wait)
			if c, ok := Cached(f.Store, admin, tt.ttl); ok != tt.ok ||
				ok && (c.AccessKeyID != "Admin-1" || c.AccountID != admin.AccountID) {
				t.Errorf("after %v with min-ttl %v: %v, %v", tt.wait, tt.ttl, c.AccessKeyID, ok)
			}
		}
	})
}

func TestOneFetchForManyCallers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &portal{slow: 2 * time.Second}
		f := newFetcher(t, p)
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				one := *f
				if c, err := one.Get(t.Context(), admin, DefaultMinTTL); err != nil || c.AccessKeyID != "Admin-1" {
					t.Errorf("got %s, %v", c.AccessKeyID, err)
				}
			})
		}
		wg.Wait()
		if p.calls != 1 {
			t.Errorf("%d calls, want 1", p.calls)
		}
		if keys := f.Store.RoleKeys(dev); len(keys) != 1 {
			t.Errorf("the index has %d roles", len(keys))
		}
	})
}

func TestManyRolesAgainstACappedPortal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &portal{perSec: 4}
		f := newFetcher(t, p)
		start := time.Now()
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				if _, err := f.Get(t.Context(), store.RoleKey{Session: dev, AccountID: "1", RoleName: fmt.Sprint("r",
					i)}, 0); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestShortCredentialsAreReturnedAllTheSame(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &portal{lives: time.Minute}
		f := newFetcher(t, p)
		for call := 1; call <= 2; call++ {
			if c, err := f.Get(t.Context(), admin, DefaultMinTTL); err != nil ||
				c.AccessKeyID != fmt.Sprint("Admin-", call) {
				t.Errorf("call %d: %s, %v", call, c.AccessKeyID, err)
			}
		}
	})
}

func TestFailures(t *testing.T) {
	t.Parallel()
	login := fault.Login{Session: "dev"}
	many := func(err error) (list []error) {
		for range 99 {
			list = append(list, err)
		}
		return list
	}
	for _, tt := range []struct {
		name     string
		fail     []error
		next     string // the token that a renewal gets
		known    []string
		kind     fault.Kind // fault.Bug = no failure
		msg      string
		remedy   fault.Remedy
		least    int // calls
		most     int
		replaced int
	}{
		{"seven times 429", many(throttled)[:7], "", nil, fault.Bug, "", nil, 8, 8, 0},
		{"429 for ever", many(throttled), "", nil, fault.Unavailable, "the portal says throttled", fault.Advice("advice of idc"), 8, 99, 0},
		{"500 for ever", many(broken), "", nil, fault.Unavailable, "the portal says server", fault.Advice("advice of idc"), 8, 99, 0},
		{"nothing there", many(unreached), "", nil, fault.Unavailable, "the portal says network", fault.Advice("advice of idc"), 3, 3, 0},
		{"401, then renewed", nil, "access-2", []string{"access-2"}, fault.Bug, "", nil, 2, 2, 1},
		{"401, session over", nil, "", []string{"none"}, fault.SignInNeeded, "ended", login, 1, 1, 1},
		{"401 again after the renewal", nil, "access-2", []string{"none"}, fault.SignInNeeded, "ended", login, 2, 2, 1},
		{
			"403", []error{forbidden}, "", nil, fault.Denied, `no access to role "Admin" in account "123456789012" through session "dev"`,
			fault.Preface{Words: "see what you may use:", Then: fault.ListProfiles{Session: "dev"}}, 1, 1, 0,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := &portal{fail: tt.fail, known: tt.known}
				f := newFetcher(t, p)
				fake := &tokens{st: f.Store, next: tt.next}
				f.Tokens = fake
				start := time.Now()
				c, err := f.Get(t.Context(), admin, DefaultMinTTL)
				if tt.kind == fault.Bug {
					if err != nil || c.AccessKeyID == "" {
						t.Errorf("got %v", err)
					}
				} else if err == nil || fault.KindOf(err) != tt.kind || err.Error() != tt.msg ||
					fault.RemedyOf(err) != tt.remedy {
					t.Errorf("got %v: %v\nremedy: %#v", fault.KindOf(err), err, fault.RemedyOf(err))
				}
				if p.calls < tt.least || p.calls > tt.most || fake.replaced != tt.replaced ||
					time.Since(start) > 30*time.Second {
					t.Errorf("%d calls, %d renewals, %v", p.calls, fake.replaced, time.Since(start))
				}
			})
		})
	}
}

func TestShortCachedOnesWhenThePortalIsAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &portal{}
		f := newFetcher(t, p)
		if _, err := f.Get(t.Context(), admin, DefaultMinTTL); err != nil {
			t.Fatal(err)
		}
		time.Sleep(50 * time.Minute)
		p.fail = []error{unreached, unreached, unreached}
		if c, err := f.Get(t.Context(), admin, DefaultMinTTL); err != nil || c.AccessKeyID != "Admin-1" {
			t.Errorf("ten minutes left: %s, %v", c.AccessKeyID, err)
		}
		time.Sleep(10 * time.Minute)
		p.fail = []error{unreached, unreached, unreached}
		if _, err := f.Get(t.Context(), admin, DefaultMinTTL); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("nothing left: %v", err)
		}
	})
}

// The keys of the person before must not be printed for an hour after somebody else has signed in.
func TestSignInWhileAFetchIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &portal{known: []string{"access-1", "access-2"}}
		f := newFetcher(t, p)
		p.during = func(call int) {
			if call == 1 {
				signIn(f.Store, "access-2")
			}
		}
		c, err := f.Get(t.Context(), admin, DefaultMinTTL)
		if err != nil || c.SessionToken.Reveal() != "of-access-2" {
			t.Errorf("got credentials %s, %v", c.SessionToken.Reveal(), err)
		}
		if c, ok := Cached(f.Store, admin, 0); !ok || c.SessionToken.Reveal() != "of-access-2" {
			t.Errorf("cached credentials %s", c.SessionToken.Reveal())
		}
	})
}

func TestSignOutWhileAFetchIsUnderWay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := &portal{}
		f := newFetcher(t, p)
		p.during = func(int) {
			if err := f.Store.RemoveToken(t.Context(), "dev"); err != nil {
				t.Error(err)
			}
		}
		if _, err := f.Get(t.Context(), admin, DefaultMinTTL); err != nil {
			t.Errorf("they were asked for before: %v", err)
		}
		if _, ok := Cached(f.Store, admin, 0); ok {
			t.Error("credentials of a session that was ended are in the cache")
		}
	})
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFetcher(t, &portal{})
		var warned error
		f.Warn = func(err error) { warned = err }
		if err := os.WriteFile(filepath.Join(f.Store.AWSDir, "cli"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := f.Get(t.Context(), admin, DefaultMinTTL); err != nil || c.AccessKeyID == "" ||
			fault.KindOf(warned) != fault.Config {
			t.Errorf("got %s, %v; warned of %v", c.AccessKeyID, err, warned)
		}
	})
}

func TestInterruptedFetch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFetcher(t, &portal{slow: time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := f.Get(ctx, admin, 0); fault.KindOf(err) != fault.Interrupted {
			t.Errorf("during the call: %v", err)
		}
		if _, err := f.Get(ctx, admin, 0); fault.KindOf(err) != fault.Interrupted {
			t.Errorf("before it: %v", err)
		}
	})
}

func TestNoNetworkOnTheHotPath(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	deps := strings.Fields(string(out))
	if !slices.Contains(deps, "github.com/homing-cli/homing/internal/store") {
		t.Fatalf("the list is not ours: %v", deps)
	}
	for _, dep := range deps {
		if dep == "net" || strings.HasPrefix(dep, "net/") || strings.HasPrefix(dep, "github.com/aws/") ||
			strings.HasSuffix(dep, "/template") ||
			dep == "regexp" {
			t.Errorf("rolecreds imports %s", dep)
		}
	}
}

func BenchmarkCached(b *testing.B) {
	st := &store.Store{AWSDir: filepath.Join(b.TempDir(), ".aws")}
	c := session.RoleCredentials{
		AccountID: "1", AccessKeyID: "A", SecretAccessKey: session.NewSecret("s"),
		SessionToken: session.NewSecret(strings.Repeat("t", 900)), Expiration: time.Now().Add(time.Hour),
	}
	if err := st.SaveRoleCredentials(b.Context(), admin, c); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, ok := Cached(st, admin, DefaultMinTTL); !ok {
			b.Fatal("not cached")
		}
	}
}

// What a shell, a JSON reader or a terminal would take for more than a value is neither taken from the service nor,
// whoever wrote it there, from the cache: others are fetched, and written over it.
func TestWellFormed(t *testing.T) {
	t.Parallel()
	good := session.RoleCredentials{
		AccessKeyID: "ASIA0123456789ABCDEF", SecretAccessKey: session.NewSecret("-start/with+every=kind:of_character."),
		SessionToken: session.NewSecret("IQoJ//+=="), Expiration: time.Now().Add(time.Hour),
	}
	if err := WellFormed(good); err != nil {
		t.Error(err)
	}
	for r := range rune(0x3000) {
		c := good
		c.AccessKeyID += string(r)
		usual := r >= '0' && r <= ':' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' ||
			strings.ContainsRune("+/=_.-", r)
		if (WellFormed(c) == nil) != usual {
			t.Errorf("%q: %v", r, WellFormed(c))
		}
	}
	f := newFetcher(t, &portal{})
	for name, c := range map[string]session.RoleCredentials{
		"no session token": {AccessKeyID: "ASIA", SecretAccessKey: good.SecretAccessKey, Expiration: good.Expiration},
		"a secret that is a command": {AccessKeyID: "ASIA", SecretAccessKey: session.NewSecret("b$(id)"),
			SessionToken: good.SessionToken, Expiration: good.Expiration},
	} {
		if fault.KindOf(WellFormed(c)) != fault.Unavailable {
			t.Errorf("%s: %v", name, WellFormed(c))
		}
		if err := f.Store.SaveRoleCredentials(t.Context(), admin, c); err != nil {
			t.Fatal(err)
		}
		if _, ok := Cached(f.Store, admin, 0); ok {
			t.Errorf("%s: given out of the cache", name)
		}
		if got, err := f.Get(t.Context(), admin, DefaultMinTTL); err != nil || WellFormed(got) != nil {
			t.Errorf("%s: fetched %v, %v", name, got, err)
		}
		if _, ok := Cached(f.Store, admin, DefaultMinTTL); !ok {
			t.Errorf("%s: not written over", name)
		}
	}
}
