// Package keep is the command keep.
package keep

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/keep"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/ui"
	"github.com/spf13/cobra"
)

type options struct {
	App    *app.App
	names  []string // sessions, or start URLs of legacy profiles; none = all
	detach bool
	stop   bool
	onEnd  string

	store *store.Store
	last  []session.Session // as the config file had them when it could be read
	files []time.Time       // when the config files were written that last is from
}

func New(a *app.App) *cobra.Command {
	o := &options{App: a}
	cmd := &cobra.Command{
		Use:     "keep [SESSION…]",
		GroupID: app.GroupSignIn,
		Short:   "Renew sessions before they lapse, until the portal session ends",
		Long: app.Lines(
			"Renews the access token of every session of the AWS config file, or of those named, 16 to 20 minutes before it",
			"lapses: before any SDK would do so. It says one line for each event, and sleeps in between. When a portal session",
			"has ended it says what to type, and goes on as soon as you have signed in again, with whatever program.",
			"",
			"It runs until Ctrl-C, SIGTERM or keep --stop, and then ends with 0. One per user can run. --detach leaves it in the",
			"background, writing to keep.log in the state folder (~/.local/state/homing); if one runs already that is fine.",
			"The command of --on-end is run by the shell each time a session ends, with HOMING_SESSION, HOMING_MESSAGE and",
			"HOMING_HINT in its environment. --json prints one event a line: keeping, renewed, replaced, failing, last, ended,",
			"absent, signed_out. A systemd unit and a dev container setting: docs/keep.md.",
		),
		Example: app.Lines(
			"  homing keep --detach",
			"  homing keep dev --on-end 'notify-send \"$HOMING_MESSAGE\" \"$HOMING_HINT\"'",
			"  homing keep --stop",
		),
		Args: func(_ *cobra.Command, args []string) error {
			if i := slices.Index(args, ""); i >= 0 {
				return fault.Suggest(fault.Usage, fault.Run{"homing", "keep"}, "the name of a session is empty")
			}
			return nil
		},
		ValidArgsFunction: a.CompleteSessions,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.names = args
			switch {
			case o.stop && (o.detach || o.onEnd != "" || len(args) > 0):
				return fault.Suggest(fault.Usage, stopKeep, "--stop ends the keep that runs, and takes no other flag or argument")
			case o.stop:
				return o.runStop(cmd.Context())
			case o.detach:
				return o.runDetach(cmd.Context())
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&o.detach, "detach", false, "go on in the background")
	cmd.Flags().BoolVar(&o.stop, "stop", false, "end the keep that runs, and wait until it has")
	cmd.Flags().StringVar(&o.onEnd, "on-end", "", "`command` to run when a session ends, once each time")
	return cmd
}

// run keeps the sessions in the foreground. To be ended is how it ends: no error.
func (o *options) run(ctx context.Context) error {
	a := o.App
	dir, err := o.prepare()
	if err != nil {
		return err
	}
	hold, err := keep.Take(ctx, dir, a.Env.HostName, a.Env.Time())
	if err != nil {
		return busy(err)
	}
	defer hold.Release()
	if len(o.last) == 0 {
		a.UI.Say("No session is configured in %q yet. Start with: homing configure sso\n", a.ConfigFile())
	}
	keeper := keep.Keeper{
		Tokens: o.renewer(), Files: o.store, Sessions: o.sessions, Tell: o.tell, Check: hold.Check, Now: a.Env.Time, Debug: a.UI.Debug,
		Paths: func() []string { return append(hold.Paths(), o.configFiles()...) },
	}
	if a.Env.KeepLook > 0 {
		keeper.Alarm = keep.Comparing{Now: a.Env.Time, Every: a.Env.KeepLook}
	}
	if err := keeper.Run(ctx); !errors.Is(err, keep.ErrStopped) {
		return busy(err)
	}
	return nil
}

// prepare reads the config and finds what is to be kept. It returns the state folder.
func (o *options) prepare() (dir string, err error) {
	a := o.App
	if dir, err = a.StateDir(); err != nil {
		return "", err
	}
	if o.store, err = a.Store(); err != nil {
		return "", err
	}
	o.files = o.written()
	if _, err := a.Config(); err != nil {
		return "", err
	}
	o.last, err = o.find()
	return dir, err
}

// find returns the sessions that are to be kept, as the config has them.
func (o *options) find() ([]session.Session, error) {
	a := o.App
	all := a.Loaded.Sessions()
	if len(o.names) == 0 && a.Flags.Profile == "" { // AWS_PROFILE says what to use, not what to keep
		return all, nil
	}
	var list []session.Session
	if a.Flags.Profile != "" {
		p, err := a.Loaded.SSO(a.Flags.Profile)
		if err != nil {
			return nil, err
		}
		list = append(list, p.Session)
	}
	for _, name := range o.names {
		i := slices.IndexFunc(all, func(s session.Session) bool { return s.Label() == name })
		if i >= 0 {
			list = append(list, all[i])
			continue
		}
		s, err := a.Loaded.Session(name)
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return distinct(list), nil
}

func distinct(list []session.Session) (out []session.Session) {
	for _, s := range list {
		if !slices.ContainsFunc(out, func(o session.Session) bool { return o.CacheKey() == s.CacheKey() }) {
			out = append(out, s)
		}
	}
	return out
}

// sessions is find for a keep that runs: the config is read again when its files were written. What cannot be read
// leaves things as they were.
func (o *options) sessions() []session.Session {
	a := o.App
	a.Resolved = nil // a start URL may lead elsewhere by now, or did not because there was no network
	written := o.written()
	if slices.EqualFunc(written, o.files, time.Time.Equal) {
		return o.last
	}
	o.files = written
	before := a.Loaded
	a.Loaded = nil
	_, err := a.Config()
	var list []session.Session
	if err == nil {
		list, err = o.find()
	}
	if err != nil {
		a.UI.Debug("the config stays as it was: %v", err)
		a.Loaded = before
		return o.last
	}
	o.last = list
	return list
}

// configFiles are the files that the sessions are from.
func (o *options) configFiles() []string {
	paths, err := o.App.Paths()
	if err != nil {
		return nil
	}
	return []string{paths.Config, paths.Credentials}
}

// written returns when the config files were written last.
func (o *options) written() []time.Time {
	files := o.configFiles()
	times := make([]time.Time, len(files))
	for i, path := range files {
		if info, err := os.Stat(path); err == nil {
			times[i] = info.ModTime()
		}
	}
	return times
}

// renewer is that of the app, with hints that name a profile of the session rather than the active one.
func (o *options) renewer() *refresh.Renewer {
	r := connect.Renewer(o.App, o.store)
	r.Profile = o.profile
	return r
}

func (o *options) profile(s session.Session) string {
	for _, p := range o.App.Loaded.ProfilesOf(s) {
		return p.Profile
	}
	return ""
}

// event is a line of keep --json. The names stay as they are.
type event struct {
	Event       keep.What `json:"event"`
	Time        string    `json:"time"`
	Session     string    `json:"session"`
	ExpiresAt   string    `json:"expires_at,omitempty"`
	Refreshable *bool     `json:"refreshable,omitempty"`
	Kind        string    `json:"kind,omitempty"`
	Message     string    `json:"message,omitempty"`
	Hint        string    `json:"hint,omitempty"`
}

// tell says an event in one line, and runs what is to be run at the end of a session.
func (o *options) tell(e keep.Event) {
	a := o.App
	now := a.Env.Time()
	err := o.word(e)
	var cause ui.Failure
	if err != nil {
		cause = a.UI.Describe(err)
	}
	if a.UI.JSON {
		line := event{Event: e.What, Time: now.UTC().Format(time.RFC3339), Session: e.Session.Label()}
		if !e.Until.IsZero() {
			line.ExpiresAt = e.Until.UTC().Format(time.RFC3339)
		}
		if e.What == keep.Keeping || e.What == keep.Renewed || e.What == keep.Replaced {
			line.Refreshable = &e.Renewable
		}
		if err != nil {
			line.Kind, line.Message, line.Hint = cause.Kind.String(), ui.Clean(cause.Msg), ui.Clean(cause.Hint)
		}
		if err := a.UI.Event(line); err != nil {
			a.UI.Debug("event: %v", err)
		}
	} else {
		a.UI.Say("%s %s\n", now.UTC().Format("2006-01-02 15:04 UTC"), o.sentence(e, cause, now))
	}
	if e.What == keep.Ended && e.Alive && o.onEnd != "" {
		o.runOnEnd(e.Session, cause)
	}
}

// word returns the error that e is about, with the hint that fits a keep.
func (o *options) word(e keep.Event) error {
	login := app.Target{Session: e.Session, Profile: o.profile(e.Session)}.Login()
	switch {
	case e.What == keep.Absent && errors.Is(e.Err, fs.ErrNotExist):
		return &fault.Error{Kind: fault.SignInNeeded, Msg: "not signed in to " + e.Session.InWords(), Remedy: login, Err: e.Err}
	case e.What == keep.SignedOut:
		return &fault.Error{Kind: fault.SignInNeeded, Msg: "signed out of " + e.Session.InWords(), Remedy: login, Err: e.Err}
	}
	return e.Err
}

// sentence words e for people.
func (o *options) sentence(e keep.Event, cause ui.Failure, now time.Time) string {
	who, until := e.Session.InWords(), ui.Moment(e.Until, now)
	switch e.What {
	case keep.Keeping:
		if !e.Renewable {
			return who + " cannot be renewed; it lasts until " + until
		}
		return "keeping " + who + ": access token until " + until
	case keep.Renewed:
		return "renewed " + who + " until " + until
	case keep.Replaced:
		return "another program renewed " + who + " until " + until
	case keep.Last:
		login := app.Target{Session: e.Session, Profile: o.profile(e.Session)}.Login()
		login.Force = true
		return who + " lasts until " + until + ", and is about to end: to sign in before that, run: " + o.App.UI.Command(login)
	case keep.Failing:
		failing := cause.Msg + "; trying again"
		if !strings.Contains(cause.Msg, e.Session.Label()) { // a matter of files tells the path alone
			failing = who + ": " + failing
		}
		if e.Until.After(now) {
			failing += ", the token lasts until " + until
		}
		return failing
	}
	if cause.Hint == "" {
		return cause.Msg
	}
	return cause.Msg + "; " + cause.Hint
}

var stopKeep = fault.Run{"homing", "keep", "--stop"}

// busy words that another keep runs.
func busy(err error) error {
	var b *keep.Busy
	if !errors.As(err, &b) {
		return err
	}
	return &fault.Error{Kind: fault.Config, Msg: "keep is running already: " + b.Holder.String(), Remedy: fault.Preface{Words: "to end it,", Then: stopKeep}, Err: err}
}

// runStop ends the keep that runs.
func (o *options) runStop(ctx context.Context) error {
	dir, err := o.App.StateDir()
	if err != nil {
		return err
	}
	h, running, err := keep.Stop(ctx, dir)
	switch {
	case err != nil:
		return err
	case !running:
		o.App.UI.Say("No keep is running; nothing to end.\n")
	default:
		o.App.UI.Answer("Ended the keep that ran: %s.\n", h.String())
	}
	return nil
}

// unwatched returns the sessions that h does not watch.
func (o *options) unwatched(h keep.Holder) (names []string) {
	for _, s := range o.last {
		if !h.Watches(s) {
			names = append(names, s.Label())
		}
	}
	return names
}

// covered is the outcome of --detach where a keep runs: an error if it does not watch all that is asked for.
func (o *options) covered(h keep.Holder) error {
	if names := o.unwatched(h); len(names) > 0 {
		return &fault.Error{
			Kind: fault.Config, Msg: "keep is running already, without " + strings.Join(names, ", ") + ": " + h.String(),
			Remedy: fault.Preface{Words: "to begin anew,", Then: stopKeep},
		}
	}
	if o.App.UI.JSON {
		return o.App.UI.Document(o.detached(h, true))
	}
	o.App.UI.Answer("Keep is running already: %s.\n", h.String())
	return nil
}
