// Package roster lists the accounts of a session with their roles, as fast as the service allows: one call for every
// account, side by side while they are answered, at the service's own pace once it throttles. What was fetched
// survives an interruption. What the list is for, and what becomes of it, is left to others.
//
// The one rule: a list is of one person. Whenever the token changes and it cannot be told that it was renewed, rather
// than issued to whoever signed in meanwhile, everything fetched before is forgotten.
package roster

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/homing-cli/homing/internal/session"
)

// Portal returns the pages of the two lists, each in a single attempt (idc.Client does). page is "" for the first
// page, then the next that came with the one before; next is "" after the last. An error that can say what the
// service meant has the methods ServiceCode, Transient and RetryAfter.
type Portal interface {
	AccountsPage(ctx context.Context, token session.Secret,
		page string) (accounts []session.Account, next string, err error)
	RolesPage(ctx context.Context, token session.Secret,
		accountID, page string) (roles []session.Role, next string, err error)
}

// Tokens gives out the access token of a session (refresh.Renewer does).
type Tokens interface {
	// Ahead returns the token in the file, renewed when less than lead is left; renewed reports whether this call did
	// so.
	Ahead(ctx context.Context, s session.Session, lead time.Duration) (t session.Token, renewed bool, err error)
	// Replace returns another token than the rejected one.
	Replace(ctx context.Context, s session.Session, rejected session.Secret) (session.Token, error)
	// Ended is the error that tells a person to sign in again, and writes down that the rejected token is over.
	Ended(ctx context.Context, s session.Session, rejected session.Secret, cause error) error
}

// Lister lists the accounts and roles of one session. It belongs to one goroutine.
type Lister struct {
	Session session.Session
	Tokens  Tokens // required
	// Connect returns the portal for a session, in the session's Region: the one that issued the token. Required.
	Connect func(ctx context.Context, s session.Session) (Portal, error)
	// Wanted chooses the accounts whose roles are asked for; the others are left out. nil = all.
	Wanted func(session.Account) bool
	// Dir is the folder that keeps what was fetched if List is interrupted: the user's state folder; "" keeps
	// nothing. Failing to keep it is not an error.
	Dir string
	// Keep leaves what was fetched in Dir after a complete List, until Finish, for a caller that may still be
	// interrupted before it has used the list. Otherwise a complete List removes it.
	Keep bool
	// Progress is told how far List is: one call at a time, ten a second at most, and one at the end. nil = nobody
	// is.
	Progress func(Progress)
	Now      func() time.Time // nil = time.Now

	chance func() float64 // 0 ≤ x < 1; nil = math/rand
	saved  *saved         // what Keep leaves until Finish
}

// Result is a complete list.
type Result struct {
	Accounts []Account // that are wanted, sorted by ID
	Refused  []Refused // those of them whose roles the service did not tell, sorted by ID
	Resumed  int       // accounts whose roles an interrupted List had fetched
	Calls    int       // made, whatever came of them
	// Throttled is how many of Calls the service refused for coming too fast.
	Throttled int
}

// Account is an account and the names of the roles a person may use in it, sorted; there may be none.
type Account struct {
	session.Account
	Roles []string
}

// Refused is an account that is on the list but whose roles the service does not tell. It is among Result.Accounts
// too, without roles: nothing may be concluded from their absence.
type Refused struct {
	Account session.Account
	Err     error // a *fault.Error
}

// Progress is how far a List is.
type Progress struct {
	Done, Total int           // accounts
	Counting    bool          // Total will still grow
	Rate        float64       // calls answered in a second, of late; 0 = unknown yet
	Left        time.Duration // at that rate; 0 = unknown, or done
	Calls       int
	Throttled   int
	Waiting     bool // the service asks for a pause
}

// List returns the accounts of the session, each with its roles. It waits as long as the service wants it to: only
// ctx ends a list that is throttled. What other trouble passes by itself is waited for, 30 seconds without any answer
// at most.
//
// Errors are *fault.Error: SignInNeeded when the session is over, Denied, Unavailable, Interrupted or TimedOut when
// ctx ended. What was fetched until then is kept in Dir for the next List of the same sign-in, for three hours.
func (l *Lister) List(ctx context.Context) (Result, error) {
	l.close()
	if l.chance == nil {
		l.chance = rand.Float64
	}
	r := &run{
		Lister:   l,
		pacer:    newPacer(l.chance),
		answers:  make(chan answer, maxUnderWay),
		renewals: make(chan renewal, 1),
	}
	result, err := r.list(ctx)
	if err == nil && !l.Keep {
		l.Finish()
	}
	if err != nil {
		l.close()
	}
	return result, err
}

// Finish drops what a List with Keep has left. It may be called at any time, and more than once.
func (l *Lister) Finish() {
	if l.saved != nil {
		l.saved.drop()
		l.saved = nil
	}
}

// close leaves what was fetched to the next List.
func (l *Lister) close() {
	if l.saved != nil {
		l.saved.close()
		l.saved = nil
	}
}

func (l *Lister) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}
