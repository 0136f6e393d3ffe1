package emulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/homing-cli/homing/emulator"
	"github.com/homing-cli/homing/internal/app"
	"github.com/homing-cli/homing/internal/editor"
	"github.com/homing-cli/homing/internal/fault"
	"github.com/homing-cli/homing/internal/quote"
	"github.com/homing-cli/homing/internal/session"
	"github.com/homing-cli/homing/internal/store"
	"github.com/spf13/cobra"
)

type demoOptions struct {
	App         *app.App
	run         func(ctx context.Context, env app.Env) (code int)
	interactive bool
}

// NewDemo returns the command demo; run runs one command of homing.
func NewDemo(a *app.App, run func(ctx context.Context, env app.Env) (code int)) *cobra.Command {
	o := &demoOptions{App: a, run: run}
	cmd := &cobra.Command{
		Use:     "demo",
		GroupID: app.GroupTry,
		Short:   "Show the whole story on the emulator, unattended",
		Long: app.Lines(
			"Starts an Identity Center on loopback and a home folder of its own, then configures a profile, signs in by",
			"browser redirect and by device code, shows the files, the credentials and the renewal after expiry, and removes",
			"everything again. It needs no AWS account and touches neither your home folder nor AWS.",
		),
		Args: app.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.perform(cmd.Context()) },
	}
	cmd.Flags().BoolVar(&o.interactive, "interactive", false, "do the browser part yourself")
	return cmd
}

const (
	demoProfile = "demo"
	demoSession = "demo-session"
)

// demo is one performance: an emulator, a home folder, and a clock that both share.
type demo struct {
	out    io.Writer
	env    app.Env // of the commands it runs
	run    func(ctx context.Context, env app.Env) (code int)
	person *emulator.Person
	server *emulator.Server
	base   string
	errs   chan error // what the person met in the browser
	people sync.WaitGroup

	mu    sync.Mutex
	ahead time.Duration // how far the demo's clock is ahead of the real one
}

func (o *demoOptions) perform(ctx context.Context) (err error) {
	// Where nobody reads on, as after `| head`, writing would kill the process before it has cleaned up.
	broken := make(chan os.Signal, 1)
	signal.Notify(broken, syscall.SIGPIPE)
	defer signal.Stop(broken)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := &audience{w: o.App.Env.Stdout, gone: cancel}
	defer func() {
		if out.err != nil && !errors.Is(out.err, syscall.EPIPE) {
			err = &fault.Error{Kind: fault.Config, Msg: "cannot write: " + out.err.Error(), Remedy: fault.Run{"homing", "demo"}, Err: out.err}
		}
	}()
	home, err := os.MkdirTemp("", "homing-demo-")
	if err != nil {
		return &fault.Error{Kind: fault.Config, Msg: "cannot make a temporary folder: " + err.Error(), Remedy: fault.Advice("set TMPDIR to a folder you can write to"), Err: err}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(home)) }()
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return &fault.Error{Kind: fault.Config, Msg: "cannot listen on 127.0.0.1: " + err.Error(), Remedy: fault.Advice("run it where programs may listen on loopback"), Err: err}
	}
	d := &demo{
		out: out, run: o.run, server: &emulator.Server{}, base: "http://" + listener.Addr().String(), errs: make(chan error, 8),
	}
	d.person = d.server.Person()
	served, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- serve(served, listener, d.server) }()
	defer func() {
		stop()
		err = errors.Join(err, <-done)
		d.people.Wait()
	}()
	d.env = app.Env{
		LookupEnv: d.lookupEnv(home),
		Stdin:     strings.NewReader(""),
		Home:      home,
		Now:       d.now,
		OpenBrowser: func(_ context.Context, url string, _ *editor.Window) error {
			d.people.Go(func() {
				if err := d.person.Open(served, url); err != nil {
					d.errs <- err
				}
			})
			return nil
		},
	}
	if o.interactive {
		d.env.OpenBrowser = o.App.Env.OpenBrowser
		d.env.Terminal = app.Terminal{Stderr: o.App.Env.Terminal.Stderr, Width: max(0, o.App.Env.Terminal.Width-len(demoIndent))}
	}
	return d.play(ctx, o.interactive)
}

func (d *demo) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Now().Add(d.ahead)
}

// later moves the clocks of the emulator and of homing.
func (d *demo) later(by time.Duration) {
	d.mu.Lock()
	d.ahead += by
	d.mu.Unlock()
	d.server.Advance(by)
}

// lookupEnv is the environment of the demo's commands: nothing of the person's but how their terminal looks.
func (d *demo) lookupEnv(home string) func(string) (string, bool) {
	vars := map[string]string{
		"HOME": home, "DISPLAY": ":0", "HOMING_REDIRECT_PORT": "0", // a laptop, beside whatever else signs in on it
		"AWS_ENDPOINT_URL_SSO_OIDC": d.base, "AWS_ENDPOINT_URL_SSO": d.base, "AWS_ENDPOINT_URL_STS": d.base,
	}
	return func(name string) (string, bool) {
		v, ok := vars[name]
		return v, ok
	}
}

func (d *demo) play(ctx context.Context, interactive bool) error {
	who := "a person in code plays you in the browser"
	if interactive {
		who = "you are the person in the browser; the user name is ada, any password will do"
	}
	d.say("homing on an Identity Center of its own; %s.\nYour home folder and AWS are not touched.\n", who)

	d.chapter("An Identity Center on loopback", "homing emulator serves the same for your own trials.")
	d.say("%s%s, start URL %s, region %s\n", demoIndent, d.base, emulator.DefaultStartURL, emulator.DefaultRegion)

	d.chapter("Configure a profile, sign in by browser redirect (PKCE)",
		"The AWS CLI's wizard; here every answer is a flag. The redirect comes back to a listener on 127.0.0.1.")
	account, role, err := d.firstRole()
	if err != nil {
		return err
	}
	if err := d.homing(ctx, "configure", "sso", "--profile", demoProfile, "--sso-session", demoSession,
		"--sso-start-url", emulator.DefaultStartURL, "--sso-region", emulator.DefaultRegion,
		"--sso-account-id", account, "--sso-role-name", role, "--flow", "pkce"); err != nil {
		return err
	}
	if err := d.files("What the AWS CLI and the SDKs read; the empty locks and the client registration are ours."); err != nil {
		return err
	}
	d.chapter("Role credentials", "As a credential_process prints them; here the values are shortened.")
	if err := d.homing(ctx, "credentials", "--profile", demoProfile); err != nil {
		return err
	}
	d.chapter("An hour later the token has expired, and is renewed without a browser", "Both clocks move by 61 minutes.")
	d.later(61 * time.Minute)
	for _, args := range [][]string{{"status"}, {"login", "--profile", demoProfile}, {"status"}} {
		if err := d.homing(ctx, args...); err != nil {
			return err
		}
	}
	d.chapter("Sign in by device code", "For a shell whose browser is on another machine. It can be renewed as well: the session names a scope.")
	if err := d.homing(ctx, "login", "--profile", demoProfile, "--use-device-code", "--force"); err != nil {
		return err
	}
	d.later(61 * time.Minute)
	d.say("\n%sAnother hour later:\n", demoIndent)
	if err := d.homing(ctx, "login", "--profile", demoProfile); err != nil {
		return err
	}
	d.chapter("Sign out", "At the service and here; role credentials go too.")
	if err := d.homing(ctx, "logout", "--sso-session", demoSession); err != nil {
		return err
	}
	if err := d.files("What is left: the configuration, and the client registration for next time."); err != nil {
		return err
	}
	d.say("\nThat is all. Now with your own: homing configure sso\n")
	return nil
}

// audience is where the demo is shown. The first write that fails ends the demo.
type audience struct {
	w    io.Writer
	gone context.CancelFunc
	mu   sync.Mutex
	err  error
}

func (a *audience) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.err != nil {
		return 0, a.err
	}
	n, err := a.w.Write(p)
	if err != nil {
		a.err = err
		a.gone()
	}
	return n, err
}

const demoIndent = "    "

func (d *demo) say(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format, args...) }

func (d *demo) chapter(title, text string) {
	d.say("\n== %s\n%s\n\n", title, text)
}

// homing runs one command as a person would, and shows it with what it said.
func (d *demo) homing(ctx context.Context, args ...string) error {
	d.say("%s$ homing %s\n", demoIndent, commandLine(args))
	show := &indenter{w: d.out}
	env := d.env
	env.Args, env.Stderr, env.Stdout = args, show, show
	var answer bytes.Buffer
	if args[0] == "credentials" {
		env.Stdout = &answer
	}
	code := d.run(ctx, env)
	if answer.Len() > 0 {
		_, _ = io.WriteString(show, shorten(answer.String()))
	}
	if code == 0 {
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case err := <-d.errs:
		return fmt.Errorf("the person in the browser: %w", err)
	default:
		return fmt.Errorf("homing %s ended with exit code %d", args[0], code)
	}
}

// commandLine shows a command on lines that fit a terminal.
func commandLine(args []string) string {
	var b strings.Builder
	column := 0
	for i, arg := range args {
		if strings.HasPrefix(arg, "--") && column > 70 {
			b.WriteString(" \\\n" + demoIndent + demoIndent)
			column = 0
		} else if i > 0 {
			b.WriteByte(' ')
		}
		arg = quote.Sh.Arg(arg)
		b.WriteString(arg)
		column += len(arg) + 1
	}
	return b.String()
}

// firstRole is an account and a role that exist in the emulator.
func (d *demo) firstRole() (account, role string, err error) {
	for _, a := range emulator.DefaultDirectory().Accounts {
		return a.ID, a.Roles[0].Name, nil
	}
	return "", "", errors.New("the emulator's directory is empty")
}

// files lists the demo's home folder, each file with what it is.
func (d *demo) files(text string) error {
	d.chapter("Files", text)
	st := &store.Store{AWSDir: filepath.Join(d.env.Home, ".aws")}
	s := session.Session{Name: demoSession, StartURL: emulator.DefaultStartURL, Region: emulator.DefaultRegion, Scopes: []string{session.DefaultScope}}
	what := map[string]string{
		filepath.Join(st.AWSDir, "config"):                     "the profile and the session, as you would write them",
		st.TokenPath(s.CacheKey()):                             "the token, under the name that the AWS CLI and every SDK compute",
		st.RegistrationPath(store.RegistrationKey{Session: s}): "the client registration, kept for the next sign-in",
	}
	return filepath.WalkDir(d.env.Home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(d.env.Home, path)
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		about := what[path]
		switch {
		case about != "":
		case filepath.Base(name) == "worked.json":
			about = "which way of signing in worked here, to be used first next time"
		case filepath.Ext(name) == ".lock":
			about = "keeps two processes from doing the same thing at once"
		case strings.HasPrefix(filepath.Base(name), "roles-"):
			about = "which role credentials the session fetched, so that a sign-out removes them"
		case filepath.Base(filepath.Dir(filepath.Dir(path))) == "cli":
			about = "role credentials, shared with the AWS CLI"
		}
		d.say("%s%s  ~/%s\n%s            %s\n", demoIndent, info.Mode().Perm(), filepath.ToSlash(name), demoIndent, about)
		return nil
	})
}

// shorten cuts the secret values of a credentials document to their first characters.
func shorten(credentials string) string {
	var out strings.Builder
	for line := range strings.Lines(credentials) {
		key, value, ok := strings.Cut(line, `": "`)
		_, name, _ := strings.Cut(key, `"`)
		if ok && len(value) > 8 && (name == "AccessKeyId" || name == "SecretAccessKey" || name == "SessionToken") {
			line = key + `": "` + value[:8] + `…"` + strings.TrimLeft(value[strings.LastIndex(value, `"`)+1:], " ")
		}
		out.WriteString(line)
	}
	return out.String()
}

// indenter puts an indent before every line it passes on.
type indenter struct {
	mu    sync.Mutex
	w     io.Writer
	begun bool // within a line
}

func (i *indenter) Write(p []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	var b bytes.Buffer
	for _, c := range p {
		if !i.begun && c != '\n' {
			b.WriteString(demoIndent)
		}
		i.begun = c != '\n'
		b.WriteByte(c)
	}
	if _, err := i.w.Write(b.Bytes()); err != nil {
		return 0, err
	}
	return len(p), nil
}
