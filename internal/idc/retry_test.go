package idc

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
)

// TestWhatIsRepeated shows on a fake clock which calls are sent again, and when.
func TestWhatIsRepeated(t *testing.T) {
	t.Parallel()
	tooMany := answer{
		status: 429,
		body:   `{"message":"HTTP 429 Unknown Code","__type":"com.amazonaws.switchboard.portal#TooManyRequestsException"}`,
	}
	broken := refusalOf(500, "InternalServerException", "server_error", "")
	page := answer{status: 503, body: "<html>S3CR3T</html>", header: map[string]string{"Content-Type": "text/html"}}
	dropped := answer{err: io.ErrUnexpectedEOF}
	late := answer{status: 429, body: `{}`, header: map[string]string{"Retry-After": "7"}}
	for _, tt := range []struct {
		name string
		call func(context.Context, *Client) error
		answer
		requests int
		code     Code
	}{
		{"registration, throttled", callRegister, tooMany, 4, CodeThrottled},
		{"registration, service fault", callRegister, broken, 4, CodeServer},
		{"registration, dropped", callRegister, dropped, 4, CodeNetwork},
		{"device code, dropped", callStart, dropped, 4, CodeNetwork},
		{"accounts, throttled", callAccounts, tooMany, 4, CodeThrottled},
		{"accounts, told when", callAccounts, late, 4, CodeThrottled},
		{"roles, gateway page", callRoles, page, 4, CodeNonsense},
		{"role credentials, throttled", callCredentials, tooMany, 1, CodeThrottled},
		{"role credentials, service fault", callCredentials, broken, 1, CodeServer},
		{"poll, throttled", callDevice, tooMany, 1, CodeThrottled},
		{"poll, dropped", callDevice, dropped, 1, CodeNetwork},
		{"code, service fault", callCode, broken, 1, CodeServer},
		{"code, dropped", callCode, dropped, 1, CodeNetwork},
		{"refresh, dropped", callRefresh, dropped, 1, CodeNetwork},
		{"refresh, gateway page", callRefresh, page, 1, CodeNonsense},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, r, log := newTestClient(tt.answer)
				err := tt.call(t.Context(), c)
				wantFault(t, err, fault.Unavailable, tt.code, "")
				var e *Error
				if !errors.As(err, &e) || !e.Transient() || e.ServiceCode() != string(tt.code) {
					t.Errorf("cause = %+v, want a transient one", e)
				}
				if tt.header["Retry-After"] != "" && e.RetryAfter() != 7*time.Second {
					t.Errorf("RetryAfter = %v", e.RetryAfter())
				}
				if len(r.requests) != tt.requests {
					t.Fatalf("%d requests, want %d", len(r.requests), tt.requests)
				}
				for i := 1; i < len(r.requests); i++ {
					wait, longest := r.requests[i].at.Sub(r.requests[i-1].at), 250*time.Millisecond<<(i-1)
					if tt.code == CodeThrottled {
						longest = time.Second << (i - 1)
					}
					if tt.header["Retry-After"] != "" {
						if wait != 7*time.Second {
							t.Errorf("wait %d is %v, want 7s", i, wait)
						}
					} else if wait < longest/2 || wait > longest {
						t.Errorf("wait %d is %v, want %v to %v", i, wait, longest/2, longest)
					}
				}
				noSecret(t, log.String())
			})
		})
	}
}

func TestSecondAttemptSucceeds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, r, _ := newTestClient(answer{err: io.EOF}, answer{status: 429, body: "{}"},
			answer{body: `{"nextToken":null,"accountList":[{"accountId":"1"}]}`})
		got, err := c.Accounts(t.Context(), accessToken)
		if err != nil || len(got) != 1 || len(r.requests) != 3 {
			t.Errorf("%v, %v after %d requests", got, err, len(r.requests))
		}
	})
}

// hanging never answers.
type hanging struct{ requests int }

func (h *hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	h.requests++
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestWaitingEnds(t *testing.T) {
	t.Parallel()
	client := func(rt http.RoundTripper) *Client {
		return New(Options{Region: "us-east-1", HTTPClient: clientOf(rt)})
	}
	t.Run("no answer", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			h, start := &hanging{}, time.Now()
			err := callAccounts(t.Context(), client(h))
			wantFault(t, err, fault.Unavailable, CodeNetwork,
				`no answer from "portal.sso.us-east-1.amazonaws.com": it took longer than 1m0s`)
			var e *Error
			if !errors.As(err, &e) || !e.Sent {
				t.Error("a request without an answer may have been acted on")
			}
			if d := time.Since(start); d != attemptTimeout || h.requests != 1 {
				t.Errorf("%d requests in %v, want one in %v", h.requests, d, attemptTimeout)
			}
		})
	})
	t.Run("interrupted while waiting for the answer", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(3*time.Second, cancel)
			err := callDevice(ctx, client(&hanging{}))
			wantFault(t, err, fault.Interrupted, CodeCanceled, "interrupted")
			if !errors.Is(err, context.Canceled) {
				t.Errorf("error = %v, want context.Canceled in its chain", err)
			}
		})
	})
	t.Run("interrupted between two attempts", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			c, r, _ := newTestClient(answer{status: 503, body: "{}"})
			err := callAccounts(ctx, c)
			wantFault(t, err, fault.TimedOut, CodeCanceled, "")
			if !errors.Is(err, context.DeadlineExceeded) || len(r.requests) != 1 {
				t.Errorf("error = %v after %d requests", err, len(r.requests))
			}
		})
	})
	t.Run("the reason for stopping is kept", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			lapsed := fault.Suggest(fault.TimedOut, fault.Login{}, "the device code lapsed")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(time.Second, func() { cancel(lapsed) })
			if err := callDevice(ctx, client(&hanging{})); !errors.Is(err, lapsed) || err.Error() != lapsed.Error() {
				t.Errorf("error = %v, want %v", err, lapsed)
			}
		})
	})
}
