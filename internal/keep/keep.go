// Package keep knows how to renew sessions before they lapse: when which one is due, and how to wait for that through
// suspend, clock jumps and a lost network. How a token is renewed is left to internal/refresh, what is said of it to
// internal/cmd/keep.
//
// The one rule: one renewal for each token, and silence in between. The token file decides what is due; whoever else
// renews it is as good.
package keep

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// Look is how often the clock and the times of the files are compared with what they were, where the system does not
// tell of a change. Nothing else happens then: no lock is taken, no token is read, no call is made. Where it does
// tell, there is a look after an event only: see Alarm.
const Look = time.Minute

// Tokens renews a token before anybody asks for it (refresh.Renewer does).
type Tokens interface {
	Ahead(ctx context.Context, s session.Session, lead time.Duration) (t session.Token, renewed bool, err error)
}

// Files are the token files (store.Store).
type Files interface {
	Token(key string) (session.Token, error)
	Written(key string) time.Time
	TokenPath(key string) string
}

// Keeper renews the tokens of sessions.
type Keeper struct {
	Tokens Tokens // required; safe for concurrent use, as is Now
	Files  Files  // required
	// Sessions returns what to keep; it is asked at each look, since the config file may change. Required.
	Sessions func() []session.Session
	Tell     func(Event) // hears of each event, in order; required
	// Check is called at each look. An error ends Run; again asks for another look within Look. nil = nothing.
	Check  func(kept []session.Session) (again bool, err error)
	Paths  func() []string                  // further files that a change to is looked at; nil = none
	Now    func() time.Time                 // nil = time.Now
	Alarm  Alarm                            // what waits; nil = that of the system, which needs Now to be time.Now
	Chance func() float64                   // from 0 to below 1; nil = crypto/rand
	Debug  func(format string, args ...any) // hears how it waits; nil = nobody does

	kept []*kept
}

// kept is a session with what is known of it.
type kept struct {
	view
	session session.Session
	written time.Time // of the file that view was read from
	young   bool      // it was so new then that a later write may have the same time
	alive   bool      // a token that served was seen
	known   bool      // it has been looked at before

	unreadable bool // and that has been told
}

// What happened to a session.
const (
	Keeping   What = "keeping"    // it is kept from now on, or was signed in to again: Until, Renewable
	Renewed   What = "renewed"    // by us: Until
	Replaced  What = "replaced"   // by another process: Until, Renewable
	Failing   What = "failing"    // the renewal failed for now, and is tried again: Err
	Last      What = "last"       // the token lasts until Until, and the portal session is about to end with it
	Ended     What = "ended"      // only a person can sign in again: Err
	Absent    What = "absent"     // nobody has signed in: Err
	SignedOut What = "signed_out" // its token was removed
)

// What is the name of an event.
type What string

// Event is what happened to a session.
type Event struct {
	What      What
	Session   session.Session
	Until     time.Time // the end of the access token
	Renewable bool
	Alive     bool  // with Ended: it lived under this Keeper
	Err       error // a *fault.Error
}

// Run keeps the sessions until ctx ends, for which it returns nil, or until Check returns an error. A session whose
// end has been told rests until somebody signs in again, with whatever program. Run is called once.
func (k *Keeper) Run(ctx context.Context) error {
	alarm := k.Alarm
	if alarm == nil {
		debug := k.Debug
		if debug == nil {
			debug = func(string, ...any) {}
		}
		system, done := newAlarm(debug)
		defer done()
		alarm = system
	}
	for ctx.Err() == nil {
		again, err := k.look()
		if err != nil {
			return err
		}
		at, any := wake(k.act(ctx))
		if !any {
			at = time.Time{}
		}
		if again {
			at = earlier(at, k.now().Add(Look))
		}
		alarm.Wait(ctx, at, k.paths())
	}
	return nil
}

// paths are the files that the next look is about.
func (k *Keeper) paths() []string {
	var list []string
	if k.Paths != nil {
		list = k.Paths()
	}
	for _, s := range k.kept {
		list = append(list, k.Files.TokenPath(s.session.CacheKey()))
	}
	return list
}

// atOnce is how many renewals are under way at most. A service that does not answer holds one up for 50 seconds.
const atOnce = 16

// act does what is due and returns what is due later. The renewals run side by side, so that a silent service delays
// its own sessions alone; what came of them is noted one by one, as it comes.
func (k *Keeper) act(ctx context.Context) []deadline {
	now := k.now()
	views := make([]*view, len(k.kept))
	for i, s := range k.kept {
		views[i] = &s.view
	}
	places := make(chan struct{}, atOnce)
	done := make(chan func())
	started := 0
	for i, d := range plan(now, views) {
		if d.do == rest || d.at.After(now) || ctx.Err() != nil {
			continue
		}
		started++
		s := k.kept[i]
		of, before := s.session, s.token
		go func() {
			places <- struct{}{}
			a := k.ask(ctx, of, before)
			<-places
			done <- func() { k.note(ctx, s, a) }
		}()
	}
	for range started {
		(<-done)()
	}
	return plan(k.now(), views)
}

// answer is what came of a renewal.
type answer struct {
	at      time.Time // when it was asked for
	token   session.Token
	renewed bool
	err     error
}

// ask asks for a new token of s in place of before, or for the words in which to say that there is none.
func (k *Keeper) ask(ctx context.Context, s session.Session, before session.Token) answer {
	a := answer{at: k.now()}
	// What another process has written meanwhile lasts longer than this.
	lead := max(before.ExpiresAt.Sub(a.at), 0) + time.Second
	a.token, a.renewed, a.err = k.Tokens.Ahead(ctx, s, lead)
	return a
}

// note takes in what came of a renewal of s, and tells of it.
func (k *Keeper) note(ctx context.Context, s *kept, a answer) {
	t, err := a.token, a.err
	switch {
	case ctx.Err() != nil && !a.renewed:
	case err == nil && a.renewed:
		t.ExpiresAt = t.ExpiresAt.Truncate(time.Second) // as the file has it
		s.view = view{token: t, issued: a.at, chance: k.chance(), last: ending(s.token, t, k.now())}
		s.written, s.young, s.alive = k.Files.Written(s.session.CacheKey()), true, true
		if s.last {
			k.Tell(Event{What: Last, Session: s.session, Until: t.ExpiresAt})
			return
		}
		k.Tell(Event{What: Renewed, Session: s.session, Until: t.ExpiresAt, Renewable: t.Renewable(a.at)})
	case k.read(s, true): // another process was faster
	case err == nil: // it serves, and cannot be renewed: look again at its end
		s.fail(a.at, k.chance())
	case fault.KindOf(err) == fault.SignInNeeded:
		s.over = true
		k.Tell(Event{What: Ended, Session: s.session, Alive: s.alive, Err: err})
		s.alive = false
	default:
		s.fail(a.at, k.chance())
		if s.failing == 1 {
			k.Tell(Event{What: Failing, Session: s.session, Until: s.token.ExpiresAt, Err: err})
		}
	}
}

// coarse is the resolution of the time of a file: two seconds on FAT, and ticks of some milliseconds elsewhere.
const coarse = 2 * time.Second

// look brings what is known up to date with the config and the files. again says that something could not be done,
// and that no change will tell when it can.
func (k *Keeper) look() (again bool, err error) {
	sessions := k.Sessions()
	var now []*kept
	for _, s := range sessions {
		now = append(now, k.find(s))
	}
	k.kept = now
	if k.Check != nil {
		if again, err = k.Check(sessions); err != nil {
			return false, err
		}
	}
	for _, s := range k.kept {
		k.read(s, false)
		again = again || s.unreadable
	}
	return again, nil
}

func (k *Keeper) find(s session.Session) *kept {
	for _, old := range k.kept {
		if old.session.CacheKey() == s.CacheKey() {
			old.session = s
			return old
		}
	}
	return &kept{session: s}
}

// read looks at the file of s and reports whether it holds another token than before. A file whose time is the same
// is opened only if thorough.
func (k *Keeper) read(s *kept, thorough bool) bool {
	key := s.session.CacheKey()
	written := k.Files.Written(key)
	if s.known && !thorough && !s.young && written.Equal(s.written) {
		return false
	}
	first := !s.known
	s.known, s.written, s.young = true, written, k.now().Sub(written).Abs() < coarse
	t, err := k.Files.Token(key)
	if err != nil && fault.KindOf(err) == fault.Config { // it is there and cannot be read: a matter of the machine
		s.written = time.Time{} // so that it is tried at each look
		if thorough {
			s.fail(k.now(), k.chance())
		}
		if !s.unreadable {
			k.Tell(Event{What: Failing, Session: s.session, Until: s.token.ExpiresAt, Err: err})
		}
		s.unreadable = true
		return true
	}
	s.unreadable = false
	if err != nil {
		return k.lost(s, first, err)
	}
	if !first && same(t, s.token) {
		return false
	}
	was := s.view
	s.view = view{token: t, issued: written, chance: k.chance()}
	now := k.now()
	what := Replaced
	if first || was.over || was.token.AccessToken.IsZero() {
		what = Keeping
	}
	if t.Expired(now) && !t.Renewable(now) || t.Expired(now) && first {
		return true // what is due now says the rest
	}
	s.alive = true
	k.Tell(Event{What: what, Session: s.session, Until: t.ExpiresAt, Renewable: t.Renewable(now)})
	return true
}

// lost notes that the file of s holds no token.
func (k *Keeper) lost(s *kept, first bool, err error) bool {
	had := !s.token.AccessToken.IsZero() || !s.token.RefreshToken.IsZero()
	s.view = view{}
	switch {
	case first:
		k.Tell(Event{What: Absent, Session: s.session, Err: err})
	case had:
		k.Tell(Event{What: SignedOut, Session: s.session, Err: err})
	}
	s.alive = false
	return had
}

func same(a, b session.Token) bool {
	return a.AccessToken.Equal(b.AccessToken) && a.RefreshToken.Equal(b.RefreshToken)
}

func (k *Keeper) now() time.Time {
	if k.Now != nil {
		return k.Now().Round(0)
	}
	return time.Now().Round(0) // the wall clock alone: it is what tokens expire by, and goes on in a suspend
}

func (k *Keeper) chance() float64 {
	if k.Chance != nil {
		return k.Chance()
	}
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return float64(binary.BigEndian.Uint64(b[:])>>11) / (1 << 53)
}
