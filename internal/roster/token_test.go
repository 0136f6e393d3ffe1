package roster

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// persons is a portal that tells by the token who asks, and gives each person roles of his own.
type persons struct {
	*service
	mu   sync.Mutex
	over map[string]bool // tokens that are refused
	said int             // how often one was
}

func (p *persons) RolesPage(ctx context.Context, token session.Secret,
	accountID, page string) ([]session.Role, string, error) {
	p.mu.Lock()
	over := p.over[token.Reveal()]
	if over {
		p.said++
	}
	p.mu.Unlock()
	if over {
		if err := p.pass(ctx, p.latency); err != nil {
			return nil, "", err
		}
		return nil, "", refusal("unauthorized", fault.SignInNeeded, false, 0)
	}
	roles, next, err := p.service.RolesPage(ctx, token, accountID, page)
	for i := range roles {
		if strings.Contains(token.Reveal(), "bob") {
			roles[i].Name += "-of-bob"
		} else {
			roles[i].Name += "-of-ada"
		}
	}
	return roles, next, err
}

func (p *persons) end(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over == nil {
		p.over = map[string]bool{}
	}
	p.over[token] = true
}

// What happens to the token during a list of 15 seconds.
func TestTokens(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		begin func(p *persons, k *tokens)
		whose string // roles in the result; "" = an error
		anew  bool   // all was asked for again
		ended int
		most  int // refused calls
	}{
		{"lasts", func(*persons, *tokens) {}, "ada", false, 0, 0},
		{"is renewed ahead of its end", func(p *persons, k *tokens) {
			k.signIn("ada", 9*time.Second)
			time.AfterFunc(9*time.Second, func() { p.end("access-ada") })
		}, "ada", false, 0, 0},
		{"the renewal takes its time", func(p *persons, k *tokens) {
			k.signIn("ada", 9*time.Second)
			k.takes = 2 * time.Second
			time.AfterFunc(9*time.Second, func() { p.end("access-ada") })
		}, "ada", false, 0, 0},
		{"the renewal comes too late", func(p *persons, k *tokens) {
			k.signIn("ada", 9*time.Second)
			k.takes = 4 * time.Second
			time.AfterFunc(9*time.Second, func() { p.end("access-ada") })
		}, "ada", false, 0, 5},
		{"is refused before its time", func(p *persons, _ *tokens) {
			time.AfterFunc(5*time.Second, func() { p.end("access-ada") })
		}, "ada", false, 0, 5},
		{"is refused at the first call", func(p *persons, _ *tokens) { p.end("access-ada") }, "ada", false, 0, 8},
		{"its renewal is refused, too", func(p *persons, _ *tokens) {
			time.AfterFunc(5*time.Second, func() { p.end("access-ada"); p.end("renewed-1") })
		}, "", false, 1, 10},
		{"is refused again and again", func(p *persons, _ *tokens) {
			time.AfterFunc(3*time.Second, func() { p.end("access-ada") })
			time.AfterFunc(6*time.Second, func() { p.end("renewed-1") })
			time.AfterFunc(9*time.Second, func() { p.end("renewed-2") })
		}, "ada", false, 0, 15},
		{"is over and cannot be renewed", func(p *persons, k *tokens) {
			k.life = 0
			time.AfterFunc(5*time.Second, func() { p.end("access-ada") })
		}, "", false, 0, 5},
		{"bob signs in, ada stays signed in", func(_ *persons, k *tokens) {
			time.AfterFunc(5*time.Second, func() { k.signIn("bob", time.Hour) })
		}, "ada", false, 0, 0},
		{"ada signs out, bob signs in", func(p *persons, k *tokens) {
			time.AfterFunc(5*time.Second, func() { k.signIn("bob", time.Hour); p.end("access-ada") })
		}, "bob", true, 0, 5},
		{"bob signs in before the renewal", func(p *persons, k *tokens) {
			k.signIn("ada", 9*time.Second)
			time.AfterFunc(3*time.Second, func() { k.signIn("bob", time.Hour) })
			time.AfterFunc(9*time.Second, func() { p.end("access-ada") })
		}, "bob", true, 0, 0},
		{"bob signed in with another program, and his token is renewed", func(p *persons, k *tokens) {
			k.signIn("ada", 9*time.Second)
			time.AfterFunc(3*time.Second, func() {
				k.signIn("bob", 5*time.Second)
				k.mu.Lock()
				defer k.mu.Unlock()
				k.now.ClientID, k.whose = "another", "-bob"
			})
			time.AfterFunc(9*time.Second, func() { p.end("access-ada") })
		}, "bob", true, 0, 0},
		{"another program renews it and keeps the refresh token", func(p *persons, k *tokens) {
			time.AfterFunc(5*time.Second, func() {
				k.mu.Lock()
				defer k.mu.Unlock()
				k.now.AccessToken = session.NewSecret("access-ada-2")
				p.end("access-ada")
			})
		}, "ada", false, 0, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				s := &service{accounts: 300, latency: 60 * time.Millisecond, limit: perSecond(20)}
				l, k := newLister(s, 1)
				l.Dir = dir
				p := &persons{service: s}
				l.Connect = func(context.Context, session.Session) (Portal, error) { return p, nil }
				tt.begin(p, k)
				result, err := l.List(t.Context())
				if k.ended != tt.ended || p.said > tt.most {
					t.Errorf("%d times said that the session has ended, want %d; %d calls refused, want %d at most",
						k.ended, tt.ended, p.said, tt.most)
				}
				if tt.whose == "" {
					if fault.KindOf(err) != fault.SignInNeeded || len(kept(t, dir)) != 1 {
						t.Errorf("error = %v, kept %v", err, kept(t, dir))
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range result.Accounts {
					for _, r := range a.Roles {
						if !strings.HasSuffix(r, "-of-"+tt.whose) {
							t.Fatalf("%s in the list of %s", r, tt.whose)
						}
					}
				}
				if len(result.Accounts) != 300 || len(result.Accounts[299].Roles) != 3 {
					t.Errorf("%d accounts", len(result.Accounts))
				}
				if anew := s.served > 320; anew != tt.anew {
					t.Errorf("%d calls were served", s.served)
				}
			})
		})
	}
}

// A list that is interrupted after a renewal of its own goes on from there with the renewed token.
func TestResumeAfterRenewal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := &service{accounts: 300, latency: 60 * time.Millisecond, limit: perSecond(20)}
		l, k := newLister(s, 1)
		k.signIn("ada", 6*time.Second)
		l.Dir = dir
		interrupt(t, l, 8*time.Second)
		if k.renewals != 1 {
			t.Fatalf("%d renewals", k.renewals)
		}
		if result := list(t, l, s); result.Resumed < 100 {
			t.Errorf("resumed with %d", result.Resumed)
		}
	})
}

// The token's region is the one to ask in: it is where the session lives, whatever the config says.
func TestRegionOfTheToken(t *testing.T) {
	t.Parallel()
	s := &service{accounts: 3}
	l, k := newLister(s, 1)
	k.now.Region = "eu-west-1"
	var asked []string
	l.Connect = func(_ context.Context, s2 session.Session) (Portal, error) {
		asked = append(asked, s2.Region)
		return s, nil
	}
	list(t, l, s)
	if len(asked) != 1 || asked[0] != "eu-west-1" {
		t.Errorf("asked in %v", asked)
	}
}
