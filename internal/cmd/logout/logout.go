// Package logout is the command logout.
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
	App         *app.App
	ssoSessions []string
	all         bool
}

func New(a *app.App) *cobra.Command {
	o := &options{App: a}
	cmd := &cobra.Command{
		Use:     "logout",
		GroupID: app.GroupSignIn,
		Short:   "End a session: at the service, and here",
		Long: app.Lines(
			"Removes the token of a session and the role credentials that came of it, those that the AWS CLI fetched too, then",
			"ends the session at the service. Credentials that a program already holds live on until they expire. Where the service",
			"cannot be reached, what is here goes all the same, and exit code 6 says that the other part is undone.",
			"",
			"Without a flag it is the session that login would use; --all ends every session that has a token here, whichever",
			"program signed in, and removes all role credentials that came of any. Files that it does not understand stay.",
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
	cmd.Flags().StringArrayVar(&o.ssoSessions, "sso-session", nil, "`name` of the [sso-session] to end; may be repeated")
	cmd.Flags().BoolVar(&o.all, "all", false, "end every session")
	_ = cmd.RegisterFlagCompletionFunc("sso-session", a.CompleteSessions)
	return cmd
}

func (o *options) run(ctx context.Context) error {
	a := o.App
	st, err := a.Store()
	if err != nil {
		return err
	}
	cfg, err := a.Config()
	if err != nil {
		return err
	}
	l := &logout{App: a, store: st, doc: document{Sessions: []loggedOut{}, Left: []leftAlone{}}}
	if o.all {
		err = l.all(ctx, cfg.Sessions())
	} else {
		err = l.some(ctx, o.ssoSessions)
	}
	if err == nil && a.UI.JSON {
		err = a.UI.Document(l.doc)
	}
	if ctx.Err() != nil && l.failed != nil {
		a.UI.Fail(l.failed) // an interrupt is silent otherwise, and the other part is undone
	}
	return cmp.Or(err, ctx.Err(), l.failed)
}

// document is what logout --json prints. The JSON names stay as they are.
type document struct {
	Sessions []loggedOut `json:"sessions"`
	Left     []leftAlone `json:"left"` // by --all
}

// loggedOut is what became of one session.
type loggedOut struct {
	Session        string `json:"session"` // name, or the start URL
	Legacy         bool   `json:"legacy"`  // or of no profile
	StartURL       string `json:"start_url"`
	File           string `json:"file"`
	SignedIn       bool   `json:"signed_in"`        // there was a token file
	EndedAtService bool   `json:"ended_at_service"` // now or before
	Removed        bool   `json:"removed"`          // nothing of it is left here
	Lock           string `json:"lock,omitempty"`   // that another process held: it may store a token again
	Error          string `json:"error,omitempty"`
	Kind           string `json:"kind,omitempty"` // of the error, as in docs/errors.md
}

// leftAlone is a file in the folder of the tokens that logout --all does not understand.
type leftAlone struct {
	File   string `json:"file"`
	Reason string `json:"reason"`
}

// logout ends sessions one after the other.
type logout struct {
	App    *app.App
	store  *store.Store
	doc    document
	failed error // why the last that was not ended in full was not; those before have been said
}

// some ends the sessions of the given names, all of which must exist; none means the one that login would use.
func (l *logout) some(ctx context.Context, names []string) error {
	if len(names) == 0 {
		names = []string{""}
	}
	var sessions []session.Session
	for _, name := range names {
		t, err := l.App.Target(ctx, name)
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(sessions, func(s session.Session) bool { return s.CacheKey() == t.Session.CacheKey() }) {
			sessions = append(sessions, t.Session)
		}
	}
	for _, s := range sessions {
		l.end(ctx, s)
	}
	return nil
}

// all ends every session that has a token here, whichever program signed in, and goes on after one that fails.
func (l *logout) all(ctx context.Context, sessions []session.Session) error {
	for _, s := range sessions {
		if _, err := l.store.Token(s.CacheKey()); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		l.end(ctx, s)
	}
	// The sessions of the config file are done. What is left was signed in to under a name that is gone, or by another
	// program.
	entries, err := l.store.Tokens()
	if err != nil {
		return err
	}
	for _, entry := range entries {
		switch {
		case entry.Err != nil:
			l.leave(entry, "it cannot be read as a token")
		case entry.Token.Region == "" || entry.Token.StartURL == "":
			l.leave(entry, "it does not say which service it is of")
		default:
			l.endEntry(ctx, entry)
		}
	}
	if err := l.store.RemoveAllSSORoleCredentials(); err != nil {
		if err = first(err); l.failed == nil || !strings.Contains(l.failed.Error(), err.Error()) {
			l.fail(err)
		}
	}
	if len(l.doc.Sessions) == 0 && !l.App.UI.JSON {
		l.App.UI.Say("No session has a token here; nothing to end.\n")
	}
	return nil
}

func (l *logout) leave(entry store.TokenEntry, why string) {
	if slices.ContainsFunc(l.doc.Sessions, func(s loggedOut) bool { return s.File == entry.Path }) {
		return // what could not be removed has been told
	}
	l.doc.Left = append(l.doc.Left, leftAlone{File: entry.Path, Reason: why})
	if !l.App.UI.JSON {
		l.App.UI.Say("%s stays: %s.\n", filepath.Base(entry.Path), why)
	}
}

// end ends a session of the config file. Where the service cannot be told, what is here goes all the same. What fails is
// noted, and said.
//
// What is here goes first, and the token is told of from memory. The other way round, a logout that was killed after the
// service had ended the session left a token that looked good until its time was up, to status and to every SDK, and what
// others stored meanwhile, be it of a new sign-in, was removed. Killed between the two, this one leaves a session at the
// service that nobody here holds a token of: "not signed in" is the truth either way. No way out that a person has
// keeps the token anyhow: without a network, and by Ctrl-C, it goes too.
func (l *logout) end(ctx context.Context, s session.Session) {
	a := l.App
	done := loggedOut{
		Session: s.Label(), Legacy: s.Legacy(), StartURL: s.StartURL, File: l.store.TokenPath(s.CacheKey()), SignedIn: true,
	}
	start := time.Now()
	tok, kept := l.take(ctx, &done)
	if errors.Is(kept, fs.ErrNotExist) {
		done.SignedIn, kept = false, nil
	}
	// The token first: a fetch under way then keeps no role credentials.
	roles := l.store.DropRoleCredentials(append(l.store.RoleKeys(s), a.RolesOf(s)...))
	var untold error
	if tok != (session.Token{}) { // else there is nothing to tell the service
		untold = l.tell(ctx, s, tok, start)
		done.EndedAtService = untold == nil
	}
	l.report(done, s, s.InWords(), untold, kept, roles)
}

// take removes the token file of done and returns its token: also where it could not be removed, since the session is to
// end all the same. Who holds its lock, for as long as a mute network or a debugger takes, is given half of app.patience;
// then it goes without the lock, which is noted. An interrupt ends that wait, and nothing else.
func (l *logout) take(ctx context.Context, done *loggedOut) (session.Token, error) {
	waiting, cancel := context.WithTimeout(ctx, l.App.Patience/2)
	defer cancel()
	tok, err := l.store.Take(waiting, done.File)
	if err != nil && ctx.Err() != nil {
		local, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.App.Patience/20)
		defer cancel()
		tok, err = l.store.Take(local, done.File)
	}
	if held, ok := errors.AsType[*store.Locked](err); ok {
		done.Lock = held.Path
		tok, err = l.store.Snatch(done.File)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		if entries, all := l.store.Tokens(); all == nil {
			for _, e := range entries {
				if e.Path == done.File {
					tok = e.Token
				}
			}
		}
	}
	return tok, err
}

// endEntry ends the session of a token file that no session of the config file explains.
func (l *logout) endEntry(ctx context.Context, entry store.TokenEntry) {
	s := session.Session{StartURL: entry.Token.StartURL, Region: entry.Token.Region}
	done := loggedOut{Session: s.Label(), Legacy: true, StartURL: s.StartURL, File: entry.Path, SignedIn: true}
	if slices.ContainsFunc(l.doc.Sessions, func(other loggedOut) bool { return other.File == entry.Path }) {
		return // it could not be removed
	}
	start := time.Now()
	tok, kept := l.take(ctx, &done)
	if errors.Is(kept, fs.ErrNotExist) {
		return // another has just ended it
	}
	if tok == (session.Token{}) {
		tok = entry.Token // what was written into it meanwhile cannot be read
	}
	untold := l.tell(ctx, s, tok, start)
	done.EndedAtService = untold == nil
	l.report(done, s, "a token that no profile uses (start URL "+s.StartURL+")", untold, kept, nil)
}

// report says what became of a session; what is the session in words. untold is why the service was not told, kept why the
// token is left here, roles why role credentials are.
func (l *logout) report(done loggedOut, s session.Session, what string, untold, kept, roles error) {
	done.Removed = kept == nil && roles == nil
	if roles != nil && (kept != nil || untold != nil) {
		l.fail(first(roles)) // beside the other matter
	}
	var err error
	switch {
	case kept != nil && done.EndedAtService:
		err = &fault.Error{Kind: fault.KindOf(kept), Msg: "signed out of " + what + " at the service, but not here: " + kept.Error(), Err: kept}
	case kept != nil:
		err = kept
	case roles != nil && untold == nil:
		err = first(roles)
		err = &fault.Error{
			Kind: fault.KindOf(err), Remedy: fault.RemedyOf(err), Err: roles,
			Msg: "signed out of " + what + ", but its role credentials may still be here: " + err.Error(),
		}
	case untold != nil:
		err = &fault.Error{
			Kind: fault.KindOf(untold), Msg: "signed out of " + what + " here, but not at the service: " + untold.Error(),
			Remedy: fault.Advice("the session ends there by itself; to end it now, sign out at " + s.StartURL), Err: untold,
		}
	}
	if err != nil {
		f := l.App.UI.Describe(err)
		done.Error, done.Kind = f.Msg, f.Kind.String()
		l.fail(err)
	}
	l.doc.Sessions = append(l.doc.Sessions, done)
	if done.Lock != "" && !l.App.UI.JSON {
		l.App.UI.Say("warning: another process holds %s. Should it go on, it may store a token of %s again; to see it: ps -ef | grep homing\n", done.Lock, what)
	}
	switch {
	case err != nil || l.App.UI.JSON:
	case !done.SignedIn:
		l.App.UI.Answer("Not signed in to %s; nothing to end.\n", what)
	case !done.EndedAtService:
		l.App.UI.Answer("Removed the unreadable token file of %s; the service was not told.\n", what)
	default:
		l.App.UI.Answer("Signed out of %s.\n", what)
	}
}

// fail keeps a failure for the end, and says the one before it.
func (l *logout) fail(err error) {
	if l.failed != nil {
		l.App.UI.Fail(l.failed)
	}
	l.failed = err
}

// first returns the first of joined errors, each of which says the same of another file.
func first(err error) error {
	for {
		joined, ok := err.(interface{ Unwrap() []error }) // what errors.Join returned, itself
		if !ok || len(joined.Unwrap()) == 0 {
			return err
		}
		err = joined.Unwrap()[0]
	}
}

// tell ends the session of tok at the service, in the region that issued it, as long as app.patience allows since start.
func (l *logout) tell(ctx context.Context, s session.Session, tok session.Token, start time.Time) error {
	left := max(l.App.Patience-time.Since(start), l.App.Patience/3)
	telling, cancel := connect.WithPatience(ctx, l.App, left)
	defer cancel()
	err := l.endAtService(telling, s, tok)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return &fault.Error{Kind: fault.Interrupted, Msg: "interrupted", Err: err}
	}
	return connect.TooLong(telling, err)
}

// endAtService is tell without its limit. An access token that has expired is renewed first, where it can be: the portal
// session behind it may be alive.
func (l *logout) endAtService(ctx context.Context, s session.Session, tok session.Token) error {
	s.Region = cmp.Or(tok.Region, s.Region)
	if now := l.App.Env.Time(); tok.Expired(now) && tok.Renewable(now) {
		access, err := l.renew(ctx, s, tok)
		switch {
		case err == nil:
			tok.AccessToken = access
		case fault.KindOf(err) == fault.SignInNeeded:
			return nil // over already
		default:
			return err
		}
	}
	conn, err := connect.To(ctx, l.App, s)
	if err != nil {
		return err
	}
	return conn.Client.Logout(ctx, tok.AccessToken)
}

// renew returns a new access token in place of tok. Nothing is stored, unless tok could not be removed: then its file is
// not left with a spent one.
func (l *logout) renew(ctx context.Context, s session.Session, tok session.Token) (session.Secret, error) {
	r := connect.Renewer(l.App, l.store)
	r.Patience = connect.GlancePatience
	own, err := l.store.Token(s.CacheKey())
	if err == nil && own.AccessToken.Equal(tok.AccessToken) && (tok.StartURL == "" || tok.StartURL == s.StartURL) {
		renewed, _, err := r.Renew(ctx, s)
		return renewed.AccessToken, err
	}
	s.StartURL = cmp.Or(tok.StartURL, s.StartURL)
	return r.Spend(ctx, s, tok)
}
