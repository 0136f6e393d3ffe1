package joint

import (
	"bufio"
	"context"
	"net"
	"sync"
	"time"
)

// Joined is a login that has joined another. Its methods are safe for concurrent use.
type Joined struct {
	conn     net.Conn
	about    string // the leader's
	proof    string
	messages chan Message
	done     chan struct{}
	close    func()

	sending sync.Mutex
}

// join connects to who leads at f.
func join(ctx context.Context, f paths, h Hello) (*Joined, error) {
	a, err := announced(f.secret)
	if err != nil {
		return nil, err
	}
	dialer := net.Dialer{Timeout: answer}
	conn, err := dialer.DialContext(ctx, a.Network, a.Address)
	if err != nil {
		return nil, err
	}
	j := &Joined{conn: conn, messages: make(chan Message), done: make(chan struct{})}
	j.close = sync.OnceFunc(func() { close(j.done); _ = conn.Close() })
	stop := context.AfterFunc(ctx, j.close)
	in := lineReader(conn)
	err = j.prove(in, a.Secret, h)
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		j.close()
		return nil, err
	}
	if h.displaces(j.about) {
		return j, nil // it does not stay
	}
	go j.read(in)
	return j, nil
}

// prove shows that we know the secret, to somebody who has shown it, and waits to be let in.
func (j *Joined) prove(in *bufio.Scanner, secret string, h Hello) error {
	_ = j.conn.SetReadDeadline(time.Now().Add(answer))
	ours := random()
	if err := line(j.conn, greeting{ours}); err != nil {
		return err
	}
	var c challenge
	if err := next(in, &c); err != nil {
		return err
	}
	if !proves(secret, toJoiner, ours, c.Proof) {
		return errLost // another program has the port
	}
	j.about, j.proof = c.About, proof(secret, toLeader, c.Challenge)
	if h.displaces(j.about) {
		return nil
	}
	if err := line(j.conn, request{Proof: j.proof, Opens: h.Opens}); err != nil {
		return err
	}
	var joined notice
	return next(in, &joined)
}

// push makes the leader leave, and ends the connection.
func (j *Joined) push() {
	_ = line(j.conn, request{Proof: j.proof, TakeOver: true})
	j.close()
}

// About is the leader's.
func (j *Joined) About() string { return j.about }

// Messages are what the leader tells. The channel is closed when the leader has ended, was killed or is silent for 20
// seconds; the last message is the outcome, or says that it left, where it could say so.
func (j *Joined) Messages() <-chan Message { return j.messages }

// Send hands the leader a key or a paste. What comes too late is dropped.
func (j *Joined) Send(in Input) {
	j.sending.Lock()
	defer j.sending.Unlock()
	_ = line(j.conn, request{Input: &in}) // the end of Messages says what became of the leader
}

// Close leaves the leader, which goes on.
func (j *Joined) Close() { j.close() }

func (j *Joined) read(in *bufio.Scanner) {
	defer close(j.messages)
	for {
		_ = j.conn.SetReadDeadline(time.Now().Add(silence))
		var n notice
		if next(in, &n) != nil {
			return
		}
		if n.Body == nil && !n.Left {
			continue
		}
		select {
		case j.messages <- Message(n):
		case <-j.done:
			return
		}
		if n.Outcome || n.Left {
			return
		}
	}
}
