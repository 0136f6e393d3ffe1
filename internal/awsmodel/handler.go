package awsmodel

import (
	"bufio"
	"bytes"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
)

// Checks says what Handler holds against the models.
type Checks uint8

// The two sides of a call. A test that makes the server misbehave on purpose checks the requests alone.
const (
	Requests Checks = 1 << iota
	Answers
)

// Handler returns next with every call to a modelled operation of sso-oidc, sso or sts checked; a problem fails the
// test and the call goes on. Other paths (pages, /authorize, control endpoints) pass untouched, and so does what next
// does to a connection it takes over. When the test ends without any call checked, it fails.
//
// Answers are held back until next returns, so it is not for streams.
func Handler(t testing.TB, next http.Handler, checks Checks) http.Handler {
	t.Helper()
	models := []*Model{Load(t, "sso-oidc"), Load(t, "sso"), Load(t, "sts")}
	var calls atomic.Int64
	t.Cleanup(func() {
		if calls.Load() == 0 && !t.Failed() && !t.Skipped() {
			t.Error("awsmodel: no call to any modelled operation was seen, so nothing was checked")
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, m := range models {
			op := m.Operation(r)
			if op == "" {
				continue
			}
			calls.Add(1)
			m.serve(t, w, r, next, op, checks)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (m *Model) serve(t testing.TB, w http.ResponseWriter, r *http.Request, next http.Handler, op string,
	checks Checks) {
	if checks&Requests != 0 {
		body, err := bodyOf(r)
		if err = errors.Join(err, m.CheckRequest(op, r, body)); err != nil {
			t.Errorf("request of %s (%s) against the model:\n%v", op, r.UserAgent(), err)
		}
	}
	if checks&Answers == 0 {
		next.ServeHTTP(w, r)
		return
	}
	held := &heldAnswer{ResponseWriter: w, status: http.StatusOK}
	next.ServeHTTP(held, r)
	if held.taken {
		return
	}
	if err := m.CheckResponse(op, held.status, w.Header(), held.body.Bytes()); err != nil {
		t.Errorf("answer to %s, status %d, against the model:\n%v", op, held.status, err)
	}
	w.WriteHeader(held.status)
	_, _ = w.Write(held.body.Bytes()) // the client may have gone; that is its business
}

// heldAnswer keeps an answer back, so that it can be checked whole.
type heldAnswer struct {
	http.ResponseWriter
	status int
	wrote  bool
	taken  bool
	body   bytes.Buffer
}

func (h *heldAnswer) WriteHeader(status int) {
	if !h.wrote {
		h.status, h.wrote = status, true
	}
}

func (h *heldAnswer) Write(b []byte) (int, error) {
	h.wrote = true
	return h.body.Write(b)
}

// Hijack implements http.Hijacker for a server that drops connections.
func (h *heldAnswer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	h.taken = true
	return http.NewResponseController(h.ResponseWriter).Hijack()
}
