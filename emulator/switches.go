package emulator

import "time"

// Switches choose, point by point, the other reading where the record of the real service is contradictory or silent.
// The zero value is the strict reading: what a client must cope with to be safe. Try a client against both.
type Switches struct {
	// WrongRegion answers as the service in a region where this instance is not: issuerUrl and startUrl are refused,
	// registrations and tokens are unknown. A request whose Host names another region (oidc.eu-west-1.amazonaws.com)
	// is answered so without the switch.
	WrongRegion bool `json:"wrong_region"`
	// LateStartURLCheck lets a wrong start URL through StartDeviceAuthorization and fails in the browser, as the
	// service did before 2023.
	LateStartURLCheck bool `json:"late_start_url_check"`
	// StartURLText is the text that refuses a wrong start URL; "" means "Invalid start url provided". Also seen:
	// "Invalid request", and "Invalid request." with a full stop.
	StartURLText string `json:"start_url_text"`
	// RefuseIssuerURL refuses every issuerUrl that ends in /start, as one instance was seen to do (those without an
	// awsapps.com name). By default the AWS CLI's start URL is accepted.
	RefuseIssuerURL bool `json:"refuse_issuer_url"`
	// IssuerOptional lets a client that registered without issuerUrl use /authorize. By default it is unauthorized:
	// the API reference calls the value "needed for user access to resources through the client".
	IssuerOptional bool `json:"issuer_optional"`
	// OnlyOAuthCallback refuses redirect URIs without a path, as measured in 2024; in 2026 they were accepted.
	OnlyOAuthCallback bool `json:"only_oauth_callback"`
	// RefuseBlankNames refuses a clientName with a blank or apostrophe, as in 2023; "Acme Dev" was accepted in 2024.
	RefuseBlankNames bool `json:"refuse_blank_names"`
	// AnyScope accepts unknown scopes from a client with grantTypes too. Without grantTypes they always pass.
	AnyScope bool `json:"any_scope"`
	// MixedGrantsFail answers the grants authorization_code and device_code together with InternalServerException
	// (2025) instead of InvalidScopeException (2026).
	MixedGrantsFail bool `json:"mixed_grants_fail"`
	// StateOptional serves an authorize request without state. By default it is sent back with invalid_request.
	StateOptional bool `json:"state_optional"`

	// PunishImpatience answers slow_down to a poll that comes before the interval is over and makes the interval five
	// seconds longer (RFC 8628 section 3.5). The service was only seen to answer every poll.
	PunishImpatience bool `json:"punish_impatience"`
	// ExpiredTokenError answers a lapsed device code with ExpiredTokenException, as documented but never seen.
	ExpiredTokenError bool `json:"expired_token_error"`
	// DenyAsInvalidGrant answers the polls of a denied device sign-in as if the code were unknown.
	DenyAsInvalidGrant bool `json:"deny_as_invalid_grant"`
	// DenyWithoutRedirect ends a denied authorization-code sign-in on a page: the client's listener hears nothing.
	DenyWithoutRedirect bool `json:"deny_without_redirect"`
	// BadCodeAsInvalidRequest answers a bad, spent or lapsed authorization code, a wrong verifier and a wrong
	// redirect URI with InvalidRequestException instead of InvalidGrantException. Neither was seen.
	BadCodeAsInvalidRequest bool `json:"bad_code_as_invalid_request"`

	// RefreshReusable keeps a refresh token good after it was used, as one careful observer saw.
	RefreshReusable bool `json:"refresh_reusable"`
	// RefreshSame answers a refresh with the refresh token that was sent. It implies RefreshReusable.
	RefreshSame bool `json:"refresh_same"`
	// RefreshOmitted answers a refresh without a refresh token. It implies RefreshReusable.
	RefreshOmitted bool `json:"refresh_omitted"`
	// RefreshEndsAccess ends the old access token when a new one is issued. By default it lives on to its expiry.
	RefreshEndsAccess bool `json:"refresh_ends_access"`
	// ForeignRefreshInvalidGrant answers another client's refresh token with InvalidGrantException "Invalid refresh
	// token provided" instead of InvalidRequestException "Invalid token provided".
	ForeignRefreshInvalidGrant bool `json:"foreign_refresh_invalid_grant"`

	// LogoutOnlyToken makes Logout end the one token presented and its refresh token. By default it ends the portal
	// session: every token of every client that came of it, and the browser's cookie.
	LogoutOnlyToken bool `json:"logout_only_token"`
	// LogoutAlwaysOK answers a logout with a dead token with 200 instead of UnauthorizedException.
	LogoutAlwaysOK bool `json:"logout_always_ok"`
	// UnknownAccountForbidden answers ListAccountRoles of an account the person does not have with ForbiddenException
	// instead of the documented ResourceNotFoundException.
	UnknownAccountForbidden bool `json:"unknown_account_forbidden"`
	// PortalErrorHeader sends x-amzn-ErrorType with portal errors, which was not seen.
	PortalErrorHeader bool `json:"portal_error_header"`
	// ThrottleText is the message of TooManyRequestsException; "" means "HTTP 429 Unknown Code". Also seen: "Rate
	// exceeded".
	ThrottleText string `json:"throttle_text"`
}

func (sw Switches) throttleText() string { return or(sw.ThrottleText, "HTTP 429 Unknown Code") }

// slowDownStep is what each slow_down adds to the polling interval (RFC 8628 section 3.5).
const slowDownStep = 5 * time.Second
