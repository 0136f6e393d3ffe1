package keep

import (
	"time"

	"github.com/homing-cli/homing/internal/session"
)

const (
	// early is what a token has left at least when it is renewed. The AWS CLI and botocore begin to renew in the last
	// 15 minutes, without a lock, and JavaScript and Java refused legacy tokens from then on: one minute before they
	// wake.
	early = 16 * time.Minute
	// spread is how much earlier the renewal may be, by chance: machines that share ~/.aws do not come at once. The
	// first one renews, and the others find the new token in the file.
	spread = 4 * time.Minute
	// longer is what a renewal must bring for another one to be worth a call. A service that ends the access token
	// with the portal session brings less.
	longer = time.Minute
	// late is how long after the end of the last token the service is asked whether the session is really over.
	// Clocks differ.
	late = 5 * time.Second
	// firstRetry and mostRetry are the first and the longest time from a renewal that failed to the next; each is
	// twice the one before. The call itself is repeated for up to 30 seconds.
	firstRetry = time.Minute
	mostRetry  = 3 * time.Minute
)

// view is what is known of one session.
type view struct {
	token   session.Token // what the file holds; the zero Token where it holds none
	issued  time.Time     // when that token was issued, as far as can be known; zero = unknown
	chance  float64       // from 0 to below 1, drawn once for each token
	last    bool          // renewing it brought no longer life: it ends with the portal session
	over    bool          // its end has been told
	retry   time.Time     // not before then, after a failure; zero = at any time
	failing int           // how many renewals have failed in a row
}

// deed is what falls due.
type deed uint8

const (
	rest  deed = iota // nothing, until the file changes
	renew             // ask for a new token
	end               // the token cannot be renewed, and is over
)

// deadline is when something falls due for a session.
type deadline struct {
	do deed
	at time.Time // without meaning for rest
}

// plan returns what falls due next for each of views, in their order. It looks at nothing but its arguments. What
// should have been done before now is due now.
func plan(now time.Time, views []*view) []deadline {
	list := make([]deadline, len(views))
	for i, v := range views {
		list[i] = v.next(now)
	}
	return list
}

func (v *view) next(now time.Time) deadline {
	d := deadline{do: renew, at: v.token.ExpiresAt}
	switch {
	case v.over || v.token.AccessToken.IsZero() && v.token.RefreshToken.IsZero():
		return deadline{}
	case !v.token.Renewable(now):
		d.do = end
	case v.last: // the portal session ends with it: one more call makes sure
		d.at = d.at.Add(late)
	default:
		d.at = d.at.Add(-v.lead())
	}
	if v.retry.After(d.at) && v.retry.Sub(now) <= mostRetry { // a later one is from before the clock was put back
		d.at = v.retry
	}
	if d.at.Before(now) {
		d.at = now
	}
	return d
}

// lead is how long before its end the token is renewed: at least early, or half its life where that is shorter.
func (v *view) lead() time.Duration {
	lead := early + time.Duration(v.chance*float64(spread))
	if life := v.token.ExpiresAt.Sub(v.issued); !v.issued.IsZero() && life > 0 {
		lead = min(lead, life/2)
	}
	return lead
}

// ending reports whether fresh, which a renewal gave in place of before, ends with the portal session: it brought no
// longer life, and little is left of it. The second tells it from a whole life under a clock that was put back.
func ending(before, fresh session.Token, now time.Time) bool {
	return fresh.ExpiresAt.Sub(before.ExpiresAt) <= longer && fresh.ExpiresAt.Sub(now) <= early+spread+longer
}

// fail notes that a renewal failed at now; chance, from 0 to below 1, spreads the next one over half the pause.
func (v *view) fail(now time.Time, chance float64) {
	pause := min(firstRetry<<min(v.failing, 10), mostRetry)
	v.failing++
	v.retry = now.Round(0).
		Add(pause/2 + time.Duration(chance*float64(pause/2)))
	// without the monotonic clock, which stands still in a suspend
}

// wake returns the earliest of the deadlines, false where there is none.
func wake(list []deadline) (time.Time, bool) {
	var first time.Time
	found := false
	for _, d := range list {
		if d.do != rest && (!found || d.at.Before(first)) {
			first, found = d.at, true
		}
	}
	return first, found
}
