package emulator_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sso"
	"github.com/aws/aws-sdk-go-v2/service/ssooidc"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/homing-cli/homing/emulator"
)

// sdk is the AWS SDK's clients on one emulator.
type sdk struct {
	emu    *emulator.Server
	base   string
	oidc   *ssooidc.Client
	portal *sso.Client
}

// newSDK serves emu on a socket.
func newSDK(t *testing.T, emu *emulator.Server) sdk {
	t.Helper()
	srv := httptest.NewServer(emu)
	t.Cleanup(srv.Close)
	return sdkAt(emu, srv.URL, srv.Client())
}

// sdkAt makes clients that do not retry.
func sdkAt(emu *emulator.Server, base string, hc *http.Client) sdk {
	return sdk{emu: emu, base: base,
		oidc: ssooidc.New(ssooidc.Options{Region: "us-east-1", BaseEndpoint: &base, HTTPClient: hc,
			Retryer: aws.NopRetryer{}}),
		portal: sso.New(sso.Options{Region: "us-east-1", BaseEndpoint: &base, HTTPClient: hc,
			Retryer: aws.NopRetryer{}}),
	}
}

const (
	deviceGrant  = "urn:ietf:params:oauth:grant-type:device_code"
	codeGrant    = "authorization_code"
	refreshGrant = "refresh_token"
)

func (c sdk) register(t testing.TB, scopes ...string) *ssooidc.RegisterClientOutput {
	t.Helper()
	out, err := c.oidc.RegisterClient(t.Context(), &ssooidc.RegisterClientInput{
		ClientName: aws.String("test"), ClientType: aws.String("public"), Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c sdk) registerPKCE(t testing.TB) *ssooidc.RegisterClientOutput {
	t.Helper()
	out, err := c.oidc.RegisterClient(t.Context(), &ssooidc.RegisterClientInput{
		ClientName: aws.String("test pkce"), ClientType: aws.String("public"), Scopes: []string{"sso:account:access"},
		GrantTypes: []string{codeGrant, refreshGrant}, RedirectUris: []string{"http://127.0.0.1/oauth/callback"},
		IssuerUrl: aws.String(emulator.DefaultStartURL)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c sdk) start(t testing.TB, reg *ssooidc.RegisterClientOutput) *ssooidc.StartDeviceAuthorizationOutput {
	t.Helper()
	out, err := c.oidc.StartDeviceAuthorization(t.Context(), &ssooidc.StartDeviceAuthorizationInput{
		ClientId: reg.ClientId, ClientSecret: reg.ClientSecret, StartUrl: aws.String(emulator.DefaultStartURL)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (c sdk) byDevice(ctx context.Context, reg *ssooidc.RegisterClientOutput, code *string) (*ssooidc.CreateTokenOutput,
	error) {
	return c.oidc.CreateToken(ctx, &ssooidc.CreateTokenInput{ClientId: reg.ClientId, ClientSecret: reg.ClientSecret,
		GrantType: aws.String(deviceGrant), DeviceCode: code})
}

func (c sdk) byRefresh(ctx context.Context, reg *ssooidc.RegisterClientOutput,
	token *string) (*ssooidc.CreateTokenOutput, error) {
	return c.oidc.CreateToken(ctx, &ssooidc.CreateTokenInput{ClientId: reg.ClientId, ClientSecret: reg.ClientSecret,
		GrantType: aws.String(refreshGrant), RefreshToken: token})
}

const (
	verifier    = "a-verifier-of-at-least-forty-three-characters-0123"
	redirectURI = "http://127.0.0.1:45678/oauth/callback"
)

func (c sdk) byCode(ctx context.Context, reg *ssooidc.RegisterClientOutput, code string) (*ssooidc.CreateTokenOutput,
	error) {
	return c.oidc.CreateToken(ctx, &ssooidc.CreateTokenInput{ClientId: reg.ClientId, ClientSecret: reg.ClientSecret,
		GrantType: aws.String(codeGrant), Code: &code, CodeVerifier: aws.String(verifier),
		RedirectUri: aws.String(redirectURI)})
}

// authorizeURL is as the AWS CLI builds it. Parameters in change replace its own; "" drops one.
func authorizeURL(base string, clientID *string, change map[string]string) string {
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{"response_type": {"code"}, "client_id": {*clientID}, "redirect_uri": {redirectURI},
		"state": {"3f6d9f2c-6a1e-4a55-9a5b-d9c4a7b3e011"}, "code_challenge_method": {"S256"},
		"scopes": {"sso:account:access"}, "code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}}
	for k, v := range change {
		if v == "" {
			q.Del(k)
		} else {
			q.Set(k, v)
		}
	}
	return base + "/authorize?" + q.Encode()
}

// code goes through /authorize as a browser that stops at the first redirect, lets the emulator's person decide and
// returns the query of the redirect to the client.
func (c sdk) code(t testing.TB, reg *ssooidc.RegisterClientOutput) url.Values {
	t.Helper()
	v := c.visit(t, http.MethodGet, authorizeURL(c.base, reg.ClientId, nil), "")
	if v.status != http.StatusFound || !strings.Contains(v.location, "/idp/sign-in?request=") {
		t.Fatalf("authorize: %d, Location %q", v.status, v.location)
	}
	_, id, _ := strings.Cut(v.location, "request=")
	back, err := c.emu.Decide(t.Context(), emulator.Decision{ID: id})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil || !strings.HasPrefix(back, redirectURI+"?") {
		t.Fatalf("redirect %q: %v", back, err)
	}
	return u.Query()
}

// visited is an answer to visit.
type visited struct {
	status   int
	location string
	header   http.Header
	body     string
}

// visit sends one request without sockets and follows nothing.
func (c sdk) visit(t testing.TB, method, rawURL, body string) visited {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, rawURL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return c.roundTrip(t, req)
}

func (c sdk) roundTrip(t testing.TB, req *http.Request) visited {
	t.Helper()
	resp, err := c.emu.Transport().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return visited{resp.StatusCode, resp.Header.Get("Location"), resp.Header, string(b)}
}

// signIn signs in by device code with a scope and returns the tokens.
func (c sdk) signIn(t testing.TB) *ssooidc.CreateTokenOutput {
	t.Helper()
	reg := c.register(t, "sso:account:access")
	dev := c.start(t, reg)
	if err := c.emu.Approve(t.Context()); err != nil {
		t.Fatal(err)
	}
	tok, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestSDKDeviceSignInToCallerIdentity(t *testing.T) {
	t.Parallel()
	c := newSDK(t, &emulator.Server{})
	reg := c.register(t, "sso:account:access")
	dev := c.start(t, reg)
	if _, err := c.byDevice(t.Context(), reg, dev.DeviceCode); errorCode(err) != "AuthorizationPendingException" {
		t.Fatalf("first poll: %v", err)
	}
	if err := c.emu.Approve(t.Context()); err != nil {
		t.Fatal(err)
	}
	tok, err := c.byDevice(t.Context(), reg, dev.DeviceCode)
	if err != nil {
		t.Fatal(err)
	}
	if tok.ExpiresIn != 3600 || aws.ToString(tok.RefreshToken) == "" || aws.ToString(tok.TokenType) != "Bearer" {
		t.Fatalf("token: expiresIn %d, refresh token %v, type %q", tok.ExpiresIn, tok.RefreshToken != nil,
			aws.ToString(tok.TokenType))
	}
	c.useToken(t, tok.AccessToken)
	next, err := c.byRefresh(t.Context(), reg, tok.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	c.useToken(t, next.AccessToken)
	c.useToken(t, tok.AccessToken) // the old one lives on
	if _, err := c.byRefresh(t.Context(), reg, tok.RefreshToken); errorCode(err) != "InvalidGrantException" {
		t.Fatalf("spent refresh token: %v", err)
	}
	if _, err := c.portal.Logout(t.Context(), &sso.LogoutInput{AccessToken: tok.AccessToken}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.byRefresh(t.Context(), reg, next.RefreshToken); errorCode(err) != "InvalidGrantException" {
		t.Fatalf("refresh after logout: %v", err)
	}
	if _, err := c.portal.ListAccounts(t.Context(),
		&sso.ListAccountsInput{AccessToken: next.AccessToken}); errorCode(err) != "UnauthorizedException" {
		t.Fatalf("accounts after logout: %v", err)
	}
	if got := c.emu.Unexpected(); len(got) > 0 {
		t.Fatalf("unexpected requests: %+v", got)
	}
}

// useToken lists accounts and roles and signs a call with the credentials of the first role.
func (c sdk) useToken(t testing.TB, token *string) {
	t.Helper()
	accounts, err := c.portal.ListAccounts(t.Context(), &sso.ListAccountsInput{AccessToken: token})
	if err != nil {
		t.Fatal(err)
	}
	account := accounts.AccountList[0]
	roles, err := c.portal.ListAccountRoles(t.Context(), &sso.ListAccountRolesInput{AccessToken: token,
		AccountId: account.AccountId})
	if err != nil {
		t.Fatal(err)
	}
	role := roles.RoleList[0].RoleName
	creds, err := c.portal.GetRoleCredentials(t.Context(), &sso.GetRoleCredentialsInput{AccessToken: token,
		AccountId: account.AccountId, RoleName: role})
	if err != nil {
		t.Fatal(err)
	}
	rc := creds.RoleCredentials
	left := time.Until(time.UnixMilli(rc.Expiration))
	if left < 59*time.Minute || left > time.Hour {
		t.Fatalf("role credentials live %v, want about an hour", left)
	}
	id, err := sts.New(sts.Options{Region: "eu-central-1", BaseEndpoint: &c.base, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(*rc.AccessKeyId, *rc.SecretAccessKey, *rc.SessionToken),
	}).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil {
		t.Fatal(err)
	}
	if *id.Account != *account.AccountId || !strings.Contains(*id.Arn, "assumed-role/AWSReservedSSO_"+*role+"_") ||
		!strings.HasSuffix(*id.UserId, ":ada") {
		t.Fatalf("identity: %q %q %q", *id.Account, *id.Arn, *id.UserId)
	}
}

func TestSDKCodeSignIn(t *testing.T) {
	t.Parallel()
	c := newSDK(t, &emulator.Server{})
	reg := c.registerPKCE(t)
	back := c.code(t, reg)
	if back.Get("state") == "" || len(back.Get("code")) != 243 {
		t.Fatalf("redirect: state %q, code of %d characters", back.Get("state"), len(back.Get("code")))
	}
	tok, err := c.byCode(t.Context(), reg, back.Get("code"))
	if err != nil {
		t.Fatal(err)
	}
	c.useToken(t, tok.AccessToken)
	if _, err := c.byCode(t.Context(), reg, back.Get("code")); errorCode(err) != "InvalidGrantException" {
		t.Fatalf("code used twice: %v", err)
	}
	if _, err := c.byRefresh(t.Context(), reg, tok.RefreshToken); err != nil {
		t.Fatal(err)
	}
}
