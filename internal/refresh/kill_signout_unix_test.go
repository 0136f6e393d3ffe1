//go:build unix

package refresh_test

import (
	"context"
	"encoding/json"
	"testing"
)

// A sign-out that is killed right before the service has heard of it, or right after, before it is answered, leaves
// nothing that looks good: what is said next is that nobody is signed in.
func TestSignOutKilledAtTheService(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		expired bool // the token: it is renewed on the way
		leaving bool // killed at the sign-out, not at that renewal
		heard   bool // the service has processed what it was asked
	}{
		{"before the service has heard", false, true, false},
		{"after the service has ended it", false, true, true},
		{"after the renewal, before the service has heard", true, true, false},
		{"in the renewal, before the service has heard", true, false, false},
		{"in the renewal, after the token is spent", true, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.signIn()
			w.wantKeys(w.credentials(0)) // are kept for hours
			if tt.expired {
				w.mustExpire()
			}
			arrived := make(chan struct{})
			stop := func(ctx context.Context) { close(arrived); <-ctx.Done() }
			g := gate{leaving: tt.leaving, before: stop}
			if tt.heard {
				g = gate{leaving: tt.leaving, after: stop}
			}
			w.setGate(g)
			p := w.start(w.binary, "logout", "--sso-session", "dev")
			<-arrived
			_ = p.Process.Kill()
			if code := w.wait(p); code != -1 {
				t.Fatalf("it ended with %d: %s", code, p.err.String())
			}
			w.setGate(gate{})

			const none = "homing: not signed in to session \"dev\"\nhint: run: homing login --sso-session dev\n"
			p = w.credentials(0)
			if code := w.wait(p); code != 4 || p.out.Len() > 0 || p.err.String() != none {
				t.Errorf("credentials: exit %d: %s%s", code, p.out.String(), p.err.String())
			}
			p = w.start(w.binary, "status", "--check", "--sso-session", "dev")
			if code := w.wait(p); code != 4 || p.out.Len() > 0 || p.err.String() != none {
				t.Errorf("status --check: exit %d: %s%s", code, p.out.String(), p.err.String())
			}
			p = w.start(w.binary, "status", "--sso-session", "dev", "--json")
			var doc struct {
				Sessions []struct {
					State   string `json:"state"`
					NextUse string `json:"next_use"`
				} `json:"sessions"`
			}
			if code := w.wait(p); code != 0 || json.Unmarshal(p.out.Bytes(), &doc) != nil || len(doc.Sessions) != 1 ||
				doc.Sessions[0].State != "none" || doc.Sessions[0].NextUse != "sign_in" {
				t.Errorf("status: exit %d: %s%s", code, p.out.String(), p.err.String())
			}
			p = w.start(w.binary, "logout", "--sso-session", "dev")
			if code := w.wait(p); code != 0 {
				t.Errorf("another logout: exit %d: %s", code, p.err.String())
			}
			w.noLitter()
			w.signIn()
			w.usable()
		})
	}
}
