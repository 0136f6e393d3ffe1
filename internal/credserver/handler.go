package credserver

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/plain"
	"github.com/homing-cli/homing/internal/session"
)

// answer is what every SDK reads. AccountId is read by those that make endpoints of it.
type answer struct {
	AccessKeyID     string `json:"AccessKeyId"`
	SecretAccessKey string
	Token           string
	Expiration      string // RFC 3339, UTC, no fraction: the strictest of them parse nothing else
	AccountID       string `json:"AccountId,omitempty"`
}

// refusal is an error as the Go SDK and others show it.
type refusal struct {
	status  int
	Code    string `json:"code"`
	Message string `json:"message"`
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	if no := s.refuse(r); no != nil {
		s.deny(w, no)
		return
	}
	profile, err := s.profileOf(r.URL.EscapedPath())
	if err != nil {
		s.deny(
			w,
			&refusal{
				http.StatusNotFound,
				"NotFound",
				plain.Line(err.Error(), 200) + ": give its name as the path, such as " + Path(s.example()),
			},
		)
		return
	}
	creds, err := s.Get(r.Context(), profile)
	if err != nil {
		s.deny(w, s.refusalOf(err))
		return
	}
	s.debug("credentials of profile %q given out, good until %s", profile, creds.Expiration.UTC().Format(time.RFC3339))
	write(w, http.StatusOK, answerOf(creds))
}

func (s *Server) example() string {
	if len(s.Profiles) == 0 {
		return "NAME"
	}
	return s.Profiles[0]
}

func answerOf(c session.RoleCredentials) answer {
	return answer{
		c.AccessKeyID, c.SecretAccessKey.Reveal(), c.SessionToken.Reveal(),
		c.Expiration.UTC().Truncate(time.Second).Format(time.RFC3339), c.AccountID,
	}
}

// refuse says why r is not to be answered, nil when it is. The order counts: what comes from a web page learns
// nothing about the token, and who has no token learns nothing about the rest.
func (s *Server) refuse(r *http.Request) *refusal {
	if !s.ours(r.Host) {
		// A name that another's DNS leads to loopback: a page under that name would be of one origin with this
		// server.
		return &refusal{http.StatusForbidden, "Forbidden", "the Host is not that of this server"}
	}
	for name := range r.Header {
		if name == "Origin" || strings.HasPrefix(name, "Sec-Fetch-") {
			return &refusal{http.StatusForbidden, "Forbidden", "this server is not for browsers"}
		}
	}
	if given := r.Header.Values("Authorization"); len(given) != 1 || s.Token.IsZero() ||
		!same(given[0], s.Token.Reveal()) {
		return &refusal{
			http.StatusUnauthorized,
			"Unauthorized",
			"the Authorization header does not hold the token of this server",
		}
	}
	if r.Method != http.MethodGet {
		return &refusal{http.StatusMethodNotAllowed, "MethodNotAllowed", "only GET is answered"}
	}
	return nil
}

// same compares in a time that depends on neither text, length included.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// ours reports whether a Host header names this server: a loopback name and the port.
func (s *Server) ours(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil || port != strconv.Itoa(s.Port) {
		return false
	}
	return name == "127.0.0.1" || name == "::1" || strings.EqualFold(name, "localhost")
}

// refusalOf says err such that SDKs do the right thing: a 4xx they give up on, a 5xx they try again.
func (s *Server) refusalOf(err error) *refusal {
	r := &refusal{http.StatusInternalServerError, "InternalError", err.Error()}
	switch fault.KindOf(err) {
	case fault.SignInNeeded:
		r.status, r.Code = http.StatusForbidden, "SignInNeeded"
	case fault.Denied:
		r.status, r.Code = http.StatusForbidden, "AccessDenied"
	case fault.Config, fault.Usage:
		r.status, r.Code = http.StatusBadRequest, "InvalidConfiguration"
	case fault.Unavailable:
		r.status, r.Code = http.StatusServiceUnavailable, "ServiceUnavailable"
	case fault.TimedOut, fault.Interrupted:
		r.status, r.Code = http.StatusGatewayTimeout, "Timeout"
	}
	if s.Hint != nil {
		if hint := s.Hint(err); hint != "" {
			r.Message += "; " + hint
		}
	}
	r.Message = plain.Line(r.Message, 1000)
	return r
}

func (s *Server) deny(w http.ResponseWriter, r *refusal) {
	s.debug("request answered with %d %s: %s", r.status, r.Code, r.Message)
	if r.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodGet)
	}
	write(w, r.status, r)
}

// write sends v. An error does not matter: the client may have gone.
func write(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil { // none of the two types can fail
		status, text = http.StatusInternalServerError, []byte(`{"code":"InternalError","message":"internal error"}`)
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text)
}
