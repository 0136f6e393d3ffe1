package signin

import (
	"time"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// Notices are events that a person should know of while the sign-in goes on. internal/ui has their words.
type (
	// NoBrowser says that no browser could be opened: the person opens the address.
	NoBrowser struct{}
	// Arrived says that the redirect is here, and the sign-in is being completed.
	Arrived struct{}
	// Barred says that a flow cannot be used.
	Barred struct {
		Flow session.Flow
		Why  Bar
	}
	// Mispasted says that a paste is not used.
	Mispasted struct {
		Why     Misfit
		MayPKCE bool  // Unawaited: a redirect can be started
		Err     error // Unreadable: what is wrong
	}
	// Waiting says that something quick takes long.
	Waiting struct {
		Lock   string // the token's lock, which another process holds; "" if none does
		Renews bool   // a renewal takes long; without it and without Lock, the service
	}
	// StillOpen says that one of two grants is lost, and the other goes on.
	StillOpen struct{ Err error }
	// StillTrying says that the service gave no answer, and is asked again.
	StillTrying struct{ Err error }
	// RolesKept says that role credentials of an earlier sign-in could not be dropped.
	RolesKept struct{ Err error }
	// FellBack says that the other flow cannot be used, and that To takes over.
	FellBack struct {
		To      session.Flow
		Session string // its label
		Err     error
	}
	// Unannounced says that no other process finds the listener.
	Unannounced struct{ Err error }
	// PortsBusy says that other programs have the preferred ports.
	PortsBusy struct {
		Busy []callback.Busy
		Port int // of the listener
	}
	// ClockOff says how far this machine's clock is ahead of the service's; negative is behind.
	ClockOff struct{ Ahead time.Duration }
	// Ways names what a person can do to bring the redirect to the listener.
	Ways struct {
		Ways     []Way
		When     When
		Keys     bool        // somebody can type and paste here
		Callback bool        // another process finds the listener
		Device   fault.Login // signs in with a device code instead
	}
	// Help answers "?".
	Help struct {
		PKCE, Device Grant
		Ways         Ways // while the redirect is awaited
	}
)

// Bar is why a flow cannot be used; "" means that it can.
type Bar string

// The bars.
const (
	ByLegacy   Bar = "legacy profile" // which has no redirect
	ByPolicy   Bar = "policy"
	ByListener Bar = "no listener"
	ByService  Bar = "service" // which issues no device codes
)

// Misfit is why a paste is not used.
type Misfit string

// The misfits.
const (
	Unawaited  Misfit = "no redirect is awaited"
	ToOpen     Misfit = "the address to open"
	OfAnother  Misfit = "of another sign-in"
	Unreadable Misfit = "not a redirect"
)

// When says on what occasion Ways are named.
type When string

// The occasions.
const (
	AtOnce When = "at once" // with the address
	First  When = "first"   // the first time after a wait
	Later  When = "later"
	All    When = "all" // after a wait, to somebody who cannot ask
)

// Grant is how one of the two flows stands.
type Grant struct {
	Alive   bool // it was started
	Waiting bool // a person can act on it
	Arrived bool // PKCE: the redirect is here
	Bar     Bar
}

func (NoBrowser) event()   {}
func (Arrived) event()     {}
func (Barred) event()      {}
func (Mispasted) event()   {}
func (Waiting) event()     {}
func (StillOpen) event()   {}
func (StillTrying) event() {}
func (RolesKept) event()   {}
func (FellBack) event()    {}
func (Unannounced) event() {}
func (PortsBusy) event()   {}
func (ClockOff) event()    {}
func (Ways) event()        {}
func (Help) event()        {}

// ways returns list as a notice.
func (s state) ways(list []Way, when When) Ways {
	device := s.named(fault.Login{Flow: session.Device})
	return Ways{Ways: list, When: when, Keys: s.keys, Callback: s.code.announced, Device: device}
}

// help says what can be done, and which keys mean something.
func (s state) help() Help {
	arrived := !s.code.code.IsZero()
	h := Help{
		PKCE: Grant{
			Alive: s.code.active, Bar: s.barred.code,
			Waiting: s.code.awaited(), Arrived: s.code.active && arrived,
		},
		Device: Grant{
			Alive: s.device.active, Bar: s.barred.device, Waiting: s.device.awaited(),
		},
	}
	if h.PKCE.Waiting {
		h.Ways = s.ways(s.open(s.code.ways), AtOnce)
	}
	return h
}
