package callback

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// ServeHTTP implements http.Handler. Whatever is not the redirect, by host, method, path or query, gets the same 400:
// a stranger learns nothing from it, and ends nothing.
func (l *Listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case !l.knownHost(r.Host), r.Method != http.MethodGet:
		refuse(w)
	case r.URL.Path == Path && r.URL.RawPath == "":
		l.callback(w, r)
	case r.URL.Path == donePath && l.succeeded():
		write(w, http.StatusOK, donePage)
		l.delivered()
	default:
		refuse(w)
	}
}

// knownHost reports whether the request was made for us: under a loopback name with whatever port a tunnel has, or
// under an origin known to forward to us. Any other name may be a web page that rebound its own name to 127.0.0.1.
func (l *Listener) knownHost(host string) bool {
	host = strings.ToLower(host)
	if slices.Contains(l.hosts, host) {
		return true
	}
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port = host, ""
	}
	if strings.Trim(port, "0123456789") != "" {
		return false
	}
	switch name {
	case "127.0.0.1", "localhost", "[::1]":
		return true
	case "::1":
		return err == nil // SplitHostPort has taken the brackets; without them it is no valid Host
	}
	return false
}

func (l *Listener) callback(w http.ResponseWriter, r *http.Request) {
	if challenge := r.Header.Get(challengeHeader); challenge != "" && handed(r) {
		l.prove(w, challenge)
		return
	}
	got, ok := l.read(r)
	if !ok || !l.take(got) {
		refuse(w)
		return
	}
	l.crowd.keep(r.Context())
	// The outcome takes as long as the exchange does, with its retries.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(l.bounds.hold + l.bounds.write))
	timer := time.NewTimer(l.bounds.hold)
	defer timer.Stop()
	select {
	case <-l.decided:
	case <-r.Context().Done(): // the tab was closed
		l.gone(got)
		return
	case <-timer.C:
		l.gone(got)
		if got.Handed {
			writeOutcome(w, http.StatusGatewayTimeout, l.failed(errUndecided))
			return
		}
		write(w, http.StatusGatewayTimeout, undecidedPage)
		return
	}
	switch err := l.result(); {
	case got.Handed && err == nil:
		writeOutcome(w, http.StatusOK, outcome{Completed: true})
	case got.Handed:
		writeOutcome(w, statusOf(err), l.failed(err))
	case err != nil:
		write(w, statusOf(err), l.failurePage(err))
		l.gone(got)
	default:
		// Relative, so that it holds below the path prefix of a proxy too. The code leaves the address bar and the
		// history.
		header(w)
		w.Header().Set("Location", "../done")
		w.WriteHeader(http.StatusFound)
	}
}

// read returns what r brings, if it is a redirect for our sign-in.
func (l *Listener) read(r *http.Request) (Redirect, bool) {
	// A redirect is followed by a navigation. Scripts of other pages say who they are.
	if r.Header.Get("Origin") != "" {
		return Redirect{}, false
	}
	if mode := r.Header.Get("Sec-Fetch-Mode"); mode != "" && mode != "navigate" {
		return Redirect{}, false
	}
	isHanded := handed(r)
	if r.Header.Get(handedHeader) != "" && !isHanded {
		return Redirect{}, false
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return Redirect{}, false
	}
	state, got, ok := redirectIn(query)
	if !ok || subtle.ConstantTimeCompare([]byte(state), []byte(l.state)) != 1 {
		return Redirect{}, false
	}
	got.Handed = isHanded
	// A tunnel carries the Host header as it is; proxies forward their own, or make it localhost.
	got.Swapped = !isHanded && r.Host != "127.0.0.1" && !strings.HasPrefix(r.Host, "127.0.0.1:")
	return got, true
}

// take delivers the first redirect. The same one again (a reload, a prefetch that was thrown away) waits for the same
// outcome; a different one is refused.
func (l *Listener) take(got Redirect) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.taken == nil:
		l.taken = &got
		l.redirects <- got
	case !l.taken.Code.Equal(got.Code) || l.taken.Error != got.Error:
		return false
	}
	if !got.Handed {
		l.held++
	}
	return true
}

// gone counts a browser that was held and needs no clean page.
func (l *Listener) gone(got Redirect) {
	if got.Handed {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held--
}

// delivered notes that the clean page was written.
func (l *Listener) delivered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case <-l.clean:
	default:
		close(l.clean)
	}
}

func (l *Listener) succeeded() bool {
	select {
	case <-l.decided:
		return l.result() == nil
	default:
		return false
	}
}

func (l *Listener) result() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outcome
}
