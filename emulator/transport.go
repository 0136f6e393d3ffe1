package emulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// ErrDropped is the cause of the error that Transport returns for a connection the emulator dropped.
var ErrDropped = errors.New("emulator: connection dropped")

// Transport returns an http.RoundTripper that calls s without sockets, whatever the URL's host is. With it a client,
// its waits and the emulator fit into one testing/synctest bubble. A client whose requests also go elsewhere, to a
// loopback listener say, has to tell them apart itself.
func (s *Server) Transport() http.RoundTripper { return direct{s} }

type direct struct{ handler http.Handler }

func (d direct) RoundTrip(req *http.Request) (*http.Response, error) {
	var body []byte
	if req.Body != nil {
		b, err := io.ReadAll(req.Body)
		closeErr := req.Body.Close()
		if err = errors.Join(err, closeErr); err != nil {
			return nil, err
		}
		body = b
	}
	in := req.Clone(req.Context())
	in.Body, in.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	in.RequestURI, in.RemoteAddr = req.URL.RequestURI(), "127.0.0.1:1"
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if in.Header == nil {
		in.Header = http.Header{}
	}
	rec := &recorder{header: http.Header{}}
	done := make(chan error, 1)
	go func() {
		defer func() {
			switch v := recover(); v {
			case nil:
				done <- nil
			case http.ErrAbortHandler:
				done <- ErrDropped
			default:
				panic(v)
			}
		}()
		d.handler.ServeHTTP(rec, in)
	}()
	select {
	case err := <-done:
		if err != nil {
			if ctxErr := context.Cause(req.Context()); ctxErr != nil {
				err = ctxErr
			}
			return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
		}
	case <-req.Context().Done():
		return nil, context.Cause(req.Context())
	}
	if rec.header.Get("Date") == "" {
		rec.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	}
	length := int64(rec.body.Len())
	if n, err := strconv.ParseInt(rec.header.Get("Content-Length"), 10, 64); err == nil &&
		req.Method == http.MethodHead {
		length = n
	}
	if req.Method == http.MethodHead {
		rec.body.Reset()
	}
	status := or(rec.status, http.StatusOK)
	return &http.Response{Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: rec.header, Body: io.NopCloser(&rec.body),
		ContentLength: length, Request: req}, nil
}

// recorder is the http.ResponseWriter of direct.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}
