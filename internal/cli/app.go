package cli

import (
	"context"
	"net/http"
	"path/filepath"
	"runtime"
	"time"

	"github.com/homing-cli/homing/internal/awsconfig"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/idc"
	"github.com/homing-cli/homing/internal/refresh"
	"github.com/homing-cli/homing/internal/rolecreds"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/homing-cli/homing/internal/term"
)

// app is one run of homing: its environment, its global flags, and the wiring of the packages below.
type app struct {
	env   Env
	flags globalFlags
	ui    *ui
	in    *input
	cfg   *awsconfig.Config // read on first use
	http  *http.Client      // made on first use
	urls  map[string]string // start URLs already resolved
	place *where            // found on first use

	asksLater bool // a wizard runs: questions follow a sign-in

	// choose lets the person at the terminal pick one of items and returns its index; flag names the flag that answers
	// instead. It is only called where interactive reports true.
	choose   func(ctx context.Context, items []string, flag string) (int, error)
	patience time.Duration // see servicePatience
}

func newApp(env Env) *app {
	a := &app{env: env, ui: &ui{out: &answers{w: env.Stdout}, err: env.Stderr}, in: &input{r: env.Stdin}, patience: servicePatience}
	if env.Terminal.Stderr {
		a.ui.terminal, a.ui.width = true, env.Terminal.Width
	}
	return a
}

// configureUI applies the global flags once they are parsed.
func (a *app) configureUI() {
	a.ui.json = a.flags.json
	a.ui.debugging = a.flags.debug
	a.ui.color = a.env.Terminal.Stderr && !a.flags.noColor && !term.NoColor(a.env.Getenv)
}

// interactive reports whether a person can be asked: their keyboard and a screen for the question are both here.
func (a *app) interactive() bool {
	return a.env.Terminal.Stdin && a.env.Terminal.Stderr && !a.ui.json
}

// paths returns where the AWS config and credentials files are.
func (a *app) paths() (awsconfig.Paths, error) {
	home, err := a.env.home()
	if err != nil {
		return awsconfig.Paths{}, err
	}
	if paths, inside := outerPaths(a.env.Getenv); inside {
		return paths, nil
	}
	return awsconfig.PathsFromEnv(a.env.Getenv, home), nil
}

// config returns the AWS config. A file that the AWS CLI could not load is an error here too: what homing would do
// with it and what the AWS CLI then does must not differ.
func (a *app) config() (*awsconfig.Config, error) {
	if a.cfg != nil {
		return a.cfg, nil
	}
	paths, err := a.paths()
	if err != nil {
		return nil, err
	}
	cfg, err := awsconfig.Load(paths)
	if err != nil {
		return nil, err
	}
	if err := cfg.CLIError(); err != nil {
		return nil, err
	}
	if a.ui.debugging { // to list them takes as long as to read a large file
		a.ui.debug("config file %s: %d profiles, %d sessions", paths.Config, len(cfg.ProfileNames()), len(cfg.SessionNames()))
	}
	a.cfg = cfg
	return cfg, nil
}

// store returns the caches in ~/.aws.
func (a *app) store() (*store.Store, error) {
	home, err := a.env.home()
	if err != nil {
		return nil, err
	}
	return &store.Store{AWSDir: filepath.Join(home, ".aws"), Now: a.env.now, LockDir: lockDir(a.env, home)}, nil
}

// lockDir is the user's state folder, where locks go should ~/.aws be read-only.
func lockDir(env Env, home string) string {
	if dir := env.Getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "homing")
	}
	if runtime.GOOS == "windows" {
		if dir := env.Getenv("LOCALAPPDATA"); dir != "" {
			return filepath.Join(dir, "homing")
		}
	}
	return filepath.Join(home, ".local", "state", "homing")
}

// activeProfile is the profile that --profile or the environment names, and who named it ("" when nobody did).
// AWS_PROFILE wins over AWS_DEFAULT_PROFILE, as in the AWS CLI. Behind them, inside of exec, it is the profile of that.
func (a *app) activeProfile() (name, origin string) {
	if a.flags.profile != "" {
		return a.flags.profile, "--profile"
	}
	for _, variable := range []string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE", varProfile} {
		if name := a.env.Getenv(variable); name != "" {
			return name, variable
		}
	}
	return "", ""
}

// settings are what the endpoints of the service depend on, as the AWS CLI reads them: the environment, then the
// active profile.
func (a *app) settings() idc.Settings {
	s := idc.Settings{Getenv: a.ownVariable}
	if a.cfg == nil {
		return s
	}
	name, _ := a.activeProfile()
	if name == "" {
		name = "default"
	}
	s.Profile = func(key string) string {
		p, ok := a.cfg.Profile(name)
		if !ok {
			return ""
		}
		return p.Get(key)
	}
	s.Service = func(service string) string { return a.cfg.Service(name, service) }
	return s
}

// connection is a way to the service for one session.
type connection struct {
	client   *idc.Client
	startURL string // as the service knows it, a vanity address resolved
	region   string
	known    func(host string) bool // whether a sign-in may lead to a host
}

// connect prepares a client for s: vanity address, region carried by the host, endpoints, proxies. Nothing but the
// vanity address is looked up.
func (a *app) connect(ctx context.Context, s session.Session) (connection, error) {
	if err := idc.ValidStartURL(s.StartURL); err != nil {
		return connection{}, &fault.Error{
			Kind: fault.Config, Msg: s.InWords() + ": " + err.Error(), Hint: "run: " + a.configureCommand(s), Err: err,
		}
	}
	settings := a.settings()
	httpClient, err := a.httpClient(settings)
	if err != nil {
		return connection{}, err
	}
	c := connection{startURL: a.resolve(ctx, httpClient, s.StartURL), region: s.Region}
	if region := idc.RegionOf(c.startURL); region != "" {
		c.region = region
	}
	endpoints, err := idc.ResolveEndpoints(settings, c.startURL)
	if err != nil {
		return connection{}, err
	}
	c.known = func(host string) bool { return endpoints.Known(host, c.region, s.StartURL, c.startURL) }
	c.client = idc.New(idc.Options{
		Region: c.region, Endpoints: endpoints, HTTPClient: httpClient, UserAgent: "homing/" + version(), Log: a.ui.logger(),
	})
	return c, nil
}

// resolve follows a vanity start URL, once a run.
func (a *app) resolve(ctx context.Context, client *http.Client, startURL string) string {
	if known, ok := a.urls[startURL]; ok {
		return known
	}
	if a.urls == nil {
		a.urls = map[string]string{}
	}
	a.urls[startURL] = idc.ResolveVanity(ctx, client, startURL)
	return a.urls[startURL]
}

// httpClient returns the one client of this run.
func (a *app) httpClient(settings idc.Settings) (*http.Client, error) {
	if a.http != nil {
		return a.http, nil
	}
	transport := a.env.Transport
	if transport == nil {
		t, err := idc.Transport(settings)
		if err != nil {
			return nil, err
		}
		transport = t
	}
	a.http = &http.Client{Transport: transport}
	return a.http, nil
}

// renewer renews tokens in st.
func (a *app) renewer(st *store.Store) *refresh.Renewer {
	return &refresh.Renewer{
		Store: st, Profile: a.profileOf, Now: a.env.now,
		Instead: func(s session.Session) string { return a.upgradeInstead(st, s) },
		Connect: func(ctx context.Context, s session.Session) (refresh.Service, error) {
			c, err := a.connect(ctx, s)
			return c.client, err
		},
	}
}

// roleCredentials returns the credentials of a role, from the cache where they live for ttl; 0 is the default.
func (a *app) roleCredentials(ctx context.Context, k store.RoleKey, ttl time.Duration) (session.RoleCredentials, error) {
	return a.roleCredentialsWarning(ctx, k, ttl, a.warnOnce())
}

// roleCredentialsWarning is roleCredentials that tells warn what could not be cached.
func (a *app) roleCredentialsWarning(ctx context.Context, k store.RoleKey, ttl time.Duration, warn func(error)) (session.RoleCredentials, error) {
	st, err := a.store()
	if err != nil {
		return session.RoleCredentials{}, err
	}
	ttl = minTTL(ttl)
	if creds, ok := rolecreds.Cached(st, k, ttl); ok {
		a.freshen(ctx, st, k.Session)
		return creds, nil
	}
	fetcher := rolecreds.Fetcher{
		Store: st, Tokens: a.renewer(st), Now: a.env.now,
		Warn: warn,
		Connect: func(ctx context.Context, s session.Session) (rolecreds.Portal, error) {
			c, err := a.connect(ctx, s)
			return c.client, err
		},
	}
	return fetcher.Get(ctx, k, ttl)
}

// shellTTL is what cached credentials must have left for an environment. A program that asks for credentials asks again
// before they lapse; nobody replaces what is in an environment. Half of the hour that they last as a rule, so that not each
// command fetches some.
const shellTTL = 30 * time.Minute

// orShorter returns cached credentials of less than shellTTL in place of a sign-in that would be needed for others.
func (a *app) orShorter(k store.RoleKey, c session.RoleCredentials, err error) (session.RoleCredentials, error) {
	if fault.KindOf(err) != fault.SignInNeeded {
		return c, err
	}
	st, storeErr := a.store()
	if storeErr != nil {
		return c, err
	}
	last, ok := rolecreds.Cached(st, k, rolecreds.DefaultMinTTL)
	if !ok {
		return c, err
	}
	f := describe(err)
	a.ui.say("warning: %s; the credentials lapse at %s\n", f.Msg, moment(last.Expiration, a.env.now()))
	if f.Hint != "" {
		a.ui.say("hint: %s\n", f.Hint)
	}
	return last, nil
}

// minTTL is what cached credentials must have left; 0 asks for the default.
func minTTL(asked time.Duration) time.Duration {
	if asked == 0 {
		return rolecreds.DefaultMinTTL
	}
	return asked
}

// warnOnce returns what says a warning, and does not repeat it: lock and cache of a role fail for one reason.
func (a *app) warnOnce() func(error) {
	said := map[string]bool{}
	return func(err error) {
		if !said[err.Error()] {
			said[err.Error()] = true
			a.ui.say("warning: %s\n", err)
		}
	}
}

// rolesOf are the roles that the config file's profiles have on s. The AWS CLI may have cached their credentials.
func (a *app) rolesOf(s session.Session) []store.RoleKey {
	if a.cfg == nil {
		return nil
	}
	var keys []store.RoleKey
	for _, p := range a.cfg.ProfilesOf(s) {
		if p.AccountID != "" && p.RoleName != "" {
			keys = append(keys, store.RoleKey{Session: s, AccountID: p.AccountID, RoleName: p.RoleName})
		}
	}
	return keys
}

// profileOf names a profile that stands on s, for a hint; "" when there is none.
func (a *app) profileOf(s session.Session) string {
	if name, _ := a.activeProfile(); name != "" {
		return name
	}
	if a.cfg == nil {
		return ""
	}
	for _, p := range a.cfg.ProfilesOf(s) {
		return p.Profile
	}
	return ""
}
