package idc

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/session"
)

// The operations, by AWS's names.
const (
	opRegister    = "RegisterClient"
	opStartDevice = "StartDeviceAuthorization"
	opCreateToken = "CreateToken"
	opAccounts    = "ListAccounts"
	opRoles       = "ListAccountRoles"
	opCredentials = "GetRoleCredentials"
	opLogout      = "Logout"
)

const (
	grantCode    = "authorization_code"
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
	grantRefresh = "refresh_token"
)

// RedirectURI is what a client for the authorization code is registered with: no port, since the service accepts any
// port of a redirect to 127.0.0.1 (RFC 8252 7.3), and the one path it is known to accept.
const RedirectURI = "http://127.0.0.1/oauth/callback"

// RegisterRequest describes the client to register.
type RegisterRequest struct {
	ClientName string   // shown on the consent page
	Scopes     []string // none: the access token lasts as long as the session, and cannot be renewed
	PKCE       bool     // for the authorization code; false is a client for device codes
	IssuerURL  string   // the start URL; sent with PKCE only, as the AWS CLI does
}

// registerInput is the body of RegisterClient.
type registerInput struct {
	ClientName   string   `json:"clientName"`
	ClientType   string   `json:"clientType"`
	GrantTypes   []string `json:"grantTypes,omitempty"`
	IssuerURL    string   `json:"issuerUrl,omitempty"`
	RedirectURIs []string `json:"redirectUris,omitempty"`
	Scopes       []string `json:"scopes,omitempty"`
}

// Register registers a public client (RegisterClient). It is repeated when the network fails: a second registration
// does no harm.
func (c *Client) Register(ctx context.Context, r RegisterRequest) (session.Registration, error) {
	k := &call{op: opRegister, client: r.ClientName, scopes: r.Scopes}
	in := registerInput{ClientName: r.ClientName, ClientType: "public", Scopes: r.Scopes}
	var grants []string
	if r.PKCE {
		k.startURL = r.IssuerURL
		grants = []string{grantCode, grantRefresh}
		in.GrantTypes, in.RedirectURIs, in.IssuerURL = grants, []string{RedirectURI}, r.IssuerURL
	}
	var out struct {
		ClientID              *string `json:"clientId"`
		ClientSecret          *string `json:"clientSecret"`
		ClientSecretExpiresAt int64   `json:"clientSecretExpiresAt"`
	}
	if err := c.send(ctx, k, request{method: http.MethodPost, url: c.oidc + "/client/register", body: in},
		&out); err != nil {
		return session.Registration{}, err
	}
	if err := c.need(k, member{"clientId", out.ClientID}, member{"clientSecret", out.ClientSecret}); err != nil {
		return session.Registration{}, err
	}
	reg := session.Registration{
		ClientID: *out.ClientID, ClientSecret: session.NewSecret(*out.ClientSecret),
		Scopes: r.Scopes, GrantTypes: grants,
	}
	if out.ClientSecretExpiresAt > 0 {
		reg.ExpiresAt = time.Unix(out.ClientSecretExpiresAt, 0).UTC()
	}
	return reg, nil
}

// DeviceAuthorization is what the person needs to approve a sign-in elsewhere. The URIs and the user code are as
// received: visible text on one line, and the URIs begin with http:// or https://.
type DeviceAuthorization struct {
	DeviceCode              session.Secret
	UserCode                string
	VerificationURI         string
	VerificationURIComplete string        // with the code filled in; "" when the service sends none
	ExpiresIn               time.Duration // 10 minutes in every answer seen
	Interval                time.Duration // between polls; 5 seconds when the service names none (RFC 8628 3.2)
}

// StartDevice begins a sign-in by device code (StartDeviceAuthorization). A wrong region or start URL is told here.
func (c *Client) StartDevice(ctx context.Context, reg session.Registration,
	startURL string) (DeviceAuthorization, error) {
	secret := reg.ClientSecret.Reveal()
	k := &call{op: opStartDevice, startURL: startURL, secrets: []string{secret}}
	in := struct {
		ClientID     string `json:"clientId"`
		ClientSecret string `json:"clientSecret"`
		StartURL     string `json:"startUrl"`
	}{reg.ClientID, secret, startURL}
	var out struct {
		DeviceCode              *string `json:"deviceCode"`
		UserCode                *string `json:"userCode"`
		VerificationURI         *string `json:"verificationUri"`
		VerificationURIComplete *string `json:"verificationUriComplete"`
		ExpiresIn               int32   `json:"expiresIn"`
		Interval                int32   `json:"interval"`
	}
	if err := c.send(ctx, k, request{method: http.MethodPost, url: c.oidc + "/device_authorization", body: in},
		&out); err != nil {
		return DeviceAuthorization{}, err
	}
	if err := c.need(k, member{"deviceCode", out.DeviceCode}, member{"userCode", out.UserCode},
		member{"verificationUri", out.VerificationURI}); err != nil {
		return DeviceAuthorization{}, err
	}
	d := DeviceAuthorization{
		DeviceCode: session.NewSecret(*out.DeviceCode), UserCode: *out.UserCode, VerificationURI: *out.VerificationURI,
		ExpiresIn: time.Duration(out.ExpiresIn) * time.Second, Interval: time.Duration(out.Interval) * time.Second,
	}
	if out.VerificationURIComplete != nil {
		d.VerificationURIComplete = *out.VerificationURIComplete
	}
	for _, uri := range []string{d.VerificationURI, d.VerificationURIComplete} {
		if uri != "" && !webPage(uri) {
			return DeviceAuthorization{}, c.explain(k, c.nonsense(k, "the page for the code is not a web address"))
		}
	}
	if d.Interval <= 0 {
		d.Interval = 5 * time.Second
	}
	if d.ExpiresIn <= 0 {
		return DeviceAuthorization{}, c.explain(k, c.nonsense(k, "expiresIn is missing or not positive"))
	}
	return d, nil
}

// webPage reports whether uri can be printed and handed to a browser.
func webPage(uri string) bool {
	u, err := url.Parse(uri)
	return err == nil && plain.IsLine(uri) && (u.Scheme == "https" || u.Scheme == "http") && u.Host != ""
}

// Grant is what CreateToken gives.
type Grant struct {
	AccessToken  session.Secret
	RefreshToken session.Secret // zero when the token cannot be renewed, or when the one that was spent stays good
	ExpiresIn    time.Duration  // of AccessToken
	Date         time.Time      // the server's clock when it answered; zero when it did not say
}

// TokenByDevice polls once for the token of a device code. It is sent once: the poll that meets the approval uses the
// code up.
func (c *Client) TokenByDevice(ctx context.Context, reg session.Registration,
	deviceCode session.Secret) (Grant, error) {
	return c.token(ctx, grantDevice, reg.ClientID, reg.ClientSecret, exchange{DeviceCode: deviceCode.Reveal()})
}

// TokenByCode exchanges an authorization code, once. redirectURI is that of the authorize URL, port included.
func (c *Client) TokenByCode(ctx context.Context, reg session.Registration, code, verifier session.Secret,
	redirectURI string) (Grant, error) {
	return c.token(ctx, grantCode, reg.ClientID, reg.ClientSecret, exchange{
		Code: code.Reveal(), CodeVerifier: verifier.Reveal(), RedirectURI: redirectURI,
	})
}

// TokenByRefresh spends a refresh token, once. The client must be the one that got it, in the same region.
func (c *Client) TokenByRefresh(ctx context.Context, clientID string,
	clientSecret, refreshToken session.Secret) (Grant, error) {
	return c.token(ctx, grantRefresh, clientID, clientSecret, exchange{RefreshToken: refreshToken.Reveal()})
}

// exchange is the body of CreateToken.
type exchange struct {
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	Code         string `json:"code,omitempty"`
	CodeVerifier string `json:"codeVerifier,omitempty"`
	DeviceCode   string `json:"deviceCode,omitempty"`
	GrantType    string `json:"grantType"`
	RedirectURI  string `json:"redirectUri,omitempty"`
	RefreshToken string `json:"refreshToken,omitempty"`
}

func (c *Client) token(ctx context.Context, grant, clientID string, clientSecret session.Secret,
	in exchange) (Grant, error) {
	in.GrantType, in.ClientID, in.ClientSecret = grant, clientID, clientSecret.Reveal()
	k := &call{
		op:      opCreateToken,
		grant:   grant,
		secrets: []string{in.ClientSecret, in.DeviceCode, in.Code, in.CodeVerifier, in.RefreshToken},
	}
	var out struct {
		AccessToken  *string `json:"accessToken"`
		RefreshToken *string `json:"refreshToken"`
		ExpiresIn    int32   `json:"expiresIn"`
	}
	if err := c.send(ctx, k, request{method: http.MethodPost, url: c.oidc + "/token", body: in, attempts: 1},
		&out); err != nil {
		return Grant{}, err
	}
	if err := c.need(k, member{"accessToken", out.AccessToken}); err != nil {
		return Grant{}, err
	}
	if out.ExpiresIn <= 0 {
		return Grant{}, c.explain(k, c.nonsense(k, "expiresIn is missing or not positive"))
	}
	g := Grant{
		AccessToken: session.NewSecret(*out.AccessToken),
		ExpiresIn:   time.Duration(out.ExpiresIn) * time.Second,
		Date:        k.date,
	}
	if out.RefreshToken != nil {
		if !plain.IsLine(*out.RefreshToken) {
			return Grant{}, c.explain(k, c.nonsense(k, "refreshToken holds control characters"))
		}
		g.RefreshToken = session.NewSecret(*out.RefreshToken)
	}
	return g, nil
}

// AuthorizeRequest is what the authorize URL carries.
type AuthorizeRequest struct {
	ClientID    string
	RedirectURI string // with the listener's port
	State       string
	Challenge   string // base64url of the verifier's SHA-256, unpadded; the method is always S256
	Scopes      []string
}

// AuthorizeURL returns the page that starts a sign-in by authorization code, with the parameters of the AWS CLI in
// the AWS CLI's order: "scopes", not OAuth's "scope", and everything but RFC 3986's unreserved characters
// percent-encoded. Unlike there, the path of an endpoint override is kept, as in every other call. It returns "" when
// the endpoint is unusable, of which every call has told before.
func (c *Client) AuthorizeURL(r AuthorizeRequest) string {
	if c.err != nil {
		return ""
	}
	var b strings.Builder
	b.WriteString(c.oidc + "/authorize?response_type=code")
	for _, p := range [][2]string{
		{"client_id", r.ClientID}, {"redirect_uri", r.RedirectURI}, {"state", r.State}, {"code_challenge_method",
			"S256"},
		{"scopes", strings.Join(r.Scopes, " ")}, {"code_challenge", r.Challenge},
	} {
		b.WriteString("&" + p[0] + "=" + percent(p[1]))
	}
	return b.String()
}

// percent encodes everything but the unreserved characters of RFC 3986 2.3.
func percent(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		ch := s[i]
		switch {
		case 'a' <= ch && ch <= 'z', 'A' <= ch && ch <= 'Z', '0' <= ch && ch <= '9', strings.IndexByte("-._~", ch) >= 0:
			b.WriteByte(ch)
		default:
			b.Write([]byte{'%', hex[ch>>4], hex[ch&15]})
		}
	}
	return b.String()
}

// member is a member of an answer that must be there.
type member struct {
	name  string
	value *string
}

// need returns the error for a success without a member it must have, or with one that no file should hold.
func (c *Client) need(k *call, members ...member) error {
	for _, m := range members {
		switch {
		case m.value == nil || *m.value == "":
			return c.explain(k, c.nonsense(k, m.name+" is missing"))
		case !plain.IsLine(*m.value):
			return c.explain(k, c.nonsense(k, m.name+" holds control characters"))
		}
	}
	return nil
}
