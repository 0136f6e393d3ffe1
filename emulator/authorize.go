package emulator

import (
	"net/url"
	"slices"
)

// challengeForm is what S256 makes of a verifier: base64url of 32 bytes (RFC 7636 section 4.2).
var challengeForm = compileOnce(`^[A-Za-z0-9_-]{43}$`)

// authorize answers GET /authorize, the start of an authorization-code sign-in in the browser. Until client and
// redirect URI are trusted a refusal is raw JSON with no redirect, so a waiting listener hears nothing. The parameter
// scopes (or scope: clients send either) is not read; what was registered counts.
func (s *Server) authorize(c *call) reply {
	q := c.r.URL.Query()
	cl := s.st.clients[q.Get("client_id")]
	if cl == nil || !c.now.Before(cl.expires) || s.wrongRegion(c) {
		return oidcError("InvalidRequestException", "Invalid client provided")
	}
	c.log.ClientID, c.log.Client = cl.id, cl.name
	if !slices.Contains(cl.grants, grantCode) || cl.issuer == "" && !s.Switches.IssuerOptional {
		return oidcError("UnauthorizedClientException", "Client is unauthorized")
	}
	if !cl.mayRedirect(q.Get("redirect_uri")) {
		return oidcError("InvalidRequestException", "Invalid redirect uri provided")
	}
	si := &signIn{id: s.uuid(), kind: AuthorizationCode, client: cl, status: Pending, began: c.now,
		expires: c.now.Add(s.codeLife()), base: c.base, confirmed: true,
		redirectURI: q.Get("redirect_uri"), state: q.Get("state"), challenge: q.Get("code_challenge")}
	if q.Get("response_type") != "code" {
		return refuseBack(c, si, "unsupported_response_type", "Invalid response type provided")
	}
	if q.Get("code_challenge_method") != "S256" || !challengeForm().MatchString(si.challenge) {
		return refuseBack(c, si, "invalid_request", "Invalid code challenge provided")
	}
	if si.state == "" && !s.Switches.StateOptional {
		return refuseBack(c, si, "invalid_request", "Invalid state provided")
	}
	s.begin(si)
	c.log.SignIn = si.id
	return s.proceed(c, si)
}

// refuseBack tells the client by redirect (RFC 6749 section 4.1.2.1). The values the service uses were never
// recorded.
func refuseBack(c *call, si *signIn, code, text string) reply {
	rep := redirect(c, si.back("error", code, "error_description", text))
	rep.errTyp = code
	return rep
}

// back returns the client's redirect URI with the given query parameters and the state.
func (si *signIn) back(pairs ...string) string {
	q := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	if si.state != "" {
		q.Set("state", si.state)
	}
	return si.redirectURI + "?" + q.Encode()
}

// proceed takes a browser to the next step of si: the identity provider without a portal session, the consent page,
// or, for a registration that was allowed before, the end.
func (s *Server) proceed(c *call, si *signIn) reply {
	if si.status == Pending && s.AutoApprove {
		s.decide(c.now, si, s.newSession(c.now, s.Directory.first()), true)
	}
	if si.status != Pending {
		return s.outcome(c, si)
	}
	session := s.browserSession(c)
	if session == nil {
		return redirect(c, s.idpOrigin(si.base)+pathIDPSignIn+"?"+fieldRequest+"="+si.id)
	}
	if s.st.consents[consent{session.user, si.client.id}] {
		s.decide(c.now, si, session, true)
		return s.outcome(c, si)
	}
	return redirect(c, si.base+pathConsent+"?"+fieldRequest+"="+si.id)
}

// outcome shows the browser how si was decided.
func (s *Server) outcome(c *call, si *signIn) reply {
	if si.kind == DeviceCode {
		if si.status == Denied {
			return pageReply(200, deniedPage{ClientName: si.client.name})
		}
		return pageReply(200, approvedPage{ClientName: si.client.name})
	}
	if si.status == Denied && s.Switches.DenyWithoutRedirect {
		return pageReply(200, deniedPage{ClientName: si.client.name})
	}
	return redirect(c, si.ending())
}

// ending is where an authorization-code sign-in that was decided sends the browser.
func (si *signIn) ending() string {
	if si.status == Denied {
		return si.back("error", "access_denied", "error_description", "Access denied")
	}
	return si.back("code", si.code)
}
