package idc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/retry"
	"github.com/homing-cli/homing/internal/session"
)

// request is one operation as AWS's published models have it (restJson1, unsigned): the portal's token in a header,
// other parameters in the query of a GET or in the JSON body of a POST.
type request struct {
	method, url string
	token       session.Secret // zero sends none
	query       url.Values
	body        any // nil sends none
	attempts    int // at most; 0 means maxAttempts
}

// maxAttempts bounds the attempts of a repeatable call: one more than in the SDKs, since one refused page loses a
// whole list of accounts.
const maxAttempts = 4

// send makes a call and decodes the answer into out, which may be nil. It retries while the transmitter says that
// this may help. The error is that of the last attempt, fit to be shown.
func (c *Client) send(ctx context.Context, k *call, r request, out any) error {
	if c.err != nil {
		return c.err
	}
	var body []byte
	if r.body != nil {
		var err error
		if body, err = json.Marshal(r.body); err != nil {
			return &fault.Error{Kind: fault.Bug, Msg: "cannot make the request " + k.op, Err: err}
		}
	}
	most := r.attempts
	if most == 0 {
		most = maxAttempts
	}
	answer, err := retry.Do(ctx, repeat(most), func(attempt int) ([]byte, error) {
		req, err := r.attempt(ctx, body, attempt, most)
		if err != nil {
			return nil, &fault.Error{Kind: fault.Bug, Msg: "cannot make the request " + k.op, Err: err}
		}
		answer, e := c.transmitter.do(k, req)
		if e != nil {
			return nil, e // a nil *Error would not be a nil error
		}
		return answer, nil
	})
	e, answered := errors.AsType[*Error](err)
	switch {
	case answered && ctx.Err() != nil:
		return canceled(ctx, k)
	case answered:
		return c.explain(k, e)
	case err != nil || out == nil:
		return err
	case json.Unmarshal(answer, out) != nil:
		// The decoder quotes the answer in its error, and an answer holds tokens: drop that error.
		return c.explain(k, c.nonsense(k, "a member of the answer has the wrong type"))
	}
	return nil
}

// attempt returns the request of one attempt. net/http cannot send it again, as it would without asking after an
// early break of the connection: this package decides what may be sent twice.
func (r request) attempt(ctx context.Context, body []byte, attempt, most int) (*http.Request, error) {
	address := r.url
	if len(r.query) > 0 {
		address += "?" + r.query.Encode()
	}
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, address, content)
	if err != nil {
		return nil, err
	}
	req.GetBody = nil
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if !r.token.IsZero() {
		req.Header.Set("X-Amz-Sso_bearer_token", r.token.Reveal())
	}
	req.Header.Set("Amz-Sdk-Request", fmt.Sprintf("attempt=%d; max=%d", attempt, most)) // as AWS's clients do
	return req, nil
}

// The pauses before the second attempt; each later one doubles. The AWS SDKs wait a second after 429 (2026); 1, 2 and
// 4 seconds outlast the portal's bursts without seeming hung. After other failures a long pause does not help.
const (
	throttled = time.Second
	stumbled  = 250 * time.Millisecond
)

// repeat allows most attempts, while the transmitter says that another one may help.
func repeat(most int) retry.Policy {
	return func(attempt int, err error) (time.Duration, bool) {
		first := stumbled
		if CodeOf(err) == CodeThrottled {
			first = throttled
		}
		pause := retry.After(err)
		if pause == 0 {
			pause = retry.Backoff(first, 16*first, attempt, rand.Float64())
		}
		return pause, attempt < most && retry.Transient(err)
	}
}

// userAgent names the program, then the system it runs on.
func userAgent(program string) string {
	version := strings.ReplaceAll(runtime.Version(), " ", "-")
	return strings.TrimSpace(program + " (" + runtime.GOOS + "; " + runtime.GOARCH + ") " + version)
}
