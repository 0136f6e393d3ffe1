package emulator

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"unicode"
)

// Where the browser goes. All paths but pathIDPSignIn stand on the emulator's own origin; the identity provider's
// form stands on another one, as in life, so that cookies and redirects cross sites.
const (
	pathDevice               = "/device"
	pathIDPSignIn            = "/idp/sign-in"
	pathAuthenticationResult = "/authentication_result"
	pathConsent              = "/consent"
	pathPortal               = "/start/"
)

// The form fields of the pages. A form is sent as application/x-www-form-urlencoded by POST.
const (
	fieldCSRF     = "csrf_token"
	fieldRequest  = "request"
	fieldUserCode = "user_code"
	fieldUserName = "username"
	fieldPassword = "password"
	fieldDecision = "decision"

	decisionAllow = "allow"
	decisionDeny  = "deny"
)

// A pageView is one page as plain data. html returns the whole document; nextOrigins names the URLs whose origins a
// form of the page may lead to by redirects, in addition to the page's own.
type pageView interface {
	html() markup
	nextOrigins() []string
}

// signInPage is the external identity provider's form.
type signInPage struct {
	Action   string   // where the form is sent, such as pathIDPSignIn
	Request  string   // the sign-in it belongs to, a hidden field
	CSRF     string   // hidden field
	UserName string   // the field's present text; "" leaves it empty
	Error    string   // why the last try was refused, one sentence; "" at the first one
	Next     []string // URLs of the emulator's origin and of the redirect URI: the POST's redirects lead there
}

// deviceCodePage asks for the code that the terminal shows.
type deviceCodePage struct {
	Action   string   // where the form is sent, such as pathDevice
	CSRF     string   // hidden field
	UserCode string   // prefilled from ?user_code= or from the last try; "" asks to type it
	Error    string   // why the last try was refused, one sentence; "" at the first one
	Next     []string // a URL of the identity provider's origin, where a browser without a session is sent
}

// consentPage names the client and what it asks for. It is the only step of a code sign-in, the second of a device
// sign-in.
type consentPage struct {
	Action     string   // where the form is sent, such as pathConsent
	Request    string   // hidden field
	CSRF       string   // hidden field
	ClientName string   // as registered
	Scopes     []string // as registered; none is said in plain words too
	UserName   string   // who is signed in; "" leaves the line out
	UserCode   string   // device sign-in: the code that was confirmed; "" for a code sign-in
	Next       []string // the redirect URI of a code sign-in
}

// approvedPage ends a device sign-in that was allowed.
type approvedPage struct {
	ClientName string // "" says "your terminal"
}

// deniedPage ends a device sign-in that was refused.
type deniedPage struct {
	ClientName string // "" leaves the name out
}

// errorPage says why a page cannot be shown.
type errorPage struct {
	Title   string // "" is "Something went wrong"
	Message string // what happened, a sentence
	Hint    string // what to do, a sentence; "" says to start again from the terminal
}

// portalPage is the page at the start URL. A verification URL in the fragment form,
// …/start/#/device?user_code=CODE, comes here because browsers send no fragment: a script moves on to DeviceURL.
// Without JavaScript there is a form to type the code.
type portalPage struct {
	DeviceURL string // such as pathDevice
}

// writePage sends p with status and pageHeader.
func writePage(w http.ResponseWriter, status int, p pageView) {
	maps.Copy(w.Header(), pageHeader(p))
	w.WriteHeader(status)
	_, _ = io.WriteString(w, string(p.html())) // a browser that has gone is no event
}

// pageHeader returns the headers that every page has: no caching, no framing, no referrer, nothing loaded from
// anywhere and forms only to the page's own origin and those of p.nextOrigins.
func pageHeader(p pageView) http.Header {
	return http.Header{
		"Content-Type":               {"text/html; charset=utf-8"},
		"Cache-Control":              {"no-store"},
		"Content-Security-Policy":    {contentSecurityPolicy(p)},
		"Cross-Origin-Opener-Policy": {"same-origin"},
		"Referrer-Policy":            {"no-referrer"},
		"X-Content-Type-Options":     {"nosniff"},
		"X-Frame-Options":            {"DENY"},
	}
}

func contentSecurityPolicy(p pageView) string {
	// Chromium holds form-action against every redirect that follows a POST too, so the origins on the way are named.
	forms := "'self'"
	for _, next := range p.nextOrigins() {
		if o := cspOrigin(next); o != "" && !strings.Contains(forms+" ", " "+o+" ") {
			forms += " " + o
		}
	}
	script := "'none'"
	if _, ok := p.(portalPage); ok {
		script = sourceHash(portalScript)
	}
	return "default-src 'none'; style-src " + sourceHash(styleSheet) + "; script-src " + script +
		"; img-src data:; form-action " + forms + "; base-uri 'none'; frame-ancestors 'none'"
}

// sourceHash is the CSP source expression for an inline element with just this content (CSP 3, 2.3.1).
func sourceHash(content string) string {
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// cspOrigin returns scheme://host[:port] of a URL, or "" where that could not stand in a header as it is.
func cspOrigin(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	for _, r := range u.Host {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-:[]", r) || r > unicode.MaxASCII {
			return ""
		}
	}
	if u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// normalizeUserCode brings a code as a person types it ("bcdf ghjk", "BCDFGHJK") into the form that is shown,
// BCDF-GHJK. What is not a letter or digit is dropped; a code of another length comes back without a hyphen.
func normalizeUserCode(typed string) string {
	code := strings.Map(func(r rune) rune {
		r = unicode.ToUpper(r)
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, typed)
	if len(code) != 8 {
		return code
	}
	return code[:4] + "-" + code[4:]
}
