// Package credserver is the container-credentials endpoint: the HTTP server on loopback that
// AWS_CONTAINER_CREDENTIALS_FULL_URI leads an AWS SDK to, so that a program gets other credentials before those it
// has lapse.
//
// Where credentials come from is left to Server.Credentials. The package decides who may ask, what an SDK reads in
// the answer, and when to get the next ones ahead of time.
//
// The one rule: nothing is told, not even which profiles there are, before the request has shown the token, and has
// shown that no web page sent it.
package credserver

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

const (
	// Ahead is how long before their end credentials are replaced: botocore asks for others in the last 15 minutes,
	// the other SDKs in the last five, and they must find new ones here by then.
	Ahead = 20 * time.Minute
	// again is the pause after a failed renewal ahead of time.
	again = time.Minute
	// mostWait bounds a call of Credentials, whoever waits for it.
	mostWait = 60 * time.Second
)

// Server answers requests for role credentials. Its methods are safe for concurrent use.
type Server struct {
	Token    session.Secret // what a request must show in Authorization; required
	Port     int            // of the listener, which the Host of a request must name; required
	Profiles []string       // who may be asked for, at /NAME; at / too where it is the only one
	// Credentials returns credentials with more than minTTL left, or the best there are. It runs once at a time for a
	// profile, however many requests wait, and is not cancelled when they leave. Errors are *fault.Error; what comes
	// along with one is not looked at. Required.
	Credentials func(ctx context.Context, profile string, minTTL time.Duration) (Found, error)
	// Trouble is told when there are no credentials, or none after those there are: once, until it works again. Nil
	// is not told.
	Trouble func(profile string, err error)
	Hint    func(error) string               // the next step that an error suggests, in words; nil = not told
	Debug   func(format string, args ...any) // nil = not told
	Now     func() time.Time                 // nil = time.Now

	mu      sync.Mutex
	entries map[string]*entry
}

// Found is what Server.Credentials has found.
type Found struct {
	Credentials session.RoleCredentials
	// Last says why there will be no others after these, a *fault.Error; they are given out while they are good, and
	// then the answer is Last. Nil where there will be.
	Last error
}

// entry is what is known of one profile.
type entry struct {
	call    *call  // under way
	keyID   string // of the credentials that were last given out
	ahead   time.Duration
	due     time.Time // when they are to be replaced
	asked   bool      // since they came
	trouble bool      // was told
}

// call is one call of Credentials and who waits for it.
type call struct {
	done  chan struct{}
	creds session.RoleCredentials
	err   error
	last  error // why there will be no others
}

// NewToken makes a token: 256 random bits, in characters that need no quoting anywhere.
func NewToken() session.Secret {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand
	return session.NewSecret(base64.RawURLEncoding.EncodeToString(b))
}

// Path is where a profile is found: /NAME, the name escaped.
func Path(profile string) string { return "/" + url.PathEscape(profile) }

// URL is where the profile's credentials are, on the given port.
func URL(port int, path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", port, path) }

// Get returns credentials of a profile, as a request for them would.
func (s *Server) Get(ctx context.Context, profile string) (session.RoleCredentials, error) {
	c, err := s.get(ctx, profile)
	if err == nil {
		s.mu.Lock()
		s.of(profile).asked = true
		s.mu.Unlock()
	}
	return c, err
}

// get calls Credentials, or waits for the call that is under way. A caller that leaves does not end it: botocore
// gives up after two seconds and the JavaScript SDK after one, and what they ask for the next time should be there.
func (s *Server) get(ctx context.Context, profile string) (session.RoleCredentials, error) {
	s.mu.Lock()
	e := s.of(profile)
	c := e.call
	if c == nil {
		c = &call{done: make(chan struct{})}
		e.call = c
		minTTL := e.ahead
		go s.fetch(context.WithoutCancel(ctx), profile, minTTL, c)
	}
	s.mu.Unlock()
	select {
	case <-c.done:
		return c.creds, c.err
	case <-ctx.Done():
		return session.RoleCredentials{}, ctx.Err()
	}
}

// of returns the entry of a profile. The caller holds mu.
func (s *Server) of(profile string) *entry {
	if s.entries == nil {
		s.entries = map[string]*entry{}
	}
	e := s.entries[profile]
	if e == nil {
		e = &entry{ahead: Ahead}
		s.entries[profile] = e
	}
	return e
}

func (s *Server) fetch(ctx context.Context, profile string, minTTL time.Duration, c *call) {
	ctx, cancel := context.WithTimeout(ctx, mostWait)
	defer cancel()
	defer func() {
		if p := recover(); p != nil { // a request must not end the program that a job of hours stands on
			c.creds, c.err = session.RoleCredentials{}, fmt.Errorf("internal error: %v", p)
		}
		s.settle(profile, c)
		close(c.done)
	}()
	found, err := s.Credentials(ctx, profile, minTTL)
	if err != nil {
		c.err = err
		return
	}
	c.creds, c.last = found.Credentials, found.Last
	switch left := c.creds.Expiration.Sub(s.now()); {
	case left > 0:
	case c.last != nil:
		c.err = c.last
	default:
		c.err = fault.New(fault.Unavailable, "compare the clock of this machine with another",
			"the service gave credentials that lapsed %s ago", (-left).Round(time.Second))
	}
}

// settle notes what a call has brought.
func (s *Server) settle(profile string, c *call) {
	s.mu.Lock()
	e, now := s.of(profile), s.now()
	e.call = nil
	why := cmp.Or(c.err, c.last)
	left := c.creds.Expiration.Sub(now)
	if why == nil && c.creds.AccessKeyID != e.keyID {
		e.keyID = c.creds.AccessKeyID
		e.asked = false
		e.ahead = min(Ahead, left/2) // those that live short are replaced at half their life
	}
	e.due = c.creds.Expiration.Add(-e.ahead)
	if why != nil || !e.due.After(now) { // none, or the best there are
		e.due = now.Add(again)
	}
	news := why != nil && !e.trouble
	e.trouble = why != nil
	s.mu.Unlock()
	if news && s.Trouble != nil {
		s.Trouble(profile, why)
	}
}

// Renew replaces credentials ahead of time until ctx is done. It compares the clock with what is due each time look
// has passed, since no timer counts the hours that a machine sleeps. What nobody has asked for since it was renewed
// is left until somebody does.
func (s *Server) Renew(ctx context.Context, look time.Duration) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, profile := range s.overdue() {
			_, _ = s.get(ctx, profile) // Trouble is told
		}
	}
}

func (s *Server) overdue() (profiles []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for profile, e := range s.entries {
		if e.asked && e.call == nil && !now.Before(e.due) {
			profiles = append(profiles, profile)
		}
	}
	slices.Sort(profiles)
	return profiles
}

func (s *Server) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}

func (s *Server) debug(format string, args ...any) {
	if s.Debug != nil {
		s.Debug(format, args...)
	}
}

// profileOf returns the profile that a path names.
func (s *Server) profileOf(path string) (string, error) {
	if path == "/" && len(s.Profiles) == 1 {
		return s.Profiles[0], nil
	}
	if path == "" || path[0] != '/' {
		return "", errors.New("the path must begin with a slash")
	}
	name, err := url.PathUnescape(path[1:])
	if err != nil {
		return "", err
	}
	if !slices.Contains(s.Profiles, name) {
		return "", fmt.Errorf("profile %q is not served here", name)
	}
	return name, nil
}
