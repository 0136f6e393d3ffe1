package callback

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// Busy is a port that was wished for and is in use.
type Busy struct {
	Port   int
	Holder string // such as "sshd (pid 12)" or "a process of uid 0"; "" where it cannot be known
}

// String says it in a few words, for "port …".
func (b Busy) String() string {
	if b.Holder == "" {
		return strconv.Itoa(b.Port) + " on 127.0.0.1 is in use"
	}
	return strconv.Itoa(b.Port) + " on 127.0.0.1 is in use by " + b.Holder
}

// Busy returns the ports that were wished for and found in use, in the order of the wish.
func (l *Listener) Busy() []Busy { return slices.Clone(l.busy) }

// bind opens the sockets for the first port that is free. It looks up who holds those that are not.
func bind(ports []int) ([]net.Listener, []Busy, error) {
	if len(ports) == 0 {
		ports = []int{0}
	}
	var busy []Busy
	var last error
	for i, port := range ports {
		// A free port on 127.0.0.1 may be somebody else's on [::1], who would then get what a tunnel dials as
		// "localhost". Where we may choose, we choose again.
		tries := 1
		if port == 0 {
			tries = 5
		}
		for range tries {
			v4, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err != nil {
				last = err
				break
			}
			bound := v4.Addr().(*net.TCPAddr).Port
			v6, err := net.Listen("tcp6", net.JoinHostPort("::1", strconv.Itoa(bound)))
			if err == nil {
				return []net.Listener{v4, v6}, busy, nil
			}
			if !inUse(err) || port != 0 && i == len(ports)-1 {
				return []net.Listener{v4}, busy, nil
			}
			_ = v4.Close()
			last = err
		}
		if port != 0 && inUse(last) {
			busy = append(busy, Busy{port, holder(port)})
		}
	}
	return nil, busy, bindError(ports, busy, last)
}

// ErrPortTaken says that the only port that was wished for is in use.
var ErrPortTaken = errors.New("the port that was asked for is taken")

func bindError(ports []int, busy []Busy, err error) error {
	fixed := slices.DeleteFunc(slices.Clone(ports), func(p int) bool { return p == 0 })
	switch {
	case len(fixed) == 1 && len(busy) == 1:
		return &fault.Error{
			Kind: fault.Usage, Msg: "port " + busy[0].String(), Err: errors.Join(ErrPortTaken, err),
			Remedy: fault.Preface{
				Words: "run it without --redirect-port to take any free port, such as:",
				Then:  fault.Login{},
			},
		}
	case len(fixed) > 0:
		msg := fmt.Sprintf("cannot listen on 127.0.0.1, port %s", join(fixed))
		return &fault.Error{Kind: fault.Config, Msg: msg, Remedy: fault.Login{Flow: session.Device}, Err: err}
	}
	return &fault.Error{
		Kind: fault.Config, Msg: "cannot listen on 127.0.0.1", Remedy: fault.Login{Flow: session.Device}, Err: err,
	}
}

func join(ports []int) string {
	var b strings.Builder
	for i, p := range ports {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(strconv.Itoa(p))
	}
	return b.String()
}
