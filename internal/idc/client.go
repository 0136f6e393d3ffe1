// Package idc speaks to IAM Identity Center: its OIDC service, which signs a person in, and its access portal, which
// lists accounts and hands out role credentials. Its seven requests are its own: the AWS SDK's clients, which the
// tests hold them against, cost every start of the program more than all the rest (docs/adr/0021-the-hot-path.md).
// Files, waiting and the order of the calls are left to others.
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

	"github.com/homing-cli/homing/internal/fault"
)

// Options says which Identity Center to speak to, and how.
type Options struct {
	Region     string       // sso_region; required unless both endpoints are overridden
	Endpoints  Endpoints    // the zero value is AWS's own, IPv4
	HTTPClient *http.Client // only its Transport is used; nil is one without proxies or extra certificates
	UserAgent  string       // such as "homing/1.2.3"; the system is added
	Log        *slog.Logger // one debug record an attempt, without secrets; nil logs nothing
}

// Client is a connection to one region's Identity Center. It is safe for concurrent use.
type Client struct {
	region       string
	custom       bool // an endpoint is overridden
	oidc, portal string
	transmitter  *transmitter
	err          error // why no call can be made, nil when all is well
}

// New returns a client. It makes no call and fails for nothing: an unusable region or endpoint is the error of every
// call.
func New(o Options) *Client {
	c := &Client{region: o.Region, custom: o.Endpoints.OIDC != "" || o.Endpoints.Portal != ""}
	oidc, portal, err := o.Endpoints.URLs(o.Region)
	if err != nil {
		c.err = err
		return c
	}
	c.oidc, c.portal, c.transmitter = oidc, portal, newTransmitter(o)
	return c
}

// Region returns the region the client was made for.
func (c *Client) Region() string { return c.region }

// Address returns the addresses of the two services, to tell whether a refusal came from where one asks now; "" when
// there are none to ask. It may hold what an endpoint override holds, so it is to be compared and not to be shown.
func (c *Client) Address() string {
	if c.err != nil {
		return ""
	}
	return c.oidc + " " + c.portal
}

// call is what the transmitter and the error texts need to know about a call in progress.
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

// nonsense is the error for a 200 whose JSON is not what the operation returns.
func (c *Client) nonsense(k *call, what string) *Error {
	return &Error{
		Op: k.op, Host: k.host, Code: CodeNonsense, Status: http.StatusOK, Sent: true, Description: what,
		RequestID: k.requestID, contentType: k.contentType,
	}
}

// canceled is the error of a call whose context ended first: Interrupted when it was cancelled, TimedOut when its
// time had passed, or the *fault.Error that was given as the cause of the cancellation.
func canceled(ctx context.Context, k *call) error {
	cause := context.Cause(ctx)
	var f *fault.Error
	if errors.As(cause, &f) {
		return cause
	}
	e := &Error{Op: k.op, Code: CodeCanceled, Sent: true, Err: cause}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return &fault.Error{
			Kind: fault.TimedOut, Msg: "the time allowed for " + k.op + " has passed",
			Remedy: fault.Advice("check the network, then try again"), Err: e,
		}
	}
	return &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: e}
}

// list joins values for a message.
func list(values []string) string { return fmt.Sprintf("%q", strings.Join(values, " ")) }
