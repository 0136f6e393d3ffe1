package idc

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/plain"
)

const (
	// attemptTimeout bounds one attempt with its answer: the read timeout of botocore, and so of the AWS CLI.
	attemptTimeout = 60 * time.Second
	// maxBody bounds an answer. The largest seen are token answers and client registrations of a few kilobytes; a
	// page of 100 accounts is some 20 kB.
	maxBody = 1 << 20
	// maxRetryAfter bounds the wait that Retry-After can ask for: the longest wait between two attempts in the AWS
	// SDKs.
	maxRetryAfter = 20 * time.Second
)

// transmitter sends requests. It reads each answer whole, and turns whatever the operation cannot answer into an
// *Error.
type transmitter struct {
	client    *http.Client
	userAgent string
	log       *slog.Logger
}

func newTransmitter(o Options) *transmitter {
	hc := http.Client{}
	if o.HTTPClient != nil {
		hc = *o.HTTPClient
	}
	if hc.Transport == nil {
		hc.Transport = bareTransport()
	}
	// A redirect would carry tokens to wherever a proxy points. The service never answers with one.
	hc.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	hc.Jar, hc.Timeout = nil, 0
	return &transmitter{client: &hc, userAgent: userAgent(o.UserAgent), log: o.Log}
}

// do makes one attempt, and returns the body of a good answer.
func (t *transmitter) do(k *call, req *http.Request) ([]byte, *Error) {
	ctx, cancel := context.WithTimeout(req.Context(), attemptTimeout)
	defer cancel()
	req = req.WithContext(ctx)
	req.Header.Set("User-Agent", t.userAgent)
	start := time.Now()
	got, fail := t.exchange(k, req)
	t.record(k, req, got, fail, time.Since(start))
	return got.body, fail
}

// reply is what came back. The zero value is nothing.
type reply struct {
	status int
	header http.Header
	body   []byte // nil unless good
}

// exchange sends one request and returns a good answer with its body.
func (t *transmitter) exchange(k *call, req *http.Request) (reply, *Error) {
	resp, err := t.client.Do(req)
	if err != nil {
		return reply{}, networkError(k, req.URL.Host, err)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	_ = resp.Body.Close() // as much of the body as we want has been read
	got := reply{status: resp.StatusCode, header: resp.Header}
	if err != nil {
		e := networkError(k, req.URL.Host, err)
		e.Sent = true
		return got, e
	}
	k.host, k.date = req.URL.Host, date(resp.Header)
	k.requestID, k.contentType = requestID(resp.Header), contentType(resp.Header)
	if e := judge(k, req.URL.Host, resp, body); e != nil {
		return got, e
	}
	got.body = body
	return got, nil
}

// record logs an attempt, but nothing from a request header, a query or a body.
func (t *transmitter) record(k *call, req *http.Request, got reply, e *Error, d time.Duration) {
	if t.log == nil {
		return
	}
	attrs := []slog.Attr{
		slog.String("op", k.op), slog.String("method", req.Method), slog.String("host", req.URL.Host),
		slog.String("path", req.URL.Path), slog.Duration("duration", d),
	}
	if got.status != 0 {
		attrs = append(attrs, slog.Int("status", got.status), slog.String("request_id", requestID(got.header)))
	}
	if e != nil {
		attrs = append(attrs, slog.String("code", string(e.Code)), slog.String("error", e.Error()))
	}
	t.log.LogAttrs(req.Context(), slog.LevelDebug, "request", attrs...)
}

// judge decides whether the operation can answer like this. It returns nil for a success with a JSON object.
func judge(k *call, host string, resp *http.Response, body []byte) *Error {
	e := &Error{
		Op: k.op, Host: host, Code: CodeNonsense, Status: resp.StatusCode, Sent: true,
		RequestID:   requestID(resp.Header),
		retryAfter:  retryAfter(resp.Header),
		contentType: contentType(resp.Header),
	}
	e.again = resp.StatusCode == 502 || resp.StatusCode == 503 || resp.StatusCode == 504
	if len(body) > maxBody {
		e.Description = "the answer is longer than 1 MiB"
		return e
	}
	trimmed := bytes.TrimSpace(body)
	object := len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(trimmed)
	switch {
	case resp.StatusCode/100 == 2 && object:
		return nil
	case resp.StatusCode/100 == 2 && k.op == opLogout && len(trimmed) == 0:
		return nil // Logout answers 200 with an empty body
	case resp.StatusCode/100 == 2, resp.StatusCode/100 == 3, resp.StatusCode < 200:
		return e
	case !object && len(trimmed) > 0:
		return e // a page: of a proxy, a firewall or a load balancer
	}
	said := parseRefusal(trimmed)
	if said.Type == "" {
		said.Type = resp.Header.Get("X-Amzn-ErrorType")
	}
	e.Code = codeFor(k.op, resp.StatusCode, said)
	e.Description = scrub(k, said.description())
	e.Reason = plain.Line(said.Reason, 60)
	e.again = e.Code == CodeThrottled || resp.StatusCode >= 500
	return e
}

// refusal holds the members of an error body: the OIDC service fills the first three, the portal the last two.
type refusal struct{ Err, ErrDescription, Reason, Message, Type string }

func (r refusal) description() string {
	if r.ErrDescription != "" {
		return r.ErrDescription
	}
	return r.Message
}

// parseRefusal reads what it can: null, missing, unknown or wrongly typed members count as empty.
func parseRefusal(body []byte) refusal {
	var members map[string]json.RawMessage
	if json.Unmarshal(body, &members) != nil {
		return refusal{}
	}
	text := func(names ...string) string {
		for _, name := range names {
			var s string
			if json.Unmarshal(members[name], &s) == nil && s != "" {
				return s
			}
		}
		return ""
	}
	return refusal{
		Err: text("error"), ErrDescription: text("error_description"), Reason: text("reason"),
		Message: text("message", "Message"), Type: text("__type"),
	}
}

// scrub makes the service's words fit for a message: one line of at most 200 characters, without the call's secrets.
func scrub(k *call, s string) string {
	for _, secret := range k.secrets {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "[redacted]")
		}
	}
	return plain.Line(s, 200)
}

// requestID returns the id that AWS support asks for. The portal has used both names.
func requestID(h http.Header) string {
	for _, name := range []string{"X-Amzn-Requestid", "Requestid"} {
		if id := h.Get(name); id != "" {
			return plain.Line(id, 60)
		}
	}
	return ""
}

// contentType returns what an answer says it is, fit for a message.
func contentType(h http.Header) string { return plain.Line(h.Get("Content-Type"), 60) }

// retryAfter reads the header in seconds (RFC 9110 10.2.3). The form with a date would depend on our clock.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n <= 0 {
		return 0
	}
	return min(time.Duration(n), maxRetryAfter/time.Second) * time.Second
}

// date returns the server's clock as the Date header has it, or the zero time.
func date(h http.Header) time.Time {
	t, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}
