package idc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// The calls of the tables below.
var (
	callRegister = func(ctx context.Context, c *Client) error {
		_, err := c.Register(ctx, RegisterRequest{ClientName: "homing-o'hara", Scopes: []string{"sso:account:access"}})
		return err
	}
	callRegisterPKCE = func(ctx context.Context, c *Client) error {
		_, err := c.Register(ctx,
			RegisterRequest{ClientName: "homing", Scopes: []string{"a", "b"}, PKCE: true, IssuerURL: startURL})
		return err
	}
	callStart = func(ctx context.Context, c *Client) error {
		_, err := c.StartDevice(ctx, registration, startURL)
		return err
	}
	callDevice = func(ctx context.Context, c *Client) error {
		_, err := c.TokenByDevice(ctx, registration, deviceCode)
		return err
	}
	callCode = func(ctx context.Context, c *Client) error {
		_, err := c.TokenByCode(
			ctx,
			registration,
			session.NewSecret("code-S3CR3T"),
			session.NewSecret("verifier-S3CR3T"),
			"http://127.0.0.1:1/oauth/callback",
		)
		return err
	}
	callRefresh = func(ctx context.Context, c *Client) error {
		_, err := c.TokenByRefresh(ctx, registration.ClientID, registration.ClientSecret, refreshToken)
		return err
	}
	callAccounts = func(ctx context.Context, c *Client) error {
		_, err := c.Accounts(ctx, accessToken)
		return err
	}
	callRoles = func(ctx context.Context, c *Client) error {
		_, err := c.Roles(ctx, accessToken, "011111111111")
		return err
	}
	callCredentials = func(ctx context.Context, c *Client) error {
		_, err := c.RoleCredentials(ctx, accessToken, "011111111111", "Admin")
		return err
	}
)

// TestRefusals holds what the service was seen to answer, and what must become of it.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		call func(context.Context, *Client) error
		answer
		kind   fault.Kind
		code   Code
		msg    string
		remedy fault.Remedy
	}{
		{
			"wrong region or start URL, device code", callStart, refusalOf(400, "InvalidRequestException", "invalid_request", "Invalid request"),
			fault.Config, CodeInvalidRequest,
			`IAM Identity Center in region "us-east-1" does not know the start URL "https://d-1234567890.awsapps.com/start" (the service says "Invalid request")`,
			fault.Preface{Words: "check sso_region and sso_start_url, or", Then: fault.ConfigureSSO{}},
		},
		{
			"wrong region or start URL, authorization code", callRegisterPKCE,
			answer{status: 400, body: `{"error":"invalid_request","error_description":"Invalid start url provided","reason":null}`},
			fault.Config, CodeInvalidRequest,
			`IAM Identity Center in region "us-east-1" does not know the start URL "https://d-1234567890.awsapps.com/start" (the service says "Invalid start url provided")`,
			fault.Preface{Words: "check sso_region and sso_start_url, or", Then: fault.ConfigureSSO{}},
		},
		{
			"registration without a start URL", callRegister, refusalOf(400, "InvalidRequestException", "invalid_request", "Invalid request"),
			fault.Config, CodeInvalidRequest,
			`IAM Identity Center in region "us-east-1" refused to register a client (the service says "Invalid request")`, fault.Advice("check sso_region and sso_registration_scopes"),
		},
		{
			"client name", callRegister, answer{status: 400, header: map[string]string{"X-Amzn-ErrorType": "InvalidClientMetadataException:http://x/"}, body: `{"error":"invalid_client_metadata","error_description":null}`},
			fault.Config, CodeInvalidMetadata,
			`IAM Identity Center in region "us-east-1" does not accept the client name "homing-o'hara"`, fault.Advice("rename the [sso-session], with letters, digits and hyphens only"),
		},
		{
			"scope", callRegisterPKCE, refusalOf(400, "InvalidScopeException", "invalid_scope", ""),
			fault.Config, CodeInvalidScope,
			`IAM Identity Center in region "us-east-1" does not accept the scopes "a b"`, fault.Advice("check sso_registration_scopes; what signing in needs is: sso:account:access"),
		},
		{
			"redirect", callRegisterPKCE, answer{status: 400, header: map[string]string{"X-Amzn-ErrorType": "InvalidRedirectUriException"}, body: `{}`},
			fault.Unavailable, CodeInvalidRedirect,
			`IAM Identity Center in region "us-east-1" does not accept a sign-in that returns to this machine`, fault.Login{Flow: "device"},
		},
		{
			"registration over", callStart, refusalOf(401, "InvalidClientException", "invalid_client", "Invalid client provided"),
			fault.SignInNeeded, CodeInvalidClient,
			`the client registration in region "us-east-1" is no longer valid (the service says "Invalid client provided")`, fault.Login{},
		},
		{
			"client not allowed", callStart, refusalOf(400, "UnauthorizedClientException", "unauthorized_client", "Client is unauthorized"),
			fault.Denied, CodeUnauthorizedClient,
			`IAM Identity Center in region "us-east-1" does not allow a sign-in by device code (the service says "Client is unauthorized")`, fault.Login{Flow: "pkce"},
		},
		{
			"client not allowed to register", callRegister, refusalOf(400, "AccessDeniedException", "access_denied", "no"),
			fault.Denied, CodeAccessDenied,
			`IAM Identity Center in region "us-east-1" does not allow this sign-in (the service says "no")`, fault.Advice("ask the administrator of IAM Identity Center"),
		},
		{
			"encryption key", callStart, answer{status: 400, body: `{"error":"invalid_request","error_description":"","reason":"KMS_DisabledException"}`},
			fault.Unavailable, CodeInvalidRequest,
			`IAM Identity Center in region "us-east-1" cannot use the encryption key of this instance (KMS_DisabledException)`, fault.Advice("ask the administrator of IAM Identity Center to look at its KMS key"),
		},
		{
			"pending", callDevice, refusalOf(400, "AuthorizationPendingException", "authorization_pending", "Authorization is still pending"),
			fault.SignInNeeded, CodeAuthorizationPending, `nobody has approved the sign-in yet`, fault.Login{},
		},
		{
			"slow down", callDevice, refusalOf(400, "SlowDownException", "slow_down", ""),
			fault.Unavailable, CodeSlowDown, `IAM Identity Center at "oidc.us-east-1.amazonaws.com" asks to be called less often (status 400)`, fault.Advice("wait a minute, then try again"),
		},
		{
			"device code lapsed, as the service says it", callDevice, refusalOf(400, "InvalidGrantException", "invalid_grant", "Invalid device code provided"),
			fault.TimedOut, CodeInvalidGrant, `the device code is no longer valid (the service says "Invalid device code provided")`, fault.Login{},
		},
		{
			"device code lapsed, as the RFC says it", callDevice, refusalOf(400, "ExpiredTokenException", "expired_token", "expired"),
			fault.TimedOut, CodeExpiredToken, `the device code is no longer valid (the service says "expired")`, fault.Login{},
		},
		{
			"denied", callDevice, answer{status: 400, body: `{"error":"access_denied","error_description":"no","reason":null}`},
			fault.Denied, CodeAccessDenied, `the sign-in was denied (the service says "no")`, fault.Preface{Words: "to try again,", Then: fault.Login{}},
		},
		{
			"code used twice", callCode, refusalOf(400, "InvalidGrantException", "invalid_grant", "Invalid grant provided"),
			fault.SignInNeeded, CodeInvalidGrant, `the service does not accept the authorization code (the service says "Invalid grant provided")`, fault.Login{},
		},
		{
			"grant unknown", callCode, refusalOf(400, "UnsupportedGrantTypeException", "unsupported_grant_type", ""),
			fault.Unavailable, CodeUnsupportedGrant, `IAM Identity Center in region "us-east-1" does not support this way to sign in`, fault.Login{Flow: "device"},
		},
		{
			"session over", callRefresh, refusalOf(400, "InvalidGrantException", "invalid_grant", "Invalid refresh token provided"),
			fault.SignInNeeded, CodeInvalidGrant, `the session has ended, or belongs to another region than "us-east-1" (the service says "Invalid refresh token provided")`, fault.Login{},
		},
		{
			"refresh in the wrong region", callRefresh, answer{status: 400, body: `{"error":"invalid_request","error_description":"Invalid token provided","reason":null}`},
			fault.SignInNeeded, CodeInvalidRequest, `the session has ended, or belongs to another region than "us-east-1" (the service says "Invalid token provided")`, fault.Login{},
		},
		{
			"service fault", callDevice, refusalOf(500, "InternalServerException", "server_error", "oops"),
			fault.Unavailable, CodeServer, `IAM Identity Center at "oidc.us-east-1.amazonaws.com" has an internal error (status 500) (the service says "oops")`, nil,
		},
		{
			"new kind of refusal", callDevice, refusalOf(418, "TeapotException", "teapot", "short and stout"),
			fault.Unavailable, CodeOther, `IAM Identity Center at "oidc.us-east-1.amazonaws.com" refused CreateToken (status 418) (the service says "short and stout")`, nil,
		},
		{
			"portal session over", callAccounts, portalRefusal(401, "UnauthorizedException", "Session token not found or invalid"),
			fault.SignInNeeded, CodeUnauthorized, `the session has ended, or belongs to another region than "us-east-1" (the service says "Session token not found or invalid")`, fault.Login{},
		},
		{
			"role not assigned", callCredentials, portalRefusal(403, "ForbiddenException", "No access"),
			fault.Denied, CodeForbidden, `no access to role "Admin" in account "011111111111" (the service says "No access")`,
			fault.Preface{Words: "check sso_role_name and sso_account_id; if the role was assigned after signing in,", Then: fault.Login{Force: true}},
		},
		{
			"role not found, as emulators have it", callCredentials, answer{status: 404, header: map[string]string{"X-Amzn-ErrorType": "ResourceNotFoundException"}, body: `{"message":"no such role"}`},
			fault.Denied, CodeForbidden, `no access to role "Admin" in account "011111111111" (the service says "no such role")`, nil,
		},
		{
			"account not assigned", callRoles, portalRefusal(403, "ForbiddenException", "No access"),
			fault.Denied, CodeForbidden, `no access to account "011111111111" (the service says "No access")`, nil,
		},
		{
			"403 without a type", callCredentials, answer{status: 403, body: `{"message":"No access"}`},
			fault.Denied, CodeForbidden, `no access to role "Admin" in account "011111111111" (the service says "No access")`, nil,
		},
		{
			"bad account", callCredentials, portalRefusal(400, "InvalidRequestException", "bad id"),
			fault.Config, CodeInvalidRequest, `IAM Identity Center in region "us-east-1" refused account "011111111111", role "Admin" (the service says "bad id")`, fault.Advice("check sso_account_id and sso_role_name"),
		},
		{
			"wrong method, said a gateway", callAccounts, portalRefusal(405, "MethodNotAllowedException", "no"),
			fault.Unavailable, CodeOther, `IAM Identity Center at "portal.sso.us-east-1.amazonaws.com" refused ListAccounts (status 405) (the service says "no")`, nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, r, log := newTestClient(tt.answer)
			err := tt.call(t.Context(), c)
			wantFault(t, err, tt.kind, tt.code, tt.msg)
			if got := fault.RemedyOf(err); tt.remedy != nil && got != tt.remedy {
				t.Errorf("remedy:\n got %#v\nwant %#v", got, tt.remedy)
			}
			if e := new(Error); !errors.As(err, &e) || e.Status != tt.status || e.RequestID != "6d2a9d2e-request" ||
				!e.Sent ||
				e.Host != r.requests[0].host {
				t.Errorf("cause = %+v", e)
			}
			if len(r.requests) != 1 {
				t.Errorf("%d requests, want 1", len(r.requests))
			}
			if !strings.Contains(log.String(), "code="+string(tt.code)) {
				t.Errorf("the log lacks the code:\n%s", log)
			}
			noSecret(t, log.String())
		})
	}
}

func TestStrangersTextIsTamed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 300)
	for _, tt := range []struct{ name, description, want string }{
		{"escape sequences", `Invalid\u001b]0;title\u0007 \u001b[31mgrant\u001b[0m`, "Invalid grant"},
		{"line breaks", `a\r\n\u2028b`, "a b"},
		{"bidirectional overrides", `a\u202eb\u2066c`, "abc"},
		{"length", long, strings.Repeat("x", 199) + "…"},
		{"our own secret", `unknown client eyJraWQi-S3CR3T`, "unknown client [redacted]"},
		{"the token itself", `no aorAAAAA-S3CR3T:MGQC+/ here`, "no [redacted] here"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, _, log := newTestClient(refusalOf(400, "InvalidGrantException", "invalid_grant", tt.description))
			err := callRefresh(t.Context(), c)
			wantFault(t, err, fault.SignInNeeded, CodeInvalidGrant, "")
			var e *Error
			if !errors.As(err, &e) || e.Description != tt.want {
				t.Errorf("description = %q, want %q", e.Description, tt.want)
			}
			noSecret(t, log.String())
		})
	}
}

func TestNonsense(t *testing.T) {
	t.Parallel()
	page := func(status int, contentType string) answer {
		return answer{
			status: status,
			body:   "<html>S3CR3T</html>",
			header: map[string]string{"Content-Type": contentType},
		}
	}
	for _, tt := range []struct {
		name string
		answer
		want string
	}{
		{"network sign-in page", page(200, "text/html; charset=utf-8"), "status 200, content type text/html; charset=utf-8"},
		{"redirect to one", answer{status: 302, header: map[string]string{"Location": "https://login.example/S3CR3T", "Content-Type": ""}}, "status 302, no content type"},
		{"block page", page(403, "text/html"), "status 403, content type text/html"},
		{"proxy wants a password", page(407, "text/html"), "status 407, content type text/html"},
		{"JSON of somebody else", answer{status: 403, body: `{"blocked":true}`}, "status 403, content type application/json"},
		{"nothing at all", answer{status: 404, header: map[string]string{"Content-Type": ""}}, "status 404, no content type"},
		{"content type with an escape", page(200, "text/html\x1b[2J"), "status 200, content type text/html"},
		{"no end", answer{status: 200, body: `{"accessToken":"` + strings.Repeat("S3CR3T", 200_000)}, "status 200, content type application/json): the answer is longer than 1 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, call := range []func(context.Context, *Client) error{callCode, callStart} {
				c, r, log := newTestClient(tt.answer)
				err := call(t.Context(), c)
				want := tt.want
				if !strings.Contains(want, ")") {
					want += ")"
				}
				wantFault(t, err, fault.Unavailable, CodeNonsense,
					`"oidc.us-east-1.amazonaws.com" answers with something that is not from IAM Identity Center (`+want)
				if got, want := fault.RemedyOf(err), fault.Advice("a proxy or a network sign-in page may be in the way: check HTTPS_PROXY and NO_PROXY"); got != want {
					t.Errorf("remedy = %#v, want %#v", got, want)
				}
				if len(r.requests) != 1 {
					t.Errorf("%d requests, want 1: no redirect is followed, nothing is repeated", len(r.requests))
				}
				noSecret(t, log.String())
			}
		})
	}
	t.Run("with an override", func(t *testing.T) {
		t.Parallel()
		r := &recorded{answers: []answer{page(200, "text/html")}}
		c := New(
			Options{Region: "us-east-1", Endpoints: Endpoints{OIDC: "http://127.0.0.1:8080"}, HTTPClient: clientOf(r)},
		)
		err := callStart(t.Context(), c)
		wantFault(t, err, fault.Unavailable, CodeNonsense, "")
		if got := fmt.Sprint(fault.RemedyOf(err)); !strings.Contains(got, "AWS_ENDPOINT_URL") {
			t.Errorf("remedy = %s", got)
		}
	})
}

func TestNoRegion(t *testing.T) {
	t.Parallel()
	for region, msg := range map[string]string{
		"":             "the region of IAM Identity Center (sso_region) is missing",
		"us east 1":    `"us east 1" is not a region`,
		"evil.com/?\n": `"evil.com/?" is not a region`,
		"US-EAST-1":    `"US-EAST-1" is not a region`,
	} {
		r := &recorded{}
		c := New(Options{Region: region, HTTPClient: clientOf(r)})
		for _, call := range []func(context.Context, *Client) error{callRegister, callStart, callDevice, callAccounts,
			callRoles, callCredentials, func(ctx context.Context, c *Client) error {
				return c.Logout(ctx,
					accessToken)
			}} {
			wantFault(t, call(t.Context(), c), fault.Config, "", msg)
		}
		if len(r.requests) != 0 {
			t.Errorf("%d requests", len(r.requests))
		}
	}
}

func TestCodeOf(t *testing.T) {
	t.Parallel()
	if got := CodeOf(fmt.Errorf("read: %w", &fault.Error{Err: &Error{Code: CodeTLS}})); got != CodeTLS {
		t.Errorf("CodeOf = %q", got)
	}
	if got := CodeOf(errors.New("x")); got != "" {
		t.Errorf("CodeOf of another error = %q", got)
	}
	if got := CodeOf(nil); got != "" {
		t.Errorf("CodeOf(nil) = %q", got)
	}
}
