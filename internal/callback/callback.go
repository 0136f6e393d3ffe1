// Package callback is the loopback listener that the browser is redirected to after a sign-in, and the pages it shows.
//
// A listener waits for one redirect: GET /oauth/callback with the right state and one code (or one error). Whatever
// else arrives is answered with 400 and changes nothing: no stranger can end a sign-in (RFC 8252 8, RFC 9700 2.1).
// The browser's answer is held back until the caller knows the outcome and says so with Finish. Exchanging the code is
// left to the caller. Codes and queries are never logged.
package callback

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// Path is where the browser is redirected to. IAM Identity Center accepts it on 127.0.0.1 with any port.
const Path = "/oauth/callback"

// A redirect is one request line with a code of some hundred bytes; several kilobytes are allowed for.
const (
	maxHeader = 32 << 10
	maxValue  = 16 << 10
)

// bounds keep one client from taking the listener from the others.
type bounds struct {
	read   time.Duration // for a whole request: a browser, or a tunnel to it, sends its few lines at once
	write  time.Duration // for a page of two kilobytes
	hold   time.Duration // longest time a browser is kept waiting for the outcome
	linger time.Duration // longest wait for the clean page to be fetched once the outcome is known
	conns  int           // beyond it the oldest connection is closed; well under the usual 1,024 descriptors
}

var usual = bounds{read: 5 * time.Second, write: 10 * time.Second, hold: 3 * time.Minute, linger: 2 * time.Second, conns: 200}

// Options say what to listen for.
type Options struct {
	State string // the state of the authorize URL; required
	Ports []int  // tried in order, 0 is any; empty is any
	// Hosts returns the values of Host to accept besides 127.0.0.1, localhost and [::1] when port is listened on:
	// forwarded origins, without scheme. Nil is none.
	Hosts func(port int) []string
}

// Redirect is what the browser brought back. Either Code or Error is set.
type Redirect struct {
	Code        session.Secret
	Error       string // the OAuth error code, such as "access_denied"; from a stranger who knew the state: print it with care
	Description string // error_description, may be empty
}

// Listener is a bound listener. Its methods are safe for concurrent use.
type Listener struct {
	state  string
	hosts  []string
	port   int
	bounds bounds
	srv    *http.Server
	crowd  *crowd

	redirects chan Redirect // holds at most the one redirect

	mu      sync.Mutex
	taken   *Redirect     // what was delivered
	outcome error         // meaningful once decided is closed
	decided chan struct{} // closed by Finish
	held    int           // browsers waiting for the outcome, or sent to the clean page and not there yet
	clean   chan struct{} // closed when the clean page was delivered
}

// Listen binds 127.0.0.1 and, where it can, [::1] with the same port: a tunnel may dial "localhost". The listener
// serves until Finish or Close. Errors are *fault.Error of kind Config naming the port.
func Listen(o Options) (*Listener, error) { return listen(o, usual) }

func listen(o Options, b bounds) (*Listener, error) {
	if o.State == "" {
		return nil, errors.New("callback: no state")
	}
	sockets, err := bind(o.Ports)
	if err != nil {
		return nil, err
	}
	l := &Listener{
		state:     o.State,
		bounds:    b,
		port:      sockets[0].Addr().(*net.TCPAddr).Port,
		redirects: make(chan Redirect, 1),
		decided:   make(chan struct{}),
		clean:     make(chan struct{}),
		crowd:     newCrowd(b.conns),
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
	}
	// Every answer ends its connection: nothing is left open to wait for when the listener closes.
	l.srv.SetKeepAlivesEnabled(false)
	for _, s := range sockets {
		go func() { _ = l.srv.Serve(s) }() // ErrServerClosed, or the socket is gone and the sign-in times out
	}
	return l, nil
}

// bind opens the sockets for the first port that is free.
func bind(ports []int) ([]net.Listener, error) {
	if len(ports) == 0 {
		ports = []int{0}
	}
	var last error
	for _, port := range ports {
		// A free port on 127.0.0.1 may be somebody else's on [::1], who would then get what a tunnel dials as
		// "localhost". Where we may choose, we choose again.
		for range 5 {
			v4, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err != nil {
				last = err
				break
			}
			bound := v4.Addr().(*net.TCPAddr).Port
			v6, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(bound)))
			if err == nil {
				return []net.Listener{v4, v6}, nil
			}
			if port != 0 || !inUse(err) {
				return []net.Listener{v4}, nil
			}
			_ = v4.Close()
			last = err
		}
	}
	return nil, bindError(ports, last)
}

func bindError(ports []int, err error) error {
	switch fixed := slices.DeleteFunc(slices.Clone(ports), func(p int) bool { return p == 0 }); {
	case len(fixed) == 1 && inUse(err):
		return &fault.Error{Kind: fault.Usage, Msg: fmt.Sprintf("port %d on 127.0.0.1 is in use", fixed[0]),
			Hint: "run it without --redirect-port to take any free port, such as: homing login", Err: err}
	case len(fixed) > 0:
		return &fault.Error{Kind: fault.Config, Msg: fmt.Sprintf("cannot listen on 127.0.0.1, port %s", join(fixed)),
			Hint: "run: homing login --use-device-code", Err: err}
	}
	return &fault.Error{Kind: fault.Config, Msg: "cannot listen on 127.0.0.1",
		Hint: "run: homing login --use-device-code", Err: err}
}

func join(ports []int) string {
	var b strings.Builder
	for i, p := range ports {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(p))
	}
	return b.String()
}

// Port returns the port that is listened on.
func (l *Listener) Port() int { return l.port }

// RedirectURI returns the redirect_uri for the authorize URL and the token request.
func (l *Listener) RedirectURI() string {
	return "http://127.0.0.1:" + strconv.Itoa(l.port) + Path
}

// Redirects returns the channel on which the one redirect arrives. It is never closed.
func (l *Listener) Redirects() <-chan Redirect { return l.redirects }

// Finish tells the browser that waits, if any, what became of the sign-in: nil sends it on to a clean page, an error is
// shown in the words of the terminal (message and hint). It then waits, at most two seconds, until that was
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
func (l *Listener) Close() error { return l.srv.Close() }
