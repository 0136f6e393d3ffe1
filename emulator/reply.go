package emulator

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// family is the part of the service that answers: each has headers and an error shape of its own.
type family int

const (
	familyOIDC family = iota
	familyPortal
	familySTS
	familyPage
)

// reply is a whole answer, made before the first byte is sent, so that a fault can hold it back.
type reply struct {
	status int
	header []headerField // in addition to what dress adds
	body   []byte
	page   pageView // drawn instead of body
	errTyp string   // the error's type, for the log
}

// headerField keeps the spelling of its name: the service writes "x-amzn-RequestId".
type headerField struct{ name, value string }

func (rep *reply) set(name, value string) { rep.header = append(rep.header, headerField{name, value}) }

func (rep *reply) has(name string) bool {
	return slices.ContainsFunc(rep.header, func(f headerField) bool { return f.name == name })
}

// jsonReply answers with v, whose fields are in the order of the wire.
func jsonReply(status int, v any) reply {
	rep := reply{status: status, body: marshal(v)}
	rep.set("Content-Type", "application/json")
	return rep
}

// oidcErrors are the errors of SSO-OIDC: the exception's name, its code in the body, its status (service model).
var oidcErrors = map[string]struct {
	code   string
	status int
}{
	"AccessDeniedException":          {"access_denied", 400},
	"AuthorizationPendingException":  {"authorization_pending", 400},
	"ExpiredTokenException":          {"expired_token", 400},
	"InternalServerException":        {"server_error", 500},
	"InvalidClientException":         {"invalid_client", 401},
	"InvalidClientMetadataException": {"invalid_client_metadata", 400},
	"InvalidGrantException":          {"invalid_grant", 400},
	"InvalidRedirectUriException":    {"invalid_redirect_uri", 400},
	"InvalidRequestException":        {"invalid_request", 400},
	"InvalidScopeException":          {"invalid_scope", 400},
	"SlowDownException":              {"slow_down", 400},
	"UnauthorizedClientException":    {"unauthorized_client", 400},
	"UnsupportedGrantTypeException":  {"unsupported_grant_type", 400},
}

// oidcError answers as SSO-OIDC does. Bodies of invalid_request and access_denied carry a third member, reason.
func oidcError(name, text string) reply { return oidcErrorReason(name, text, nil) }

func oidcErrorReason(name, text string, reason *string) reply {
	e, known := oidcErrors[name]
	if !known {
		e.code, e.status = snake(name), 400
	}
	var rep reply
	if name == "InvalidRequestException" || name == "AccessDeniedException" || reason != nil {
		rep = jsonReply(e.status, struct {
			Error            string  `json:"error"`
			ErrorDescription string  `json:"error_description"`
			Reason           *string `json:"reason"`
		}{e.code, text, reason})
	} else {
		rep = jsonReply(e.status, struct {
			Error            string `json:"error"`
			ErrorDescription string `json:"error_description"`
		}{e.code, text})
	}
	rep.set("x-amzn-ErrorType", name+":http://internal.amazon.com/coral/com.amazonaws.sso.oidc/")
	rep.errTyp = name
	return rep
}

// snake turns FooBarException into foo_bar.
func snake(name string) string {
	var b strings.Builder
	for i, r := range strings.TrimSuffix(name, "Exception") {
		if r >= 'A' && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// portalErrors are the statuses of the portal's errors. ForbiddenException and MethodNotAllowedException are not in
// the service model but are what the service answers.
var portalErrors = map[string]int{
	"ForbiddenException":        403,
	"InternalServerException":   500,
	"InvalidRequestException":   400,
	"MethodNotAllowedException": 405,
	"NullPointerException":      500,
	"ResourceNotFoundException": 404,
	"TooManyRequestsException":  429,
	"UnauthorizedException":     401,
}

func (s *Server) portalError(_ *call, name, text string) reply {
	rep := jsonReply(or(portalErrors[name], 400), struct {
		Message string `json:"message"`
		Type    string `json:"__type"`
	}{text, "com.amazonaws.switchboard.portal#" + name})
	if s.Switches.PortalErrorHeader {
		rep.set("x-amzn-ErrorType", name)
	}
	if name == "TooManyRequestsException" && s.RetryAfter > 0 {
		rep.set("Retry-After", strconv.Itoa(int((s.RetryAfter+time.Second-1)/time.Second)))
	}
	rep.errTyp = name
	return rep
}

// emptyContentType reports a Content-Type header that is there and empty, on which the portal's container stumbles.
func emptyContentType(r *http.Request) bool {
	v, there := r.Header["Content-Type"]
	return there && strings.Join(v, "") == ""
}

// tomcatReply is what the portal's container then says (aws-sdk-ruby#2196).
func tomcatReply() reply {
	rep := reply{status: http.StatusBadRequest, errTyp: "Bad Request",
		body: []byte("<!doctype html><html lang=\"en\"><head>" +
			"<title>HTTP Status 400 \u2013 Bad Request</title></head><body><h1>HTTP Status 400 \u2013 Bad " +
			"Request</h1></body></html>")}
	rep.set("Content-Type", "text/html;charset=utf-8")
	rep.set("Content-Language", "en")
	rep.set("Server", "Apache-Coyote/1.1")
	return rep
}

// pageReply answers with a page.
func pageReply(status int, p pageView) reply { return reply{status: status, page: p} }

// redirect sends the browser on. 302 after a GET, 303 after a POST.
func redirect(c *call, to string) reply {
	rep := reply{status: http.StatusFound}
	if c.r.Method == http.MethodPost {
		rep.status = http.StatusSeeOther
	}
	rep.set("Location", to)
	rep.set("Cache-Control", "no-store")
	return rep
}

// dress adds the headers that every answer of c's family has. s.mu is held.
func (s *Server) dress(c *call, rep *reply) {
	id := s.uuid()
	rep.set("Date", s.wireTime(s.now()).UTC().Format(http.TimeFormat))
	if c.family == familyPage {
		return
	}
	rep.set("Connection", "keep-alive")
	if rep.has("Server") { // the container answered, not the service
		return
	}
	rep.set("x-amzn-RequestId", id)
	switch c.family {
	case familyPortal:
		rep.set("Access-Control-Expose-Headers", "RequestId")
		rep.set("Cache-Control", "no-cache")
		rep.set("RequestId", id)
		rep.set("Server", "AWS SSO")
	case familySTS:
		rep.body = []byte(strings.ReplaceAll(string(rep.body), requestIDPlace, id))
	}
	c.log.RequestID = id
}

// wireTime is t as the service tells it. s.mu is held.
func (s *Server) wireTime(t time.Time) time.Time { return t.Add(s.ClockSkew) }

// write sends rep. Names keep the service's spelling on a real connection; a caller that runs the handler by itself,
// without a server, gets canonical names, since http.Header.Get finds no others.
func (rep reply) write(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	onWire := r.Context().Value(http.ServerContextKey) != nil
	for _, f := range rep.header {
		if !onWire {
			f.name = http.CanonicalHeaderKey(f.name)
		}
		h[f.name] = append(h[f.name], f.value)
	}
	if rep.page != nil {
		writePage(w, rep.status, rep.page)
		return
	}
	if _, typed := h["Content-Type"]; !typed {
		h["Content-Type"] = nil // or net/http guesses one
	}
	h["Content-Length"] = []string{strconv.Itoa(len(rep.body))}
	w.WriteHeader(rep.status)
	_, _ = w.Write(rep.body) // the client may have gone; that is its affair
}

// decode reads a JSON object into v. It reports false for anything else, wrongly typed members included.
func decode(body []byte, v any) bool {
	t := strings.TrimSpace(string(body))
	return strings.HasPrefix(t, "{") && json.Unmarshal(body, v) == nil
}
