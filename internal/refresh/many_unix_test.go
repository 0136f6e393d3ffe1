//go:build unix

package refresh_test

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/session"
)

// slow makes the service take its time over a renewal: all callers are there before the first is answered.
const slow = 1500 * time.Millisecond

func TestSixtyFourProcesses(t *testing.T) {
	for name, of := range map[string]int{"one role": 1, "eight roles": roles} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.signIn()
			w.mustExpire()
			w.emu.ForgetRequests()
			w.emu.Fail(emulator.OpCreateToken, -1, emulator.Fault{Latency: slow})
			var all []*process
			for i := range 64 {
				all = append(all, w.credentials(i%of))
			}
			keys := map[string]bool{}
			for _, p := range all {
				keys[w.wantKeys(p)] = true
			}
			if len(keys) != of {
				t.Errorf("%d different keys for %d roles", len(keys), of)
			}
			if r, c := w.count(emulator.OpCreateToken), w.count(emulator.OpGetRoleCredentials); r != 1 || c != of {
				t.Errorf("%d CreateToken and %d GetRoleCredentials, want 1 and %d", r, c, of)
			}
			w.usable()
		})
	}
}

// usable checks that the session goes on: the token can be renewed once more.
func (w *world) usable() {
	w.Helper()
	w.emu.ClearFaults()
	w.setGate(gate{})
	w.mustExpire()
	w.wantKeys(w.credentials(0))
}

// first returns a function that lets only the first of its callers through to f, and a channel that tells of it.
func first(f func(ctx context.Context)) (through func(ctx context.Context), arrived <-chan struct{}) {
	var once sync.Once
	told := make(chan struct{})
	return func(ctx context.Context) {
		mine := false
		once.Do(func() { mine = true })
		if mine {
			close(told)
			f(ctx)
		}
	}, told
}

func (w *world) await(c <-chan struct{}, what string) {
	w.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		w.Fatal(what, " did not come")
	}
}

func dies(ctx context.Context) { <-ctx.Done() }

func TestKilledBeforeTheServiceAnswered(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.mustExpire()
	w.emu.ForgetRequests()
	before, arrived := first(dies)
	w.setGate(gate{before: before})
	victim := w.credentials(0)
	w.await(arrived, "the renewal")
	var all []*process
	for i := range 63 {
		all = append(all, w.credentials(i%2)) // some wait for the role's lock, some for the session's
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if code := w.wait(victim); code != -1 {
		t.Errorf("the victim ended with %d", code)
	}
	for _, p := range all {
		w.wantKeys(p)
	}
	if r, c := w.count(emulator.OpCreateToken), w.count(emulator.OpGetRoleCredentials); r != 1 || c != 2 {
		t.Errorf("%d CreateToken and %d GetRoleCredentials, want 1 and 2", r, c)
	}
	w.usable()
}

// The answer that was lost was the only one: the session is over, nobody can help it, and everybody says so.
func TestKilledAfterTheTokenWasSpent(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.mustExpire()
	w.emu.ForgetRequests()
	after, spent := first(dies)
	w.setGate(gate{after: after})
	was := w.token()
	victim := w.credentials(0)
	w.await(spent, "the renewal")
	var all []*process
	for i := range 63 {
		all = append(all, w.credentials(i%roles))
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	w.wait(victim)
	start := time.Now()
	for _, p := range all {
		w.wantEnd(p)
	}
	t.Logf("63 processes knew after %v", time.Since(start))
	if took := time.Since(start); took > 30*time.Second {
		t.Errorf("the last one knew after %v", took)
	}
	if r := w.count(emulator.OpCreateToken); r != 2 {
		t.Errorf("%d CreateToken, want 2: the one that was lost, and one that was refused", r)
	}
	if is := w.token(); is != was {
		t.Errorf("the token file became\n%s, was\n%s", is, was)
	}
	late := w.credentials(0)
	w.wantEnd(late)
	if took := time.Since(late.began); took > 3*time.Second {
		t.Errorf("who came later waited for %v", took)
	}
	if r := w.count(emulator.OpCreateToken); r != 2 {
		t.Errorf("who came later asked again: %d CreateToken", r)
	}
	w.signIn()
	w.wantKeys(w.credentials(0))
	w.usable()
}

func TestSixtyFourProcessesOnAnEndedSession(t *testing.T) {
	w := newWorld(t)
	w.signIn()
	w.mustExpire()
	w.emu.EndSession("")
	w.emu.ForgetRequests()
	start := time.Now()
	var all []*process
	for i := range 64 {
		all = append(all, w.credentials(i%roles))
	}
	for _, p := range all {
		w.wantEnd(p)
	}
	took := time.Since(start)
	t.Logf("64 processes knew after %v", took)
	if r, c := w.count(emulator.OpCreateToken), w.count(emulator.OpGetRoleCredentials); r != 1 || c != 0 {
		t.Errorf("%d CreateToken and %d GetRoleCredentials, want 1 and 0", r, c)
	}
	if took < 3400*time.Millisecond || took > 30*time.Second {
		t.Errorf("took %v, want one wait of 3.4 s, and what 64 processes take", took)
	}
}

// A signal between the service's answer and the rename ends the program, but not before the token is stored.
func TestSignalBetweenAnswerAndRename(t *testing.T) {
	for name, signals := range map[string][]syscall.Signal{
		"Ctrl-C":               {syscall.SIGINT},
		"termination":          {syscall.SIGTERM},
		"terminal closed":      {syscall.SIGHUP},
		"Ctrl-C twice":         {syscall.SIGINT, syscall.SIGINT},
		"closed and then some": {syscall.SIGHUP, syscall.SIGTERM, syscall.SIGINT, syscall.SIGTERM},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.signIn()
			w.mustExpire()
			was := w.token()
			sent := make(chan struct{})
			after, spent := first(func(context.Context) { <-sent })
			w.setGate(gate{after: after})
			p := w.credentials(0)
			w.await(spent, "the renewal")
			for _, s := range signals {
				if err := p.Process.Signal(s); err != nil {
					t.Error(err)
				}
				// Equal signals become one when they come together; nothing announces one.
				time.Sleep(20 * time.Millisecond)
			}
			close(sent)
			if code := w.wait(p); code == 0 && len(signals) > 1 {
				t.Errorf("it went on: %s", p.out.String())
			}
			if w.token() == was {
				t.Errorf("the token is not stored; the program ended with %v: %s", p.ProcessState, p.err.String())
			}
			w.usable()
			w.noLitter()
		})
	}
}

// An endpoint override that leads to a service that knows nothing of the session: it says no, and harms nothing.
// Without it all goes on, without a sign-in.
func TestWrongEndpoint(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		session session.Session
		profile string
		expired bool
		calls   []string // of the wrong service, by three callers
	}{
		"portal and token service, with a good token": {dev, "p0", false, []string{
			emulator.OpGetRoleCredentials, emulator.OpCreateToken, emulator.OpGetRoleCredentials,
			emulator.OpGetRoleCredentials}},
		"token service, with a token that has expired": {dev, "p0", true, []string{emulator.OpCreateToken}},
		"portal, with a legacy token": {session.Session{StartURL: dev.StartURL, Region: dev.Region}, "old", false, []string{
			emulator.OpGetRoleCredentials, emulator.OpGetRoleCredentials, emulator.OpGetRoleCredentials}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if err := w.signInTo(t.Context(), tt.session); err != nil {
				t.Fatal(err)
			}
			if tt.expired {
				w.mustExpire()
			}
			path := w.store.TokenPath(tt.session.CacheKey())
			was, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			wrong := &emulator.Server{}
			server := httptest.NewServer(wrong)
			t.Cleanup(server.Close)
			for range 3 {
				p := w.start("/usr/bin/env", "AWS_ENDPOINT_URL_SSO_OIDC="+server.URL,
					"AWS_ENDPOINT_URL_SSO="+server.URL, w.binary, "credentials", "--profile", tt.profile)
				if code := w.wait(p); code != 4 || !strings.Contains(p.err.String(), "\nhint: run: homing login") {
					t.Errorf("exit %d: %s", code, p.err.String())
				}
			}
			var calls []string
			for _, r := range wrong.Requests() {
				calls = append(calls, r.Op)
			}
			if !slices.Equal(calls, tt.calls) {
				t.Errorf("the wrong service was asked %v, want %v", calls, tt.calls)
			}
			if is, err := os.ReadFile(path); err != nil || !bytes.Equal(is, was) {
				t.Errorf("the token file became\n%s, %v", is, err)
			}
			w.wantKeys(w.start(w.binary, "credentials", "--profile", tt.profile))
		})
	}
}

// noLitter fails for temporary files of the token. What a killed process leaves of others goes after an hour.
func (w *world) noLitter() {
	w.Helper()
	left, err := filepath.Glob(w.store.TokenPath(dev.CacheKey()) + ".*")
	if err != nil || len(left) > 0 {
		w.Errorf("left behind: %v, %v", left, err)
	}
}
