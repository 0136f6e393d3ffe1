package joint

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/homing-cli/homing/internal/files"
)

const (
	maxJoined  = 256                    // logins that join one
	maxUnknown = 64                     // connections that have not proved themselves
	maxQueue   = 256                    // messages that one who joined has not read
	farewell   = 500 * time.Millisecond // for the outcome to be taken
)

// Leader is the login that others join. Its methods are safe for concurrent use.
type Leader struct {
	paths  paths
	about  string
	secret string
	lock   *files.Lock
	server net.Listener
	inputs chan Input
	pushed chan struct{} // closed when somebody takes over
	done   chan struct{}
	known  chan struct{} // a place for each connection that has not proved itself
	served sync.WaitGroup

	mu     sync.Mutex
	joined map[*guest]bool
	offers []Offer
	closed bool
	push   func()
}

// Offer is something that stands for a person: an address to open, a code to type.
type Offer struct {
	ID   string // of what stands; two with the same are one
	Body json.RawMessage
	// Told to who joins later, after Body: what those who were here were told by Tell; nil is nothing.
	Note   json.RawMessage
	Opened bool // somebody opens it in a browser; else the first who joins and can is told to
}

// guest is a login that joined.
type guest struct {
	conn  net.Conn
	opens bool
	queue chan notice // closed by the leader after the last one
}

// lead takes the lock and serves, or returns errBusy.
func lead(f paths, about string) (*Leader, error) {
	lock, err := hold(f.lock)
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.secret) // of one that was killed
	files.RemoveTemps(f.secret)
	server, a, err := listen(f)
	if err != nil {
		lock.Remove()
		return nil, err
	}
	l := &Leader{
		paths: f, about: about, secret: a.Secret, lock: lock, server: server, inputs: make(chan Input),
		pushed: make(chan struct{}),
		done:   make(chan struct{}), known: make(chan struct{}, maxUnknown), joined: map[*guest]bool{},
	}
	l.push = sync.OnceFunc(func() { close(l.pushed) })
	text, err := json.Marshal(a)
	if err == nil {
		err = files.Write(f.secret, text)
	}
	if err != nil {
		l.Close(nil)
		return nil, err
	}
	l.served.Go(l.serve)
	return l, nil
}

// Inputs are the keys and pastes of those who joined.
func (l *Leader) Inputs() <-chan Input { return l.inputs }

// Pushed is closed when another login takes over. The sign-in is to end then, and Close to be called with nil.
func (l *Leader) Pushed() <-chan struct{} { return l.pushed }

// Done is closed by Close.
func (l *Leader) Done() <-chan struct{} { return l.done }

// Tell tells all who joined, and keeps nothing for those who come later: what they need is a note of an Offer.
func (l *Leader) Tell(body json.RawMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for g := range l.joined {
		l.send(g, notice{Body: body})
	}
}

// Offer sets what a person can act on now. Logins that have joined receive what is new; one that joins later receives
// everything, with its notes. What offers no longer holds is withdrawn.
func (l *Leader) Offer(now []Offer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	offers := slices.Clone(now)
	for i := range offers {
		if old := slices.IndexFunc(l.offers, func(o Offer) bool { return o.ID == offers[i].ID }); old >= 0 {
			note := offers[i].Note
			offers[i] = l.offers[old]
			offers[i].Note = note
			continue
		}
		for g := range l.joined {
			l.send(g, offers[i].to(g))
		}
	}
	l.offers = offers
}

// to returns what g is told about o.
func (o *Offer) to(g *guest) notice {
	n := notice{Body: o.Body, Opens: g.opens && !o.Opened}
	o.Opened = o.Opened || n.Opens
	return n
}

// send queues n. A login that does not read is dropped, and may join again.
func (l *Leader) send(g *guest, n notice) {
	select {
	case g.queue <- n:
	default:
		l.dropLocked(g)
	}
}

func (l *Leader) dropLocked(g *guest) {
	if l.joined[g] {
		delete(l.joined, g)
		close(g.queue)
	}
}

// Close tells the outcome to all who joined and makes room. With nil there is none: those who joined go on by
// themselves, after whoever took over.
func (l *Leader) Close(outcome json.RawMessage) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.closed = true
	last := notice{Body: outcome, Outcome: true}
	if outcome == nil {
		last = notice{}
		select {
		case <-l.pushed:
			last.Left = true
		default:
		}
	}
	for g := range l.joined {
		l.send(g, last)
		l.dropLocked(g)
	}
	l.mu.Unlock()
	close(l.done)
	_ = os.Remove(l.paths.secret)
	_ = l.server.Close() // removes the socket
	gone := make(chan struct{})
	go func() { l.served.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-time.After(farewell):
	}
	l.lock.Remove()
}

func (l *Leader) serve() {
	for {
		conn, err := l.server.Accept()
		if err != nil {
			select {
			case <-l.done:
				return
			case <-time.After(look): // out of descriptors, maybe not for long
				continue
			}
		}
		select {
		case l.known <- struct{}{}:
			l.served.Go(func() { l.welcome(conn) })
		default:
			_ = conn.Close()
		}
	}
}

// welcome speaks to one connection until it ends.
func (l *Leader) welcome(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := lineReader(conn)
	first, ok := l.proved(conn, in)
	<-l.known
	if !ok {
		return
	}
	if first.TakeOver {
		l.push()
		return
	}
	g := &guest{conn: conn, opens: first.Opens, queue: make(chan notice, maxQueue)}
	l.mu.Lock()
	if l.closed || len(l.joined) >= maxJoined {
		l.mu.Unlock()
		return
	}
	l.joined[g] = true
	l.send(g, notice{}) // it has joined
	for i := range l.offers {
		l.send(g, l.offers[i].to(g))
		if note := l.offers[i].Note; note != nil {
			l.send(g, notice{Body: note})
		}
	}
	l.mu.Unlock()
	go l.hear(g, in)
	l.write(g)
}

// proved reports whether the other side knows the secret, after it was shown that we do; first is what it wants.
func (l *Leader) proved(conn net.Conn, in *bufio.Scanner) (first request, ok bool) {
	_ = conn.SetReadDeadline(time.Now().Add(answer))
	defer func() { _ = conn.SetReadDeadline(time.Time{}) }()
	stop := make(chan struct{})
	defer close(stop)
	go func() { // who is silent does not keep Close waiting
		select {
		case <-l.done:
			_ = conn.Close()
		case <-stop:
		}
	}()
	var hello greeting
	if next(in, &hello) != nil {
		return first, false
	}
	ours := random()
	if line(conn,
		challenge{Proof: proof(l.secret, toJoiner, hello.Challenge), Challenge: ours, About: l.about}) != nil {
		return first, false
	}
	if next(in, &first) != nil || !proves(l.secret, toLeader, ours, first.Proof) {
		return first, false
	}
	return first, true
}

// hear takes what a person does where they joined, until the connection ends.
func (l *Leader) hear(g *guest, in *bufio.Scanner) {
	for {
		var r request
		if next(in, &r) != nil {
			l.mu.Lock()
			l.dropLocked(g)
			l.mu.Unlock()
			return
		}
		if r.TakeOver {
			l.push()
		}
		if r.Input == nil || (r.Input.Key == 0) == (r.Input.Text == "") {
			continue
		}
		select {
		case l.inputs <- *r.Input:
		case <-l.done:
			return
		}
	}
}

// write sends what is queued, and signs of life between.
func (l *Leader) write(g *guest) {
	life := time.NewTicker(alive)
	defer life.Stop()
	for {
		n, open := notice{}, true
		select {
		case n, open = <-g.queue:
		case <-life.C:
		}
		if !open {
			return
		}
		if line(g.conn, n) != nil {
			l.mu.Lock()
			l.dropLocked(g)
			l.mu.Unlock()
			return
		}
	}
}
