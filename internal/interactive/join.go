package interactive

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/joint"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/signin"
	"github.com/homing-cli/homing/internal/ui"
)

// peers makes several logins of one session one sign-in: this one leads, or joins the one that does. It is
// signin.Peers.
type peers struct {
	app         *app.App
	choice      Choice
	talk        *ui.SignIn
	inputs      func() (<-chan signin.Input, func())
	openBrowser func(ctx context.Context, url string) error // nil opens nothing
	dir         string                                      // where logins of a session meet
	force       bool                                        // lead, and sign in however good the token is

	leader    *joint.Leader // nil while another login leads
	offered   []joint.Offer
	asked     bool             // something was offered
	end       *signin.SignedIn // that was told
	joined    bool             // another login's sign-in gave the result
	keys      bool             // keys and pastes are read here
	preferred bool             // the flow that was asked for here was asked for there
}

// sharedEvent is what a leader tells who joined. Exactly one field but Until is set.
type sharedEvent struct {
	Authorize  *sharedAuthorize  `json:",omitempty"`
	DeviceCode *sharedDeviceCode `json:",omitempty"`
	Hint       string            `json:",omitempty"`
	SignedIn   *sharedSignedIn   `json:",omitempty"`
	Failed     *ui.Failure       `json:",omitempty"`
	Until      time.Time         `json:",omitzero"` // of what a person can act on
}

// The fields of the events, without their form under --json, which leaves some out.
type (
	sharedAuthorize  signin.Authorize
	sharedDeviceCode signin.DeviceCode
	sharedSignedIn   signin.SignedIn
)

func (e sharedEvent) encode() json.RawMessage {
	text, err := json.Marshal(e)
	if err != nil {
		return nil // no field of it can fail
	}
	return text
}

// offer returns what a person can act on in the form for others; ok is false for any other event.
func offer(e signin.Event, since time.Time) (o joint.Offer, ok bool) {
	switch e := e.(type) {
	case signin.Authorize:
		shared := sharedAuthorize(e)
		return joint.Offer{ID: e.URL, Opened: e.Opening || e.Stranger != "", Body: sharedEvent{Authorize: &shared,
			Until: since.Add(e.ExpiresIn)}.encode()}, true
	case signin.DeviceCode:
		shared := sharedDeviceCode(e)
		return joint.Offer{
			ID: e.UserCode, Opened: e.Opening || e.Stranger != "" || e.VerificationURIComplete == "",
			Body: sharedEvent{DeviceCode: &shared, Until: since.Add(e.ExpiresIn)}.encode(),
		}, true
	}
	return joint.Offer{}, false
}

// notify tells the person here, and those who joined.
func (p *peers) notify(e signin.Event) {
	p.talk.Notify(e)
	if end, ok := e.(signin.SignedIn); ok {
		p.end = &end
	}
	if p.leader == nil {
		return
	}
	if text := ui.Notice(e, p.app.UI.Shell); text != "" {
		p.leader.Tell(sharedEvent{Hint: text}.encode())
		return
	}
	o, ok := offer(e, p.app.Env.Time())
	if !ok {
		return
	}
	for _, old := range p.offered {
		if old.ID == o.ID { // a key asked for it
			p.leader.Tell(o.Body)
			return
		}
	}
	p.offer(append(p.offered, o)) // before the hints that go with it
}

// Standing implements signin.Peers: what is over is withdrawn.
func (p *peers) Standing(now []signin.Standing) {
	if p.leader == nil {
		return
	}
	var offers []joint.Offer
	for _, s := range now {
		if o, ok := offer(s.Event, s.Since); ok {
			if len(s.Ways) > 0 {
				o.Note = sharedEvent{Hint: ui.Notices(s.Ways, p.app.UI.Shell)}.encode()
			}
			offers = append(offers, o)
		}
	}
	p.offer(offers)
}

func (p *peers) offer(offers []joint.Offer) {
	p.offered = offers
	p.asked = p.asked || len(offers) > 0
	p.leader.Offer(offers)
}

// Inputs implements signin.Peers: what people do where they joined.
func (p *peers) Inputs() <-chan signin.Input {
	if p.leader == nil {
		return nil
	}
	to := make(chan signin.Input)
	go func(leader *joint.Leader) {
		for {
			select {
			case in := <-leader.Inputs():
				select {
				case to <- signin.Input{Key: in.Key, Text: in.Text}:
				case <-leader.Done():
					return
				}
			case <-leader.Done():
				return
			}
		}
	}(p.leader)
	return to
}

// Run implements signin.Peers: it signs in and leads, or joins the login that does. If the other login does not
// answer, or the folder cannot be used, it signs in alone.
func (p *peers) Run(ctx context.Context,
	alone func(context.Context, bool) (signin.Result, error)) (signin.Result, error) {
	s := p.choice.session
	place := joint.Place{Dir: p.dir, Name: s.CacheKey()}
	if st, err := p.app.Store(); err == nil {
		place.Name = filepath.Clean(st.AWSDir) + "\n" + s.CacheKey() // the token file
	}
	hello := joint.Hello{
		// A sign-in from before the session was reconfigured does not help.
		About: about(s), Opens: p.openBrowser != nil, TakeOver: p.force,
		// Whether a legacy token is to be renewable is no reason to push out somebody whose page a person has open.
		Fits: func(leaders string) bool { return s.Legacy() && leaders == about(withOtherFreshness(s)) },
	}
	for {
		leader, joined, err := place.Meet(ctx, hello)
		switch {
		case ctx.Err() != nil:
			return signin.Result{}, stopped(ctx)
		case errors.Is(err, joint.ErrSilent):
			p.talk.Hint(
				"Another login of " + s.InWords() + " waits but does not answer: it may be stopped, or on another " +
					"machine. Going on without it.",
			)
			return alone(ctx, p.renewed())
		case err != nil:
			p.app.UI.Debug("no other login can join: %v", err)
			return alone(ctx, false)
		case leader != nil:
			return p.lead(ctx, leader, alone)
		}
		result, how, err := p.follow(ctx, joined)
		if how == ended {
			return result, err
		}
		hello.Yield = how == yielded
	}
}

// about is what a sign-in to s asks of the service.
func about(s session.Session) string {
	return strings.Join(append([]string{s.StartURL, s.Region}, s.RegistrationScopes()...), "\n")
}

// withOtherFreshness is s with the other choice of --keep-fresh.
func withOtherFreshness(s session.Session) session.Session {
	s.KeepFresh = !s.KeepFresh
	return s
}

func stopped(ctx context.Context) error {
	return &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: context.Cause(ctx)}
}

// lead signs in by alone, and tells who joined.
func (p *peers) lead(ctx context.Context, leader *joint.Leader,
	alone func(context.Context, bool) (signin.Result, error)) (signin.Result, error) {
	pushed := &fault.Error{
		Kind: fault.Interrupted,
		Msg:  "another login of " + p.choice.session.InWords() + " has taken over",
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-leader.Pushed():
			cancel(pushed)
		case <-leader.Done():
		}
	}()
	p.leader = leader
	result, err := alone(ctx, p.renewed())
	leader.Close(p.outcome(err))
	p.leader, p.offered = nil, nil
	// Under --json the error event says it. The exit code is that of Ctrl-C, which says nothing.
	if errors.Is(err, pushed) && !p.app.UI.JSON {
		p.app.UI.Say("%s: this one ends.\n", ui.UpperFirst(pushed.Msg))
	}
	return result, err
}

// renewed reports whether there is a token by now that makes a sign-in needless: another may have ended between our
// looking for a token and our leading.
func (p *peers) renewed() bool {
	st, err := p.app.Store()
	if err != nil || p.force {
		return false
	}
	tok, err := st.Token(p.choice.session.CacheKey())
	now := p.app.Env.Time()
	if err != nil || p.choice.renewable && !tok.Renewable(now) { // one that can be renewed was asked for
		return false
	}
	return tok.StartURL == p.choice.session.StartURL && !tok.Expired(now.Add(10*time.Minute))
}

// outcome is how a sign-in ended, for all who joined it; nil is that they go on by themselves. What comes of this
// command line or of this terminal says nothing to others.
func (p *peers) outcome(err error) json.RawMessage {
	if err == nil {
		if p.end == nil {
			return nil
		}
		shared := sharedSignedIn(*p.end)
		return sharedEvent{SignedIn: &shared}.encode()
	}
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Denied, fault.TimedOut:
	case fault.SignInNeeded, fault.Config:
		if !p.asked {
			return nil
		}
	default:
		return nil
	}
	f := p.app.UI.Describe(p.choice.withCommand(p.app, p.choice.aboutPort(err)))
	return sharedEvent{Failed: &f}.encode()
}

// parting is how following a leader ended.
type parting int

const (
	ended   parting = iota // with a result
	left                   // the leader is gone
	yielded                // another login made the leader leave
)

// follow shows what the leader shows and hands it what the person does, until there is an outcome.
func (p *peers) follow(ctx context.Context, joined *joint.Joined) (signin.Result, parting, error) {
	defer joined.Close()
	typed, stop := p.inputs()
	if stop != nil {
		defer stop()
	}
	p.keys, p.talk.Joined = typed != nil, true
	p.talk.Hint(
		"Another login of " + p.choice.session.InWords() + " is waiting: joining it. To start over instead, run: " +
			p.talk.Again + " --force",
	)
	if joined.About() != about(p.choice.session) {
		p.explainKeepFresh()
	}
	for {
		select {
		case <-ctx.Done():
			return signin.Result{}, ended, stopped(ctx)
		case in, open := <-typed:
			if !open {
				typed = nil
				continue
			}
			joined.Send(joint.Input{Key: in.Key, Text: in.Text})
		case m, open := <-joined.Messages():
			switch {
			case open && m.Outcome:
				return p.result(m.Body)
			case open && m.Left:
				p.talk.Hint("The login that was joined has been replaced by another one.")
				return signin.Result{}, yielded, nil
			case !open:
				if ctx.Err() != nil {
					return signin.Result{}, ended, stopped(ctx)
				}
				p.talk.Hint("The login that was joined is gone. Going on without it.")
				return signin.Result{}, left, nil
			}
			p.show(ctx, joined, m)
		}
	}
}

// explainKeepFresh says that the login that was joined is to get another kind of legacy token than was asked for
// here.
func (p *peers) explainKeepFresh() {
	text := "It was begun without --keep-fresh, so its token cannot be renewed. To have one that can, run: "
	if !p.choice.session.KeepFresh {
		text = "It was begun with --keep-fresh, so its token lives for 1 h at a time and can be renewed. To have " +
			"one of 8 h, run: "
	}
	p.talk.Hint(text + p.talk.Again + " --force")
	// What is said of the token at the end is true of the one there is.
	p.talk.Session = withOtherFreshness(p.choice.session)
}

// show tells the person here what the leader told.
func (p *peers) show(ctx context.Context, joined *joint.Joined, m joint.Message) {
	var e sharedEvent
	if err := json.Unmarshal(m.Body, &e); err != nil {
		p.app.UI.Debug("the login that was joined says something unknown: %v", err)
		return
	}
	valid := max(0, e.Until.Sub(p.app.Env.Time())).Round(time.Second)
	switch {
	case e.Authorize != nil:
		shown := signin.Authorize(*e.Authorize)
		shown.Opening, shown.ExpiresIn, shown.Keys = m.Opens, valid, p.keys
		p.talk.Notify(shown)
		p.open(ctx, m, shown.URL)
		p.prefer(joined, session.PKCE)
	case e.DeviceCode != nil:
		shown := signin.DeviceCode(*e.DeviceCode)
		shown.Opening, shown.ExpiresIn, shown.Keys = m.Opens, valid, p.keys
		p.talk.Notify(shown)
		p.open(ctx, m, shown.VerificationURIComplete)
		p.prefer(joined, session.Device)
	case e.Hint != "":
		p.talk.Hint(e.Hint)
	}
}

// open opens the address if no other login does. Nothing waits for it: the opener may be the browser itself.
func (p *peers) open(ctx context.Context, m joint.Message, url string) {
	if !m.Opens {
		return
	}
	go func() {
		if err := p.openBrowser(ctx, url); err != nil {
			p.app.UI.Debug("no browser: %v", err)
		}
	}()
}

// prefer presses the key for the flow that was asked for here, when the other is what is shown first.
func (p *peers) prefer(joined *joint.Joined, shown session.Flow) {
	wanted := p.choice.Answer.Flow
	if p.choice.Answer.Asked == "" || p.preferred {
		return
	}
	p.preferred = true
	if wanted != shown {
		key := 'd'
		if wanted == session.PKCE {
			key = 'p'
		}
		joined.Send(joint.Input{Key: key})
	}
}

// result is the leader's, and its token that of the file: tokens do not go over the socket.
func (p *peers) result(body json.RawMessage) (signin.Result, parting, error) {
	var e sharedEvent
	if err := json.Unmarshal(body, &e); err != nil {
		p.app.UI.Debug("the login that was joined ended with something unknown: %v", err)
		return signin.Result{}, left, nil
	}
	p.joined = true
	switch {
	case e.Failed != nil:
		return signin.Result{}, ended, fault.New(e.Failed.Kind, e.Failed.Hint, "%s", e.Failed.Msg)
	case e.SignedIn == nil:
		return signin.Result{}, left, nil
	}
	st, err := p.app.Store()
	if err != nil {
		return signin.Result{}, ended, err
	}
	tok, err := st.Token(p.choice.session.CacheKey())
	if err != nil {
		return signin.Result{}, ended, err
	}
	p.talk.Notify(signin.SignedIn(*e.SignedIn))
	return signin.Result{Token: tok, Channel: e.SignedIn.Channel}, ended, nil
}
