package refresh

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

// refusedOnce returns a renewer whose expired token the service has refused, which is on record.
func refusedOnce(t *testing.T, f *service) *Renewer {
	t.Helper()
	r := newRenewer(t, f, dev, token(-time.Minute))
	f.good = ""
	if _, err := r.Token(t.Context(), dev); fault.KindOf(err) != fault.SignInNeeded {
		t.Fatal(err)
	}
	if len(f.calls) != 1 {
		t.Fatalf("%d calls, want 1", len(f.calls))
	}
	return r
}

// What is on record must not keep a session from being used that is good: whatever changes, the service is asked
// again.
func TestRecordOfARefusalIsVoid(t *testing.T) {
	t.Parallel()
	record := func(r *Renewer) string {
		return filepath.Join(r.Store.AWSDir, "homing", "refused-"+filepath.Base(r.Store.TokenPath("dev")))
	}
	put := func(t *testing.T, path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, change := range map[string]func(t *testing.T, r *Renewer, f *service){
		"another program has signed in": func(t *testing.T, r *Renewer, f *service) {
			f.good = "refresh-9"
			put(t, r.Store.TokenPath("dev"), `{"accessToken": "access-9", "expiresAt": "1999-01-01T00:00:00Z", "refreshToken": "refresh-9",
				"clientId": "client-1", "clientSecret": "secret-1", "registrationExpiresAt": "2099-01-01T00:00:00Z"}`)
		},
		"it came from a service that is no longer asked": func(_ *testing.T, _ *Renewer, f *service) {
			f.good, f.address = "refresh-1", "https://oidc.us-east-1.amazonaws.com"
		},
		"the client was another": func(t *testing.T, r *Renewer, f *service) {
			f.good = "refresh-1"
			right := read(t, r.Store.TokenPath("dev"))
			put(t, r.Store.TokenPath("dev"), strings.ReplaceAll(right, "secret-1", "secret-9"))
			if _, err := r.Token(t.Context(), dev); err == nil {
				t.Error("the wrong client was accepted")
			}
			f.calls = f.calls[:1]
			put(t, r.Store.TokenPath("dev"), right)
		},
		"it is cut short": func(t *testing.T, r *Renewer, f *service) {
			f.good = "refresh-1"
			text := read(t, record(r))
			put(t, record(r), text[:len(text)/2])
		},
		"it is of a kind that we do not know": func(t *testing.T, r *Renewer, f *service) {
			f.good = "refresh-1"
			put(t, record(r), strings.Replace(read(t, record(r)), "invalid_grant", "unheard_of", 1))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &service{address: "http://127.0.0.1:4566"}
				r := refusedOnce(t, f)
				change(t, r, f)
				if _, err := r.Token(t.Context(), dev); err != nil || len(f.calls) != 2 {
					t.Errorf("%v after %d calls, want a token after the second", err, len(f.calls))
				}
				if _, err := os.Stat(record(r)); err == nil {
					t.Error("the record is still there, beside a token that is good")
				}
			})
		})
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Neither our clock nor the file system's is asked how old a record is.
func TestRecordOfARefusalHasNoAge(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := refusedOnce(t, f)
		for _, off := range []time.Duration{-24 * time.Hour, 0, 24 * time.Hour, 60 * 24 * time.Hour} {
			r.Now = func() time.Time { return time.Now().Add(off) }
			if off < 0 {
				continue // the token is valid by that clock
			}
			start := time.Now()
			_, err := r.Token(t.Context(), dev)
			wantFault(t, err, fault.SignInNeeded, `session "dev" has ended`, fault.Login{Session: "dev"})
			if len(f.calls) != 1 || time.Since(start) != 0 {
				t.Errorf("with a clock that is off by %v: %d calls, %v", off, len(f.calls), time.Since(start))
			}
		}
	})
}

// If the record were wrong, signing in is the way out: it costs a call, and no waiting.
func TestSigningInAsksOnceMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := refusedOnce(t, f)
		start := time.Now()
		_, _, err := r.Renew(t.Context(), dev)
		wantFault(t, err, fault.SignInNeeded, `session "dev" has ended`, fault.Login{Session: "dev"})
		if len(f.calls) != 2 || time.Since(start) != 0 {
			t.Errorf("%d calls, %v; want 2 and no waiting", len(f.calls), time.Since(start))
		}
		if _, err := r.Token(t.Context(), dev); err == nil || len(f.calls) != 2 {
			t.Errorf("%v after %d calls", err, len(f.calls))
		}
		f.good = "refresh-1"
		if _, renewed, err := r.Renew(t.Context(), dev); err != nil || !renewed {
			t.Errorf("renewed %v, %v", renewed, err)
		}
	})
}

// A caller was killed while it waited: the next one does not ask again, but gives other programs their time.
func TestRefusalThatNobodySettled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &service{}
		r := newRenewer(t, f, dev, token(5*time.Minute))
		f.good = ""
		for range 3 {
			if _, err := r.Token(t.Context(), dev); err != nil { // it lasts, so nobody waits
				t.Fatal(err)
			}
		}
		if len(f.calls) != 1 {
			t.Errorf("%d calls while the token lasts, want 1", len(f.calls))
		}
		time.Sleep(5 * time.Minute)
		for _, want := range []time.Duration{3400 * time.Millisecond, 0} {
			start := time.Now()
			_, err := r.Token(t.Context(), dev)
			wantFault(t, err, fault.SignInNeeded, `session "dev" has ended`, fault.Login{Session: "dev"})
			if took := time.Since(start); took != want || len(f.calls) != 1 {
				t.Errorf("took %v and %d calls in all, want %v and 1", took, len(f.calls), want)
			}
		}
	})
}

// The folder holds other people's files, and the record is one more that they may read: no secret, and no
// accessToken.
func TestRecordHoldsNoSecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := refusedOnce(t, &service{address: "http://127.0.0.1:4566"})
		files, err := filepath.Glob(filepath.Join(r.Store.AWSDir, "homing", "refused-*"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%v, %v", files, err)
		}
		text := read(t, files[0])
		for _, word := range []string{"refresh-1", "secret-1", "client-1", "access-1", "127.0.0.1", "accessToken"} {
			if strings.Contains(text, word) {
				t.Errorf("it holds %s: %s", word, text)
			}
		}
		if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
			t.Errorf("anybody may read it: %v, %v", info.Mode(), err)
		}
	})
}

// A token that the portal refused, and that nothing replaces, is on record for the next sign-in. The file stays as it
// was: it may have been the wrong portal, and nothing else has complained.
func TestWhatThePortalRefused(t *testing.T) {
	t.Parallel()
	const ended = `session "dev" has ended`
	login := fault.Login{Session: "dev"}
	for _, tt := range []struct {
		name  string
		tok   session.Token
		good  string // the refresh token that the service accepts
		fail  error  // of the first refresh
		login string // what signing in then gives: an access token; "" = the person must
		calls int    // of the service, signing in included
	}{
		{"refused twice", token(time.Hour), "", nil, "", 2},
		{"cannot be renewed", unrenewable(time.Hour), "", nil, "", 0},
		{"client unknown", token(time.Hour), "refresh-1", broken(idc.CodeInvalidClient, fault.SignInNeeded), "access-3", 2},
		{"network down", token(time.Hour), "refresh-1", broken(idc.CodeOther, fault.Unavailable), "access-1", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &service{address: "here"}
				r := newRenewer(t, f, dev, tt.tok)
				f.good = tt.good
				if tt.fail != nil {
					f.fail = []error{tt.fail}
				}
				before := read(t, r.Store.TokenPath("dev"))
				if _, err := r.Replace(t.Context(), dev, tt.tok.AccessToken); err == nil {
					t.Fatal("no error")
				}
				if after := read(t, r.Store.TokenPath("dev")); after != before {
					t.Errorf("the file became\n%s, was\n%s", after, before)
				}
				if got, err := r.Token(t.Context(), dev); err != nil || got.AccessToken.Reveal() != "access-1" {
					t.Errorf("in the background: %v; the portal is the one to say no", err)
				}
				f.address = "elsewhere"
				if got, renewed, err := r.Renew(t.Context(), dev); err != nil || renewed ||
					got.AccessToken.Reveal() != "access-1" {
					t.Errorf("where another portal is asked: renewed %v, %v", renewed, err)
				}
				f.address = "here"
				got, _, err := r.Renew(t.Context(), dev)
				if tt.login == "" {
					if fault.KindOf(err) != fault.SignInNeeded || fault.RemedyOf(err) != login {
						t.Errorf("signing in: %v, remedy %#v", err, fault.RemedyOf(err))
					}
				} else if err != nil || got.AccessToken.Reveal() != tt.login {
					t.Errorf("signing in: %s, %v; want %s", got.AccessToken.Reveal(), err, tt.login)
				}
				if len(f.calls) != tt.calls {
					t.Errorf("%d calls, want %d", len(f.calls), tt.calls)
				}
			})
		})
	}
	t.Run("the renewed one", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := &service{}
			r := newRenewer(t, f, dev, token(time.Hour))
			wantFault(t, r.Ended(t.Context(), dev, session.NewSecret("access-0"), nil), fault.SignInNeeded, ended,
				login)
			if _, renewed, err := r.Renew(t.Context(), dev); err != nil || renewed {
				t.Errorf("another process's token counts as refused: %v", err)
			}
			before := []byte(read(t, r.Store.TokenPath("dev")))
			wantFault(t, r.Ended(t.Context(), dev, session.NewSecret("access-1"), nil), fault.SignInNeeded, ended,
				login)
			if got, err := os.ReadFile(r.Store.TokenPath("dev")); err != nil || !bytes.Equal(got, before) {
				t.Errorf("the file became %s", got)
			}
			if _, renewed, err := r.Renew(t.Context(), dev); err != nil || !renewed {
				t.Errorf("signing in: renewed %v, %v", renewed, err)
			}
		})
	})
}
