package fault

import (
	"errors"

	"github.com/homing-cli/homing/internal/session"
)

// Remedy is the next step after a failure, as data. internal/ui puts it into words and quotes it for the shell in
// use; code that needs to know what a failure suggests looks at the type and its fields, never at those words.
type Remedy interface{ remedy() }

// Advice is plain words: "check the network, then try again". It holds no command line.
type Advice string

// Preface is words that lead to a remedy: "to try again," before a command to run. After words that end in a colon
// the command follows at once ("move it away: mv …"); after others it follows "run: ".
type Preface struct {
	Words string
	Then  Remedy
}

// Login signs in to a session. Set Session or Profile; an error made where neither is known leaves both empty, and
// whoever knows the session fills them in.
type Login struct {
	Session   string       // the name of an [sso-session]
	Profile   string       // any profile of a legacy session
	Flow      session.Flow // "" leaves the choice to homing
	Force     bool         // even though the cached token is good
	KeepFresh bool         // a legacy session, with a token that can be renewed
}

// ConfigureSSO sets up a profile. An empty Profile leaves its name to the wizard.
type ConfigureSSO struct{ Profile string }

// ConfigureSession sets up an [sso-session]. An empty Session leaves its name to the wizard.
type ConfigureSession struct{ Session string }

// Upgrade moves legacy profiles to an [sso-session]; without names, those that the person picks.
type Upgrade []string

// ListProfiles lists the accounts and roles of a session; an empty Session is the one homing would choose.
type ListProfiles struct{ Session string }

// SyncProfiles writes profiles for the accounts and roles of a session; an empty Session is the one homing would
// choose.
type SyncProfiles struct{ Session string }

// UseProfile runs a command of homing with another profile: credentials, env, exec, serve or console.
type UseProfile struct{ Command, Profile string }

// KeepDetached starts a keep in the background.
type KeepDetached struct{}

// HandOver passes a redirect that did not arrive to the login that waits for it.
type HandOver struct{}

// Edit opens a file at a line.
type Edit struct {
	File string
	Line int
}

// Correct mends a file by hand: a line of it or, with Line 0, the whole file.
type Correct struct {
	File string
	Line int
}

// Setenv sets an environment variable of the shell in use; an empty Value removes it.
type Setenv struct{ Name, Value string }

// Unset removes environment variables of the shell in use.
type Unset []string

// Run runs a program with its arguments, none of them quoted yet.
type Run []string

func (Advice) remedy()           {}
func (Preface) remedy()          {}
func (Login) remedy()            {}
func (ConfigureSSO) remedy()     {}
func (ConfigureSession) remedy() {}
func (Upgrade) remedy()          {}
func (ListProfiles) remedy()     {}
func (SyncProfiles) remedy()     {}
func (UseProfile) remedy()       {}
func (KeepDetached) remedy()     {}
func (HandOver) remedy()         {}
func (Edit) remedy()             {}
func (Correct) remedy()          {}
func (Setenv) remedy()           {}
func (Unset) remedy()            {}
func (Run) remedy()              {}

// RemedyOf returns the first remedy in err's chain, or nil.
func RemedyOf(err error) Remedy {
	for err != nil {
		var e *Error
		if !errors.As(err, &e) {
			return nil
		}
		if e.Remedy != nil {
			return e.Remedy
		}
		err = e.Err
	}
	return nil
}

// Action returns what r comes down to, without the words before it.
func Action(r Remedy) Remedy {
	for {
		p, ok := r.(Preface)
		if !ok {
			return r
		}
		r = p.Then
	}
}

// WithAction returns r with another action behind the same words.
func WithAction(r, action Remedy) Remedy {
	if p, ok := r.(Preface); ok {
		return Preface{p.Words, WithAction(p.Then, action)}
	}
	return action
}

// WithRemedy returns err with another remedy: the same kind and words.
func WithRemedy(err error, r Remedy) *Error {
	return &Error{Kind: KindOf(err), Msg: err.Error(), Remedy: r, Err: err}
}
