package emulator

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"
)

// What an emulator is when its fields are left alone.
const (
	// DefaultRegion is the region of a Server whose Region is empty.
	DefaultRegion = "us-east-1"
	// DefaultStartURL is the start URL of a Server whose StartURL is empty.
	DefaultStartURL = "https://d-9067f00d42.awsapps.com/start"
)

// Server is an IAM Identity Center with its portal, its pages and an STS that knows the credentials it hands out: one
// http.Handler for AWS_ENDPOINT_URL_SSO_OIDC, AWS_ENDPOINT_URL_SSO and AWS_ENDPOINT_URL_STS alike.
//
// The zero value works. Set fields before the first request; afterwards use Change, which is safe while requests are
// being served. All methods may be called by many goroutines at once. A Server must not be copied.
type Server struct {
	// Region is the one region this instance lives in; "" means DefaultRegion. It ends every client id.
	Region string
	// StartURL is the start URL of the instance, without fragment; "" means DefaultStartURL. RegisterClient (when it
	// carries an issuerUrl) and StartDeviceAuthorization refuse any other.
	StartURL string
	// Directory holds the people, accounts and roles; nil means DefaultDirectory().
	Directory *Directory

	// BaseURL is the origin under which a browser reaches this handler, such as "http://127.0.0.1:4000"; "" means the
	// scheme and Host of each request. Verification URIs and redirects between pages start with it.
	BaseURL string
	// IDPOrigin is the origin of the external identity provider's sign-in form; "" means the same port by the other
	// loopback name (localhost for 127.0.0.1 or [::1], 127.0.0.1 for localhost), or BaseURL for any other host.
	IDPOrigin string
	// Verification chooses the form of the verification URIs; "" means VerificationDevice.
	Verification VerificationForm
	// AutoApprove signs the first person of the Directory in and allows the request as soon as anything visits the
	// authorize URL or the complete verification URL: no form, no click. For browsers that cannot click, such as
	// BROWSER="curl -sL".
	AutoApprove bool

	// AccessTokenLife is the life of an access token of a client with scopes; 0 means one hour. No access token
	// outlives its portal session.
	AccessTokenLife time.Duration
	// UnscopedTokenLife is the life of an access token of a client without scopes; 0 means eight hours.
	UnscopedTokenLife time.Duration
	// SessionLife is how long a portal session lasts after the person signed in; 0 means eight hours.
	SessionLife time.Duration
	// CodeLife is how long device codes and authorization codes can be redeemed; 0 means 600 seconds.
	CodeLife time.Duration
	// RegistrationLife is the life of a client registration; 0 means 90 days.
	RegistrationLife time.Duration
	// Interval is the polling interval StartDeviceAuthorization names; 0 means one second, as always seen.
	Interval time.Duration

	// Switches choose the other reading where the record of the real service is contradictory or silent.
	Switches Switches

	// SlowDowns is how many of the first polls of each device sign-in are answered with slow_down. The real service
	// was never seen to send it; RFC 8628 section 3.5 allows it.
	SlowDowns int
	// Latency is slept before each request is processed, pages and control endpoint excepted.
	Latency time.Duration
	// PortalRate is how many portal calls within one second are served before TooManyRequestsException; 0 means any.
	PortalRate int
	// RetryAfter, when positive, is sent as a Retry-After header with TooManyRequestsException. None was ever seen.
	RetryAfter time.Duration
	// ClockSkew is added to every time the service tells or compares with a client's: the Date header, absolute
	// expiry times, the time of a signature. What has lapsed is decided without it. See also Advance.
	ClockSkew time.Duration
	// DeviceGrantRefused makes StartDeviceAuthorization answer UnauthorizedClientException.
	DeviceGrantRefused bool

	// Logger receives one line a request; nil means none. No secret is ever logged.
	Logger *slog.Logger
	// Rand is the source of codes, tokens and ids; nil means crypto/rand. Reads from it are serialised. It must
	// neither fail (the Server panics) nor repeat itself for ever.
	Rand io.Reader

	mu sync.Mutex // guards every field, exported ones included
	st state
}

// Change runs f with the Server's lock held, so that f may set exported fields while requests are being served.
// f must not call methods of s.
func (s *Server) Change(f func(s *Server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
	if s.Directory == nil {
		s.Directory = DefaultDirectory()
	}
}

// Advance moves the emulator's clock forward by d: codes, tokens, sessions and registrations lapse as if d had
// passed. The clock is otherwise the process's, which in a testing/synctest bubble is the bubble's.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.advanced += d
}

// Now returns the emulator's time, without ClockSkew.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// now is Now with s.mu held.
func (s *Server) now() time.Time { return time.Now().UTC().Add(s.st.advanced) }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "request body: "+err.Error(), http.StatusBadRequest)
		return
	}
	rt := s.route(r, body)
	if rt.op == opControl {
		s.serveControl(w, r, body)
		return
	}
	c := &call{r: r, body: body, op: rt.op, family: rt.family, base: s.baseURL(r)}
	c.log = LoggedRequest{Op: rt.op, Method: r.Method, Path: r.URL.Path, UserAgent: r.UserAgent()}
	if rt.op == OpCreateToken {
		c.log.Grant = shortGrant(body)
	}

	f, faulty := s.arrive(c)
	if f.Latency > 0 && !sleep(r.Context(), f.Latency) {
		s.finish(c, reply{}, "client gone")
		panic(http.ErrAbortHandler)
	}
	if f.Drop == DropBefore {
		s.finish(c, reply{}, "dropped before")
		panic(http.ErrAbortHandler)
	}
	rep := s.process(c, rt, f)
	if f.Drop == DropAfter {
		s.finish(c, rep, "dropped after")
		panic(http.ErrAbortHandler)
	}
	note := ""
	if faulty {
		note = "fault"
	}
	s.finish(c, rep, note)
	rep.write(w, r)
}

// arrive notes the time of a request and takes the fault that is due. The fault's latency includes the Server's.
func (s *Server) arrive(c *call) (f Fault, faulty bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	c.log.Time = s.now()
	f, faulty = s.st.faults.next(c.faultKeys())
	if c.family != familyPage {
		f.Latency += s.Latency
	}
	return f, faulty
}

// process makes the answer. The whole of it happens under the lock, so that no two requests can redeem one code.
func (s *Server) process(c *call, rt route, f Fault) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.now = s.now()
	var rep reply
	switch {
	case f.answers():
		rep = s.faultReply(c, f)
	case c.family == familyPortal && emptyContentType(c.r):
		rep = tomcatReply()
	case c.family == familyPortal && s.throttled(c.now):
		rep = s.portalError(c, "TooManyRequestsException", s.Switches.throttleText())
	default:
		rep = rt.handle(s, c)
	}
	s.dress(c, &rep)
	return rep
}

// maxBody is the most bytes of a request body that are read; the largest real request is about 6 kB.
const maxBody = 1 << 20

// sleep waits for d or until ctx is done, and reports whether it slept to the end.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// call is one request on its way through the emulator.
type call struct {
	r      *http.Request
	body   []byte
	op     string
	family family
	base   string // origin a browser reaches this handler by
	now    time.Time
	log    LoggedRequest
}

// baseURL returns s.BaseURL or the origin the request was sent to.
func (s *Server) baseURL(r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.BaseURL != "" {
		return strings.TrimSuffix(s.BaseURL, "/")
	}
	return requestOrigin(r)
}

func requestOrigin(r *http.Request) string {
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	return scheme + "://" + host
}
