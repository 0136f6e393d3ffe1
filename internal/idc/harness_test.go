package idc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// marker stands in every secret of these tests, so that one search finds a leak.
const marker = "S3CR3T"

var (
	registration = session.Registration{ClientID: "client-id", ClientSecret: session.NewSecret("eyJraWQi-" + marker)}
	accessToken  = session.NewSecret("aoaAAAAA-" + marker + ":MGQC+/")
	refreshToken = session.NewSecret("aorAAAAA-" + marker + ":MGQC+/")
	deviceCode   = session.NewSecret("device-" + marker)
)

const startURL = "https://d-1234567890.awsapps.com/start"

// answer is one recorded answer. The zero value is 200 with an empty object.
type answer struct {
	status int
	header map[string]string
	body   string
	err    error // in place of an answer
}

// recorded serves answers in order, the last one for ever, and keeps the requests.
type recorded struct {
	mu       sync.Mutex
	answers  []answer
	requests []sent
}

type sent struct {
	method, host, path, query, body string
	header                          http.Header
	at                              time.Time
	request                         *http.Request
}

func (r *recorded) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := sent{
		method:  req.Method,
		host:    req.URL.Host,
		path:    req.URL.Path,
		query:   req.URL.RawQuery,
		header:  req.Header,
		at:      time.Now(),
		request: req,
	}
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		s.body = string(b)
	}
	r.requests = append(r.requests, s)
	a := answer{}
	if len(r.answers) > 0 {
		a = r.answers[min(len(r.requests), len(r.answers))-1]
	}
	if a.err != nil {
		return nil, a.err
	}
	resp := &http.Response{
		StatusCode: a.status, ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{
			"Content-Type":     {"application/json"},
			"X-Amzn-Requestid": {"6d2a9d2e-request"},
			"Date":             {"Mon, 02 Mar 2026 16:12:00 GMT"},
		},
	}
	if resp.StatusCode == 0 {
		resp.StatusCode = http.StatusOK
	}
	if a.body == "" && a.status == 0 {
		a.body = "{}"
	}
	for name, value := range a.header {
		resp.Header.Set(name, value)
	}
	resp.Body = io.NopCloser(strings.NewReader(a.body))
	return resp, nil
}

// newTestClient returns a client of us-east-1 whose service answers as given, and a log of everything it would print.
func newTestClient(answers ...answer) (*Client, *recorded, *bytes.Buffer) {
	r, log := &recorded{answers: answers}, &bytes.Buffer{}
	return New(Options{
		Region: "us-east-1", HTTPClient: &http.Client{Transport: r}, UserAgent: "homing/test",
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}), r, log
}

// wantFault checks an error's kind, code and message, and that it is one line with a remedy and without a secret.
func wantFault(t *testing.T, err error, kind fault.Kind, code Code, msg string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("error = %#v, want a *fault.Error", err)
	}
	if f.Kind != kind || CodeOf(err) != code {
		t.Errorf("kind %v, code %q; want %v, %q (%v)", f.Kind, CodeOf(err), kind, code, err)
	}
	if msg != "" && f.Msg != msg {
		t.Errorf("message:\n got %s\nwant %s", f.Msg, msg)
	}
	if f.Remedy == nil && kind != fault.Interrupted && kind != fault.Bug {
		t.Errorf("no remedy for: %v", err)
	}
	for e := err; e != nil; e = errors.Unwrap(e) {
		noSecret(t, e.Error())
		if strings.ContainsAny(e.Error(), "\n\r\x1b") {
			t.Errorf("control characters in %q", e.Error())
		}
	}
	noSecret(t, fmt.Sprint(f.Remedy))
}

func noSecret(t *testing.T, text string) {
	t.Helper()
	if strings.Contains(text, marker) {
		t.Errorf("a secret appears in:\n%s", text)
	}
}

// refusalOf is an error answer of the OIDC service.
func refusalOf(status int, name, code, description string) answer {
	return answer{
		status: status, body: `{"error":"` + code + `","error_description":"` + description + `"}`,
		header: map[string]string{
			"X-Amzn-ErrorType": name + ":http://internal.amazon.com/coral/com.amazonaws.sso.oidc/",
		},
	}
}

// portalRefusal is an error answer of the portal.
func portalRefusal(status int, name, message string) answer {
	return answer{
		status: status,
		body:   `{"message":"` + message + `","__type":"com.amazonaws.switchboard.portal#` + name + `"}`,
	}
}

func clientOf(rt http.RoundTripper) *http.Client { return &http.Client{Transport: rt} }
