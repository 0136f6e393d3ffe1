package emulator

import (
	"net/url"
	"slices"
	"time"
)

// VerificationForm is the shape of the verification URIs that StartDeviceAuthorization answers. The service has had
// several at a time, so a client must open them and parse none.
type VerificationForm string

// The forms. In each, verificationUri is a page that asks for the user code.
const (
	// VerificationDevice is BASE/device, complete with ?user_code=CODE: like
	// https://device.sso.REGION.amazonaws.com/.
	VerificationDevice VerificationForm = "device"
	// VerificationFragment is BASE/start/#/device, complete with ?user_code=CODE behind it.
	VerificationFragment VerificationForm = "fragment"
	// VerificationOpaque is BASE/platform/authorize?request_uri=…, seen since 2026-09: no user code in either URI.
	VerificationOpaque VerificationForm = "opaque"
)

// startDeviceAuthorization answers POST /device_authorization.
func (s *Server) startDeviceAuthorization(c *call) reply {
	var in struct {
		ClientID     string `json:"clientId"`
		ClientSecret string `json:"clientSecret"`
		StartURL     string `json:"startUrl"`
	}
	if !decode(c.body, &in) || in.ClientID == "" || in.ClientSecret == "" || in.StartURL == "" {
		return oidcError("InvalidRequestException", "Invalid request")
	}
	right := !s.wrongRegion(c) && s.isStartURL(in.StartURL)
	if !right && !s.Switches.LateStartURLCheck {
		return s.wrongStartURL()
	}
	cl := s.validClient(c, in.ClientID, in.ClientSecret)
	if cl == nil {
		return invalidClient()
	}
	if s.DeviceGrantRefused {
		return oidcError("UnauthorizedClientException", "Client is unauthorized")
	}
	si := &signIn{id: s.uuid(), kind: DeviceCode, client: cl, status: Pending, began: c.now,
		expires: c.now.Add(s.codeLife()), deviceCode: s.deviceCode(), userCode: s.userCode(), interval: s.interval(),
		misplaced: !right}
	for other := s.st.byUser[si.userCode]; other != nil && other.live(c.now); other = s.st.byUser[si.userCode] {
		si.userCode = s.userCode()
	}
	s.st.byDevice[si.deviceCode] = si
	s.st.byUser[si.userCode] = si
	s.begin(si)
	c.log.SignIn = si.id
	uri, complete := s.verificationURIs(c, si)
	return jsonReply(200, struct {
		DeviceCode              string `json:"deviceCode"`
		ExpiresIn               int64  `json:"expiresIn"`
		Interval                int64  `json:"interval"`
		UserCode                string `json:"userCode"`
		VerificationURI         string `json:"verificationUri"`
		VerificationURIComplete string `json:"verificationUriComplete"`
	}{si.deviceCode, int64(s.codeLife().Seconds()), int64((s.interval() + time.Second - 1) / time.Second), si.userCode,
		uri, complete})
}

func (s *Server) verificationURIs(c *call, si *signIn) (uri, complete string) {
	switch s.Verification {
	case VerificationFragment:
		uri = c.base + pathPortal + "#/device"
		return uri, uri + "?user_code=" + si.userCode
	case VerificationOpaque:
		uri = c.base + pathOpaque + "?request_uri=" + url.QueryEscape("urn:aws:signin:request:"+si.id)
		return uri, uri
	}
	uri = c.base + pathDevice
	return uri, uri + "?user_code=" + si.userCode
}

// tokenByDevice answers CreateToken for a device code. The code is looked up before the client is.
func (s *Server) tokenByDevice(c *call, in tokenRequest) reply {
	si := s.st.byDevice[in.DeviceCode]
	unknown := oidcError("InvalidGrantException", "Invalid device code provided")
	if si == nil || si.status == Redeemed || s.wrongRegion(c) {
		return unknown
	}
	c.log.SignIn = si.id
	if !si.live(c.now) {
		if s.Switches.ExpiredTokenError {
			return oidcError("ExpiredTokenException", "Device code has expired")
		}
		return unknown
	}
	cl := s.validClient(c, in.ClientID, in.ClientSecret)
	if cl == nil {
		return invalidClient()
	}
	if si.client != cl {
		return oidcError("InvalidGrantException", "Invalid grant provided")
	}
	if s.tooFast(c, si) {
		return oidcError("SlowDownException", "Slow down")
	}
	switch si.status {
	case Pending:
		return oidcError("AuthorizationPendingException", "Authorization is still pending")
	case Denied:
		if s.Switches.DenyAsInvalidGrant {
			return unknown
		}
		return oidcError("AccessDeniedException", "Access denied")
	}
	if !si.session.live(c.now) {
		return unknown
	}
	si.status = Redeemed
	return s.issue(c, cl, si.session)
}

// tooFast records a poll and reports whether the answer is slow_down.
func (s *Server) tooFast(c *call, si *signIn) bool {
	early := len(si.polls) > 0 && c.now.Sub(si.lastPoll) < si.interval-pollTolerance
	si.polls = append(si.polls, c.now.Sub(si.began))
	si.lastPoll = c.now
	if si.slowDowns < s.SlowDowns {
		si.slowDowns++
		si.interval += slowDownStep
		return true
	}
	if early && s.Switches.PunishImpatience {
		si.interval += slowDownStep
		return true
	}
	return false
}

// pollTolerance is how much earlier than the interval a poll may come: a timer's and a network's jitter.
const pollTolerance = 100 * time.Millisecond

// PollTimes returns when the latest device sign-in was polled, counted from its StartDeviceAuthorization. It is nil
// before the first poll.
func (s *Server) PollTimes() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.st.lastDevice == nil {
		return nil
	}
	return slices.Clone(s.st.lastDevice.polls)
}
