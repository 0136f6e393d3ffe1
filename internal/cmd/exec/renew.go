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

// checkInterval is how often a server checks whether credentials are due for renewal.
const checkInterval = 20 * time.Second

// lastTTL is how long credentials must still be valid to be served when the session has ended and there are no
// others.
const lastTTL = time.Minute

// runWithEndpoint runs the command beside an endpoint that serves credentials until the command ends.
func (o *options) runWithEndpoint(ctx context.Context, path, profile string, key store.RoleKey) error {
	a := o.app
	server := newServer(a, []string{profile})
	l, port, err := credserver.Listen(ctx, 0)
	if err != nil {
		return err
	}
	server.Port = port
	// Fetch credentials before the command starts: the JavaScript SDK waits for one second only, and an error is
	// better reported here than by the command.
	trouble := server.Trouble
	server.Trouble = nil
	if _, err := server.Get(ctx, profile); err != nil {
		return errors.Join(err, l.Close())
	}
	server.Trouble = trouble
	serverCtx, stop := context.WithCancel(context.WithoutCancel(ctx)) // Ctrl-C is for the command
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(serverCtx, l, checkEvery(a)); err != nil {
			a.UI.Say("homing: the endpoint of the command has stopped: %s\n", err)
		}
	})
	defer serving.Wait()
	defer stop()
	folder, err := makeConfigFolder(a, profile)
	if err != nil {
		return err
	}
	defer folder.remove()
	a.UI.Debug("role %q in account %q at %s; the command's config file is %q", key.RoleName, key.AccountID,
		credserver.URL(port, "/"), folder.config)

	c := newChildCommand(a, path, o.command, profile)
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
	c.set(app.VarConfig, absolute(paths.Config))
	c.set(app.VarCredentials, absolute(paths.Credentials))
	if err := ctx.Err(); err != nil {
		return err
	}
	end, err := c.run(folder.recordProcess)
	folder.remove() // before end.repeat, which may end this process at once
	if err != nil {
		return err
	}
	return end.repeat()
}

// newServer returns a server for the profiles. It gets their credentials as the command credentials does.
func newServer(a *app.App, profiles []string) *credserver.Server {
	m := &memory{creds: map[string]session.RoleCredentials{}}
	return &credserver.Server{
		Token: credserver.NewToken(), Profiles: profiles, Now: a.Env.Time, Debug: a.UI.Debug,
		Hint: func(err error) string { return ui.Hint(err, a.UI.Shell) },
		Credentials: func(ctx context.Context, profile string, minTTL time.Duration) (credserver.Found, error) {
			return m.find(ctx, a, profile, minTTL)
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

func checkEvery(a *app.App) time.Duration {
	if a.Env.KeepLook > 0 {
		return a.Env.KeepLook
	}
	return checkInterval
}

// memory holds credentials that could not be cached, as when ~/.aws is read-only. Safe for concurrent use.
type memory struct {
	mu    sync.Mutex
	creds map[string]session.RoleCredentials
}

func (m *memory) get(name string) (session.RoleCredentials, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c, ok := m.creds[name]
	return c, ok
}

func (m *memory) put(name string, c session.RoleCredentials) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.creds[name] = c
}

// find returns the credentials of a profile. It reads the files each time, so a sign-in, a sign-out or a
// changed profile needs no restart of the server.
func (m *memory) find(ctx context.Context, a *app.App, profile string, minTTL time.Duration) (credserver.Found, error) {
	b := app.New(a.Env)
	b.Flags, b.UI = a.Flags, a.UI
	b.Flags.Profile = profile // its endpoint settings apply
	key, err := b.Role(ctx, app.RoleFlags{}, "credentials", true)
	if err != nil {
		return credserver.Found{}, err
	}
	name := key.Session.CacheKey() + "\x00" + key.AccountID + "\x00" + key.RoleName
	if creds, ok := m.get(name); ok && creds.Expiration.Sub(a.Env.Time()) > minTTL {
		return credserver.Found{Credentials: creds}, nil
	}
	uncached := false
	creds, err := connect.RoleCredentialsWarning(ctx, b, key, minTTL, func(err error) {
		uncached = true
		a.UI.Debug("profile %q: %s", profile, err)
	})
	st, storeErr := b.Store()
	switch {
	case err == nil && uncached:
		m.put(name, creds)
	case err != nil && storeErr == nil && fault.KindOf(err) == fault.SignInNeeded:
		// The session has ended, but its credentials are still valid. Signing out would have removed them.
		if last, ok := rolecreds.Cached(st, key, lastTTL); ok {
			return credserver.Found{Credentials: last, Last: err}, nil
		}
	}
	if err != nil {
		return credserver.Found{}, err
	}
	return credserver.Found{Credentials: creds}, nil
}
