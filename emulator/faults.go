package emulator

import (
	"errors"
	"strings"
	"time"
)

// The operations, as Fail and the request log name them. CreateToken can also be named with its grant:
// "CreateToken/refresh_token", "CreateToken/authorization_code", "CreateToken/device_code".
const (
	OpRegisterClient           = "RegisterClient"
	OpStartDeviceAuthorization = "StartDeviceAuthorization"
	OpCreateToken              = "CreateToken"
	OpAuthorize                = "Authorize"
	OpListAccounts             = "ListAccounts"
	OpListAccountRoles         = "ListAccountRoles"
	OpGetRoleCredentials       = "GetRoleCredentials"
	OpLogout                   = "Logout"
	OpGetCallerIdentity        = "GetCallerIdentity"
	OpPage                     = "Page"    // anything a person looks at
	OpUnknown                  = "Unknown" // a request the service has no operation for

	opControl = "control"
)

// Drop says when a connection is cut instead of answered.
type Drop string

// When a connection is cut. The difference decides whether a code or single-use token was spent; the client cannot
// see it.
const (
	DropBefore Drop = "before" // the request is not processed
	DropAfter  Drop = "after"  // the request is processed, the answer is lost
)

// Fault is what happens to a request instead of, or besides, its proper answer. A Fault with only Latency delays.
type Fault struct {
	// Error is the name of an exception, such as "InvalidGrantException", "SlowDownException",
	// "TooManyRequestsException" or "InternalServerException"; for GetCallerIdentity an STS error code such as
	// "ExpiredToken". The request is not processed. Any name goes; status and body follow the operation's service.
	Error string `json:"error,omitempty"`
	// Text is the error's description; Reason the third member of invalid_request and access_denied bodies, such as
	// "KMS_DisabledException".
	Text   string `json:"text,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Status overrides the HTTP status.
	Status int `json:"status,omitempty"`
	// Body is sent as it is, as text/html with Status or 200: what a captive portal or a broken proxy answers. The
	// request is not processed.
	Body string `json:"body,omitempty"`
	// Latency is slept before the request is processed, in addition to Server.Latency.
	Latency time.Duration `json:"-"`
	// Drop cuts the connection.
	Drop Drop `json:"drop,omitempty"`
}

// answers reports whether the fault replaces the proper answer.
func (f Fault) answers() bool { return f.Error != "" || f.Body != "" || f.Status != 0 }

func (f Fault) check() error {
	switch {
	case f.Drop != "" && f.Drop != DropBefore && f.Drop != DropAfter:
		return errors.New("drop: want before or after")
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return errors.New("status: want 200 to 599")
	case f.Latency < 0:
		return errors.New("latency: negative")
	case f == Fault{}:
		return errors.New("a fault needs one of error, status, body, latency, drop")
	}
	return nil
}

// knownOp reports whether op names an operation, with or without a grant, or is "".
func knownOp(op string) bool {
	name, grant, _ := strings.Cut(op, "/")
	switch name {
	case "", OpRegisterClient, OpStartDeviceAuthorization, OpAuthorize, OpListAccounts, OpListAccountRoles,
		OpGetRoleCredentials, OpLogout, OpGetCallerIdentity, OpPage, OpUnknown:
		return grant == ""
	case OpCreateToken:
		return grant == "" || grant == "device_code" || grant == grantCode || grant == grantRefresh
	}
	return false
}

// faultQueue holds the faults of the next calls.
type faultQueue struct{ list []*queuedFault }

type queuedFault struct {
	op    string
	left  int // negative: for ever
	fault Fault
}

// next takes the oldest fault for one of the keys.
func (q *faultQueue) next(keys []string) (Fault, bool) {
	for i, f := range q.list {
		for _, k := range keys {
			if f.op != k {
				continue
			}
			if f.left > 0 {
				f.left--
			}
			if f.left == 0 {
				q.list = append(q.list[:i:i], q.list[i+1:]...)
			}
			return f.fault, true
		}
	}
	return Fault{}, false
}

// Fail makes f happen to the next n calls of op, after those that earlier calls of Fail asked for. A negative n means
// until ClearFaults. op is one of the Op constants, or "" for every operation. Fail panics for an op nobody calls and
// for a Fault that does nothing: a test with either would test nothing.
func (s *Server) Fail(op string, n int, f Fault) {
	if !knownOp(op) {
		panic("emulator: Fail: no operation " + op)
	}
	if err := f.check(); err != nil {
		panic("emulator: Fail: " + err.Error())
	}
	if n == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.faults.list = append(s.st.faults.list, &queuedFault{op: op, left: n, fault: f})
}

// ClearFaults forgets what Fail asked for and did not happen yet.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.faults.list = nil
}

// faultKeys are the names under which a fault for c may be queued.
func (c *call) faultKeys() []string {
	keys := []string{c.op, ""}
	if c.log.Grant != "" {
		keys = append(keys, c.op+"/"+c.log.Grant)
	}
	return keys
}

// shortGrant is a grant type as faults and log name it.
func shortGrant(body []byte) string {
	var in struct {
		GrantType string `json:"grantType"`
	}
	decode(body, &in)
	return strings.TrimPrefix(in.GrantType, "urn:ietf:params:oauth:grant-type:")
}

// faultReply makes the answer a fault asks for. s.mu is held.
func (s *Server) faultReply(c *call, f Fault) reply {
	var rep reply
	var reason *string
	if f.Reason != "" {
		reason = &f.Reason
	}
	switch {
	case f.Body != "" || f.Error == "":
		rep = reply{status: 200, body: []byte(f.Body)}
		rep.set("Content-Type", "text/html")
	case c.family == familyPortal:
		rep = s.portalError(c, f.Error, f.Text)
	case c.family == familySTS:
		rep = stsError(f.Error, f.Text)
	default:
		rep = oidcErrorReason(f.Error, f.Text, reason)
	}
	if f.Status != 0 {
		rep.status = f.Status
	}
	return rep
}
