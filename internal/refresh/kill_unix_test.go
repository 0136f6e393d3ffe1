//go:build unix

package refresh_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/ssocreds"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/rolecreds"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/testtools"
)

// kills, beside and soaking are how much is done: a little in every run of the tests, more in `make soak`.
func kills() int             { return number("SOAK_KILLS", 25) }
func soakRounds() int        { return number("SOAK_ROUNDS", 3) }
func soaking() time.Duration { return time.Duration(number("SOAK_SECONDS", 3)) * time.Second }

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// approving says yes to every sign-in until the test ends.
func (w *world) approving() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			_ = w.emu.Approve(ctx) // one that its client left, or the test's end
		}
	})
	w.Cleanup(func() { cancel(); wg.Wait() })
}

// wantWholeFiles checks every cache file, as every reader would: ours, and those that parse what ends in .json.
func (w *world) wantWholeFiles(after string) {
	w.Helper()
	for _, path := range w.cacheFiles() {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		var o map[string]any
		if err != nil || json.Unmarshal(data, &o) != nil {
			w.Fatalf("after %s: %s holds %q, %v", after, filepath.Base(path), data, err)
		}
	}
	t, err := w.store.Token(dev.CacheKey())
	switch {
	case errors.Is(err, fs.ErrNotExist): // signed out
	case err != nil || t.AccessToken.IsZero() || t.RefreshToken.IsZero() || t.StartURL == "" || t.Region == "" ||
		t.ClientID == "" || t.ClientSecret.IsZero() || t.RegistrationExpiresAt.IsZero() || t.ExpiresAt.IsZero():
		w.Fatalf("after %s: the token file lacks something: %v", after, err)
	}
}

func (w *world) cacheFiles() (paths []string) {
	for _, pattern := range []string{"sso/cache/*", "homing/*.json", "cli/cache/*.json"} {
		found, err := filepath.Glob(filepath.Join(w.store.AWSDir, pattern))
		if err != nil {
			w.Fatal(err)
		}
		paths = append(paths, found...)
	}
	return paths
}

// refuser is a service that a client of the Go SDK asks for a new token, after it has read the old one.
type refuser struct{}

var errAsked = errors.New("asked for a new token")

func (refuser) CreateToken(context.Context, *ssooidc.CreateTokenInput,
	...func(*ssooidc.Options)) (*ssooidc.CreateTokenOutput, error) {
	return nil, errAsked
}

// goSDKReads has the Go SDK load the token file, and reports whether there is one.
func (w *world) goSDKReads(after string) bool {
	w.Helper()
	read, err := w.goSDK()
	if err != nil {
		w.Fatalf("after %s: the Go SDK: %v", after, err)
	}
	return read
}

// goSDK is goSDKReads beside other processes: the file may come and go.
func (w *world) goSDK() (read bool, err error) {
	_, err = ssocreds.NewSSOTokenProvider(refuser{}, w.store.TokenPath(dev.CacheKey())).
		RetrieveBearerToken(context.Background())
	switch {
	case errors.Is(err, fs.ErrNotExist): // signed out
		return false, nil
	case errors.Is(err, errAsked): // it has expired
		return true, nil
	}
	return err == nil, err
}

// snapshot copies what is in the cache folders, as it is at this moment.
func (w *world) snapshot(to string) {
	w.Helper()
	for _, folder := range []string{"sso", "cli"} {
		if err := os.MkdirAll(filepath.Join(to, folder), 0o700); err != nil {
			w.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(w.store.AWSDir, folder, "cache", "*.json"))
		if err != nil {
			w.Fatal(err)
		}
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err == nil {
				err = os.WriteFile(filepath.Join(to, folder, filepath.Base(path)), data, 0o600)
			}
			if err != nil {
				w.Fatal(err)
			}
		}
	}
}

// botocoreReads has botocore load every file of every snapshot below dir with its own code.
func (w *world) botocoreReads(python, dir string) {
	w.Helper()
	const script = `
import os, sys
from botocore.utils import JSONFileCache, SSOTokenLoader
files = tokens = 0
for snapshot in sorted(os.listdir(sys.argv[1])):
    for folder in "sso", "cli":
        path = os.path.join(sys.argv[1], snapshot, folder)
        cache = JSONFileCache(path)
        for name in sorted(os.listdir(path)):
            assert isinstance(cache[name[:-5]], dict), (snapshot, name)
            files += 1
    if os.path.exists(os.path.join(sys.argv[1], snapshot, "sso", sys.argv[2])):
        token = SSOTokenLoader(JSONFileCache(os.path.join(sys.argv[1], snapshot, "sso")))("` + emulator.DefaultStartURL + `", "dev")
        for member in "startUrl region accessToken expiresAt clientId clientSecret registrationExpiresAt refreshToken".split():
            assert token[member], (snapshot, member)
        tokens += 1
assert tokens, "no token in any snapshot"
print(files, "files,", tokens, "of them tokens")
`
	cmd := exec.Command(python, "-c", script, dir, filepath.Base(w.store.TokenPath(dev.CacheKey())))
	cmd.Env = w.env()
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.Errorf("botocore: %v\n%s", err, out)
	}
	w.Logf("botocore read %s", out)
}

// signedIn makes sure that there is a session that can be renewed, without the program: what was killed may have
// ended it.
func (w *world) signedIn(ctx context.Context) error {
	t, err := w.store.Token(dev.CacheKey())
	if err == nil && !t.Expired(time.Now()) {
		return nil
	}
	if err == nil {
		g, err := w.client.TokenByRefresh(ctx, t.ClientID, t.ClientSecret, t.RefreshToken)
		if err == nil {
			u, err := w.store.LockToken(ctx, dev.CacheKey())
			if err != nil {
				return err
			}
			t.AccessToken, t.RefreshToken, t.ExpiresAt = g.AccessToken, g.RefreshToken, time.Now().Add(g.ExpiresIn)
			return u.Renewed(t)
		}
	}
	return w.trySignIn(ctx)
}

// A process may be killed at any moment of a renewal, a sign-in or a sign-out: every file is whole, nobody waits for
// the dead, and what it left behind goes.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.approving()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	whole := map[string]time.Duration{} // how long each takes that is not killed
	operations := []struct {
		name string
		args []string
		more int // times as often
	}{
		{"renewal", []string{"credentials", "--profile", "p0"}, 6},
		{"sign-out", []string{"logout", "--sso-session", "dev"}, 3},
		{"sign-in", []string{"login", "--sso-session", "dev", "--force", "--flow", "device", "--no-browser"}, 1},
	}
	prepare := func() {
		w.Helper()
		if err := w.signedIn(ctx); err != nil {
			w.Fatal(err)
		}
		w.mustExpire()
	}
	var turns []int
	for i, o := range operations {
		prepare()
		p := w.start(w.binary, o.args...)
		if code := w.wait(p); code != 0 {
			t.Fatalf("%s ended with %d: %s", o.name, code, p.err.String())
		}
		whole[o.name] = time.Since(p.began)
		for range o.more {
			turns = append(turns, i)
		}
	}
	dead, tokens, snapshots := 0, map[string]int{}, t.TempDir()
	for i := range kills() {
		o := operations[turns[i%len(turns)]]
		prepare()
		p := w.start(w.binary, o.args...)
		time.Sleep(rand.N(whole[o.name] * 5 / 4))
		_ = p.Process.Kill() // it may have ended
		if w.wait(p) == -1 {
			dead++
		}
		w.wantWholeFiles(o.name)
		if w.goSDKReads(o.name) {
			tokens[o.name]++
		}
		w.snapshot(filepath.Join(snapshots, strconv.Itoa(i)))
	}
	t.Logf("%d of %d processes died; unharmed they take %v; after them the Go SDK read tokens: %v", dead, kills(),
		whole, tokens)
	for _, o := range operations {
		if tokens[o.name] == 0 && kills() > 100 {
			t.Errorf("the Go SDK never found a token after a %s", o.name)
		}
	}
	if dead < kills()/4 {
		t.Errorf("only %d of %d processes were killed before they ended", dead, kills())
	}
	if err := w.signedIn(ctx); err != nil {
		t.Fatal(err)
	}
	w.usable()
	w.noLitter()
	t.Run("botocore reads it", func(t *testing.T) { w.botocoreReads(testtools.Python(t), snapshots) })
}

// Everything at once: callers in this process and in others, tokens that expire, sessions that end, programs that are
// killed. Whoever is not killed gets credentials, or is told why not; and only a session that was ended, or whose
// holder was killed, is over.
func TestSoak(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signIn()
	ctx, cancel := context.WithTimeout(context.Background(), soaking())
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	said := map[string]int{}
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		said[what]++
	}
	every := func(pause time.Duration, f func()) {
		wg.Go(func() {
			for {
				select {
				case <-ctx.Done():
					return
				case <-time.After(rand.N(2 * pause)):
				}
				f()
			}
		})
	}
	every(200*time.Millisecond, func() {
		if err := w.expire(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})
	for i := range 4 { // in this process, under the race detector
		r := &refresh.Renewer{
			Store:   w.store,
			Connect: func(context.Context, session.Session) (refresh.Service, error) { return w.client, nil },
		}
		f := rolecreds.Fetcher{
			Store:   w.store,
			Tokens:  r,
			Connect: func(context.Context, session.Session) (rolecreds.Portal, error) { return w.client, nil },
		}
		every(20*time.Millisecond, func() {
			_, err := f.Get(context.Background(),
				store.RoleKey{Session: dev, AccountID: accountID, RoleName: roleName(i % 3)}, rolecreds.DefaultMinTTL)
			switch {
			case err == nil:
				note("credentials, in here")
			case fault.KindOf(err) == fault.SignInNeeded && fault.RemedyOf(err) == (fault.Login{Session: "dev"}):
				note("sign in, in here")
			default:
				t.Errorf("in here: %v", err)
			}
		})
	}
	for i := range 2 { // in others
		every(100*time.Millisecond, func() {
			p := w.credentials(i)
			switch code := w.wait(p); {
			case code == 0:
				note("credentials")
			case code == 4 && strings.HasSuffix(p.err.String(), "\nhint: run: homing login --sso-session dev\n"):
				note("sign in")
			default:
				t.Errorf("exit %d: %s", code, p.err.String())
			}
		})
	}
	every(300*time.Millisecond, func() {
		p := w.credentials(3)
		time.Sleep(rand.N(60 * time.Millisecond))
		_ = p.Process.Kill() // it may have ended
		if w.wait(p) == -1 {
			note("killed")
		}
		w.wantWhole()
		switch read, err := w.goSDK(); {
		case err != nil:
			t.Errorf("the Go SDK: %v", err)
		case read:
			note("read by the Go SDK")
		}
	})
	every(5*time.Second, func() {
		w.emu.EndSession("")
		note("session ended")
	})
	every(200*time.Millisecond, func() { // the person
		if _, renewed, err := (&refresh.Renewer{Store: w.store, Connect: func(context.Context,
			session.Session) (refresh.Service, error) {
			return w.client, nil
		}}).Renew(context.Background(), dev); err == nil &&
			!renewed {
			return
		}
		switch err := w.trySignIn(context.Background()); {
		case err == nil:
			note("signed in")
		case idc.CodeOf(err) == idc.CodeInvalidGrant:
			note("session ended before it was signed in to")
		default:
			t.Error(err)
		}
	})
	wg.Wait()
	t.Log(said)
	for _, what := range []string{"credentials, in here", "credentials", "killed", "read by the Go SDK", "session ended", "sign in", "signed in"} {
		if said[what] == 0 && (soaking() > 20*time.Second || strings.HasPrefix(what, "credentials")) {
			t.Errorf("%s: never", what)
		}
	}
	w.emu.ClearFaults()
	w.signIn()
	w.usable()
	w.noLitter()
}

// wantWhole is wantWholeFiles for any goroutine.
func (w *world) wantWhole() {
	for _, path := range w.cacheFiles() {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil || !json.Valid(data) {
			w.Errorf("%s holds %q, %v", filepath.Base(path), data, err)
		}
	}
}
