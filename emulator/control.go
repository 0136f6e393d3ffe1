package emulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// controlPath is where tests in other languages steer the emulator; docs/emulator.md describes what is below it.
const controlPath = "/_emulator"

// maxWait bounds how long a control request may wait for a sign-in.
const maxWait = 10 * time.Minute

// controls are the control requests by method and path. Each decodes its body itself and returns what is sent as
// JSON.
var controls = map[string]func(*Server, *http.Request, []byte) (any, error){
	"GET ":             (*Server).controlIndex,
	"GET /pending":     (*Server).controlPending,
	"POST /approve":    (*Server).controlApprove,
	"POST /deny":       (*Server).controlDeny,
	"POST /advance":    (*Server).controlAdvance,
	"POST /fail":       (*Server).controlFail,
	"DELETE /fail":     (*Server).controlClearFaults,
	"POST /end":        (*Server).controlEnd,
	"GET /settings":    (*Server).controlSettings,
	"PATCH /settings":  (*Server).controlChange,
	"GET /directory":   (*Server).controlDirectory,
	"PUT /directory":   (*Server).controlSetDirectory,
	"GET /requests":    (*Server).controlRequests,
	"DELETE /requests": (*Server).controlForget,
}

// done is the answer of a control request that has nothing to tell.
var done = struct{}{}

// controlError is a control request's refusal.
type controlError struct {
	status int
	text   string
}

func (e controlError) Error() string { return e.text }

func (s *Server) serveControl(w http.ResponseWriter, r *http.Request, body []byte) {
	s.mu.Lock()
	s.init()
	s.mu.Unlock()
	key := r.Method + " " + strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, controlPath), "/")
	var answer any
	var err error
	handle, known := controls[key]
	switch {
	case r.Header.Get("Sec-Fetch-Site") == "cross-site":
		err = controlError{http.StatusForbidden, "control requests are not for other sites' pages"}
	case !known:
		err = controlError{http.StatusNotFound, "no such control request: " + r.Method + " " + r.URL.Path}
	default:
		answer, err = handle(s, r, body)
	}
	status := http.StatusOK
	if err != nil {
		status = http.StatusBadRequest
		if e, ok := errors.AsType[controlError](err); ok {
			status = e.status
		}
		answer = struct {
			Error string `json:"error"`
		}{err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(marshal(answer), '\n'))
}

// read decodes a control request's body into v: a JSON object, or nothing at all. Unknown members are errors.
func read(body []byte, v any) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

func (s *Server) controlIndex(r *http.Request, _ []byte) (any, error) {
	base := s.baseURL(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	return struct {
		Region      string            `json:"region"`
		StartURL    string            `json:"start_url"`
		Now         time.Time         `json:"now"`
		Environment map[string]string `json:"environment"`
	}{s.region(), s.startURL(), s.now().UTC(), Environment(base)}, nil
}

// Environment returns the variables that send the AWS CLI and the SDKs to an emulator at baseURL.
func Environment(baseURL string) map[string]string {
	return map[string]string{"AWS_ENDPOINT_URL_SSO_OIDC": baseURL, "AWS_ENDPOINT_URL_SSO": baseURL,
		"AWS_ENDPOINT_URL_STS": baseURL}
}

// controlPending lists the pending sign-ins; ?wait=30s waits for one.
func (s *Server) controlPending(r *http.Request, _ []byte) (any, error) {
	type list struct {
		Pending []PendingSignIn `json:"pending"`
	}
	if wait := r.URL.Query().Get("wait"); wait != "" {
		ctx, cancel, err := waiting(r.Context(), wait)
		if err != nil {
			return nil, err
		}
		defer cancel()
		if _, err := s.Pending(ctx); err != nil && r.Context().Err() != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return list{append([]PendingSignIn{}, s.pending()...)}, nil
}

func waiting(ctx context.Context, wait string) (context.Context, context.CancelFunc, error) {
	d, err := time.ParseDuration(wait)
	if err != nil || d < 0 {
		return nil, nil, controlError{http.StatusBadRequest, "wait: want a duration such as 30s"}
	}
	ctx, cancel := context.WithTimeout(ctx, min(d, maxWait))
	return ctx, cancel, nil
}

func (s *Server) controlApprove(r *http.Request, body []byte) (any, error) {
	return s.controlDecide(r, body, false)
}

func (s *Server) controlDeny(r *http.Request, body []byte) (any, error) {
	return s.controlDecide(r, body, true)
}

// controlDecide answers a sign-in; without id and user code the oldest one, which it waits for up to "wait" (default
// 0s). It reports which one that was: when several clients share an emulator, the oldest may be another client's.
func (s *Server) controlDecide(r *http.Request, body []byte, deny bool) (any, error) {
	in := struct {
		ID       string `json:"id"`
		UserCode string `json:"user_code"`
		User     string `json:"user"`
		Wait     string `json:"wait"`
	}{Wait: "0s"}
	if err := read(body, &in); err != nil {
		return nil, err
	}
	ctx, cancel, err := waiting(r.Context(), in.Wait)
	if err != nil {
		return nil, err
	}
	defer cancel()
	which, redirect, err := s.answer(ctx, Decision{ID: in.ID, UserCode: in.UserCode, User: in.User, Deny: deny})
	switch {
	case errors.Is(err, ErrNoSignIn), errors.Is(err, context.DeadlineExceeded):
		return nil, controlError{http.StatusNotFound, ErrNoSignIn.Error()}
	case err != nil:
		return nil, err
	}
	return struct {
		ID         string `json:"id"`
		Kind       Kind   `json:"kind"`
		ClientName string `json:"client_name"`
		Redirect   string `json:"redirect,omitempty"`
	}{which.ID, which.Kind, which.ClientName, redirect}, nil
}

func (s *Server) controlAdvance(_ *http.Request, body []byte) (any, error) {
	var in struct {
		By Duration `json:"by"`
	}
	if err := read(body, &in); err != nil {
		return nil, err
	}
	if in.By < 0 {
		return nil, errors.New("by: time does not go back")
	}
	s.Advance(time.Duration(in.By))
	return struct {
		Now time.Time `json:"now"`
	}{s.Now().UTC()}, nil
}

func (s *Server) controlFail(_ *http.Request, body []byte) (any, error) {
	in := struct {
		Op      string   `json:"op"`
		Times   int      `json:"times"`
		Latency Duration `json:"latency"`
		Fault
	}{Times: 1}
	if err := read(body, &in); err != nil {
		return nil, err
	}
	in.Fault.Latency = time.Duration(in.Latency)
	if err := in.check(); err != nil {
		return nil, err
	}
	if !knownOp(in.Op) {
		return nil, errors.New("op: no operation " + in.Op)
	}
	s.Fail(in.Op, in.Times, in.Fault)
	return done, nil
}

func (s *Server) controlClearFaults(*http.Request, []byte) (any, error) {
	s.ClearFaults()
	return done, nil
}

func (s *Server) controlEnd(_ *http.Request, body []byte) (any, error) {
	var in struct {
		User string `json:"user"`
	}
	if err := read(body, &in); err != nil {
		return nil, err
	}
	if in.User != "" && !s.knows(in.User) {
		return nil, fmt.Errorf("user: no user %q in the directory", in.User)
	}
	s.EndSession(in.User)
	return done, nil
}

func (s *Server) controlDirectory(*http.Request, []byte) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Directory, nil
}

func (s *Server) controlSetDirectory(_ *http.Request, body []byte) (any, error) {
	d, err := ReadDirectory(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	s.Change(func(s *Server) { s.Directory = d })
	return done, nil
}

// controlRequests lists the log; ?op= keeps one operation, or one grant of CreateToken.
func (s *Server) controlRequests(r *http.Request, _ []byte) (any, error) {
	list := []LoggedRequest{}
	query := r.URL.Query()
	for name := range query {
		if name != "op" {
			return nil, errors.New("no parameter " + name)
		}
	}
	if !knownOp(query.Get("op")) {
		return nil, errors.New("op: no operation " + query.Get("op"))
	}
	op, grant, _ := strings.Cut(query.Get("op"), "/")
	for _, l := range s.Requests() {
		if (op == "" || l.Op == op) && (grant == "" || l.Grant == grant) {
			list = append(list, l)
		}
	}
	return struct {
		Requests []LoggedRequest `json:"requests"`
	}{list}, nil
}

func (s *Server) controlForget(*http.Request, []byte) (any, error) {
	s.ForgetRequests()
	return done, nil
}
