package cli

import (
	"context"
	"strings"
	"time"

	"github.com/homing-cli/homing/internal/rolecreds"
)

// Start is Main in the environment of this process. Terraform, kubectl and the SDKs call credentials again and again, so
// that is looked at before anything else is: see quick.
func Start() int {
	if code, done := quick(standardEnv()); done {
		return code
	}
	return Main(context.Background(), OSEnv())
}

// quick answers credentials and env with plain flags from the cache, and reports whether it has. It reads the config and
// one file of the cache, for a legacy session that of the token too. It asks nobody, waits for nothing and fails for
// nothing: whatever is unusual, missing or wrong is left, with nothing said, to the command of the same name, which
// begins again.
func quick(env Env) (code int, done bool) {
	defer func() {
		if p := recover(); p != nil { // the command will meet it again, and knows what to say
			code, done = 0, false
		}
	}()
	o, ok := quickOptions(newApp(env))
	if !ok {
		return 0, false
	}
	text, err := o.cached()
	if err != nil || text == "" {
		return 0, false
	}
	if _, err := env.Stdout.Write([]byte(text)); err != nil {
		return o.app.ui.fail(err), true
	}
	return 0, true
}

// quickOptions reads the arguments of credentials or env as the command library does, false where it finds anything but
// the flags below, each with its value. TestQuickFlags holds the two against each other.
func quickOptions(a *app) (*credentialsOptions, bool) {
	o := &credentialsOptions{app: a}
	args := a.env.Args
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
	var set credentialsSet
	for args = args[1:]; len(args) > 0; args = args[1:] {
		if args[0] == "--json" {
			a.flags.json = true
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
			a.flags.profile = value
		case "--region":
			a.flags.region = value
		case "--format":
			o.format, set.format = value, true
		case "--min-ttl":
			d, err := time.ParseDuration(value)
			if err != nil {
				return nil, false
			}
			o.minTTL, set.minTTL = d, true
		case "--sso-session":
			o.ssoSession = value
		case "--account-id":
			o.accountID = value
		case "--role-name":
			o.roleName = value
		default:
			return nil, false
		}
	}
	a.configureUI()
	// Without a session or a profile, which one is meant may be a question.
	return o, o.valid(set, "") == nil && (o.accountID == "" || o.ssoSession != "")
}

// cached returns what the command prints when all of it is in the files, "" or an error where the command has more to do.
func (o *credentialsOptions) cached() (string, error) {
	key, err := o.role(context.Background())
	if err != nil {
		return "", err
	}
	st, err := o.app.store()
	if err != nil {
		return "", err
	}
	creds, ok := rolecreds.Cached(st, key, o.ttl())
	if !ok || o.app.stale(st, key.Session) {
		return "", nil
	}
	return o.render(creds, key)
}
