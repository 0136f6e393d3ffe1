package signin_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// TestInterruptedAsTheTokenIsIssued: the code is spent, so what it gave is kept, whoever pressed Ctrl-C meanwhile.
func TestInterruptedAsTheTokenIsIssued(t *testing.T) {
	t.Parallel()
	emu := &emulator.Server{}
	w := newWorld(t, emu)
	w.browse(emu.Person())
	ctx, interrupt := context.WithCancel(t.Context())
	inner := w.via
	w.via = roundTrip(func(r *http.Request) (*http.Response, error) {
		resp, err := inner.RoundTrip(r)
		if strings.HasSuffix(r.URL.Path, "/token") {
			interrupt()
			time.Sleep(50 * time.Millisecond) // the runner hears it first
		}
		return resp, err
	})
	got, err := w.run(ctx, session.PKCE)
	if err != nil {
		t.Fatal(err)
	}
	w.checkStored(got)
	w.checkClean()
}

// TestInterruptedWithoutAnAnswer: a service that does not answer is not waited for longer than it takes to be fair.
func TestInterruptedWithoutAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		emu := &emulator.Server{}
		w := newWorld(t, emu)
		inner := w.via
		ctx, interrupt := context.WithCancel(t.Context())
		var at time.Time
		w.via = roundTrip(func(r *http.Request) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/token") {
				at = time.Now()
				interrupt()
				<-r.Context().Done()
				return nil, r.Context().Err()
			}
			return inner.RoundTrip(r)
		})
		_, err := w.run(ctx, session.Device)
		if waited := time.Since(at); fault.KindOf(err) != fault.Interrupted || waited != 5*time.Second {
			t.Errorf("got %v after %v", err, waited)
		}
		w.checkClean()
	})
}
