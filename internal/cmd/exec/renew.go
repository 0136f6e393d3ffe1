package exec

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/connect"
	"github.com/homing-cli/homing/internal/credserver"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/rolecreds"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/ui"
)

// serverLook is how often a server compares the clock with what is due.
const serverLook = 20 * time.Second

// stillGood is what credentials must have left to be given out where there are no others.
const stillGood = time.Minute

// runRenewing runs the command beside an endpoint that has credentials for it as long as it lives.
func (o *options) runRenewing(ctx context.Context, path, profile string, key store.RoleKey) error {
	a := o.App
	server := credentialServer(a, []string{profile})
	l, port, err := credserver.Listen(ctx, 0)
	if err != nil {
		return err
	}
	server.Port = port
	// Before the command runs, so that it finds them at hand: the JavaScript SDK waits for one second. And what is wrong is
	// said here rather than by the command.
	trouble := server.Trouble
	server.Trouble = nil
	if _, err := server.Get(ctx, profile); err != nil {
		return errors.Join(err, l.Close())
	}
	server.Trouble = trouble
	serverCtx, stop := context.WithCancel(context.WithoutCancel(ctx)) // a Ctrl-C is the command's
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(serverCtx, l, lookEvery(a)); err != nil {
			a.UI.Say("homing: no more credentials for the command: %s\n", err)
		}
	})
	defer serving.Wait()
	defer stop()
	folder, err := makePrivateCopy(a, profile)
	if err != nil {
		return err
	}
	defer folder.remove()
	a.UI.Debug("role %q in account %q at %s; the command's config file is %q", key.RoleName, key.AccountID, credserver.URL(port, "/"), folder.config)

	c := command(a, path, o.command, profile)
	for _, v := range endpointVariables(credserver.URL(port, "/"), server.Token.Reveal()) {
		c.set(v[0], v[1])
	}
	c.set("AWS_CONFIG_FILE", folder.config)
	c.set("AWS_SHARED_CREDENTIALS_FILE", folder.credentials)
	if file, found := botoKeys(a); found {
		a.UI.Debug("%s is %s for the command: botocore would take the keys in %q", varBoto, os.DevNull, file)
		c.set(varBoto, os.DevNull)
	}
	paths, err := a.Paths()
	if err != nil {
		return err
	}
	c.set(app.VarCopy, folder.config)
	c.set(app.VarConfig, fromAnywhere(paths.Config))
	c.set(app.VarCredentials, fromAnywhere(paths.Credentials))
	if err := ctx.Err(); err != nil {
		return err
	}
	end, err := c.runBeside(folder.usedBy)
	folder.remove() // the way it ended may end this process at once
	if err != nil {
		return err
	}
	return end.same()
}

// credentialServer makes a server for the profiles, which asks for their credentials as the command credentials would.
func credentialServer(a *app.App, profiles []string) *credserver.Server {
	m := &memory{kept: map[string]session.RoleCredentials{}}
	return &credserver.Server{
		Token: credserver.NewToken(), Profiles: profiles, Now: a.Env.Time, Debug: a.UI.Debug,
		Hint: func(err error) string { return ui.Hint(err, a.UI.Shell) },
		Credentials: func(ctx context.Context, profile string, minTTL time.Duration) (credserver.Found, error) {
			return serve(ctx, a, profile, minTTL, m)
		},
		Trouble: func(profile string, err error) {
			f := a.UI.Describe(err)
			a.UI.Say("homing: credentials of profile %q cannot be renewed: %s\n", profile, f.Msg)
			if f.Hint != "" {
				a.UI.Say("hint: %s\n", f.Hint)
			}
		},
	}
}

func lookEvery(a *app.App) time.Duration {
	if a.Env.KeepLook > 0 {
		return a.Env.KeepLook
	}
	return serverLook
}

// memory holds what could not be cached in ~/.aws, where that is read-only. Safe for concurrent use.
type memory struct {
	mu   sync.Mutex
	kept map[string]session.RoleCredentials
}

// serve returns the credentials of a profile. The files are read each time: who signs in, signs out or changes the profile
// need not start the server again.
func serve(ctx context.Context, a *app.App, profile string, minTTL time.Duration, m *memory) (credserver.Found, error) {
	b := app.New(a.Env)
	b.Flags, b.UI = a.Flags, a.UI
	b.Flags.Profile = profile // whose endpoints count
	key, err := b.Role(ctx, app.RoleFlags{}, "credentials", true)
	if err != nil {
		return credserver.Found{}, err
	}
	name := key.Session.CacheKey() + "\x00" + key.AccountID + "\x00" + key.RoleName
	m.mu.Lock()
	kept, ok := m.kept[name]
	m.mu.Unlock()
	if ok && kept.Expiration.Sub(a.Env.Time()) > minTTL {
		return credserver.Found{Credentials: kept}, nil
	}
	uncached := false
	creds, err := connect.RoleCredentialsWarning(ctx, b, key, minTTL, func(err error) {
		uncached = true
		a.UI.Debug("profile %q: %s", profile, err)
	})
	st, storeErr := b.Store()
	switch {
	case err == nil && uncached:
		m.mu.Lock()
		m.kept[name] = creds
		m.mu.Unlock()
	case err != nil && storeErr == nil && fault.KindOf(err) == fault.SignInNeeded:
		// The session is over and the credentials are not. Signing out would have removed them.
		if last, ok := rolecreds.Cached(st, key, stillGood); ok {
			return credserver.Found{Credentials: last, Last: err}, nil
		}
	}
	if err != nil {
		return credserver.Found{}, err
	}
	return credserver.Found{Credentials: creds}, nil
}
