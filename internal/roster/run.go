package roster

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

const (
	// callTimeout bounds one call. The slowest answers of a busy portal take a few seconds; one that takes this long
	// will not come, and a list would wait for it alone.
	callTimeout = 15 * time.Second
	// patience is how long a service that answers nothing of use is asked again, as for credentials.
	patience = 30 * time.Second
	// tries is how often one account is asked for while others are answered.
	tries = 6
	// unreached is how often a network that is not there is tried.
	unreached = 4
	// maxPages ends a list that does not end by itself: ten times the largest organisation heard of.
	maxPages = 1000
)

// job is a page to be fetched.
type job struct {
	account string    // whose roles; "" = the list of accounts
	page    string    // "" = the first
	names   []string  // of the roles on the pages before
	before  []string  // the pages that were had
	first   time.Time // when it was first tried
	tries   int       // failures, throttling aside
	ready   time.Time // not to be tried before
}

// answer is what came of a job.
type answer struct {
	*job
	ticket     ticket
	token      session.Secret
	generation int
	accounts   []session.Account
	roles      []session.Role
	next       string
	err        error
}

// run is one List. Everything in it belongs to the goroutine that runs list; calls and renewals have their own, and
// answer through channels.
type run struct {
	*Lister
	pacer    *pacer
	portal   Portal
	region   string // portal's
	token    session.Token
	answers  chan answer
	renewals chan renewal

	generation int // grows when the list starts over; older answers are dropped
	again      []*job
	waiting    []*job // from next on
	next       int
	underWay   int
	counting   bool
	renewing   bool      // a renewal is under way
	holding    bool      // no call is made until it is done
	renewAt    time.Time // when the token is renewed ahead of its end
	proven     bool      // the token has served
	replaced   bool      // it came in place of one that was refused

	order   []string            // ids, as they came
	found   map[string]*Account // by id
	refused []Refused
	done    int
	names   map[string]string // each role's name once
	fetched map[string][]string

	result     Result
	quietSince time.Time // the last answer of use
	lost       int       // failures of the network since
	meter      meter
	reported   time.Time
}

func (r *run) list(ctx context.Context) (Result, error) {
	t, _, err := r.Tokens.Ahead(ctx, r.Session, 0)
	if err != nil {
		return Result{}, err
	}
	r.names = map[string]string{}
	if err := r.use(ctx, t); err != nil {
		return Result{}, err
	}
	if r.Dir != "" {
		r.saved, r.fetched = openSaved(r.Dir, r.Session, t, r.now())
	}
	r.begin()
	calls, cancel := context.WithCancel(ctx)
	defer func() {
		cancel()
		for ; r.underWay > 0; r.underWay-- {
			<-r.answers
		}
		if r.renewing {
			<-r.renewals
		}
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for r.counting || r.done < len(r.order) {
		wait := r.launch(calls)
		r.report(false)
		if wait > 0 {
			timer.Reset(wait)
		} else {
			timer.Stop()
		}
		var err error
		select {
		case <-ctx.Done():
			return Result{}, ended(ctx)
		case a := <-r.answers:
			for err = r.take(ctx, a); err == nil && len(r.answers) > 0; {
				err = r.take(ctx, <-r.answers)
			}
		case n := <-r.renewals:
			err = r.renewed(ctx, n)
		case <-timer.C:
		}
		switch {
		case ctx.Err() != nil:
			return Result{}, ended(ctx)
		case err != nil:
			return Result{}, err
		}
	}
	r.report(true)
	return r.complete(), nil
}

// ended returns the error of a List whose context ended.
func ended(ctx context.Context) error {
	return fault.Stopped(ctx, "the time allowed for the list of accounts has passed",
		fault.Advice("run the same command again: it goes on from there"))
}

// begin forgets what was listed and asks for the first page of accounts.
func (r *run) begin() {
	r.generation++
	r.again, r.waiting, r.next = nil, []*job{{}}, 0
	r.order, r.found, r.refused, r.done = nil, map[string]*Account{}, nil, 0
	r.counting = true
	r.result.Resumed = 0
	r.quietSince = time.Now()
}

// launch starts every call that may be made now. It returns how long nothing else can be done; 0 = until an answer
// comes.
func (r *run) launch(ctx context.Context) time.Duration {
	now := time.Now()
	var wait time.Duration
	soonest := func(d time.Duration) {
		if d > 0 && (wait == 0 || d < wait) {
			wait = d
		}
	}
	if !r.renewing && !r.renewAt.IsZero() {
		if left := r.renewAt.Sub(r.now()); left > 0 {
			soonest(left)
		} else {
			r.renewAhead(ctx)
		}
	}
	for !r.holding {
		j, ready := r.peek(now)
		if j == nil {
			soonest(ready)
			break
		}
		d, ok := r.pacer.ask(now)
		if !ok {
			soonest(d)
			break
		}
		r.pop(j)
		r.call(ctx, j, r.pacer.send(now))
	}
	if r.Progress != nil {
		soonest(reportEvery)
	}
	return wait
}

// peek returns the job to do next, nil when there is none, and then how long until one is ready; 0 = unknown.
func (r *run) peek(now time.Time) (*job, time.Duration) {
	var wait time.Duration
	for _, j := range r.again {
		d := j.ready.Sub(now)
		if d <= 0 {
			return j, 0
		}
		if wait == 0 || d < wait {
			wait = d
		}
	}
	if r.next < len(r.waiting) {
		return r.waiting[r.next], 0
	}
	return nil, wait
}

func (r *run) pop(j *job) {
	if i := slices.Index(r.again, j); i >= 0 {
		r.again = slices.Delete(r.again, i, i+1)
		return
	}
	r.waiting[r.next] = nil
	r.next++
}

func (r *run) call(ctx context.Context, j *job, t ticket) {
	r.result.Calls++
	r.underWay++
	if j.first.IsZero() {
		j.first = t.at
	}
	a := answer{job: j, ticket: t, token: r.token.AccessToken, generation: r.generation}
	portal := r.portal
	go func() {
		ctx, cancel := context.WithTimeoutCause(ctx, callTimeout, errSilent)
		defer cancel()
		if j.account == "" {
			a.accounts, a.next, a.err = portal.AccountsPage(ctx, a.token, j.page)
		} else {
			a.roles, a.next, a.err = portal.RolesPage(ctx, a.token, j.account, j.page)
		}
		r.answers <- a
	}()
}

// take puts an answer to use.
func (r *run) take(ctx context.Context, a answer) error {
	now := time.Now()
	r.underWay--
	if a.err != nil {
		if ctx.Err() != nil {
			return ended(ctx)
		}
		return r.trouble(ctx, a, now)
	}
	r.pacer.served(now, a.ticket)
	r.meter.add(now)
	if a.generation != r.generation {
		return nil
	}
	r.quietSince, r.lost = now, 0
	if a.token.Equal(r.token.AccessToken) {
		r.proven = true
	}
	if a.account == "" {
		r.took(a)
	} else {
		for _, role := range a.roles {
			a.names = append(a.names, r.intern(role.Name))
		}
	}
	switch {
	case a.next != "" && (slices.Contains(a.before, a.next) || len(a.before) >= maxPages):
		return fault.New(fault.Unavailable, "try again, and look for a proxy that changes answers",
			"the pages of the service's list do not end")
	case a.next != "":
		r.again = append(r.again,
			&job{account: a.account, page: a.next, names: a.names, before: append(a.before, a.next)})
	case a.account == "":
		r.counting = false
	default:
		r.finished(a.account, a.names)
	}
	return nil
}

func (r *run) intern(name string) string {
	if known, ok := r.names[name]; ok {
		return known
	}
	r.names[name] = name
	return name
}

// took adds the accounts of a page. Pages of an unordered list may overlap.
func (r *run) took(a answer) {
	for _, account := range a.accounts {
		if r.found[account.ID] != nil || r.Wanted != nil && !r.Wanted(account) {
			continue
		}
		r.order = append(r.order, account.ID)
		found := &Account{Account: account}
		r.found[account.ID] = found
		if names, ok := r.fetched[account.ID]; ok {
			for _, name := range names {
				found.Roles = append(found.Roles, r.intern(name))
			}
			r.done++
			r.result.Resumed++
			continue
		}
		r.waiting = append(r.waiting, &job{account: account.ID})
	}
}

// finished notes the roles of an account.
func (r *run) finished(id string, names []string) {
	slices.Sort(names)
	r.found[id].Roles = slices.Clip(slices.Compact(names))
	r.done++
	if r.saved != nil {
		r.saved.add(id, r.found[id].Roles)
	}
}

func (r *run) complete() Result {
	slices.Sort(r.order)
	r.result.Accounts = make([]Account, len(r.order))
	for i, id := range r.order {
		r.result.Accounts[i] = *r.found[id]
	}
	slices.SortFunc(r.refused, func(a, b Refused) int { return cmp.Compare(a.Account.ID, b.Account.ID) })
	r.result.Refused = r.refused
	return r.result
}
