package signin

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/homing-cli/homing/internal/callback"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/session"
)

// chaos plays the runner, the service, the browser and the person, in whatever order its bytes say.
type chaos struct {
	t     testing.TB
	bytes []byte
	s     state
	story []string

	due      []input // what effects asked for and did not come yet
	past     []input // what came already, and may come again
	states   []string
	flying   map[session.Flow]int // exchanges under way
	begun    int
	keeps    int
	ends     int
	mayEnd   bool // the last input may end a sign-in whatever is alive
	aliveNow int  // before the last input
}

const secretMark = "SECRET"

func (c *chaos) pick(n int) int {
	if len(c.bytes) == 0 {
		return 0
	}
	b := int(c.bytes[0])
	c.bytes = c.bytes[1:]
	return b % n
}

// oneOf is nil mostly, else one of errs.
func (c *chaos) oneOf(errs ...error) error {
	if c.pick(6) != 0 {
		return nil
	}
	return errs[c.pick(len(errs))]
}

var causes = []error{
	said(idc.CodeNetwork), said(idc.CodeAccessDenied), said(idc.CodeUnauthorizedClient), said(idc.CodeInvalidClient),
	said(idc.CodeInvalidGrant), said(idc.CodeAuthorizationPending), said(idc.CodeSlowDown), said(idc.CodeNonsense),
}

// answers are what e may lead to, decided when it comes.
func (c *chaos) answers(e effect) {
	switch e := e.(type) {
	case begin:
		c.begun++
		state := fmt.Sprintf("%s-state-%d", secretMark, c.begun)
		c.states = append(c.states, state)
		c.due = append(c.due, begun{flow: e.flow, state: state, verifier: session.NewSecret(secretMark + "-verifier"),
			err: c.oneOf(errors.New("no chance"), nil)})
	case try:
		c.due = append(c.due, tried{e.flow, c.oneOf(errors.New("read-only"), nil)})
	case listen:
		b := bound{turn: e.turn, redirectURI: "http://127.0.0.1:1/oauth/callback", port: 1, err: c.oneOf(errors.New("in use"))}
		if c.pick(2) == 0 {
			b.ways, b.busy, b.unannounced = []Way{{Channel: "forward", Command: "ssh"}, {Channel: "device"}, {}},
				[]callback.Busy{{Port: 2}}, errors.New("nowhere")
		}
		c.due = append(c.due, b)
		if b.err == nil {
			c.past = append(c.past, redirected{e.turn, callback.Redirect{Code: session.NewSecret(secretMark)},
				session.Loopback},
				redirected{e.turn, callback.Redirect{Error: "server_error"}, session.Callback})
		}
	case register:
		c.due = append(c.due, registered{flow: e.flow, turn: e.turn, reg: client, cached: !e.fresh && c.pick(2) == 0,
			err: c.oneOf(causes...)})
	case startDevice:
		c.due = append(c.due, deviceStarted{turn: e.turn, auth: shown, err: c.oneOf(causes...)})
	case open:
		c.due = append(c.due, opened{e.flow, c.oneOf(errors.New("none"))})
	case wait:
		c.due = append(c.due, rang{timer: e.timer, turn: e.turn})
	case exchange:
		if c.flying[e.flow]++; c.flying[e.flow] > 1 {
			c.t.Errorf("two exchanges of %s at once", e.flow)
		}
		if c.s.storing != "" || c.s.over {
			c.t.Error("a grant is spent when another one was first")
		}
		c.due = append(c.due, answered{flow: e.flow, turn: e.turn, grant: grant, err: c.refusal()})
	case keep:
		if c.keeps++; c.keeps > 1 {
			c.t.Error("kept twice")
		}
		c.due = append(c.due, stored{result: e.result, err: c.oneOf(errors.New("full"))})
	case tell:
		if _, ok := e.event.(Authorize); ok {
			return
		}
		if text := fmt.Sprintf("%+v", e.event); strings.Contains(text, secretMark) {
			c.t.Error(text)
		}
	case end:
		if c.ends++; c.ends > 1 {
			c.t.Error("ended twice")
		}
		if e.err != nil && !c.mayEnd && c.aliveNow > 1 && fault.KindOf(e.err) != fault.Denied {
			c.t.Errorf("a lost grant ended the other: %v", e.err)
		}
		if e.err != nil && strings.Contains(fmt.Sprint(e.err, fault.RemedyOf(e.err)), secretMark) {
			c.t.Errorf("%v", e.err)
		}
	}
}

// refusal is what CreateToken says, most often that nobody has approved yet.
func (c *chaos) refusal() error {
	if c.pick(2) == 0 {
		return said(idc.CodeAuthorizationPending)
	}
	return c.oneOf(causes...)
}

func (c *chaos) next() input {
	switch n := c.pick(8); {
	case n < 5 && len(c.due) > 0:
		i := c.pick(len(c.due))
		in := c.due[i]
		c.due = append(c.due[:i:i], c.due[i+1:]...)
		if _, once := in.(answered); !once {
			c.past = append(c.past, in)
		}
		if in, ok := in.(answered); ok {
			c.flying[in.flow]--
		}
		return in
	case n == 5 && len(c.past) > 0: // a redirect, or something that comes twice
		switch in := c.past[c.pick(len(c.past))].(type) {
		case stored, begun, rang, registered, deviceStarted, bound, tried: // the runner sends each once
		default:
			return in
		}
	case n == 6:
		text := back + "code=" + secretMark + "&state=" + []string{"other", secretMark}[c.pick(2)]
		if len(c.states) > 0 && c.pick(2) == 0 {
			text = back + []string{"error=access_denied", "code=" + secretMark}[min(1, c.pick(8))] + "&state=" + c.states[c.pick(len(c.states))]
		}
		return paste(text)
	case n == 7 && c.pick(20) == 0:
		return stopped{fault.New(fault.Interrupted, "", "interrupted")}
	}
	return pressed{key: rune("dp?Dx"[c.pick(5)])}
}

func (c *chaos) run() {
	c.flying = map[session.Flow]int{}
	c.s = seated()
	c.s.keys = c.pick(2) == 0
	c.s.fallback, c.s.insist = c.pick(2) == 0, c.pick(3) == 0
	if c.pick(4) == 0 {
		c.s.barred.device = ByPolicy
	}
	if c.pick(4) == 0 {
		c.s.barred.code = ByPolicy
	}
	c.answers(begin{[]session.Flow{session.PKCE, session.Device}[c.pick(2)]})
	for len(c.bytes) > 0 && !c.t.Failed() {
		in := c.next()
		c.aliveNow = 0
		for _, alive := range []bool{c.s.code.active, c.s.device.active} {
			if alive {
				c.aliveNow++
			}
		}
		switch in.(type) {
		case stopped, tried, stored:
			c.mayEnd = true
		default:
			c.mayEnd = c.s.leaving != nil // the caller had gone; what was under way is over
		}
		was := c.s
		var effects []effect
		c.s, effects = step(c.s, in)
		c.story = append(c.story, fmt.Sprintf("%T %q", in, names(effects)))
		if was.over && len(effects) > 0 {
			c.t.Errorf("after the end: %q", names(effects))
		}
		after := c.s
		for _, e := range effects {
			c.s.storing, c.s.over = was.storing, was.over // exchange looks at what was before
			c.answers(e)
		}
		c.s = after
		if c.s.over != (c.ends == 1) {
			c.t.Error("over without an end, or an end without being over")
		}
		if !c.s.over && len(c.due) == 0 {
			c.t.Errorf("nothing is waited for: %+v", c.s)
		}
	}
	if c.t.Failed() {
		c.t.Log(strings.Join(c.story, "\n"))
	}
}

// FuzzStep: whatever happens in whatever order, a sign-in ends at most once, spends no grant after another one was
// first, loses no grant because of the other, shows no secret, and never stops waiting for something without ending.
func FuzzStep(f *testing.F) {
	source := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		seed := make([]byte, 40+source.IntN(400))
		for i := range seed {
			seed[i] = byte(source.Uint32())
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		(&chaos{t: t, bytes: bytes}).run()
	})
}

// The bytes of FuzzStep must lead somewhere.
func TestChaosReaches(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	source := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		seed := make([]byte, 40+source.IntN(400))
		for i := range seed {
			seed[i] = byte(source.Uint32())
		}
		c := &chaos{t: t, bytes: seed}
		c.run()
		switch {
		case c.keeps == 1 && c.s.code.active && c.s.device.active:
			seen["signed in with both alive"]++
		case c.keeps == 1 && (c.s.code.turn > 0 || c.s.device.turn > 0):
			seen["signed in after one was lost"]++
		case c.s.over:
			seen["ended"]++
		}
	}
	for _, what := range []string{"signed in with both alive", "signed in after one was lost", "ended"} {
		if seen[what] < 20 {
			t.Errorf("%s: %d times", what, seen[what])
		}
	}
	t.Log(seen)
}
