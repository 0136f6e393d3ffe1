//go:build unix

package interop

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
)

// rounds is how often a client and homing renew one token at the same moment: RACE_ROUNDS, else a few.
func rounds(t *testing.T) int {
	t.Helper()
	text := os.Getenv("RACE_ROUNDS")
	if text == "" {
		return 3
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("RACE_ROUNDS is %q, want a number", text)
	}
	return n
}

// race has the client and homing renew the same expired token at the same moment, over single-use refresh tokens. In
// turn both start together, or one starts when the other's request for a new token has reached the service.
//
// The client may lose: none of them looks again at what another process wrote. homing must not: where anybody's
// renewal was granted there is a good token, and homing finds it. And it must not put an older token over the
// client's.
func race(w *world, client string) {
	n, clientLost := rounds(w.T), 0
	w.config(false)
	for round := range n {
		w.signIn(false)
		// Long enough that the other's request comes while this one is being served.
		w.emu.ClearFaults()
		w.emu.Fail(emulator.OpCreateToken+"/refresh_token", -1, emulator.Fault{Latency: 40 * time.Millisecond})
		before := w.refreshes()

		p := w.start(client)
		// its classes are loaded, and it is as quick as homing
		p.ask(map[string]string{"do": "identity", "profile": "dev"})
		w.expire(false)
		asked := make(chan answer, 1)
		asks := func() {
			defer close(asked)
			asked <- p.ask(map[string]string{"do": "identity", "profile": "dev"})
		}
		var a answer
		switch round % 3 {
		case 0:
			go asks()
			w.homingCredentials()
			a = <-asked
		case 1: // the client first
			arrived := w.nextRefresh()
			go asks()
			select {
			case <-arrived:
			case <-time.After(patience):
				w.Fatalf("%s did not renew", client)
			}
			w.homingCredentials()
			a = <-asked
		case 2: // homing first
			arrived := w.nextRefresh()
			done := make(chan struct{})
			go func() {
				defer close(done)
				w.homingCredentials()
			}()
			select {
			case <-arrived:
			case <-time.After(patience):
				w.Fatal("homing did not renew")
			}
			asks()
			a = <-asked
			<-done
		}
		_ = p.in.Close()
		if a.Error != "" {
			clientLost++
		}
		if got := w.refreshes() - before; got < 1 {
			w.Errorf("round %d: %d renewals were granted", round, got)
		}
		// Whoever won, there is a good token now, for both, and it can be renewed.
		w.dropRoleCredentials()
		w.homingCredentials()
		w.dropRoleCredentials()
		w.wantIdentity(client)
		w.expire(false)
		w.renewedBy("homing after the race", w.homingCredentials)
		if w.Failed() {
			w.Fatalf("round %d", round)
		}
	}
	w.emu.ClearFaults()
	w.note = fmt.Sprintf("homing 0, client %d of %d", clientLost, n)
	w.Log(w.note)
}

// nextRefresh returns a channel that is closed when the next request for a renewal reaches the service.
func (w *world) nextRefresh() <-chan struct{} {
	arrived := make(chan struct{})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arrived = arrived
	return arrived
}

// announce tells nextRefresh of renewals before next sees them.
func (w *world) announce(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" && !strings.HasPrefix(r.UserAgent(), "Go-http-client") { // not signIn's own
			w.mu.Lock()
			if w.arrived != nil {
				close(w.arrived)
				w.arrived = nil
			}
			w.mu.Unlock()
		}
		next.ServeHTTP(rw, r)
	})
}
