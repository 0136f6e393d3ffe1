// Package idc speaks to IAM Identity Center: its OIDC service, which signs a person in, and its access portal, which
// lists accounts and hands out role credentials. It wraps the AWS SDK's clients and is the only package that imports
// them. Files, waiting and the order of the calls are left to others.
//
// The one rule: an error of this package is a *fault.Error fit to be shown, and CodeOf says what the service meant. A
// grant that works once (CreateToken) is never sent twice; Error.Sent tells a caller whether sending again is safe.
package idc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/smithy-go"

	"github.com/homing-cli/homing/internal/fault"
)

// Options says which Identity Center to speak to, and how.
type Options struct {
	Region     string       // sso_region; required unless both endpoints are overridden
	Endpoints  Endpoints    // the zero value is AWS's own, IPv4
	HTTPClient *http.Client // only its Transport is used; nil is one without proxies or extra certificates
	UserAgent  string       // such as "homing/1.2.3", put before the SDK's own; "" adds nothing
	Log        *slog.Logger // one debug record an attempt, without secrets; nil logs nothing
}

// Client is a connection to one region's Identity Center. It is safe for concurrent use.
type Client struct {
	region   string
	custom   bool // an endpoint is overridden
	oidcBase string
	address  string
	oidc     *ssooidc.Client
	portal   *sso.Client
	err      error // why no call can be made, nil when all is well
}

// New returns a client. It makes no call and fails for nothing: an unusable region or endpoint is the error of every call.
func New(o Options) *Client {
	c := &Client{region: o.Region, custom: o.Endpoints.OIDC != "" || o.Endpoints.Portal != ""}
	oidc, portal, err := o.Endpoints.URLs(o.Region)
	if err != nil {
		c.err = err
		return c
	}
	c.oidcBase, c.address = oidc, oidc+" "+portal
	t := newTransmitter(o)
	c.oidc = ssooidc.New(ssooidc.Options{
		Region: o.Region, BaseEndpoint: &oidc, HTTPClient: t, Retryer: retryer{}, DisableClockSkewCorrection: true,
	})
	c.portal = sso.New(sso.Options{
		Region: o.Region, BaseEndpoint: &portal, HTTPClient: t, Retryer: retryer{}, DisableClockSkewCorrection: true,
	})
	return c
}

// Region returns the region the client was made for.
func (c *Client) Region() string { return c.region }

// Address returns the addresses of the two services, to tell whether a refusal came from where one asks now; "" when
// there are none to ask. It may hold what an endpoint override holds, so it is to be compared and not to be shown.
func (c *Client) Address() string { return c.address }

// call is what the transmitter and the error texts need to know about a call in progress. It travels in the context.
type call struct {
	op       string   // AWS's name of the operation
	grant    string   // of CreateToken
	secrets  []string // values of the request that no error may repeat
	startURL string
	client   string
	scopes   []string
	account  string
	role     string

	// Of the last answer, as the transmitter notes them.
	host        string
	requestID   string
	contentType string
	date        time.Time // the server's clock
}

type callKey struct{}

func callOf(ctx context.Context) *call {
	if k, ok := ctx.Value(callKey{}).(*call); ok {
		return k
	}
	return &call{}
}

// begin attaches k to the context of a call, or returns why no call can be made.
func (c *Client) begin(ctx context.Context, k *call) (context.Context, error) {
	return context.WithValue(ctx, callKey{}, k), c.err
}

// fail turns what an SDK client returned into the error of the call.
func (c *Client) fail(ctx context.Context, k *call, err error) error {
	if ctx.Err() != nil {
		return canceled(ctx, k)
	}
	var e *Error
	if errors.As(err, &e) {
		return c.explain(k, e)
	}
	var bad *smithy.DeserializationError
	if errors.As(err, &bad) {
		// The SDK quotes the answer in its error, and an answer holds tokens: nothing of it is kept.
		return c.explain(k, c.nonsense(k, "a member of the answer has the wrong type"))
	}
	return &fault.Error{Kind: fault.Bug, Msg: "cannot make the request " + k.op, Err: err}
}

// nonsense is the error for a 200 whose JSON is not what the operation returns.
func (c *Client) nonsense(k *call, what string) *Error {
	return &Error{
		Op: k.op, Host: k.host, Code: CodeNonsense, Status: http.StatusOK, Sent: true, Description: what,
		RequestID: k.requestID, contentType: k.contentType,
	}
}

// canceled is the error of a call whose context ended first: Interrupted when it was cancelled, TimedOut when its time
// had passed, or the *fault.Error that was given as the cause of the cancellation.
func canceled(ctx context.Context, k *call) error {
	cause := context.Cause(ctx)
	var f *fault.Error
	if errors.As(cause, &f) {
		return cause
	}
	e := &Error{Op: k.op, Code: CodeCanceled, Sent: true, Err: cause}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &fault.Error{Kind: fault.TimedOut, Msg: "the time allowed for " + k.op + " has passed", Hint: "check the network, then try again", Err: e}
	}
	return &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: e}
}

// maxAttempts bounds how often a repeatable call is made: once more than the SDKs do, since a list of many accounts is
// lost with one refused page.
const maxAttempts = 4

// retryer is the SDK's view of what transmitter has already decided. The SDK's standard one would also repeat refused
// connections and certificate errors, and keeps a quota that a long list of accounts exhausts.
type retryer struct{}

func (retryer) IsErrorRetryable(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.again
}

func (retryer) MaxAttempts() int { return maxAttempts }

func (retryer) RetryDelay(attempt int, err error) (time.Duration, error) {
	first := stumbled
	var e *Error
	if errors.As(err, &e) {
		if e.retryAfter > 0 {
			return e.retryAfter, nil
		}
		if e.Code == CodeThrottled {
			first = throttled
		}
	}
	return backoff(first, attempt), nil
}

func (retryer) GetRetryToken(context.Context, error) (func(error) error, error) { return keep, nil }
func (retryer) GetInitialToken() func(error) error                              { return keep }
func (retryer) GetAttemptToken(context.Context) (func(error) error, error)      { return keep, nil }

func keep(error) error { return nil }

// once and portalOnce make a call a single attempt.
func once(o *ssooidc.Options)   { o.Retryer = aws.NopRetryer{} }
func portalOnce(o *sso.Options) { o.Retryer = aws.NopRetryer{} }

// list joins values for a message.
func list(values []string) string { return fmt.Sprintf("%q", strings.Join(values, " ")) }
