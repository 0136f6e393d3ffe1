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

// document is what status --json prints, with and without --check. The JSON names stay as they are.
type document struct {
	Sessions []sessionStatus  `json:"sessions"`
	Others   []otherToken     `json:"others"`   // token files of no session; empty when one session is asked for
	Problems []sessionProblem `json:"problems"` // sessions of the config file that nobody can sign in to; likewise
	Keep     keeperStatus     `json:"keep"`
}

// What State says.
const (
	stateValid   = "valid"
	stateExpired = "expired"
	stateNone    = "none"
	stateCorrupt = "corrupt" // there is a file, without a usable token
	stateEnded   = "ended"   // the service has refused what is in the file
	stateForeign = "foreign" // the token is of another start URL or region than the config says
)

// What NextUse says.
const (
	nextUse    = "use"
	nextRenew  = "renew"
	nextSignIn = "sign_in"
	nextFail   = "fail" // the token cannot be stored here once it is renewed, or its file cannot be read
)

// sessionStatus is what is known of one session.
type sessionStatus struct {
	Session     string   `json:"session"` // name, or the start URL of a legacy profile
	Legacy      bool     `json:"legacy"`
	StartURL    string   `json:"start_url"`
	Region      string   `json:"region"`
	State       string   `json:"state"` // see stateValid
	ExpiresAt   string   `json:"expires_at,omitempty"`
	Refreshable bool     `json:"refreshable"` // while the portal session lasts
	Profiles    []string `json:"profiles"`

	Format     string                `json:"format"`                  // sso-session or legacy
	NextUse    string                `json:"next_use"`                // see nextUse
	SignIn     string                `json:"sign_in"`                 // the command
	File       string                `json:"file"`                    // where its token is, or would be
	Client     string                `json:"client,omitempty"`        // homing, aws-cli or other: who got the token; missing where the file does not tell
	ClientName string                `json:"client_name,omitempty"`   // as the service's page shows it
	Refused    string                `json:"refused,omitempty"`       // what the service called it when it refused to renew this token
	Unstorable string                `json:"unstorable,omitempty"`    // why a renewed token could not be stored
	Short      int                   `json:"short_seconds,omitempty"` // what the token was issued for, if that is less than any portal session with time left gives
	Watched    bool                  `json:"watched"`                 // by keep
	Upgrade    string                `json:"upgrade,omitempty"`       // the command that makes a session of a legacy profile
	Verified   *connect.Verification `json:"verified,omitempty"`

	session session.Session
	expires time.Time
	why     error // of nextSignIn and nextFail
	signIn  fault.Remedy
}

// askable reports whether there is a token that the service could be asked about.
func (s *sessionStatus) askable() bool {
	return s.State != stateNone && s.State != stateCorrupt && s.State != stateForeign
}

// verified takes the service's answer over. An access token that it accepts is good, whatever was on record.
func (s *sessionStatus) verified(v connect.Verification) {
	s.Verified = &v
	if v.Accepted && s.State == stateEnded {
		s.State, s.NextUse = stateValid, nextUse
	}
}

// otherToken is a token file that no session of the config file explains.
type otherToken struct {
	File        string `json:"file"`
	StartURL    string `json:"start_url,omitempty"`
	Region      string `json:"region,omitempty"`
	State       string `json:"state"` // valid, expired or corrupt
	ExpiresAt   string `json:"expires_at,omitempty"`
	Refreshable bool   `json:"refreshable"`
	Client      string `json:"client,omitempty"`
	ClientName  string `json:"client_name,omitempty"`
	Error       string `json:"error,omitempty"` // of corrupt

	expires time.Time
}

// sessionProblem is an [sso-session] that is incomplete.
type sessionProblem struct {
	Session string `json:"session"`
	Error   string `json:"error"`
	Hint    string `json:"hint"`
}

// keeperStatus is the keep of this user.
type keeperStatus struct {
	Running bool   `json:"running"`
	PID     int    `json:"pid,omitempty"`
	Host    string `json:"host,omitempty"`
	Since   string `json:"since,omitempty"`
}

// facts gathers what status says. Nothing is asked of the service.
type facts struct {
	App     *app.App
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
	f := &facts{App: a, cfg: cfg, store: st, renewer: connect.Onlooker(a, st)}
	dir, err := a.StateDir()
	if err != nil {
		return nil, err
	}
	if f.holder, f.keeping, err = keep.Running(dir); err != nil {
		a.UI.Say("warning: %s\n", err)
	}
	return f, nil
}

// of returns what is known of s.
func (f *facts) of(ctx context.Context, s session.Session) sessionStatus {
	row := sessionStatus{
		Session: s.Label(), Legacy: s.Legacy(), StartURL: s.StartURL, Region: s.Region, Profiles: []string{},
		Format: "sso-session", File: f.store.TokenPath(s.CacheKey()), Watched: f.keeping && f.holder.Watches(s), session: s,
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
		row.Upgrade = f.App.UI.Command(fault.Upgrade(row.Profiles))
	}
	row.signIn = t.Login()

	now, o := f.App.Env.Time(), f.renewer.Outlook(ctx, s)
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
		if instead := connect.UpgradeInstead(f.App, f.store, s); instead != nil {
			row.signIn = instead
		}
	}
	row.SignIn = f.App.UI.Command(row.signIn)
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
		login.KeepFresh = true // what the token has, the next one is to have
		row.signIn, row.SignIn = login, f.App.UI.Command(login)
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

// client tells which program a token was issued to, as far as the file does.
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

// registered reports whether t was issued to a client that we registered for s.
func (f *facts) registered(t session.Token, s session.Session) bool {
	return t.ClientID != "" && slices.ContainsFunc([]bool{false, true}, func(pkce bool) bool {
		r, err := f.store.Registration(store.RegistrationKey{Session: s, PKCE: pkce})
		return err == nil && r.ClientID == t.ClientID
	})
}

// others returns the token files that no session of the config file explains.
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
		now := f.App.Env.Time()
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

// problems returns the sessions of the config file that are incomplete.
func (f *facts) problems() []sessionProblem {
	list := []sessionProblem{}
	for _, name := range f.cfg.SessionNames() {
		if _, err := f.cfg.Session(name); err != nil {
			list = append(list, sessionProblem{Session: name, Error: err.Error(), Hint: f.App.UI.Describe(err).Hint})
		}
	}
	return list
}

func (f *facts) keeper() keeperStatus {
	k := keeperStatus{Running: f.keeping, PID: f.holder.PID, Host: f.holder.Host}
	if !f.holder.Since.IsZero() {
		k.Since = f.holder.Since.UTC().Format(time.RFC3339)
	}
	return k
}
