package roster

import (
	"context"
	"errors"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/retry"
)

// errSilent ends a call that takes too long.
var errSilent = fault.New(
	fault.Unavailable,
	"check the network, then run the same command again: it goes on from there",
	"the service does not answer within %s",
	callTimeout,
)

// trouble decides what a failed call means for its account and for the list. An error that it returns ends the list.
func (r *run) trouble(ctx context.Context, a answer, now time.Time) error {
	what := retry.Code(a.err)
	switch {
	case what == "throttled":
		r.result.Throttled++
		r.quietSince, r.lost = now, 0 // the service is there, and will answer
		r.pacer.throttled(now, a.ticket, retry.After(a.err))
		r.repeat(a, now)
		return nil
	case what == "unauthorized":
		r.pacer.served(now, a.ticket)
		r.repeat(a, now)
		return r.rejected(ctx, a)
	case transient(a.err):
		r.pacer.stumbled(now, a.ticket, false)
		return r.stumbled(a, now)
	case what == "network", what == "nonsense":
		fresh := r.pacer.stumbled(now, a.ticket, true)
		if fresh {
			r.lost++ // calls that were lost together count once
		}
		if r.lost >= unreached {
			return a.err
		}
		a.tries++
		r.repeat(a, now.Add(r.backoff(r.lost)))
		return nil
	case a.account != "" && (what == "forbidden" || what == "invalid_request" || what == "other"):
		r.pacer.served(now, a.ticket)
		r.quietSince, r.lost = now, 0
		r.refuse(a)
		return nil
	}
	return a.err
}

// stumbled handles failures that pass: of the service, of a gateway, of one connection.
func (r *run) stumbled(a answer, now time.Time) error {
	a.tries++
	if a.tries >= tries && r.quietSince.After(a.first) { // other accounts were answered meanwhile
		if a.account == "" {
			return a.err
		}
		r.refuse(a)
		return nil
	}
	if now.Sub(r.quietSince) > patience {
		return a.err
	}
	r.repeat(a, now.Add(r.backoff(a.tries)))
	return nil
}

// repeat schedules a job again.
func (r *run) repeat(a answer, ready time.Time) {
	if a.generation == r.generation {
		a.ready = ready
		r.again = append(r.again, a.job)
	}
}

// refuse gives up on the roles of one account.
func (r *run) refuse(a answer) {
	if a.generation == r.generation {
		r.refused = append(r.refused, Refused{Account: r.found[a.account].Account, Err: a.err})
		r.done++
	}
}

// transient reports whether the same call may well succeed later.
func transient(err error) bool { return retry.Transient(err) || errors.Is(err, errSilent) }

// backoff returns the pause after the given failure (1, 2, …): half to the whole of 0.25, 0.5, 1, 2, 4, 5, 5 …
// seconds.
func (r *run) backoff(failure int) time.Duration {
	return retry.Backoff(250*time.Millisecond, 5*time.Second, failure, r.chance())
}
