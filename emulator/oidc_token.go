package emulator

import (
	"crypto/sha256"
	"slices"
	"time"
)

// tokenRequest is the body of CreateToken. The scope member "has no effect" (API reference), so it is not read.
type tokenRequest struct {
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
	GrantType    string `json:"grantType"`
	DeviceCode   string `json:"deviceCode"`
	Code         string `json:"code"`
	RefreshToken string `json:"refreshToken"`
	RedirectURI  string `json:"redirectUri"`
	CodeVerifier string `json:"codeVerifier"`
}

// createToken answers POST /token.
func (s *Server) createToken(c *call) reply {
	var in tokenRequest
	malformed := oidcError("InvalidRequestException", "Invalid request")
	if !decode(c.body, &in) || in.ClientID == "" || in.ClientSecret == "" || in.GrantType == "" {
		return malformed
	}
	switch in.GrantType {
	case grantDevice:
		if in.DeviceCode == "" {
			return malformed
		}
		return s.tokenByDevice(c, in)
	case grantCode:
		if in.Code == "" || in.RedirectURI == "" || in.CodeVerifier == "" {
			return malformed
		}
		return s.tokenByCode(c, in)
	case grantRefresh:
		if in.RefreshToken == "" {
			return malformed
		}
		return s.tokenByRefresh(c, in)
	}
	return oidcError("UnsupportedGrantTypeException", "Unsupported grant type provided")
}

// tokenByCode answers CreateToken for an authorization code with its PKCE verifier (RFC 7636 section 4.6).
func (s *Server) tokenByCode(c *call, in tokenRequest) reply {
	refused := oidcError("InvalidGrantException", "Invalid grant provided")
	if s.Switches.BadCodeAsInvalidRequest {
		refused = oidcError("InvalidRequestException", "Invalid request")
	}
	si := s.st.byCode[in.Code]
	if si == nil {
		return refused
	}
	c.log.SignIn = si.id
	cl := s.validClient(c, in.ClientID, in.ClientSecret)
	if cl == nil {
		return invalidClient()
	}
	sum := sha256.Sum256([]byte(in.CodeVerifier))
	if si.client != cl || si.status != Approved || !si.live(c.now) || !si.session.live(c.now) ||
		in.RedirectURI != si.redirectURI || rawURL.EncodeToString(sum[:]) != si.challenge {
		return refused
	}
	si.status = Redeemed
	return s.issue(c, cl, si.session)
}

// tokenByRefresh answers CreateToken for a refresh token.
func (s *Server) tokenByRefresh(c *call, in tokenRequest) reply {
	dead := oidcError("InvalidGrantException", "Invalid refresh token provided")
	foreign := oidcError("InvalidRequestException", "Invalid token provided")
	if s.Switches.ForeignRefreshInvalidGrant {
		foreign = dead
	}
	rt := s.st.refresh[in.RefreshToken]
	if rt == nil {
		return dead
	}
	if s.wrongRegion(c) {
		return foreign
	}
	cl := s.validClient(c, in.ClientID, in.ClientSecret)
	if cl == nil {
		return invalidClient()
	}
	if rt.client != cl {
		return foreign
	}
	if rt.spent || rt.ended || !rt.session.live(c.now) {
		return dead
	}
	sw := s.Switches
	if sw.RefreshEndsAccess {
		rt.access.ended = true
	}
	if !sw.RefreshReusable && !sw.RefreshSame && !sw.RefreshOmitted {
		rt.spent = true
	}
	at, access := s.newAccessToken(c, cl, rt.session)
	var next *string
	switch {
	case sw.RefreshOmitted:
		rt.access = at
	case sw.RefreshSame:
		rt.access = at
		next = &in.RefreshToken
	default:
		next = s.newRefreshToken(cl, rt.session, at)
	}
	return tokenReply(c, at, access, next)
}

// issue answers the first tokens of a sign-in. A client with scopes gets a refresh token too, unless its grantTypes
// leave refresh_token out; a client without scopes gets a longer access token and nothing else.
func (s *Server) issue(c *call, cl *client, session *portalSession) reply {
	at, access := s.newAccessToken(c, cl, session)
	var refresh *string
	if len(cl.scopes) > 0 && (len(cl.grants) == 0 || slices.Contains(cl.grants, grantRefresh)) {
		refresh = s.newRefreshToken(cl, session, at)
	}
	return tokenReply(c, at, access, refresh)
}

func (s *Server) newAccessToken(c *call, cl *client, session *portalSession) (*accessToken, string) {
	life := s.unscopedTokenLife()
	if len(cl.scopes) > 0 {
		life = s.accessTokenLife()
	}
	at := &accessToken{session: session, client: cl, expires: c.now.Add(life)}
	if session.expires.Before(at.expires) {
		at.expires = session.expires
	}
	value := s.accessTokenValue()
	s.st.access[value] = at
	return at, value
}

func (s *Server) newRefreshToken(cl *client, session *portalSession, at *accessToken) *string {
	value := s.refreshTokenValue()
	s.st.refresh[value] = &refreshToken{session: session, client: cl, access: at}
	return &value
}

// tokenReply tells the token's life rounded to the nearest second: the portal session began some milliseconds before
// its first token, and still the service says 28800.
func tokenReply(c *call, at *accessToken, access string, refresh *string) reply {
	c.log.User = at.session.user
	return jsonReply(200, struct {
		AccessToken     string  `json:"accessToken"`
		AppSessionID    *string `json:"aws_sso_app_session_id"`
		ExpiresIn       int64   `json:"expiresIn"`
		IDToken         *string `json:"idToken"`
		IssuedTokenType *string `json:"issuedTokenType"`
		OriginSessionID *string `json:"originSessionId"`
		RefreshToken    *string `json:"refreshToken"`
		TokenType       string  `json:"tokenType"`
	}{access, nil, int64(at.expires.Sub(c.now).Round(time.Second) / time.Second), nil, nil, nil, refresh, "Bearer"})
}
