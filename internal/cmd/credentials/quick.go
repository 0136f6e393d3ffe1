package credentials

import (
	"context"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/rolecreds"
)

// Quick answers credentials and env with plain flags from the cache, and reports whether it did. It reads the config
// and one file of the cache; for a legacy session the token too. It asks no questions, waits for nothing and never
// fails: it leaves whatever is unusual, missing or wrong to the command of the same name, which starts with what
// Quick has read.
func Quick(a *app.App) (code int, done bool) {
	defer func() {
		if p := recover(); p != nil { // the command will meet it again and report it
			code, done = 0, false
		}
	}()
	o, ok := quickOptions(a)
	if !ok {
		return 0, false
	}
	text, err := o.cached()
	if err != nil || text == "" {
		return 0, false
	}
	if _, err := a.Env.Stdout.Write([]byte(text)); err != nil {
		return a.UI.Fail(err), true
	}
	return 0, true
}

// quickOptions reads the arguments of credentials or env as the command library does. It returns false if it finds
// anything but the flags below, each with its value. TestQuickFlags compares the two.
func quickOptions(a *app.App) (*options, bool) {
	o := &options{app: a}
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
	var set flagsGiven
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
	// Without a session or a profile the command may have to ask which one is meant.
	return o, o.validate(set, "") == nil && (o.AccountID == "" || o.SSOSession != "")
}

// cached returns what the command prints if everything is in the files; "" or an error if the command has more to do.
func (o *options) cached() (string, error) {
	key, err := o.role(context.Background())
	if err != nil {
		return "", err
	}
	st, err := o.app.Store()
	if err != nil {
		return "", err
	}
	creds, lasts := rolecreds.Cached(st, key, o.ttl())
	o.app.Looked = &app.Looked{File: st.RolePath(key), Credentials: creds}
	if !lasts || connect.Stale(o.app, st, key.Session) {
		return "", nil
	}
	return o.render(creds, key)
}
