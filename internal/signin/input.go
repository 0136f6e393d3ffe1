package signin

import (
	"time"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

// input is something that happened. The inputs of a grant carry its turn: a lost grant can be started again, and what
// still arrives for the lost one is ignored.
type input any

type (
	// begun starts a grant. It brings the random values.
	begun struct {
		flow     session.Flow
		state    string         // of the authorize URL
		verifier session.Secret // RFC 7636 4.1
		err      error          // why there are no random values
	}
	// tried says whether the token file is writable.
	tried struct {
		flow session.Flow
		err  error
	}
	// bound says where the listener is.
	bound struct {
		turn        int
		redirectURI string
		port        int
		ways        []Way           // to bring the redirect there
		busy        []callback.Busy // preferred ports that other programs have
		unannounced error           // why other processes cannot find the listener; nil if they can, or need not
		err         error
	}
	// registered brings a client.
	registered struct {
		flow   session.Flow
		turn   int
		reg    session.Registration
		cached bool // it was registered in an earlier sign-in
		at     time.Time
		err    error
	}
	// opened says that a browser was opened, or why not. It does not prove that a page opened.
	opened struct {
		flow session.Flow
		err  error
	}
	// redirected brings a redirect whose state is correct.
	redirected struct {
		turn     int
		redirect callback.Redirect
		channel  session.Channel
	}
	// deviceStarted brings a device code.
	deviceStarted struct {
		turn int
		auth idc.DeviceAuthorization
		at   time.Time
		err  error
	}
	// rang says that a wait is over.
	rang struct {
		timer timer
		turn  int
		at    time.Time
	}
	// answered brings what CreateToken said.
	answered struct {
		flow  session.Flow
		turn  int
		grant idc.Grant
		at    time.Time
		err   error
	}
	// stored says that the token is stored, or why not.
	stored struct {
		result Result
		at     time.Time
		err    error
	}
	// pressed is a key.
	pressed struct {
		key rune
		at  time.Time
	}
	// pasted is a text. It may hold a code, of this sign-in or another.
	pasted struct{ text session.Secret }
	// stopped says that the caller gives up.
	stopped struct{ err error }
)

// effect is something to be done.
type effect any

type (
	tell   struct{ event Event }
	begin  struct{ flow session.Flow } // answered by begun, at once
	try    struct{ flow session.Flow } // answered by tried, at once
	listen struct {                    // answered by bound, at once; later by redirected
		turn  int
		state string
	}
	register struct { // answered by registered
		flow   session.Flow
		turn   int
		client idc.RegisterRequest
		fresh  bool // do not use a cached one
	}
	open struct { // answered by opened
		flow session.Flow
		url  string
	}
	startDevice struct { // answered by deviceStarted
		turn     int
		reg      session.Registration
		startURL string
	}
	wait struct { // answered by rang
		timer timer
		turn  int
		d     time.Duration
	}
	exchange struct { // answered by answered
		flow        session.Flow
		turn        int
		reg         session.Registration
		code        session.Secret
		verifier    session.Secret
		redirectURI string
		deviceCode  session.Secret
	}
	keep struct { // answered by stored, at once
		flow   session.Flow
		result Result
	}
	forget        struct{ flow session.Flow } // the cached registration
	dropRoles     struct{}                    // the role credentials of the session
	answerBrowser struct{ err error }         // nil is success. Closes the listener
	end           struct {
		result Result
		err    error
	}
)

// timer names a wait. A grant has at most one of each.
type timer string

const (
	timerLimit timer = "limit" // for the redirect
	timerHint  timer = "hint"  // before the next way is named
	timerRetry timer = "retry" // to send the code again
	timerPoll  timer = "poll"
	timerLapse timer = "lapse" // of the device code
)

// flow is the grant that a timer belongs to.
func (t timer) flow() session.Flow {
	if t == timerPoll || t == timerLapse {
		return session.Device
	}
	return session.PKCE
}
