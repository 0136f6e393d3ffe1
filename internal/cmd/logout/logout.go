// Package logout holds the command logout. It removes a session's token here first, then ends the session at the
// service.
package logout

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/spf13/cobra"
)

type options struct {
	app         *app.App
	ssoSessions []string
	all         bool
}

// New returns the command logout.
func New(a *app.App) *cobra.Command {
	o := &options{app: a}
	cmd := &cobra.Command{
		Use:     "logout",
		GroupID: app.GroupSignIn,
		Short:   "End a session at the service and on this machine",
		Long: app.Lines(
			"Removes the token of a session and the role credentials that came from it, including those that the AWS",
			"CLI fetched, then ends the session at the service. Credentials that a program already holds stay valid",
			"until they expire. If the service cannot be reached, logout still removes everything here, and exits",
			"with code 6.",
			"",
			"Without a flag, logout ends the session that login would use. --all ends every session that has a token",
			"here, whichever program signed in, and removes the role credentials of every session. Files that logout",
			"does not understand stay.",
		),
		Example: app.Lines(
			"  homing logout --sso-session dev --sso-session prod",
			"  homing logout --all",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.all && len(o.ssoSessions) > 0 {
				return fault.New(fault.Usage, app.HelpHint(cmd), "--all and --sso-session contradict each other")
			}
			return o.run(cmd.Context())
		},
	}
	cmd.Flags().StringArrayVar(&o.ssoSessions, "sso-session", nil,
		"`name` of the [sso-session] to end; may be repeated")
	cmd.Flags().BoolVar(&o.all, "all", false, "end every session")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.CompleteSessions)
	return cmd
}

func (o *options) run(ctx context.Context) error {
	a := o.app
	st, err := a.Store()
	if err != nil {
		return err
	}
	cfg, err := a.Config()
	if err != nil {
		return err
	}
	l := &logout{app: a, store: st, doc: document{Sessions: []endedSession{}, Left: []leftFile{}}}
	if o.all {
		err = l.endAll(ctx, cfg.Sessions())
	} else {
		err = l.endNamed(ctx, o.ssoSessions)
	}
	if err == nil && a.UI.JSON {
		err = a.UI.Document(l.doc)
	}
	if ctx.Err() != nil && l.failed != nil {
		a.UI.Fail(l.failed) // the exit of an interrupted command is silent, and something is left to do
	}
	return cmp.Or(err, ctx.Err(), l.failed)
}

// document is what logout --json prints. Other programs read the JSON names, so they never change.
type document struct {
	Sessions []endedSession `json:"sessions"`
	Left     []leftFile     `json:"left"` // by --all
}

// endedSession is what became of one session.
type endedSession struct {
	Session        string `json:"session"` // name, or the start URL
	Legacy         bool   `json:"legacy"`  // a legacy profile's, or no profile's
	StartURL       string `json:"start_url"`
	File           string `json:"file"`
	SignedIn       bool   `json:"signed_in"`        // it had a token file
	EndedAtService bool   `json:"ended_at_service"` // now or before
	Removed        bool   `json:"removed"`          // nothing of it is left here
	Lock           string `json:"lock,omitempty"`   // held by another process, which may store a token again
	Error          string `json:"error,omitempty"`
	Kind           string `json:"kind,omitempty"` // of the error, as in docs/errors.md
}

// leftFile is a file beside the tokens that logout --all does not understand.
type leftFile struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// logout ends sessions one after the other.
type logout struct {
	app    *app.App
	store  *store.Store
	doc    document
	failed error // the last failure; those before it have been printed
}

// endNamed ends the sessions with the given names, or the session that login would use if there are none. If one name
// is unknown, it ends nothing.
func (l *logout) endNamed(ctx context.Context, names []string) error {
	if len(names) == 0 {
		names = []string{""}
	}
	var sessions []session.Session
	for _, name := range names {
		t, err := l.app.Target(ctx, name)
		if err != nil {
			return err
		}
		key := t.Session.CacheKey()
		if !slices.ContainsFunc(sessions, func(s session.Session) bool { return s.CacheKey() == key }) {
			sessions = append(sessions, t.Session)
		}
	}
	for _, s := range sessions {
		l.end(ctx, s)
	}
	return nil
}

// endAll ends every session that has a token here, whichever program signed in. It continues after a failure.
func (l *logout) endAll(ctx context.Context, sessions []session.Session) error {
	for _, s := range sessions {
		if _, err := l.store.Token(s.CacheKey()); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		l.end(ctx, s)
	}
	// The tokens that remain belong to sessions that are no longer in the config file, or to other programs.
	entries, err := l.store.Tokens()
	if err != nil {
		return err
	}
	for _, entry := range entries {
		switch {
		case entry.Err != nil:
			l.skip(entry, "it cannot be read as a token")
		case entry.Token.Region == "" || entry.Token.StartURL == "":
			l.skip(entry, "it lacks a start URL or a region")
		default:
			l.endUnknown(ctx, entry)
		}
	}
	if err := l.store.RemoveAllSSORoleCredentials(); err != nil {
		if err = firstOf(err); l.failed == nil || !strings.Contains(l.failed.Error(), err.Error()) {
			l.fail(err)
		}
	}
	if len(l.doc.Sessions) == 0 && !l.app.UI.JSON {
		l.app.UI.Say("No session has a token here; nothing to end.\n")
	}
	return nil
}

// skip records and prints that the file of entry stays, unless the failure to remove it was reported before.
func (l *logout) skip(entry store.TokenEntry, why string) {
	if l.reported(entry) {
		return
	}
	l.doc.Left = append(l.doc.Left, leftFile{File: entry.Path, Reason: why})
	if !l.app.UI.JSON {
		l.app.UI.Say("%s stays: %s.\n", filepath.Base(entry.Path), why)
	}
}

// reported reports whether doc has the session of entry: its file could not be removed.
func (l *logout) reported(entry store.TokenEntry) bool {
	return slices.ContainsFunc(l.doc.Sessions, func(s endedSession) bool { return s.File == entry.Path })
}

// end ends s, a session of the config file, and reports the result. It removes the token even if the service cannot be
// reached.
func (l *logout) end(ctx context.Context, s session.Session) {
	done := endedSession{
		Session: s.Label(), Legacy: s.Legacy(), StartURL: s.StartURL,
		File: l.store.TokenPath(s.CacheKey()), SignedIn: true,
	}
	start := time.Now()
	// Remove the token first, then end its session at the service. In the other order, a logout that is killed halfway
	// leaves a token that looks valid to status and to every SDK, and one that is not killed removes what others
	// stored meanwhile, even the token of a new sign-in. In this order, a killed logout leaves a session at the service
	// whose token nobody here holds, so "not signed in" is true. A network failure or Ctrl-C never keeps the token.
	tok, err := l.takeToken(ctx, &done)
	if errors.Is(err, fs.ErrNotExist) {
		done.SignedIn, err = false, nil
	}
	f := failures{token: err}
	// The token goes before the role credentials, so that a fetch in progress stores none.
	f.roles = l.store.DropRoleCredentials(append(l.store.RoleKeys(s), l.app.RolesOf(s)...))
	if tok != (session.Token{}) {
		f.service = l.endAtService(ctx, s, tok, start)
		done.EndedAtService = f.service == nil
	}
	l.report(done, s, s.InWords(), f)
}

// takeToken removes the token file of done and returns its token. It returns the token even if it cannot remove the
// file, because the session must still end at the service.
//
// A process that holds the token's lock, say on a mute network or in a debugger, gets half of the app's patience; then
// takeToken removes the file without the lock and names the lock in done. An interrupt only shortens that wait.
func (l *logout) takeToken(ctx context.Context, done *endedSession) (session.Token, error) {
	waiting, cancel := context.WithTimeout(ctx, l.app.Patience/2)
	defer cancel()
	tok, err := l.store.Take(waiting, done.File)
	if err != nil && ctx.Err() != nil {
		local, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.app.Patience/20)
		defer cancel()
		tok, err = l.store.Take(local, done.File)
	}
	if held, ok := errors.AsType[*store.Locked](err); ok {
		done.Lock = held.Path
		tok, err = l.store.Snatch(done.File)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		if entries, listErr := l.store.Tokens(); listErr == nil {
			for _, e := range entries {
				if e.Path == done.File {
					tok = e.Token
				}
			}
		}
	}
	return tok, err
}

// endUnknown ends the session of a token file that belongs to no session of the config file.
func (l *logout) endUnknown(ctx context.Context, entry store.TokenEntry) {
	if l.reported(entry) {
		return
	}
	s := session.Session{StartURL: entry.Token.StartURL, Region: entry.Token.Region}
	done := endedSession{Session: s.Label(), Legacy: true, StartURL: s.StartURL, File: entry.Path, SignedIn: true}
	start := time.Now()
	tok, err := l.takeToken(ctx, &done)
	if errors.Is(err, fs.ErrNotExist) {
		return // another process has just ended it
	}
	if tok == (session.Token{}) {
		tok = entry.Token // another process has overwritten it with something unreadable
	}
	f := failures{token: err, service: l.endAtService(ctx, s, tok, start)}
	done.EndedAtService = f.service == nil
	l.report(done, s, "a token that no profile uses (start URL "+s.StartURL+")", f)
}

// failures says why a session was not ended in full. A nil field is a success.
type failures struct {
	service error // the session may still be alive at the service
	token   error // the token is still here
	roles   error // role credentials are still here
}

// report prints and records what became of s, which is called what in words.
func (l *logout) report(done endedSession, s session.Session, what string, f failures) {
	done.Removed = f.token == nil && f.roles == nil
	if f.roles != nil && (f.token != nil || f.service != nil) {
		l.fail(firstOf(f.roles)) // the switch below reports only one failure
	}
	var err error
	switch {
	case f.token != nil && done.EndedAtService:
		err = &fault.Error{
			Kind: fault.KindOf(f.token), Err: f.token,
			Msg: "signed out of " + what + " at the service, but not here: " + f.token.Error(),
		}
	case f.token != nil:
		err = f.token
	case f.roles != nil && f.service == nil:
		err = firstOf(f.roles)
		err = &fault.Error{
			Kind: fault.KindOf(err), Remedy: fault.RemedyOf(err), Err: f.roles,
			Msg: "signed out of " + what + ", but its role credentials may still be here: " + err.Error(),
		}
	case f.service != nil:
		err = &fault.Error{
			Kind: fault.KindOf(f.service), Err: f.service,
			Msg:    "signed out of " + what + " here, but not at the service: " + f.service.Error(),
			Remedy: fault.Advice("the session ends there by itself; to end it now, sign out at " + s.StartURL),
		}
	}
	if err != nil {
		described := l.app.UI.Describe(err)
		done.Error, done.Kind = described.Msg, described.Kind.String()
		l.fail(err)
	}
	l.doc.Sessions = append(l.doc.Sessions, done)
	if l.app.UI.JSON {
		return
	}
	if done.Lock != "" {
		l.app.UI.Say("warning: another process holds %s. If it continues, it may store a token of %s again. "+
			"To find it: ps -ef | grep homing\n", done.Lock, what)
	}
	switch {
	case err != nil:
	case !done.SignedIn:
		l.app.UI.Answer("Not signed in to %s; nothing to end.\n", what)
	case !done.EndedAtService:
		l.app.UI.Answer("Removed the unreadable token file of %s; the service was not told.\n", what)
	default:
		l.app.UI.Answer("Signed out of %s.\n", what)
	}
}

// fail keeps err, which the command returns in the end, and prints the failure that it kept before.
func (l *logout) fail(err error) {
	if l.failed != nil {
		l.app.UI.Fail(l.failed)
	}
	l.failed = err
}

// firstOf returns the first of joined errors. Each of them says the same about another file.
func firstOf(err error) error {
	for {
		joined, ok := err.(interface{ Unwrap() []error }) // only what errors.Join itself returned, so no errors.As
		if !ok || len(joined.Unwrap()) == 0 {
			return err
		}
		err = joined.Unwrap()[0]
	}
}

// endAtService ends the session of tok at the service. It takes no longer than the app's patience, counted from start.
func (l *logout) endAtService(ctx context.Context, s session.Session, tok session.Token, start time.Time) error {
	left := max(l.app.Patience-time.Since(start), l.app.Patience/3)
	limited, cancel := connect.WithPatience(ctx, left)
	defer cancel()
	err := l.callLogout(limited, s, tok)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: err}
	}
	return connect.TooLong(limited, err)
}

// callLogout ends the session of tok in the region that issued it. It renews an expired access token first, since the
// portal session behind it may be alive.
func (l *logout) callLogout(ctx context.Context, s session.Session, tok session.Token) error {
	s.Region = cmp.Or(tok.Region, s.Region)
	if now := l.app.Env.Time(); tok.Expired(now) && tok.Renewable(now) {
		access, err := l.renew(ctx, s, tok)
		switch {
		case err == nil:
			tok.AccessToken = access
		case fault.KindOf(err) == fault.SignInNeeded:
			return nil // the session has ended already
		default:
			return err
		}
	}
	conn, err := connect.To(ctx, l.app, s)
	if err != nil {
		return err
	}
	return conn.Client.Logout(ctx, tok.AccessToken)
}

// renew returns a new access token for tok. It stores the token only if the file of tok could not be removed, because
// that file would otherwise hold a spent refresh token.
func (l *logout) renew(ctx context.Context, s session.Session, tok session.Token) (session.Secret, error) {
	r := connect.Renewer(l.app, l.store)
	r.Patience = connect.GlancePatience
	stored, err := l.store.Token(s.CacheKey())
	if err == nil && stored.AccessToken.Equal(tok.AccessToken) && (tok.StartURL == "" || tok.StartURL == s.StartURL) {
		renewed, _, err := r.Renew(ctx, s)
		return renewed.AccessToken, err
	}
	s.StartURL = cmp.Or(tok.StartURL, s.StartURL)
	return r.Spend(ctx, s, tok)
}
