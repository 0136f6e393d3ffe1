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

// request is one operation as AWS's published models have it (restJson1, without a signature): the token of the portal
// in a header, what else there is in the query of a GET or in the JSON body of a POST.
type request struct {
	method, url string
	token       session.Secret // zero sends none
	query       url.Values
	body        any // nil sends none
	attempts    int // how often the call is made at most; 0 is maxAttempts
}

// maxAttempts bounds how often a repeatable call is made: once more than the SDKs do, since a list of many accounts is
// lost with one refused page.
const maxAttempts = 4

// send makes a call and decodes the answer into out, which may be nil. It retries while the transmitter says that this
// may help. The error is that of the last attempt, fit to be shown.
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
		// The decoder quotes the answer in its error, and an answer holds tokens: nothing of it is kept.
		return c.explain(k, c.nonsense(k, "a member of the answer has the wrong type"))
	}
	return nil
}

// attempt is the request of one attempt. It cannot be sent anew by net/http, which would do so without asking when a
// connection breaks early: what may be sent twice is decided here.
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
	req.Header.Set("Amz-Sdk-Request", fmt.Sprintf("attempt=%d; max=%d", attempt, most)) // what AWS's clients say of themselves
	return req, nil
}

// The pauses before the second attempt; each later one doubles. The AWS SDKs wait a second after 429 (2026); 1, 2 and 4
// seconds outlast the portal's bursts without seeming hung. After other failures a long pause does not help.
const (
	throttled = time.Second
	stumbled  = 250 * time.Millisecond
)

// repeat makes a call most times at the most, while the transmitter says that another attempt may help.
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

// userAgent is what a request says of its sender: the program, then the system it runs on.
func userAgent(program string) string {
	return strings.TrimSpace(program + " (" + runtime.GOOS + "; " + runtime.GOARCH + ") " + strings.ReplaceAll(runtime.Version(), " ", "-"))
}
