package signin

import (
	"strings"

	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/session"
)

// login signs in to the session again.
func (s state) login() fault.Login { return s.named(fault.Login{}) }

// named returns l for the session.
func (s state) named(l fault.Login) fault.Login {
	l.Session, l.Profile = s.session.Name, ""
	if s.session.Legacy() {
		l.Profile = s.profile
	}
	return l
}

// naming returns err with the session or the profile in its remedy, if that is to sign in.
func (s state) naming(err error) error {
	remedy := fault.RemedyOf(err)
	login, ok := fault.Action(remedy).(fault.Login)
	if !ok || login.Session != "" || login.Profile != "" {
		return err
	}
	return fault.WithRemedy(err, fault.WithAction(remedy, s.named(login)))
}

// safe replaces characters that a shell or the service may interpret by hyphens.
func safe(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '-'
	}, s)
}

// clientName returns the name on the consent page. The service once refused blanks and quotes (aws-cli#7643), so only
// safe characters of the session's name are used.
func clientName(s session.Session) string {
	if s.Legacy() {
		return "homing"
	}
	name := safe(s.Name)
	return "homing-" + name[:min(len(name), 64)]
}
