package refresh

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// AfterTests tidies up what tests of the built program share.
var AfterTests = func() {}

// TestMain runs the test binary as one more process that wants a token when HOMING_TEST_DIR is set.
func TestMain(m *testing.M) {
	dir := os.Getenv("HOMING_TEST_DIR")
	if dir == "" {
		code := m.Run()
		AfterTests()
		os.Exit(code)
	}
	r := &Renewer{
		Store: &store.Store{AWSDir: dir},
		Connect: func(context.Context, session.Session) (Service, error) {
			return remote(os.Getenv("HOMING_TEST_URL")), nil
		},
	}
	tok, err := r.Token(context.Background(), dev)
	if err != nil {
		fmt.Println(err)
		os.Exit(fault.KindOf(err).ExitCode())
	}
	fmt.Println(tok.AccessToken.Reveal())
}

// remote asks the service in the parent process.
type remote string

func (u remote) TokenByRefresh(ctx context.Context, clientID string,
	clientSecret, refreshToken session.Secret) (idc.Grant, error) {
	form := url.Values{"id": {clientID}, "secret": {clientSecret.Reveal()}, "token": {refreshToken.Reveal()}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, string(u)+"?"+form.Encode(), http.NoBody)
	if err != nil {
		return idc.Grant{}, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return idc.Grant{}, broken(idc.CodeNetwork, fault.Unavailable)
	}
	defer resp.Body.Close()
	var answer struct{ Access, Refresh string }
	if json.NewDecoder(resp.Body).Decode(&answer) != nil || answer.Access == "" {
		return idc.Grant{}, broken(idc.CodeInvalidGrant, fault.SignInNeeded)
	}
	return idc.Grant{
		AccessToken: session.NewSecret(
			answer.Access,
		), RefreshToken: session.NewSecret(answer.Refresh), ExpiresIn: time.Hour,
	}, nil
}

// serve puts f behind a socket. Each request is announced on arrived, then waits for a word on answer.
func serve(t *testing.T, f *service) (address string, arrived <-chan int, answer chan<- bool) {
	t.Helper()
	in, out := make(chan int, 100), make(chan bool, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in <- 1
		select {
		case <-out:
		case <-r.Context().Done():
			return
		}
		g, err := f.TokenByRefresh(r.Context(), r.FormValue("id"), session.NewSecret(r.FormValue("secret")),
			session.NewSecret(r.FormValue("token")))
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		_ = json.NewEncoder(w).
			Encode(map[string]string{"Access": g.AccessToken.Reveal(), "Refresh": g.RefreshToken.Reveal()})
	}))
	t.Cleanup(server.Close)
	return server.URL, in, out
}

type process struct {
	*exec.Cmd
	out bytes.Buffer
}

func start(t *testing.T, r *Renewer, address string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(os.Args[0])}
	p.Env = append(os.Environ(), "HOMING_TEST_DIR="+r.Store.AWSDir, "HOMING_TEST_URL="+address)
	p.Stdout, p.Stderr = &p.out, &p.out
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() }) // ended already, unless the test failed
	return p
}

func (p *process) wants(t *testing.T, access string) {
	t.Helper()
	if err := p.Wait(); err != nil || strings.TrimSpace(p.out.String()) != access {
		t.Errorf("a process ended with %v and said %q, want %s", err, p.out.String(), access)
	}
}

func TestOneRefreshForManyProcesses(t *testing.T) {
	t.Parallel()
	f := &service{}
	r := newRenewer(t, f, dev, token(-time.Minute))
	address, arrived, answer := serve(t, f)
	var all []*process
	for range 12 {
		all = append(all, start(t, r, address))
	}
	<-arrived
	answer <- true
	for _, p := range all {
		p.wants(t, "access-2")
	}
	if len(f.calls) != 1 || stored(t, r, dev) != "access-2 refresh-2" {
		t.Errorf("%d refreshes, want 1; stored %s", len(f.calls), stored(t, r, dev))
	}
}

func TestKilledRenewerBlocksNobody(t *testing.T) {
	t.Parallel()
	f := &service{}
	r := newRenewer(t, f, dev, token(-time.Minute))
	address, arrived, answer := serve(t, f)
	victim := start(t, r, address)
	<-arrived // it holds the lock, and its refresh token is not spent yet
	var all []*process
	for range 4 {
		all = append(all, start(t, r, address))
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = victim.Wait() // killed
	<-arrived
	answer <- true
	for _, p := range all {
		p.wants(t, "access-2")
	}
	if len(f.calls) != 1 {
		t.Errorf("%d refreshes, want 1", len(f.calls))
	}
}
