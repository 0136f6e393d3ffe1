package emulator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// PendingSignIn is a sign-in that waits for a person.
type PendingSignIn struct {
	ID          string    `json:"id"`
	Kind        Kind      `json:"kind"`
	ClientID    string    `json:"client_id"`
	ClientName  string    `json:"client_name"`
	Scopes      []string  `json:"scopes"`
	UserCode    string    `json:"user_code,omitempty"`    // device code only
	RedirectURI string    `json:"redirect_uri,omitempty"` // authorization code only
	Began       time.Time `json:"began"`                  // by the emulator's clock
}

// Decision is a person's answer to a sign-in. The zero value approves the oldest pending one as the first person of
// the Directory.
type Decision struct {
	ID       string // "" = the one of UserCode
	UserCode string // "" = the oldest pending sign-in, waiting for one; as the person types it, of a device sign-in
	User     string // "" = the first person of the Directory
	Deny     bool
}

// ErrNoSignIn says that a Decision names a sign-in that is unknown, decided or lapsed.
var ErrNoSignIn = errors.New("emulator: no such pending sign-in")

// Pending waits until a sign-in is pending and returns the oldest. A device sign-in is pending from its
// StartDeviceAuthorization, an authorization-code sign-in from the moment a browser visits the authorize URL.
// The error is ctx's.
func (s *Server) Pending(ctx context.Context) (PendingSignIn, error) {
	for {
		s.mu.Lock()
		s.init()
		all, changed := s.pending(), s.st.changed
		s.mu.Unlock()
		if len(all) > 0 {
			return all[0], nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return PendingSignIn{}, fmt.Errorf("emulator: no sign-in came: %w", context.Cause(ctx))
		}
	}
}

// pending returns the sign-ins that wait for a person, oldest first. s.mu is held.
func (s *Server) pending() []PendingSignIn {
	now := s.now()
	s.st.undecided = slices.DeleteFunc(s.st.undecided, func(si *signIn) bool {
		return si.status != Pending ||
			!si.live(now)
	})
	var all []PendingSignIn
	for _, si := range s.st.undecided {
		if !si.misplaced {
			all = append(all, si.told())
		}
	}
	return all
}

// told is what a test may know of the sign-in.
func (si *signIn) told() PendingSignIn {
	return PendingSignIn{ID: si.id, Kind: si.kind, ClientID: si.client.id, ClientName: si.client.name,
		Scopes: slices.Clone(si.client.scopes), UserCode: si.userCode, RedirectURI: si.redirectURI, Began: si.began}
}

// Approve waits for a sign-in and allows it as the first person of the Directory, who starts a new portal session for
// it. A device sign-in is complete with that. Of an authorization-code sign-in the redirect is left to the browser
// that visited the authorize URL; a test without one calls Decide, which returns it, or lets a Person open the URL.
func (s *Server) Approve(ctx context.Context) error {
	_, err := s.Decide(ctx, Decision{})
	return err
}

// Deny waits for a sign-in and refuses it.
func (s *Server) Deny(ctx context.Context) error {
	_, err := s.Decide(ctx, Decision{Deny: true})
	return err
}

// Decide gives d as the person's answer. For an authorization-code sign-in it returns the URL the browser would be
// sent to: the client's redirect URI with code and state, or with error=access_denied. It is "" for a device sign-in.
func (s *Server) Decide(ctx context.Context, d Decision) (redirect string, err error) {
	_, redirect, err = s.answer(ctx, d)
	return redirect, err
}

// answer is Decide, and also tells which sign-in it was.
func (s *Server) answer(ctx context.Context, d Decision) (which PendingSignIn, redirect string, err error) {
	if d.ID != "" && d.UserCode != "" {
		return PendingSignIn{}, "", errors.New("emulator: a sign-in is named by its id or its user code, not both")
	}
	named := d.ID != "" || d.UserCode != ""
	for {
		if !named {
			p, err := s.Pending(ctx)
			if err != nil {
				return PendingSignIn{}, "", err
			}
			d.ID = p.ID
		}
		which, redirect, err = s.answerNamed(d)
		if errors.Is(err, ErrNoSignIn) && !named && ctx.Err() == nil {
			continue // another was quicker
		}
		return which, redirect, err
	}
}

func (s *Server) answerNamed(d Decision) (which PendingSignIn, redirect string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	now := s.now()
	si := s.st.byID[d.ID]
	if d.UserCode != "" {
		si = s.st.byUser[normalizeUserCode(d.UserCode)]
	}
	if si == nil || si.status != Pending || !si.live(now) || si.misplaced {
		return PendingSignIn{}, "", ErrNoSignIn
	}
	user := or(d.User, s.Directory.first())
	if _, ok := s.Directory.user(user); !ok {
		return PendingSignIn{}, "", fmt.Errorf("emulator: no user %q in the directory", user)
	}
	si.confirmed = true
	s.decide(now, si, s.newSession(now, user), !d.Deny)
	if si.kind == DeviceCode {
		return si.told(), "", nil
	}
	return si.told(), si.ending(), nil
}

// begin makes a sign-in known. s.mu is held.
func (s *Server) begin(si *signIn) {
	s.st.undecided = append(s.st.undecided, si)
	if si.kind == DeviceCode {
		s.st.lastDevice = si
	}
	s.st.byID[si.id] = si
	s.announce()
}

// decide sets the person's answer to a pending sign-in. An allowed authorization-code sign-in gets its code, which
// lapses CodeLife from now. s.mu is held.
func (s *Server) decide(now time.Time, si *signIn, session *portalSession, allow bool) {
	si.user = session.user
	if !allow {
		si.status = Denied
		s.announce()
		return
	}
	si.status, si.session = Approved, session
	s.st.consents[consent{session.user, si.client.id}] = true
	if si.kind == AuthorizationCode {
		si.expires = now.Add(s.codeLife())
		si.code = s.authorizationCode(s.wireTime(si.expires))
		s.st.byCode[si.code] = si
	}
	s.announce()
}

// EndSession ends every portal session of user, or of everybody for "": their access and refresh tokens are dead and
// their browsers have to sign in again. It is what an administrator's revocation, or time, does.
func (s *Server) EndSession(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.st.sessions {
		if user == "" || p.user == user {
			p.ended = true
		}
	}
}

// knows reports whether user is in the Directory or ever had a portal session.
func (s *Server) knows(user string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	if _, ok := s.Directory.user(user); ok {
		return true
	}
	for _, p := range s.st.sessions {
		if p.user == user {
			return true
		}
	}
	return false
}

// Person returns a person with a browser who speaks to s without sockets, as the first one of the Directory.
func (s *Server) Person() *Person {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.init()
	u, _ := s.Directory.user(s.Directory.first())
	return &Person{Transport: s.Transport(), UserName: u.Name, Password: u.Password}
}
