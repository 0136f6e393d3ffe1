package keep_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/keep"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/store"
)

const startURL = "https://d-1234567890.awsapps.com/start"

var dev = session.Session{Name: "dev", StartURL: startURL, Region: "us-east-1"}

// world is a machine with its wall clock, and an Identity Center, in a bubble. A suspend moves the wall clock and not
// the timers.
type world struct {
	t     *testing.T
	emu   *emulator.Server
	store *store.Store
	start time.Time

	mu    sync.Mutex
	ahead time.Duration // of the wall clock
	set   chan struct{} // closed when the wall clock jumps
	waits int           // by alarm
	cut   bool
	log   []string
	tried int // calls that found no network
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, emu: &emulator.Server{StartURL: startURL}, start: time.Now(), set: make(chan struct{})}
	w.store = &store.Store{AWSDir: filepath.Join(t.TempDir(), ".aws"), Now: w.now}
	return w
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Now().Add(w.ahead)
}

// jump sets the wall clock, as a suspend does when it ends.
func (w *world) jump(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ahead += d
	close(w.set)
	w.set = make(chan struct{})
}

func (w *world) suspend(d time.Duration) {
	w.emu.Advance(d)
	w.jump(d)
	w.note("suspended for %s", d)
}

// alarm is the Alarm of a system that tells when its clock was set, as Linux does, on the clock of a world. Of files
// it knows nothing.
type alarm struct{ *world }

func (a alarm) Wait(ctx context.Context, at time.Time, _ []string) {
	a.mu.Lock()
	set := a.set
	a.waits++
	a.mu.Unlock()
	var due <-chan time.Time
	if !at.IsZero() {
		due = time.After(at.Sub(a.now()))
	}
	select {
	case <-ctx.Done():
	case <-set:
	case <-due:
	}
}

func (w *world) network(up bool) {
	w.mu.Lock()
	w.cut = !up
	w.mu.Unlock()
	w.note("network: %v", up)
}

// note writes a line with the time of the wall clock since the start.
func (w *world) note(format string, args ...any) {
	at := w.now().Sub(w.start)
	w.mu.Lock()
	defer w.mu.Unlock()
	clock := fmt.Sprintf("%2d:%02d:%02d ", int(at.Hours()), int(at.Minutes())%60, int(at.Seconds())%60)
	w.log = append(w.log, clock+fmt.Sprintf(format, args...))
}

// RoundTrip implements http.RoundTripper: every call to the service is a line, but for those that reach nobody.
func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	cut := w.cut
	if cut {
		w.tried++
	}
	w.mu.Unlock()
	if cut {
		return nil, errors.New("network is unreachable")
	}
	w.note("call %s", r.URL.Path)
	return w.emu.Transport().RoundTrip(r)
}

func (w *world) client() *idc.Client {
	return idc.New(idc.Options{Region: "us-east-1", HTTPClient: &http.Client{Transport: w}})
}

func (w *world) renewer() *refresh.Renewer {
	return &refresh.Renewer{
		Store: w.store,
		Now:   w.now,
		Connect: func(context.Context, session.Session) (refresh.Service, error) {
			return w.client(), nil
		},
	}
}

func (w *world) signIn() {
	w.t.Helper()
	login := signin.Login{
		Store: w.store, Renewer: w.renewer(), Now: w.now, Notify: func(signin.Event) {},
		Connect: func(context.Context, session.Session) (signin.Connection, error) {
			return signin.Connection{Service: w.client()}, nil
		},
		Session: dev, Environment: signin.Environment{Name: "test", Flow: session.Device},
	}
	go func() {
		if err := w.emu.Approve(w.t.Context()); err != nil {
			w.t.Error(err)
		}
	}()
	if _, err := login.Run(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	w.mu.Lock()
	w.log = nil
	w.mu.Unlock()
	w.note("signed in")
}

func (w *world) keeper(chance float64) *keep.Keeper {
	return &keep.Keeper{
		Tokens: w.renewer(), Files: w.store, Now: w.now, Alarm: keep.Comparing{Now: w.now},
		Sessions: func() []session.Session { return []session.Session{dev} },
		Chance:   func() float64 { return chance },
		Tell: func(e keep.Event) {
			line := string(e.What)
			if !e.Until.IsZero() {
				line += fmt.Sprintf(" until %s", e.Until.Sub(w.start.Truncate(time.Second)))
			}
			if e.Err != nil {
				line += fmt.Sprintf(" (%s)", fault.KindOf(e.Err))
			}
			w.note("%s", line)
		},
	}
}

// run keeps in the background until the end of the test or until stop is called.
func (w *world) run(k *keep.Keeper) (stop func()) {
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := k.Run(ctx); err != nil {
			w.t.Error(err)
		}
	}()
	stop = func() { cancel(); <-done }
	w.t.Cleanup(stop)
	return stop
}

// until sleeps until the wall clock says so much since the start.
func (w *world) until(at time.Duration) { time.Sleep(w.start.Add(at).Sub(w.now())) }

func (w *world) check(want string) {
	w.t.Helper()
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if diff := cmp.Diff(strings.Split(strings.TrimPrefix(want, "\n"), "\n"), slices.Clone(w.log)); diff != "" {
		w.t.Errorf("(-want +got):\n%s\nall:\n%s", diff, strings.Join(w.log, "\n"))
	}
}

// A day: access tokens of one hour, a portal session of eight, a suspend of 100 minutes, half an hour without
// network. Every call to the service is here, and every time the process wakes.
func TestDay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.liveDay(true)
		w.check(`
 0:00:01 signed in
 0:00:01 keeping until 1h0m1s
 0:42:01 call /token
 0:42:01 renewed until 1h42m1s
 1:24:01 call /token
 1:24:01 renewed until 2h24m1s
 3:40:00 suspended for 1h40m0s
 3:40:00 call /token
 3:40:00 renewed until 4h40m0s
 4:22:00 call /token
 4:22:00 renewed until 5h22m0s
 5:00:00 network: false
 5:04:00 failing until 5h22m0s (unavailable)
 5:30:00 network: true
 5:31:00 call /token
 5:31:00 renewed until 6h31m0s
 6:13:00 call /token
 6:13:00 renewed until 7h13m0s
 6:55:00 call /token
 6:55:00 renewed until 7h55m0s
 7:37:00 call /token
 7:37:00 renewed until 8h0m0s
 7:48:30 call /token
 7:48:30 last until 8h0m0s
 8:00:05 call /token
 8:00:08 ended (sign_in_needed)`)
		// It slept once at the start, once after each of the 10 calls above, and once after each of the 13 without a
		// network.
		if w.waits != 24 {
			t.Errorf("slept %d times in a day", w.waits)
		}
	})
}

// The same day where the system does not tell of a clock that was set: what is overdue is found within a minute.
func TestDayComparing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.liveDay(false)
		w.check(`
 0:00:01 signed in
 0:00:01 keeping until 1h0m1s
 0:42:01 call /token
 0:42:01 renewed until 1h42m1s
 1:24:01 call /token
 1:24:01 renewed until 2h24m1s
 3:40:00 suspended for 1h40m0s
 3:40:01 call /token
 3:40:01 renewed until 4h40m1s
 4:22:01 call /token
 4:22:01 renewed until 5h22m1s
 5:00:00 network: false
 5:04:01 failing until 5h22m1s (unavailable)
 5:30:00 network: true
 5:31:01 call /token
 5:31:01 renewed until 6h31m1s
 6:13:01 call /token
 6:13:01 renewed until 7h13m1s
 6:55:01 call /token
 6:55:01 renewed until 7h55m1s
 7:37:01 call /token
 7:37:01 renewed until 8h0m0s
 7:48:30 call /token
 7:48:30 last until 8h0m0s
 8:00:05 call /token
 8:00:08 ended (sign_in_needed)`)
	})
}

func (w *world) liveDay(told bool) {
	w.t.Helper()
	w.signIn()
	k := w.keeper(0.5) // 18 minutes before the end
	if told {
		k.Alarm = alarm{w}
	}
	stop := w.run(k)
	w.until(2 * time.Hour)
	w.suspend(100 * time.Minute)
	w.until(5 * time.Hour)
	w.network(false)
	w.until(5*time.Hour + 30*time.Minute)
	w.network(true)
	w.until(24 * time.Hour)
	stop()
	if w.tried == 0 || w.tried > 60 {
		w.t.Errorf("%d connections were tried in the half hour without network", w.tried)
	}
}

// The clock is set under a keep that sleeps: the plan is made anew at once, and the process wakes for nothing else.
func TestClockSet(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.signIn()
		k := w.keeper(0.5)
		k.Alarm = alarm{w}
		stop := w.run(k)
		w.until(10 * time.Minute)
		w.jump(40 * time.Minute)
		w.note("clock set forward")
		synctest.Wait()
		w.until(70 * time.Minute)
		w.jump(-30 * time.Minute)
		w.note("clock set back")
		w.until(3 * time.Hour)
		stop()
		w.check(`
 0:00:01 signed in
 0:00:01 keeping until 1h0m1s
 0:50:00 clock set forward
 0:50:00 call /token
 0:50:00 renewed until 1h50m0s
 0:40:00 clock set back
 1:32:00 call /token
 1:32:00 renewed until 2h32m0s
 2:14:00 call /token
 2:14:00 renewed until 3h14m0s
 2:56:00 call /token
 2:56:00 renewed until 3h56m0s`)
		if w.waits != 6 { // at the start, after each of the 4 calls, and after the clock was set back
			t.Errorf("slept %d times", w.waits)
		}
	})
}

// Two machines share the folder: the one whose chance comes first renews, and no token is renewed twice.
func TestTwoMachines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.signIn()
		first, second := w.keeper(0.9), w.keeper(0)
		second.Tell = func(e keep.Event) { w.note("second: %s", e.What) }
		stop := w.run(first)
		synctest.Wait()
		stopSecond := w.run(second)
		w.until(100 * time.Minute)
		stop()
		stopSecond()
		w.check(`
 0:00:01 signed in
 0:00:01 keeping until 1h0m1s
 0:00:01 second: keeping
 0:40:25 call /token
 0:40:25 renewed until 1h40m25s
 0:41:01 second: replaced
 1:20:49 call /token
 1:20:49 renewed until 2h20m49s
 1:21:01 second: replaced`)
	})
}

// Both are due in the same moment: one call, whoever makes it.
func TestTwoMachinesAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.signIn()
		var mu sync.Mutex
		heard := map[keep.What]int{}
		for range 2 {
			k := w.keeper(0.5)
			k.Tell = func(e keep.Event) {
				mu.Lock()
				defer mu.Unlock()
				heard[e.What]++
			}
			w.run(k)
		}
		w.until(80 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		if diff := cmp.Diff(map[keep.What]int{keep.Keeping: 2, keep.Renewed: 1, keep.Replaced: 1}, heard); diff != "" {
			t.Error(diff)
		}
		w.check(`
 0:00:01 signed in
 0:42:01 call /token`)
	})
}

// keep leaves a session alone before a sign-in and after a sign-out, and finds a sign-in by any program within a
// minute. It reports the end once, and once more after another sign-in.
func TestComingAndGoing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		stop := w.run(w.keeper(0.5))
		w.until(time.Hour)
		w.signIn() // forgets the lines before
		w.until(62*time.Minute + 30*time.Second)
		if err := w.store.RemoveToken(t.Context(), dev.CacheKey()); err != nil {
			t.Fatal(err)
		}
		w.until(3 * time.Hour)
		w.note("signing in")
		notes := len(w.log)
		log := slices.Clone(w.log)
		w.signIn()
		w.log = append(log[:notes:notes], w.log...)
		w.until(3*time.Hour + 30*time.Minute)
		w.emu.EndSession("")
		w.until(10 * time.Hour)
		stop()
		w.check(`
 1:00:01 signed in
 1:01:00 keeping until 2h0m1s
 1:03:00 signed_out (bug)
 3:00:00 signing in
 3:00:01 signed in
 3:01:00 keeping until 4h0m1s
 3:42:01 call /token
 3:42:04 ended (sign_in_needed)`)
	})
}
