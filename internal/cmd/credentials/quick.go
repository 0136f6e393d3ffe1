package credentials

import (
	"context"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/rolecreds"
)

// Quick answers credentials and env with plain flags from the cache, and reports whether it has. It reads the config and
// one file of the cache, for a legacy session that of the token too. It asks nobody, waits for nothing and fails for
// nothing: whatever is unusual, missing or wrong is left, with nothing said, to the command of the same name, which
// begins again.
func Quick(env app.Env) (code int, done bool) {
	defer func() {
		if p := recover(); p != nil { // the command will meet it again, and knows what to say
			code, done = 0, false
		}
	}()
	o, ok := quickOptions(app.New(env))
	if !ok {
		return 0, false
	}
	text, err := o.cached()
	if err != nil || text == "" {
		return 0, false
	}
	if _, err := env.Stdout.Write([]byte(text)); err != nil {
		return o.App.UI.Fail(err), true
	}
	return 0, true
}

// quickOptions reads the arguments of credentials or env as the command library does, false where it finds anything but
// the flags below, each with its value. TestQuickFlags holds the two against each other.
func quickOptions(a *app.App) (*options, bool) {
	o := &options{App: a}
	args := a.Env.Args
	if len(args) == 0 {
		return nil, false
	}
	switch args[0] {
	case "credentials":
		o.format = "process"
	case "env":
		o.format = "env"
	default:
		return nil, false
	}
	var set given
	for args = args[1:]; len(args) > 0; args = args[1:] {
		if args[0] == "--json" {
			a.Flags.JSON = true
			continue
		}
		name, value, inOne := strings.Cut(args[0], "=")
		if !inOne {
			if len(args) == 1 {
				return nil, false
			}
			args = args[1:]
			value = args[0]
		}
		switch name {
		case "--profile":
			a.Flags.Profile = value
		case "--region":
			a.Flags.Region = value
		case "--format":
			o.format, set.format = value, true
		case "--min-ttl":
			d, err := time.ParseDuration(value)
			if err != nil {
				return nil, false
			}
			o.minTTL, set.minTTL = d, true
		case "--sso-session":
			o.SSOSession = value
		case "--account-id":
			o.AccountID = value
		case "--role-name":
			o.RoleName = value
		default:
			return nil, false
		}
	}
	a.ConfigureUI()
	// Without a session or a profile, which one is meant may be a question.
	return o, o.valid(set, "") == nil && (o.AccountID == "" || o.SSOSession != "")
}

// cached returns what the command prints when all of it is in the files, "" or an error where the command has more to do.
func (o *options) cached() (string, error) {
	key, err := o.role(context.Background())
	if err != nil {
		return "", err
	}
	st, err := o.App.Store()
	if err != nil {
		return "", err
	}
	creds, ok := rolecreds.Cached(st, key, o.ttl())
	if !ok || connect.Stale(o.App, st, key.Session) {
		return "", nil
	}
	return o.render(creds, key)
}
