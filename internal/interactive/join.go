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

// sharedLogin makes several logins of one session one sign-in: this one leads, or joins the one that does.
type sharedLogin struct {
	App     *app.App
	login   *signin.Login
	req     *signin.Request
	talk    *ui.SignIn
	choice  Choice
	force   bool          // the person said so: lead, and sign in however good the token is
	leader  *joint.Leader // nil while we do not lead
	offered []joint.Offer
	asked   bool             // something was offered
	end     *signin.SignedIn // that was told
	joined  bool             // another's sign-in gave the result

	preferred bool // the flow that was asked for here was asked for there
}

// share lets login join others of req.Session, and others join it. force takes over from them.
func share(a *app.App, login *signin.Login, req *signin.Request, talk *ui.SignIn, c Choice, force bool) *sharedLogin {
	t := &sharedLogin{App: a, login: login, req: req, talk: talk, choice: c, force: force}
	login.Notify, login.Standing, login.Together = t.notify, t.standing, t.run
	req.Others = t.others
	return t
}

// sharedEvent is what a leader tells who joined. Exactly one field but Until is set.
type sharedEvent struct {
	Authorize  *sharedAuthorize  `json:",omitempty"`
	DeviceCode *sharedDeviceCode `json:",omitempty"`
	Hint       string            `json:",omitempty"`
	SignedIn   *sharedSignedIn   `json:",omitempty"`
	Failed     *signinFailure    `json:",omitempty"`
	Until      time.Time         `json:",omitzero"` // of what a person can act on
}

// The fields of the events, without their form under --json, which leaves some out.
type (
	sharedAuthorize  signin.Authorize
	sharedDeviceCode signin.DeviceCode
	sharedSignedIn   signin.SignedIn
	signinFailure    signin.Failed
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
		return joint.Offer{ID: e.URL, Opened: e.Opening || e.Stranger != "", Body: sharedEvent{Authorize: &shared, Until: since.Add(e.ExpiresIn)}.encode()}, true
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
func (t *sharedLogin) notify(e signin.Event) {
	t.talk.Notify(e)
	if end, ok := e.(signin.SignedIn); ok {
		t.end = &end
	}
	if t.leader == nil {
		return
	}
	if hint, ok := e.(signin.Hint); ok {
		t.leader.Tell(sharedEvent{Hint: hint.Text}.encode())
		return
	}
	o, ok := offer(e, t.App.Env.Time())
	if !ok {
		return
	}
	for _, old := range t.offered {
		if old.ID == o.ID { // a key asked for it
			t.leader.Tell(o.Body)
			return
		}
	}
	t.offer(append(t.offered, o)) // before the hints that go with it
}

// standing withdraws what is over.
func (t *sharedLogin) standing(now []signin.Standing) {
	if t.leader == nil {
		return
	}
	var offers []joint.Offer
	for _, s := range now {
		if o, ok := offer(s.Event, s.Since); ok {
			if s.Way != "" {
				o.Note = sharedEvent{Hint: s.Way}.encode()
			}
			offers = append(offers, o)
		}
	}
	t.offer(offers)
}

func (t *sharedLogin) offer(offers []joint.Offer) {
	t.offered = offers
	t.asked = t.asked || len(offers) > 0
	t.leader.Offer(offers)
}

// others brings what people do where they joined.
func (t *sharedLogin) others() <-chan signin.Input {
	if t.leader == nil {
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
	}(t.leader)
	return to
}

// run signs in by alone, leading, or joins who leads. Who does not answer, and a folder that cannot be used, keep
// nobody from signing in.
func (t *sharedLogin) run(ctx context.Context, alone func(context.Context, bool) (signin.Result, error)) (signin.Result, error) {
	s := t.req.Session
	place := joint.Place{Dir: t.req.RendezvousDir, Name: s.CacheKey()}
	if st, err := t.App.Store(); err == nil {
		place.Name = filepath.Clean(st.AWSDir) + "\n" + s.CacheKey() // the token file
	}
	hello := joint.Hello{
		// A sign-in of before the session was configured anew is of no use.
		About: about(s), Opens: t.login.OpenBrowser != nil && !t.req.NoBrowser, TakeOver: t.force,
		// Whether a legacy token is to be renewable is no reason to push out somebody whose page a person has open.
		Fits: func(leaders string) bool { return s.Legacy() && leaders == about(otherwiseFresh(s)) },
	}
	for {
		leader, joined, err := place.Meet(ctx, hello)
		switch {
		case ctx.Err() != nil:
			return signin.Result{}, stopped(ctx)
		case errors.Is(err, joint.ErrSilent):
			t.talk.Notify(signin.Hint{Text: "Another homing login of " + s.InWords() + " waits but does not answer: it may be stopped, or on another machine. Going on without it."})
			return alone(ctx, t.renewed())
		case err != nil:
			t.App.UI.Debug("no other login can join: %v", err)
			return alone(ctx, false)
		case leader != nil:
			return t.lead(ctx, leader, alone)
		}
		result, how, err := t.follow(ctx, joined)
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

// otherwiseFresh is s with the other choice of --keep-fresh.
func otherwiseFresh(s session.Session) session.Session {
	s.KeepFresh = !s.KeepFresh
	return s
}

func stopped(ctx context.Context) error {
	return &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: context.Cause(ctx)}
}

// lead signs in by alone, and tells who joined.
func (t *sharedLogin) lead(ctx context.Context, leader *joint.Leader, alone func(context.Context, bool) (signin.Result, error)) (signin.Result, error) {
	pushed := &fault.Error{Kind: fault.Interrupted, Msg: "another homing login of " + t.req.Session.InWords() + " has taken over"}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-leader.Pushed():
			cancel(pushed)
		case <-leader.Done():
		}
	}()
	t.leader = leader
	result, err := alone(ctx, t.renewed())
	leader.Close(t.outcome(err))
	t.leader, t.offered = nil, nil
	if errors.Is(err, pushed) && !t.App.UI.JSON { // under --json the error event says it; the exit code is Ctrl-C's, which says nothing
		t.App.UI.Say("%s: this one ends.\n", ui.UpperFirst(pushed.Msg))
	}
	return result, err
}

// renewed reports whether there is a token by now that makes a sign-in needless: another may have ended between our
// looking for a token and our leading.
func (t *sharedLogin) renewed() bool {
	st, err := t.App.Store()
	if err != nil || t.force {
		return false
	}
	tok, err := st.Token(t.req.Session.CacheKey())
	now := t.App.Env.Time()
	if err != nil || t.req.Force && !tok.Renewable(now) { // one that can be renewed was asked for
		return false
	}
	return tok.StartURL == t.req.Session.StartURL && !tok.Expired(now.Add(10*time.Minute))
}

// outcome is how a sign-in ended, for all who joined it; nil is that they go on by themselves. What comes of this
// command line or of this terminal says nothing to others.
func (t *sharedLogin) outcome(err error) json.RawMessage {
	if err == nil {
		if t.end == nil {
			return nil
		}
		shared := sharedSignedIn(*t.end)
		return sharedEvent{SignedIn: &shared}.encode()
	}
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Denied, fault.TimedOut:
	case fault.SignInNeeded, fault.Config:
		if !t.asked {
			return nil
		}
	default:
		return nil
	}
	f := t.App.UI.Describe(withCommand(t.App, t.choice.aboutPort(err), t.req.Session, session.Flow(t.choice.Answer.Flow)))
	failed := signinFailure(signin.Failed{Kind: f.Kind, Message: f.Msg, Hint: f.Hint})
	return sharedEvent{Failed: &failed}.encode()
}

// parting is how following a leader ended.
type parting int

const (
	ended   parting = iota // with a result
	left                   // the leader is gone
	yielded                // another login made the leader leave
)

// follow shows what the leader shows and hands it what the person does, until there is an outcome.
func (t *sharedLogin) follow(ctx context.Context, joined *joint.Joined) (signin.Result, parting, error) {
	defer joined.Close()
	var typed <-chan signin.Input
	if t.req.Inputs != nil {
		var stop func()
		if typed, stop = t.req.Inputs(); stop != nil {
			defer stop()
		}
	}
	t.talk.Said = true // why it is done so is the other's to know
	t.talk.Notify(signin.Hint{Text: "Another homing login of " + t.req.Session.InWords() + " is waiting: joining it. To begin anew instead, add --force."})
	if joined.About() != about(t.req.Session) {
		t.explainKeepFresh()
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
				return t.result(m.Body)
			case open && m.Left:
				t.talk.Notify(signin.Hint{Text: "The login that was joined has been replaced by another one."})
				return signin.Result{}, yielded, nil
			case !open:
				if ctx.Err() != nil {
					return signin.Result{}, ended, stopped(ctx)
				}
				t.talk.Notify(signin.Hint{Text: "The login that was joined is gone. Going on without it."})
				return signin.Result{}, left, nil
			}
			t.show(ctx, joined, m)
		}
	}
}

// explainKeepFresh says that the login that was joined is to get another kind of legacy token than was asked for
// here.
func (t *sharedLogin) explainKeepFresh() {
	text := "It was begun without --keep-fresh, so its token cannot be renewed. To have one that can, run: "
	if !t.req.Session.KeepFresh {
		text = "It was begun with --keep-fresh, so its token lives for 1 h at a time and can be renewed. To have one of 8 h, run: "
	}
	t.talk.Notify(signin.Hint{Text: text + t.talk.Again + " --force"})
	t.talk.Session = otherwiseFresh(t.req.Session) // what is said of the token at the end is true of the one there is
}

// show tells the person here what the leader told.
func (t *sharedLogin) show(ctx context.Context, joined *joint.Joined, m joint.Message) {
	var e sharedEvent
	if err := json.Unmarshal(m.Body, &e); err != nil {
		t.App.UI.Debug("the login that was joined says something unknown: %v", err)
		return
	}
	valid := max(0, e.Until.Sub(t.App.Env.Time())).Round(time.Second)
	switch {
	case e.Authorize != nil:
		shown := signin.Authorize(*e.Authorize)
		shown.Opening, shown.ExpiresIn = m.Opens, valid
		t.talk.Notify(shown)
		t.open(ctx, m, shown.URL)
		t.prefer(joined, session.PKCE)
	case e.DeviceCode != nil:
		shown := signin.DeviceCode(*e.DeviceCode)
		shown.Opening, shown.ExpiresIn = m.Opens, valid
		t.talk.Notify(shown)
		t.open(ctx, m, shown.VerificationURIComplete)
		t.prefer(joined, session.Device)
	case e.Hint != "":
		t.talk.Notify(signin.Hint{Text: e.Hint})
	}
}

// open opens what nobody else opens. It is waited for by nobody: an opener may be the browser itself.
func (t *sharedLogin) open(ctx context.Context, m joint.Message, url string) {
	if !m.Opens {
		return
	}
	go func() {
		if err := t.login.OpenBrowser(ctx, url); err != nil {
			t.App.UI.Debug("no browser: %v", err)
		}
	}()
}

// prefer presses the key for the flow that was asked for here, when the other is what is shown first.
func (t *sharedLogin) prefer(joined *joint.Joined, shown session.Flow) {
	wanted := t.req.Environment.Flow
	if t.choice.Answer.Asked == "" || t.preferred {
		return
	}
	t.preferred = true
	if wanted != shown {
		key := 'd'
		if wanted == session.PKCE {
			key = 'p'
		}
		joined.Send(joint.Input{Key: key})
	}
}

// result is the leader's, and its token that of the file: tokens do not go over the socket.
func (t *sharedLogin) result(body json.RawMessage) (signin.Result, parting, error) {
	var e sharedEvent
	if err := json.Unmarshal(body, &e); err != nil {
		t.App.UI.Debug("the login that was joined ended with something unknown: %v", err)
		return signin.Result{}, left, nil
	}
	t.joined = true
	switch {
	case e.Failed != nil:
		return signin.Result{}, ended, &fault.Error{Kind: e.Failed.Kind, Msg: e.Failed.Message, Hint: e.Failed.Hint}
	case e.SignedIn == nil:
		return signin.Result{}, left, nil
	}
	st, err := t.App.Store()
	if err != nil {
		return signin.Result{}, ended, err
	}
	tok, err := st.Token(t.req.Session.CacheKey())
	if err != nil {
		return signin.Result{}, ended, err
	}
	t.talk.Notify(signin.SignedIn(*e.SignedIn))
	return signin.Result{Token: tok, Channel: e.SignedIn.Channel}, ended, nil
}
