package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// target is the session a command works on, and the profile that led to it ("" when none did).
type target struct {
	session session.Session
	profile string
}

// target finds the session a command is about: --sso-session; else the profile's (--profile, AWS_PROFILE,
// AWS_DEFAULT_PROFILE, HOMING_PROFILE); else the one of [default]; else the only one there is (a legacy start URL that a session has, too,
// is no other one); else the person picks; else exit 2.
func (a *app) target(ctx context.Context, ssoSession string) (target, error) {
	cfg, err := a.config()
	if err != nil {
		return target{}, err
	}
	if ssoSession != "" {
		s, err := cfg.Session(ssoSession)
		return target{session: s}, err
	}
	if name, origin := a.activeProfile(); name != "" {
		a.ui.debug("profile %q from %s", name, origin)
		p, err := cfg.SSO(name)
		return target{p.Session, name}, err
	}
	if p, ok := cfg.Profile("default"); ok && usesSSO(p) {
		p, err := cfg.SSO("default")
		return target{p.Session, "default"}, err
	}
	sessions := cfg.Sessions()
	if len(sessions) == 0 {
		return target{}, fault.New(fault.Config, "run: homing configure sso", "no session is configured in %q", a.configFile())
	}
	if only := withoutDoubles(sessions); len(only) == 1 {
		return target{session: only[0]}, nil
	}
	labels := make([]string, len(sessions))
	for i, s := range sessions {
		labels[i] = s.Label()
	}
	if !a.interactive() {
		return target{}, ambiguous(labels)
	}
	a.ui.say("Which session?\n")
	i, err := a.choose(ctx, labels, "--sso-session NAME")
	if err != nil {
		return target{}, err
	}
	return target{session: sessions[i]}, nil
}

// withoutDoubles leaves out the start URLs of legacy profiles that an [sso-session] of the same region has, too: who writes
// profiles of form legacy for a session has one portal, and has not to say from then on which one is meant.
func withoutDoubles(sessions []session.Session) []session.Session {
	return slices.DeleteFunc(slices.Clone(sessions), func(s session.Session) bool {
		return s.Legacy() && slices.ContainsFunc(sessions, func(other session.Session) bool {
			return !other.Legacy() && other.Region == s.Region && sameStart(other.StartURL, s.StartURL)
		})
	})
}

func ambiguous(labels []string) error {
	return fault.New(fault.Usage, "add the flag: --sso-session NAME (or --profile NAME)",
		"there are %d sessions and neither --sso-session nor --profile says which: %s", len(labels), strings.Join(labels, ", "))
}

// usesSSO reports whether a profile has, or points to something that may have, a session.
func usesSSO(p awsconfig.Profile) bool {
	return p.Get("sso_session") != "" || p.Get("sso_start_url") != "" || p.Get("source_profile") != ""
}

// configFile is the path of the AWS config file for messages.
func (a *app) configFile() string {
	paths, err := a.paths()
	if err != nil {
		return "~/.aws/config"
	}
	return paths.Config
}

// hasSession reports whether the config file has an [sso-session] of that name, complete or not.
func (a *app) hasSession(name string) bool {
	return a.cfg != nil && slices.Contains(a.cfg.SessionNames(), name)
}

// argument writes a name so that a shell reads it as one word, in a command for a person to type.
func argument(name string) string {
	usual := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-/.%@:+", r)
	}
	if name != "" && strings.IndexFunc(name, func(r rune) bool { return !usual(r) }) < 0 {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
