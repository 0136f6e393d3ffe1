// Package joint lets several logins of one session be one: the first leads, the others join it.
//
// A leader holds a lock in a folder of the user's and serves a socket; who joins is told what the leader tells, hands
// it keys and pastes, and gets its outcome. What is told is opaque here: internal/interactive says what it means. A
// lock, not a file, says that a leader lives, so one that was killed is followed at once and blocks nobody.
//
// The rule: nothing is sent, either way, before both sides have proved that they know the secret in the leader's file
// (0600, in a folder of 0700). A paste is a secret; it is never logged and never written to a file.
package joint

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	"github.com/homing-cli/homing/internal/files"
)

// Errors of Meet. Any other means that the folder cannot be used.
var (
	// ErrSilent says that somebody leads who does not answer: stopped, of another machine, or out of reach.
	ErrSilent = errors.New("the login that waits does not answer")

	errBusy = errors.New("somebody leads") // the lock is held
	errLost = errors.New("the connection to the login that waits was lost")
)

const (
	look     = 20 * time.Millisecond // between two looks at who leads
	patience = 3 * time.Second       // for a leader to be there and to answer
	leaving  = 8 * time.Second       // for one that was asked to make room: what it has under way must end
	grace    = time.Second           // in which who took over is let lead
)

// Place is where the logins of one session meet. All that want to be one must have the same.
type Place struct {
	Dir  string // a folder of the user's alone; it is made, 0700
	Name string // of the session, and of where its token is kept
}

// Hello is what a login wants when others may be there.
type Hello struct {
	About string // what is asked of the service
	// Fits reports whether the outcome of a leader with another About would be of use all the same. One whose would
	// not is made to leave. nil: it never is.
	Fits     func(about string) bool
	Opens    bool // it can open an address for the person
	TakeOver bool // lead, whoever leads
	Yield    bool // somebody was just made to leave: let whoever asked for that lead
}

// displaces reports whether a leader with this About is to leave.
func (h Hello) displaces(about string) bool {
	return h.TakeOver || about != h.About && (h.Fits == nil || !h.Fits(about))
}

// Message is what a leader tells.
type Message struct {
	Body    json.RawMessage // what was given to Tell, Offer or Close
	Opens   bool            // nobody has opened the address in Body, and this one shall
	Outcome bool            // Body is how it ended; nothing follows
	Left    bool            // the leader was made to leave; there is no Body, and nothing follows
}

// Input is what a person did where they joined: exactly one of the two is set.
type Input struct {
	Key  rune   `json:"key,omitempty"`
	Text string `json:"text,omitempty"` // a paste: secret
}

// Meet makes the caller the leader or joins the one there is; exactly one of the three results is not nil.
func (p Place) Meet(ctx context.Context, h Hello) (*Leader, *Joined, error) {
	f, err := p.paths()
	if err != nil {
		return nil, nil, err
	}
	started := time.Now()
	limit := patience
	for {
		if !h.Yield || time.Since(started) > grace {
			l, err := lead(f, h.About)
			if !errors.Is(err, errBusy) {
				return l, nil, err
			}
		}
		j, err := join(ctx, f, h)
		switch {
		case ctx.Err() != nil:
			if j != nil {
				j.Close()
			}
			return nil, nil, context.Cause(ctx)
		case err != nil:
		case h.displaces(j.about):
			limit = leaving
			j.push()
		default:
			return nil, j, nil
		}
		if time.Since(started) > limit {
			return nil, nil, ErrSilent
		}
		select {
		case <-time.After(look):
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
}

// paths are those of one place.
type paths struct {
	lock, secret, socket string
}

func (p Place) paths() (paths, error) {
	if err := files.PrivateDir(p.Dir); err != nil {
		return paths{}, err
	}
	sum := sha256.Sum256([]byte(p.Name))
	stem := filepath.Join(p.Dir, "login-"+hex.EncodeToString(sum[:8]))
	return paths{stem + ".lock", stem + ".json", stem + ".sock"}, nil
}
