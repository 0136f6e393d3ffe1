package idc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
)

// networkError names the way a request failed without an answer. The texts of package net and crypto/tls are not
// repeated: they may quote a proxy or a certificate, which anybody can write.
func networkError(k *call, host string, err error) *Error {
	e := &Error{Op: k.op, Host: host, Code: CodeNetwork, Err: err}
	var (
		proxy *proxyRefusal
		dns   *net.DNSError
		op    *net.OpError
	)
	switch {
	case errors.As(err, &proxy):
		e.Description = fmt.Sprintf("the proxy refused to connect (status %d)", proxy.status)
		e.advice = "check HTTPS_PROXY, its user name and password, and NO_PROXY"
	case trust(err) != "":
		e.Code, e.Description = CodeTLS, trust(err)
		if e.Description == certificateOver {
			e.advice = "check the clock of this machine with: date -u"
		}
	case errors.As(err, &op) && op.Op == "proxyconnect":
		e.Description = "the proxy does not answer"
		e.advice = "check HTTPS_PROXY and NO_PROXY"
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Description = "there is no such host"
	case errors.As(err, &dns):
		e.Description = "the name could not be looked up"
	case errors.Is(err, syscall.ECONNREFUSED):
		e.Description = "the connection was refused"
	case errors.As(err, &op) && op.Op == "dial" && op.Timeout():
		e.Description = "no connection came about in time"
	case errors.As(err, &op) && op.Op == "dial":
		e.Description = "no connection came about"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), timeout(err):
		e.Description, e.Sent = fmt.Sprintf("it took longer than %s", attemptTimeout), true
	case errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF),
		errors.Is(err, syscall.ECONNRESET),
		errors.Is(err, net.ErrClosed):
		e.Description, e.Sent, e.again = "the connection was closed", true, true
	default:
		e.Description, e.Sent, e.again = "the connection failed", true, true
	}
	return e
}

func timeout(err error) bool {
	var t net.Error
	return errors.As(err, &t) && t.Timeout()
}

const certificateOver = "its certificate has expired or is not valid yet"

// trust says why a TLS handshake failed, "" when err is something else.
func trust(err error) string {
	var (
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
		verify   *tls.CertificateVerificationError
		record   tls.RecordHeaderError
		alert    tls.AlertError
		roots    x509.SystemRootsError
	)
	switch {
	case errors.As(err, &unknown):
		return "its certificate is signed by an unknown authority"
	case errors.As(err, &hostname):
		return "its certificate is for another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return certificateOver
	case errors.As(err, &roots):
		return "this machine has no certificate authorities (install ca-certificates)"
	case errors.As(err, &invalid), errors.As(err, &verify):
		return "its certificate is not valid"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "it does not speak TLS"
	case errors.As(err, &alert):
		return "it refused the TLS handshake"
	}
	return ""
}

// proxyRefusal is a proxy's answer to CONNECT that is not 200.
type proxyRefusal struct{ status int }

func (e *proxyRefusal) Error() string {
	return fmt.Sprintf("proxy answers CONNECT with status %d", e.status)
}
