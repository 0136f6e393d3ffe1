package emulator

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Cookies. The portal's session cookie has the real portal's name; the other binds forms to the browser they were
// drawn for, on each origin by itself.
const (
	cookieSession = "x-amz-sso_authn"
	cookieForms   = "emulator-forms"
)

// pathOpaque is where VerificationOpaque leads.
const pathOpaque = "/platform/authorize"

// ticketLife is how long the identity provider's word may take to reach the portal.
const ticketLife = time.Minute

// browserSession returns the live portal session of the request's cookie, or nil.
func (s *Server) browserSession(c *call) *portalSession {
	ck, err := c.r.Cookie(cookieSession)
	if err != nil {
		return nil
	}
	if p := s.st.sessions[ck.Value]; p != nil && p.live(c.now) {
		c.log.User = p.user
		return p
	}
	return nil
}

// newSession starts a portal session for user.
func (s *Server) newSession(now time.Time, user string) *portalSession {
	p := &portalSession{id: s.cookie(), user: user, began: now, expires: now.Add(s.sessionLife())}
	s.st.sessions[p.id] = p
	return p
}

// idpOrigin returns the identity provider's origin for a browser that came by base.
func (s *Server) idpOrigin(base string) string {
	if s.IDPOrigin != "" {
		return strings.TrimSuffix(s.IDPOrigin, "/")
	}
	u, err := url.Parse(base)
	if err != nil {
		return base
	}
	port := ""
	if u.Port() != "" {
		port = ":" + u.Port()
	}
	switch u.Hostname() {
	case "127.0.0.1", "::1":
		u.Host = "localhost" + port
	case "localhost":
		u.Host = "127.0.0.1" + port
	}
	return u.Scheme + "://" + u.Host
}

// formToken returns the value of a form's CSRF field, and the reply's cookie when the browser has none yet.
func (s *Server) formToken(c *call, about string) (token string, cookie *http.Cookie) {
	value := ""
	if ck, err := c.r.Cookie(cookieForms); err == nil {
		value = ck.Value
	}
	if value == "" {
		value = s.cookie()
		cookie = s.newCookie(c, cookieForms, value)
	}
	return s.seal("form", value, about), cookie
}

// formTrusted reports whether a posted form was drawn for this browser.
func (s *Server) formTrusted(c *call, form url.Values, about string) bool {
	ck, err := c.r.Cookie(cookieForms)
	return err == nil && ck.Value != "" && form.Get(fieldCSRF) == s.seal("form", ck.Value, about)
}

func (s *Server) newCookie(c *call, name, value string) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: c.r.TLS != nil}
}

// formPage draws a page that holds a form.
func formPage(status int, p pageView, cookie *http.Cookie) reply {
	rep := pageReply(status, p)
	if cookie != nil {
		rep.set("Set-Cookie", cookie.String())
	}
	return rep
}

func form(c *call) url.Values {
	v, err := url.ParseQuery(string(c.body))
	if err != nil {
		return url.Values{}
	}
	return v
}

func refusedForm() reply {
	return pageReply(http.StatusForbidden, errorPage{Title: "This form is out of date",
		Message: "The form was not drawn for this browser, or cookies are off."})
}

// gone is the page for a sign-in that is unknown or has lapsed.
func gone() reply {
	return pageReply(http.StatusBadRequest, errorPage{Title: "This sign-in is over",
		Message: "The request is unknown, or too much time went by since it was made."})
}

// device is the page at the verification URI: GET asks for the user code or to confirm it, POST takes it.
func (s *Server) device(c *call) reply {
	if c.r.Method != http.MethodPost {
		code := normalizeUserCode(c.r.URL.Query().Get("user_code"))
		if si := s.st.byUser[code]; si != nil && s.AutoApprove && si.live(c.now) && !si.misplaced {
			si.base = c.base
			return s.proceed(c, si)
		}
		return s.devicePage(c, 200, code, "")
	}
	v := form(c)
	if !s.formTrusted(c, v, pathDevice) {
		return refusedForm()
	}
	code := normalizeUserCode(v.Get(fieldUserCode))
	si := s.st.byUser[code]
	if si == nil || si.status != Pending || !si.live(c.now) {
		return s.devicePage(c, http.StatusBadRequest, code, "This code is not valid. It may be mistyped, used, or "+
			"more than ten minutes old.")
	}
	c.log.SignIn = si.id
	if si.misplaced {
		return oidcError("InvalidGrantException", "Invalid grant provided")
	}
	si.confirmed, si.base = true, c.base
	return s.proceed(c, si)
}

func (s *Server) devicePage(c *call, status int, code, problem string) reply {
	token, ck := s.formToken(c, pathDevice)
	return formPage(status, deviceCodePage{Action: pathDevice, CSRF: token, UserCode: code, Error: problem,
		Next: []string{s.idpOrigin(c.base)}}, ck)
}

// opaque follows a verification URI that does not tell the user code.
func (s *Server) opaque(c *call) reply {
	id := strings.TrimPrefix(c.r.URL.Query().Get("request_uri"), "urn:aws:signin:request:")
	si := s.st.byID[id]
	if si == nil || si.kind != DeviceCode || !si.live(c.now) {
		return gone()
	}
	return redirect(c, c.base+pathDevice+"?user_code="+si.userCode)
}

// idpSignIn is the external identity provider's form. It knows the people of the Directory.
func (s *Server) idpSignIn(c *call) reply {
	var v url.Values
	if c.r.Method == http.MethodPost {
		v = form(c)
	} else {
		v = c.r.URL.Query()
	}
	si := s.st.byID[v.Get(fieldRequest)]
	if si == nil || !si.live(c.now) {
		return gone()
	}
	c.log.SignIn = si.id
	page := signInPage{Action: pathIDPSignIn, Request: si.id, UserName: s.Directory.first(), Next: []string{si.base}}
	if si.redirectURI != "" {
		page.Next = append(page.Next, si.redirectURI)
	}
	if c.r.Method != http.MethodPost {
		token, ck := s.formToken(c, pathIDPSignIn)
		page.CSRF = token
		return formPage(200, page, ck)
	}
	if !s.formTrusted(c, v, pathIDPSignIn) {
		return refusedForm()
	}
	u, ok := s.Directory.user(v.Get(fieldUserName))
	if !ok || u.Password != "" && u.Password != v.Get(fieldPassword) {
		token, ck := s.formToken(c, pathIDPSignIn)
		page.CSRF, page.UserName = token, v.Get(fieldUserName)
		page.Error = "The user name or the password is wrong."
		return formPage(http.StatusForbidden, page, ck)
	}
	c.log.User = u.Name
	ticket := s.cookie()
	s.st.asserted[ticket] = assertion{user: u.Name, request: si.id, expires: c.now.Add(ticketLife)}
	return redirect(c, si.base+pathAuthenticationResult+"?ticket="+ticket)
}

// authenticationResult accepts the identity provider's answer, starts the portal session and continues the sign-in.
func (s *Server) authenticationResult(c *call) reply {
	ticket := c.r.URL.Query().Get("ticket")
	a, ok := s.st.asserted[ticket]
	delete(s.st.asserted, ticket)
	si := s.st.byID[a.request]
	if !ok || !c.now.Before(a.expires) || si == nil || !si.live(c.now) {
		return gone()
	}
	c.log.SignIn, c.log.User = si.id, a.user
	p := s.newSession(c.now, a.user)
	rep := redirect(c, c.base+pathConsent+"?"+fieldRequest+"="+si.id)
	rep.set("Set-Cookie", s.newCookie(c, cookieSession, p.id).String())
	return rep
}

// consentStep shows which client asks for what, and takes the answer.
func (s *Server) consentStep(c *call) reply {
	v := c.r.URL.Query()
	if c.r.Method == http.MethodPost {
		v = form(c)
	}
	si := s.st.byID[v.Get(fieldRequest)]
	if si == nil || !si.live(c.now) {
		return gone()
	}
	c.log.SignIn = si.id
	session := s.browserSession(c)
	switch {
	case session == nil:
		return s.proceed(c, si)
	case !si.confirmed:
		return redirect(c, c.base+pathDevice+"?user_code="+si.userCode)
	case si.status != Pending:
		return s.outcome(c, si)
	}
	about := pathConsent + si.id + session.id
	if c.r.Method != http.MethodPost {
		if s.st.consents[consent{session.user, si.client.id}] {
			return s.proceed(c, si)
		}
		token, ck := s.formToken(c, about)
		page := consentPage{Action: pathConsent, Request: si.id, CSRF: token, ClientName: si.client.name,
			Scopes: si.client.scopes, UserName: session.user, UserCode: si.userCode,
			Next: []string{s.idpOrigin(si.base)}} // where a session that ended meanwhile leads
		if si.redirectURI != "" {
			page.Next = append(page.Next, si.redirectURI)
		}
		return formPage(200, page, ck)
	}
	if !s.formTrusted(c, v, about) {
		return refusedForm()
	}
	switch v.Get(fieldDecision) {
	case decisionAllow:
		s.decide(c.now, si, session, true)
	case decisionDeny:
		s.decide(c.now, si, session, false)
	default:
		return refusedForm()
	}
	return s.outcome(c, si)
}

// portalHome is the page at the start URL.
func (s *Server) portalHome(*call) reply { return pageReply(200, portalPage{DeviceURL: pathDevice}) }
