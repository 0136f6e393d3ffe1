// Package keep implements the command keep: flags, words and the background process. internal/keep decides when to
// renew.
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
	app    *app.App
	names  []string // sessions, or start URLs of legacy profiles; none means all
	detach bool
	stop   bool
	onEnd  string

	store    *store.Store
	kept     []session.Session // from the last config that could be read
	modified []time.Time       // of the config files that kept comes from
}

// New returns the command keep.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:     "keep [SESSION…]",
		GroupID: app.GroupSignIn,
		Short:   "Renew sessions until their portal session ends",
		Long: app.Lines(
			"Renews the access token of every session of the AWS config file, or of the named ones, 16 to 20",
			"minutes before it expires, which is earlier than any SDK. It prints one line for each event. When a",
			"portal session ends it prints the command to type, and continues once you have signed in again, with",
			"any program.",
			"",
			"It runs until Ctrl-C, SIGTERM or keep --stop, and then exits with 0. Each user can run one. --detach",
			"runs it in the background, with its output in keep.log in the state folder (~/.local/state/homing); if",
			"keep is running already, that is fine. For a systemd unit and a dev container setting see",
			"docs/keep.md.",
			"",
			"The shell runs the command of --on-end each time a session ends, with HOMING_SESSION, HOMING_MESSAGE",
			"and HOMING_HINT in its environment. --json prints one event a line: keeping, renewed, replaced,",
			"failing, last, ended, absent, signed_out.",
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
				return fault.Suggest(fault.Usage, stopKeep, "--stop takes no other flag or argument")
			case o.stop:
				return o.runStop(cmd.Context())
			case o.detach:
				return o.runDetach(cmd.Context())
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().BoolVar(&o.detach, "detach", false, "run in the background")
	cmd.Flags().BoolVar(&o.stop, "stop", false, "stop the running keep, and wait until it has ended")
	cmd.Flags().StringVar(&o.onEnd, "on-end", "", "`command` to run each time a session ends")
	return cmd
}

// run keeps the sessions in the foreground. It returns nil if it is stopped.
func (o *options) run(ctx context.Context) error {
	a := o.app
	dir, err := o.prepare()
	if err != nil {
		return err
	}
	hold, err := keep.Take(ctx, dir, a.Env.HostName, a.Env.Time())
	if err != nil {
		return explainBusy(err)
	}
	defer hold.Release()
	if len(o.kept) == 0 {
		a.UI.Say("No session is configured in %q yet. Start with: homing configure sso\n", a.ConfigFile())
	}
	keeper := keep.Keeper{
		Tokens: o.renewer(), Files: o.store, Sessions: o.sessions, Tell: o.tell, Check: hold.Check,
		Now: a.Env.Time, Debug: a.UI.Debug,
		Paths: func() []string { return append(hold.Paths(), o.configFiles()...) },
	}
	if a.Env.KeepLook > 0 {
		keeper.Alarm = keep.Comparing{Now: a.Env.Time, Every: a.Env.KeepLook}
	}
	if err := keeper.Run(ctx); !errors.Is(err, keep.ErrStopped) {
		return explainBusy(err)
	}
	return nil
}

// prepare reads the config and finds the sessions to keep. It returns the state folder.
func (o *options) prepare() (dir string, err error) {
	a := o.app
	if dir, err = a.StateDir(); err != nil {
		return "", err
	}
	if o.store, err = a.Store(); err != nil {
		return "", err
	}
	o.modified = o.modifiedTimes()
	if _, err := a.Config(); err != nil {
		return "", err
	}
	o.kept, err = o.chosenSessions()
	return dir, err
}

// chosenSessions returns the sessions to keep, from the loaded config.
func (o *options) chosenSessions() ([]session.Session, error) {
	a := o.app
	all := a.Loaded.Sessions()
	if len(o.names) == 0 && a.Flags.Profile == "" { // AWS_PROFILE does not limit what to keep
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

// distinct returns list with one session for each cache file.
func distinct(list []session.Session) (out []session.Session) {
	for _, s := range list {
		if !slices.ContainsFunc(out, func(o session.Session) bool { return o.CacheKey() == s.CacheKey() }) {
			out = append(out, s)
		}
	}
	return out
}

// sessions returns the sessions to keep. It reads the config again if its files have changed; a config that cannot be
// read changes nothing.
func (o *options) sessions() []session.Session {
	a := o.app
	a.Resolved = nil // resolve start URLs again: they may redirect elsewhere, or the network was down
	modified := o.modifiedTimes()
	if slices.EqualFunc(modified, o.modified, time.Time.Equal) {
		return o.kept
	}
	o.modified = modified
	before := a.Loaded
	a.Loaded = nil
	_, err := a.Config()
	var list []session.Session
	if err == nil {
		list, err = o.chosenSessions()
	}
	if err != nil {
		a.UI.Debug("the config cannot be read, so the last one stays in use: %v", err)
		a.Loaded = before
		return o.kept
	}
	o.kept = list
	return list
}

// configFiles returns the files that configure the sessions.
func (o *options) configFiles() []string {
	paths, err := o.app.Paths()
	if err != nil {
		return nil
	}
	return []string{paths.Config, paths.Credentials}
}

// modifiedTimes returns when the config files were last modified.
func (o *options) modifiedTimes() []time.Time {
	files := o.configFiles()
	times := make([]time.Time, len(files))
	for i, path := range files {
		if info, err := os.Stat(path); err == nil {
			times[i] = info.ModTime()
		}
	}
	return times
}

// renewer returns a renewer whose hints name a profile of the session instead of the active one.
func (o *options) renewer() *refresh.Renewer {
	r := connect.Renewer(o.app, o.store)
	r.Profile = o.profile
	return r
}

// profile returns a profile of s, "" if there is none.
func (o *options) profile(s session.Session) string {
	for _, p := range o.app.Loaded.ProfilesOf(s) {
		return p.Profile
	}
	return ""
}

// event is a line of keep --json. Its names are stable.
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

// tell prints an event as one line, and runs the command of --on-end when a session ends.
func (o *options) tell(e keep.Event) {
	a := o.app
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
		return &fault.Error{
			Kind:   fault.SignInNeeded,
			Msg:    "not signed in to " + e.Session.InWords(),
			Remedy: login,
			Err:    e.Err,
		}
	case e.What == keep.SignedOut:
		return &fault.Error{
			Kind:   fault.SignInNeeded,
			Msg:    "signed out of " + e.Session.InWords(),
			Remedy: login,
			Err:    e.Err,
		}
	}
	return e.Err
}

// sentence returns the line about e for people.
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
		return who + " lasts until " + until + ", and is about to end: to sign in before that, run: " +
			o.app.UI.Command(login)
	case keep.Failing:
		failing := cause.Msg + "; retrying"
		if !strings.Contains(cause.Msg, e.Session.Label()) { // an error about a file names only the path
			failing = who + ": " + failing
		}
		if e.Until.After(now) {
			failing += "; the token is valid until " + until
		}
		return failing
	}
	if cause.Hint == "" {
		return cause.Msg
	}
	return cause.Msg + "; " + cause.Hint
}

var stopKeep = fault.Run{"homing", "keep", "--stop"}

// explainBusy returns err, or the error to show if another keep is running.
func explainBusy(err error) error {
	var b *keep.Busy
	if !errors.As(err, &b) {
		return err
	}
	return &fault.Error{
		Kind:   fault.Config,
		Msg:    "keep is running already: " + b.Holder.String(),
		Remedy: fault.Preface{Words: "to stop it,", Then: stopKeep},
		Err:    err,
	}
}

// runStop stops the running keep.
func (o *options) runStop(ctx context.Context) error {
	dir, err := o.app.StateDir()
	if err != nil {
		return err
	}
	h, running, err := keep.Stop(ctx, dir)
	switch {
	case err != nil:
		return err
	case !running:
		o.app.UI.Say("Keep is not running.\n")
	default:
		o.app.UI.Answer("Stopped keep: %s.\n", h.String())
	}
	return nil
}

// unwatched returns the sessions that h does not watch.
func (o *options) unwatched(h keep.Holder) (names []string) {
	for _, s := range o.kept {
		if !h.Watches(s) {
			names = append(names, s.Label())
		}
	}
	return names
}

// reportRunning ends a --detach that finds a running keep. If that does not watch every session asked for, it returns
// an error.
func (o *options) reportRunning(h keep.Holder) error {
	if names := o.unwatched(h); len(names) > 0 {
		return &fault.Error{
			Kind: fault.Config, Msg: "keep is running already, without " + strings.Join(names,
				", ") + ": " + h.String(),
			Remedy: fault.Preface{Words: "to stop it,", Then: stopKeep},
		}
	}
	if o.app.UI.JSON {
		return o.app.UI.Document(o.detachedJSON(h, true))
	}
	o.app.UI.Answer("Keep is running already: %s.\n", h.String())
	return nil
}
