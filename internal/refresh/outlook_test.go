package refresh

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// What the outlook says is what Token does next.
func TestOutlook(t *testing.T) {
	t.Parallel()
	other := func(left time.Duration) session.Token {
		tok := token(left)
		tok.StartURL = "https://d-0987654321.awsapps.com/start"
		return tok
	}
	for name, row := range map[string]struct {
		s         session.Session
		tok       func(left time.Duration) session.Token // called on the bubble's clock
		left      time.Duration
		renewable bool
		next      Next
	}{
		"good":                      {dev, token, time.Hour, true, NextUse},
		"about to end":              {dev, token, time.Minute, true, NextRenew},
		"expired":                   {dev, token, -time.Minute, true, NextRenew},
		"good, no refresh token":    {dev, unrenewable, time.Hour, false, NextUse},
		"short, no refresh token":   {dev, unrenewable, time.Minute, false, NextUse},
		"expired, no refresh token": {dev, unrenewable, -time.Minute, false, NextSignIn},
		"another start URL":         {dev, other, time.Hour, false, NextSignIn},
		"legacy":                    {legacy, unrenewable, time.Hour, false, NextUse},
		"legacy kept fresh":         {legacy, token, -time.Minute, true, NextRenew},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &service{}
				r := newRenewer(t, f, row.s, row.tok(row.left))
				o := r.Outlook(t.Context(), row.s)
				if o.Next != row.next || o.Renewable != row.renewable || len(f.calls) != 0 {
					t.Errorf("next %d, renewable %v, %d calls; want %d, %v, 0", o.Next, o.Renewable, len(f.calls),
						row.next, row.renewable)
				}
				_, err := r.Token(t.Context(), row.s)
				did := NextUse
				switch {
				case err != nil:
					did = NextSignIn
				case len(f.calls) > 0:
					did = NextRenew
				}
				if did != o.Next {
					t.Errorf("Token did %d (%v), the outlook said %d", did, err, o.Next)
				}
				if (o.Err == nil) != (err == nil) || err != nil && o.Err.Error() != err.Error() {
					t.Errorf("the outlook's error is %v, Token's %v", o.Err, err)
				}
			})
		})
	}
}

func TestOutlookKnowsWhatWasRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := newRenewer(t, f, dev, token(time.Hour))
		f.good = "" // the session is over
		if _, err := r.Replace(t.Context(), dev, session.NewSecret("access-1")); err == nil {
			t.Fatal("a dead session was renewed")
		}
		calls := len(f.calls)
		o := r.Outlook(t.Context(), dev)
		if o.Next != NextSignIn || o.Renewable || o.Refused != "invalid_grant" || !o.Rejected || len(f.calls) != calls {
			t.Errorf("%+v", o)
		}
		wantFault(t, o.Err, fault.SignInNeeded, `session "dev" has ended`, fault.Login{Session: "dev"})

		// A record of another service is none.
		f.address = "https://elsewhere.example"
		if o := r.Outlook(t.Context(), dev); o.Next != NextUse || !o.Renewable || o.Refused != "" || o.Rejected {
			t.Errorf("of another service: %+v", o)
		}
	})
}

// The portal has refused the access token; the refresh token may be good.
func TestOutlookOfARejectedToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := newRenewer(t, f, dev, token(time.Hour))
		_ = r.Ended(t.Context(), dev, session.NewSecret("access-1"), nil) // the error it makes is the caller's
		if o := r.Outlook(t.Context(), dev); o.Next != NextRenew || !o.Rejected || !o.Renewable || o.Err != nil {
			t.Errorf("%+v", o)
		}
	})
}

func TestOutlookOfNothing(t *testing.T) {
	t.Parallel()
	f := &service{}
	r := newRenewer(t, f, legacy, token(time.Hour))
	o := r.Outlook(t.Context(), dev)
	if !o.Missing || o.Next != NextSignIn || fault.KindOf(o.Err) != fault.SignInNeeded {
		t.Errorf("%+v", o)
	}
	if o := r.Outlook(t.Context(), legacy); o.Life < 59*time.Minute || o.Life > time.Hour {
		t.Errorf("issued for %v", o.Life)
	}
}
