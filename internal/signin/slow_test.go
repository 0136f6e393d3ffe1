package signin_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/quote"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/ui"
)

// timed notes when each event came, counted from now.
func (w *world) timed() func(kind string) (at time.Duration, text string, ok bool) {
	type note struct {
		at   time.Duration
		kind string
		text string
	}
	var notes []note
	start := time.Now()
	w.login.Notify = func(e signin.Event) {
		n := note{at: time.Since(start)}
		switch e := e.(type) {
		case signin.DeviceCode:
			n.kind = "code"
		default:
			if n.text = ui.Notice(e, quote.Sh); n.text != "" {
				n.kind = "hint"
			}
		}
		notes = append(notes, n)
	}
	return func(kind string) (time.Duration, string, bool) {
		for _, n := range notes {
			if n.kind == kind {
				return n.at, n.text, true
			}
		}
		return 0, "", false
	}
}

// TestBesideAStoppedHolder: a process that holds the token's lock for good keeps no person from signing in, who is
// told what is waited for. Going on after all, it leaves the new token alone.
func TestBesideAStoppedHolder(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		expired bool
		more    []func(*signin.Login)
		told    bool
		shown   time.Duration // the code
	}{
		"a token to renew": {true, nil, true, 11 * time.Second},
		"nothing here":     {false, nil, true, 10 * time.Second},
		"by force":         {true, []func(*signin.Login){force}, false, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, &emulator.Server{})
				approve := func() {
					if err := w.emu.Approve(t.Context()); err != nil {
						t.Error(err)
					}
				}
				if tt.expired {
					go approve()
					if _, err := w.run(t.Context(), session.Device); err != nil {
						t.Fatal(err)
					}
					time.Sleep(61 * time.Minute)
				}
				holder, err := w.store.LockToken(t.Context(), "dev")
				if err == nil {
					err = holder.Prepare()
				}
				if err != nil {
					t.Fatal(err)
				}
				defer holder.Abort()
				first := w.timed()
				go approve()
				got, err := w.run(t.Context(), session.Device, tt.more...)
				if err != nil {
					t.Fatal(err)
				}
				w.checkStored(got)
				at, text, ok := first("hint")
				if ok != tt.told ||
					tt.told &&
						(at != 2*time.Second || !strings.HasSuffix(text, strings.TrimSuffix(w.store.TokenPath("dev"), ".json")+".lock")) {
					t.Errorf("told %v after %v: %s", ok, at, text)
				}
				if at, _, _ := first("code"); at != tt.shown {
					t.Errorf("the code was shown after %v, want %v", at, tt.shown)
				}
				late := got.Token
				late.AccessToken, late.RefreshToken = session.NewSecret("late"), session.NewSecret("late")
				if !tt.expired {
					return // it has renewed nothing
				}
				if err := holder.Renewed(late); err != nil {
					t.Error(err)
				}
				w.checkStored(got)
				w.checkClean()
			})
		})
	}
}

// TestMuteService: who waits for a network that is mute is told so, and not for long.
func TestMuteService(t *testing.T) {
	t.Parallel()
	for _, expired := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, &emulator.Server{})
			if expired {
				go func() { _ = w.emu.Approve(t.Context()) }()
				if _, err := w.run(t.Context(), session.Device); err != nil {
					t.Fatal(err)
				}
				time.Sleep(61 * time.Minute)
			}
			w.via = mute{}
			words := "IAM Identity Center gave no answer within 15s"
			if expired {
				words = `cannot renew the token of session "dev": the time allowed for CreateToken has passed`
			}
			first := w.timed()
			start := time.Now()
			_, err := w.run(t.Context(), session.Device)
			if took := time.Since(start); took != 15*time.Second || fault.KindOf(err) != fault.Unavailable ||
				!strings.Contains(err.Error(), words) {
				t.Errorf("expired %v: after %v: %v", expired, took, err)
			}
			if at, text, ok := first("hint"); !ok || at != 2*time.Second ||
				!strings.Contains(text, "IAM Identity Center") {
				t.Errorf("expired %v: told %v after %v: %s", expired, ok, at, text)
			}
		})
	}
}

// mute is a network that takes every request and never answers.
type mute struct{}

func (mute) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}
