package idc

import (
	"bufio"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/homing-cli/homing/internal/fault"
)

// tlsServer serves one account over TLS and returns the PEM file of its certificate.
func tlsServer(t *testing.T) (base, bundle string) {
	t.Helper()
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w,
			`{"nextToken":null,"accountList":[{"accountId":"1"}]}`) // the client reads it or the test fails
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // refused handshakes are what some tests are about
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	bundle = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}),
		0o600); err != nil {
		t.Fatal(err)
	}
	return s.URL, bundle
}

// accountsBy lists accounts over a real transport made from settings.
func accountsBy(t *testing.T, s Settings, base string) error {
	t.Helper()
	tr, err := Transport(s)
	if err != nil {
		return err
	}
	t.Cleanup(tr.CloseIdleConnections)
	return callAccounts(t.Context(),
		New(Options{Region: "us-east-1", Endpoints: Endpoints{OIDC: base, Portal: base}, HTTPClient: clientOf(tr)}))
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	base, bundle := tlsServer(t)
	host := strings.TrimPrefix(base, "https://")
	t.Run("unknown authority", func(t *testing.T) {
		t.Parallel()
		err := accountsBy(t, settings(nil, nil, nil), base)
		wantFault(t, err, fault.Unavailable, CodeTLS,
			`cannot trust "`+host+`": its certificate is signed by an unknown authority`)
		notSent(t, err)
		if got := fmt.Sprint(fault.RemedyOf(err)); !strings.Contains(got, "AWS_CA_BUNDLE") {
			t.Errorf("remedy = %s", got)
		}
	})
	t.Run("AWS_CA_BUNDLE", func(t *testing.T) {
		t.Parallel()
		if err := accountsBy(t, settings(m{"AWS_CA_BUNDLE": bundle}, m{"ca_bundle": "/nowhere"}, nil), base); err != nil {
			t.Error(err)
		}
	})
	t.Run("ca_bundle", func(t *testing.T) {
		t.Parallel()
		if err := accountsBy(t, settings(nil, m{"ca_bundle": bundle}, nil), base); err != nil {
			t.Error(err)
		}
	})
	t.Run("another host", func(t *testing.T) {
		t.Parallel()
		// The certificate of httptest is for 127.0.0.1 and example.com.
		err := accountsBy(t, settings(m{"AWS_CA_BUNDLE": bundle}, nil, nil),
			strings.Replace(base, "127.0.0.1", "localhost", 1))
		wantFault(
			t,
			err,
			fault.Unavailable,
			CodeTLS,
			`cannot trust "`+strings.Replace(host, "127.0.0.1", "localhost",
				1)+`": its certificate is for another host`,
		)
	})
	t.Run("not TLS", func(t *testing.T) {
		t.Parallel()
		s := httptest.NewServer(http.NotFoundHandler())
		t.Cleanup(s.Close)
		err := accountsBy(t, settings(nil, nil, nil), strings.Replace(s.URL, "http:", "https:", 1))
		wantFault(
			t,
			err,
			fault.Unavailable,
			CodeTLS,
			`cannot trust "`+strings.TrimPrefix(s.URL, "http://")+`": it does not speak TLS`,
		)
	})
}

func TestUnusableBundle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty.pem")
	if err := os.WriteFile(empty, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	missing := filepath.Join(dir, "missing.pem")
	for _, tt := range []struct {
		env, profile m
		msg          string
	}{
		{m{"AWS_CA_BUNDLE": missing}, nil, "AWS_CA_BUNDLE names a file that does not exist: " + quote(missing)},
		{m{"AWS_CA_BUNDLE": empty}, nil, "AWS_CA_BUNDLE names a file without certificates: " + quote(empty)},
		{nil, m{"ca_bundle": empty}, "ca_bundle names a file without certificates: " + quote(empty)},
		{m{"AWS_CA_BUNDLE": dir}, nil, "AWS_CA_BUNDLE names a file that cannot be read: " + quote(dir)},
	} {
		_, err := Transport(settings(tt.env, tt.profile, nil))
		wantFault(t, err, fault.Config, "", tt.msg)
	}
}

func TestProxies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		env       m
		url, want string
	}{
		{"none", nil, "https://oidc.us-east-1.amazonaws.com/token", ""},
		{"https", m{"HTTPS_PROXY": "http://p:1"}, "https://oidc.us-east-1.amazonaws.com/token", "http://p:1"},
		{"host and port", m{"HTTPS_PROXY": "p:1"}, "https://oidc.us-east-1.amazonaws.com/token", "http://p:1"},
		{"lower case first", m{"HTTPS_PROXY": "http://p:1", "https_proxy": "http://q:2"}, "https://x.example/", "http://q:2"},
		{"http is for http", m{"HTTP_PROXY": "http://p:1"}, "https://x.example/", ""},
		{"http", m{"http_proxy": "socks5://p:1"}, "http://x.example/", "socks5://p:1"},
		{"exempt", m{"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".amazonaws.com"}, "https://oidc.us-east-1.amazonaws.com/token", ""},
		{"exempt, lower case first", m{"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*", "no_proxy": "x.example"}, "https://y.example/", "http://p:1"},
		{"this machine", m{"HTTP_PROXY": "http://p:1"}, "http://127.0.0.1:8080/token", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tr, err := Transport(settings(tt.env, nil, nil))
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if tr.Proxy != nil {
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, tt.url, nil)
				if err != nil {
					t.Fatal(err)
				}
				u, err := tr.Proxy(req)
				if err != nil {
					t.Fatal(err)
				}
				if u != nil {
					got = u.String()
				}
			}
			if got != tt.want {
				t.Errorf("proxy = %q, want %q", got, tt.want)
			}
		})
	}
	for name, value := range (m{"HTTPS_PROXY": "http://user:S3CR3T@ host:x", "https_proxy": "ftp://p", "HTTP_PROXY": "http://", "http_proxy": "%zz"}) {
		_, err := Transport(settings(m{name: value}, nil, nil))
		wantFault(t, err, fault.Config, "", name+" is not the address of a proxy")
	}
}

// connectProxy answers CONNECT with a status line of its own and a hostile reason.
func connectProxy(t *testing.T, status string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() }) // ends the loop below
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = http.ReadRequest(bufio.NewReader(conn)) // whatever it asks
			_, _ = io.WriteString(conn, "HTTP/1.1 "+status+"\r\nContent-Length: 0\r\n\r\n")
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

func TestProxyRefuses(t *testing.T) {
	t.Parallel()
	proxy := connectProxy(t, "407 S3CR3T \x1b[2J Authentication Required")
	err := accountsBy(t, settings(m{"HTTPS_PROXY": "http://user:S3CR3T@" + proxy}, nil, nil), "https://portal.example")
	wantFault(t, err, fault.Unavailable, CodeNetwork,
		`cannot reach "portal.example": the proxy refused to connect (status 407)`)
	notSent(t, err)
}

func TestNothingThere(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	t.Run("service", func(t *testing.T) {
		t.Parallel()
		err := accountsBy(t, settings(nil, nil, nil), "http://"+addr)
		wantFault(t, err, fault.Unavailable, CodeNetwork, `cannot reach "`+addr+`": the connection was refused`)
		if got := fmt.Sprint(fault.RemedyOf(err)); !strings.HasPrefix(got, "an endpoint is overridden") {
			t.Errorf("remedy = %s", got)
		}
		notSent(t, err)
		if !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error("the cause is lost")
		}
	})
	t.Run("proxy", func(t *testing.T) {
		t.Parallel()
		err := accountsBy(
			t,
			settings(m{"HTTPS_PROXY": "http://user:S3CR3T@" + addr}, nil, nil),
			"https://portal.example",
		)
		wantFault(t, err, fault.Unavailable, CodeNetwork, `cannot reach "portal.example": the proxy does not answer`)
		notSent(t, err)
	})
}

// TestDroppedAfterSending has a server read the request and hang up: the token may be spent, and is not sent again.
func TestDroppedAfterSending(t *testing.T) {
	t.Parallel()
	requests := make(chan struct{}, 10)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the whole request has come
		requests <- struct{}{}
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(s.Close)
	tr, err := Transport(settings(nil, nil, nil))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.CloseIdleConnections)
	c := New(Options{Region: "us-east-1", Endpoints: Endpoints{OIDC: s.URL, Portal: s.URL}, HTTPClient: clientOf(tr)})
	err = callRefresh(t.Context(), c)
	wantFault(
		t,
		err,
		fault.Unavailable,
		CodeNetwork,
		`no answer from "`+strings.TrimPrefix(s.URL, "http://")+`": the connection was closed`,
	)
	var e *Error
	if !errors.As(err, &e) || !e.Sent {
		t.Error("Sent is false for a request that arrived")
	}
	if len(requests) != 1 {
		t.Errorf("%d requests arrived, want 1", len(requests))
	}
}

// TestNetworkErrors names failures that cannot be had over loopback.
func TestNetworkErrors(t *testing.T) {
	t.Parallel()
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	for _, tt := range []struct {
		name string
		err  error
		code Code
		want string
		sent bool
	}{
		{"no such host", dial(&net.DNSError{Err: "no such host", Name: "x", IsNotFound: true}), CodeNetwork, "there is no such host", false},
		{"resolver down", dial(&net.DNSError{Err: "server misbehaving", Name: "x", Server: "\x1b[2J"}), CodeNetwork, "the name could not be looked up", false},
		{"no route", dial(syscall.EHOSTUNREACH), CodeNetwork, "no connection came about", false},
		{"slow dial", dial(os.ErrDeadlineExceeded), CodeNetwork, "no connection came about in time", false},
		{"reset", &net.OpError{Op: "read", Err: syscall.ECONNRESET}, CodeNetwork, "the connection was closed", true},
		{"closed", io.EOF, CodeNetwork, "the connection was closed", true},
		{"late", context.DeadlineExceeded, CodeNetwork, "it took longer than 1m0s", true},
		{"odd", errors.New("malformed HTTP response \"\x1b[2J\""), CodeNetwork, "the connection failed", true},
		{"expired certificate", x509.CertificateInvalidError{Reason: x509.Expired, Detail: "S3CR3T"}, CodeTLS, "its certificate has expired or is not valid yet", false},
		{"bad certificate", x509.CertificateInvalidError{Reason: x509.NotAuthorizedToSign}, CodeTLS, "its certificate is not valid", false},
		{"no roots", x509.SystemRootsError{}, CodeTLS, "this machine has no certificate authorities (install ca-certificates)", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, _, log := newTestClient(answer{err: tt.err})
			err := callRefresh(t.Context(), c)
			what := "cannot reach"
			switch {
			case tt.code == CodeTLS:
				what = "cannot trust"
			case tt.sent:
				what = "no answer from"
			}
			wantFault(t, err, fault.Unavailable, tt.code, what+` "oidc.us-east-1.amazonaws.com": `+tt.want)
			var e *Error
			if !errors.As(err, &e) || e.Sent != tt.sent {
				t.Errorf("Sent = %t, want %t", e.Sent, tt.sent)
			}
			noSecret(t, log.String())
		})
	}
}

func notSent(t *testing.T, err error) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || e.Sent {
		t.Errorf("Sent is true for a request that never left: %v", err)
	}
}

// TestCookiesAndRedirectsAreNotTaken gives the client a jar and a redirect policy of its own.
func TestCookiesAndRedirectsAreNotTaken(t *testing.T) {
	t.Parallel()
	r := &recorded{
		answers: []answer{{status: 307, header: map[string]string{"Location": "https://evil.example/token"}}},
	}
	c := New(
		Options{
			Region: "us-east-1",
			HTTPClient: &http.Client{
				Transport:     r,
				Jar:           jar{},
				CheckRedirect: func(*http.Request, []*http.Request) error { return nil },
			},
		},
	)
	wantFault(t, callRefresh(t.Context(), c), fault.Unavailable, CodeNonsense, "")
	if len(r.requests) != 1 || r.requests[0].header.Get("Cookie") != "" {
		t.Errorf("requests = %+v", r.requests)
	}
}

type jar struct{}

func (jar) SetCookies(*url.URL, []*http.Cookie) {}
func (jar) Cookies(*url.URL) []*http.Cookie     { return []*http.Cookie{{Name: "a", Value: "b"}} }
