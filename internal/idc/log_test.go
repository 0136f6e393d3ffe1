package idc

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLog shows what --debug logs: each operation, its host and its outcome, but no query, header or body.
func TestLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, _, log := newTestClient(
			answer{status: 429, body: `{"message":"Rate exceeded","__type":"x#TooManyRequestsException"}`},
			answer{body: `{"nextToken":null,"roleList":[{"roleName":"Admin"}]}`},
		)
		if err := callRoles(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(lines) != 2 {
			t.Fatalf("%d lines:\n%s", len(lines), log)
		}
		const asked = ` level=DEBUG msg=request op=ListAccountRoles method=GET host=portal.sso.us-east-1.amazonaws.com path=/assignment/roles duration=0s `
		for i, want := range []string{
			asked + `status=429 request_id=6d2a9d2e-request code=throttled error="ListAccountRoles at portal.sso.us-east-1.amazonaws.com: 429 throttled: Rate exceeded (request id 6d2a9d2e-request)"`,
			asked + `status=200 request_id=6d2a9d2e-request`,
		} {
			if !strings.HasSuffix(lines[i], want) {
				t.Errorf("line %d:\n got %s\nwant …%s", i, lines[i], want)
			}
		}
		for _, word := range []string{"011111111111", "Admin", marker, "X-Amz"} {
			if strings.Contains(log.String(), word) {
				t.Errorf("%q is in the log:\n%s", word, log)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		c, _, log := newTestClient(answer{})
		c.transmitter = New(
			Options{Region: "us-east-1", HTTPClient: clientOf(&hanging{})},
		).transmitter // logs nothing, and must not mind
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := callDevice(ctx, c); err == nil || log.Len() != 0 {
			t.Errorf("error %v, log %q", err, log)
		}
	})
}
