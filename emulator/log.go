package emulator

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// LoggedRequest is one line of the request log. It holds no secret.
type LoggedRequest struct {
	Op        string    `json:"op"`              // an Op constant
	Grant     string    `json:"grant,omitempty"` // CreateToken: device_code, authorization_code, refresh_token
	Time      time.Time `json:"time"`            // arrival, by the emulator's clock
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Status    int       `json:"status"`           // 0 when it was not processed
	Error     string    `json:"error,omitempty"`  // exception or STS code; "" for success
	Fault     string    `json:"fault,omitempty"`  // "fault", "dropped before", "dropped after", "client gone"
	Client    string    `json:"client,omitempty"` // the client's registered name
	ClientID  string    `json:"client_id,omitempty"`
	SignIn    string    `json:"sign_in,omitempty"` // PendingSignIn.ID it belongs to
	User      string    `json:"user,omitempty"`
	Account   string    `json:"account,omitempty"` // portal and STS
	Role      string    `json:"role,omitempty"`
	RequestID string    `json:"request_id,omitempty"` // as sent
	UserAgent string    `json:"user_agent,omitempty"`
}

// maxLog is how many requests the log holds; then its older half is forgotten. A test makes far fewer, a server that
// runs for weeks more.
const maxLog = 100_000

// finish writes a request to the log.
func (s *Server) finish(c *call, rep reply, fault string) {
	s.mu.Lock()
	c.log.Status, c.log.Error, c.log.Fault = rep.status, rep.errTyp, fault
	if c.op == OpUnknown && c.log.Error == "" {
		c.log.Error = "unknown request"
	}
	if len(s.st.log) >= maxLog {
		s.st.log = slices.Delete(s.st.log, 0, maxLog/2)
	}
	s.st.log = append(s.st.log, c.log)
	logger := s.Logger
	s.mu.Unlock()
	if logger == nil {
		return
	}
	level := slog.LevelInfo
	if c.op == OpUnknown {
		level = slog.LevelWarn
	}
	l := c.log
	logger.LogAttrs(context.Background(), level, l.Op, slog.String("method", l.Method), slog.String("path", l.Path),
		slog.Int("status", l.Status), slog.String("error", l.Error), slog.String("fault", l.Fault),
		slog.String("grant", l.Grant), slog.String("client", l.Client), slog.String("user", l.User))
}

// Requests returns the log of all requests so far, control requests excepted, in the order they were answered.
func (s *Server) Requests() []LoggedRequest {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.st.log)
}

// Unexpected returns the logged requests that the service has no operation for: a test of a client fails when there
// are any.
func (s *Server) Unexpected() []LoggedRequest {
	return slices.DeleteFunc(s.Requests(), func(l LoggedRequest) bool { return l.Op != OpUnknown })
}

// ForgetRequests empties the log.
func (s *Server) ForgetRequests() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.st.log = nil
}
