package refresh

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

// Next is what the next use of a session does.
type Next uint8

// What the next use does. The zero value asks a person.
const (
	NextSignIn Next = iota // it ends with exit code 4
	NextUse                // the token is used as it is
	NextRenew              // the token is renewed first, without a person
	// It ends with exit code 3: the file cannot be read, or a renewed token not be stored, so none is asked for.
	NextFail
)

// Outlook is what is known of a session without asking anybody.
type Outlook struct {
	Next  Next
	Token session.Token // in the file, another's too; the zero Token when there is none, or none that can be read
	// Missing, Foreign: there is no token file; its token is of another start URL or region.
	Missing, Foreign bool
	// Renewable reports whether a renewal will be tried when it is time. The portal session may have ended all the
	// same.
	Renewable bool
	// Refused is what the service called it when it refused to renew this token, an idc.Code; "" = it did not.
	Refused string
	// Ended reports that what the service refused was the session, rather than its renewal.
	Ended bool
	// Unstorable is why a renewed token could not be stored, a *fault.Error; nil = it can, as far as permissions
	// tell, or it is not renewable. There is no renewal then: the token is used while it lasts.
	Unstorable error
	// Rejected reports that the portal has refused the access token before its time.
	Rejected bool
	// Life is how long the access token was good for when the file was written; 0 = unknown. It is an estimate: who
	// copies a file, or writes it in another form, makes it shorter.
	Life time.Duration
	Err  error // of NextSignIn and NextFail: a *fault.Error, the one that Token would end with
}

// Outlook returns what Token and its callers will do with s, as far as the files show. It makes no request; it uses
// Connect to find out which service a recorded refusal came from.
func (r *Renewer) Outlook(ctx context.Context, s session.Session) Outlook {
	t, err := r.Store.Token(s.CacheKey())
	o := Outlook{Token: t, Missing: errors.Is(err, fs.ErrNotExist)}
	if _, o.Err = r.accept(s)(t, err); o.Err != nil {
		o.Foreign = err == nil
		if fault.KindOf(o.Err) == fault.Config { // the file may hold a good token, and a sign-in is refused likewise
			o.Next = NextFail
		}
		return o
	}
	if written := r.Store.Written(s.CacheKey()); !written.IsZero() && !t.AccessToken.IsZero() {
		o.Life = max(t.ExpiresAt.Sub(written), 0)
	}
	rec, refused := r.known(ctx, s, t)
	if refused {
		o.Refused = rec.Code
	}
	o.Renewable = t.Renewable(r.now()) && !refused
	o.Rejected = r.portalRefused(ctx, s, t)
	if o.Renewable {
		o.Unstorable = r.Store.CanStore(s.CacheKey())
	}
	serves := want{}.serves(t, r.now()) && !o.Rejected
	switch {
	case o.Unstorable != nil && !serves:
		o.Next, o.Err = NextFail, o.Unstorable
	case o.Unstorable == nil && o.Renewable && (o.Rejected || !r.good(s, want{}, t)):
		o.Next = NextRenew
	case serves:
		o.Next = NextUse
	case refused:
		o.Err = r.refusal(s, recorded(rec))
		o.Ended = RenewalRefused(rec.Code) == ""
	case o.Rejected:
		o.Ended, o.Err = true, r.ended(s, nil)
	default:
		_, _, o.Err = r.unrenewable(s, t, want{})
	}
	return o
}

// RenewalRefused says in words what the service refused with a code such as Outlook.Refused, where that is the
// renewal alone; "" = the session itself.
func RenewalRefused(code string) string {
	switch idc.Code(code) {
	case idc.CodeInvalidClient:
		return "the service does not accept its client registration"
	case idc.CodeUnauthorizedClient, idc.CodeUnsupportedGrant:
		return "the service does not allow it"
	}
	return ""
}
