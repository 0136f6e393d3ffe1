package refresh

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

// A renewal ahead of time reports the errors that Token hides while the token lasts.
func TestAhead(t *testing.T) {
	t.Parallel()
	const lead = 18 * time.Minute
	for _, tt := range []struct {
		name    string
		token   func() session.Token
		fail    []error
		access  string // "" = no token
		renewed bool
		kind    fault.Kind // 0 = no error
	}{
		{"enough left", func() session.Token { return token(lead) }, nil, "access-1", false, 0},
		{"less left", func() session.Token { return token(lead - time.Second) }, nil, "access-2", true, 0},
		{"expired", func() session.Token { return token(-time.Hour) }, nil, "access-2", true, 0},
		{"cannot be renewed", func() session.Token { return unrenewable(time.Minute) }, nil, "access-1", false, 0},
		{"cannot be renewed, expired", func() session.Token { return unrenewable(-time.Minute) }, nil, "", false, fault.SignInNeeded},
		{"no network", func() session.Token { return token(time.Minute) }, times(3, broken(idc.CodeNetwork,
			fault.Unavailable)), "access-1", false, fault.Unavailable},
		{"no network, expired", func() session.Token { return token(-time.Minute) }, times(3, broken(idc.CodeNetwork,
			fault.Unavailable)), "", false, fault.Unavailable},
		{"refused while it lasts", func() session.Token { return token(time.Minute) }, times(1,
			broken(idc.CodeInvalidGrant, fault.SignInNeeded)), "", false, fault.SignInNeeded},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &service{fail: tt.fail}
				r := newRenewer(t, f, dev, tt.token())
				got, renewed, err := r.Ahead(t.Context(), dev, lead)
				if got.AccessToken.Reveal() != tt.access || renewed != tt.renewed {
					t.Errorf("got %q, renewed %v; want %q, %v", got.AccessToken.Reveal(), renewed, tt.access,
						tt.renewed)
				}
				if (err != nil) != (tt.kind != 0) || err != nil && fault.KindOf(err) != tt.kind {
					t.Errorf("error %v, want kind %v", err, tt.kind)
				}
				asked := len(f.calls)
				if _, again, err := r.Ahead(t.Context(), dev, lead); tt.kind == fault.SignInNeeded &&
					(again || fault.KindOf(err) != tt.kind || len(f.calls) != asked) {
					t.Errorf("the second time: %v, after %d calls more", err, len(f.calls)-asked)
				}
			})
		})
	}
}
