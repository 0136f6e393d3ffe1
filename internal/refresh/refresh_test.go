package refresh

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

func TestWhenATokenIsRenewed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		token  func() session.Token
		ask    string // Token, Renew or Replace
		access string // "" = SignInNeeded
		calls  int
	}{
		{"plenty of time left", func() session.Token { return token(10 * time.Minute) }, "Token", "access-1", 0},
		{"less than ten minutes left", func() session.Token { return token(10*time.Minute - time.Second) }, "Token", "access-2", 1},
		{"expired", func() session.Token { return token(-time.Hour) }, "Token", "access-2", 1},
		{"cannot be renewed and lasts", func() session.Token { return unrenewable(time.Minute) }, "Token", "access-1", 0},
		{"cannot be renewed and expired", func() session.Token { return unrenewable(-time.Minute) }, "Token", "", 0},
		{"sign-in: plenty of time left", func() session.Token { return token(time.Hour) }, "Renew", "access-1", 0},
		{"sign-in: less than ten minutes left", func() session.Token { return token(time.Minute) }, "Renew", "access-2", 1},
		{"sign-in: cannot be renewed, plenty of time left", func() session.Token { return unrenewable(time.Hour) }, "Renew", "access-1", 0},
		{"sign-in: cannot be renewed and about to end", func() session.Token { return unrenewable(time.Minute) }, "Renew", "", 0},
		{"refused before its time", func() session.Token { return token(time.Hour) }, "Replace", "access-2", 1},
		{"refused before its time, cannot be renewed", func() session.Token { return unrenewable(time.Hour) }, "Replace", "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &service{}
				r := newRenewer(t, f, dev, tt.token())
				var got session.Token
				var err error
				renewed := false
				switch tt.ask {
				case "Token":
					got, err = r.Token(t.Context(), dev)
				case "Renew":
					got, renewed, err = r.Renew(t.Context(), dev)
					if renewed != (tt.calls > 0) {
						t.Errorf("renewed is %v", renewed)
					}
				case "Replace":
					got, err = r.Replace(t.Context(), dev, session.NewSecret("access-1"))
				}
				if tt.access == "" {
					if fault.KindOf(err) != fault.SignInNeeded {
						t.Errorf("got %v, want that a sign-in is needed", err)
					}
				} else if err != nil || got.AccessToken.Reveal() != tt.access {
					t.Errorf("got %s, %v; want %s", got.AccessToken.Reveal(), err, tt.access)
				}
				if len(f.calls) != tt.calls {
					t.Errorf("%d calls, want %d", len(f.calls), tt.calls)
				}
				if tt.calls > 0 {
					if want := time.Now().Add(time.Hour).Truncate(time.Second); !got.ExpiresAt.Equal(want) || stored(t, r, dev) != "access-2 refresh-2" {
						t.Errorf("expires at %v, want %v; stored %s", got.ExpiresAt, want, stored(t, r, dev))
					}
				}
			})
		})
	}
}

func TestOneRefreshForEverybody(t *testing.T) {
	t.Parallel()
	for name, lives := range map[string]time.Duration{"an hour": time.Hour, "shorter than the margin": 5 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			f := &service{slow: 3 * time.Second, lives: lives}
			r := newRenewer(t, f, dev, token(-time.Minute))
			var wg sync.WaitGroup
			for range 64 {
				wg.Go(func() {
					one := &Renewer{Store: r.Store, Connect: f.connect}
					if tok, err := one.Token(t.Context(), dev); err != nil || tok.AccessToken.Reveal() != "access-2" {
						t.Errorf("%s: got %s, %v", name, tok.AccessToken.Reveal(), err)
					}
				})
			}
			wg.Wait()
			if len(f.calls) != 1 {
				t.Errorf("%s: %d refreshes, want 1", name, len(f.calls))
			}
		})
	}
}

func TestAnswerWithoutRefreshTokenKeepsTheOldOne(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{sticky: true}
		r := newRenewer(t, f, dev, token(-time.Minute))
		for _, want := range []string{"access-2 refresh-1", "access-3 refresh-1"} {
			if _, err := r.Token(t.Context(), dev); err != nil {
				t.Fatal(err)
			}
			if got := stored(t, r, dev); got != want {
				t.Errorf("stored %s, want %s", got, want)
			}
			time.Sleep(time.Hour)
		}
	})
}

func TestTransientFailures(t *testing.T) {
	t.Parallel()
	throttled, server, none := broken(idc.CodeThrottled, fault.Unavailable), broken(idc.CodeServer, fault.Unavailable), broken(idc.CodeNetwork, fault.Unavailable)
	for _, tt := range []struct {
		name         string
		left         time.Duration
		fail         []error
		access       string // "" = Unavailable
		calls        int    // at least, when it fails
		within, over time.Duration
	}{
		{"the token still serves: it is used", 9 * time.Minute, times(99, server), "access-1", 1, 0, 0},
		{"three failures, fourth call good", -time.Minute, []error{throttled, server, drop()}, "access-5", 4, 2 * time.Second, 0},
		{"seven failures, eighth call good", -time.Minute, times(7, throttled), "access-9", 8, 30 * time.Second, 0},
		{"does not end: 429", -time.Minute, times(99, throttled), "", 8, 30 * time.Second, 15 * time.Second},
		{"does not end: 500", -time.Minute, times(99, server), "", 8, 30 * time.Second, 15 * time.Second},
		{"does not end: dropped", -time.Minute, times(99, drop()), "", 8, 30 * time.Second, 15 * time.Second},
		{"nothing there", -time.Minute, times(99, none), "", 3, time.Second, 0},
		{"nonsense from a proxy", -time.Minute, times(99, broken(idc.CodeNonsense, fault.Unavailable)), "", 1, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &service{fail: tt.fail}
				r := newRenewer(t, f, dev, token(tt.left))
				start := time.Now()
				got, err := r.Token(t.Context(), dev)
				took := time.Since(start)
				if tt.access != "" && (err != nil || got.AccessToken.Reveal() != tt.access || len(f.calls) != tt.calls) {
					t.Errorf("got %s, %v after %d calls; want %s after %d", got.AccessToken.Reveal(), err, len(f.calls), tt.access, tt.calls)
				}
				if tt.access == "" {
					if fault.KindOf(err) != fault.Unavailable || !strings.HasPrefix(err.Error(), `cannot renew the token of session "dev": the `) || fault.HintOf(err) != "hint of idc" {
						t.Errorf("got %v, hint %q", err, fault.HintOf(err))
					}
					if len(f.calls) < tt.calls {
						t.Errorf("%d calls, want at least %d: %v", len(f.calls), tt.calls, f.calls)
					}
					if got := stored(t, r, dev); got != "access-1 refresh-1" {
						t.Errorf("the file holds %s", got)
					}
				}
				if took > tt.within || took < tt.over {
					t.Errorf("took %v, want %v to %v", took, tt.over, tt.within)
				}
			})
		})
	}
}

// A refusal is believed only after the looks at 0.1, 0.4, 1.4 and 3.4 s: a program that knows no lock may have been
// faster.
func TestRefusal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := newRenewer(t, f, dev, token(-time.Minute))
		f.good = "" // the session is over
		start := time.Now()
		_, err := r.Token(t.Context(), dev)
		wantFault(t, err, fault.SignInNeeded, `session "dev" has ended`, "run: homing login --sso-session dev")
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
			time.Sleep(500 * time.Millisecond) // while our call is under way; without our lock, which this program does not know
			theirs := `{"accessToken": "access-8", "expiresAt": "1999-01-01T00:00:00Z", "refreshToken": "refresh-8", "clientId": "client-1",
				"clientSecret": "secret-1", "registrationExpiresAt": "2099-01-01T00:00:00Z"}`
			if err := os.WriteFile(r.Store.TokenPath("dev"), []byte(theirs), 0o600); err != nil {
				t.Error(err)
			}
		}()
		got, err := r.Token(t.Context(), dev)
		if err != nil || got.AccessToken.Reveal() != "access-3" || len(f.calls) != 2 || got.StartURL != startURL || got.Region != "us-east-1" {
			t.Errorf("got %s, %v after %d calls", got.AccessToken.Reveal(), err, len(f.calls))
		}
	})
}

func TestEverybodyLearnsOfTheEndAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := newRenewer(t, f, dev, token(-time.Minute))
		f.good = ""
		start := time.Now()
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				if _, err := r.Token(t.Context(), dev); fault.KindOf(err) != fault.SignInNeeded {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took > 8*time.Second {
			t.Errorf("the last one learned it after %v", took)
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
		if got, err := r.Token(t.Context(), dev); err != nil || got.AccessToken.Reveal() != "access-1" || time.Since(start) > 0 {
			t.Errorf("in the background: got %v after %v, want the token while it lasts, at once", err, time.Since(start))
		}
		_, _, err := r.Renew(t.Context(), dev)
		wantFault(t, err, fault.SignInNeeded, `session "dev" has ended`, "run: homing login --sso-session dev")
	})
}

func TestReplaceTakesWhatAnotherProcessGot(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := newRenewer(t, f, dev, token(time.Hour))
		if got, err := r.Replace(t.Context(), dev, session.NewSecret("access-0")); err != nil || got.AccessToken.Reveal() != "access-1" || len(f.calls) != 0 {
			t.Errorf("got %s, %v after %d calls", got.AccessToken.Reveal(), err, len(f.calls))
		}
	})
}

// What the portal refused and nothing replaces is called expired in the file, so that a sign-in finds something to do.
// The refresh token goes only when the service has refused it too.
func TestWhatThePortalRefusedIsOver(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		tok     session.Token
		good    string // the refresh token that the service accepts
		fail    error  // of the first refresh
		s       session.Session
		file    string
		expired bool
	}{
		{"refused twice", token(time.Hour), "", nil, dev, "access-1 ", true},
		{"cannot be renewed", unrenewable(time.Hour), "", nil, dev, "access-1 ", true},
		{"client unknown", token(time.Hour), "refresh-1", broken(idc.CodeInvalidClient, fault.SignInNeeded), dev, "access-1 refresh-1", true},
		{"network down", token(time.Hour), "refresh-1", broken(idc.CodeOther, fault.Unavailable), dev, "access-1 refresh-1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &service{}
				r := newRenewer(t, f, tt.s, tt.tok)
				f.good = tt.good
				if tt.fail != nil {
					f.fail = []error{tt.fail}
				}
				if _, err := r.Replace(t.Context(), tt.s, tt.tok.AccessToken); err == nil {
					t.Fatal("no error")
				}
				got, err := r.Store.Token(tt.s.CacheKey())
				if err != nil || got.Expired(time.Now()) != tt.expired || stored(t, r, tt.s) != tt.file {
					t.Errorf("the file holds %s until %v (%v)", stored(t, r, tt.s), got.ExpiresAt, err)
				}
			})
		})
	}
	t.Run("the renewed one", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			r := newRenewer(t, &service{}, dev, token(time.Hour))
			err := r.Ended(t.Context(), dev, session.NewSecret("access-0"), nil)
			wantFault(t, err, fault.SignInNeeded, `session "dev" has ended`, "run: homing login --sso-session dev")
			if got, err := r.Store.Token(dev.CacheKey()); err != nil || got.Expired(time.Now()) {
				t.Errorf("another process's token was ended: %v, %v", got.ExpiresAt, err)
			}
			_ = r.Ended(t.Context(), dev, session.NewSecret("access-1"), nil)
			if got, err := r.Store.Token(dev.CacheKey()); err != nil || !got.Expired(time.Now()) || got.RefreshToken.IsZero() {
				t.Errorf("the token lasts until %v, %v", got.ExpiresAt, err)
			}
		})
	})
}

// A person who asks to sign in again because an SDK cannot read the file must not be told that all is well and sent away.
func TestRenewMakesAGoodTokenReadable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := newRenewer(t, f, dev, token(time.Hour))
		path := r.Store.TokenPath(dev.CacheKey())
		good, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, bytes.ReplaceAll(good, []byte(`Z"`), []byte(`+00:00"`)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Token(t.Context(), dev); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(path); bytes.Equal(got, good) {
			t.Error("Token, which programs call in the background, wrote the file")
		}
		if got, renewed, err := r.Renew(t.Context(), dev); err != nil || renewed || got.AccessToken.Reveal() != "access-1" || len(f.calls) != 0 {
			t.Errorf("renewed %v after %d calls, %v", renewed, len(f.calls), err)
		}
		if got, _ := os.ReadFile(path); !bytes.Equal(got, good) {
			t.Errorf("the file holds\n%s, want\n%s", got, good)
		}
	})
}

func wantFault(t *testing.T, err error, kind fault.Kind, msg, hint string) {
	t.Helper()
	if fault.KindOf(err) != kind || err.Error() != msg || fault.HintOf(err) != hint {
		t.Errorf("got  %v: %v\nhint %s\nwant %v: %s\nhint %s", fault.KindOf(err), err, fault.HintOf(err), kind, msg, hint)
	}
}

func TestWhatAPersonReads(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // the clock stands at 2000-01-01 00:00:00 UTC
		const hint, oldHint = "run: homing login --sso-session dev", "run: homing login --profile old"
		over := token(-time.Minute)
		over.RegistrationExpiresAt = time.Now().Add(-time.Hour)
		moved, elsewhere := token(time.Hour), token(time.Hour)
		moved.StartURL = "https://other.awsapps.com/start"
		elsewhere.Region = "eu-west-1"
		for _, tt := range []struct {
			name string
			s    session.Session
			tok  *session.Token
			file string
			msg  string
			hint string
		}{
			{"no token", dev, nil, "", `not signed in to session "dev"`, hint},
			{"no token, legacy", legacy, nil, "", `not signed in to session "` + startURL + `"`, oldHint},
			{"expired, legacy", legacy, new(unrenewable(-time.Hour)), "", `session "` + startURL + `" expired at 1999-12-31 23:00 UTC`, oldHint},
			{"registration over", dev, &over, "", `the token of session "dev" can no longer be renewed: its client registration expired at 1999-12-31 23:00 UTC`, hint},
			{"another start URL", dev, &moved, "", `the token of session "dev" belongs to the start URL "https://other.awsapps.com/start", but the config says "` + startURL + `"`, hint},
			{"another region", dev, &elsewhere, "", `the token of session "dev" belongs to region "eu-west-1", but the config says "us-east-1"`, hint},
			{"corrupt", legacy, nil, "{", `the token file "PATH" holds no usable token`, oldHint},
		} {
			f := &service{}
			r := newRenewer(t, f, session.Session{Name: "unrelated"}, token(0))
			r.Profile = func(session.Session) string { return "old" }
			path := r.Store.TokenPath(tt.s.CacheKey())
			switch {
			case tt.tok != nil:
				save(t, r.Store, tt.s, *tt.tok)
			case tt.file != "":
				if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := r.Token(t.Context(), tt.s)
			t.Log(tt.name)
			wantFault(t, err, fault.SignInNeeded, strings.ReplaceAll(tt.msg, "PATH", path), tt.hint)
			if len(f.calls) != 0 {
				t.Errorf("%d calls", len(f.calls))
			}
		}
		f := &service{fail: times(1, broken(idc.CodeInvalidClient, fault.SignInNeeded))}
		r := newRenewer(t, f, dev, token(-time.Minute))
		_, err := r.Token(t.Context(), dev)
		wantFault(t, err, fault.SignInNeeded, `the token of session "dev" can no longer be renewed: the service does not accept its client registration`, hint)
	})
}

func TestWhoseTokenItIs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		configured, region, has, hasRegion string
		ok                                 bool
	}{
		{startURL, "us-east-1", startURL, "us-east-1", true},
		{startURL, "us-east-1", startURL + "/", "us-east-1", true},
		{startURL, "us-east-1", startURL + "/#", "us-east-1", true},
		{startURL + "#", "us-east-1", "HTTPS://d-1234567890.AWSAPPS.com/start", "us-east-1", true},
		{startURL, "us-east-1", "", "", true}, // written by a program that leaves them out
		{startURL, "us-east-1", "https://d-1234567891.awsapps.com/start", "us-east-1", false},
		{startURL, "us-east-1", startURL, "us-west-2", false},
		{"https://ssoins-1.portal.eu-west-1.app.aws", "us-east-1", "https://ssoins-1.portal.eu-west-1.app.aws", "eu-west-1", true},
		{"https://ssoins-1.portal.eu-west-1.app.aws", "us-east-1", "https://ssoins-1.portal.eu-west-1.app.aws", "us-west-2", false},
		{"https://sso.example.com", "us-east-1", "https://sso.example.com", "eu-west-1", true}, // leads to any region
		{"http://127.0.0.1:8080/start", "us-east-1", "http://127.0.0.1:8080/start", "eu-west-1", false},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &service{}
			tok := token(-time.Minute)
			tok.StartURL, tok.Region = tt.has, tt.hasRegion
			s := session.Session{Name: "dev", StartURL: tt.configured, Region: tt.region}
			r := newRenewer(t, f, s, tok)
			_, err := r.Token(t.Context(), s)
			if (err == nil) != tt.ok || err != nil && fault.KindOf(err) != fault.SignInNeeded {
				t.Errorf("%v: %v", tt, err)
			}
			if want := tt.hasRegion; tt.ok && want != "" && f.regions[0] != want {
				t.Errorf("%v: asked region %s", tt, f.regions[0])
			}
		})
	}
}

func TestNothingIsSpentThatCannotBeStored(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(t *testing.T, path string){
		"no lock": func(t *testing.T, path string) {
			lock := strings.TrimSuffix(path, ".json") + ".lock"
			if err := os.Remove(lock); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(lock, 0o700); err != nil {
				t.Fatal(err)
			}
		},
		"no temporary file": func(t *testing.T, path string) {
			// A name of 250 bytes leaves room for ".lock" but not for the name of a temporary file.
			target := filepath.Join(filepath.Dir(path), strings.Repeat("n", 250))
			if err := os.Rename(path, target); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(target, path); err != nil {
				t.Skip("no symbolic links here: ", err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &service{}
				r := newRenewer(t, f, dev, token(time.Minute))
				spoil(t, r.Store.TokenPath("dev"))
				if got, err := r.Token(t.Context(), dev); err != nil || got.AccessToken.Reveal() != "access-1" {
					t.Errorf("while the token lasts: %v", err)
				}
				time.Sleep(time.Minute)
				if _, err := r.Token(t.Context(), dev); fault.KindOf(err) != fault.Config || fault.HintOf(err) == "" {
					t.Errorf("afterwards: %v, hint %q", err, fault.HintOf(err))
				}
				if len(f.calls) != 0 {
					t.Errorf("%d calls", len(f.calls))
				}
			})
		})
	}
}

func TestInterruptedCallerStillStoresTheAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{slow: 3 * time.Second}
		r := newRenewer(t, f, dev, token(-time.Minute))
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := r.Token(ctx, dev); err != nil {
			t.Errorf("the answer came within the grace: %v", err)
		}
		if got := stored(t, r, dev); got != "access-2 refresh-2" {
			t.Errorf("stored %s", got)
		}
	})
}

func TestInterruptedCallerDoesNotHang(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*service{
		"an answer that does not come": {slow: time.Hour},
		"between two tries":            {fail: times(99, broken(idc.CodeServer, fault.Unavailable))},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRenewer(t, f, dev, token(-time.Minute))
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(2*time.Second, cancel)
			start := time.Now()
			if _, err := r.Token(ctx, dev); fault.KindOf(err) != fault.Interrupted {
				t.Errorf("%s: %v", name, err)
			}
			if took := time.Since(start); took > 2*time.Second+grace {
				t.Errorf("%s: took %v", name, took)
			}
		})
	}
}

func TestEverybodyIsServedBeforeAnSDKGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{fail: times(999, broken(idc.CodeServer, fault.Unavailable))}
		r := newRenewer(t, f, dev, token(-time.Minute))
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				start := time.Now()
				if _, err := r.Token(t.Context(), dev); fault.KindOf(err) != fault.Unavailable {
					t.Error(err)
				}
				if took := time.Since(start); took > time.Minute {
					t.Errorf("an answer after %v; an SDK has killed us by then", took)
				}
			})
		}
		wg.Wait()
	})
}
