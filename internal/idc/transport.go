package idc

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/net/http/httpproxy"

	"github.com/homing-cli/homing/internal/fault"
)

const (
	// dialTimeout and handshakeTimeout bound the way to the service: Go's own 10 seconds for a handshake, and the same
	// for a connection, where Go and botocore allow 30 and 60. The rest of an attempt is bounded by attemptTimeout.
	dialTimeout      = 10 * time.Second
	handshakeTimeout = 10 * time.Second
	// idleTimeout is short, because a person thinks between two calls: a request on a connection that a firewall has
	// forgotten in the meantime would spend a code without an answer.
	idleTimeout = 15 * time.Second
	// idlePerHost keeps the connections of a long list that is read side by side: with Go's own two, most of its calls
	// would begin with a handshake.
	idlePerHost = 32
	// maxHeader bounds the header of an answer; Go's own limit is 10 MB.
	maxHeader = 256 << 10
)

// Transport returns the way to the service: proxies from HTTPS_PROXY, HTTP_PROXY and NO_PROXY (lower case first),
// certificate authorities from AWS_CA_BUNDLE, else ca_bundle, in place of the system's, as the AWS CLI has it. A bundle
// or a proxy that cannot be used is a *fault.Error of kind Config.
func Transport(s Settings) (*http.Transport, error) {
	t := bareTransport()
	proxy, err := proxies(s.Getenv)
	if err != nil {
		return nil, err
	}
	t.Proxy = proxy
	origin, file := "AWS_CA_BUNDLE", s.Getenv("AWS_CA_BUNDLE")
	if file == "" {
		origin, file = "ca_bundle", s.profile("ca_bundle")
	}
	if file == "" {
		return t, nil
	}
	roots, err := bundle(origin, file)
	if err != nil {
		return nil, err
	}
	t.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return t, nil
}

// bareTransport is a Transport without settings.
func bareTransport() *http.Transport {
	return &http.Transport{
		DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:    handshakeTimeout,
		IdleConnTimeout:        idleTimeout,
		MaxIdleConnsPerHost:    idlePerHost,
		MaxResponseHeaderBytes: maxHeader,
		ForceAttemptHTTP2:      true,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusOK {
				return &proxyRefusal{resp.StatusCode}
			}
			return nil
		},
	}
}

// proxies checks the variables, since httpproxy ignores what it cannot read and would go round the proxy, and repeats
// passwords in its errors.
func proxies(getenv func(string) string) (func(*http.Request) (*url.URL, error), error) {
	value := func(names ...string) (string, error) {
		for _, name := range names {
			v := getenv(name)
			if v == "" {
				continue
			}
			if !proxyURL(v) {
				return "", fault.New(fault.Config, "give an address such as http://proxy.example:3128", "%s is not the address of a proxy", name)
			}
			return v, nil
		}
		return "", nil
	}
	https, err := value("https_proxy", "HTTPS_PROXY")
	if err != nil {
		return nil, err
	}
	plainHTTP, err := value("http_proxy", "HTTP_PROXY")
	if err != nil {
		return nil, err
	}
	no := getenv("no_proxy")
	if no == "" {
		no = getenv("NO_PROXY")
	}
	if https == "" && plainHTTP == "" {
		return nil, nil
	}
	choose := (&httpproxy.Config{HTTPSProxy: https, HTTPProxy: plainHTTP, NoProxy: no}).ProxyFunc()
	return func(r *http.Request) (*url.URL, error) { return choose(r.URL) }, nil
}

// proxyURL reports whether v is a proxy that net/http can use; "host:port" is one over HTTP.
func proxyURL(v string) bool {
	if !strings.Contains(v, "://") {
		v = "http://" + v
	}
	u, err := url.Parse(v)
	if err != nil || u.Hostname() == "" {
		return false
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return true
	}
	return false
}

func bundle(origin, file string) (*x509.CertPool, error) {
	const advice = fault.Advice("give a file of PEM certificates")
	pem, err := os.ReadFile(file)
	if err != nil {
		why := "cannot be read"
		if errors.Is(err, fs.ErrNotExist) {
			why = "does not exist"
		}
		msg := origin + " names a file that " + why + ": " + quote(file)
		return nil, &fault.Error{Kind: fault.Config, Msg: msg, Remedy: advice, Err: err}
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fault.Suggest(fault.Config, advice, "%s names a file without certificates: %s", origin, quote(file))
	}
	return roots, nil
}
