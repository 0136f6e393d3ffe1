// Package signin signs a person in: by authorization code with PKCE (RFC 7636, RFC 8252) or by device code (RFC
// 8628).
//
// A sign-in is one pure transition, step, from a state and an input to the next state and the effects it wants. It
// does no I/O and uses no clock and no randomness (step.go, pkce.go, device.go). The runner performs the effects and
// feeds their results back (run.go). The two grants are independent parts of one state: both can be alive at once,
// because a person pressed a key or because the other grant failed (switch.go), and the first to finish wins. The
// redirect may reach the listener, come from another process, or be pasted; until it does, the runner names the ways
// to bring it here one by one (ways.go). What happened goes to the caller as events, which are data (event.go,
// notice.go).
//
// The one rule: before a grant is spent, the token file is locked and has room for the new token. The lock is held
// for that one request only, never while a person acts. Nothing is written before that, so a sign-in that fails or is
// abandoned leaves the old token alone. Whether the file can be written is tried before the first request.
package signin

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// Store keeps tokens and registrations.
type Store interface {
	BeginToken(ctx context.Context, key string) (*store.TokenUpdate, error)
	SeizeToken(key string) (*store.TokenUpdate, error)
	Held(key string) (lock string, held bool)
	Registration(k store.RegistrationKey) (session.Registration, error)
	SaveRegistration(ctx context.Context, k store.RegistrationKey, r session.Registration) error
	DropRegistration(ctx context.Context, k store.RegistrationKey) error
	RoleKeys(of session.Session) []store.RoleKey
	DropRoleCredentials(keys []store.RoleKey) error
}

// Renewer finds the token of a session, renewed if need be.
type Renewer interface {
	Renew(ctx context.Context, s session.Session) (tok session.Token, refreshed bool, err error)
}

// Service is IAM Identity Center.
type Service interface {
	Register(ctx context.Context, r idc.RegisterRequest) (session.Registration, error)
	AuthorizeURL(r idc.AuthorizeRequest) string
	StartDevice(ctx context.Context, reg session.Registration, startURL string) (idc.DeviceAuthorization, error)
	TokenByCode(
		ctx context.Context, reg session.Registration, code, verifier session.Secret, redirectURI string,
	) (idc.Grant, error)
	TokenByDevice(ctx context.Context, reg session.Registration, deviceCode session.Secret) (idc.Grant, error)
}

// Connection is the service for one session.
type Connection struct {
	Service  Service
	StartURL string // as the service knows it, where a vanity address stands in the config; "" is the session's
	Region   string // the token will be issued in; "" is the session's
	// Known reports whether a host (lower case, without port) is AWS's or a configured one. An address on any other
	// host is marked as a stranger's. nil knows every host.
	Known func(host string) bool
}

// Login is one sign-in: what it needs, and what is wanted. Build it once, and call Run once.
type Login struct {
	Store   Store
	Renewer Renewer
	// Connect is called once, and only if a person is needed.
	Connect     func(ctx context.Context, s session.Session) (Connection, error)
	OpenBrowser func(ctx context.Context, url string) error // nil opens nothing. Nothing waits for it
	Notify      func(Event)                                 // nil tells nobody. Called from one goroutine, in order
	Peers       Peers                                       // other logins of the session; nil if none can join
	Now         func() time.Time                            // nil means time.Now
	Rand        io.Reader                                   // nil means crypto/rand.Reader
	// InWords puts a remedy into words, and into the command line that follows them, if one does. nil shows no
	// commands.
	InWords func(fault.Remedy) (words, command string)

	Session     session.Session
	Profile     string          // one that uses a session without a name, for remedies; "" is the default profile
	Environment Environment     // told first; its Flow is the flow
	Roles       []store.RoleKey // role credentials to drop besides those the store knows of: the config file's
	Force       bool            // sign in even if the token is good
	Renewable   bool            // a token that cannot be renewed is not good enough

	// Fallback starts PKCE if the service issues no device codes. It needs Environment.MayPKCE, and a session with a
	// name.
	Fallback bool
	// Insist ends the sign-in if the listener cannot be bound, because PKCE or the port was asked for by name.
	// Otherwise a device code takes over, if allowed.
	Insist bool

	Ports         []int                   // of the listener, tried in order; none or 0 is any
	Hosts         func(port int) []string // forwarded origins that lead to the listener, without scheme; nil is none
	RendezvousDir string                  // where another process finds the listener; "" is nowhere
	// To bring the redirect to the listener, best first; nil is what works everywhere.
	Ways func(port int) []Way
	// Inputs starts to read what is typed and pasted, once a person is needed; stop ends it. nil, or a nil channel,
	// is no terminal.
	Inputs func() (inputs <-chan Input, stop func())

	listen func(callback.Options) (listener, error) // nil is callback.Listen
	past   bool                                     // waited for a lock in vain
}

// Peers are other logins of the same session. Their methods are called as Notify is.
type Peers interface {
	// Run is called once a person is needed, with what signs one in. It may instead find that another process does so
	// already, and return its outcome. alone called with look looks for a token again first, which another process
	// may have stored since.
	Run(ctx context.Context, alone func(ctx context.Context, look bool) (Result, error)) (Result, error)
	Standing([]Standing)  // what a person can act on now
	Inputs() <-chan Input // what is typed and pasted elsewhere; never closed, nil is nothing
}

// Standing is an Authorize or a DeviceCode that a person can act on, and what a login that joins later has missed.
type Standing struct {
	Event Event
	Since time.Time
	Ways  []Ways // said so far of how to bring the redirect here
}

// Input is a key or a paste from the terminal. Exactly one field is set.
type Input struct {
	Key  rune   // d, p and ? have a meaning, in either case
	Text string // a paste, whole
}

// Way is what a person can do to bring the redirect to the listener.
type Way struct {
	Channel session.Channel // as in Environment.Channels
	Text    string          // one or two sentences
	Command string          // one line to run where the browser is; "" is none
}

// Result is the outcome of a sign-in.
type Result struct {
	Token   session.Token
	Channel session.Channel
	Port    int // of the listener that got the redirect; 0 if there was none
}

const (
	// limit is how long to wait for the redirect; the AWS CLI and the AWS toolkits wait as long.
	limit = 10 * time.Minute
	// enough is the life that a token must have left to make a sign-in unnecessary. A renewable token with less is
	// renewed.
	enough = 10 * time.Minute
	// skewed is how far the service's clock may differ from ours without a notice.
	skewed = 5 * time.Minute
	// silence is how long something quick may take without a notice.
	silence = 2 * time.Second
)

// Run makes sure that there is a token with some life left, by the least effort: the cached one, a renewal, a person.
// Errors are *fault.Error; of kind Interrupted or TimedOut if ctx ended.
func (l *Login) Run(ctx context.Context) (Result, error) {
	l.tell(l.Environment)
	l.past = false
	if !l.Force {
		if result, found, err := l.good(ctx); err != nil || found {
			return result, err
		}
	}
	if l.Peers == nil {
		return l.alone(ctx, false)
	}
	return l.Peers.Run(ctx, l.alone)
}

// watch runs f. If that takes longer than silence, it tells what f waits for: the token's lock or, if f renews the
// token under that lock, the service.
func (l *Login) watch(s session.Session, renews bool, f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	timer := time.NewTimer(silence)
	defer timer.Stop()
	select {
	case <-done:
		return
	case <-timer.C:
	}
	if lock, held := l.Store.Held(s.CacheKey()); held {
		l.tell(Waiting{Lock: lock, Renews: renews})
	} else if renews {
		l.tell(Waiting{Renews: true})
	}
	<-done
}

// good ends the sign-in if there is a token that is good enough.
func (l *Login) good(ctx context.Context) (Result, bool, error) {
	result, found, err := l.existing(ctx, l.Session)
	switch {
	case err != nil:
		return Result{}, false, state{session: l.Session, profile: l.Profile}.naming(err)
	case found:
		l.tell(signedIn(l.Session, result, l.now()))
	}
	return result, found, nil
}

// alone signs a person in: with look, only if there still is no token that is good enough.
func (l *Login) alone(ctx context.Context, look bool) (Result, error) {
	if look {
		if result, found, err := l.good(ctx); err != nil || found {
			return result, err
		}
	}
	c, err := l.Connect(ctx, l.Session)
	if err != nil {
		return Result{}, err
	}
	return newRunner(l, c).run(ctx)
}

// existing returns the token that makes a sign-in unnecessary.
func (l *Login) existing(ctx context.Context, s session.Session) (Result, bool, error) {
	var tok session.Token
	var refreshed bool
	var err error
	l.watch(s, true, func() { tok, refreshed, err = l.Renewer.Renew(ctx, s) })
	_, locked := errors.AsType[*store.Locked](err)
	switch {
	case err == nil:
	case locked && ctx.Err() == nil:
		l.past = true
		return Result{}, false, nil // whatever the other process does, a sign-in serves as well
	case ctx.Err() != nil:
		return Result{}, false, ended(ctx)
	case errors.Is(err, fs.ErrNotExist), fault.KindOf(err) == fault.SignInNeeded:
		return Result{}, false, nil
	default:
		return Result{}, false, err
	}
	if tok.StartURL != "" && tok.StartURL != s.StartURL {
		return Result{}, false, nil // the session has another start URL now
	}
	if tok.Expired(l.now().Add(enough)) && !refreshed || l.Renewable && !tok.Renewable(l.now()) {
		return Result{}, false, nil
	}
	channel := session.Cached
	if refreshed {
		channel = session.Renewed
	}
	return Result{Token: tok, Channel: channel}, true, nil
}

func signedIn(s session.Session, r Result, now time.Time) SignedIn {
	return SignedIn{
		Session: s.Label(), ExpiresAt: r.Token.ExpiresAt, Refreshable: r.Token.Renewable(now), Channel: r.Channel,
	}
}

// ended returns the error for a context that ended.
func ended(ctx context.Context) error {
	return fault.Stopped(ctx, "the time allowed for the sign-in has passed", fault.Login{})
}

func (l *Login) tell(e Event) {
	if l.Notify != nil {
		l.Notify(e)
	}
}

func (l *Login) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

func (l *Login) rand() io.Reader {
	if l.Rand != nil {
		return l.Rand
	}
	return rand.Reader
}

// listener waits for the redirect: a *callback.Listener.
type listener interface {
	Port() int
	RedirectURI() string
	Busy() []callback.Busy
	Announce(dir string) error
	Redirects() <-chan callback.Redirect
	Finish(ctx context.Context, outcome error)
	Close() error
}

func (l *Login) listener(o callback.Options) (listener, error) {
	if l.listen != nil {
		return l.listen(o)
	}
	return callback.Listen(o)
}
