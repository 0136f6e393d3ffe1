package signin

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

const (
	// lockPatience is how long another process may hold the token's lock before we go on without it. The token of a
	// person who has just signed in is worth more than a renewal, which then finds another token and leaves it alone.
	lockPatience = 10 * time.Second
	// forcePatience is the same under --force.
	forcePatience = time.Second
	// startPatience bounds the first requests, before a person acts; the service answers them within a second.
	startPatience = 15 * time.Second
)

// runner performs the effects of one sign-in. Only its loop calls step, Notify, and those methods below that do not
// say otherwise.
type runner struct {
	login  *Login
	conn   Connection
	inputs chan input
	ctx    context.Context // ends with the sign-in
	caller context.Context
	calls  sync.WaitGroup // requests under way, and nothing else

	listener listener         // the newest; nil until bound
	starting <-chan time.Time // when to tell that the service is slow; nil if no request runs
	said     bool             // it was told

	past atomic.Bool // we went on without a lock once, so wait less for it the next time

	mu      sync.Mutex
	updates map[session.Flow]*store.TokenUpdate // of grants that were just spent
}

func newRunner(l *Login, c Connection) *runner {
	if c.StartURL == "" {
		c.StartURL = l.Session.StartURL
	}
	if c.Region == "" {
		c.Region = l.Session.Region
	}
	r := &runner{login: l, conn: c, inputs: make(chan input), updates: map[session.Flow]*store.TokenUpdate{}}
	r.past.Store(l.past)
	return r
}

func (r *runner) run(ctx context.Context) (Result, error) {
	var cancel context.CancelFunc
	r.caller = ctx
	r.ctx, cancel = context.WithCancel(context.WithoutCancel(ctx)) // step decides when a caller who gives up may leave
	defer func() {
		cancel()
		r.calls.Wait() // each ends with its context
		for flow := range r.updates {
			r.abort(flow)
		}
		if r.listener != nil {
			_ = r.listener.Close() // it is finished, or unwanted
		}
	}()
	var typed <-chan Input
	if r.login.Inputs != nil {
		var stop func()
		if typed, stop = r.login.Inputs(); stop != nil {
			defer stop()
		}
	}
	var elsewhere <-chan Input
	if r.login.Peers != nil {
		elsewhere = r.login.Peers.Inputs()
	}
	s := r.state(typed != nil)
	queue := []input{r.begin(r.login.Environment.Flow)}
	done := ctx.Done()
	for {
		var in input
		if len(queue) > 0 {
			in, queue = queue[0], queue[1:]
		} else {
			select {
			case in = <-r.inputs:
				switch in.(type) {
				case registered, deviceStarted:
					r.starting = nil
				}
			case <-r.starting:
				r.starting, r.said = nil, true
				r.login.tell(Waiting{})
				continue
			case t, open := <-typed:
				if !open {
					typed = nil
					continue
				}
				in = r.typed(t)
			case t := <-elsewhere:
				in = r.typed(t)
			case <-done:
				in, done = stopped{ended(ctx)}, nil
			}
		}
		var effects []effect
		s, effects = step(s, in)
		for _, e := range effects {
			if e, ok := e.(end); ok {
				return e.result, e.err
			}
			queue = append(queue, r.perform(e)...)
		}
		if r.login.Peers != nil {
			r.login.Peers.Standing(s.standing())
		}
		if in, ok := in.(answered); ok {
			r.abort(in.flow) // what step wanted to keep is kept by now
		}
	}
}

// state returns the first state; keys says that somebody is at a terminal.
func (r *runner) state(keys bool) state {
	return state{
		session: r.login.Session, profile: r.login.Profile, startURL: r.conn.StartURL, region: r.conn.Region,
		opens:        r.login.OpenBrowser != nil,
		keys:         keys,
		manual:       r.login.Environment.Manual,
		insist:       r.login.Insist,
		fallback:     r.login.Fallback,
		authorizeURL: r.conn.Service.AuthorizeURL,
		known:        r.conn.Known,
		barred:       barsOf(r.login),
	}
}

func (r *runner) typed(t Input) input {
	if t.Text != "" {
		return pasted{session.NewSecret(t.Text)}
	}
	return pressed{t.Key, r.login.now()}
}

// begin draws the secrets of a grant.
func (r *runner) begin(flow session.Flow) begun {
	var secret [48]byte // 64 characters of base64url, all unreserved (RFC 7636 4.1)
	var id [16]byte
	for _, b := range [][]byte{secret[:], id[:]} {
		if _, err := io.ReadFull(r.login.rand(), b); err != nil {
			return begun{flow: flow, err: fmt.Errorf("random numbers: %w", err)}
		}
	}
	verifier := session.NewSecret(base64.RawURLEncoding.EncodeToString(secret[:]))
	return begun{flow: flow, state: uuid4(id), verifier: verifier}
}

// uuid4 makes a random UUID of random bytes (RFC 9562 5.4).
func uuid4(b [16]byte) string {
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// perform carries out e. It returns the inputs of what is done at once; what takes time sends its input later.
func (r *runner) perform(e effect) []input {
	switch e := e.(type) {
	case tell:
		r.login.tell(e.event)
	case begin:
		return []input{r.begin(e.flow)}
	case try:
		return []input{tried{e.flow, r.try()}}
	case listen:
		return []input{r.listen(e)}
	case register:
		r.start(func(ctx context.Context) input { return r.register(ctx, e) })
	case open:
		go r.open(e)
	case startDevice:
		r.start(func(ctx context.Context) input {
			auth, err := r.conn.Service.StartDevice(ctx, e.reg, e.startURL)
			return deviceStarted{e.turn, auth, r.login.now(), err}
		})
	case wait:
		go r.wait(e)
	case exchange:
		r.call(func(ctx context.Context) input { return r.exchange(ctx, e) })
	case keep:
		return []input{r.keep(e)}
	case forget:
		r.forget(e)
	case dropRoles:
		r.dropRoles()
	case answerBrowser:
		if r.listener != nil {
			r.listener.Finish(context.WithoutCancel(r.caller), e.err)
		}
	}
	return nil
}

// call runs f beside the loop and sends what it returns.
func (r *runner) call(f func(context.Context) input) {
	r.calls.Go(func() { r.send(f(r.ctx)) })
}

// start is call for the requests before a person acts. It tells once if one takes long.
func (r *runner) start(f func(context.Context) input) {
	if !r.said {
		r.starting = time.After(silence)
	}
	r.call(func(ctx context.Context) input {
		ctx, cancel := context.WithTimeoutCause(ctx, startPatience, &fault.Error{
			Kind: fault.Unavailable, Msg: "IAM Identity Center gave no answer within " + startPatience.String(),
			Remedy: fault.Advice("check the network and the proxy settings (HTTPS_PROXY), then try again"),
		})
		defer cancel()
		return f(ctx)
	})
}

// send hands in to the loop, unless the sign-in has ended. Safe for concurrent use.
func (r *runner) send(in input) {
	select {
	case r.inputs <- in:
	case <-r.ctx.Done():
	}
}

// try finds out whether a token can be stored, and leaves nothing behind.
func (r *runner) try() error {
	var u *store.TokenUpdate
	var err error
	r.login.watch(r.login.Session, false, func() { u, err = r.lock(r.caller) })
	if err != nil {
		return err
	}
	u.Abort()
	return nil
}

// lock makes room for a token: under the lock, or without it if another process does not release it.
func (r *runner) lock(ctx context.Context) (*store.TokenUpdate, error) {
	key, patience := r.login.Session.CacheKey(), lockPatience
	if r.login.Force || r.past.Load() {
		patience = forcePatience
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	u, err := r.login.Store.BeginToken(waiting, key)
	if _, held := errors.AsType[*store.Locked](err); held && ctx.Err() == nil {
		r.past.Store(true)
		return r.login.Store.SeizeToken(key)
	}
	return u, err
}

func (r *runner) listen(e listen) input {
	l, err := r.login.listener(callback.Options{
		State: e.state, Ports: r.login.Ports, Hosts: r.login.Hosts, InWords: r.login.InWords,
	})
	if err != nil {
		return bound{turn: e.turn, err: err}
	}
	r.listener = l
	b := bound{turn: e.turn, redirectURI: l.RedirectURI(), port: l.Port(), busy: l.Busy()}
	if r.login.Ways != nil {
		b.ways = r.login.Ways(b.port)
	}
	if r.login.RendezvousDir != "" {
		b.unannounced = l.Announce(r.login.RendezvousDir)
	}
	go func() {
		select {
		case got := <-l.Redirects():
			channel := session.Loopback
			switch {
			case got.Handed:
				channel = session.Callback
			case got.Swapped:
				channel = session.Swap
			}
			r.send(redirected{e.turn, got, channel})
		case <-r.ctx.Done():
		}
	}()
	return b
}

// key names the registration. A client belongs to its region, which need not be the one in the config file.
func (r *runner) key(flow session.Flow) store.RegistrationKey {
	of := r.login.Session
	of.Region = r.conn.Region
	return store.RegistrationKey{Session: of, PKCE: flow == session.PKCE}
}

func (r *runner) register(ctx context.Context, e register) input {
	if !e.fresh {
		if reg, err := r.login.Store.Registration(r.key(e.flow)); err == nil {
			return registered{flow: e.flow, turn: e.turn, reg: reg, cached: true, at: r.login.now()}
		}
	}
	reg, err := r.conn.Service.Register(ctx, e.client)
	if err != nil {
		return registered{flow: e.flow, turn: e.turn, err: err}
	}
	// If it cannot be saved, the next sign-in registers again.
	_ = r.login.Store.SaveRegistration(ctx, r.key(e.flow), reg)
	return registered{flow: e.flow, turn: e.turn, reg: reg, at: r.login.now()}
}

// forget makes the next sign-in register again, if it can.
func (r *runner) forget(e forget) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.caller), 2*time.Second)
	defer cancel()
	_ = r.login.Store.DropRegistration(ctx, r.key(e.flow))
}

// open runs beside the loop, and nothing waits for it: the opener may be the browser itself.
func (r *runner) open(e open) {
	err := r.login.OpenBrowser(r.caller, e.url)
	r.send(opened{e.flow, err})
}

func (r *runner) wait(e wait) {
	t := time.NewTimer(e.d)
	defer t.Stop()
	select {
	case <-t.C:
		r.send(rang{e.timer, e.turn, r.login.now()})
	case <-r.ctx.Done():
	}
}

// grace is how long a caller who gives up waits for the answer to a request that may have spent a grant.
const grace = 5 * time.Second

// exchange spends a grant, if its token can be stored.
func (r *runner) exchange(ctx context.Context, e exchange) input {
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(r.caller, stop)()
	u, err := r.lock(waiting)
	if err != nil {
		return answered{flow: e.flow, turn: e.turn, at: r.login.now(), err: err}
	}
	// From here on the grant may be spent: a signal, or a caller who gives up, waits for the answer.
	u.Hold(r.caller)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.caller, func() { time.AfterFunc(grace, cancel) })()
	var grant idc.Grant
	if e.flow == session.PKCE {
		grant, err = r.conn.Service.TokenByCode(ctx, e.reg, e.code, e.verifier, e.redirectURI)
	} else {
		grant, err = r.conn.Service.TokenByDevice(ctx, e.reg, e.deviceCode)
	}
	if err != nil {
		u.Abort()
		return answered{flow: e.flow, turn: e.turn, at: r.login.now(), err: err}
	}
	r.mu.Lock()
	r.updates[e.flow] = u
	r.mu.Unlock()
	return answered{flow: e.flow, turn: e.turn, grant: grant, at: r.login.now()}
}

// abort gives up the room of a grant whose token is not kept, if it has any.
func (r *runner) abort(flow session.Flow) {
	if u := r.take(flow); u != nil {
		u.Abort()
	}
}

// take takes the room of a grant away from it; nil if it has none.
func (r *runner) take(flow session.Flow) *store.TokenUpdate {
	r.mu.Lock()
	defer r.mu.Unlock()
	u := r.updates[flow]
	delete(r.updates, flow)
	return u
}

func (r *runner) keep(e keep) input {
	u := r.take(e.flow)
	if u == nil {
		return stored{err: &fault.Error{Kind: fault.Bug, Msg: "a token without a place to keep it"}}
	}
	err := u.Commit(e.result.Token)
	return stored{e.result, r.login.now(), err}
}

// dropRoles removes the role credentials of an earlier sign-in, which may be another person's.
func (r *runner) dropRoles() {
	keys := append(r.login.Store.RoleKeys(r.login.Session), r.login.Roles...)
	if len(keys) == 0 {
		return
	}
	if err := r.login.Store.DropRoleCredentials(keys); err != nil {
		r.login.tell(RolesKept{err})
	}
}
