package status

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/keep"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/ui"
)

// document is what status --json prints, with or without --check. Other programs read the JSON names, so they never
// change.
type document struct {
	Sessions []sessionStatus `json:"sessions"`
	// Others and Problems are empty for a single session.
	Others   []otherToken     `json:"others"`
	Problems []sessionProblem `json:"problems"`
	Keep     keepStatus       `json:"keep"`
}

// The values of State.
const (
	stateValid   = "valid"
	stateExpired = "expired"
	stateNone    = "none"
	stateCorrupt = "corrupt" // the file holds no usable token
	stateEnded   = "ended"   // the service has refused the token
	stateForeign = "foreign" // the token belongs to another start URL or region than the config file names
)

// The values of NextUse.
const (
	nextUse    = "use"
	nextRenew  = "renew"
	nextSignIn = "sign_in"
	nextFail   = "fail" // a renewed token could not be stored here, or the file cannot be read
)

// sessionStatus is what the files, and the service if asked, say about one session.
type sessionStatus struct {
	Session     string   `json:"session"` // name, or the start URL of a legacy profile
	Legacy      bool     `json:"legacy"`
	StartURL    string   `json:"start_url"`
	Region      string   `json:"region"`
	State       string   `json:"state"` // see stateValid
	ExpiresAt   string   `json:"expires_at,omitempty"`
	Refreshable bool     `json:"refreshable"` // while the portal session lasts
	Profiles    []string `json:"profiles"`

	Format  string `json:"format"`   // sso-session or legacy
	NextUse string `json:"next_use"` // see nextUse
	SignIn  string `json:"sign_in"`  // the command
	File    string `json:"file"`     // where the token is, or would be
	// Client is the program that got the token: homing, aws-cli or other; empty if the file does not say.
	Client     string `json:"client,omitempty"`
	ClientName string `json:"client_name,omitempty"` // as the service's page shows it
	Refused    string `json:"refused,omitempty"`     // the service's error code when it refused to renew the token
	Unstorable string `json:"unstorable,omitempty"`  // why a renewed token could not be stored
	// Short is the token's lifetime in seconds as issued. It is set only if the lifetime is so short that the portal
	// session must be about to end.
	Short    int                   `json:"short_seconds,omitempty"`
	Watched  bool                  `json:"watched"`           // by keep
	Upgrade  string                `json:"upgrade,omitempty"` // the command that turns legacy profiles into a session's
	Verified *connect.Verification `json:"verified,omitempty"`

	session session.Session
	expires time.Time
	why     error // of nextSignIn and nextFail
	signIn  fault.Remedy
}

// hasToken reports whether there is a token of this session that the service could be asked about.
func (s *sessionStatus) hasToken() bool {
	return s.State != stateNone && s.State != stateCorrupt && s.State != stateForeign
}

// setVerified records the service's answer. If the service accepts the token, the session has not ended, even if an
// earlier refusal is on record.
func (s *sessionStatus) setVerified(v connect.Verification) {
	s.Verified = &v
	if v.Accepted && s.State == stateEnded {
		s.State, s.NextUse = stateValid, nextUse
	}
}

// otherToken is a token file that belongs to no session of the config file.
type otherToken struct {
	File        string `json:"file"`
	StartURL    string `json:"start_url,omitempty"`
	Region      string `json:"region,omitempty"`
	State       string `json:"state"` // valid, expired or corrupt
	ExpiresAt   string `json:"expires_at,omitempty"`
	Refreshable bool   `json:"refreshable"`
	Client      string `json:"client,omitempty"`
	ClientName  string `json:"client_name,omitempty"`
	Error       string `json:"error,omitempty"` // why it is corrupt

	expires time.Time
}

// sessionProblem is an incomplete [sso-session]: nobody can sign in to it.
type sessionProblem struct {
	Session string `json:"session"`
	Error   string `json:"error"`
	Hint    string `json:"hint"`
}

// keepStatus says whether this user's keep is running.
type keepStatus struct {
	Running bool   `json:"running"`
	PID     int    `json:"pid,omitempty"`
	Host    string `json:"host,omitempty"`
	Since   string `json:"since,omitempty"`
}

// facts reads what status shows. It does not call the service.
type facts struct {
	app     *app.App
	cfg     *awsconfig.Config
	store   *store.Store
	renewer *refresh.Renewer
	holder  keep.Holder
	keeping bool
}

func newFacts(a *app.App) (*facts, error) {
	cfg, err := a.Config()
	if err != nil {
		return nil, err
	}
	st, err := a.Store()
	if err != nil {
		return nil, err
	}
	f := &facts{app: a, cfg: cfg, store: st, renewer: connect.Onlooker(a, st)}
	dir, err := a.StateDir()
	if err != nil {
		return nil, err
	}
	if f.holder, f.keeping, err = keep.Running(dir); err != nil {
		a.UI.Say("warning: %s\n", err)
	}
	return f, nil
}

// newDocument returns a document without sessions. Its lists are empty rather than nil, so they are [] in JSON.
func (f *facts) newDocument() document {
	return document{
		Sessions: []sessionStatus{}, Others: []otherToken{}, Problems: []sessionProblem{},
		Keep: f.keepStatus(),
	}
}

// status returns what the files say about s.
func (f *facts) status(ctx context.Context, s session.Session) sessionStatus {
	row := sessionStatus{
		Session: s.Label(), Legacy: s.Legacy(), StartURL: s.StartURL, Region: s.Region, Profiles: []string{},
		Format: "sso-session", File: f.store.TokenPath(s.CacheKey()), Watched: f.keeping && f.holder.Watches(s),
		session: s,
	}
	for _, p := range f.cfg.ProfilesOf(s) {
		row.Profiles = append(row.Profiles, p.Profile)
	}
	t := app.Target{Session: s}
	if s.Legacy() {
		row.Format = "legacy"
	}
	if s.Legacy() && len(row.Profiles) > 0 {
		t.Profile = row.Profiles[0]
		row.Upgrade = f.app.UI.Command(fault.Upgrade(row.Profiles))
	}
	row.signIn = t.Login()

	now, o := f.app.Env.Time(), f.renewer.Outlook(ctx, s)
	row.NextUse, row.why = nextSignIn, o.Err
	switch o.Next {
	case refresh.NextUse:
		row.NextUse = nextUse
	case refresh.NextRenew:
		row.NextUse = nextRenew
	case refresh.NextFail:
		row.NextUse = nextFail
	}
	if row.NextUse == nextSignIn {
		if instead := connect.UpgradeInstead(f.app, f.store, s); instead != nil {
			row.signIn = instead
		}
	}
	row.SignIn = f.app.UI.Command(row.signIn)
	if o.Unstorable != nil {
		row.Unstorable = o.Unstorable.Error()
	}
	switch {
	case o.Missing:
		row.State = stateNone
		return row
	case o.Foreign:
		row.State = stateForeign
	case o.Token == (session.Token{}):
		row.State = stateCorrupt
		return row
	case row.NextUse == nextSignIn && (o.Ended || o.Rejected):
		row.State = stateEnded
	case o.Token.Expired(now):
		row.State = stateExpired
	default:
		row.State = stateValid
	}
	if s.Legacy() && !o.Token.RefreshToken.IsZero() {
		login := t.Login()
		login.KeepFresh = true // the token can be renewed, so the next one should be as well
		row.signIn, row.SignIn = login, f.app.UI.Command(login)
	}
	row.setExpires(o.Token.ExpiresAt)
	row.Refreshable, row.Refused = o.Renewable && o.Unstorable == nil, o.Refused
	row.Client, row.ClientName = f.client(o.Token, s)
	if row.State == stateValid && o.Life > 0 && o.Life < ui.ShortLife {
		row.Short = int(o.Life / time.Second)
	}
	return row
}

func (s *sessionStatus) setExpires(at time.Time) {
	if !at.IsZero() {
		s.expires, s.ExpiresAt = at, at.UTC().Format(time.RFC3339)
	}
}

// client returns the program that t was issued to and its name at the service. Both are empty if the file does not
// say.
func (f *facts) client(t session.Token, s session.Session) (kind, name string) {
	name = idc.ClientName(t.ClientSecret)
	switch {
	case name == "homing", strings.HasPrefix(name, "homing-"), name == "" && f.registered(t, s):
		return "homing", name
	case strings.HasPrefix(name, "botocore-client-"):
		return "aws-cli", name
	case name != "":
		return "other", name
	}
	return "", ""
}

// registered reports whether t was issued to a client that homing registered for s.
func (f *facts) registered(t session.Token, s session.Session) bool {
	return t.ClientID != "" && slices.ContainsFunc([]bool{false, true}, func(pkce bool) bool {
		r, err := f.store.Registration(store.RegistrationKey{Session: s, PKCE: pkce})
		return err == nil && r.ClientID == t.ClientID
	})
}

// others returns the token files that belong to no session of the config file.
func (f *facts) others() ([]otherToken, error) {
	entries, err := f.store.Tokens()
	if err != nil {
		return nil, err
	}
	known := map[string]bool{}
	for _, s := range f.cfg.Sessions() {
		known[f.store.TokenPath(s.CacheKey())] = true
	}
	list := []otherToken{}
	for _, e := range entries {
		if known[e.Path] {
			continue
		}
		o := otherToken{File: e.Path, State: stateCorrupt}
		if e.Err != nil {
			o.Error = e.Err.Error()
			list = append(list, o)
			continue
		}
		now := f.app.Env.Time()
		o.StartURL, o.Region, o.expires, o.State = e.Token.StartURL, e.Token.Region, e.Token.ExpiresAt, stateValid
		if !o.expires.IsZero() {
			o.ExpiresAt = o.expires.UTC().Format(time.RFC3339)
		}
		if e.Token.Expired(now) {
			o.State = stateExpired
		}
		o.Refreshable = e.Token.Renewable(now)
		o.Client, o.ClientName = f.client(e.Token, session.Session{})
		list = append(list, o)
	}
	return list, nil
}

// problems returns the incomplete sessions of the config file.
func (f *facts) problems() []sessionProblem {
	list := []sessionProblem{}
	for _, name := range f.cfg.SessionNames() {
		if _, err := f.cfg.Session(name); err != nil {
			list = append(list, sessionProblem{Session: name, Error: err.Error(), Hint: f.app.UI.Describe(err).Hint})
		}
	}
	return list
}

func (f *facts) keepStatus() keepStatus {
	k := keepStatus{Running: f.keeping, PID: f.holder.PID, Host: f.holder.Host}
	if !f.holder.Since.IsZero() {
		k.Since = f.holder.Since.UTC().Format(time.RFC3339)
	}
	return k
}
