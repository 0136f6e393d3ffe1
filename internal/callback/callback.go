// Package callback brings the redirect that ends a sign-in to the login that waits for it.
//
// A listener on the loopback interface waits for one redirect: GET /oauth/callback with the right state and one code
// (or one error). Whatever else arrives is answered with 400 and changes nothing: no stranger can end a sign-in (RFC
// 8252 8, RFC 9700 2.1). The browser's answer is held back until the caller knows the outcome and says so with
// Finish. A redirect that cannot reach the listener is read from a paste (Parse), or handed over by another process
// of the same user (Announce, Deliver). Exchanging the code is left to the caller. Codes and queries are never
// logged.
package callback

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/homing-cli/homing/internal/fault"
)

// Path is where the browser is redirected to. IAM Identity Center accepts it on 127.0.0.1 with any port.
const Path = "/oauth/callback"

// DefaultPorts are the ports to try when nobody fixes one: the same first choice every time, so that a forward can be
// set up once, then a few for logins at the same time, then any. They are unassigned (IANA, 2026-11), browsers do not
// block them, and they lie outside the ranges that systems draw from (Linux 32768-60999, macOS and Windows
// 49152-65535, old Windows 1025-5000) and Kubernetes exposes (30000-32767): an editor that forwards one finds the
// same number free on the laptop.
var DefaultPorts = []int{14664, 14665, 14666, 14667, 0}

// maxHeader bounds the head of a request: a redirect is one line with a code of a kilobyte or two.
const maxHeader = 32 << 10

// bounds keep one client from taking the listener from the others.
type bounds struct {
	read   time.Duration // for a whole request: a browser, or a tunnel to it, sends its few lines at once
	write  time.Duration // for a page of two kilobytes
	hold   time.Duration // longest time a browser is kept waiting for the outcome
	linger time.Duration // longest wait for the clean page to be fetched once the outcome is known
	conns  int           // beyond it the oldest connection is closed; well under the usual 1,024 descriptors
	grace  time.Duration // but not before it is this old: long enough to be read on a busy machine
}

var usual = bounds{
	read:   5 * time.Second,
	write:  10 * time.Second,
	hold:   3 * time.Minute,
	linger: 2 * time.Second,
	conns:  400,
	grace:  250 * time.Millisecond,
}

// Options say what to listen for.
type Options struct {
	State string // the state of the authorize URL; required
	Ports []int  // tried in order, 0 is any; empty is any
	// Hosts returns the values of Host to accept besides 127.0.0.1, localhost and [::1] when port is listened on:
	// forwarded origins, without scheme. Nil is none.
	Hosts func(port int) []string
	// InWords puts a remedy into words, and into the command line that follows them, if one does. Without it the
	// browser and Deliver learn what failed, but not what to do.
	InWords func(fault.Remedy) (words, command string)
}

// Listener is a bound listener. Its methods are safe for concurrent use.
type Listener struct {
	state  string
	hosts  []string
	port   int
	busy   []Busy
	bounds bounds
	srv    *http.Server
	crowd  *crowd

	inWords func(fault.Remedy) (words, command string)

	redirects chan Redirect // holds at most the one redirect

	mu      sync.Mutex
	taken   *Redirect     // what was delivered
	outcome error         // meaningful once decided is closed
	decided chan struct{} // closed by Finish
	held    int           // browsers waiting for the outcome, or sent to the clean page and not there yet
	clean   chan struct{} // closed when the clean page was delivered
	retract func()        // takes back the announcement; nil when there is none
	closed  bool          // no announcement is wanted any more
}

// Listen binds 127.0.0.1 and, where it can, [::1] with the same port: a tunnel may dial "localhost". The listener
// serves until Finish or Close. Errors are *fault.Error of kind Config naming the port.
func Listen(o Options) (*Listener, error) { return listen(o, usual) }

func listen(o Options, b bounds) (*Listener, error) {
	if o.State == "" {
		return nil, errors.New("callback: no state")
	}
	sockets, busy, err := bind(o.Ports)
	if err != nil {
		return nil, err
	}
	l := &Listener{
		state:     o.State,
		bounds:    b,
		busy:      busy,
		port:      sockets[0].Addr().(*net.TCPAddr).Port,
		redirects: make(chan Redirect, 1),
		decided:   make(chan struct{}),
		clean:     make(chan struct{}),
		crowd:     newCrowd(b.conns, b.grace),
	}
	if l.inWords = o.InWords; l.inWords == nil {
		l.inWords = func(fault.Remedy) (words, command string) { return "", "" }
	}
	if o.Hosts != nil {
		for _, h := range o.Hosts(l.port) {
			l.hosts = append(l.hosts, strings.ToLower(h))
		}
	}
	l.srv = &http.Server{
		Handler:           l,
		ReadHeaderTimeout: b.read,
		ReadTimeout:       b.read,
		WriteTimeout:      b.write, // the browser that is kept waiting gets its own
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          discard,
		ConnState:         l.crowd.note,
		ConnContext:       connContext,

		DisableGeneralOptionsHandler: true, // "OPTIONS *" is a stranger's request like any other
	}
	for _, s := range sockets {
		go func() { _ = l.srv.Serve(s) }() // ErrServerClosed, or the socket is gone and the sign-in times out
	}
	return l, nil
}

// Port returns the port that is listened on.
func (l *Listener) Port() int { return l.port }

// RedirectURI returns the redirect_uri for the authorize URL and the token request.
func (l *Listener) RedirectURI() string {
	return "http://127.0.0.1:" + strconv.Itoa(l.port) + Path
}

// Redirects returns the channel on which the one redirect arrives. It is never closed.
func (l *Listener) Redirects() <-chan Redirect { return l.redirects }

// Finish tells the browser that waits, if any, what became of the sign-in: nil sends it on to a clean page, an error
// is shown in the words of the terminal (message and hint). It then waits, at most two seconds, until that was
// delivered, and closes the listener. Only the first call decides.
func (l *Listener) Finish(ctx context.Context, outcome error) {
	l.mu.Lock()
	select {
	case <-l.decided:
	default:
		l.outcome = outcome
		close(l.decided)
	}
	waiting := l.held > 0
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, l.bounds.linger)
	defer cancel()
	l.unannounce() // whoever comes from now on is too late
	if waiting && outcome == nil {
		select {
		case <-l.clean:
		case <-ctx.Done():
		}
	}
	l.crowd.closeFresh()
	// Shutdown lets a page that is being written out finish.
	if err := l.srv.Shutdown(ctx); err != nil {
		_ = l.srv.Close()
	}
}

// Close stops listening at once. It may be called after Finish, and more than once.
func (l *Listener) Close() error {
	l.unannounce()
	return l.srv.Close()
}
