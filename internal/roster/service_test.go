package roster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// said is an error as idc makes them.
type said struct {
	code      string
	transient bool
	after     time.Duration
}

func (s said) Error() string             { return s.code }
func (s said) ServiceCode() string       { return s.code }
func (s said) Transient() bool           { return s.transient }
func (s said) RetryAfter() time.Duration { return s.after }

func refusal(code string, kind fault.Kind, transient bool, after time.Duration) error {
	return &fault.Error{
		Kind:   kind,
		Msg:    "the portal says " + code,
		Remedy: fault.Advice("advice of idc"),
		Err:    said{code, transient, after},
	}
}

// limit decides whether a call that arrives at now is served.
type limit interface{ allow(now time.Time) bool }

// fixed serves n calls in each stretch of time, the first of which begins with the first call, or at the whole
// second.
type fixed struct {
	n       int
	every   time.Duration
	aligned bool
	began   time.Time
	count   int
}

func (w *fixed) allow(now time.Time) bool {
	if now.Sub(w.began) >= w.every {
		w.began, w.count = now, 0
		if w.aligned {
			w.began = now.Truncate(w.every)
		}
	}
	w.count++
	return w.count <= w.n
}

// sliding serves n calls within any stretch of time of that length. With strict a refused call counts, too.
type sliding struct {
	n      int
	every  time.Duration
	strict bool
	times  []time.Time
}

func (s *sliding) allow(now time.Time) bool {
	for len(s.times) > 0 && now.Sub(s.times[0]) >= s.every {
		s.times = s.times[1:]
	}
	ok := len(s.times) < s.n
	if ok || s.strict {
		s.times = append(s.times, now)
	}
	return ok
}

// bucket serves rate calls a second, and burst at once after a rest.
type bucket struct {
	rate, burst float64
	level       float64
	at          time.Time
}

func (b *bucket) allow(now time.Time) bool {
	if b.at.IsZero() {
		b.level = b.burst
	} else {
		b.level = min(b.burst, b.level+b.rate*now.Sub(b.at).Seconds())
	}
	b.at = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}

// changing is one limit until a time, then the other.
type changing struct {
	first, then limit
	after       time.Duration
	began       time.Time
}

func (c *changing) allow(now time.Time) bool {
	if c.began.IsZero() {
		c.began = now
	}
	if now.Sub(c.began) < c.after {
		return c.first.allow(now)
	}
	return c.then.allow(now)
}

// service is a portal with n accounts of three roles each.
type service struct {
	mu       sync.Mutex
	rand     *rand.Rand
	accounts int
	roles    int // 0 = 3
	limit    limit
	after    time.Duration                         // Retry-After
	latency  time.Duration                         // of a call
	jitter   float64                               // up to that part more
	workers  int                                   // calls it works on at once, the others wait; 0 = all
	faulty   float64                               // this part of the calls is answered with 500
	dropped  float64                               // this part of the connections is lost
	refuse   func(account string, call int) error  // of the calls for roles; nil = none
	token    func(call int, secret string) bool    // whether a token is known; nil = any is
	during   func(call int)                        // is called while a call is under way
	pages    func(page string, next string) string // changes the token of the next page

	busy, busiest          int // busiest is of the second half of the accounts
	calls, served, refused int
	asked                  map[string]int // calls served for the roles of an account
}

func (s *service) AccountsPage(ctx context.Context, token session.Secret,
	page string) ([]session.Account, string, error) {
	if err := s.answer(ctx, token, ""); err != nil {
		return nil, "", err
	}
	const size = 100
	first, _ := strconv.Atoi(page)
	var accounts []session.Account
	for n := first; n < min(first+size, s.accounts); n++ {
		i := (n*7 + 3) % s.accounts // in no useful order
		if s.accounts%7 == 0 {
			i = s.accounts - 1 - n
		}
		accounts = append(
			accounts,
			session.Account{
				ID:    fmt.Sprintf("%012d", i+1),
				Name:  fmt.Sprint("account ", i+1),
				Email: fmt.Sprint("a", i+1, "@example.com"),
			},
		)
	}
	next := ""
	if first+size < s.accounts {
		next = strconv.Itoa(first + size)
	}
	if s.pages != nil {
		next = s.pages(page, next)
	}
	return accounts, next, nil
}

func (s *service) RolesPage(ctx context.Context, token session.Secret,
	accountID, page string) ([]session.Role, string, error) {
	if err := s.answer(ctx, token, accountID); err != nil {
		return nil, "", err
	}
	const size = 100
	first, _ := strconv.Atoi(page)
	n := s.roles
	if n == 0 {
		n = 3
	}
	var roles []session.Role
	for i := first; i < min(first+size, n); i++ {
		roles = append(roles,
			session.Role{AccountID: accountID, Name: fmt.Sprintf("Role%03d", n-i)}) // in no useful order
	}
	if first+size < n {
		return roles, strconv.Itoa(first + size), nil
	}
	return roles, "", nil
}

// answer takes the time of a call and decides what becomes of it.
func (s *service) answer(ctx context.Context, token session.Secret, account string) error {
	s.mu.Lock()
	s.calls++
	call := s.calls
	took := time.Duration(float64(s.latency) * (1 + s.jitter*s.rand.Float64()))
	if s.busy++; s.workers > 0 && s.busy > s.workers { // queueing
		took = took * time.Duration(s.busy) / time.Duration(s.workers)
	}
	lost, broken := s.rand.Float64() < s.dropped, s.rand.Float64() < s.faulty
	if len(s.asked) > s.accounts/2 {
		s.busiest = max(s.busiest, s.busy)
	}
	s.mu.Unlock()
	if s.during != nil {
		s.during(call)
	}
	err := s.pass(ctx, took/2)
	s.mu.Lock()
	if err == nil {
		switch {
		case lost:
			err = refusal("network", fault.Unavailable, true, 0)
		case s.limit != nil && !s.limit.allow(time.Now()):
			s.refused++
			err = refusal("throttled", fault.Unavailable, true, s.after)
		case broken:
			err = refusal("server", fault.Unavailable, true, 0)
		case s.token != nil && !s.token(call, token.Reveal()):
			err = refusal("unauthorized", fault.SignInNeeded, false, 0)
		case account != "" && s.refuse != nil:
			err = s.refuse(account, call)
		}
		if err == nil {
			s.served++
			if s.asked == nil {
				s.asked = map[string]int{}
			}
			if account != "" {
				s.asked[account]++
			}
		}
	}
	s.mu.Unlock()
	if late := s.pass(ctx, took-took/2); late != nil {
		err = late
	}
	s.mu.Lock()
	s.busy--
	s.mu.Unlock()
	return err
}

// pass lets time go by, as idc does when it must stop: the cause, if it is a fault.
func (s *service) pass(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		if f, ok := context.Cause(ctx).(*fault.Error); ok { //nolint:errorlint // as it was given
			return f
		}
		return &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: ctx.Err()}
	}
}

// tokens is a renewer: its token is good until another is set.
type tokens struct {
	mu       sync.Mutex
	now      session.Token
	life     time.Duration // of the tokens that it renews; 0 = it renews none
	takes    time.Duration
	whose    string // ends the renewed tokens
	renewals int
	asked    int
	ended    int
}

func (k *tokens) Ahead(_ context.Context, _ session.Session, lead time.Duration) (session.Token, bool, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked++
	if time.Until(k.now.ExpiresAt) >= lead || k.life == 0 {
		return k.now, false, nil
	}
	k.renew()
	return k.now, true, nil
}

func (k *tokens) Replace(_ context.Context, _ session.Session, rejected session.Secret) (session.Token, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now.AccessToken.Equal(rejected) {
		if k.life == 0 {
			return session.Token{}, fault.New(fault.SignInNeeded, "run: homing login", "the session has ended")
		}
		k.renew()
	}
	return k.now, nil
}

func (k *tokens) Ended(_ context.Context, _ session.Session, _ session.Secret, cause error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended++
	return &fault.Error{Kind: fault.SignInNeeded, Msg: "the session has ended", Remedy: fault.Login{}, Err: cause}
}

func (k *tokens) renew() {
	time.Sleep(k.takes)
	k.renewals++
	k.now.AccessToken = session.NewSecret(fmt.Sprint("renewed-", k.renewals, k.whose))
	k.now.RefreshToken = session.NewSecret(fmt.Sprint("refresh-", k.renewals))
	k.now.ExpiresAt = time.Now().Add(k.life)
}

// signIn puts in a token of a new sign-in.
func (k *tokens) signIn(name string, life time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.now = session.Token{
		AccessToken: session.NewSecret("access-" + name), ExpiresAt: time.Now().Add(life),
		RefreshToken: session.NewSecret(
			"refresh-" + name,
		), ClientID: "client", ClientSecret: session.NewSecret("secret"),
		RegistrationExpiresAt: time.Now().Add(90 * 24 * time.Hour),
	}
}

var dev = session.Session{Name: "dev", StartURL: "https://d-1234567890.awsapps.com/start", Region: "us-east-1"}

// newLister returns a lister of s, for somebody who has signed in.
func newLister(s *service, seed uint64) (*Lister, *tokens) {
	s.rand = rand.New(rand.NewPCG(seed, 1))
	k := &tokens{life: time.Hour}
	k.signIn("ada", time.Hour)
	return &Lister{
		Session: dev, Tokens: k, chance: rand.New(rand.NewPCG(seed, 2)).Float64,
		Connect: func(context.Context, session.Session) (Portal, error) { return s, nil },
	}, k
}
