package app

import (
	"context"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// RolesOf returns the roles that profiles of s use. The AWS CLI may have cached credentials for them.
func (a *App) RolesOf(s session.Session) []store.RoleKey {
	if a.Loaded == nil {
		return nil
	}
	var keys []store.RoleKey
	for _, p := range a.Loaded.ProfilesOf(s) {
		if p.AccountID != "" && p.RoleName != "" {
			keys = append(keys, store.RoleKey{Session: s, AccountID: p.AccountID, RoleName: p.RoleName})
		}
	}
	return keys
}

// ProfileOf returns the name of a profile that uses s, for a hint: the active one, else any; "" if there is none.
func (a *App) ProfileOf(s session.Session) string {
	if name, _ := a.ActiveProfile(); name != "" {
		return name
	}
	if a.Loaded == nil {
		return ""
	}
	for _, p := range a.Loaded.ProfilesOf(s) {
		return p.Profile
	}
	return ""
}

// Configure returns the remedy that changes how s is configured.
func (a *App) Configure(s session.Session) fault.Remedy {
	if !s.Legacy() && a.HasSession(s.Name) {
		return fault.ConfigureSession{Session: s.Name}
	}
	return fault.ConfigureSSO{Profile: a.ProfileOf(s)}
}

// Target is the session a command works on, and the profile that led to it, if one did.
type Target struct {
	Session session.Session
	Profile string // "" if no profile was named
}

// Target finds the session a command is about: that of --sso-session; else the active profile's; else [default]'s;
// else the only one there is; else the one the person picks. Without a terminal that is an error of kind Usage.
func (a *App) Target(ctx context.Context, ssoSession string) (Target, error) {
	cfg, err := a.Config()
	if err != nil {
		return Target{}, err
	}
	if ssoSession != "" {
		s, err := cfg.Session(ssoSession)
		return Target{Session: s}, err
	}
	if name, origin := a.ActiveProfile(); name != "" {
		a.UI.Debug("profile %q from %s", name, origin)
		p, err := cfg.SSO(name)
		return Target{p.Session, name}, err
	}
	if p, ok := cfg.Profile("default"); ok && usesSSO(p) {
		p, err := cfg.SSO("default")
		return Target{p.Session, "default"}, err
	}
	sessions := cfg.Sessions()
	if len(sessions) == 0 {
		return Target{}, fault.Suggest(fault.Config, fault.ConfigureSSO{}, "no session is configured in %q",
			a.ConfigFile())
	}
	if only := withoutDoubles(sessions); len(only) == 1 {
		return Target{Session: only[0]}, nil
	}
	labels := make([]string, len(sessions))
	for i, s := range sessions {
		labels[i] = s.Label()
	}
	if !a.Interactive() {
		return Target{}, ambiguous(labels)
	}
	a.UI.Say("Which session?\n")
	i, err := a.Choose(ctx, labels, "--sso-session NAME")
	if err != nil {
		return Target{}, err
	}
	return Target{Session: sessions[i]}, nil
}

// withoutDoubles leaves out legacy start URLs that an [sso-session] in the same region has too. A legacy profile and
// a session of the same portal count once, so no flag is needed.
func withoutDoubles(sessions []session.Session) []session.Session {
	return slices.DeleteFunc(slices.Clone(sessions), func(s session.Session) bool {
		return s.Legacy() && slices.ContainsFunc(sessions, func(other session.Session) bool {
			return !other.Legacy() && other.Region == s.Region && SamePortal(other.StartURL, s.StartURL)
		})
	})
}

func ambiguous(labels []string) error {
	return fault.New(fault.Usage, "add the flag: --sso-session NAME (or --profile NAME)",
		"there are %d sessions and neither --sso-session nor --profile says which: %s", len(labels),
		strings.Join(labels, ", "))
}

// usesSSO reports whether a profile has a session, or refers to a profile that may have one.
func usesSSO(p awsconfig.Profile) bool {
	return p.Get("sso_session") != "" || p.Get("sso_start_url") != "" || p.Get("source_profile") != ""
}

// ConfigFile returns the path of the AWS config file, for messages.
func (a *App) ConfigFile() string {
	paths, err := a.Paths()
	if err != nil {
		return "~/.aws/config"
	}
	return paths.Config
}

// HasSession reports whether the config file has an [sso-session] of this name, complete or not.
func (a *App) HasSession(name string) bool {
	return a.Loaded != nil && slices.Contains(a.Loaded.SessionNames(), name)
}

// Login returns the remedy that signs in to t.
func (t Target) Login() fault.Login {
	if t.Session.Legacy() {
		return fault.Login{Profile: t.Profile}
	}
	return fault.Login{Session: t.Session.Name}
}

// SamePortal reports whether two start URLs lead to the same portal: "/start", "/start/" and "/start/#" do.
func SamePortal(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/#"), strings.TrimRight(b, "/#"))
}
