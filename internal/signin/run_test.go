package signin

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"testing"
	"testing/iotest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// TestSecretsOfASignIn: RFC 7636 4.1 asks for 43 to 128 unreserved characters, RFC 9562 5.4 gives the form of the
// state.
func TestSecretsOfASignIn(t *testing.T) {
	t.Parallel()
	verifiers, states := map[string]bool{}, map[string]bool{}
	for range 200 {
		in := newRunner(&Login{}, Connection{}).begin(session.PKCE)
		if in.err != nil {
			t.Fatal(in.err)
		}
		if v := in.verifier.Reveal(); !regexp.MustCompile(`^[A-Za-z0-9_-]{64}$`).MatchString(v) || verifiers[v] {
			t.Errorf("verifier %q", v)
		}
		if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).
			MatchString(in.state) ||
			states[in.state] {
			t.Errorf("state %q", in.state)
		}
		verifiers[in.verifier.Reveal()], states[in.state] = true, true
	}
	same := func() begun {
		in := newRunner(&Login{Rand: bytes.NewReader(make([]byte, 64))}, Connection{}).begin(session.PKCE)
		if in.err != nil {
			t.Fatal(in.err)
		}
		return in
	}
	if a, b := same(), same(); a.state != b.state || !a.verifier.Equal(b.verifier) {
		t.Error("the source of chance is not the one that was given")
	}
	if in := newRunner(&Login{Rand: iotest.ErrReader(errors.New("none"))}, Connection{}).begin(session.PKCE); in.err == nil {
		t.Error("signs in without chance")
	}
}

func TestEnded(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, cancel := context.WithTimeout(t.Context(), -time.Second)
	defer cancel()
	own, cancelCause := context.WithCancelCause(t.Context())
	cancelCause(fault.New(fault.Denied, "hint", "by policy"))
	for want, ctx := range map[fault.Kind]context.Context{fault.Interrupted: canceled, fault.TimedOut: late,
		fault.Denied: own} {
		if got := fault.KindOf(ended(ctx)); got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}
