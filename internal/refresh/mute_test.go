package refresh

import (
	"context"
	"net/http/httptrace"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

// A service that takes the connection and never answers: while the token serves, nobody waits long for another. An
// answer after 14 s is taken all the same: it holds the only refresh token.
func TestMuteService(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		left   time.Duration
		slow   time.Duration
		access string // "" = Unavailable
		took   time.Duration
	}{
		{"the token serves", 400 * time.Second, time.Hour, "access-1", servingWait},
		{"the token serves, the answer is slow", 400 * time.Second, 14 * time.Second, "access-2", 14 * time.Second},
		{"the token is over", -time.Minute, time.Hour, "", mostWait},
		{"the token is over, the answer is slow", -time.Minute, 40 * time.Second, "access-2", 40 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRenewer(t, &service{slow: tt.slow}, dev, token(tt.left))
				start := time.Now()
				got, err := r.Token(t.Context(), dev)
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if tt.access == "" && err == nil ||
					tt.access != "" && (err != nil || got.AccessToken.Reveal() != tt.access) {
					t.Errorf("got %s, %v", got.AccessToken.Reveal(), err)
				}
			})
		})
	}
}

// A caller that waits behind another one which does not finish in time says so without blaming it: on a mute network
// both wait.
func TestBehindAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRenewer(t, &service{}, dev, token(-time.Minute))
		u, err := r.Store.LockToken(t.Context(), dev.CacheKey())
		if err != nil {
			t.Fatal(err)
		}
		defer u.Abort()
		start := time.Now()
		_, err = r.Token(t.Context(), dev)
		if took := time.Since(start); took != mostWait {
			t.Errorf("it took %v, want %v", took, mostWait)
		}
		wantFault(
			t,
			err,
			fault.Unavailable,
			`cannot renew the token of session "dev": another process has been at it for 50s and is not done (it holds `+
				strconv.Quote(strings.TrimSuffix(r.Store.TokenPath("dev"), ".json")+".lock")+`)`,
			fault.Advice(
				"check the network and the proxy settings (HTTPS_PROXY), then try again; a homing that was stopped is shown by: ps -ef | grep homing",
			),
		)
	})
}

// A renewal ahead of time holds up no caller, and accepts a late answer.
func TestSlowServiceAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRenewer(t, &service{slow: 40 * time.Second}, dev, token(10*time.Minute))
		if got, renewed, err := r.Ahead(t.Context(), dev, 20*time.Minute); err != nil || !renewed ||
			got.AccessToken.Reveal() != "access-2" {
			t.Errorf("got %s, %v, %v", got.AccessToken.Reveal(), renewed, err)
		}
		mute := newRenewer(t, &service{slow: time.Hour}, dev, token(10*time.Minute))
		start := time.Now()
		got, renewed, err := mute.Ahead(t.Context(), dev, 20*time.Minute)
		if took := time.Since(start); err == nil || renewed || got.AccessToken.Reveal() == "access-2" ||
			took != mostWait {
			t.Errorf("%v, %v after %v", renewed, err, took)
		}
	})
}

// traced is a service that reports on its connection as net/http does, and never answers.
type traced struct{ connected bool }

func (c traced) TokenByRefresh(ctx context.Context, _ string, _, _ session.Secret) (idc.Grant, error) {
	trace := httptrace.ContextClientTrace(ctx)
	trace.GetConn("oidc.us-east-1.amazonaws.com:443")
	if c.connected {
		trace.GotConn(httptrace.GotConnInfo{})
	}
	<-ctx.Done()
	return idc.Grant{}, broken(idc.CodeCanceled, fault.Interrupted)
}

// A caller that gives up before the service was reached leaves at once: nothing was spent. Later it waits for the
// answer, which may hold the only refresh token.
func TestLeavingBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	for connected, want := range map[bool]time.Duration{false: time.Second, true: time.Second + grace} {
		synctest.Test(t, func(t *testing.T) {
			r := newRenewer(t, &service{}, dev, token(-time.Minute))
			r.Connect = func(context.Context, session.Session) (Service, error) { return traced{connected}, nil }
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			start := time.Now()
			_, err := r.Token(ctx, dev)
			if took := time.Since(start); took != want || err == nil {
				t.Errorf("connected %v: it took %v, want %v (%v)", connected, took, want, err)
			}
		})
	}
}
