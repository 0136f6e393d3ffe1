package idc

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// Code says what the service, or the way to it, answered. It is the same whichever endpoint said it, and however.
type Code string

// The codes. Those of OAuth have OAuth's names (RFC 6749 5.2, RFC 8628 3.5).
const (
	CodeAuthorizationPending Code = "authorization_pending" // nobody has approved the device code yet
	CodeSlowDown             Code = "slow_down"             // polled too often
	// By the RFC a lapsed device code; the service was never seen to say it.
	CodeExpiredToken Code = "expired_token"
	// A device code that lapsed or was used, a dead refresh token, a bad code.
	CodeInvalidGrant       Code = "invalid_grant"
	CodeAccessDenied       Code = "access_denied"       // a person or the instance said no
	CodeInvalidRequest     Code = "invalid_request"     // wrong region or start URL, mostly
	CodeInvalidClient      Code = "invalid_client"      // the registration is over or of another region
	CodeUnauthorizedClient Code = "unauthorized_client" // the registration may not do this
	CodeInvalidScope       Code = "invalid_scope"
	CodeInvalidMetadata    Code = "invalid_client_metadata"
	CodeInvalidRedirect    Code = "invalid_redirect_uri"
	CodeUnsupportedGrant   Code = "unsupported_grant_type"
	CodeUnauthorized       Code = "unauthorized" // portal 401: the access token is not known here, or no longer
	CodeForbidden          Code = "forbidden"    // portal 403 "No access", and 404 of an account or role
	CodeThrottled          Code = "throttled"
	CodeServer             Code = "server"   // the service has a fault of its own
	CodeNetwork            Code = "network"  // no answer; see Error.Sent
	CodeTLS                Code = "tls"      // the other end could not be trusted
	CodeNonsense           Code = "nonsense" // an answer, but not Identity Center's
	CodeCanceled           Code = "canceled" // the caller's context ended
	CodeOther              Code = "other"
)

// Error is what happened on the wire. It is the cause of the *fault.Error that every method returns. All its text is
// safe to show: one line, bounded, and free of secrets.
type Error struct {
	Op          string // AWS's name of the operation, such as "CreateToken"
	Host        string // the host asked, with its port where it has one
	Code        Code
	Status      int    // HTTP status; 0 without an answer
	Description string // what the service says, or how the network failed
	Reason      string // KMS_… where the instance's encryption key is the trouble
	RequestID   string // what AWS support asks for
	// Sent reports whether the service may have acted on the request. When it is false even a grant that works once
	// may be sent again.
	Sent bool
	Err  error // for errors.Is; its text is not used

	again       bool // repeating may help
	retryAfter  time.Duration
	contentType string
	advice      fault.Advice // better than what the code alone suggests
}

// Error returns the facts for --debug.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Host != "" {
		b.WriteString(" at " + e.Host)
	}
	b.WriteString(": ")
	if e.Status != 0 {
		fmt.Fprintf(&b, "%d ", e.Status)
	}
	b.WriteString(string(e.Code))
	if e.Description != "" {
		b.WriteString(": " + e.Description)
	}
	if e.Reason != "" {
		b.WriteString(", reason " + e.Reason)
	}
	if e.RequestID != "" {
		b.WriteString(" (request id " + e.RequestID + ")")
	}
	return b.String()
}

// Is makes errors.Is see the cause while keeping the cause's own text, which may quote a proxy, out of the chain.
func (e *Error) Is(target error) bool { return e.Err != nil && errors.Is(e.Err, target) }

// ServiceCode returns the code as text, for a caller that does not import this package.
func (e *Error) ServiceCode() string { return string(e.Code) }

// Transient reports whether the same call may well succeed later: throttled, a fault of the service or of a gateway,
// a connection that broke. It says nothing about safety; see Sent.
func (e *Error) Transient() bool { return e.again }

// RetryAfter is how long the service asked to wait, 0 when it did not say; at most 20 seconds.
func (e *Error) RetryAfter() time.Duration { return e.retryAfter }

// CodeOf returns the code of the *Error in err's chain, "" when there is none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// codes maps what either service calls its errors: OAuth's names in the body, AWS's in a header or "__type".
var codes = map[string]Code{
	"authorization_pending": CodeAuthorizationPending, "AuthorizationPendingException": CodeAuthorizationPending,
	"slow_down": CodeSlowDown, "SlowDownException": CodeSlowDown,
	"expired_token": CodeExpiredToken, "ExpiredTokenException": CodeExpiredToken,
	"invalid_grant": CodeInvalidGrant, "InvalidGrantException": CodeInvalidGrant,
	"access_denied": CodeAccessDenied, "AccessDeniedException": CodeAccessDenied,
	"invalid_request": CodeInvalidRequest, "InvalidRequestException": CodeInvalidRequest,
	"invalid_client": CodeInvalidClient, "InvalidClientException": CodeInvalidClient,
	"unauthorized_client": CodeUnauthorizedClient, "UnauthorizedClientException": CodeUnauthorizedClient,
	"invalid_scope": CodeInvalidScope, "InvalidScopeException": CodeInvalidScope,
	"invalid_client_metadata": CodeInvalidMetadata, "InvalidClientMetadataException": CodeInvalidMetadata,
	"invalid_redirect_uri": CodeInvalidRedirect, "InvalidRedirectUriException": CodeInvalidRedirect,
	"unsupported_grant_type": CodeUnsupportedGrant, "UnsupportedGrantTypeException": CodeUnsupportedGrant,
	"server_error": CodeServer, "internal_server_exception": CodeServer, "InternalServerException": CodeServer,
	"temporarily_unavailable": CodeServer, "ServiceUnavailableException": CodeServer,
	"UnauthorizedException": CodeUnauthorized, "ForbiddenException": CodeForbidden,
	"ResourceNotFoundException": CodeForbidden,
	"TooManyRequestsException":  CodeThrottled, "ThrottlingException": CodeThrottled, "Throttling": CodeThrottled,
}

// codeFor reads the code off an error answer: by OAuth's name, by AWS's, at last by the status. An answer in which
// nothing is Identity Center's is nonsense.
func codeFor(op string, status int, said refusal) Code {
	if c, ok := codes[said.Err]; ok {
		return c
	}
	// "InvalidGrantException:http://internal.amazon.com/…" in the header, "com.amazonaws.…#UnauthorizedException" in
	// the body.
	name, _, _ := strings.Cut(said.Type, ":")
	name = name[strings.LastIndexByte(name, '#')+1:]
	if c, ok := codes[name]; ok {
		return c
	}
	known := said != refusal{}
	switch {
	case status == 429:
		return CodeThrottled
	case status >= 500:
		return CodeServer
	case !known:
		return CodeNonsense
	case status == 401 && portal(op):
		return CodeUnauthorized
	case status == 401:
		return CodeInvalidClient
	case status == 403 && portal(op):
		return CodeForbidden
	case status == 403:
		return CodeAccessDenied
	}
	return CodeOther
}

// explain puts what happened into words: which thing failed, what it means, and what to type.
func (c *Client) explain(k *call, e *Error) error {
	f := &fault.Error{Err: e}
	switch e.Code {
	case CodeNetwork, CodeTLS, CodeNonsense, CodeThrottled, CodeServer, CodeSlowDown:
		c.explainWay(f, e)
	default:
		if strings.HasPrefix(e.Reason, "KMS_") {
			f.Kind = fault.Unavailable
			f.Msg = fmt.Sprintf("IAM Identity Center in region %q cannot use the encryption key of this instance (%s)",
				c.region, e.Reason)
			f.Remedy = fault.Advice("ask the administrator of IAM Identity Center to look at its KMS key")
			return f
		}
		switch {
		case k.op == opCreateToken:
			c.explainToken(f, k, e)
		case portal(k.op):
			c.explainPortal(f, k, e)
		default:
			c.explainStart(f, k, e)
		}
	}
	return f
}

// explainWay words what lies between here and the service, and its bad days.
func (c *Client) explainWay(f *fault.Error, e *Error) {
	f.Kind = fault.Unavailable
	switch e.Code {
	case CodeNetwork:
		f.Msg = fmt.Sprintf("cannot reach %q: %s", e.Host, e.Description)
		if e.Sent {
			f.Msg = fmt.Sprintf("no answer from %q: %s", e.Host, e.Description)
		}
		f.Remedy = fault.Advice("check the network, the region and the proxy settings (HTTPS_PROXY, NO_PROXY)")
	case CodeTLS:
		f.Msg = fmt.Sprintf("cannot trust %q: %s", e.Host, e.Description)
		f.Remedy = fault.Advice("if a proxy inspects TLS here, " +
			"set AWS_CA_BUNDLE (or ca_bundle in the profile) to its certificate file")
	case CodeThrottled, CodeSlowDown:
		f.Msg = fmt.Sprintf("IAM Identity Center at %q asks to be called less often (status %d)", e.Host, e.Status)
		f.Remedy = fault.Advice("wait a minute, then try again")
	case CodeServer:
		f.Msg = fmt.Sprintf("IAM Identity Center at %q has an internal error (status %d)", e.Host,
			e.Status) + e.saying()
		f.Remedy = fault.Advice("wait a minute, then try again; see also https://health.aws.amazon.com/health/status")
	case CodeNonsense:
		what := "no content type"
		if e.contentType != "" {
			what = "content type " + e.contentType
		}
		f.Msg = fmt.Sprintf("%q answers with something that is not from IAM Identity Center (status %d, %s)", e.Host,
			e.Status, what)
		if e.Description != "" {
			f.Msg += ": " + e.Description
		}
		f.Remedy = fault.Advice("a proxy or a network sign-in page may be in the way: check HTTPS_PROXY and NO_PROXY")
	}
	switch {
	case e.advice != "":
		f.Remedy = e.advice
	case c.custom && (e.Code == CodeNetwork || e.Code == CodeNonsense):
		f.Remedy = fault.Advice("an endpoint is overridden: " +
			"check AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_SSO, AWS_ENDPOINT_URL_SSO_OIDC and endpoint_url")
	}
}

// explainStart words refusals of RegisterClient and StartDeviceAuthorization.
func (c *Client) explainStart(f *fault.Error, k *call, e *Error) {
	f.Kind = fault.Config
	switch e.Code {
	case CodeInvalidRequest:
		if k.startURL == "" {
			f.Msg = fmt.Sprintf("IAM Identity Center in region %q refused to register a client", c.region) + e.saying()
			f.Remedy = fault.Advice("check sso_region and sso_registration_scopes")
			return
		}
		f.Msg = fmt.Sprintf("IAM Identity Center in region %q does not know the start URL %q", c.region,
			k.startURL) + e.saying()
		f.Remedy = fault.Preface{Words: "check sso_region and sso_start_url, or", Then: fault.ConfigureSSO{}}
	case CodeInvalidScope:
		f.Msg = fmt.Sprintf("IAM Identity Center in region %q does not accept the scopes %s", c.region,
			list(k.scopes)) + e.saying()
		f.Remedy = fault.Advice("check sso_registration_scopes; what signing in needs is: sso:account:access")
	case CodeInvalidMetadata:
		f.Msg = fmt.Sprintf("IAM Identity Center in region %q does not accept the client name %q", c.region,
			k.client) + e.saying()
		f.Remedy = fault.Advice("rename the [sso-session], with letters, digits and hyphens only")
	case CodeInvalidRedirect, CodeUnsupportedGrant:
		f.Kind = fault.Unavailable
		f.Msg = fmt.Sprintf("IAM Identity Center in region %q does not accept a sign-in that returns to this machine",
			c.region) + e.saying()
		f.Remedy = fault.Login{Flow: session.Device}
	case CodeInvalidClient, CodeInvalidGrant, CodeExpiredToken:
		f.Kind = fault.SignInNeeded
		f.Msg = fmt.Sprintf("the client registration in region %q is no longer valid", c.region) + e.saying()
		f.Remedy = fault.Login{}
	case CodeAccessDenied, CodeUnauthorizedClient:
		f.Kind = fault.Denied
		f.Msg = fmt.Sprintf("IAM Identity Center in region %q does not allow this sign-in", c.region) + e.saying()
		f.Remedy = fault.Advice("ask the administrator of IAM Identity Center")
		if k.op == opStartDevice {
			f.Msg = fmt.Sprintf("IAM Identity Center in region %q does not allow a sign-in by device code",
				c.region) + e.saying()
			f.Remedy = fault.Login{Flow: session.PKCE}
		}
	default:
		c.unexpected(f, k, e)
	}
}

// explainToken words refusals of CreateToken, by grant.
func (c *Client) explainToken(f *fault.Error, k *call, e *Error) {
	f.Kind, f.Remedy = fault.SignInNeeded, fault.Login{}
	switch e.Code {
	case CodeAuthorizationPending:
		f.Msg = "nobody has approved the sign-in yet"
	case CodeAccessDenied:
		f.Kind = fault.Denied
		f.Msg = "the sign-in was denied" + e.saying()
		f.Remedy = fault.Preface{Words: "to try again,", Then: fault.Login{}}
	case CodeUnauthorizedClient:
		f.Kind = fault.Denied
		f.Msg = fmt.Sprintf("IAM Identity Center in region %q does not allow this sign-in", c.region) + e.saying()
		f.Remedy = fault.Advice("ask the administrator of IAM Identity Center")
	case CodeInvalidClient:
		f.Msg = fmt.Sprintf("the client registration in region %q is no longer valid", c.region) + e.saying()
	case CodeInvalidGrant, CodeExpiredToken, CodeInvalidRequest:
		switch k.grant {
		case grantDevice:
			f.Kind = fault.TimedOut
			f.Msg = "the device code is no longer valid" + e.saying()
		case grantRefresh:
			f.Msg = fmt.Sprintf("the session has ended, or belongs to another region than %q", c.region) + e.saying()
		default:
			f.Msg = "the service does not accept the authorization code" + e.saying()
		}
	case CodeUnsupportedGrant:
		f.Kind = fault.Unavailable
		f.Msg = fmt.Sprintf("IAM Identity Center in region %q does not support this way to sign in",
			c.region) + e.saying()
		f.Remedy = fault.Login{Flow: session.Device}
	default:
		c.unexpected(f, k, e)
	}
}

// explainPortal words refusals of the access portal.
func (c *Client) explainPortal(f *fault.Error, k *call, e *Error) {
	switch e.Code {
	case CodeUnauthorized, CodeInvalidClient:
		f.Kind = fault.SignInNeeded
		f.Msg = fmt.Sprintf("the session has ended, or belongs to another region than %q", c.region) + e.saying()
		f.Remedy = fault.Login{}
	case CodeForbidden, CodeAccessDenied:
		f.Kind = fault.Denied
		f.Msg = "no access to the accounts of this session" + e.saying()
		f.Remedy = fault.Advice("ask the administrator of IAM Identity Center")
		switch {
		case k.role != "":
			f.Msg = fmt.Sprintf("no access to role %q in account %q", k.role, k.account) + e.saying()
			f.Remedy = fault.Preface{
				Words: "check sso_role_name and sso_account_id; if the role was assigned after signing in,",
				Then:  fault.Login{Force: true},
			}
		case k.account != "":
			f.Msg = fmt.Sprintf("no access to account %q", k.account) + e.saying()
			f.Remedy = fault.Preface{
				Words: "check sso_account_id; if the account was assigned after signing in,",
				Then:  fault.Login{Force: true},
			}
		}
	case CodeInvalidRequest:
		f.Kind = fault.Config
		f.Msg = fmt.Sprintf("IAM Identity Center in region %q refused %s", c.region, k.op) + e.saying()
		if k.account != "" {
			f.Msg = fmt.Sprintf("IAM Identity Center in region %q refused account %q, role %q", c.region, k.account,
				k.role) + e.saying()
		}
		f.Remedy = fault.Advice("check sso_account_id and sso_role_name")
	default:
		c.unexpected(f, k, e)
	}
}

// unexpected words what no row above knows.
func (c *Client) unexpected(f *fault.Error, k *call, e *Error) {
	f.Kind = fault.Unavailable
	f.Msg = fmt.Sprintf("IAM Identity Center at %q refused %s (status %d)", e.Host, k.op, e.Status) + e.saying()
	f.Remedy = fault.Advice("try again with --debug, which shows what was asked and answered")
}

// saying quotes the service, for the end of a message.
func (e *Error) saying() string {
	if e.Description == "" {
		return ""
	}
	return fmt.Sprintf(" (the service says %q)", e.Description)
}
