package refresh

import (
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// A refusal is believed only after the looks at 0.1, 0.4, 1.4 and 3.4 s: a program that does not know our lock may be
// faster.
func TestRefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := newRenewer(t, f, dev, token(-time.Minute))
		f.good = "" // the session is over
		start := time.Now()
		_, err := r.Token(t.Context(), dev)
		wantFault(t, err, fault.SignInNeeded, `session "dev" has ended`, fault.Login{Session: "dev"})
		if took := time.Since(start); took != 3400*time.Millisecond || len(f.calls) != 1 {
			t.Errorf("took %v and %d calls, want 3.4s and 1", took, len(f.calls))
		}
		if got := stored(t, r, dev); got != "access-1 refresh-1" {
			t.Errorf("the file holds %s", got)
		}
	})
}

func TestRefusalBecauseAnotherProgramWasFaster(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := newRenewer(t, f, dev, token(-time.Minute))
		f.good = "refresh-8" // the AWS CLI has spent refresh-1 …
		go func() {
			time.Sleep(1200 * time.Millisecond) // … and takes its time to write
			theirs := token(time.Hour)
			theirs.AccessToken, theirs.RefreshToken = session.NewSecret("access-8"), session.NewSecret("refresh-8")
			save(t, r.Store, dev, theirs)
		}()
		start := time.Now()
		got, err := r.Token(t.Context(), dev)
		if err != nil || got.AccessToken.Reveal() != "access-8" || time.Since(start) != 1400*time.Millisecond {
			t.Errorf("got %s, %v after %v", got.AccessToken.Reveal(), err, time.Since(start))
		}
	})
}

func TestRefusalWithAnotherTokenInTheFile(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{slow: time.Second}
		r := newRenewer(t, f, dev, token(-time.Minute))
		f.good = "refresh-8"
		go func() {
			time.Sleep(500 * time.Millisecond) // our call is under way; this program does not know our lock
			theirs := `{"accessToken": "access-8", "expiresAt": "1999-01-01T00:00:00Z", "refreshToken": "refresh-8", "clientId": "client-1",
				"clientSecret": "secret-1", "registrationExpiresAt": "2099-01-01T00:00:00Z"}`
			if err := os.WriteFile(r.Store.TokenPath("dev"), []byte(theirs), 0o600); err != nil {
				t.Error(err)
			}
		}()
		got, err := r.Token(t.Context(), dev)
		if err != nil || got.AccessToken.Reveal() != "access-3" || len(f.calls) != 2 || got.StartURL != startURL ||
			got.Region != "us-east-1" {
			t.Errorf("got %s, %v after %d calls", got.AccessToken.Reveal(), err, len(f.calls))
		}
	})
}

func TestRefusedWhileTheTokenLasts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := newRenewer(t, f, dev, token(5*time.Minute))
		f.good = ""
		start := time.Now()
		if got, err := r.Token(t.Context(), dev); err != nil || got.AccessToken.Reveal() != "access-1" ||
			time.Since(start) > 0 {
			t.Errorf("in the background: got %v after %v, want the token while it lasts, at once", err,
				time.Since(start))
		}
		_, _, err := r.Renew(t.Context(), dev)
		wantFault(t, err, fault.SignInNeeded, `session "dev" has ended`, fault.Login{Session: "dev"})
	})
}

func TestReplaceTakesWhatAnotherProcessGot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := newRenewer(t, f, dev, token(time.Hour))
		if got, err := r.Replace(t.Context(), dev, session.NewSecret("access-0")); err != nil ||
			got.AccessToken.Reveal() != "access-1" ||
			len(f.calls) != 0 {
			t.Errorf("got %s, %v after %d calls", got.AccessToken.Reveal(), err, len(f.calls))
		}
	})
}

// What another program has got is used, however short it lives, unless there is something better.
func TestRefusalWithAShortTokenInTheFile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		theirs func(time.Duration) session.Token
		left   time.Duration
		good   string // the refresh token that the service accepts
		access string // "" = the session has ended
		calls  int
	}{
		{"it can be renewed", token, 5 * time.Minute, "refresh-8", "access-3", 2},
		{"it cannot be renewed", unrenewable, 5 * time.Minute, "", "access-8", 1},
		{"its renewal is refused", token, 5 * time.Minute, "", "access-8", 2},
		{"it is refused, and has expired", token, -time.Minute, "", "", 2},
		{"it cannot be renewed, and has expired", unrenewable, -time.Minute, "", "", 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &service{}
			r := newRenewer(t, f, dev, token(-time.Minute))
			f.good = tt.good
			go func() {
				time.Sleep(200 * time.Millisecond)
				theirs := tt.theirs(tt.left)
				theirs.AccessToken = session.NewSecret("access-8")
				if !theirs.RefreshToken.IsZero() {
					theirs.RefreshToken = session.NewSecret("refresh-8")
				}
				save(t, r.Store, dev, theirs)
			}()
			got, err := r.Token(t.Context(), dev)
			if got.AccessToken.Reveal() != tt.access || (err == nil) != (tt.access != "") || len(f.calls) != tt.calls {
				t.Errorf("%s: %s, %v after %d calls; want %s after %d", tt.name, got.AccessToken.Reveal(), err,
					len(f.calls), tt.access, tt.calls)
			}
		})
	}
}
