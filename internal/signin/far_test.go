package signin_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/quote"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/ui"
)

// far is a machine whose browser runs elsewhere: what it is redirected to it cannot reach. Somebody sits at the
// terminal, and time is that of the test.
type far struct {
	*world
	begin  time.Time
	inputs chan signin.Input

	mu        sync.Mutex
	reaches   bool // the browser reaches the listener after all
	address   string
	listeners []*socketless
	busy      []callback.Busy
	failure   error // of the next listener
	nameless  error // of its announcement
	log       []string
}

// socketless is a listener without sockets.
type socketless struct {
	*far
	state     string
	redirects chan callback.Redirect
	finished  int
	outcome   error
}

func (l *socketless) Port() int                           { return 18425 }
func (l *socketless) RedirectURI() string                 { return "http://127.0.0.1:18425/oauth/callback" }
func (l *socketless) Busy() []callback.Busy               { return l.busy }
func (l *socketless) Redirects() <-chan callback.Redirect { return l.redirects }
func (l *socketless) Close() error                        { return nil }
func (l *socketless) Announce(dir string) error {
	l.note("announced in " + dir)
	return l.nameless
}

func (l *socketless) Finish(_ context.Context, outcome error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.finished++; l.finished == 1 {
		l.outcome = outcome
	}
}

// terminal is where somebody sits.
func (f *far) terminal() (<-chan signin.Input, func()) { return f.inputs, func() {} }

// newFar must be called in a bubble.
func newFar(t *testing.T, emu *emulator.Server) *far {
	t.Helper()
	f := &far{world: newWorld(t, emu), begin: time.Now(), inputs: make(chan signin.Input, 9)}
	f.login.Environment.MayPKCE, f.login.Environment.MayDevice, f.login.Inputs = true, true, f.terminal
	f.login.Ways = func(port int) []signin.Way {
		return []signin.Way{
			{
				Channel: "forward",
				Text:    "Forward the port.",
				Command: fmt.Sprintf("ssh -N -L %d:127.0.0.1:%d me@there", port, port),
			},
			{Channel: "swap", Text: fmt.Sprintf("Type https://name-%d.app.github.dev for the address.", port)},
		}
	}
	f.login.ListenWith(func(o callback.Options) (signin.Socketless, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if err := f.failure; err != nil {
			return nil, err
		}
		l := &socketless{far: f, state: o.State, redirects: make(chan callback.Redirect, 1)}
		f.listeners = append(f.listeners, l)
		return l, nil
	})
	person := emu.Person()
	person.Redirect = f
	f.login.OpenBrowser = func(ctx context.Context, url string) error {
		if strings.Contains(url, "user_code=") {
			return nil // the person has not come to it yet
		}
		f.note("opened")
		return person.Open(ctx, url)
	}
	notify := f.login.Notify
	f.login.Notify = func(e signin.Event) {
		notify(e)
		switch e := e.(type) {
		case signin.Authorize:
			f.note("authorize")
		case signin.DeviceCode:
			f.note("device_code")
		default:
			if text := ui.Notice(e, quote.Sh); text != "" {
				f.note("hint: " + text)
			}
		}
	}
	return f
}

// note writes down what happened, and when.
func (f *far) note(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.log = append(f.log, fmt.Sprintf("%v %s", time.Since(f.begin), what))
}

// RoundTrip is the browser on its way to the listener.
func (f *far) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.address = r.URL.String()
	if f.reaches {
		f.deliverLocked(false)
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("")), Request: r}, nil
}

// deliverLocked gives the listener that is meant the redirect.
func (f *far) deliverLocked(handed bool) {
	state, redirect, err := callback.Parse(f.address)
	if err != nil {
		f.t.Error(err)
	}
	redirect.Handed = handed
	for _, l := range f.listeners {
		if l.state == state {
			l.redirects <- redirect
		}
	}
}

func (f *far) deliver(handed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.deliverLocked(handed)
}

func (f *far) lastAddress() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.address
}

func (f *far) run(flow session.Flow) (signin.Result, error) {
	return f.world.run(f.t.Context(), flow)
}

// at does something beside the sign-in, so long after the beginning.
func (f *far) at(when time.Duration, do func()) {
	go func() {
		time.Sleep(time.Until(f.begin.Add(when)))
		do()
	}()
}

func (f *far) press(when time.Duration, key rune) {
	f.at(when, func() {
		f.mu.Lock() // as hangUp
		defer f.mu.Unlock()
		f.inputs <- signin.Input{Key: key} // it has room
	})
}

// hangUp ends what comes from the terminal.
func (f *far) hangUp(when time.Duration) {
	f.at(when, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		close(f.inputs)
	})
}

func (f *far) approve(when time.Duration) {
	f.at(when, func() {
		if err := f.emu.Approve(f.t.Context()); err != nil {
			f.t.Error(err)
		}
	})
}

// checkLog compares the log with what begins each of its entries.
func (f *far) checkLog(want ...string) {
	f.t.Helper()
	ok := len(f.log) == len(want)
	for i := range min(len(f.log), len(want)) {
		ok = ok && strings.HasPrefix(f.log[i], want[i])
	}
	if !ok {
		f.t.Errorf("got\n%s\nwant\n%s", strings.Join(f.log, "\n"), strings.Join(want, "\n"))
	}
}

// checkQuiet fails when an event but Authorize shows what a thief of the sign-in needs.
func (f *far) checkQuiet(err error) {
	f.t.Helper()
	texts := []string{fmt.Sprint(err, fault.RemedyOf(err))}
	for _, e := range f.events {
		if _, ok := e.(signin.Authorize); ok {
			continue
		}
		texts = append(texts, fmt.Sprintf("%+v", e), ui.Notice(e, quote.Sh))
	}
	for _, l := range f.listeners {
		for _, text := range texts {
			if strings.Contains(text, l.state) || strings.Contains(text, emulator.SecretMarker) ||
				strings.Contains(text, "code_challenge") {
				f.t.Errorf("%s", text)
			}
		}
	}
}
