package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/homing-cli/homing/internal/credserver"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/private"
	"github.com/homing-cli/homing/internal/rolecreds"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
)

// serverLook is how often a server compares the clock with what is due.
const serverLook = 20 * time.Second

// stillGood is what credentials must have left to be given out where there are no others.
const stillGood = time.Minute

// runRenewing runs the command beside an endpoint that has credentials for it as long as it lives.
func (o *execOptions) runRenewing(ctx context.Context, path, profile string, key store.RoleKey) error {
	a := o.app
	server := a.credentialServer([]string{profile})
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
		if err := server.Serve(serverCtx, l, a.serverLook()); err != nil {
			a.ui.say("homing: no more credentials for the command: %s\n", err)
		}
	})
	defer serving.Wait()
	defer stop()
	folder, err := a.makePrivateCopy(profile)
	if err != nil {
		return err
	}
	defer folder.remove()
	a.ui.debug("role %q in account %q at %s; the command's config file is %q", key.RoleName, key.AccountID, credserver.URL(port, "/"), folder.config)

	c := a.command(path, o.command, profile)
	for _, v := range endpointVariables(credserver.URL(port, "/"), server.Token.Reveal()) {
		c.set(v[0], v[1])
	}
	c.set("AWS_CONFIG_FILE", folder.config)
	c.set("AWS_SHARED_CREDENTIALS_FILE", folder.credentials)
	paths, err := a.paths()
	if err != nil {
		return err
	}
	c.set(varCopy, folder.config)
	c.set(varConfig, paths.Config)
	c.set(varCredentials, paths.Credentials)
	if err := ctx.Err(); err != nil {
		return err
	}
	end, err := c.runBeside()
	folder.remove() // the way it ended may end this process at once
	if err != nil {
		return err
	}
	return end.same()
}

// credentialServer makes a server for the profiles, which asks for their credentials as the command credentials would.
func (a *app) credentialServer(profiles []string) *credserver.Server {
	m := &memory{kept: map[string]session.RoleCredentials{}}
	return &credserver.Server{
		Token: credserver.NewToken(), Profiles: profiles, Now: a.env.now, Debug: a.ui.debug,
		Credentials: func(ctx context.Context, profile string, minTTL time.Duration) (session.RoleCredentials, error) {
			return a.serve(ctx, profile, minTTL, m)
		},
		Trouble: func(profile string, err error) {
			f := describe(err)
			a.ui.say("homing: credentials of profile %q cannot be renewed: %s\n", profile, f.Msg)
			if f.Hint != "" {
				a.ui.say("hint: %s\n", f.Hint)
			}
		},
	}
}

func (a *app) serverLook() time.Duration {
	if a.env.KeepLook > 0 {
		return a.env.KeepLook
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
func (a *app) serve(ctx context.Context, profile string, minTTL time.Duration, m *memory) (session.RoleCredentials, error) {
	b := newApp(a.env)
	b.flags, b.ui = a.flags, a.ui
	b.flags.profile = profile // whose endpoints count
	key, err := (&credentialsOptions{app: b}).role(ctx)
	if err != nil {
		return session.RoleCredentials{}, err
	}
	name := key.Session.CacheKey() + "\x00" + key.AccountID + "\x00" + key.RoleName
	m.mu.Lock()
	kept, ok := m.kept[name]
	m.mu.Unlock()
	if ok && kept.Expiration.Sub(a.env.now()) > minTTL {
		return kept, nil
	}
	uncached := false
	creds, err := b.roleCredentialsWarning(ctx, key, minTTL, func(err error) {
		uncached = true
		a.ui.debug("profile %q: %s", profile, err)
	})
	if err == nil {
		err = printable(creds)
	}
	st, storeErr := b.store()
	switch {
	case err == nil && uncached:
		m.mu.Lock()
		m.kept[name] = creds
		m.mu.Unlock()
	case err != nil && storeErr == nil && fault.KindOf(err) == fault.SignInNeeded:
		// The session is over and the credentials are not. Signing out would have removed them.
		if last, ok := rolecreds.Cached(st, key, stillGood); ok {
			return last, err
		}
	}
	return creds, err
}

// privateCopy is the folder with the config file of a command that is to ask the endpoint. It belongs to one run, which
// holds its lock; the system lets go of that however the run ends, and the next run sweeps what is left.
type privateCopy struct {
	dir, config, credentials string
	lock                     *flock.Flock
}

const copyLock = "lock"

// makePrivateCopy writes the settings of the profile, without any way to credentials, where only this user reads them.
func (a *app) makePrivateCopy(profile string) (*privateCopy, error) {
	cfg, err := a.config()
	if err != nil {
		return nil, err
	}
	text, err := cfg.Bare(profile)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, parent := range a.copyParents() {
		copied, err := makeCopy(parent, text)
		if err == nil {
			return copied, nil
		}
		failed = errors.Join(failed, err)
	}
	return nil, &fault.Error{
		Kind: fault.Config, Msg: "there is no folder for the command's config file: " + failed.Error(), Err: failed,
		Hint: "name a folder that can be written: export XDG_STATE_HOME=/path/to/it",
	}
}

// copyParents are the folders to try: the user's state folder, then the one for temporary files.
func (a *app) copyParents() []string {
	var parents []string
	if home, err := a.env.home(); err == nil {
		parents = append(parents, filepath.Join(lockDir(a.env, home), "exec"))
	}
	return append(parents, os.TempDir())
}

// makeCopy makes a folder below parent and sweeps those of runs that were killed.
func makeCopy(parent string, text []byte) (*privateCopy, error) {
	if parent != os.TempDir() {
		if err := private.Dir(parent); err != nil {
			return nil, err
		}
	}
	sweep(parent)
	dir, err := os.MkdirTemp(parent, copyPrefix) // 0700
	if err != nil {
		return nil, err
	}
	c := &privateCopy{
		dir: dir, config: filepath.Join(dir, "config"), credentials: filepath.Join(dir, "credentials"),
		lock: flock.New(filepath.Join(dir, copyLock), flock.SetPermissions(0o600)),
	}
	_, err = c.lock.TryLock()
	// The lock file is there before it is held: for a moment another run could take the folder for one that was left. So it
	// sweeps none that has no config file yet, and what is written below is written under the lock.
	if err == nil {
		err = os.WriteFile(c.credentials, nil, 0o600)
	}
	if err == nil {
		err = private.Write(c.config, text)
	}
	if err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

const copyPrefix = "homing-exec-"

// remove takes the folder away; a second time it does nothing.
func (c *privateCopy) remove() {
	_ = os.RemoveAll(c.dir) // what cannot be removed is swept later
	_ = c.lock.Close()
}

// sweep removes the folders of runs that have ended without doing so.
func sweep(parent string) {
	left, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, entry := range left {
		if !strings.HasPrefix(entry.Name(), copyPrefix) {
			continue
		}
		dir := filepath.Join(parent, entry.Name())
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || !private.Ours(info) {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "config")); errors.Is(err, fs.ErrNotExist) && time.Since(info.ModTime()) < time.Hour {
			continue // just being made
		}
		lock := flock.New(filepath.Join(dir, copyLock), flock.SetPermissions(0o600))
		if free, err := lock.TryLock(); err == nil && free {
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}
}
