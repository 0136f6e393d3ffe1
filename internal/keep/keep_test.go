package keep_test

import (
	"context"
	"io/fs"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/keep"
	"github.com/homing-cli/homing/internal/session"
)

// folder is a folder of token files, each with what reading it gives.
type folder struct {
	mu      sync.Mutex
	tokens  map[string]session.Token
	errs    map[string]error
	written map[string]time.Time
	reads   int
}

func (f *folder) set(key string, t session.Token, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tokens[key], f.errs[key], f.written[key] = t, err, time.Now()
}

func (f *folder) Token(key string) (session.Token, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if _, ok := f.written[key]; !ok {
		return session.Token{}, fs.ErrNotExist
	}
	return f.tokens[key], f.errs[key]
}

func (f *folder) TokenPath(key string) string { return "token of " + key }

func (f *folder) Written(key string) time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.written[key]
}

// nobody renews nothing.
type nobody struct{ t *testing.T }

func (n nobody) Ahead(_ context.Context, s session.Session, _ time.Duration) (session.Token, bool, error) {
	n.t.Errorf("renews %q", s.Label())
	return session.Token{}, false, fault.New(fault.Unavailable, "", "nobody is here")
}

// A file that cannot be read is a failure that is told once, not a sign-out. Sessions come and go with the config. A
// file that nobody writes is read once.
func TestFilesAndConfig(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &folder{tokens: map[string]session.Token{}, errs: map[string]error{}, written: map[string]time.Time{}}
		token := session.Token{AccessToken: session.NewSecret("a"), ExpiresAt: time.Now().Add(8 * time.Hour)}
		f.set("dev", token, nil)
		time.Sleep(5 * time.Second) // on a file of this moment nobody relies: it is read once more
		var mu sync.Mutex
		sessions := []session.Session{{Name: "dev"}}
		var heard []string
		k := &keep.Keeper{
			Tokens: nobody{t}, Files: f, Alarm: keep.Comparing{}, Chance: func() float64 { return 0 },
			Sessions: func() []session.Session { mu.Lock(); defer mu.Unlock(); return sessions },
			Tell: func(e keep.Event) {
				mu.Lock()
				defer mu.Unlock()
				heard = append(heard, e.Session.Name+" "+string(e.What))
			},
		}
		go func() { _ = k.Run(t.Context()) }() // nil: its context ends
		step := func(what string, want ...string) {
			t.Helper()
			time.Sleep(10 * time.Minute)
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			if diff := cmp.Diff(strings.Join(want, ", "), strings.Join(heard, ", ")); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
			heard = nil
		}
		step("start", "dev keeping")
		if f.reads != 1 {
			t.Errorf("read %d times in ten minutes in which nobody wrote", f.reads)
		}
		f.set("dev", token, fault.New(fault.Config, "", "permission denied"))
		step("cannot be read", "dev failing")
		f.set("dev", token, nil)
		step("can be read again")
		f.set("dev", token, fault.New(fault.Config, "", "permission denied"))
		step("cannot be read once more", "dev failing")
		f.set("dev", session.Token{}, fault.New(fault.SignInNeeded, "", "no token in it"))
		step("destroyed", "dev signed_out")
		mu.Lock()
		sessions = []session.Session{{Name: "dev"}, {Name: "new"}}
		mu.Unlock()
		step("another session", "new absent")
		f.set("new", token, nil)
		f.set("dev", token, nil)
		step("signed in", "dev keeping, new keeping")
		mu.Lock()
		sessions = sessions[1:]
		mu.Unlock()
		step("a session less")
		f.set("dev", session.Token{}, fs.ErrNotExist)
		step("not kept any more")
	})
}

// once is an Alarm that notes until when the first wait is, and for what, and is the last.
type once struct {
	stop  func()
	at    time.Time
	paths []string
}

func (o *once) Wait(_ context.Context, at time.Time, paths []string) {
	o.at, o.paths = at, paths
	o.stop()
}

// Nobody wakes for nothing: only what fails in a way that no change tells the end of is tried again within Look.
func TestWaitsUntil(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	legacy := session.Token{AccessToken: session.NewSecret("a"), ExpiresAt: now.Add(8 * time.Hour)}
	denied := fault.New(fault.Config, "", "permission denied")
	for name, tt := range map[string]struct {
		token session.Token
		err   error
		again bool
		want  time.Duration // -1 = for ever
	}{
		"a token":                           {token: legacy, want: 8 * time.Hour},
		"nobody signed in":                  {err: fs.ErrNotExist, want: -1},
		"a file that cannot be read":        {err: denied, want: keep.Look},
		"a full disk":                       {token: legacy, again: true, want: keep.Look},
		"a full disk, and nobody signed in": {err: fs.ErrNotExist, again: true, want: keep.Look},
		"a full disk, and the deadline first": {token: session.Token{AccessToken: legacy.AccessToken,
			ExpiresAt: now.Add(time.Second)}, again: true, want: time.Second},
	} {
		f := &folder{tokens: map[string]session.Token{}, errs: map[string]error{}, written: map[string]time.Time{}}
		f.set("dev", tt.token, tt.err)
		ctx, stop := context.WithCancel(t.Context())
		alarm := &once{stop: stop}
		k := &keep.Keeper{
			Tokens: nobody{
				t,
			}, Files: f, Alarm: alarm, Now: func() time.Time { return now }, Chance: func() float64 { return 0 },
			Sessions: func() []session.Session { return []session.Session{{Name: "dev"}} }, Tell: func(keep.Event) {},
			Check: func([]session.Session) (bool, error) { return tt.again, nil },
			Paths: func() []string { return []string{"config"} },
		}
		if err := k.Run(ctx); err != nil {
			t.Fatal(err)
		}
		got := alarm.at.Sub(now)
		if alarm.at.IsZero() {
			got = -1
		}
		if got != tt.want {
			t.Errorf("%s: waits for %s, want %s", name, got, tt.want)
		}
		if diff := cmp.Diff([]string{"config", "token of dev"}, alarm.paths); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
