package emulator

import (
	"net/http"
	"net/url"
	"strings"
)

// route is where a request goes. handle runs with Server.mu held.
type route struct {
	op     string
	family family
	handle func(*Server, *call) reply
}

// services are the operations by method and path.
var services = map[string]route{
	"POST /client/register":      {OpRegisterClient, familyOIDC, (*Server).registerClient},
	"POST /device_authorization": {OpStartDeviceAuthorization, familyOIDC, (*Server).startDeviceAuthorization},
	"POST /token":                {OpCreateToken, familyOIDC, (*Server).createToken},
	"GET /authorize":             {OpAuthorize, familyOIDC, (*Server).authorize},

	"GET /assignment/accounts":    {OpListAccounts, familyPortal, (*Server).listAccounts},
	"GET /assignment/roles":       {OpListAccountRoles, familyPortal, (*Server).listAccountRoles},
	"GET /federation/credentials": {OpGetRoleCredentials, familyPortal, (*Server).getRoleCredentials},
	"POST /logout":                {OpLogout, familyPortal, (*Server).logout},
}

// pages are what a browser visits, by path; GET and POST alike unless the method is refused in pagePosts.
var pages = map[string]func(*Server, *call) reply{
	pathDevice:               (*Server).device,
	pathOpaque:               (*Server).opaque,
	pathIDPSignIn:            (*Server).idpSignIn,
	pathAuthenticationResult: (*Server).authenticationResult,
	pathConsent:              (*Server).consentStep,
	"/start":                 (*Server).portalHome,
}

var pagePosts = map[string]bool{pathDevice: true, pathIDPSignIn: true, pathConsent: true}

// route finds the operation of a request. The portal tolerates a slash at the end of a path, so all do.
func (s *Server) route(r *http.Request, body []byte) route {
	path := r.URL.Path
	if path == controlPath || strings.HasPrefix(path, controlPath+"/") {
		return route{op: opControl}
	}
	if path == "/" {
		if rt, ok := stsRoute(r, body); ok {
			return rt
		}
		return route{OpUnknown, familyOIDC, (*Server).unknown}
	}
	path = strings.TrimSuffix(path, "/")
	if rt, ok := services[r.Method+" "+path]; ok {
		return rt
	}
	if page, ok := pages[path]; ok {
		switch r.Method {
		case http.MethodGet, http.MethodHead:
			return route{OpPage, familyPage, page}
		case http.MethodPost:
			if pagePosts[path] {
				return route{OpPage, familyPage, page}
			}
		}
		return route{OpUnknown, familyPage, (*Server).wrongMethod}
	}
	for _, m := range []string{http.MethodGet, http.MethodPost} {
		if rt, ok := services[m+" "+path]; ok && rt.family == familyPortal {
			return route{OpUnknown, familyPortal, (*Server).wrongMethod}
		}
	}
	if path == "/favicon.ico" {
		return route{OpPage, familyPage, func(*Server, *call) reply { return reply{status: http.StatusNotFound} }}
	}
	return route{OpUnknown, familyOIDC, (*Server).unknown}
}

// unknown answers what no operation answers. The real answer was never recorded; this is the general one of AWS's
// service framework.
func (s *Server) unknown(*call) reply {
	rep := jsonReply(http.StatusNotFound, struct {
		Output struct {
			Type string `json:"__type"`
		}
		Version string
	}{struct {
		Type string `json:"__type"`
	}{"com.amazon.coral.service#UnknownOperationException"}, "1.0"})
	rep.errTyp = "UnknownOperationException"
	return rep
}

func (s *Server) wrongMethod(c *call) reply {
	if c.family == familyPortal {
		return s.portalError(c, "MethodNotAllowedException", "HTTP 405 Method Not Allowed")
	}
	return reply{status: http.StatusMethodNotAllowed, errTyp: "method not allowed"}
}

// stsRoute recognises a call of STS: the query protocol's Action, in a form or in the query of "/".
func stsRoute(r *http.Request, body []byte) (route, bool) {
	v := stsParams(r, body)
	action := v.Get("Action")
	switch {
	case action == OpGetCallerIdentity:
		return route{OpGetCallerIdentity, familySTS, (*Server).getCallerIdentity}, true
	case action != "" || strings.HasPrefix(r.Header.Get("Authorization"), sigAlgorithm):
		return route{OpUnknown, familySTS, (*Server).unknownAction}, true
	}
	return route{}, false
}

func stsParams(r *http.Request, body []byte) url.Values {
	v := r.URL.Query()
	if r.Method == http.MethodPost {
		if more, err := url.ParseQuery(string(body)); err == nil {
			for k, list := range more {
				v[k] = append(v[k], list...)
			}
		}
	}
	return v
}
