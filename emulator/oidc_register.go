package emulator

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// The grant types, as RegisterClient and CreateToken spell them.
const (
	grantDevice  = "urn:ietf:params:oauth:grant-type:device_code"
	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
)

const maxScopes = 25 // AWS IAM Identity Center user guide, quotas

// registerClient answers POST /client/register.
func (s *Server) registerClient(c *call) reply {
	var in struct {
		ClientName             string   `json:"clientName"`
		ClientType             string   `json:"clientType"`
		Scopes                 []string `json:"scopes"`
		RedirectURIs           []string `json:"redirectUris"`
		GrantTypes             []string `json:"grantTypes"`
		IssuerURL              string   `json:"issuerUrl"`
		EntitledApplicationARN string   `json:"entitledApplicationArn"`
	}
	if !decode(c.body, &in) || in.ClientName == "" || in.ClientType == "" {
		return oidcError("InvalidRequestException", "Invalid request")
	}
	c.log.Client = in.ClientName
	if in.ClientType != "public" || s.Switches.RefuseBlankNames && strings.ContainsAny(in.ClientName, " '") {
		return oidcError("InvalidClientMetadataException", "")
	}
	if in.IssuerURL != "" && (s.wrongRegion(c) || !s.isIssuer(in.IssuerURL)) {
		return s.wrongStartURL()
	}
	for _, g := range in.GrantTypes {
		if g != grantDevice && g != grantCode && g != grantRefresh {
			return oidcError("UnsupportedGrantTypeException", "Unsupported grant type provided")
		}
	}
	withCode := slices.Contains(in.GrantTypes, grantCode)
	if withCode && slices.Contains(in.GrantTypes, grantDevice) {
		if s.Switches.MixedGrantsFail {
			return oidcError("InternalServerException", "")
		}
		return oidcError("InvalidScopeException", "")
	}
	if len(in.Scopes) > maxScopes {
		return oidcError("InvalidScopeException", "Invalid scope provided")
	}
	if len(in.GrantTypes) > 0 && !s.Switches.AnyScope && slices.ContainsFunc(in.Scopes, unknownScope) {
		return oidcError("InvalidScopeException", "Invalid scope provided")
	}
	if withCode && len(in.RedirectURIs) == 0 {
		return oidcError("InvalidRedirectUriException", "Invalid redirect uri provided")
	}
	for _, u := range in.RedirectURIs {
		if !s.registrableRedirect(u) {
			return oidcError("InvalidRedirectUriException", "Invalid redirect uri provided")
		}
	}

	cl := &client{id: s.clientID(), name: in.ClientName, scopes: in.Scopes, grants: in.GrantTypes,
		redirects: in.RedirectURIs, issuer: in.IssuerURL, issued: c.now, expires: c.now.Add(s.registrationLife())}
	cl.secret = s.clientSecret(cl)
	s.st.clients[cl.id] = cl
	c.log.ClientID = cl.id
	issued := s.wireTime(cl.issued).Unix()
	return jsonReply(200, struct {
		AuthorizationEndpoint *string `json:"authorizationEndpoint"`
		ClientID              string  `json:"clientId"`
		ClientIDIssuedAt      int64   `json:"clientIdIssuedAt"`
		ClientSecret          string  `json:"clientSecret"`
		ClientSecretExpiresAt int64   `json:"clientSecretExpiresAt"`
		TokenEndpoint         *string `json:"tokenEndpoint"`
	}{nil, cl.id, issued, cl.secret, issued + int64(s.registrationLife().Seconds()), nil})
}

// knownScopes are the access scopes of the service and of the AWS applications that share it.
var knownScopes = []string{
	"sso:account:access", "codecatalyst:read_write", "codewhisperer:analysis", "codewhisperer:completions",
	"codewhisperer:conversations", "codewhisperer:taskassist", "codewhisperer:transformations", "verified_access:test",
}

func unknownScope(scope string) bool { return !slices.Contains(knownScopes, scope) }

// registrableRedirect reports whether the service registers raw: http on 127.0.0.1, any port or none, with no path or
// /oauth/callback.
func (s *Server) registrableRedirect(raw string) bool {
	u, ok := loopbackRedirect(raw)
	if !ok {
		return false
	}
	return u.Path == "/oauth/callback" || u.Path == "" && !s.Switches.OnlyOAuthCallback
}

// loopbackRedirect parses raw and reports whether it is http://127.0.0.1[:port][/path] and nothing else.
func loopbackRedirect(raw string) (*url.URL, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "http" || u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" ||
		u.Hostname() != "127.0.0.1" || strings.HasSuffix(raw, "#") {
		return nil, false
	}
	if port := u.Port(); port != "" {
		if _, err := netip.ParseAddrPort(u.Host); err != nil {
			return nil, false
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return nil, false
	}
	return u, true
}

// mayRedirect reports whether raw is one of the redirect URIs the client registered, with any port: the port of a
// loopback address is not compared (RFC 8252 section 7.3).
func (cl *client) mayRedirect(raw string) bool {
	u, ok := loopbackRedirect(raw)
	if !ok {
		return false
	}
	for _, reg := range cl.redirects {
		if r, ok := loopbackRedirect(reg); ok && r.Path == u.Path {
			return true
		}
	}
	return false
}

// isStartURL reports whether raw is the start URL of this instance: trailing slashes and a fragment make no
// difference, a missing /start does.
func (s *Server) isStartURL(raw string) bool {
	got, err := url.Parse(raw)
	want, err2 := url.Parse(s.startURL())
	if err != nil || err2 != nil {
		return false
	}
	return got.Scheme == want.Scheme && strings.EqualFold(got.Host, want.Host) && got.User == nil &&
		got.RawQuery == "" && strings.TrimRight(got.Path, "/") == strings.TrimRight(want.Path, "/")
}

// isIssuer reports whether an issuerUrl names this instance.
func (s *Server) isIssuer(raw string) bool {
	u, err := url.Parse(raw)
	if err == nil && s.Switches.RefuseIssuerURL && strings.TrimRight(u.Path, "/") == "/start" {
		return false
	}
	return s.isStartURL(raw)
}

func (s *Server) wrongStartURL() reply {
	return oidcError("InvalidRequestException", or(s.Switches.StartURLText, "Invalid start url provided"))
}

// wrongRegion reports whether the request went to a region this instance is not in.
func (s *Server) wrongRegion(c *call) bool {
	if s.Switches.WrongRegion {
		return true
	}
	region := hostRegion(c.r.Host)
	return region != "" && region != s.region()
}

// hostRegion returns the region in a service host such as oidc.eu-west-1.amazonaws.com, portal.sso.eu-west-1.api.aws
// or oidc-fips.us-gov-west-1.amazonaws.com; "" for any other host.
func hostRegion(host string) string {
	for _, prefix := range []string{"oidc.", "oidc-fips.", "portal.sso.", "portal.sso-fips."} {
		if rest, ok := strings.CutPrefix(host, prefix); ok {
			region, domain, ok := strings.Cut(rest, ".")
			if ok && (strings.HasPrefix(domain, "amazon") || strings.HasPrefix(domain, "api.a")) {
				return region
			}
		}
	}
	return ""
}

// validClient returns the client that id and secret name, or nil when they are wrong or the registration is over.
func (s *Server) validClient(c *call, id, secret string) *client {
	cl := s.st.clients[id]
	if cl == nil || cl.secret != secret || !c.now.Before(cl.expires) || s.wrongRegion(c) {
		return nil
	}
	c.log.ClientID, c.log.Client = cl.id, cl.name
	return cl
}

func invalidClient() reply { return oidcError("InvalidClientException", "Invalid client provided") }
