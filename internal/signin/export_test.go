package signin

import (
	"context"

	"github.com/homing-cli/homing/internal/callback"
)

// Socketless is what ListenWith takes in place of a *callback.Listener.
type Socketless interface {
	Port() int
	RedirectURI() string
	Busy() []callback.Busy
	Announce(dir string) error
	Redirects() <-chan callback.Redirect
	Finish(ctx context.Context, outcome error)
	Close() error
}

// ListenWith replaces the listener: testing/synctest has no clock for a goroutine that waits on a socket.
func (l *Login) ListenWith(listen func(callback.Options) (Socketless, error)) {
	l.listen = func(o callback.Options) (listener, error) { return listen(o) }
}
