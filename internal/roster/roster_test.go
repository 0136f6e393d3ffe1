package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

var forbidden = refusal("forbidden", fault.Denied, false, 0)

// list runs l and checks that the result is whole: every account with its roles, but for the refused ones.
func list(t *testing.T, l *Lister, s *service) Result {
	t.Helper()
	result, err := l.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	whole(t, result, s)
	return result
}

func whole(t *testing.T, result Result, s *service) {
	t.Helper()
	if len(result.Accounts) != s.accounts {
		t.Fatalf("%d accounts, want %d", len(result.Accounts), s.accounts)
	}
	n := s.roles
	if n == 0 {
		n = 3
	}
	for i, a := range result.Accounts {
		refused := slices.ContainsFunc(result.Refused, func(r Refused) bool { return r.Account.ID == a.ID })
		if a.ID != fmt.Sprintf("%012d", i+1) || a.Name != fmt.Sprint("account ", i+1) || a.Email == "" {
			t.Fatalf("account %d is %+v", i, a.Account)
		}
		if refused && len(a.Roles) > 0 ||
			!refused && (len(a.Roles) != n || a.Roles[0] != "Role001" || !slices.IsSorted(a.Roles)) {
			t.Fatalf("account %s has roles %v", a.ID, a.Roles)
		}
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		service *service
		calls   int
	}{
		{"no account", &service{}, 1},
		{"one account", &service{accounts: 1}, 2},
		{"a full page", &service{accounts: 100}, 101},
		{"three pages", &service{accounts: 201}, 204},
		{"250 roles in each", &service{accounts: 2, roles: 250}, 7},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l, _ := newLister(tt.service, 1)
				result := list(t, l, tt.service)
				if result.Calls != tt.calls || result.Throttled != 0 || result.Resumed != 0 {
					t.Errorf("%+v, want %d calls", result, tt.calls)
				}
			})
		})
	}
}

// Only the roles of wanted accounts are asked for.
func TestWanted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 300, latency: time.Millisecond}
		l, _ := newLister(s, 1)
		l.Wanted = func(a session.Account) bool { return a.ID < "000000000008" }
		result, err := l.List(t.Context())
		if err != nil || len(result.Accounts) != 7 || result.Calls != 3+7 {
			t.Errorf("%d accounts by %d calls, %v", len(result.Accounts), result.Calls, err)
		}
	})
}

// What ends a list, and what does not.
func TestTrouble(t *testing.T) {
	t.Parallel()
	broken := refusal("server", fault.Unavailable, true, 0)
	unreached := refusal("network", fault.Unavailable, false, 0)
	page := refusal("nonsense", fault.Unavailable, false, 0)
	on := func(account string, err error) func(string, int) error {
		return func(a string, _ int) error {
			if account == "" || a == account {
				return err
			}
			return nil
		}
	}
	from := func(first, last int, err error) func(string, int) error {
		return func(_ string, call int) error {
			if call >= first && call <= last {
				return err
			}
			return nil
		}
	}
	until := func(end time.Duration, err error) func(string, int) error {
		var began time.Time // by the bubble's clock
		return func(string, int) error {
			if began.IsZero() {
				began = time.Now()
			}
			if time.Since(began) < end {
				return err
			}
			return nil
		}
	}
	for _, tt := range []struct {
		name    string
		service *service
		refused int
		err     error // nil = none
		within  time.Duration
	}{
		{"one account refused", &service{refuse: on("000000000007", forbidden)}, 1, nil, time.Second},
		{"one account not understood", &service{refuse: on("000000000007", refusal("invalid_request", fault.Config, false, 0))}, 1, nil, time.Second},
		{"all accounts refused", &service{refuse: on("", forbidden)}, 50, nil, time.Second},
		{"one account is broken", &service{refuse: on("000000000007", broken)}, 1, nil, 20 * time.Second},
		{"all is broken for ten seconds", &service{refuse: until(10*time.Second, broken)}, 0, nil, 15 * time.Second},
		{"all is broken", &service{refuse: on("", broken)}, 0, broken, 40 * time.Second},
		{"the network is away for a moment", &service{refuse: from(10, 18, unreached)}, 0, nil, 5 * time.Second},
		{"the network is away", &service{refuse: from(10, 1<<30, unreached)}, 0, unreached, 5 * time.Second},
		{"a page of a proxy", &service{refuse: from(10, 1<<30, page)}, 0, page, 5 * time.Second},
		{"throttled for a minute", &service{limit: &changing{first: &bucket{}, then: &bucket{rate: 1000, burst: 1000},
			after: time.Minute}}, 0, nil, 68 * time.Second},
		{"throttled for an hour", &service{limit: &changing{first: &bucket{}, then: &bucket{rate: 1000, burst: 1000},
			after: time.Hour}}, 0, nil, time.Hour + 8*time.Second},
		{"told to wait for 20 s", &service{after: 20 * time.Second, limit: &changing{first: &bucket{},
			then: &bucket{rate: 1000, burst: 1000}, after: 15 * time.Second}}, 0, nil, 30 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := tt.service
				s.accounts, s.latency = 50, 60*time.Millisecond
				l, _ := newLister(s, 1)
				start := time.Now()
				result, err := l.List(t.Context())
				if took := time.Since(start); took > tt.within {
					t.Errorf("took %v, want %v at most", took, tt.within)
				}
				t.Logf("%v, %d calls", time.Since(start), s.calls)
				if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
					t.Fatalf("error = %v, want %v", err, tt.err)
				}
				if err != nil {
					return
				}
				whole(t, result, s)
				if len(result.Refused) != tt.refused {
					t.Errorf("refused: %v", result.Refused)
				}
				for _, r := range result.Refused {
					if r.Account.Name == "" || fault.RemedyOf(r.Err) == nil {
						t.Errorf("refused: %+v", r)
					}
				}
			})
		})
	}
}

// When the service says when to come back, nobody comes before.
func TestToldWhen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 10, latency: 60 * time.Millisecond, after: 20 * time.Second}
		s.limit = &changing{first: &bucket{}, then: perSecond(1000), after: 15 * time.Second}
		l, _ := newLister(s, 1)
		list(t, l, s)
		if s.refused != 1 {
			t.Errorf("%d calls were refused, want the first only", s.refused)
		}
	})
}

// A call that is never answered is made again; the others do not wait for it.
func TestSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 50, latency: 60 * time.Millisecond}
		l, _ := newLister(s, 1)
		silent := &silence{service: s}
		l.Connect = func(context.Context, session.Session) (Portal, error) { return silent, nil }
		start := time.Now()
		result, err := l.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		whole(t, result, s)
		if took := time.Since(start); took < callTimeout || took > callTimeout+time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// silence never answers the twentieth call.
type silence struct {
	*service
	calls int
}

func (s *silence) RolesPage(ctx context.Context, token session.Secret,
	accountID, page string) ([]session.Role, string, error) {
	s.mu.Lock()
	s.calls++
	call := s.calls
	s.mu.Unlock()
	if call == 20 {
		return nil, "", s.pass(ctx, time.Hour)
	}
	return s.service.RolesPage(ctx, token, accountID, page)
}

func TestPagesThatDoNotEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 300, pages: func(page, next string) string {
			if next == "" {
				return "100"
			}
			return next
		}}
		l, _ := newLister(s, 1)
		if _, err := l.List(t.Context()); fault.KindOf(err) != fault.Unavailable || fault.RemedyOf(err) == nil {
			t.Errorf("error = %v", err)
		}
		if s.calls > 3+300+1 {
			t.Errorf("%d calls", s.calls)
		}
	})
}

// Whoever interrupts need not wait, and no call is left behind: the bubble would not end.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	lapsed := fault.New(fault.TimedOut, "hint", "enough")
	for _, tt := range []struct {
		name  string
		cause error
		kind  fault.Kind
	}{
		{"Ctrl-C", nil, fault.Interrupted},
		{"the caller's reason", lapsed, fault.TimedOut},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &service{accounts: 500, latency: 60 * time.Millisecond, limit: perSecond(20)}
				l, _ := newLister(s, 1)
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(3*time.Second, func() { cancel(tt.cause) })
				start := time.Now()
				_, err := l.List(ctx)
				if fault.KindOf(err) != tt.kind || tt.cause != nil && !errors.Is(err, tt.cause) {
					t.Errorf("error = %v", err)
				}
				if took := time.Since(start); took > 3*time.Second+100*time.Millisecond {
					t.Errorf("took %v", took)
				}
			})
		})
	}
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 500, latency: 60 * time.Millisecond, limit: perSecond(20)}
		l, _ := newLister(s, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := l.List(ctx); fault.KindOf(err) != fault.TimedOut || fault.RemedyOf(err) == nil {
			t.Errorf("error = %v", err)
		}
	})
}

// Progress grows, ends with the whole, comes ten times a second at most and knows when it will be over.
func TestProgress(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 400, latency: 60 * time.Millisecond, limit: perSecond(20)}
		l, _ := newLister(s, 1)
		start := time.Now()
		var told []Progress
		var times []time.Duration
		l.Progress = func(p Progress) { told, times = append(told, p), append(times, time.Since(start)) }
		list(t, l, s)
		end := times[len(times)-1]
		waited := false
		for i, p := range told {
			if i > 0 && (p.Done < told[i-1].Done || p.Calls < told[i-1].Calls || p.Total < told[i-1].Total) {
				t.Errorf("%+v after %+v", p, told[i-1])
			}
			if i > 0 && i < len(told)-1 && times[i]-times[i-1] < reportEvery {
				t.Errorf("told again after %v", times[i]-times[i-1])
			}
			if p.Counting != (p.Total < 400) {
				t.Errorf("%+v: counting", p)
			}
			if at := times[i]; at > 6*time.Second && (p.Left < (end-at)*7/10 || p.Left > (end-at)*13/10+time.Second) {
				t.Errorf("after %v: %+v, but it took until %v", at, p, end)
			}
			if times[i] > 6*time.Second && (p.Rate < 15 || p.Rate > 25) {
				t.Errorf("after %v: %+v", times[i], p)
			}
			waited = waited || p.Waiting
		}
		last := told[len(told)-1]
		if last.Done != 400 || last.Total != 400 || last.Counting || last.Left != 0 || last.Waiting ||
			last.Throttled == 0 {
			t.Errorf("at the end: %+v", last)
		}
		if !waited {
			t.Error("never said that the service asks for a pause")
		}
	})
}
